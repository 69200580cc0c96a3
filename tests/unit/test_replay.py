"""What a replay sends where and when, with a clock of the test's own and no Kafka."""

import asyncio
import json
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers import replay as replaying
from producers.replay.keys import press
from producers.replay.pace import MAX_SPEED, Pacer, faster, slower
from producers.replay.plan import EVERY_PARTITION, PASS_GAP_MS, Plan, Step
from producers.replay.run import PROGRESS_SECONDS, TURN_SECONDS, Control, Progress, Runner
from producers.replay.selection import ALL, Moment, ReplayError, Selection, parse_moment, parse_time
from producers.replay.timeline import Timeline
from schemas import codec
from schemas.clock import CLOSING_MS, NOTHING_MS, EventClock
from schemas.codec import Exposure, Order, Refund, RoomClosed, Rules, Tick, encode
from schemas.errors import InputError
from schemas.events import EARLIEST_MS, LATEST_MS
from schemas.partitioning import partition_of_room, route

BASE_MS = 1_636_632_000_000
BAD = b'{"type":"view","room_id":"r1"}'
UNREADABLE = b"\xff\xfe"


def event(seconds: float, room: str = "r1", name: str = "e") -> bytes:
    ts_ms = BASE_MS + round(seconds * 1000)
    return encode(RoomClosed(event_id=name, ts_ms=ts_ms, room_id=room))


def tick(seconds: float) -> bytes:
    return encode(Tick(event_id="t", ts_ms=BASE_MS + round(seconds * 1000)))


def rules(seconds: float) -> bytes:
    ts_ms = BASE_MS + round(seconds * 1000)
    return encode(Rules(event_id="s", ts_ms=ts_ms, version=1, rules={}))


def evening(*seconds: float) -> list[bytes]:
    """Events at these times, after a tick at 0 so that all is believed as it comes."""
    return [tick(0), *(event(at) for at in seconds)]


def plan_of(records: Sequence[bytes], partitions: int = 4, **settings: Any) -> Plan:  # noqa: ANN401
    return Plan(
        lambda: [records[at : at + 3] for at in range(0, len(records), 3)], partitions, **settings
    )


def steps_of(plan: Plan) -> list[Step]:
    return [step for steps in plan.steps() for step in steps]


def values(steps: Iterable[Step]) -> list[bytes]:
    return [step.value for step in steps]


def due_seconds(steps: Iterable[Step]) -> list[float | None]:
    return [None if step.due_ms == NOTHING_MS else (step.due_ms - BASE_MS) / 1000 for step in steps]


# -- when a record happens --


def times(records: Sequence[bytes]) -> list[float | None]:
    timeline = Timeline()
    timed = timeline.feed(records) + timeline.finish()
    assert [one.value for one in timed] == list(records)
    return due_seconds(Step(one.due_ms, 0, None, one.value) for one in timed)


def test_a_believed_record_happens_at_its_own_stamp_though_late() -> None:
    assert times([tick(0), event(5), event(1), event(6)]) == [0, 5, 1, 6]


def test_an_absurd_stamp_happens_when_the_one_before_did() -> None:
    records = [tick(0), event(5), event(400 * 86_400), event(6)]
    assert times(records) == [0, 5, 5, 6]


def test_after_a_quiet_night_every_record_happens_at_its_own_stamp() -> None:
    morning = [30_000, 30_001, 30_002, 30_003]
    assert times([tick(0), *map(event, morning)]) == [0, *morning]


def test_at_the_start_of_a_session_every_record_happens_at_its_own_stamp() -> None:
    assert times([event(0), event(1), event(2), event(3)]) == [0, 1, 2, 3]


def test_malformed_records_happen_when_the_one_before_did_and_at_once_at_the_start() -> None:
    records = [BAD, tick(3), BAD, event(4), UNREADABLE]
    assert times(records) == [None, 3, 3, 4, 4]


def test_rules_have_no_time_of_their_own() -> None:
    assert times([tick(0), rules(9_999), event(1)]) == [0, 0, 1]


