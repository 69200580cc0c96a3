"""The terminal view: two lists below the sums of the platform, and what keys do with them."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import ClassVar

from rich.console import Group, RenderableType
from rich.text import Text
from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical
from textual.widgets import Footer, Static

from roompulse.cli.board_view import SCOPE_TITLES, board_title, column, find_field
from roompulse.known import RESOLVED, Known
from roompulse.top import alert_lines, board_lines, head
from roompulse.top.alert_lines import card
from roompulse.top.board_lines import columns_of
from roompulse.top.listing import Listing
from roompulse.top.pages import page
from roompulse.top.state import State, state_of_run, state_of_system
from roompulse.top.windows import Columns, Help, Page
from schemas import topics
from schemas.records import AnyBoard, shown_currency
from streams.core.boards import GOODS_SCOPES, WINDOWS

Poll = Callable[[float], Awaitable[bool]]

SCOPES = tuple(SCOPE_TITLES)
# What it shows of a Kafka; boards last, so that whoever has them has what they rest on.
SOURCES = (
    topics.ALERTS,
    topics.ROOM_SUMMARIES,
    topics.ROOM_MINUTES,
    topics.PARTITION_PROGRESS,
    topics.BOARDS,
)
MOST_ROWS = 500
MOST_ALERTS = 200  # as many as a person scrolls through; a room's page has all of its own
_POLL_SECONDS = 0.5
_CLOCK_SECONDS = 1.0
_RETRY_SECONDS = 1.0
_ACTIONS_OF_LISTS = frozenset(
    {"scope", "next_window", "next_currency", "sort", "sort_step", "reverse", "alerts"}
)


class Top(App[None]):
    """Boards and alerts that a person moves about in.

    Args:
        where: what is looked at, for the head line.
        known: what is known; `poll` adds to it.
        poll: takes what is new within some seconds, False if nobody answered; None for a run that
            has ended.
        top: rows of a board.
        clock: seconds that only rise.
    """

    TITLE = "roompulse top"
    CSS_PATH = "top.tcss"
    ENABLE_COMMAND_PALETTE = False
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (170, "-wide")]  # noqa: RUF012 - as Textual types it
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(str(at), f"scope('{scope}')", "scope", key_display="1-7", show=at == 1)
            for at, scope in enumerate(SCOPES, 1)
        ),
        Binding("w", "next_window", "window"),
        Binding("c", "next_currency", "currency"),
        Binding("s", "sort", "sort"),
        Binding("less_than_sign,comma", "sort_step(-1)", "", show=False),
        Binding("greater_than_sign,full_stop", "sort_step(1)", "", show=False),
        Binding("r", "reverse", "reverse"),
        Binding("a", "alerts", "alerts"),
        Binding("question_mark", "help", "help", key_display="?"),
        Binding("q,ctrl+c", "quit", "quit", key_display="q"),
    ]

    def __init__(
        self,
        where: str,
        known: Known,
        poll: Poll | None = None,
        *,
        top: int = MOST_ROWS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__()
        self.scope, self.window, self.sort, self.is_reversed = "room", "total", "rank", False
        self.currency: str | None = None
        self._where, self._known, self._poll, self._top = where, known, poll, top
        self._clock = clock
        self._answered_at = self._moved_at = clock()
        self._moved_to = known.standing().counts.events

    # --- what is seen ---------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        """Head, board and alerts, keys."""
        yield Static(id="state")
        yield Static(id="platform")
        with Container(id="lists"):
            with Vertical(id="boards"):
                yield Static(id="title")
                yield Listing("board", staying=board_lines.STAYING_COLUMNS)
                yield Static(id="nothing")
            with Vertical(id="alerting"):
                yield Static(id="alerts-title")
                yield Listing("alerts", staying=1)
        yield Footer(compact=True)

    def on_mount(self) -> None:
        """Show what is known, and follow what is not known yet."""
        self._choose_currency()
        self.boards.focus()
        self.set_interval(_CLOCK_SECONDS, self.tell_state)
        if self._poll is not None:
            self.follow(self._poll)

    def on_resize(self) -> None:
        """Draw what depends on the width."""
        self.show()

    def show(self) -> None:
        """Draw everything from what is known now."""
        board = self.board
        standing = self._known.standing()
        self.query_one("#platform", Static).update(head.platform(standing, self.currency))
        self.query_one("#title", Static).update(
            Text(board_title(board) if board else self._wanted(), style="bold")
        )
        has_rows = board is not None and bool(board.rows)
        if board is not None and has_rows:
            width = self.size.width
            sort = self._sort_in_use()
            self.boards.fill(
                *board_lines.lines(
                    board, sort=sort, reverse=self.is_reversed, top=self._top, width=width
                )
            )
        self.boards.display = has_rows
        nothing = self.query_one("#nothing", Static)
        nothing.display = not has_rows
        nothing.update(self._why_nothing())
        alerts = [one.alert for one in self._known.alerts.by_urgency()]
        firing = sum(alert.status != RESOLVED for alert in alerts)
        self.query_one("#alerts-title", Static).update(
            Text(f"Alerts: {firing:,} firing, {len(alerts) - firing:,} resolved", style="bold")
        )
        self.alerts.fill(*alert_lines.lines(alerts[:MOST_ALERTS], self._known))
        self.tell_state()

    def tell_state(self) -> None:
        """Say whether the figures can be believed now, on whatever is open."""
        text = self._state_text()
        self.query_one("#state", Static).update(text)
        for screen in self.screen_stack:
            if isinstance(screen, Page) and screen.is_mounted:
                screen.tell_state()

    @property
    def state(self) -> State:
        """How things stand."""
        has_boards = bool(self._known.standing().boards)
        if self._poll is None:
            return state_of_run(has_boards=has_boards)
        now = self._clock()
        return state_of_system(
            has_boards=has_boards,
            lag=self._known.standing().lag,
            unanswered_seconds=now - self._answered_at,
            unmoved_seconds=now - self._moved_at,
        )

    @property
    def boards(self) -> Listing:
        """The list of the board's rows."""
        return self.query_one("#board", Listing)

    @property
    def alerts(self) -> Listing:
        """The list of alerts."""
        return self.query_one("#alerts", Listing)

    @property
    def board(self) -> AnyBoard | None:
        """The board that is chosen, if there is one."""
        return self._known.standing().board(self.scope, self.window, self.currency)

    # --- what moves -----------------------------------------------------------------------------

    @work(exclusive=True)
    async def follow(self, poll: Poll) -> None:
        """Take what is new until the end."""
        while True:
            if not await poll(_POLL_SECONDS):
                await self._wait(_RETRY_SECONDS)
                continue
            self.arrived()

    def arrived(self) -> None:
        """Show what came."""
        self._answered_at = self._clock()
        events = self._known.standing().counts.events
        if events != self._moved_to:
            self._moved_to, self._moved_at = events, self._answered_at
        if self.currency not in self._currencies():
            self._choose_currency()
        self.show()
        for screen in self.screen_stack:
            if isinstance(screen, Page) and screen.is_mounted:
                screen.redraw()

    async def _wait(self, seconds: float) -> None:
        """Let a Kafka that refuses at once some time before it is asked again."""
        await asyncio.sleep(seconds)

    # --- what keys do ---------------------------------------------------------------------------

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002 - Textual's
        """Let only what makes sense on the screen that is open be a key of it."""
        is_open = self.screen is not self.screen_stack[0]
        return not (is_open and action in _ACTIONS_OF_LISTS)

    def action_scope(self, scope: str) -> None:
        """Rank something else."""
        self.scope = scope
        if scope in GOODS_SCOPES:
            self.window = "total"  # minutes carry no products
        self.show()

    def action_next_window(self) -> None:
        """Rank over another time."""
        if self.scope in GOODS_SCOPES:
            self.notify("merchants and products have the window total only")
            return
        self.window = WINDOWS[(WINDOWS.index(self.window) + 1) % len(WINDOWS)]
        self.show()

    def action_next_currency(self) -> None:
        """Rank another currency."""
        known = self._currencies()
        if known:
            at = known.index(self.currency) if self.currency in known else -1
            self.currency = known[(at + 1) % len(known)]
        self.show()

    def action_sort(self) -> None:
        """Ask by which column to sort."""
        currency = self.board.currency if self.board else None
        titles = [(name, column(name, currency).title) for name in columns_of(self.window)]
        self.push_screen(Columns(titles, self._sort_in_use()), self._sort_by)

    def action_sort_step(self, step: int) -> None:
        """Sort by a column beside the one in use."""
        names = columns_of(self.window)
        self._sort_by(names[(names.index(self._sort_in_use()) + step) % len(names)])

    def action_reverse(self) -> None:
        """Sort the other way round."""
        self.is_reversed = not self.is_reversed
        self.show()

    def action_alerts(self) -> None:
        """Give the alerts the whole screen, or take it back."""
        is_whole = self.screen.has_class("-alerts")
        self.screen.set_class(not is_whole, "-alerts")
        (self.boards if is_whole else self.alerts).focus()

    def action_help(self) -> None:
        """Tell the keys."""
        self.push_screen(Help())

    def on_listing_head_clicked(self, event: Listing.HeadClicked) -> None:
        """Sort by the column whose head was clicked; again for the other way round."""
        if event.listing is not self.boards:
            return
        if event.name == self._sort_in_use():
            self.action_reverse()
        else:
            self._sort_by(event.name)

    def on_listing_opened(self, event: Listing.Opened) -> None:
        """Open what the cursor is on."""
        key = event.key
        if event.listing is self.alerts:
            self.push_screen(Page(lambda width: self._alert_page(key, width), self._state_text))
        else:
            scope, currency = self.scope, self.currency
            self.push_screen(
                Page(lambda width: page(self._known, scope, key, currency, width), self._state_text)
            )

    # --- what follows from the choice -----------------------------------------------------------

    def _alert_page(self, alert_id: str, width: int) -> RenderableType:
        """The card of an alert, and below it its room."""
        held = self._known.alerts.get(alert_id)
        if held is None:
            return Text("this alert is not known any more")
        alert = held.alert
        shown = card(alert, self._known)
        if alert.room_id is None:
            return shown
        summary = self._known.summary(alert.room_id)
        currency = summary.currency if summary is not None else self.currency
        room = page(self._known, "room", alert.room_id, currency, width, but=alert_id)
        return Group(shown, "", room)

    def _state_text(self) -> Text:
        return head.state(self._where, self.state, self._known.standing())

    def _sort_by(self, name: str | None) -> None:
        if name is not None:
            self.sort, self.is_reversed = name, False
            self.show()

    def _sort_in_use(self) -> str:
        return find_field(self.window, self.sort) or "rank"

    def _currencies(self) -> list[str | None]:
        """Those of all boards, the unknown one last."""
        found = dict.fromkeys(shown_currency(board) for board in self._known.standing().boards)
        return sorted(found, key=lambda currency: (currency is None, list(found).index(currency)))

    def _choose_currency(self) -> None:
        self.currency = next(iter(self._currencies()), None)

    def _wanted(self) -> str:
        window = self.window.replace("_", " ")
        return f"{SCOPE_TITLES[self.scope]}, {window}, {self.currency or 'currency unknown'}"

    def _why_nothing(self) -> str:
        if not self._known.standing().boards:
            return f"No data yet: {self.state.sentence}."
        return "No such board: nothing was sold here in this window and currency. Press w or c."
