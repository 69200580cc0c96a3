"""Does the worker's shell keep its order, hold no more than it should, and judge itself rightly?

No Kafka here: hand-made adapters record what the stage does with them.
"""

import asyncio
import gc
import logging
import time
import weakref
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from aiokafka.errors import KafkaConnectionError, KafkaTimeoutError, TopicAuthorizationFailedError

from schemas import topics
from schemas.codec import Order, encode
from schemas.records import (
    AnyBoard,
    Board,
    Counts,
    Progress,
    RoomFigures,
    RoomMinute,
    Version,
    board_key,
)
from streams.core.boards import BoardFold
from streams.core.partition import Partition
from streams.shell import board_stage, log_ends, patience, room_stage
from streams.shell.batch_transport import Batch
from streams.shell.checkpoints import ForeignStateError
from streams.shell.liveness import stuck_partitions
from streams.shell.log_ends import LogEnds
from streams.shell.metrics import WorkerView
from streams.shell.patience import KafkaSilentError, connected, patiently
from streams.shell.publisher import KafkaPublisher
from streams.shell.room_stage import PartitionHealth, RoomStage, packed
from streams.shell.settings import WorkerSettings
from streams.shell.ticker import Ticker
from streams.shell.worker import Worker

BASE_MS = 1_636_632_000_000


def order(number: int, *, room_id: str = "room-1", ts_ms: int | None = None) -> bytes:
    return encode(
        Order(
            event_id=f"{room_id}-{number}",
            ts_ms=BASE_MS + number * 1_000 if ts_ms is None else ts_ms,
            room_id=room_id,
            order_id=f"{room_id}-{number}",
            buyer_id="b",
            product_id="p",
            quantity=1,
            amount_minor=100,
        )
    )


