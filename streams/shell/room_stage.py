"""Stage 1 around the core, in a fixed order: fold, publish, flush, save, acknowledge.

Gather: a batch of one partition comes in. Decide: the core folds it. Apply: what it emits is handed
to the publisher before the next batch is taken. A checkpoint holds the state of a moment at which
all emissions were handed over; it is saved after they are durable, and only then are the batches
before it acknowledged. So whatever a crash loses is folded again, and gives the same records.

State of a partition is loaded when its first batch comes, and forgotten on any rebalance.
"""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import msgspec
import zstandard

from schemas import codec, records, topics
from schemas.records import ProductFigures, RoomFigures
from streams.core.partition import Emissions, Partition
from streams.core.room import Room
from streams.shell.ports import Checkpoints, Position, Publisher

_ZSTD_LEVEL = 1  # state is mostly ids: higher levels cost time and gain little
# How many unchanged rooms are shown again a second once a partition has nothing else to do, so that
# all figures come to stand at the final watermark. Worst case: 2,000 records of 1 KB a second.
_IDLE_ROOMS = 2_000


@dataclass(slots=True)
class PartitionHealth:
    """What a scrape wants to know of a partition's fold."""

    batches: int = 0
    records: int = 0
    fold_seconds: float = 0.0
    largest_batch: int = 0
    saved_at: float | None = None
    saved_bytes: int = 0
    progressed_at: float = 0.0
    newest_record_ms: int = 0


@dataclass(slots=True)
class _Slot:
    """A partition that is ours: its state, and what is not acknowledged yet."""

    partition: Partition
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    saving: asyncio.Lock = field(default_factory=asyncio.Lock)
    unacknowledged: list[Callable[[], None]] = field(default_factory=list)
    saved_offset: int = 0
    shown_offset: int = -1
    shown_watermark_ms: int | None = None
    idle_rooms: Iterator[Room] | None = None
    health: PartitionHealth = field(default_factory=PartitionHealth)