def test_what_still_waits_at_the_end_happens_last() -> None:
    assert times([tick(0), event(1), event(86_400), BAD]) == [0, 1, 1, 1]


def test_a_session_that_believes_nothing_happens_at_its_own_stamps() -> None:
    assert times([event(0), event(1)]) == [0, 1]


@given(
    st.lists(
        st.one_of(
            st.builds(event, st.sampled_from([0, 1, 2, 700, 5_000]), st.sampled_from(["r1", "r2"])),
            st.builds(tick, st.sampled_from([0, 1, 700])),
            st.sampled_from([BAD, UNREADABLE, rules(3)]),
        ),
        max_size=40,
    ),
    st.integers(1, 7),
)
def test_any_session_is_handed_on_whole_and_in_order(records: list[bytes], chunk: int) -> None:
    timeline = Timeline()
    timed = []
    for at in range(0, len(records), chunk):
        timed += timeline.feed(records[at : at + chunk])
    timed += timeline.finish()
    assert [one.value for one in timed] == records
    clock: EventClock[int] = EventClock()
    believed = set[int]()
    for number, one in enumerate(timed):
        if isinstance(one.event, Tick):
            believed |= {at for at, yes in clock.tick(one.event.ts_ms) if yes} | {number}
        elif not isinstance(one.event, InputError | Rules):
            ts_ms, room_id = one.event.ts_ms, one.event.room_id
            believed |= {at for at, yes in clock.observe(ts_ms, room_id, number) if yes}
    for number in believed:
        found = timed[number].event
        assert not isinstance(found, InputError)
        assert timed[number].due_ms == found.ts_ms


# -- where it goes --


def test_steps_go_where_the_partitioner_says_with_the_room_as_key() -> None:
    too_large = b'{"room_id":"r9","x":"' + b"x" * 70_000 + b'"}'
    records = [event(0, "r1"), tick(0), rules(0), BAD, UNREADABLE, event(1, "直播间"), too_large]
    steps = steps_of(plan_of(records))
    assert values(steps) == records
    for step in steps:
        expected = route(step.value, 4)
        assert step.partition == (EVERY_PARTITION if expected is None else expected)
    keys = [step.key for step in steps]
    assert keys == [b"r1", None, None, b"r1", None, "直播间".encode(), b"r9"]


def test_refused_records_are_counted_by_reason() -> None:
    plan = plan_of([*evening(1), BAD, UNREADABLE, UNREADABLE])
    steps_of(plan)
    assert plan.refused == {"invalid_field": 1, "not_json": 2}


# -- selection --


def test_from_and_to_are_offsets_from_the_first_believed_stamp() -> None:
    absurd = event(400 * 86_400)
    records = [absurd, *map(event, range(10))]
    selection = Selection(since=parse_moment("+2s"), until=parse_moment("+5s"))
    assert values(steps_of(plan_of(records, selection=selection))) == [event(2), event(3), event(4)]


def test_from_and_to_are_iso_times_too() -> None:
    selection = Selection(
        since=parse_moment("2021-11-11T20:00:02+08:00"), until=parse_moment("2021-11-11T12:00:04")
    )
    steps = steps_of(plan_of(evening(1, 2, 3, 4), selection=selection))
    assert values(steps) == [event(2), event(3)]


def test_malformed_and_absurd_records_are_selected_by_where_they_stand() -> None:
    absurd = event(400 * 86_400)
    records = [*evening(1), BAD, absurd, event(5), UNREADABLE, absurd, event(9)]
    selection = Selection(since=Moment(2_000, is_offset=True), until=Moment(8_000, is_offset=True))
    steps = steps_of(plan_of(records, selection=selection))
    assert values(steps) == [event(5), UNREADABLE, absurd]


def test_rules_from_before_the_beginning_stay_in_force() -> None:
    records = [tick(0), rules(0), event(1), event(5), rules(9)]
    selection = Selection(since=Moment(4_000, is_offset=True), until=Moment(6_000, is_offset=True))
    steps = steps_of(plan_of(records, selection=selection))
    assert values(steps) == [rules(0), event(5), rules(9)]
    assert due_seconds(steps) == [None, 5, 5]