class Clock:
    """Says what it is told to say."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Log:
    """A clock, a publisher, checkpoints and a position that write down what is done with them."""

    def __init__(self, saved: dict[int, bytes] | None = None) -> None:
        self.done: list[str] = []
        self.saved = saved or {}
        self.now = 0.0
        self.published: list[tuple[str, bytes, msgspec.Struct | None]] = []
        self.may_load = asyncio.Event()
        self.may_load.set()
        self.first_kept = 0

    def seconds(self) -> float:
        return self.now

    async def publish(
        self,
        topic: str,
        items: Sequence[tuple[bytes, msgspec.Struct | None]],
        partition: int = 0,  # noqa: ARG002 - as the port has it
    ) -> None:
        self.done.append(f"publish {topic}")
        self.published += [(topic, key, record) for key, record in items]

    async def flush(self) -> None:
        self.done.append("flush")

    async def load(self, partition: int) -> bytes | None:
        self.done.append(f"load {partition}")
        await self.may_load.wait()
        return self.saved.get(partition)

    async def save(self, partition: int, next_offsets: tuple[int, ...], state: bytes) -> None:
        self.done.append(f"save {partition} at {next_offsets[0]}")
        self.saved[partition] = state

    async def rewind(self, partition: int, next_offset: int, first_offset: int) -> bool:
        self.done.append(f"rewind {partition} to {next_offset}")
        return max(next_offset, self.first_kept) < first_offset

    def stage(self) -> RoomStage:
        return RoomStage(self, self, self, self.seconds)


async def take(stage: RoomStage, log: Log, first: int, count: int, number: int = 0) -> None:
    offsets = list(range(first, first + count))
    values = [order(offset) for offset in offsets]
    await stage.take(number, offsets, values, lambda: log.done.append(f"ack {first}"))


# -- the room stage --


async def test_publish_flush_save_acknowledge_in_this_order() -> None:
    log = Log()
    stage = log.stage()
    stage.expect([0])
    await take(stage, log, 0, 100)
    await take(stage, log, 100, 10)
    await stage.save()
    # what every partition of identities gets is published to each
    assert list(dict.fromkeys(log.done)) == [
        "load 0",
        "publish room-minutes",
        "publish identity-links",
        "flush",
        "save 0 at 110",
        "ack 0",
        "ack 100",
    ]


async def test_nothing_is_acknowledged_after_a_rebalance() -> None:
    log = Log()
    stage = log.stage()
    stage.expect([0])
    await take(stage, log, 0, 10)
    await stage.leave()
    stage.expect([0])
    await stage.save()
    assert [line for line in log.done if line.startswith(("ack", "save"))] == []
    assert log.done[-1] == "flush", "what was made before is written before the group goes on"


async def test_a_state_that_was_being_loaded_when_the_group_changed_is_not_kept() -> None:
    log = Log()
    stage = log.stage()
    stage.expect([0])
    log.may_load.clear()
    taking = asyncio.create_task(take(stage, log, 0, 10))
    while not log.done:  # noqa: ASYNC110 - the stage tells nobody
        await asyncio.sleep(0)
    await stage.leave()
    stage.expect([1])
    log.may_load.set()
    await taking
    assert stage.partitions == {}
    assert list(stage.health) == [1]


async def test_a_batch_of_the_past_does_not_reach_a_new_state() -> None:
    log = Log()
    stage = log.stage()
    stage.expect([0])
    await take(stage, log, 0, 10)
    slot = stage._slots[0]
    async with slot.lock:
        taking = asyncio.create_task(take(stage, log, 10, 10))
        await asyncio.sleep(0)
        stage.expect([0])
    await taking
    assert slot.partition.next_offset == 10
    assert slot.unacknowledged[1:] == []


async def test_state_is_there_before_any_record_comes() -> None:
    partition = Partition(3)
    partition.fold([0], [order(0)], [msgspec.json.decode(order(0), type=Order)])
    log = Log({3: packed(partition)})
    stage = log.stage()
    stage.expect([3, 1])
    assert stage.partitions == {}
    await stage.open(1)
    await stage.open(3)
    await stage.open(3)
    assert {number: each.next_offset for number, each in stage.partitions.items()} == {1: 0, 3: 1}
    assert log.done == ["load 1", "load 3"]


async def test_records_before_the_first_batch_are_read_first() -> None:
    log = Log()
    stage = log.stage()
    stage.expect([0])
    await take(stage, log, 50, 10)
    await take(stage, log, 60, 10)  # was on its way already
    assert log.done == ["load 0", "rewind 0 to 0", "rewind 0 to 0"]
    await take(stage, log, 0, 50)
    assert stage.partitions[0].next_offset == 50


async def test_a_hole_in_the_offsets_is_gone_back_for_once() -> None:
    """A transaction of a producer leaves an offset without a record."""
    log = Log()
    stage = log.stage()
    stage.expect([0])
    await take(stage, log, 1, 10)
    await take(stage, log, 1, 10)
    assert log.done.count("rewind 0 to 0") == 1
    assert stage.partitions[0].next_offset == 11


async def test_all_rooms_come_to_stand_at_the_last_watermark(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also when a record that moves no watermark comes in the middle of showing them again."""
    monkeypatch.setattr(room_stage, "_IDLE_ROOMS", 2)
    log = Log()
    stage = log.stage()
    stage.expect([0])
    rooms = [f"room-{number}" for number in range(7)]
    values = [order(1, room_id=room_id, ts_ms=BASE_MS) for room_id in rooms]
    values.append(order(2, room_id="room-0", ts_ms=BASE_MS + 60_000))
    await stage.take(0, list(range(8)), values, lambda: None)
    await stage.refresh()
    await stage.refresh()
    await stage.take(0, [8], [b"no json"], lambda: None)
    for _ in range(8):
        await stage.refresh()
    newest: dict[str, int | None] = {}
    for _, _, record in log.published:
        if isinstance(record, RoomFigures):
            newest[record.summary.room_id] = record.summary.as_of_ms
    assert newest == dict.fromkeys(rooms, BASE_MS + 55_000)


async def test_a_state_of_another_log_is_refused() -> None:
    log = Log()
    stage = log.stage()
    stage.expect([0])
    await take(stage, log, 0, 10)
    stage.compare({0: 10}, {0: 10})
    stage.compare({0: 5}, {0: 7})  # folded on while the end was asked for
    with pytest.raises(ForeignStateError, match="folded up to offset 10, but the log ends at 4"):
        stage.compare({0: 10}, {0: 4})


# -- is it alive? --


def view(health: dict[int, PartitionHealth], lag: dict[int, int], now: float) -> WorkerView:
    progress = {number: _progress(number, 5) for number in lag}
    return WorkerView(progress, health, lag, [], {}, leads=False, now=now, epoch_ms=0)


def test_lag_without_progress_is_stuck_and_idleness_is_not() -> None:
    health = {0: PartitionHealth(progressed_at=100), 1: PartitionHealth(progressed_at=100)}
    assert stuck_partitions(view(health, {0: 7, 1: 0}, 130), 30) == []
    assert stuck_partitions(view(health, {0: 7, 1: 0}, 131), 30) == [0]


def test_a_state_that_does_not_load_is_stuck() -> None:
    health = {2: PartitionHealth(progressed_at=100)}
    assert stuck_partitions(view(health, {}, 130), 30) == []
    assert stuck_partitions(view(health, {}, 131), 30) == [2]


