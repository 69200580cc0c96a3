"""How a page becomes the JSON that Grafana reads: the one file that knows Grafana's library."""

import json
from collections.abc import Callable
from typing import Final

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, table, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as parts
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from deploy.grafana.meanings import describe
from deploy.grafana.spec import Kind, Moments, Page, Panel, Query, Variable

TAG: Final = "roompulse"
ROOM_PAGE: Final = "roompulse-room"
_SOURCE = shapes.DataSourceRef(type_val="prometheus", uid="${datasource}")
_AnyPanel = stat.Panel | timeseries.Panel | bargauge.Panel | table.Panel


def drawn(page: Page) -> str:
    """The page as JSON, the same bytes for the same page."""
    board = (
        dashboard.Dashboard(page.title)
        .uid(page.uid)
        .description(page.description)
        .tags([TAG])
        .timezone("browser")
        .time("now-1h", "now")
        .refresh("5s")
        .tooltip(parts.DashboardCursorSync.CROSSHAIR)
        .readonly()
        .link(
            dashboard.DashboardLink("Roompulse")
            .type(parts.DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(as_dropdown=True)
            .include_vars(include_vars=True)
            .keep_time(keep_time=True)
        )
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Data source").type("prometheus")
        )
    )
    for variable in page.variables:
        board.with_variable(_variable(variable))
    for moments in page.moments:
        board.annotation(_annotation(moments))
    number = 0
    for row in page.rows:
        number += 1
        board.with_row(dashboard.Row(row.title).id(number))
        for panel in row.panels:
            number += 1
            board.with_panel(_panel(panel).id(number))
    return json.dumps(board.build(), cls=JSONEncoder, indent=1, sort_keys=True) + "\n"


def _variable(variable: Variable) -> dashboard.QueryVariable | dashboard.CustomVariable:
    if variable.query:
        return (
            dashboard.QueryVariable(variable.name)
            .label(variable.label)
            .datasource(_SOURCE)
            .query(variable.query)
            .refresh(parts.VariableRefresh.ON_TIME_RANGE_CHANGED)
            .sort(parts.VariableSort.ALPHABETICAL_ASC)
        )
    first, *_ = variable.values
    return (
        dashboard.CustomVariable(variable.name)
        .label(variable.label)
        .values(",".join(variable.values))
        .current(parts.VariableOption(selected=True, text=first, value=first))
    )


def _annotation(moments: Moments) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(moments.title)
        .datasource(_SOURCE)
        .enable(enable=True)
        .icon_color("orange")
        .expr(moments.expr)
        .title_format(moments.title)
        .text_format(moments.text)
    )


def _panel(panel: Panel) -> _AnyPanel:
    shown = _DRAWN[panel.kind](panel)
    shown.title(panel.title).description(
        describe(panel.about, [query.expr for query in panel.queries])
    )
    shown.datasource(_SOURCE).unit(panel.unit).span(panel.width).height(panel.height)
    steps = [parts.Threshold(value=value, color=colour) for value, colour in panel.steps]
    shown.thresholds(dashboard.ThresholdsConfig().mode(parts.ThresholdsMode.ABSOLUTE).steps(steps))
    if panel.decimals is not None:
        shown.decimals(panel.decimals)
    for letter, query in zip("ABCDEFGH", panel.queries, strict=False):
        shown.with_target(_target(panel, query).ref_id(letter))
    return shown


def _target(panel: Panel, query: Query) -> Dataquery:
    target = Dataquery().expr(query.expr).legend_format(query.legend)
    if panel.kind == "graph":
        return target.range()
    shape = PromQueryFormat.TABLE if panel.kind == "table" else PromQueryFormat.TIME_SERIES
    return target.instant().format(shape)


def _stat(_: Panel) -> stat.Panel:
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    return (
        stat.Panel()
        .reduce_options(last)
        .graph_mode(shapes.BigValueGraphMode.NONE)
        .color_mode(shapes.BigValueColorMode.VALUE)
    )


def _graph(panel: Panel) -> timeseries.Panel:
    shown = timeseries.Panel().legend(
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(show_legend=True)
    )
    shown.tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI))
    if len(panel.steps) > 1:
        dashed = common.GraphThresholdsStyleConfig().mode(shapes.GraphThresholdsStyleMode.DASHED)
        shown.thresholds_style(dashed)
    return shown.line_width(1).fill_opacity(10).show_points(shapes.VisibilityMode.NEVER)


def _bars(_: Panel) -> bargauge.Panel:
    last = common.ReduceDataOptions().calcs(["lastNotNull"])
    return (
        bargauge.Panel()
        .reduce_options(last)
        .orientation(shapes.VizOrientation.HORIZONTAL)
        .display_mode(shapes.BarGaugeDisplayMode.BASIC)
    )


def _table(panel: Panel) -> table.Panel:
    """The answers side by side: one row for each set of labels, one column for each query."""
    single = len(panel.queries) == 1
    columns = {
        "Value" if single else f"Value #{letter}": query.legend
        for letter, query in zip("ABCDEFGH", panel.queries, strict=False)
    }
    organized = {
        "excludeByName": {"Time": True},
        "renameByName": columns,
        "indexByName": {},
    }
    shown = table.Panel().sort_by(
        [common.TableSortByFieldState().display_name(panel.queries[0].legend).desc(desc=True)]
    )
    shown.with_transformation(parts.DataTransformerConfig(id_val="merge", options={}))
    shown.with_transformation(parts.DataTransformerConfig(id_val="organize", options=organized))
    for query in panel.queries:
        if query.unit is not None:
            shown.override_by_name(query.legend, [_property("unit", query.unit)])
        if query.hidden:  # links show a value as the cell does: whole, and without separators
            hidden = [_property("custom.hidden", value=True), _property("decimals", 0)]
            shown.override_by_name(query.legend, hidden)
    if panel.rooms:
        link = _link("This room", "key", "${__url_time_range}")
        shown.override_by_name("key", [_property("links", [link])])
    if panel.alerts:
        time = "from=${__data.fields.from}&to=${__data.fields.to}"
        link = _link("This room when it was suspected", "room_id", time)
        shown.override_by_name("room_id", [_property("links", [link])])
    return shown


_property: Final = parts.DynamicConfigValue


def _link(title: str, field: str, time: str) -> dict[str, str]:
    """A way from a row of a table to the page of the room that stands in one of its fields."""
    kept = "${currency:queryparam}&${minor_per_unit:queryparam}&${datasource:queryparam}"
    return {
        "title": title,
        "url": f"/d/{ROOM_PAGE}?var-room=${{__data.fields.{field}}}&{kept}&{time}",
    }


_DRAWN: Final[dict[Kind, Callable[[Panel], _AnyPanel]]] = {
    "stat": _stat,
    "graph": _graph,
    "bars": _bars,
    "table": _table,
}
