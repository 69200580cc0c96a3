"""How records of several partitions become one order."""

from hypothesis import given
from hypothesis import strategies as st

from producers.recorder import BROADCAST_MS, Merger
from producers.replay import closing_tick
from schemas.codec import RoomClosed, Tick, encode

BASE_MS = 1_636_632_000_000


def record(name: str) -> bytes:
    return encode(RoomClosed(event_id=name, ts_ms=BASE_MS, room_id="r"))


def tick(name: str) -> bytes:
    return encode(Tick(event_id=name, ts_ms=BASE_MS))


A, B, C, D = (record(name) for name in "abcd")
T, U = tick("t"), tick("u")


def merged(*partitions: list[tuple[int, bytes]], **settings: bool) -> list[bytes]:
    merger = Merger(len(partitions), **settings)
    for partition, entries in enumerate(partitions):
        merger.add(partition, [(at, offset, value) for offset, (at, value) in enumerate(entries)])
        merger.end(partition)
    return merger.take()


def test_records_are_ordered_by_timestamp_then_partition() -> None:
    assert merged([(1, A), (5, D)], [(1, B), (3, C)]) == [A, B, C, D]


def test_order_of_a_partition_is_kept_though_its_timestamps_go_back() -> None:
    assert merged([(5, A), (1, B)], [(3, C)]) == [C, A, B]


def test_nothing_is_taken_while_an_earlier_record_may_come() -> None:
    merger = Merger(2)
    merger.add(0, [(10, 0, A)])
    assert merger.take() == []
    merger.idle_until(1, 9)
    assert merger.take() == []
    merger.idle_until(1, 10)
    assert merger.take() == [A]


def test_a_broadcast_stands_once_behind_and_ahead_of_what_it_was_in_every_partition() -> None:
    # partition 1 took its time: its record before the tick is younger than partition 0's behind it
    first = [(1, A), (2, T), (3, B)]
    second = [(4, C), (5, T), (6, D)]
    assert merged(first, second) == [A, C, T, B, D]


def test_a_tick_of_one_partition_alone_stands_where_it_was() -> None:
    assert merged([(1, A), (2, T), (3, B)], [(1, C), (4, D)]) == [A, C, T, B, D]


def test_a_tick_waits_until_it_is_known_which_partitions_have_it() -> None:
    merger = Merger(2)
    merger.add(0, [(1, 0, T), (2, 1, A)])
    merger.idle_until(1, BROADCAST_MS)
    assert merger.take() == []
    assert merger.wants(1)
    merger.idle_until(1, BROADCAST_MS + 2)
    assert merger.take() == [T, A]


def test_the_same_tick_written_again_later_stands_again() -> None:
    later = BROADCAST_MS * 2
    assert merged([(1, T), (later, T)], [(1, T), (later, T)]) == [T, T]


def test_broadcasts_of_two_writers_in_different_orders_stand_once_each() -> None:
    assert merged([(1, T), (2, U), (3, A)], [(1, U), (2, T), (3, B)]) == [U, T, A, B]
    three = merged([(1, T), (2, U)], [(1, U), (2, T)], [(1, U), (2, T)])
    assert sorted(three) == sorted([T, U])


def test_closing_ticks_are_left_out_if_asked() -> None:
    closing = closing_tick(BASE_MS)
    partitions = ([(1, A), (2, closing)], [(1, B), (2, closing)])
    assert merged(*partitions) == [A, B, closing]
    assert merged(*partitions, with_closing_ticks=False) == [A, B]


@given(
    st.lists(
        st.lists(st.tuples(st.integers(0, 6_000), st.sampled_from([A, B, C, T, U])), max_size=12),
        min_size=1,
        max_size=4,
    )
)
def test_every_record_comes_once_and_in_its_partitions_order(
    partitions: list[list[tuple[int, bytes]]],
) -> None:
    plain = [
        [
            (at, value if value in (T, U) else value.replace(b'"e', b'"%d-%d-e' % (number, offset)))
            for offset, (at, value) in enumerate(entries)
        ]
        for number, entries in enumerate(partitions)
    ]
    out = merged(*plain)
    records = [value for value in out if value not in (T, U)]
    assert len(records) == len(set(records))
    for entries in plain:
        own = [value for _, value in entries if value not in (T, U)]
        assert [value for value in records if value in own] == own
    assert set(out) == {value for entries in plain for _, value in entries}


@given(st.lists(st.sampled_from([A, B, C, T, U]), max_size=30))
def test_what_a_replay_writes_to_partitions_comes_back_in_an_order_that_replays_alike(
    session: list[bytes],
) -> None:
    """Split a session as a replay does, merge it, split it again: the partitions are equal."""

    def split(records: list[bytes]) -> list[list[bytes]]:
        partitions: list[list[bytes]] = [[], [], []]
        for value in records:
            if value in (T, U):
                for one in partitions:
                    one.append(value)
            else:
                partitions[[A, B, C].index(value)].append(value)
        return partitions

    first = split(session)
    assert split(merged(*([(at, v) for at, v in enumerate(one)] for one in first))) == first
