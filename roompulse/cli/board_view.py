"""How a board looks in a terminal: money in major units, columns that fit, names of any script.

A board knows no width and no person; here its figures become text. Names come from the log, so
nothing in them is believed to be harmless: control characters are replaced and markup stays text.
"""

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from rich import box
from rich.cells import cell_len, set_cell_size
from rich.table import Table
from rich.text import Text

from schemas.money import digits_of
from schemas.records import AnyBoard, BoardRow, WindowRow, shown_currency
from streams.core.boards import DEFAULT_ZONE

NOTHING = "-"
NAME_CELLS = 24
_TITLES = {
    "rank": "#",
    "rank_gross": "# gross",
    "rank_net": "# net",
    "rank_trusted": "# trusted",
    "places_lost": "lost",
    "gpm_minor": "GPM",
    "show_gpm_minor": "show GPM",
    "uv_value_minor": "UV value",
    "average_order_minor": "average order",
    "refund_rate": "refunds",
    "conversion": "conv.",
}
SCOPE_TITLES = {
    "room": "Rooms",
    "host": "Hosts",
    "mcn": "Agencies",
    "mode": "Selling modes",
    "category": "Categories",
    "merchant": "Merchants",
    "product": "Products",
}
# In the order in which they are given up last to first where the terminal is narrow.
TOTAL_COLUMNS = (
    "rank",
    "name",
    "gross_minor",
    "net_minor",
    "trusted_minor",
    "rank_net",
    "rank_trusted",
    "orders",
    "momentum",
    "gpm_minor",
    "conversion",
    "refund_rate",
    "key",
)
WINDOW_COLUMNS = ("rank", "name", "gross_minor", "net_minor", "orders", "visits", "gpm_minor")
_PADDING_CELLS = 2  # after each column, and
_GAP_CELLS = 1 + _PADDING_CELLS  # with the divider of the box: what lies between two columns
_TEXTS = ("name", "key")

Row = BoardRow | WindowRow


def money(minor: float, currency: str | None) -> str:
    """An amount in major units with thousands separated: 1234567 fen are 12,345.67.

    Exact at any size for whole amounts; a derived figure is rounded to the minor unit. The minor
    units of a currency follow ISO 4217; without a currency there are two digits, as in most.
    """
    digits = digits_of(currency)
    whole = round(minor)
    major, rest = divmod(abs(whole), 10**digits)
    sign = "-" if whole < 0 else ""
    return f"{sign}{major:,}" + (f".{rest:0{digits}}" if digits else "")


def money_of(minor: float, currency: str | None) -> str:
    """The same with the currency's code: 12,345.67 CNY."""
    return f"{money(minor, currency)} {currency or 'of unknown currency'}"


