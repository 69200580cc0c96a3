"""Which stamps are believed: each clause of the event clock, and what holds for any log.

A log is written as (seconds, room) pairs; `Log` collects what the clock decided, in its order.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.clock import (
    CLOSING_MS,
    CONFIRMATIONS_ALONE,
    MAX_JUMP_MS,
    NOTHING_MS,
    OUT_OF_ORDER_MS,
    EventClock,
)

MIN = 60
HOUR = 60 * MIN
DAY = 24 * HOUR


class Log:
    """A clock, the records given to it (named by their number), and its decisions."""

    def __init__(self) -> None:
        self.clock: EventClock[int] = EventClock()
        self.decided: list[tuple[int, bool]] = []
        self.given = 0

    def see(self, seconds: float, room: str = "r1") -> None:
        number, self.given = self.given, self.given + 1
        self.decided += self.clock.observe(round(seconds * 1000), room, number)

    def tick(self, seconds: float) -> None:
        self.decided += self.clock.tick(round(seconds * 1000))

    @property
    def believed(self) -> list[int]:
        return [number for number, is_believed in self.decided if is_believed]

    @property
    def refuted(self) -> list[int]:
        return [number for number, is_believed in self.decided if not is_believed]

    @property
    def waiting(self) -> list[int]:
        return [item.record for item in self.clock.waiting]


def started(at: float = 0, rooms: int = 1) -> Log:
    """A log whose clock believes `at`, from one room or two."""
    log = Log()
    log.tick(at)
    log.see(at, "r1")
    if rooms > 1:
        log.see(at, "r2")
    log.decided.clear()
    log.given = 0
    return log


# -- believed at once --


def test_a_stamp_ten_minutes_ahead_is_believed_at_once() -> None:
    log = started()
    log.see(10 * MIN)
    assert log.believed == [0]
    assert log.clock.greatest_ms == 10 * MIN * 1000


def test_a_stamp_further_ahead_than_ten_minutes_waits() -> None:
    log = started()
    log.see(10 * MIN + 0.001)
    assert log.decided == []
    assert log.waiting == [0]
    assert log.clock.greatest_ms == 0


def test_an_older_stamp_is_believed_and_moves_nothing() -> None:
    log = started(HOUR)
    log.see(HOUR - 59 * MIN)
    assert log.believed == [0]
    assert log.clock.greatest_ms == HOUR * 1000


def test_watermark_is_the_greatest_believed_less_the_disorder() -> None:
    log = Log()
    assert log.clock.watermark_ms is None
    log.tick(100)
    assert log.clock.watermark_ms == 100_000 - OUT_OF_ORDER_MS


# -- while nothing is believed --


def test_the_first_stamps_wait_until_three_more_came() -> None:
    log = Log()
    for seconds in (0, 1, 2):
        log.see(seconds)
        assert log.decided == []
    log.see(3)
    assert log.believed == [0, 1, 2, 3]
    assert log.clock.greatest_ms == 3_000


def test_at_the_start_one_room_alone_confirms_itself_with_three_records() -> None:
    log = Log()
    for seconds in (0, 0, 0, 0):
        log.see(seconds, "r1")
    assert log.believed == [0, 1, 2, 3]


def test_an_absurd_first_stamp_is_refuted_by_the_second_record() -> None:
    log = Log()
    log.see(DAY)
    log.see(0)
    assert log.refuted == [0]
    assert log.waiting == [1]


# -- refuted --


def test_a_record_earlier_by_more_than_five_seconds_refutes() -> None:
    log = started()
    log.see(HOUR)
    log.see(HOUR - 5.001, "r2")
    assert log.refuted == [0]
    assert log.waiting == [1]


def test_a_record_earlier_by_five_seconds_confirms() -> None:
    log = started()
    log.see(HOUR)
    log.see(HOUR - 5, "r2")
    assert log.refuted == []
    assert log.waiting == [0, 1]


def test_one_refutation_outweighs_any_confirmations() -> None:
    log = started()
    log.see(HOUR)
    log.see(HOUR)
    log.see(HOUR)
    log.see(1)
    assert log.decided == [(0, False), (1, False), (2, False), (3, True)]


def test_a_refuted_record_moves_no_time() -> None:
    log = started()
    log.see(DAY)
    log.see(1)
    assert log.clock.greatest_ms == 1_000


# -- confirmed --


def test_three_records_of_the_only_room_believed_confirm() -> None:
    log = started()
    log.see(HOUR)
    log.see(HOUR + 1)
    log.see(HOUR + 2)
    assert log.decided == []
    log.see(HOUR + 3)
    assert log.believed == [0, 1, 2, 3]


def test_with_another_room_believed_before_one_of_three_has_to_be_of_another_room() -> None:
    log = started(rooms=2)
    for seconds in range(5):
        log.see(HOUR + seconds, "r1")
    assert log.decided == []
    log.see(HOUR + 5, "r2")
    assert log.believed == [0, 1, 2, 3, 4, 5]


def test_two_records_with_another_room_among_them_are_not_enough() -> None:
    log = started(rooms=2)
    log.see(HOUR, "r1")
    log.see(HOUR, "r2")
    log.see(HOUR, "r2")
    assert log.decided == []
    log.see(HOUR, "r1")
    assert log.believed == [0, 1, 2, 3]


def test_another_room_that_was_only_ever_refuted_does_not_count() -> None:
    log = started()  # only r1 was believed
    log.see(DAY, "r2")
    log.see(1, "r1")
    assert log.refuted == [0]
    for seconds in range(4):
        log.see(HOUR + seconds, "r1")
    assert log.believed == [1, 2, 3, 4, 5]


def test_a_new_room_with_a_fast_clock_needs_another_room_or_twenty() -> None:
    log = started()  # r1 was believed, so r2's own records are not enough
    for number in range(CONFIRMATIONS_ALONE):
        log.see(HOUR + number, "r2")
    assert log.decided == []
    log.see(HOUR + CONFIRMATIONS_ALONE, "r2")
    assert log.believed == list(range(CONFIRMATIONS_ALONE + 1))


def test_a_fast_clock_is_refuted_by_the_first_honest_neighbour() -> None:
    log = started(rooms=2)
    for number in range(5):
        log.see(HOUR + number, "r1")
    log.see(1, "r2")
    assert log.refuted == [0, 1, 2, 3, 4]
    assert log.clock.greatest_ms == 1_000


# -- what is decided together --


def test_what_comes_within_ten_minutes_of_a_confirmed_stamp_is_believed_with_it() -> None:
    log = started()
    log.see(HOUR)
    log.see(HOUR + 9 * MIN)
    log.see(HOUR + 18 * MIN)
    log.see(HOUR + 18 * MIN)
    # the first is confirmed by three; the others are within reach of one another
    assert log.believed == [0, 1, 2, 3]
    assert log.clock.greatest_ms == (HOUR + 18 * MIN) * 1000


def test_what_is_out_of_reach_of_the_confirmed_goes_on_waiting() -> None:
    log = started()
    log.see(HOUR)
    log.see(HOUR)
    log.see(HOUR)
    log.see(2 * HOUR)
    assert log.believed == [0, 1, 2]
    assert log.waiting == [3]


def test_decided_records_come_in_arrival_order_with_the_clock_at_each_place() -> None:
    log = started()
    log.see(HOUR)
    log.see(HOUR - 3)
    log.see(DAY)
    places = []
    for number, is_believed in log.clock.observe(HOUR * 1000 + 1, "r1", 3):
        places.append((number, is_believed, log.clock.greatest_ms))
    assert places == [
        (0, True, HOUR * 1000),
        (1, True, HOUR * 1000),
        (2, False, HOUR * 1000),
        (3, True, HOUR * 1000 + 1),
    ]


def test_a_record_judges_what_waits_before_it_is_judged_itself() -> None:
    log = started()
    log.see(HOUR)
    log.see(HOUR)
    log.see(HOUR)
    log.see(HOUR + 9 * MIN)  # confirms the three, and then is within reach of them
    assert log.believed == [0, 1, 2, 3]


# -- ticks --


def test_a_tick_is_believed_at_once_however_far_ahead() -> None:
    log = started()
    log.tick(DAY)
    assert log.clock.greatest_ms == DAY * 1000


def test_a_tick_refutes_what_waits_more_than_ten_minutes_ahead_and_confirms_the_rest() -> None:
    log = started()
    log.see(HOUR, "r1")
    log.see(2 * HOUR, "r1")
    log.tick(HOUR - 10 * MIN)
    assert log.decided == [(0, True), (1, False)]
    assert log.waiting == []
    assert log.clock.greatest_ms == HOUR * 1000


def test_a_tick_of_the_past_moves_nothing_back() -> None:
    log = started(HOUR)
    log.tick(1)
    assert log.clock.greatest_ms == HOUR * 1000


def test_a_tick_is_of_no_room() -> None:
    log = Log()
    log.tick(0)
    log.see(1, "r1")
    log.decided.clear()
    for seconds in range(4):
        log.see(HOUR + seconds, "r1")
    assert len(log.believed) == 4


# -- the closing tick --


def test_closing_tick_stands_two_minutes_after_the_greatest_believed() -> None:
    log = started(HOUR)
    log.see(DAY)
    assert log.clock.closing_tick_ms() == HOUR * 1000 + CLOSING_MS


def test_closing_tick_of_a_log_that_believed_nothing_follows_what_waits() -> None:
    log = Log()
    log.see(5)
    log.see(4)
    assert log.clock.closing_tick_ms() == 5_000 + CLOSING_MS


def test_closing_tick_of_an_empty_log_is_none() -> None:
    assert Log().clock.closing_tick_ms() is None


# -- laws --

stamps = st.one_of(
    st.integers(0, 30),
    st.integers(0, 3).map(lambda hours: hours * HOUR),
    st.integers(0, 40).map(lambda minutes: minutes * MIN),
    st.just(400 * DAY),
)
logs = st.lists(st.tuples(st.sampled_from(["r1", "r1", "r1", "r2", "tick"]), stamps), max_size=60)


def feed(clock: EventClock[int], log: list[tuple[str, int]], start: int) -> list[tuple[int, bool]]:
    out: list[tuple[int, bool]] = []
    for number, (room, seconds) in enumerate(log, start=start):
        if room == "tick":
            out += clock.tick(seconds * 1000)
        else:
            out += clock.observe(seconds * 1000, room, number)
    return out


@given(logs)
def test_watermark_never_retreats(log: list[tuple[str, int]]) -> None:
    clock: EventClock[int] = EventClock()
    greatest_ms = NOTHING_MS
    for number, entry in enumerate(log):
        feed(clock, [entry], number)
        assert clock.greatest_ms >= greatest_ms
        greatest_ms = clock.greatest_ms


@given(logs)
def test_every_record_is_decided_once_or_waits(log: list[tuple[str, int]]) -> None:
    clock: EventClock[int] = EventClock()
    decided = [number for number, _ in feed(clock, log, 0)]
    waiting = [item.record for item in clock.waiting]
    records = [number for number, (room, _) in enumerate(log) if room != "tick"]
    assert sorted(decided + waiting) == records
    assert waiting == sorted(waiting)
    assert len(waiting) <= CONFIRMATIONS_ALONE + 1


@given(logs)
def test_after_a_tick_nothing_waits(log: list[tuple[str, int]]) -> None:
    clock: EventClock[int] = EventClock()
    feed(clock, [*log, ("tick", 0)], 0)
    assert clock.waiting == []


@given(logs)
def test_the_greatest_believed_is_a_tick_or_a_believed_stamp(log: list[tuple[str, int]]) -> None:
    clock: EventClock[int] = EventClock()
    believed = {number for number, is_believed in feed(clock, log, 0) if is_believed}
    stamps_ms = [
        seconds * 1000
        for number, (room, seconds) in enumerate(log)
        if room == "tick" or number in believed
    ]
    assert clock.greatest_ms == max(stamps_ms, default=NOTHING_MS)


@given(logs, st.integers(0, 60))
def test_snapshot_and_restore_anywhere_change_nothing(log: list[tuple[str, int]], at: int) -> None:
    whole: EventClock[int] = EventClock()
    expected = feed(whole, log, 0)
    first: EventClock[int] = EventClock()
    decided = feed(first, log[:at], 0)
    second: EventClock[int] = EventClock()
    second.restore(first.snapshot())
    assert second.snapshot() == first.snapshot()
    assert second.limit_ms == first.limit_ms
    decided += feed(second, log[at:], min(at, len(log)))
    assert decided == expected
    assert second.snapshot() == whole.snapshot()


@given(logs)
def test_a_stamp_within_the_limit_may_be_believed_without_observe(
    log: list[tuple[str, int]],
) -> None:
    """The short cut that folds take for the common case."""
    whole: EventClock[int] = EventClock()
    short: EventClock[int] = EventClock()
    expected, decided = feed(whole, log, 0), []
    for number, (room, seconds) in enumerate(log):
        if room != "tick" and seconds * 1000 <= short.limit_ms:
            short.believe(seconds * 1000, room)
            decided.append((number, True))
        else:
            decided += feed(short, [(room, seconds)], number)
    assert decided == expected
    assert short.snapshot() == whole.snapshot()


@pytest.mark.parametrize("beyond", [0, 1])
def test_the_limit_is_ten_minutes_ahead_while_nothing_waits(beyond: int) -> None:
    log = started()
    assert log.clock.limit_ms == MAX_JUMP_MS
    log.see((MAX_JUMP_MS + beyond) / 1000)
    assert log.clock.limit_ms == (NOTHING_MS if beyond else 2 * MAX_JUMP_MS)
