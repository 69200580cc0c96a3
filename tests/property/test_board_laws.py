"""Boards are a function of the newest views and the closed minutes, however these arrive."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import records
from schemas.records import ProductFigures, Progress, RoomFigures, RoomMinute, Version
from streams.core.boards import BoardFold
from streams.core.partition import Partition
from tests.oracle.malformed import BASE_MS
from tests.oracle.strategies import DAY_MS, adversarial_logs
from tests.property.driving import dealt, fold

EXAMPLES = settings(max_examples=60)
View = RoomFigures | ProductFigures | RoomMinute | Progress


@dataclass
class Published:
    """What stage 1 wrote: every view that it showed on the way, and the newest of each key."""

    all: list[View] = field(default_factory=list)
    newest: dict[tuple[object, ...], View] = field(default_factory=dict)

    def take(self, views: Sequence[View]) -> None:
        for view in views:
            self.all.append(view)
            self.newest[_key(view)] = view


def _key(view: View) -> tuple[object, ...]:
    match view:
        case RoomFigures():
            return "room", view.summary.room_id
        case ProductFigures():
            return "product", view.room_id, view.product_id, view.merchant_id
        case RoomMinute():
            return "minute", view.room_id, view.minute_ms
        case Progress():
            return "progress", view.version.partition


def published(log: list[bytes], partitions: int, every: int) -> Published:
    """Fold a log, and show views of what changed after every so many records."""
    out = Published()
    for number, own in enumerate(dealt(log, partitions)):
        partition = Partition(number)
        for at in range(0, len(own), every):
            out.take(fold(partition, own, at, at + every).minutes)
            changed = [room for room in partition.rooms.values() if room.changed]
            rooms, products = partition.figures(changed)
            out.take([*rooms, *products, partition.progress()])
        out.take(partition.end(BASE_MS + 2 * DAY_MS).minutes)
        # what the end of a session moves is a step of its own
        partition.next_offset += 1
        rooms, products = partition.figures(partition.rooms.values())
        out.take([*rooms, *products, partition.progress()])
    return out


def apply(boards: BoardFold, view: View) -> None:
    match view:
        case RoomFigures():
            boards.apply_room(view)
        case ProductFigures():
            boards.apply_product(view)
        case RoomMinute():
            boards.apply_minute(view)
        case Progress():
            boards.apply_progress(view)


def shown(boards: BoardFold) -> list[bytes]:
    return [records.encode(board) for board in boards.boards()]


def boards_of(views: Sequence[View]) -> list[bytes]:
    boards = BoardFold(top=0)
    for view in views:
        apply(boards, view)
    return shown(boards)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 3), st.integers(1, 12), st.integers(0, 2**32))
def test_any_order_repeats_and_stale_views_give_the_boards_of_the_newest(
    log: list[bytes], partitions: int, every: int, seed: int
) -> None:
    views = published(log, partitions, every)
    random = Random(seed)
    mixed = [*views.all, *random.choices(views.all, k=len(views.all) // 2)]
    random.shuffle(mixed)
    assert boards_of(mixed) == boards_of(list(views.newest.values()))


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 12), st.integers(0, 2**32))
def test_ranking_on_the_way_changes_no_later_board(log: list[bytes], every: int, seed: int) -> None:
    views = published(log, 1, every)
    random = Random(seed)
    boards = BoardFold(top=0)
    delayed: list[View] = []
    for view in views.all:
        if isinstance(view, RoomMinute) and random.random() < 0.5:
            delayed.append(view)  # topics are read one by one: a minute may come after its mark
            continue
        apply(boards, view)
        if random.random() < 0.5:
            boards.boards()
        if random.random() < 0.2:
            for late in delayed:
                apply(boards, late)
            delayed = []
    for view in delayed:
        apply(boards, view)
    assert shown(boards) == boards_of(list(views.newest.values()))


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 3))
def test_every_board_holds_rooms_of_its_currency_alone(log: list[bytes], partitions: int) -> None:
    views = published(log, partitions, 5)
    rooms = [view for view in views.newest.values() if isinstance(view, RoomFigures)]
    boards = BoardFold(top=0)
    for view in views.newest.values():
        apply(boards, view)
    found = [board for board in boards.boards() if (board.scope, board.window) == ("room", "total")]
    for board in found:
        expected = {
            each.summary.room_id: each.summary.gross_minor
            for each in rooms
            if each.summary.currency == board.currency
        }
        assert {row.key: row.gross_minor for row in board.rows} == expected
    assert sum(len(board.rows) for board in found) == len(rooms)


def test_the_same_view_in_a_lesser_version_is_stale() -> None:
    older, newer = Version(0, 9), Version(0, 10)
    assert older < newer
    assert msgspec.json.encode(newer) == b"[0,10,0]"
