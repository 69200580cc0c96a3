"""How an alert reads in a terminal: a line of the list, and its card with all evidence.

Severity and state are told by a sign and a word; colours only repeat them.
"""

from collections.abc import Iterable

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from roompulse.cli.board_view import NOTHING, money_of, printable, shortened, time_of
from roompulse.known import RESOLVED, Known
from roompulse.top.listing import Cell, Head
from roompulse.top.state import duration
from schemas.records import Alert, Evidence
from streams.shell.runbook import runbook_section

_MARKS = {"page": "‼", "review": "!", "info": "·"}
_STYLES = {"page": "bold red", "review": "yellow", "info": "cyan"}
_HEADS = [
    Head("severity", "severity"),
    Head("state", "state"),
    Head("age", "age", is_right=True),
    Head("kind", "kind"),
    Head("where", "where"),
    Head("money", "money", is_right=True),
    Head("sentence", "what is suspected"),
]
_PLACE_CELLS = 18
_SHOWN_ORDERS = 3
_INDENT = 2


def severity(alert: Alert) -> tuple[str, str]:
    """How grave it is: a sign with the word, and the style of both."""
    style = "dim" if alert.status == RESOLVED else _STYLES.get(alert.severity, "")
    return f"{_MARKS.get(alert.severity, '?')} {alert.severity}", style


def age(alert: Alert, now_ms: int | None) -> str:
    """How long ago it began, by event time."""
    if now_ms is None:
        return NOTHING
    return duration(max(0, now_ms - alert.started_ms) / 1000)


def place(alert: Alert, known: Known) -> str:
    """Where it is: who sells there, else whatever it is about."""
    if alert.room_id is not None:
        return known.name_of(alert.room_id)
    if alert.rooms:
        return f"{len(alert.rooms)} rooms"
    return alert.product_id or alert.mcn_id or alert.host_id or NOTHING


def lines(alerts: Iterable[Alert], known: Known) -> tuple[list[Head], dict[str, list[Cell]]]:
    """Heads and rows of the list: severity, state, age, kind, place, money, the sentence."""
    return _HEADS, {alert.alert_id: _line(alert, known) for alert in alerts}


def _line(alert: Alert, known: Known) -> list[Cell]:
    style = "dim" if alert.status == RESOLVED else ""
    texts = (
        alert.status,
        age(alert, known.standing().watermark_ms),
        alert.kind,
        shortened(printable(place(alert, known)), _PLACE_CELLS),
        money_of(alert.money_minor, alert.currency),
        printable(alert.summary),
    )
    return [Cell(*severity(alert)), *(Cell(text, style) for text in texts)]


def card(alert: Alert, known: Known) -> RenderableType:
    """All that there is to know of an alert."""
    head = Text(*severity(alert))
    head.append(f"  {alert.kind}  {alert.status}", style="bold")
    head.append(f"  {printable(place(alert, known))}")
    began = f"since {time_of(alert.started_ms)}, {age(alert, known.standing().watermark_ms)}"
    facts = [
        f"{money_of(alert.money_minor, alert.currency)} at stake",
        f"score {alert.score:,.1f} of {alert.threshold:,.1f}",
        f"version {alert.version}",
        f"rules {alert.rules_version if alert.rules_version is not None else 'default'}",
    ]
    held = known.alerts.get(alert.alert_id)
    verdict = held.verdict if held is not None else None
    said = "nobody has said anything of it"
    if verdict is not None:
        said = f"verdict: {verdict.verdict}" + (f" ({verdict.note})" if verdict.note else "")
    parts: list[RenderableType] = [
        Text(began, style="dim"),
        Text(printable(alert.summary)),
        Text(" · ".join(facts)),
        _evidence(alert.evidence),
        Text(f"{printable(said)} · alert {alert.alert_id}", style="dim"),
        Text(f"what to do: {runbook_section(alert.kind)}", style="dim"),
    ]
    return Group(head, Padding(Group(*parts), (0, 0, 0, _INDENT)))


def _evidence(signs: list[Evidence]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("evidence", no_wrap=True)
    for head in ("seen", "normal", "weight"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("orders", overflow="fold")
    for sign in signs:
        table.add_row(
            Text(sign.signal),
            Text(f"{sign.observed:.1%}"),
            Text(f"{sign.expected:.1%}"),
            Text(f"{sign.weight:.1f}"),
            Text(_orders(sign.orders)),
        )
    return table


def _orders(orders: list[str]) -> str:
    if not orders:
        return NOTHING
    more = len(orders) - _SHOWN_ORDERS
    shown = ", ".join(printable(each) for each in orders[:_SHOWN_ORDERS])
    return f"{shown} and {more:,} more" if more > 0 else shown
