"""What a person sees of the demonstration: boards that move, or plain lines where nobody watches.

A terminal gets one screen that is drawn anew; a pipe or a CI log gets a line every few seconds. The
screen holds what it was told last and draws no more than fits.
"""

import math
import time
from collections import deque
from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from producers.replay import Progress
from roompulse.cli import board_view
from roompulse.cli.board_view import money, money_of, time_of
from roompulse.standing import Standing
from streams.core.boards import DEFAULT_ZONE

_PLAIN_SECONDS = 5.0
_RATE_SECONDS = 4.0  # over how long a rate is averaged
_REFRESHES = 4  # a second
_BAR_SHARE = 4  # of the width, the bar has one part in so many
# Lines besides the rows of boards: four of the head, three of each of the two tiers of boards, and
# two because at 80 cells two lines of the head wrap.
_FIXED_LINES = 12
_SIDE_BOARDS = ("host", "mcn", "mode")
_SIDE_COLUMNS = ("name", "gross_minor", "trusted_minor", "momentum", "orders")
_SIDE_GAP_CELLS = 3
_MOST_ROOMS, _MOST_OTHERS = 15, 7


class Screen:
    """The live picture; use it in a `with` statement.

    Args:
        where: what computes, for the head line.
        total: events of the session.
    """

    def __init__(self, console: Console, where: str, total: int) -> None:
        self._console = console
        self._where = where
        self._total = total
        self._standing: Standing | None = None
        self._progress: Progress | None = None
        self._counted: deque[tuple[float, int]] = deque()
        self._told_at = -math.inf
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if _draws(self._console):
            self._live = Live(
                console=self._console,
                get_renderable=self._picture,
                refresh_per_second=_REFRESHES,
                transient=True,
                vertical_overflow="crop",
            )
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()
        elif kind is None:
            self._tell()

    def progressed(self, progress: Progress) -> None:
        """Take how far the replay is."""
        self._progress = progress

    def show(self, standing: Standing) -> None:
        """Take what the boards say now."""
        now = time.monotonic()
        self._standing = standing
        self._counted.append((now, standing.counts.events))
        while now - self._counted[0][0] > _RATE_SECONDS:
            self._counted.popleft()
        if self._live is None and now - self._told_at >= _PLAIN_SECONDS:
            self._told_at = now
            self._tell()

    # --- a terminal -----------------------------------------------------------------------------

    def _picture(self) -> RenderableType:
        rooms, others = _rows_that_fit(self._console.height)
        return picture(
            self._standing,
            head=[Text(self._where, style="dim"), self._bar(), self._status()],
            width=self._console.width,
            rooms=rooms,
            others=others,
        )

    def _bar(self) -> RenderableType:
        sent = self._progress.events if self._progress else 0
        grid = Table.grid(padding=(0, 1))
        width = self._console.width // _BAR_SHARE
        bar = ProgressBar(total=self._total, completed=sent, width=width)
        grid.add_row(bar, Text(self._replayed()))
        return grid

    def _replayed(self) -> str:
        progress = self._progress
        if progress is None:
            return "connecting"
        speed = "max" if math.isinf(progress.speed) else f"x{progress.speed:,.0f}"
        parts = [
            f"{progress.events / self._total:4.0%}",
            f"{progress.events:,} of {self._total:,} sent",
            speed + (" paused" if progress.paused else ""),
            time_of(progress.event_ms),
        ]
        if progress.lag_seconds >= 1:
            parts.append(f"{progress.lag_seconds:.0f} s behind")
        return "  ".join(parts)

    def _status(self) -> Text:
        standing = self._standing
        if standing is None:
            return Text("waiting for the first boards")
        counts = standing.counts
        parts = [f"{counts.events:,} counted", f"{self._rate():,.0f} events/s"]
        if standing.lag is not None:
            parts.append(f"lag {standing.lag:,}")
        parts += [
            f"late {counts.late:,}",
            f"duplicate {counts.duplicate:,}",
            f"rejected {counts.rejected:,}",
            f"watermark {time_of(standing.watermark_ms).partition(' ')[2] or 'unknown'}",
        ]
        return Text("  ".join(parts))

    def _rate(self) -> float:
        if len(self._counted) < 2:  # noqa: PLR2004 - a rate has two ends
            return 0.0
        (began, before), (now, events) = self._counted[0], self._counted[-1]
        return (events - before) / max(now - began, 1e-9)

    # --- a log ----------------------------------------------------------------------------------

    def _tell(self) -> None:
        parts = [self._replayed()]
        standing = self._standing
        if standing is not None:
            parts.append(self._status().plain)
            parts += [f"gross {money_of(p.gross_minor, p.currency)}" for p in standing.platforms()]
        # a log has lines of any length
        self._console.print(Text("  ".join(parts)), soft_wrap=True)


def picture(
    standing: Standing | None,
    *,
    head: list[RenderableType],
    width: int,
    rooms: int,
    others: int,
) -> RenderableType:
    """Head lines, the platform's money, the leading rooms, and beside each other who leads else."""
    parts = list(head)
    for platform in standing.platforms() if standing else ():
        parts.append(_platform_line(platform.currency, standing))
        parts += _boards(standing, platform.currency, width=width, rooms=rooms, others=others)
    return Group(*parts)


def final_picture(standing: Standing, console: Console) -> RenderableType:
    """The boards at the end, as they stay in the terminal."""
    as_of = Text(f"Final boards, as of {time_of(standing.watermark_ms)} {DEFAULT_ZONE}")
    as_of.stylize("bold")
    return picture(standing, head=[as_of], width=console.width, rooms=10, others=7)


def _platform_line(currency: str, standing: Standing | None) -> Text:
    line = Text()
    for platform in standing.platforms() if standing else ():
        if platform.currency == currency:
            figures = (
                ("gross", platform.gross_minor),
                ("net", platform.net_minor),
                ("trusted", platform.trusted_minor),
            )
            line.append(f"Platform {currency}", style="bold")
            for name, minor in figures:
                line.append(f"  {name} ").append(money(minor, currency), style="bold green")
            line.append(f"  {platform.orders:,} orders  {platform.visits:,} visits")
    return line


def _boards(
    standing: Standing | None, currency: str, *, width: int, rooms: int, others: int
) -> list[RenderableType]:
    if standing is None:
        return []
    found: list[RenderableType] = []
    board = standing.board("room", "total", currency)
    if board is not None:
        found.append(board_view.board_table(board, top=rooms, width=width, title="Rooms"))
    side = Table.grid(padding=(0, _SIDE_GAP_CELLS, 0, 0))
    cells = []
    for scope in _SIDE_BOARDS:
        other = standing.board(scope, "total", currency)
        if other is not None:
            table = board_view.board_table(
                other,
                top=others,
                columns=_SIDE_COLUMNS,
                width=width // len(_SIDE_BOARDS) - _SIDE_GAP_CELLS,
                title=board_view.SCOPE_TITLES[scope],
            )
            cells.append(table)
            side.add_column()
    side.add_row(*cells)
    found.append(side)
    return found


def _rows_that_fit(height: int) -> tuple[int, int]:
    """Rows of rooms, and of the boards beside each other."""
    left = max(2, height - _FIXED_LINES)
    others = max(1, min(_MOST_OTHERS, left // 3))
    return max(1, min(_MOST_ROOMS, left - others)), others


def _draws(console: Console) -> bool:
    return console.is_terminal and not console.is_dumb_terminal
