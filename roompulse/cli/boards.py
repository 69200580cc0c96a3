"""`roompulse boards`: the boards of a run's folder or of a Kafka, once or as they move."""

import contextlib
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from deploy.kafka.admin import TopicsError
from deploy.kafka.probe import BOOTSTRAP_VARIABLE, DEFAULT_BOOTSTRAP, BrokerUnavailable
from roompulse import interrupts
from roompulse.cli import board_view
from roompulse.cli.failures import fail, told_in_one_line
from roompulse.following import BOARD_SOURCES, Following
from roompulse.standing import RunFolderError, Standing, read_run_folder
from schemas.records import AnyBoard, shown_currency

_POLL_SECONDS = 0.5
_PIPE_CELLS = 200
_BOARD_LINES = 4  # of a board besides its rows: title, head, rule, blank line


class Scope(StrEnum):
    """What is ranked."""

    ROOM = "room"
    HOST = "host"
    MCN = "mcn"
    MODE = "mode"
    CATEGORY = "category"
    MERCHANT = "merchant"
    PRODUCT = "product"


class Window(StrEnum):
    """Over which time."""

    TOTAL = "total"
    DAY = "day"
    LAST_10M = "last_10m"
    LAST_60M = "last_60m"


@dataclass(frozen=True, slots=True)
class Wish:
    """Which boards are shown, and how."""

    scope: str
    window: str
    currency: str | None
    sort: str
    reverse: bool
    columns: tuple[str, ...] | None
    top: int

    def picks(self, board: AnyBoard) -> bool:
        return (
            board.scope == self.scope
            and board.window == self.window
            and (self.currency is None or self.currency in (board.currency, shown_currency(board)))
        )


def boards(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]", help="Folder of a run or an export; without it, Kafka is asked."
        ),
    ] = None,
    *,
    scope: Annotated[Scope, typer.Option(help="What is ranked.")] = Scope.ROOM,
    window: Annotated[
        Window, typer.Option(help="Over which time; merchants and products have total only.")
    ] = Window.TOTAL,
    currency: Annotated[
        str | None, typer.Option(help="Only this currency, such as CNY; all of them if absent.")
    ] = None,
    sort: Annotated[
        str, typer.Option(help="Any column, such as net, trusted, momentum, refund_rate.")
    ] = "rank",
    reverse: Annotated[bool, typer.Option("--reverse", help="The other way round.")] = False,
    columns: Annotated[
        str | None,
        typer.Option(help="Columns with commas; by default those that fit the terminal."),
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="Rows shown; 0 for all there are.")] = 20,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Kafka only: show them as they move.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a board and line, with all figures.")
    ] = False,
    bootstrap: Annotated[
        str, typer.Option(envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port.")
    ] = DEFAULT_BOOTSTRAP,
) -> None:
    """Show who leads: rooms, hosts, agencies, selling modes, categories, merchants, products.

    Money is in major units of the currency in the title. A board has as many rows as the worker or
    the run was told to keep (--top there). Ranks stay those of the board, whatever the order here.

    Example: roompulse boards out --scope host --sort refund_rate --top 10
    """
    wish = Wish(
        scope=scope.value,
        window=window.value,
        currency=currency,
        sort=_field(window.value, sort),
        reverse=reverse,
        columns=_columns(window.value, columns),
        top=top,
    )
    if follow and folder is not None:
        fail("--follow is for Kafka: a folder does not move; leave it out")
    if follow and as_json:
        fail("--follow is for people, --json for programs: leave one of them out")
    if window is not Window.TOTAL and scope in (Scope.MERCHANT, Scope.PRODUCT):
        fail(f"there is no {window.value} board of {scope.value}s: minutes carry no products")
    with told_in_one_line(BrokerUnavailable, TopicsError, RunFolderError):
        if folder is not None:
            _show(read_run_folder(folder), wish, as_json=as_json)
        else:
            with contextlib.suppress(KeyboardInterrupt):
                interrupts.run(_show_kafka(bootstrap, wish, follow=follow, as_json=as_json))


async def _show_kafka(bootstrap: str, wish: Wish, *, follow: bool, as_json: bool) -> None:
    async with Following(bootstrap, BOARD_SOURCES) as watch:
        await watch.poll(0)
        if not follow:
            _show(watch.known.standing(), wish, as_json=as_json)
            return
        console = Console()
        with Live(console=console, auto_refresh=False) as live:
            while True:
                standing, version = watch.known.standing(), watch.known.version
                rows = _rows_that_fit(standing, wish, console.height)
                live.update(_page(standing, wish, console.width, rows), refresh=True)
                while (watch.known.version, watch.known.lag) == (version, standing.lag):
                    await watch.poll(_POLL_SECONDS)


def _show(standing: Standing, wish: Wish, *, as_json: bool) -> None:
    if as_json:
        for board in filter(wish.picks, standing.boards):
            typer.echo(board_view.as_json(board).decode())
        return
    console = Console()
    # a pipe has no width: all usual columns
    wide = console if console.is_terminal else Console(width=_PIPE_CELLS)
    wide.print(_page(standing, wish, wide.width))


def _rows_that_fit(standing: Standing, wish: Wish, height: int) -> int:
    """Rows of each board for which a screen of this height has a place."""
    boards = sum(map(wish.picks, standing.boards)) or 1
    fitting = max(1, (height - 2) // boards - _BOARD_LINES)
    return min(wish.top or fitting, fitting)


def _page(standing: Standing, wish: Wish, width: int, rows: int | None = None) -> RenderableType:
    picked = [board for board in standing.boards if wish.picks(board)]
    parts: list[RenderableType] = []
    for board in picked:
        parts += [
            board_view.board_table(
                board,
                top=wish.top if rows is None else rows,
                sort=wish.sort,
                reverse=wish.reverse,
                columns=wish.columns,
                width=None if wish.columns else width,
            ),
            "",
        ]
    if not picked:
        parts.append(
            Text("No such board yet: nothing was sold in this currency, or no worker runs.")
        )
    parts.append(Text(status_line(standing), style="dim"))
    return Group(*parts)


def status_line(standing: Standing) -> str:
    """How far the run is, and what became of its events."""
    counts = standing.counts
    parts = [
        f"{counts.events:,} events",
        f"{counts.duplicate:,} duplicate",
        f"{counts.rejected:,} rejected",
        f"{counts.late:,} late",
        f"{counts.future:,} future",
    ]
    if standing.lag is not None:
        parts.append(f"lag {standing.lag:,}")
    parts.append(f"watermark {board_view.time_of(standing.watermark_ms)}")
    return "  ".join(parts)


def _field(window: str, wanted: str) -> str:
    found = board_view.find_field(window, wanted)
    if found is None:
        names = ", ".join(board_view.fields_of(window))
        fail(f"a {window} board has no column {wanted!r}: choose one of {names}")
    return found


def _columns(window: str, wanted: str | None) -> tuple[str, ...] | None:
    if wanted is None:
        return None
    return tuple(_field(window, name.strip()) for name in wanted.split(","))
