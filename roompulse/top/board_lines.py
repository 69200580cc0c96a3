"""How a board reads as a list: every figure of its rows, the usual ones first, in any order."""

from collections.abc import Sequence

from roompulse.cli.board_view import (
    TOTAL_COLUMNS,
    WINDOW_COLUMNS,
    Row,
    column,
    fields_of,
    in_order,
    shortened,
)
from roompulse.top.listing import Cell, Head
from schemas.records import AnyBoard

STAYING_COLUMNS = 2  # rank and name
_NARROW_CELLS = 100
_NAME_CELLS = {True: 16, False: 24}
# Ranks and places lost right after the money: how far suspicion moves a row is what a board is for.
_FIRST = {
    "total": (*TOTAL_COLUMNS[:7], "places_lost", "momentum", "orders", *TOTAL_COLUMNS[9:12]),
    "window": WINDOW_COLUMNS,
}
_TEXTS = ("name", "key")
_RISING, _FALLING = 1.1, 0.9  # momentum that is worth an arrow


def columns_of(window: str) -> tuple[str, ...]:
    """The fields of a row in the order in which they are shown, all of them."""
    first = _FIRST["total" if window == "total" else "window"]
    return (*first, *(name for name in fields_of(window) if name not in first))


def lines(
    board: AnyBoard, *, sort: str, reverse: bool, top: int, width: int
) -> tuple[list[Head], dict[str, list[Cell]]]:
    """Heads and rows of a board.

    Args:
        board: of any scope and window.
        sort: the field to order by.
        reverse: the other way round than is usual for it.
        top: rows shown.
        width: of the terminal in cells; names are shorter where it is narrow.
    """
    names = columns_of(board.window)
    rows = in_order(board.rows, sort, reverse=reverse)[:top]
    name_cells = _NAME_CELLS[width < _NARROW_CELLS]
    cells = {row.key: _cells(row, names, board.currency, name_cells) for row in rows}
    return [_head(name, board.currency, sort, is_reversed=reverse) for name in names], cells


def _head(name: str, currency: str | None, sort: str, *, is_reversed: bool) -> Head:
    title = column(name, currency).title
    if name == sort:
        upwards = (name in _TEXTS or name.startswith("rank")) is not is_reversed
        title += " ▲" if upwards else " ▼"
    return Head(name, title, is_right=name not in _TEXTS)


def _cells(row: Row, names: Sequence[str], currency: str | None, name_cells: int) -> list[Cell]:
    found = []
    for name in names:
        text = column(name, currency).write(getattr(row, name))
        if name in _TEXTS:
            found.append(Cell(shortened(text, name_cells)))
        elif name == "places_lost":
            found.append(_places(getattr(row, name)))
        elif name == "momentum":
            found.append(_momentum(getattr(row, name), text))
        else:
            found.append(Cell(text))
    return found


def _places(lost: int) -> Cell:
    if not lost:
        return Cell("0")
    return Cell(f"▼ {lost:,}", "bold red") if lost > 0 else Cell(f"▲ {-lost:,}", "green")


def _momentum(ratio: float | None, text: str) -> Cell:
    if ratio is not None and ratio >= _RISING:
        return Cell(f"▲ {text}", "green")
    if ratio is not None and ratio <= _FALLING:
        return Cell(f"▼ {text}", "yellow")
    return Cell(text)
