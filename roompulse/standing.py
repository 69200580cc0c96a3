"""What is known of a run at one moment: its boards, what became of its events, how far it is.

One value for everything that shows boards: a worker's topics, an embedded run, the files of a run.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from schemas.records import (
    AnyBoard,
    BoardRow,
    Counts,
    Progress,
    decode_board,
    encode,
    shown_currency,
)
from streams.result_files import run_report


class RunFolderError(Exception):
    """A folder that holds no boards; the text is one line that says what to do."""


class _Head(msgspec.Struct):
    """What tells the place of a board."""

    scope: str
    window: str
    currency: str | None
    rates_date: str | None = None


class _RunFile(msgspec.Struct):
    """What is read of `run.json`."""

    counts: Counts
    watermark_ms: int | None


@dataclass(frozen=True, slots=True)
class Platform:
    """The sums over all opened rooms of one currency, money in minor units."""

    currency: str
    gross_minor: int
    net_minor: int
    trusted_minor: int
    orders: int
    visits: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A moment of a run.

    Attributes:
        watermark_ms: the least watermark of the partitions; None before the first.
        lag: records of `live-events` that are not folded yet; None where there is no log.
    """

    boards: Sequence[AnyBoard]
    counts: Counts
    watermark_ms: int | None
    lag: int | None = None

    def board(self, scope: str, window: str, currency: str | None) -> AnyBoard | None:
        """The board of a place, None where there is none; `currency` may be "all in CNY"."""
        for board in self.boards:
            if (board.scope, board.window, shown_currency(board)) == (scope, window, currency):
                return board
        return None

    def platforms(self) -> list[Platform]:
        """Sums by currency, from the boards of modes: every opened room has one of seven modes.

        Needs boards of at least seven rows.
        """
        found = []
        for board in self.boards:
            currency = board.currency if not board.rates_date else None
            if board.scope == "mode" and board.window == "total" and currency is not None:
                found.append(platform_of(board, currency))
        return found


def standing_of(
    boards: Sequence[AnyBoard], progress: Sequence[Progress], lag: int | None = None
) -> Standing:
    """The moment that boards and the progress of each partition tell."""
    report = run_report(progress, elapsed_seconds=0)
    return Standing(boards, report["counts"], report["watermark_ms"], lag)


def read_run_folder(folder: Path) -> Standing:
    """The final standing that `roompulse run` or `roompulse export` wrote.

    Raises:
        RunFolderError: there is no such folder, or its files are not those of a run.
    """
    boards = _read(folder, "boards.json", list[msgspec.Raw])
    try:
        decoded = [_board(raw) for raw in boards]
    except msgspec.MsgspecError as error:
        raise RunFolderError(f"{folder / 'boards.json'}: holds no boards ({error})") from None
    run = _read(folder, "run.json", _RunFile)
    return Standing(decoded, run.counts, run.watermark_ms)


def _board(raw: msgspec.Raw) -> AnyBoard:
    head = msgspec.json.decode(raw, type=_Head)
    return decode_board(encode([head.scope, head.window, head.currency]), bytes(raw))


def _read(folder: Path, name: str, kind: Any) -> Any:  # noqa: ANN401 - whatever `kind` describes
    path = folder / name
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except OSError as error:
        raise RunFolderError(
            f"{path}: {(error.strerror or 'cannot be read').lower()}; name the folder of"
            " `roompulse run --out` or `roompulse export --out`"
        ) from None
    except msgspec.MsgspecError as error:
        raise RunFolderError(f"{path}: is no file of a run ({error})") from None


def platform_of(board: AnyBoard, currency: str) -> Platform:
    """The sums over all rows of a `total` board of modes, whose money `currency` names."""
    gross = net = trusted = orders = visits = 0
    for row in board.rows:
        if not isinstance(row, BoardRow):
            continue
        gross += row.gross_minor
        net += row.net_minor
        trusted += row.trusted_minor
        orders += row.orders
        visits += row.visits or 0
    return Platform(currency, gross, net, trusted, orders, visits)