def test_rooms_keep_their_records_readable_refused_ones_and_broadcasts() -> None:
    records = [tick(0), event(0, "r1"), event(0, "r2"), BAD, UNREADABLE, rules(0)]
    steps = steps_of(plan_of(records, selection=Selection(rooms=frozenset({"r1"}))))
    assert values(steps) == [tick(0), event(0, "r1"), BAD, rules(0)]


def test_nothing_selected_is_said() -> None:
    selection = Selection(since=Moment(86_400_000, is_offset=True))
    with pytest.raises(ReplayError, match="no record of the session matches"):
        steps_of(plan_of(evening(1), selection=selection))


@pytest.mark.parametrize(
    ("text", "ms"),
    [("+10m", 600_000), ("+1h30m", 5_400_000), ("+90s", 90_000), ("+1d", 86_400_000), ("+5ms", 5)],
)
def test_offsets(text: str, ms: int) -> None:
    assert parse_moment(text) == Moment(ms, is_offset=True)


@pytest.mark.parametrize("text", ["+", "+10", "+10x", "10m", "+-5m", "yesterday", "1999-01-01", ""])
def test_what_is_no_moment_is_said_in_one_line(text: str) -> None:
    with pytest.raises(ReplayError) as refused:
        parse_moment(text)
    assert "\n" not in str(refused.value)


def test_iso_times_are_utc_unless_they_say_otherwise() -> None:
    assert parse_time("2021-11-11T12:00:00") == BASE_MS
    assert parse_time("2021-11-11T12:00:00Z") == BASE_MS
    assert parse_time("2021-11-11T20:00:00.001+08:00") == BASE_MS + 1


# -- moving in time, further passes --


def test_rebase_moves_the_first_selected_record_to_the_given_time() -> None:
    selection = Selection(since=Moment(3_000, is_offset=True))
    plan = plan_of(evening(1, 3, 8), selection=selection, rebase_ms=BASE_MS + 86_400_000)
    steps = steps_of(plan)
    assert due_seconds(steps) == [86_400, 86_405]
    assert values(steps) == [event(86_400), event(86_405)]
    assert plan.first_ms == BASE_MS + 86_400_000


def test_rebase_moves_the_time_of_a_refunded_order_as_well() -> None:
    refund = Refund(
        event_id="e",
        ts_ms=BASE_MS + 1_000,
        room_id="r1",
        refund_id="f1",
        order_id="o1",
        buyer_id="b1",
        product_id="p1",
        amount_minor=5,
        ordered_ts_ms=BASE_MS - 7,
        reason="price",
    )
    (_, step) = steps_of(plan_of([tick(0), encode(refund)], rebase_ms=BASE_MS + 100))
    moved = codec.decode(step.value)
    assert isinstance(moved, Refund)
    assert (moved.ts_ms, moved.ordered_ts_ms) == (BASE_MS + 1_100, BASE_MS + 93)


def test_malformed_records_pass_untouched_and_unknown_fields_are_kept() -> None:
    odd = event(1)[:-1] + b',"x": [1.50, 1e400], "\xe7\x9b\xb4":"\\u76f4"}'
    steps = steps_of(plan_of([tick(0), BAD, odd], rebase_ms=BASE_MS + 1_000, passes=2))
    assert steps[1].value == BAD
    expected = event(2)[:-1] + b',"x":[1.50, 1e400],"\xe7\x9b\xb4":"\\u76f4"}'
    assert steps[2].value == expected
    assert steps[4].value == BAD
    assert steps[4].key == steps[1].key == b"r1"


