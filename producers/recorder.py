"""How does a topic become a session file?

Partitions are merged by arrival as far as Kafka tells: by record timestamp, then partition, then
offset; within a partition the order is the partition's, whatever the timestamps say. A tick or
rule set that was written to several partitions stands once in the file, behind all that was before
it and ahead of all that was behind it in each of them. Bytes are untouched.

Bounds: `HELD` records a partition are held, and more only of the last `BROADCAST_MS` before a tick
or rule set is found, or found missing, in every partition.
"""

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from producers.kafka import (
    BrokerError,
    KafkaError,
    TopicPartition,
    connected_consumer,
    partition_count,
)
from producers.replay import is_closing_tick
from schemas.codec import Rules, Tick, decode_all
from schemas.topics import LIVE_EVENTS

HELD = 20_000
# One writer puts a tick into all partitions within milliseconds; a stalled one may take longer.
BROADCAST_MS = 2_000
# A record may reach its partition this much after its timestamp was taken.
IN_TRANSIT_MS = 1_000
_ENDED_MS = 1 << 62
_POLL_MS = 200


class Arrived(NamedTuple):
    """A record of a partition; `key_ms` is the greatest timestamp of the partition up to it."""

    key_ms: int
    offset: int
    value: bytes
    is_broadcast: bool


class Merger:
    """Puts the records of several partitions into one order, as soon as that is known. Pure.

    Attributes:
        closing_ticks_dropped: closing ticks of replays that were left out, as asked.
    """

    def __init__(self, partitions: int, *, with_closing_ticks: bool = True) -> None:
        self._queues: list[deque[Arrived]] = [deque() for _ in range(partitions)]
        # nothing that still comes from a partition has a lesser key
        self._floors_ms = [0] * partitions
        # broadcasts that were taken already and still stand in a partition
        self._taken: list[Counter[bytes]] = [Counter() for _ in range(partitions)]
        # while a broadcast is looked for in every partition: up to which timestamp
        self._looking_up_to_ms = -1
        self._with_closing_ticks = with_closing_ticks
        self.closing_ticks_dropped = 0

    def wants(self, partition: int) -> bool:
        """Whether more of a partition should be read now."""
        if len(self._queues[partition]) < HELD:
            return True
        return self._floors_ms[partition] <= self._looking_up_to_ms

    def add(self, partition: int, records: Iterable[tuple[int, int, bytes]]) -> None:
        """Take the next (timestamp, offset, value) of a partition, in order of offset."""
        batch = list(records)
        queue, key_ms = self._queues[partition], self._floors_ms[partition]
        events = decode_all([value for _, _, value in batch])
        for (timestamp_ms, offset, value), event in zip(batch, events, strict=True):
            key_ms = max(key_ms, timestamp_ms)
            if isinstance(event, Tick) and not self._with_closing_ticks and is_closing_tick(event):
                self.closing_ticks_dropped += 1
                continue
            queue.append(Arrived(key_ms, offset, value, isinstance(event, Tick | Rules)))
        self._floors_ms[partition] = key_ms

    def idle_until(self, partition: int, timestamp_ms: int) -> None:
        """Say that a partition holds nothing more with a timestamp up to this one."""
        self._floors_ms[partition] = max(self._floors_ms[partition], timestamp_ms)

    def end(self, partition: int) -> None:
        """Say that nothing more comes from a partition."""
        self._floors_ms[partition] = _ENDED_MS

    def take(self) -> list[bytes]:
        """The records whose place is known now."""
        out: list[bytes] = []
        self._looking_up_to_ms = -1
        while True:
            partition = self._least()
            if partition is None:
                return out
            head = self._queues[partition][0]
            if not head.is_broadcast:
                out.append(self._queues[partition].popleft().value)
            elif self._taken[partition][head.value]:
                self._drop(partition, head)
            elif (holders := self._holders(head)) is None:
                self._looking_up_to_ms = head.key_ms + BROADCAST_MS
                return out
            else:
                self._take_broadcast(head, holders, out)

    def _least(self) -> int | None:
        """The partition whose first record is next; None if that is not known yet."""
        heads = [
            (queue[0].key_ms, partition) for partition, queue in enumerate(self._queues) if queue
        ]
        if not heads:
            return None
        key_ms, partition = min(heads)
        for other, queue in enumerate(self._queues):
            if not queue and (self._floors_ms[other], other) < (key_ms, partition):
                return None
        return partition

    def _holders(self, broadcast: Arrived) -> list[int] | None:
        """The partitions that hold this broadcast; None while one of them may still get it."""
        limit_ms = broadcast.key_ms + BROADCAST_MS
        holders = []
        for partition, queue in enumerate(self._queues):
            if self._finds(queue, broadcast.value, limit_ms):
                holders.append(partition)
            elif self._floors_ms[partition] <= limit_ms:
                return None
        return holders

    @staticmethod
    def _finds(queue: deque[Arrived], value: bytes, limit_ms: int) -> bool:
        for arrived in queue:
            if arrived.key_ms > limit_ms:
                return False
            if arrived.is_broadcast and arrived.value == value:
                return True
        return False

    def _take_broadcast(self, broadcast: Arrived, holders: list[int], out: list[bytes]) -> None:
        """Take what stands before a broadcast in each of its partitions, then itself, once."""
        while True:
            ahead = [
                (queue[0].key_ms, partition)
                for partition in holders
                if (queue := self._queues[partition])[0].value != broadcast.value
            ]
            if not ahead:
                break
            partition = min(ahead)[1]
            head = self._queues[partition][0]
            if head.is_broadcast and self._taken[partition][head.value]:
                self._drop(partition, head)
                continue
            self._queues[partition].popleft()
            out.append(head.value)
            if head.is_broadcast:
                # two writers' broadcasts stand in different orders; each is still taken once
                self._expect_elsewhere(head)
        for partition in holders:
            self._queues[partition].popleft()
        out.append(broadcast.value)

    def _expect_elsewhere(self, broadcast: Arrived) -> None:
        limit_ms = broadcast.key_ms + BROADCAST_MS
        for partition, queue in enumerate(self._queues):
            if self._finds(queue, broadcast.value, limit_ms):
                self._taken[partition][broadcast.value] += 1

    def _drop(self, partition: int, head: Arrived) -> None:
        self._queues[partition].popleft()
        self._taken[partition][head.value] -= 1