async def test_a_record_after_a_quiet_night_is_no_lag_of_a_night() -> None:
    log = Log()
    stage = log.stage()
    stage.expect([0])
    await take(stage, log, 0, 10)
    log.now = 30_000
    stage.compare({0: 10}, {0: 10})
    assert stuck_partitions(view(stage.health, {0: 1}, 30_001), 30) == []
    assert stuck_partitions(view(stage.health, {0: 1}, 30_031), 30) == [0]


# -- ticks --


def _progress(number: int, offset: int, watermark_ms: int | None = None) -> Progress:
    return Progress(
        version=Version(number, offset),
        watermark_ms=watermark_ms,
        counts=Counts(),
        rejected_by_reason={},
        by_type={},
        duplicate_by_type={},
        evicted={},
        rules_version=None,
        rooms=0,
        waiting=0,
    )


def test_a_silent_partition_gets_the_least_watermark_of_the_others() -> None:
    clock = Clock()
    ticker = Ticker(3, 5, clock)
    silent = _progress(0, 10, BASE_MS)
    for clock.now in (0.0, 4.9):
        offset = 100 + int(clock.now)
        moving = {
            1: _progress(1, offset, BASE_MS + 60_000),
            2: _progress(2, offset, BASE_MS + 50_000),
        }
        assert ticker.due({0: silent, **moving}, {0: 10, 1: offset, 2: offset}) == {}
    clock.now = 5.0
    moving = {1: _progress(1, 200, BASE_MS + 70_000), 2: _progress(2, 200, BASE_MS + 65_000)}
    assert ticker.due({0: silent, **moving}, {0: 10, 1: 200, 2: 200}) == {0: BASE_MS + 65_000}


def test_a_partition_whose_worker_is_gone_is_not_silent() -> None:
    clock = Clock()
    ticker = Ticker(2, 5, clock)
    waiting = _progress(0, 10, BASE_MS)
    for clock.now in (0.0, 100.0, 200.0):
        moving = _progress(1, int(clock.now), BASE_MS + 60_000)
        assert ticker.due({0: waiting, 1: moving}, {0: 11, 1: int(clock.now)}) == {}


def test_a_session_that_is_over_gets_no_ticks() -> None:
    clock = Clock()
    ticker = Ticker(2, 5, clock)
    over = {0: _progress(0, 10, BASE_MS), 1: _progress(1, 20, BASE_MS + 60_000)}
    for clock.now in (0.0, 100.0, 200.0):
        assert ticker.due(over, {0: 10, 1: 20}) == {}


# -- boards --


def _boards(*currencies: str | None) -> list[AnyBoard]:
    return [Board("room", "total", currency, None, []) for currency in currencies]


def test_boards_that_changed_are_written_and_those_that_are_gone_taken_back() -> None:
    (none, cny) = _boards(None, "CNY")
    published = {board_key(none): none, b"of a former leader": None}
    changed = dict(board_stage.changed_boards(published, [cny]))
    assert changed == {board_key(none): None, b"of a former leader": None, board_key(cny): cny}
    assert board_stage.changed_boards({board_key(cny): cny}, [cny]) == []
    assert board_stage.changed_boards({board_key(cny): None}, [cny]) == [(board_key(cny), cny)]


def test_a_minute_that_comes_twice_counts_once() -> None:
    fold = BoardFold(ZoneInfo("Asia/Shanghai"))
    line = RoomMinute("room-1", BASE_MS, 1, 100, 0, 1, 1, 0, 0, 0)
    fold.apply_minute(line)
    fold.apply_minute(line)
    sums = fold._windows.last(60, BASE_MS + 120_000)
    assert sums["room-1"].gross_minor == 100


# -- a Kafka that is away --


async def test_what_may_pass_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "_PAUSE_SECONDS", 0)
    errors = [KafkaConnectionError("gone"), KafkaTimeoutError("late")]

    async def ask() -> str:
        if errors:
            raise errors.pop()
        return "there"

    assert await patiently(ask, "x") == "there"


async def test_what_does_not_pass_is_raised_at_once() -> None:
    async def ask() -> str:
        raise TopicAuthorizationFailedError("boards")

    with pytest.raises(TopicAuthorizationFailedError):
        await patiently(ask, "x")


async def test_patience_ends() -> None:
    async def ask() -> None:
        await asyncio.Event().wait()

    with pytest.raises(KafkaSilentError, match="boards cannot be read"):
        await patiently(ask, "boards cannot be read", 0.01)


class _Ends:
    """Where the log ends, or that Kafka is away."""

    def __init__(self) -> None:
        self.error: Exception | None = None

    async def end_offsets(self, targets: list[Any]) -> dict[Any, int]:
        if self.error is not None:
            raise self.error
        return dict.fromkeys(targets, 7)