def test_absurd_stamps_stay_in_the_accepted_range_when_moved() -> None:
    absurd = encode(RoomClosed(event_id="e", ts_ms=LATEST_MS - 5, room_id="r1"))
    ancient = encode(RoomClosed(event_id="e", ts_ms=EARLIEST_MS + 5, room_id="r1"))
    later = steps_of(plan_of([tick(0), absurd, event(1)], rebase_ms=BASE_MS + 1_000))
    assert codec.decode(later[1].value).ts_ms == LATEST_MS
    earlier = steps_of(plan_of([tick(0), ancient, event(1)], rebase_ms=BASE_MS - 1_000))
    assert codec.decode(earlier[1].value).ts_ms == EARLIEST_MS


def test_further_passes_follow_in_time_with_fresh_ids() -> None:
    order = Order(
        event_id="e1",
        ts_ms=BASE_MS + 4_000,
        room_id="r1",
        order_id="o1",
        buyer_id="b1",
        product_id="p1",
        quantity=1,
        amount_minor=5,
    )
    plan = plan_of([tick(0), encode(order)], passes=3)
    steps = steps_of(plan)
    period = (4_000 + PASS_GAP_MS) / 1_000
    assert due_seconds(steps) == [0, 4, period, period + 4, 2 * period, 2 * period + 4]
    orders = [codec.decode(step.value) for step in steps[1::2]]
    assert [getattr(one, "order_id", None) for one in orders] == ["o1", "o1~2", "o1~3"]
    assert [getattr(one, "room_id", None) for one in orders] == ["r1", "r1~2", "r1~3"]
    assert [one.event_id for one in orders] == ["e1", "e1~2", "e1~3"]
    assert {getattr(one, "buyer_id", None) for one in orders} == {"b1"}
    assert [one.ts_ms for one in orders] == [step.due_ms for step in steps[1::2]]
    for step, one in zip(steps[1::2], orders, strict=True):
        room_id = getattr(one, "room_id", "")
        assert step.key == room_id.encode()
        assert step.partition == partition_of_room(room_id, 4)
    assert plan.closing_tick_ms() == steps[-1].due_ms + CLOSING_MS


def test_ids_of_the_greatest_length_stay_valid_and_distinct_in_further_passes() -> None:
    rooms = ["x" * 63 + end for end in "ab"]
    records = [tick(0), *(event(1, room, name="e" * 64) for room in rooms)]
    steps = steps_of(plan_of(records, passes=12))
    found = [codec.decode(step.value) for step in steps if step.partition != EVERY_PARTITION]
    assert len({getattr(one, "room_id", None) for one in found}) == 24


def test_passes_go_on_until_the_year_2100() -> None:
    plan = plan_of([tick(0), event(1)], passes=None, rebase_ms=LATEST_MS - 4_500)
    steps: list[Step] = []

    def collect() -> None:
        for chunk in plan.steps():
            steps.extend(chunk)

    with pytest.raises(ReplayError, match="2100"):
        collect()
    assert len(steps) == 4
    assert all(not isinstance(found, InputError) for found in codec.decode_all(values(steps)))


def test_closing_tick_follows_what_was_sent_not_what_was_left_out() -> None:
    selection = Selection(until=Moment(3_000, is_offset=True))
    plan = plan_of(evening(1, 2, 3, 4), selection=selection)
    steps_of(plan)
    assert plan.closing_tick_ms() == BASE_MS + 2_000 + CLOSING_MS


def test_closing_tick_is_recognised() -> None:
    closing = codec.decode(replaying.closing_tick(BASE_MS))
    other = codec.decode(tick(0))
    assert isinstance(closing, Tick)
    assert isinstance(other, Tick)
    assert replaying.is_closing_tick(closing)
    assert not replaying.is_closing_tick(other)


def test_a_session_without_a_valid_record_is_sent_and_has_no_closing_tick() -> None:
    plan = plan_of([BAD, UNREADABLE], rebase_ms=BASE_MS)
    assert values(steps_of(plan)) == [BAD, UNREADABLE]
    assert plan.closing_tick_ms() is None
    assert plan.first_ms is None


# -- pacing --