def time_of(ms: int | None, zone: str = DEFAULT_ZONE) -> str:
    """An event time in a zone, to the second: 2025-11-11 00:00:26."""
    if ms is None:
        return "unknown"
    return datetime.fromtimestamp(ms / 1000, ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M:%S")


def printable(text: str) -> str:
    """A text of the log that cannot move the cursor, ring, or write right to left over others."""
    return "".join(
        "·" if unicodedata.category(each)[0] in "CZ" and each != " " else each for each in text
    )


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of a row, its head and how it is written."""

    name: str
    title: str
    write: Callable[[Any], str]

    @property
    def is_text(self) -> bool:
        return self.name in _TEXTS


def column(name: str, currency: str | None) -> Column:
    """How a field of a row is shown."""
    title = _TITLES.get(name, name.removesuffix("_minor").replace("_", " "))
    if name in _TEXTS:
        return Column(name, title, lambda text: shortened(printable(text)))
    if name.endswith("_minor"):
        return Column(name, title, _or_nothing(lambda minor: money(minor, currency)))
    if name.endswith("_rate") or name == "conversion":
        return Column(name, title, _or_nothing(lambda rate: f"{rate:.1%}"))
    if name == "momentum":
        return Column(name, title, _or_nothing(lambda ratio: f"x{ratio:.2f}"))
    return Column(name, title, _or_nothing(lambda count: f"{count:,}"))


def fields_of(window: str) -> tuple[str, ...]:
    """Every field that a row of such a board has."""
    return (BoardRow if window == "total" else WindowRow).__struct_fields__


def find_field(window: str, wanted: str) -> str | None:
    """The field that a person means: by its name, with or without its unit."""
    for name in fields_of(window):
        if wanted in (name, name.removesuffix("_minor")):
            return name
    return None


def in_order(rows: Iterable[Row], by: str, *, reverse: bool = False) -> list[Row]:
    """Rows by a field: ranks and texts upwards, figures downwards; what is null comes last."""
    rows = list(rows)
    known = [row for row in rows if getattr(row, by) is not None]
    upwards = by in _TEXTS or by.startswith("rank")
    known.sort(key=lambda row: row.rank)
    known.sort(key=lambda row: getattr(row, by), reverse=upwards is reverse)
    return known + [row for row in rows if getattr(row, by) is None]


def board_title(board: AnyBoard) -> str:
    """What a board ranks: "Rooms, total, CNY, as of 2025-11-11 03:00:15 Asia/Shanghai"."""
    zone = board.zone or DEFAULT_ZONE
    window = f"day {board.day}" if board.day else board.window.replace("_", " ")
    currency = (shown_currency(board) or "currency unknown") + _rates_of(board)
    as_of = f"as of {time_of(board.as_of_ms, zone)} {zone}"
    return f"{SCOPE_TITLES.get(board.scope, board.scope)}, {window}, {currency}, {as_of}"


def _rates_of(board: AnyBoard) -> str:
    """By which rates a board was made, and what is not in it; nothing where none were used."""
    if not board.rates_date:
        return ""
    without = ", ".join(currency or "rooms never opened" for currency in board.without_rate)
    return f" by the rates of {board.rates_date}" + (f" (without {without})" if without else "")


def board_table(
    board: AnyBoard,
    *,
    top: int = 0,
    sort: str = "rank",
    reverse: bool = False,
    columns: Sequence[str] | None = None,
    width: int | None = None,
    title: str | None = None,
) -> Table:
    """A board as a table.

    Args:
        board: of any scope and window.
        top: rows shown; 0 for all.
        reverse: the other way round than `in_order` says.
        sort: the field to order by, see `in_order`.
        columns: fields; by default the usual ones of its window.
        width: cells there are; columns that do not fit are left out, from the right. None shows
            all of them.
        title: instead of that of `board_title`.
    """
    rows = in_order(board.rows, sort, reverse=reverse)
    rows = rows[:top] if top else rows
    usual = TOTAL_COLUMNS if board.window == "total" else WINDOW_COLUMNS
    shown = [column(name, board.currency) for name in columns or usual]
    cells = [[one.write(getattr(row, one.name)) for one in shown] for row in rows]
    if width is not None:
        shown = shown[: _how_many_fit(shown, cells, width)]
    table = Table(
        title=Text(title or board_title(board), style="bold"),
        title_justify="left",
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, _PADDING_CELLS, 0, 0),
    )
    for one in shown:
        table.add_column(
            one.title, justify="left" if one.is_text else "right", no_wrap=True, min_width=1
        )
    for line in cells:
        table.add_row(*(Text(cell) for cell in line[: len(shown)]))
    if not rows:
        table.caption = Text("no rows yet")
    return table


def shortened(text: str, cells: int = NAME_CELLS) -> str:
    """A text of at most so many terminal cells, whatever its script."""
    if cell_len(text) <= cells:
        return text
    return set_cell_size(text, cells - 1).rstrip() + "…"


def as_json(board: AnyBoard) -> bytes:
    """The board as one line of JSON."""
    return msgspec.json.encode(board)


def _or_nothing(write: Callable[[Any], str]) -> Callable[[Any], str]:
    return lambda value: NOTHING if value is None else write(value)


def _how_many_fit(shown: Sequence[Column], cells: Sequence[Sequence[str]], width: int) -> int:
    """How many columns fit, from the left; at least the first two."""
    used = 0
    for number, one in enumerate(shown):
        lines = (line[number] for line in cells)
        used += max(map(cell_len, (one.title, *lines))) + _PADDING_CELLS
        if used > width and number > 1:
            return number
        used += _GAP_CELLS - _PADDING_CELLS
    return len(shown)