async def test_a_silence_is_told_once_and_so_is_its_end(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock()
    consumer = _Ends()
    monkeypatch.setattr(log_ends, "from_start", lambda *_: consumer)
    ends = LogEnds("nowhere:1", 2, clock)
    with caplog.at_level(logging.WARNING, "roompulse.worker"):
        assert await ends.poll()
        assert ends.ends == {0: 7, 1: 7}
        consumer.error = KafkaConnectionError("gone")
        for clock.now in (1.0, 6.0, 7.0, 20.0):
            assert not await ends.poll()
        consumer.error = None
        clock.now = 21.0
        assert await ends.poll()
        assert await ends.poll()
    assert [record.message for record in caplog.records] == [
        "Kafka does not answer; waiting for it, for 120 s at most",
        "Kafka answers again after 21 s",
    ]
    consumer.error = KafkaConnectionError("gone")
    clock.now = 21.0 + 121.0
    with pytest.raises(KafkaSilentError):
        await ends.poll()


class _Producer:
    """A producer whose broker is away: nothing is acknowledged, and there is room for one batch."""

    def __init__(self) -> None:
        self.future: asyncio.Future[object] = asyncio.get_running_loop().create_future()
        self.sent = 0

    def create_batch(self) -> "_Producer":
        return self

    def append(self, **_: object) -> object:
        return self

    def record_count(self) -> int:
        return 1

    def close(self) -> None:
        pass

    async def send_batch(self, *_: object, **__: object) -> "asyncio.Future[object]":
        self.sent += 1
        if self.sent > 1 and not self.future.done():
            await asyncio.sleep(0)
            raise KafkaTimeoutError
        return self.future


async def test_an_outage_is_waited_for_and_then_ends_all(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", clock)
    kafka = KafkaPublisher("nowhere:1")
    real, producer = kafka._producer, _Producer()
    kafka._producer = producer
    await real.stop()
    items = [(b"key", Counts())]
    await kafka.publish(topics.BOARDS, items)
    publishing = asyncio.create_task(kafka.publish(topics.BOARDS, items))
    for clock.now in (16.0, 60.0, 119.0):
        for _ in range(10):
            await asyncio.sleep(0)
        assert not publishing.done()
    clock.now = 121.0
    with pytest.raises(KafkaSilentError, match="boards cannot be written"):
        await publishing
    producer.future.set_result(None)
    await kafka.flush()
    await kafka.publish(topics.BOARDS, items)


# -- memory --


class _Values(list[bytes]):
    """A list that can be watched going away."""


class _Message:
    def __init__(self, values: _Values) -> None:
        self.partition = 0
        self.value: Batch | None = Batch(list(range(len(values))), values, 0)
        self.ack = lambda _: True


class _Event:
    def __init__(self, message: _Message) -> None:
        self.message = message
        self.value = message.value


class _Stream:
    def __init__(self, messages: list[_Message]) -> None:
        self._messages = messages

    def noack(self) -> "_Stream":
        return self

    async def events(self) -> Any:  # noqa: ANN401 - an async generator
        for message in self._messages:
            yield _Event(message)


async def test_records_are_released_once_they_are_folded() -> None:
    """Messages are kept until a checkpoint is durable; the records in them are not."""
    worker = Worker(WorkerSettings(kafka="127.0.0.1:1"), 4)
    log = Log()
    worker._stage = log.stage()
    worker._stage.expect([0])
    worker.app._consumer = object()
    watched, messages = [], []
    for _ in range(3):
        values = _Values(order(number) for number in range(100))
        watched.append(weakref.ref(values))
        messages.append(_Message(values))
    del values
    await worker._fold(_Stream(messages))
    gc.collect()
    assert len(worker._stage._slots[0].unacknowledged) == 3
    assert [each() for each in watched] == [None, None, None]
    await worker._close()


async def test_whoever_cancels_a_connection_that_is_being_made_waits_for_it() -> None:
    ended: list[str] = []
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def start() -> None:
        begun.set()
        await may_end.wait()
        ended.append("connected")

    connecting = asyncio.create_task(connected(start, "x"))
    await begun.wait()
    connecting.cancel()
    await asyncio.sleep(0)
    assert not connecting.done()
    may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await connecting
    assert ended == ["connected"]


async def test_a_connection_that_is_never_made_is_not_waited_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(patience, "_FINISH_SECONDS", 0.01)
    begun = asyncio.Event()

    async def start() -> None:
        begun.set()
        await asyncio.Event().wait()

    connecting = asyncio.create_task(connected(start, "x"))
    await begun.wait()
    connecting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await connecting