def test_at_speed_x_event_time_runs_x_times_as_fast() -> None:
    pacer = Pacer(4)
    pacer.start(1_000, 50.0)
    assert pacer.wait_seconds(5_000, 50.0) == 1.0
    assert pacer.wait_seconds(5_000, 50.75) == 0.25
    assert pacer.wait_seconds(5_000, 51.0) == 0.0
    assert pacer.lag_seconds(5_000, 51.5) == 0.5
    assert pacer.wait_seconds(900, 50.0) == 0.0


def test_at_full_speed_nothing_waits_and_nothing_is_behind() -> None:
    pacer = Pacer(MAX_SPEED)
    pacer.start(1_000, 50.0)
    assert pacer.wait_seconds(10**15, 50.0) == 0.0
    assert pacer.lag_seconds(1_000, 99.0) == 0.0


def test_a_pause_moves_the_schedule() -> None:
    pacer = Pacer(1)
    pacer.start(0, 0.0)
    pacer.pause(0, 2.0)
    assert pacer.wait_seconds(3_000, 100.0) == math.inf
    pacer.resume(100.0)
    assert pacer.wait_seconds(3_000, 100.0) == 1.0


def test_another_speed_goes_on_from_where_event_time_is() -> None:
    pacer = Pacer(1)
    pacer.start(0, 0.0)
    pacer.set_speed(10, 0, 2.0)
    assert pacer.wait_seconds(12_000, 2.0) == 1.0
    pacer.set_speed(MAX_SPEED, 0, 3.0)
    assert pacer.wait_seconds(10**9, 3.0) == 0.0
    pacer.set_speed(1, 50_000, 4.0)  # from full speed: from the last record sent
    assert pacer.wait_seconds(51_000, 4.0) == 1.0


def test_steps_of_speed() -> None:
    assert (faster(1), faster(3), slower(1), slower(3)) == (2, 4, 0.5, 2)
    assert faster(4096) == faster(MAX_SPEED) == MAX_SPEED
    assert slower(MAX_SPEED) == 4096
    assert slower(1 / 16) == 1 / 16


@pytest.mark.parametrize("speed", [0.0, -1.0, math.nan])
def test_a_speed_is_greater_than_0(speed: float) -> None:
    with pytest.raises(ValueError, match="speed"):
        Pacer(speed)


# -- the run --


class FakeWaiter:
    """Time that passes only while the replay waits, or when a test says that work took time."""

    def __init__(self) -> None:
        self.seconds = 1_000.0
        self.script: list[tuple[float, Callable[[], None]]] = []

    def now_seconds(self) -> float:
        return self.seconds

    async def wait(self, seconds: float, wake: asyncio.Event) -> None:
        end = self.seconds + seconds
        if self.script and self.script[0][0] <= end:
            self.seconds, act = self.script.pop(0)
            act()
            assert wake.is_set()
            return
        self.seconds = end

    def at(self, seconds: float, act: Callable[[], None]) -> None:
        self.script.append((1_000.0 + seconds, act))


class FakeSender:
    """Keeps what was sent, with the time of its shipping."""

    def __init__(self, waiter: FakeWaiter, partitions: int, batch: int = 1_000_000) -> None:
        self.waiter = waiter
        self.batch = batch
        self.open: list[list[tuple[bytes | None, bytes]]] = [[] for _ in range(partitions)]
        self.sent: list[tuple[float, int, bytes]] = []
        self.delivered = [0] * partitions
        self.slow_seconds = 0.0
        self.flushed = False

    def try_add(self, partition: int, key: bytes | None, value: bytes) -> bool:
        if len(self.open[partition]) >= self.batch:
            return False
        self.open[partition].append((key, value))
        return True

    async def ship(self, partition: int) -> None:
        self.waiter.seconds += self.slow_seconds
        for _, value in self.open[partition]:
            self.sent.append((self.waiter.seconds - 1_000.0, partition, value))
        self.delivered[partition] += len(self.open[partition])
        self.open[partition] = []

    async def ship_all(self) -> None:
        for partition in range(len(self.open)):
            await self.ship(partition)

    async def flush(self) -> None:
        await self.ship_all()
        self.flushed = True