class RoomStage:
    """Folds the batches of the partitions that this worker has.

    Args:
        seconds: a monotonic clock, for ages and durations only.
    """

    def __init__(
        self,
        publisher: Publisher,
        checkpoints: Checkpoints,
        position: Position,
        seconds: Callable[[], float],
    ) -> None:
        self._publisher = publisher
        self._checkpoints = checkpoints
        self._position = position
        self._seconds = seconds
        self._slots: dict[int, _Slot] = {}

    def forget(self) -> None:
        """Drop all state: partitions may have gone to other workers."""
        self._slots = {}

    @property
    def partitions(self) -> dict[int, Partition]:
        return {number: slot.partition for number, slot in self._slots.items()}

    @property
    def health(self) -> dict[int, PartitionHealth]:
        return {number: slot.health for number, slot in self._slots.items()}

    async def take(
        self,
        number: int,
        offsets: list[int],
        values: list[bytes],
        acknowledge: Callable[[], None],
        newest_record_ms: int = 0,
    ) -> None:
        """Fold a batch and publish what it emits; it is acknowledged with a later checkpoint."""
        slot = self._slots.get(number)
        if slot is None:
            slot = await self._load(number, offsets[0])
            if slot is None:
                return
        async with slot.lock:
            started = self._seconds()
            emissions = slot.partition.fold(offsets, values, codec.decode_all(values))
            slot.unacknowledged.append(acknowledge)
            _measure(slot.health, len(offsets), started, self._seconds(), newest_record_ms)
            await self._publish(emissions)

    async def _load(self, number: int, first_offset: int) -> _Slot | None:
        """The state that the log up to the first batch gives; None if older records come first."""
        saved = await self._checkpoints.load(number)
        partition = Partition(number) if saved is None else unpacked(saved)
        if partition.next_offset < first_offset and await self._position.rewind(
            number, partition.next_offset, first_offset
        ):
            return None
        slot = self._slots[number] = _Slot(partition)
        slot.saved_offset = partition.next_offset
        slot.health.progressed_at = self._seconds()
        for room in partition.rooms.values():
            room.changed = True
        return slot

    async def _publish(self, emissions: Emissions) -> None:
        publish = self._publisher.publish
        if emissions.minutes:
            await publish(
                topics.ROOM_MINUTES,
                [(_key(line.room_id, line.minute_ms), line) for line in emissions.minutes],
            )
        if emissions.dead_letters:
            letters = emissions.dead_letters
            await publish(
                topics.DEAD_LETTERS,
                [
                    (_key(each.topic, each.partition, each.offset, each.reason), each)
                    for each in letters
                ],
            )
        if emissions.evicted:
            await self._publish_figures(emissions.evicted, emissions.evicted_products)

    async def _publish_figures(
        self, rooms: list[RoomFigures], products: list[ProductFigures]
    ) -> None:
        publish = self._publisher.publish
        await publish(
            topics.ROOM_SUMMARIES, [(each.summary.room_id.encode(), each) for each in rooms]
        )
        if products:
            await publish(
                topics.ROOM_PRODUCTS,
                [
                    (_key(each.room_id, each.product_id, each.merchant_id), each)
                    for each in products
                ],
            )

    async def refresh(self) -> None:
        """Publish live views of what changed; about once a second."""
        for slot in list(self._slots.values()):
            async with slot.lock:
                await self._refresh(slot)

    async def _refresh(self, slot: _Slot) -> None:
        partition = slot.partition
        moved = partition.next_offset != slot.shown_offset
        if moved:
            slot.idle_rooms = None
        rooms = [room for room in partition.rooms.values() if room.changed]
        if not moved and not rooms:
            rooms = self._idle(slot)
        if rooms:
            await self._publish_figures(*partition.figures(rooms))
        if moved:
            slot.shown_offset = partition.next_offset
            key = str(partition.number).encode()
            await self._publisher.publish(topics.PARTITION_PROGRESS, [(key, partition.progress())])

    def _idle(self, slot: _Slot) -> list[Room]:
        """Rooms to show again because only time has passed for them."""
        partition = slot.partition
        if slot.idle_rooms is None:
            if slot.shown_watermark_ms == partition.watermark_ms:
                return []
            slot.shown_watermark_ms = partition.watermark_ms
            slot.idle_rooms = iter(list(partition.rooms.values()))
        return list(islice(slot.idle_rooms, _IDLE_ROOMS))

    async def save(self) -> None:
        """Save what changed and acknowledge it; about every ten seconds."""
        for number, slot in list(self._slots.items()):
            async with slot.saving:
                await self._save(number, slot)

    async def _save(self, number: int, slot: _Slot) -> None:
        async with slot.lock:
            partition = slot.partition
            next_offset = partition.next_offset
            if next_offset == slot.saved_offset:
                return
            state = packed(partition)
            acknowledged, slot.unacknowledged = slot.unacknowledged, []
        await self._publisher.flush()
        await self._checkpoints.save(number, next_offset, state)
        slot.saved_offset = next_offset
        slot.health.saved_at = self._seconds()
        slot.health.saved_bytes = len(state)
        if self._slots.get(number) is slot:
            for acknowledge in acknowledged:
                acknowledge()


def packed(partition: Partition) -> bytes:
    """The whole state of a partition: message pack in zstd."""
    plain = msgspec.msgpack.encode(partition.snapshot())
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(plain)


def unpacked(state: bytes) -> Partition:
    """The partition that `packed` was given."""
    return Partition.restored(msgspec.msgpack.decode(zstandard.decompress(state)))


def _key(*parts: str | int | None) -> bytes:
    return records.encode(list(parts))


def _measure(
    health: PartitionHealth, count: int, started: float, now: float, newest_record_ms: int
) -> None:
    health.batches += 1
    health.records += count
    health.fold_seconds += now - started
    health.largest_batch = max(health.largest_batch, count)
    health.progressed_at = now
    health.newest_record_ms = max(health.newest_record_ms, newest_record_ms)