@dataclass(frozen=True, slots=True)
class RecordReport:
    """What was recorded.

    Attributes:
        records: records of the file.
        by_partition: records read, ticks and rule sets in each.
        closing_ticks_dropped: records read that were closing ticks and left out.
    """

    records: int
    by_partition: tuple[int, ...]
    closing_ticks_dropped: int


class Write(Protocol):
    """Where the records of the session go, in order."""

    def __call__(self, records: list[bytes], /) -> object: ...


async def record(
    bootstrap: str,
    write: Write,
    *,
    topic: str = LIVE_EVENTS,
    from_start: bool = True,
    until_end: bool = False,
    seconds: float | None = None,
    with_closing_ticks: bool = True,
    stop: asyncio.Event | None = None,
    on_progress: Callable[[int], None] | None = None,
) -> RecordReport:
    """Read a topic and hand its records to `write` in order of arrival, until told to stop.

    Args:
        bootstrap: `host:port` of Kafka, several with commas.
        write: takes the next records, for example `SessionWriter.write_all`.
        topic: it has to exist.
        from_start: all that the topic still has; otherwise only what comes from now on.
        until_end: stop at what was the end of the topic at the start.
        seconds: stop after so long.
        with_closing_ticks: keep the ticks that replays wrote at their end; without them the file
            replays to the same topic again.
        stop: stop when it is set; what was read is still written.
        on_progress: told how many records were written, a few times a second.

    Raises:
        BrokerError: no Kafka, no such topic, or Kafka refuses.
    """
    async with connected_consumer(bootstrap) as consumer:
        partitions = await partition_count(consumer, topic, bootstrap)
        recording = _Recording(
            consumer, topic, partitions, Merger(partitions, with_closing_ticks=with_closing_ticks)
        )
        try:
            await recording.seek(from_start=from_start, until_end=until_end)
            await recording.run(write, seconds, stop or asyncio.Event(), on_progress)
        except KafkaError as error:
            reason = str(error) or type(error).__name__
            raise BrokerError(f"topic {topic!r} cannot be read: {reason}") from error
        return recording.report()


class _Recording:
    """One run over the partitions of a topic."""

    def __init__(self, consumer: object, topic: str, partitions: int, merger: Merger) -> None:
        self._consumer: Any = consumer
        self._tps = [TopicPartition(topic, partition) for partition in range(partitions)]
        self._merger = merger
        self._ends: dict[TopicPartition, int] | None = None
        self._open = set(self._tps)
        self._read = [0] * partitions
        self._written = 0

    def report(self) -> RecordReport:
        return RecordReport(self._written, tuple(self._read), self._merger.closing_ticks_dropped)

    async def seek(self, *, from_start: bool, until_end: bool) -> None:
        consumer = self._consumer
        consumer.assign(self._tps)
        starts = await consumer.beginning_offsets(self._tps)
        ends = await consumer.end_offsets(self._tps)
        for tp in self._tps:
            # `seek_to_beginning` right after `assign` may leave the position at the end
            consumer.seek(tp, starts[tp] if from_start else ends[tp])
        if until_end:
            self._ends = ends
            for tp in self._tps:
                if (starts[tp] if from_start else ends[tp]) >= ends[tp]:
                    self._close(tp)

    async def run(
        self,
        write: Write,
        seconds: float | None,
        stop: asyncio.Event,
        on_progress: Callable[[int], None] | None,
    ) -> None:
        until_seconds = None if seconds is None else time.monotonic() + seconds
        while self._open and not stop.is_set():
            if until_seconds is not None and time.monotonic() >= until_seconds:
                break
            await self._poll()
            self._write(write)
            if on_progress is not None:
                on_progress(self._written)
        for tp in list(self._open):
            self._close(tp)
        self._write(write)

    async def _poll(self) -> None:
        wanted = [tp for tp in self._tps if tp in self._open and self._merger.wants(tp.partition)]
        assert wanted, "the merger waits for a partition that it does not want to read"
        batches = await self._consumer.getmany(*wanted, timeout_ms=_POLL_MS, max_records=HELD)
        now_ms = int(time.time() * 1000)
        for tp in wanted:
            if records := batches.get(tp):
                self._add(tp, records)
            elif self._consumer.highwater(tp) == await self._consumer.position(tp):
                self._merger.idle_until(tp.partition, now_ms - IN_TRANSIT_MS)
        if self._ends is not None:
            for tp in wanted:
                if await self._consumer.position(tp) >= self._ends[tp]:
                    self._close(tp)

    def _add(self, tp: TopicPartition, records: list[Any]) -> None:
        if self._ends is not None:
            records = [record for record in records if record.offset < self._ends[tp]]
        self._read[tp.partition] += len(records)
        self._merger.add(
            tp.partition,
            [(record.timestamp, record.offset, record.value or b"") for record in records],
        )

    def _close(self, tp: TopicPartition) -> None:
        self._open.discard(tp)
        self._merger.end(tp.partition)

    def _write(self, write: Write) -> None:
        if records := self._merger.take():
            write(records)
            self._written += len(records)
