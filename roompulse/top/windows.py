"""What opens over the lists: the page of one key, the card of one alert, the columns, the help."""

from collections.abc import Callable
from typing import ClassVar

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Footer, OptionList, Static
from textual.widgets.option_list import Option

_MARGIN_CELLS = 6  # padding and the scroll bar


class Page(Screen[None]):
    """A text that is longer than the screen and is drawn anew when figures or the width change.

    Args:
        draw: the text at a width in cells.
        state: whether it can be believed now.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,backspace", "app.pop_screen", "back", key_display="esc"),
    ]

    def __init__(self, draw: Callable[[int], RenderableType], state: Callable[[], Text]) -> None:
        super().__init__()
        self._draw = draw
        self._state = state

    def compose(self) -> ComposeResult:
        """A line of state, the text, the keys."""
        yield Static(id="state")
        with VerticalScroll(id="scroll"):
            yield Static(id="text")
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Let the arrow keys scroll at once."""
        self.tell_state()
        self.query_one("#scroll").focus()

    def on_resize(self) -> None:
        """Draw it for the new width."""
        self.redraw()

    def tell_state(self) -> None:
        """Say whether the figures can be believed now; a page that is not drawn yet waits."""
        for line in self.query("#state").results(Static):
            line.update(self._state())

    def redraw(self) -> None:
        """Draw what is known now; a page that is not there yet is drawn when it is."""
        width = max(20, self.app.size.width - _MARGIN_CELLS)
        for text in self.query("#text").results(Static):
            text.update(self._draw(width))


class Columns(ModalScreen[str | None]):
    """Asks by which column to sort."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,s", "dismiss", "back"),
    ]

    def __init__(self, columns: list[tuple[str, str]], chosen: str) -> None:
        super().__init__()
        self._columns = columns
        self._chosen = chosen

    def compose(self) -> ComposeResult:
        """One line a column; the one that is in use is at the cursor."""
        found = OptionList(
            *(Option(Text(title), id=name) for name, title in self._columns), id="columns"
        )
        found.border_title = "sort by (enter; esc for none)"
        yield found

    def on_mount(self) -> None:
        """Stand on the column that is in use."""
        names = [name for name, _ in self._columns]
        self.query_one(OptionList).highlighted = names.index(self._chosen)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the column."""
        self.dismiss(event.option.id)


class Help(ModalScreen[None]):
    """All keys, and what the words mean."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,enter", "dismiss", "back"),
    ]

    def compose(self) -> ComposeResult:
        """A table of keys above the words."""
        with VerticalScroll(id="help") as scroll:
            yield Static(help_text())
        scroll.border_title = "help (esc closes)"


_KEYS = (
    ("1 … 7", "rooms, hosts, agencies, selling modes, categories, merchants, products"),
    ("w", "next window: total, day, last 10 minutes, last 60 minutes"),
    ("c", "next currency"),
    ("s", "choose the column to sort by; a click on its head does the same"),
    ("< >", "sort by the column to the left or right"),
    ("r", "the other way round"),
    ("tab", "from the board to the alerts and back"),
    ("a", "alerts on the whole screen, and back"),
    ("enter", "open a row: figures, funnel, minutes, alerts; an alert: its evidence"),
    ("← →", "columns that are out of sight"),
    ("q, ctrl+c", "leave"),
)
_WORDS = (
    ("gross", "all paid orders"),
    ("net", "gross without what was refunded"),
    ("trusted", "net without suspected orders; suspected is not guilty"),
    ("lost", "places that a row loses (▼) or wins (▲) where suspected orders do not count"),
    ("momentum", "gross of the last 10 minutes over the 10 before"),
    ("age", "since an alert began, by the time of the events"),
    ("‼ ! ·", "severity: page calls somebody, review waits for a look, info is news"),
    ("live", "figures move; quiet: all is folded and nothing comes"),
    ("STALE", "events wait and no worker folds them: figures are old"),
    ("SILENT", "Kafka does not answer: figures are as they were"),
)


def help_text() -> Table:
    """The keys and words as two columns."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column()
    for key, meaning in _KEYS:
        table.add_row(key, meaning)
    table.add_row("", "")
    for word, meaning in _WORDS:
        table.add_row(word, meaning)
    return table
