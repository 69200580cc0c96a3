"""A list to move about in: a head line that stays, first columns that stay, a cursor on a row.

Only the lines and columns that are in sight are drawn, so a list that changes every second costs a
few milliseconds however many figures a row has. The cursor follows its row where that moves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

_GAP = "  "
_HEAD_LINES = 1


@dataclass(frozen=True, slots=True)
class Cell:
    """A text of one line, and how it looks (a style of rich, by its name)."""

    text: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """A column: its name in the code, what stands above it, and to which side it is set."""

    name: str
    title: str
    is_right: bool = False


class Listing(ScrollView, can_focus=True):
    """Rows by their keys.

    Args:
        widget_id: its name on the screen.
        staying: so many columns stay where the others are scrolled.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "listing--head",
        "listing--cursor",
        "listing--cursor-away",
        "listing--staying",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "move_page(-1)", show=False),
        Binding("pagedown", "move_page(1)", show=False),
        Binding("home", "move_to(0)", show=False),
        Binding("end", "move_to(-1)", show=False),
        Binding("left", "shift(-1)", show=False),
        Binding("right", "shift(1)", show=False),
        Binding("enter", "open", "open", key_display="⏎"),
    ]

    class Opened(Message):
        """Somebody wants to see more of a row."""

        def __init__(self, listing: "Listing", key: str) -> None:
            super().__init__()
            self.listing = listing
            self.key = key

    class HeadClicked(Message):
        """Somebody clicked on the head of a column."""

        def __init__(self, listing: "Listing", name: str) -> None:
            super().__init__()
            self.listing = listing
            self.name = name

    def __init__(self, widget_id: str, *, staying: int) -> None:
        super().__init__(id=widget_id)
        self.heads: Sequence[Head] = ()
        self.keys: list[str] = []
        self.at = 0
        self._staying = staying
        self._rows: list[Sequence[Cell]] = []
        self._widths: list[int] = []

    def fill(self, heads: Sequence[Head], rows: Mapping[str, Sequence[Cell]]) -> None:
        """Show these rows in their order; the cursor stays on its row, if that is still there."""
        key = self.key
        self.heads, self.keys, self._rows = heads, list(rows), list(rows.values())
        self._widths = [
            max(cell_len(head.title), *(cell_len(row[at].text) for row in self._rows), 1)
            for at, head in enumerate(heads)
        ]
        width = sum(self._widths) + len(_GAP) * len(heads)
        self.virtual_size = Size(width, len(self._rows) + _HEAD_LINES)
        self.at = _place_of(self.keys, key, self.at)
        self._keep_in_sight()
        self.refresh()

    @property
    def key(self) -> str | None:
        """The key of the row on which the cursor is."""
        return self.keys[self.at] if self.keys else None

    def text(self, key: str, name: str) -> str:
        """What stands in a row in a column."""
        names = [head.name for head in self.heads]
        return self._rows[self.keys.index(key)][names.index(name)].text

    # --- how it is drawn ------------------------------------------------------------------------

    def render_line(self, y: int) -> Strip:
        """One line of what is in sight."""
        base = self.rich_style
        if y < _HEAD_LINES:
            base = self.get_component_rich_style("listing--head")
            cells: Sequence[Cell] = [Cell(head.title) for head in self.heads]
            return self._line(cells, base, base)
        number = y - _HEAD_LINES + self.scroll_offset.y
        if number >= len(self._rows):
            return Strip.blank(self.size.width, base)
        if number == self.at:
            name = "listing--cursor" if self.has_focus else "listing--cursor-away"
            base = self.get_component_rich_style(name)
            return self._line(self._rows[number], base, base)
        staying = self.get_component_rich_style("listing--staying")
        return self._line(self._rows[number], base, staying)

    def _line(self, cells: Sequence[Cell], base: Style, staying: Style) -> Strip:
        fixed = Strip(self._segments(cells, 0, self._staying, staying))
        rest = Strip(self._segments(cells, self._staying, len(cells), base))
        x = self.scroll_offset.x
        left = max(0, self.size.width - fixed.cell_length)
        return Strip.join([fixed, rest.crop_extend(x, x + left, base)]).crop(0, self.size.width)

    def _segments(self, cells: Sequence[Cell], start: int, end: int, base: Style) -> list[Segment]:
        found = []
        for at in range(start, min(end, len(cells))):
            cell, width = cells[at], self._widths[at]
            gap = " " * (width - cell_len(cell.text))
            text = gap + cell.text if self.heads[at].is_right else cell.text + gap
            found.append(Segment(text, base + _style(cell.style)))
            found.append(Segment(_GAP, base))
        return found

    # --- how it is moved about ------------------------------------------------------------------

    def action_move(self, rows: int) -> None:
        """Move the cursor up or down."""
        self._move_to(self.at + rows)

    def action_move_page(self, pages: int) -> None:
        """Move the cursor by what is in sight."""
        self._move_to(self.at + pages * self._rows_in_sight)

    def action_move_to(self, row: int) -> None:
        """Move the cursor to the first row or to the last."""
        self._move_to(row if row >= 0 else len(self.keys) - 1)

    def action_shift(self, step: int) -> None:
        """Bring columns into sight that are out of it, a whole one at a time."""
        starts = [0]
        for width in self._widths[self._staying :]:
            starts.append(starts[-1] + width + len(_GAP))
        x = self.scroll_offset.x
        later = [start for start in starts if start > x]
        before = [start for start in starts if start < x]
        target = min(later, default=x) if step > 0 else max(before, default=0)
        self.scroll_to(x=target, animate=False)

    def action_open(self) -> None:
        """Ask for more of the row at the cursor."""
        if self.key is not None:
            self.post_message(self.Opened(self, self.key))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor to a row; ask to sort where it is a head; open a row twice clicked."""
        place = event.get_content_offset(self)
        if place is None:
            return
        if place.y < _HEAD_LINES:
            name = self._column_at(place.x)
            if name is not None:
                self.post_message(self.HeadClicked(self, name))
            return
        row = place.y - _HEAD_LINES + self.scroll_offset.y
        if row < len(self.keys):
            self._move_to(row)
            if event.chain > 1:
                self.action_open()

    def on_resize(self) -> None:
        """Keep the cursor in sight where fewer rows are."""
        self._keep_in_sight()

    def _column_at(self, x: int) -> str | None:
        end = 0
        for at, (head, width) in enumerate(zip(self.heads, self._widths, strict=True)):
            if at == self._staying and x >= end:
                x += self.scroll_offset.x
            end += width + len(_GAP)
            if x < end:
                return head.name
        return None

    @property
    def _rows_in_sight(self) -> int:
        return max(1, self.scrollable_content_region.height - _HEAD_LINES)

    def _move_to(self, row: int) -> None:
        self.at = min(max(row, 0), max(len(self.keys) - 1, 0))
        self._keep_in_sight()
        self.refresh()

    def _keep_in_sight(self) -> None:
        first = self.scroll_offset.y
        if self.at < first:
            self.scroll_to(y=self.at, animate=False, force=True)
        elif self.at >= first + self._rows_in_sight:
            self.scroll_to(y=self.at - self._rows_in_sight + 1, animate=False, force=True)


def _place_of(keys: Sequence[str], key: str | None, at: int) -> int:
    """Where a key is now; if it is nowhere, the nearest place to where it was."""
    if key in keys:
        return keys.index(key)
    return min(at, max(len(keys) - 1, 0))


@lru_cache(maxsize=64)
def _style(name: str) -> Style:
    return Style.parse(name)