class Replay:
    """A runner with fakes around it."""

    def __init__(
        self,
        records: list[bytes],
        *,
        speed: float = 1,
        partitions: int = 1,
        **plan: Any,  # noqa: ANN401
    ) -> None:
        self.waiter = FakeWaiter()
        self.sender = FakeSender(self.waiter, partitions)
        self.control = Control(speed)
        self.progress: list[Progress] = []
        self.runner = Runner(
            plan=plan_of(records, partitions, **plan),
            sender=self.sender,
            partitions=partitions,
            control=self.control,
            waiter=self.waiter,
            largest_bytes=1_000_000,
            on_progress=self.progress.append,
        )

    async def run(self, *, with_closing_tick: bool = False) -> replaying.ReplayReport:
        return await self.runner.run(with_closing_tick=with_closing_tick)

    def sent_at(self) -> list[float]:
        return [round(seconds, 6) for seconds, _, _ in self.sender.sent]


async def test_each_event_is_sent_when_it_is_due() -> None:
    replay = Replay(evening(1, 1.5, 60))
    report = await replay.run()
    assert replay.sent_at() == [0, 1, 1.5, 60]
    assert report.elapsed_seconds == pytest.approx(60)
    assert report.max_lag_seconds == pytest.approx(0, abs=1e-6)


async def test_speed_divides_the_waiting() -> None:
    replay = Replay(evening(1, 10, 100), speed=10)
    await replay.run()
    assert replay.sent_at() == [0, 0.1, 1, 10]


async def test_at_full_speed_nothing_waits() -> None:
    replay = Replay(evening(1, 10, 100), speed=MAX_SPEED)
    report = await replay.run()
    assert replay.sent_at() == [0, 0, 0, 0]
    assert report.elapsed_seconds == 0


@given(st.lists(st.integers(0, 3_000), max_size=30), st.sampled_from([0.5, 1.0, 3.0, 50.0]))
@settings(deadline=None)
def test_no_event_is_early_and_none_later_than_a_turn(offsets_ms: list[int], speed: float) -> None:
    offsets_ms = sorted(offsets_ms)
    replay = Replay(evening(*(ms / 1000 for ms in offsets_ms)), speed=speed)
    asyncio.run(replay.run())
    for ms, seconds in zip([0, *offsets_ms], replay.sent_at(), strict=True):
        due = ms / 1000 / speed
        assert due - 1e-6 <= seconds <= due + TURN_SECONDS + 1e-6


async def test_a_late_event_is_sent_at_once() -> None:
    replay = Replay(evening(10, 2, 11))
    await replay.run()
    assert replay.sent_at() == [0, 10, 10, 11]


async def test_an_absurd_stamp_stalls_nothing() -> None:
    absurd = event(400 * 86_400)
    replay = Replay([*evening(1), absurd, event(2)])
    await replay.run()
    assert replay.sent_at() == [0, 1, 1, 2]


async def test_what_kafka_delayed_is_caught_up_on_the_schedule() -> None:
    replay = Replay(evening(1, 2, 3, 20))
    replay.sender.slow_seconds = 4.0
    report = await replay.run()
    # shipping the first took until 4: the next three are due at once, and the last is on time
    assert replay.sent_at() == [4, 8, 8, 8, 24]
    assert report.max_lag_seconds == pytest.approx(3)


async def test_space_pauses_and_resumes() -> None:
    replay = Replay(evening(1, 10))
    replay.waiter.at(4, lambda: press(replay.control, " "))
    replay.waiter.at(104, lambda: press(replay.control, " "))
    await replay.run()
    assert replay.sent_at() == [0, 1, 110]
    assert any(progress.paused for progress in replay.progress)


async def test_plus_and_minus_change_the_speed() -> None:
    replay = Replay(evening(10, 20, 30))
    replay.waiter.at(5, lambda: press(replay.control, "+"))
    replay.waiter.at(10, lambda: press(replay.control, "-"))
    await replay.run()
    # 5 s at x1, then x2 until event time 15, then x1 again
    assert replay.sent_at() == [0, 7.5, 15, 25]


