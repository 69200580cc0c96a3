"""What is shown of one room, host, agency, mode, category, merchant or product?

Money three ways with ranks, all figures, the funnel, the last minutes of a room as columns, and its
alerts with their cards.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from roompulse.cli.board_view import (
    NOTHING,
    column,
    money,
    printable,
    shortened,
    time_of,
)
from roompulse.known import RESOLVED, Known
from roompulse.top.alert_lines import card
from roompulse.top.charts import MINUTE_MS, bar, by_minute, columns
from roompulse.top.state import duration
from schemas.records import Alert, BoardRow, RoomMinute, RoomSummary
from streams.core.boards import DEFAULT_ZONE

_FUNNEL = (
    # each step, and the step that it is a share of
    ("product_impressions", None),
    ("clicks", "product_impressions"),
    ("carts", "clicks"),
    ("checkouts", "clicks"),
    ("orders", "checkouts"),
)
_SHOWN_ELSEWHERE = frozenset(
    {
        *("room_id", "host_id", "host_name", "mcn_id", "mode", "category", "currency"),
        *("opened_ms", "closed_ms", "as_of_ms", "watch_ms"),
        *("rank", "key", "name", "rank_gross", "rank_net", "rank_trusted", "places_lost"),
        *("gross_minor", "net_minor", "trusted_minor", "refunded_minor", "suspected_minor"),
        *("product_impressions", "clicks", "carts", "checkouts"),
        *("click_rate", "cart_rate", "checkout_rate", "paid_rate"),
    }
)
_WHOLE_NAMES = ("refund_rate", "conversion")  # which boards abbreviate
_FIGURE_CELLS = 34
_TITLE_CELLS = 19
_GAP_CELLS = 2
_BAR_CELLS, _LEAST_BAR_CELLS = 40, 8
_FUNNEL_TEXT_CELLS = 64  # names, counts and shares beside the bars
_TITLE_STYLE = "bold underline"
_MOST_MINUTES = 240
_CHARTS = (("gross_minor", "gross", 4), ("visits", "visits", 2), ("online", "online", 2))
_SCOPE_FIELDS = {"room": "room_id", "host": "host_id", "mcn": "mcn_id", "product": "product_id"}


def page(
    known: Known,
    scope: str,
    key: str,
    currency: str | None,
    width: int,
    *,
    but: str | None = None,
) -> RenderableType:
    """Everything that is known of one key of a scope.

    Args:
        known: what is known now.
        scope: what its board ranks.
        key: of a row of that board.
        currency: that of the board, or "all in CNY".
        width: cells there are.
        but: an alert that is shown elsewhere.
    """
    board = known.standing().board(scope, "total", currency)
    row = next((each for each in board.rows if each.key == key), None) if board else None
    row = row if isinstance(row, BoardRow) else None
    summary = known.summary(key) if scope == "room" else None
    unit = board.currency if board is not None else (summary.currency if summary else None)
    concerned = alerts_of(known, scope, key)
    parts: list[RenderableType] = [_head(scope, key, row, summary), _told(concerned), ""]
    source = summary or row
    if source is None:
        parts.append(Text("No figures of it: it is not among the rows of its board."))
    else:
        parts.append(_money(source, row, unit))
    if scope == "room":
        parts += _section("Last minutes", _minutes(known.minutes.of_room(key), unit, width))
    if source is not None:
        parts += _section("Funnel", _funnel(source, width))
    others = [alert for alert in concerned if alert.alert_id != but]
    cards = [part for alert in others for part in (card(alert, known), "")]
    parts += _section(
        "Alerts" if but is None else "Other alerts", cards or [Text("none", style="dim"), ""]
    )
    if source is not None:
        parts += [Text("Figures", style=_TITLE_STYLE), _figures(summary, row, unit, width)]
    return Group(*parts)


def alerts_of(known: Known, scope: str, key: str) -> list[Alert]:
    """The alerts that name a key of a scope, the most urgent first."""
    field = _SCOPE_FIELDS.get(scope)
    if field is None:
        return []
    return [
        alert
        for alert in (one.alert for one in known.alerts.by_urgency())
        if getattr(alert, field) == key or (scope == "room" and key in alert.rooms)
    ]


def _head(scope: str, key: str, row: BoardRow | None, summary: RoomSummary | None) -> Text:
    name = (summary.host_name if summary else None) or (row.name if row else None) or key
    text = Text(printable(name), style="bold")
    if name != key:
        text.append(f"  {scope} {printable(key)}", style="not bold")
    if summary is not None:
        facts = [
            f"host {summary.host_id or 'unknown'}",
            f"agency {summary.mcn_id or 'none'}",
            f"{summary.mode or 'mode unknown'}, {summary.category or 'category unknown'}",
            f"opened {time_of(summary.opened_ms)}",
            f"closed {time_of(summary.closed_ms)}" if summary.closed_ms else "open",
            f"as of {time_of(summary.as_of_ms)} {DEFAULT_ZONE}",
        ]
        text.append(f"\n{printable(' · '.join(facts))}", style="not bold dim")
    return text


def _told(alerts: list[Alert]) -> Text:
    """How many alerts there are of it, so that nobody has to scroll to know."""
    firing = sum(alert.status != RESOLVED for alert in alerts)
    if not alerts:
        return Text("no alert", style="dim")
    text = f"alerts: {firing:,} firing, {len(alerts) - firing:,} resolved (below)"
    return Text(text, style="bold red" if firing else "")


def _money(source: RoomSummary | BoardRow, row: BoardRow | None, unit: str | None) -> Table:
    """Money three ways: amount, rank, and what it is less than the one before."""
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="dim")
    table.add_column("GMV")
    table.add_column(unit or "currency unknown", justify="right")
    table.add_column("rank", justify="right")
    table.add_column("")
    lost = row.places_lost if row is not None else 0
    places = ""
    if lost:
        places = f", places {'lost' if lost > 0 else 'won'}: {abs(lost):,}"
    notes = {
        "gross": "",
        "net": f"{money(source.refunded_minor, unit)} refunded",
        "trusted": f"{money(source.suspected_minor, unit)} suspected{places}",
    }
    for way, note in notes.items():
        table.add_row(
            way,
            Text(money(getattr(source, f"{way}_minor"), unit), style="bold"),
            f"{getattr(row, f'rank_{way}'):,}" if row is not None else NOTHING,
            Text(note, style="bold" if way == "trusted" and lost > 0 else "dim"),
        )
    return table


def _figures(
    summary: RoomSummary | None, row: BoardRow | None, unit: str | None, width: int
) -> Table:
    """All other figures, as many beside each other as the width allows."""
    found: dict[str, str] = {}
    for source in (summary, row):
        if source is not None:
            for name in source.__struct_fields__:
                if name not in _SHOWN_ELSEWHERE and name not in found:
                    found[name] = _written(name, getattr(source, name), unit)
    abreast = max(1, width // _FIGURE_CELLS)
    table = Table.grid(padding=(0, _GAP_CELLS, 0, 0))
    for _ in range(abreast):
        table.add_column(width=_TITLE_CELLS, no_wrap=True, style="dim")
        table.add_column(
            width=_FIGURE_CELLS - _TITLE_CELLS - 2 * _GAP_CELLS, justify="right", no_wrap=True
        )
    cells = [
        cell
        for name, text in found.items()
        for cell in (shortened(_figure_title(name, unit), _TITLE_CELLS), text)
    ]
    for start in range(0, len(cells), 2 * abreast):
        table.add_row(*cells[start : start + 2 * abreast])
    return table


def _figure_title(name: str, unit: str | None) -> str:
    if name in _WHOLE_NAMES:
        return name.replace("_", " ")
    return column(name, unit).title.removesuffix(" ms")


def _written(name: str, value: Any, unit: str | None) -> str:  # noqa: ANN401 - any figure
    if value is None:
        return NOTHING
    if name.endswith("_ms"):
        return duration(value / 1000)
    if name.startswith("stayed_"):
        return f"{value:.1%}"
    return column(name, unit).write(value)


def _funnel(source: RoomSummary | BoardRow, width: int) -> list[RenderableType]:
    counts = {step: int(getattr(source, step)) for step, _ in _FUNNEL}
    most = max(counts.values())
    if not most:
        return [Text("nothing was shown or sold yet", style="dim")]
    table = Table.grid(padding=(0, _GAP_CELLS, 0, 0))
    table.add_column(no_wrap=True, style="dim")
    table.add_column(justify="right", no_wrap=True)
    cells = min(_BAR_CELLS, max(_LEAST_BAR_CELLS, width - _FUNNEL_TEXT_CELLS))
    table.add_column(width=cells, no_wrap=True)
    table.add_column(no_wrap=True)
    for step, base in _FUNNEL:
        share = ""
        if base is not None and counts[base]:
            share = f"{counts[step] / counts[base]:.1%}"
            if width >= _FUNNEL_TEXT_CELLS + _LEAST_BAR_CELLS:
                share += f" of {base.replace('_', ' ')}"
        drawn = Text(bar(counts[step] / most, cells), style="green")
        table.add_row(step.replace("_", " "), f"{counts[step]:,}", drawn, share)
    return [table]


def _minutes(minutes: list[RoomMinute], unit: str | None, width: int) -> list[RenderableType]:
    """Columns of what each of the last minutes brought, the newest at the right."""
    parts: list[RenderableType] = []
    if not minutes:
        return [Text("no closed minute of it is known", style="dim")]
    last_ms = minutes[-1].minute_ms
    count = 0
    for figure, name, lines in _CHARTS:
        values = by_minute(minutes, figure, min(_MOST_MINUTES, width))
        count = len(values)
        most, newest = (
            money(value, unit) if figure.endswith("_minor") else f"{value:,}"
            for value in (max(values), values[-1])
        )
        head = Text(name).append(f"  at most {most} a minute, {newest} in the last", style="dim")
        parts += [head, *(_drawn(text) for text in columns(values, lines))]
    parts.append(_axis(last_ms - (count - 1) * MINUTE_MS, last_ms, count))
    return parts


def _drawn(text: str) -> Text:
    return Text(text, style="green", no_wrap=True, overflow="crop")


def _axis(first_ms: int, last_ms: int, cells: int) -> Text:
    """The minutes at both ends, as far as there is a place for them."""
    first, last = (_clock(ms) for ms in (first_ms, last_ms))
    if cells <= len(first) + len(last):
        return Text(f"{first} to {last}", style="dim")
    return Text(first + "─" * (cells - len(first) - len(last)) + last, style="dim")


def _clock(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, ZoneInfo(DEFAULT_ZONE)).strftime("%H:%M")


def _section(title: str, parts: Iterable[RenderableType]) -> list[RenderableType]:
    return ["", Text(title, style=_TITLE_STYLE), *parts]
