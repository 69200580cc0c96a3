"""How is a figure shown: as a cell with its exact value, under a head that leads to its meaning?

A cell is a `data` element: `value` is the figure of the file as JSON has it, the text what people
read (money in major units, shares in per cent, durations in words). Which figures were shown is
kept, so that the page explains these and no others.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from roompulse.cli.board_view import money, printable
from roompulse.report.files import RunFiles
from roompulse.report.labels import Definition, definition_of, label_of
from roompulse.report.markup import Child, Html, join, tag
from roompulse.report.words import Words

NOTHING: Final = "–"
LONGEST_NAME: Final = 32
_SHARES: Final = ("_rate", "_share", "_attainment")
_SHARE_NAMES: Final = frozenset(
    {"conversion", "lift", "overdraft", "stickiness", "returned", "repurchase_7d", "repurchase_30d"}
)
_SECOND_MS, _MINUTE_MS, _HOUR_MS = 1_000, 60_000, 3_600_000


@dataclass(slots=True)
class Context:
    """What every section needs.

    Attributes:
        top: rows of a table, at most.
        shown: the figures that were shown, in order.
    """

    files: RunFiles
    words: Words
    top: int
    shown: dict[Definition, None] = field(default_factory=dict)

    def say(self, key: str, /, **values: object) -> str:
        """A sentence in the language of the page."""
        return self.words.say(key, **values)

    def label(self, group: str, name: str) -> str:
        """What a figure is called; it will be explained."""
        self.shown[definition_of(group, name)] = None
        return label_of(name, self.words.language)

    def time(self, ms: int | None, form: str = "%Y-%m-%d %H:%M:%S") -> str:
        """An event time in the zone of the page."""
        if ms is None:
            return NOTHING
        return datetime.fromtimestamp(ms / 1000, ZoneInfo(self.files.zone)).strftime(form)

    def currency(self, currency: str | None) -> str:
        """The code of a currency."""
        return printable(currency) if currency else self.say("unknown_currency")


def shown(name: str, value: Any, currency: str | None = None) -> str:  # noqa: ANN401 - JSON
    """A figure as people read it."""
    if value is None:
        return NOTHING
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if name.endswith("_minor"):
        return money(value, currency)
    if name.endswith(_SHARES) or name in _SHARE_NAMES or name.startswith("stayed_"):
        return f"{value:.2%}"
    if name.endswith("_ms"):
        return duration(round(value))
    return f"{value:,}" if isinstance(value, int) else f"{value:,.4f}".rstrip("0").rstrip(".")


def duration(ms: int) -> str:
    """How long: 45.2 s, 4 min 03 s, 2 h 05 min."""
    if ms < _MINUTE_MS:
        return f"{ms / _SECOND_MS:.1f} s"
    if ms < _HOUR_MS:
        return f"{ms // _MINUTE_MS} min {ms % _MINUTE_MS // _SECOND_MS:02} s"
    return f"{ms // _HOUR_MS} h {ms % _HOUR_MS // _MINUTE_MS:02} min"


def figure(name: str, value: Any, currency: str | None = None) -> Html:  # noqa: ANN401 - JSON
    """A figure with its exact value."""
    exact = "" if value is None else repr(value) if isinstance(value, float) else str(value)
    return tag("data", shown(name, value, currency), value=exact)


def short(name: str, longest: int = LONGEST_NAME) -> str:
    """A name of the log for a chart: harmless, and not too long."""
    name = printable(name)
    return name if len(name) <= longest else name[: longest - 1] + "…"


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of a table.

    Attributes:
        group: of the figures in the metric dictionary.
        figures: their names.
        texts: the columns before them: the field, and its head.
        names: text fields that hold names of the contract.
    """

    group: str
    figures: Sequence[str]
    texts: Mapping[str, str]
    names: frozenset[str] = frozenset()


def table(
    context: Context,
    caption: str,
    columns: Columns,
    rows: Iterable[Mapping[str, Any]],
    currency: str | None = None,
) -> Html:
    """A table of rows as they stand in a file, each in its own currency or in a common one."""
    group = columns.group
    head = [tag("th", title, scope="col", class_="text") for title in columns.texts.values()]
    for name in columns.figures:
        label = context.label(group, name)
        anchor = definition_of(group, name).anchor
        head.append(tag("th", tag("a", label, href=f"#{anchor}"), scope="col"))
    lines = []
    for row in rows:
        cells = []
        for at, name in enumerate(columns.texts):
            value = row.get(name)
            told = context.words.name(value) if name in columns.names else value
            element = "td" if at else "th"
            scope = None if at else "row"
            said = NOTHING if told is None else str(told)
            cells.append(tag(element, said, class_="text", scope=scope))
        money_of = currency or row.get("currency")
        cells += [tag("td", figure(name, row.get(name), money_of)) for name in columns.figures]
        lines.append(tag("tr", cells))
    return framed(caption, tag("tr", head), lines)


def framed(caption: str, head: Html, lines: Sequence[Html]) -> Html:
    """A table that scrolls in its own frame where the page is narrow."""
    whole = tag("table", tag("caption", caption), tag("thead", head), tag("tbody", join(lines)))
    return tag("div", whole, class_="wide", tabindex=0, role="region", aria_label=caption)


def bounded(context: Context, rows: Sequence[Any]) -> tuple[Sequence[Any], Child]:
    """The first rows of a table, and a line that says how many there are in all."""
    if len(rows) <= context.top:
        return rows, ""
    line = context.say("rows_bound", shown=f"{context.top:,}", all=f"{len(rows):,}")
    return rows[: context.top], tag("p", line, class_="note")


def behind(context: Context, *tables: Child) -> Html:
    """The tables of a chart, folded away."""
    return tag("details", tag("summary", context.say("table")), *tables)


def chart(context: Context, caption: str, svg: str, *tables: Child) -> Html:
    """A chart with its caption, and what it shows as tables."""
    inner = [tag("figcaption", caption), Html(svg)]
    return tag("figure", *inner, *([behind(context, *tables)] if tables else []))


def section(context: Context, name: str, *parts: Child) -> Html:
    """A section of the page under its heading."""
    heading = tag("h2", context.say(name), id=f"{name}-title")
    return tag("section", heading, *parts, id=name, aria_labelledby=f"{name}-title")
