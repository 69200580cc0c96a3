"""Does everybody sell the same: how does the concentration of what is sold move by the hour?"""

from collections.abc import Sequence

from roompulse.charts.lines import Panel, line_chart
from roompulse.report.axis import TimeAxis
from roompulse.report.files import Row
from roompulse.report.markup import Html
from roompulse.report.tables import Context, chart

_SCOPES = ("category", "product", "merchant", "room")


def sameness(context: Context) -> list[Html]:
    """A chart for each currency; its figures stand in the table of the file below it."""
    rows = context.files.further.get("sameness.json", {}).get("hours", [])
    currencies = dict.fromkeys(row["currency"] for row in rows)
    return [
        _chart(context, currency, [row for row in rows if row["currency"] == currency])
        for currency in currencies
    ]


def _chart(context: Context, currency: str | None, rows: Sequence[Row]) -> Html:
    title = context.say("sameness_chart", currency=context.currency(currency))
    lines = {
        context.words.name(scope): [
            (float(row["hour_ms"]), float(row[f"{scope}_hhi"]))
            for row in rows
            if row[f"{scope}_hhi"] is not None
        ]
        for scope in _SCOPES
    }
    hours = [row["hour_ms"] for row in rows]
    axis = TimeAxis(min(hours), max(hours), context.files.zone)
    known = {name: points for name, points in lines.items() if points}
    if not known:
        return Html("")
    panel = Panel(context.say("sameness_axis"), known, lambda value: f"{value:.2f}")
    drawing = line_chart(title, context.files.zone, [panel], ticks=axis.ticks, alone=False)
    return chart(context, title, drawing)