async def test_q_stops_says_where_and_sends_no_closing_tick() -> None:
    replay = Replay(evening(1, 2, 50), partitions=2)
    replay.waiter.at(10, lambda: press(replay.control, "q"))
    report = await replay.run(with_closing_tick=True)
    assert report.stopped
    assert (report.events, report.last_ms) == (3, BASE_MS + 2_000)
    assert report.closing_tick_ms is None
    assert replay.sender.flushed
    assert sum(report.by_partition) == 4  # the tick stands in both


async def test_stop_at_full_speed_takes_effect_at_the_next_batch() -> None:
    replay = Replay([event(0)] * 100, speed=MAX_SPEED)
    replay.sender.batch = 10
    shipped = 0
    ship = replay.sender.ship

    async def ship_and_stop(partition: int) -> None:
        nonlocal shipped
        shipped += 1
        if shipped == 3:
            replay.control.stop()
        await ship(partition)

    replay.sender.ship = ship_and_stop  # type: ignore[method-assign]
    report = await replay.run()
    assert report.stopped
    assert report.events == 31
    assert report.by_partition == (31,)


async def test_other_keys_do_nothing() -> None:
    replay = Replay(evening(1))
    press(replay.control, "x")
    assert not replay.control.wake.is_set()


async def test_closing_tick_goes_to_every_partition_at_once_at_the_end() -> None:
    replay = Replay(evening(1), partitions=3)
    report = await replay.run(with_closing_tick=True)
    assert report.closing_tick_ms == BASE_MS + 1_000 + CLOSING_MS
    last = [at for _, at, value in replay.sender.sent if b"closing-tick" in value]
    assert last == [0, 1, 2]
    assert replay.sent_at()[-1] == 1
    assert report.events == 2
    assert sum(report.by_partition) == 3 + 1 + 3


async def test_order_within_each_partition_is_the_sessions() -> None:
    rooms = [f"r{number % 7}" for number in range(200)]
    records = [tick(0), *(event(at / 10, room) for at, room in enumerate(rooms))]
    replay = Replay(records, partitions=4, speed=5)
    replay.sender.batch = 3
    await replay.run()
    for partition in range(4):
        sent = [value for _, at, value in replay.sender.sent if at == partition]
        assert sent == [one for one in records if route(one, 4) in (None, partition)]


async def test_records_that_the_topic_does_not_take_are_counted_and_left_out() -> None:
    replay = Replay([*evening(1), b"x" * 1_000_001, event(2)])
    report = await replay.run()
    assert (report.events, report.too_large) == (3, 1)
    assert report.refused == {"too_large": 1}


async def test_progress_is_told_about_ten_times_a_second() -> None:
    replay = Replay(evening(1, 2, 3))
    await replay.run()
    assert 25 <= len(replay.progress) <= 3 / PROGRESS_SECONDS + 2
    assert replay.progress[-1].events == 4
    assert replay.progress[-1].event_ms == BASE_MS + 3_000


async def test_a_session_of_malformed_records_alone_is_sent_at_once() -> None:
    replay = Replay([BAD, UNREADABLE])
    report = await replay.run(with_closing_tick=True)
    assert replay.sent_at() == [0, 0]
    assert (report.events, report.closing_tick_ms, report.last_ms) == (2, None, None)


def test_golden_steps() -> None:
    """One small session, whole: what is sent, where, when."""
    exposure = Exposure(event_id="x", ts_ms=BASE_MS + 500, room_id="r2", impressions=3)
    steps = steps_of(plan_of([tick(0), encode(exposure), BAD], partitions=2, selection=ALL))
    shown = [(s.due_ms - BASE_MS, s.partition, s.key, json.loads(s.value)["type"]) for s in steps]
    assert shown == [
        (0, EVERY_PARTITION, None, "tick"),
        (500, partition_of_room("r2", 2), b"r2", "exposure"),
        (500, partition_of_room("r1", 2), b"r1", "view"),
    ]
