"""Stage 1 around the core, in a fixed order: fold, publish, flush, save, acknowledge.

Gather: a batch of one partition comes in. Decide: the core folds it. Apply: what it emits is handed
to the publisher before the next batch is taken. A checkpoint holds the state of a moment at which
all emissions were handed over; it is saved after they are durable, and only then are the batches
before it acknowledged. So whatever a crash loses is folded again, and gives the same records.

State of a partition is loaded when it is assigned, and forgotten on any rebalance: another worker
may have folded on. What an old state still has to write is written before the worker joins the
group again (`leave`), so nothing of it can follow what the next owner writes.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from schemas import codec, links, records, topics
from schemas.calendar import Calendar
from schemas.details import Detail, detail_key
from schemas.records import ProductFigures, RoomFigures
from schemas.rules import DEFAULT_RULES, RuleSet
from streams.core.boards import DEFAULT_ZONE
from streams.core.emissions import Emissions
from streams.core.partition import Partition
from streams.core.room import Room
from streams.core.stickiness.live import LivePeople, live_people
from streams.shell.checkpoints import ForeignStateError, pack, unpack
from streams.shell.ports import Checkpoints, Position, Publisher

# How many unchanged rooms are shown again a second once a partition has nothing else to do, so that
# all figures come to stand at the final watermark. Worst case: 2,000 records of 1 KB a second.
_IDLE_ROOMS = 2_000
# People are looked at with every so many checkpoints: it reads as many sets as a checkpoint packs.
_SAVES_A_LOOK = 6


@dataclass(slots=True)
class PartitionHealth:
    """What a scrape wants to know of a partition's fold.

    Attributes:
        progressed_at: when a batch was folded last, or there was nothing to fold.
        people: who was active, as of a checkpoint lately.
    """

    batches: int = 0
    records: int = 0
    fold_seconds: float = 0.0
    largest_batch: int = 0
    saved_at: float | None = None
    saved_bytes: int = 0
    progressed_at: float = 0.0
    newest_record_ms: int = 0
    people: LivePeople | None = None


@dataclass(slots=True)
class _Slot:
    """A partition that is ours: its state, and what is not acknowledged yet."""

    partition: Partition
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    saving: asyncio.Lock = field(default_factory=asyncio.Lock)
    unacknowledged: list[Callable[[], None]] = field(default_factory=list)
    saved: tuple[int, int] = (0, 0)  # where its sources were when it was saved
    is_entered: bool = False  # whether a batch was taken
    refused_offsets: set[int] = field(default_factory=set)
    shown_offset: int = -1
    shown_watermark_ms: int | None = None
    idle_rooms: Iterator[Room] | None = None
    saves: int = 0
    health: PartitionHealth = field(default_factory=PartitionHealth)


class RoomStage:
    """Folds the batches of the partitions that this worker has.

    Args:
        seconds: a monotonic clock, for ages and durations only.
        partitions: how many `live-events` has, and what follows it.
        zone: whose days are event days; a partition whose state is loaded keeps that of its state.
        calendar: festivals that are looked at.
    """

    def __init__(
        self,
        publisher: Publisher,
        checkpoints: Checkpoints,
        position: Position,
        seconds: Callable[[], float],
        zone: str = DEFAULT_ZONE,
        calendar: Calendar = (),
        partitions: int = topics.DEFAULT_PARTITIONS,
    ) -> None:
        self._zone = zone
        self._calendar = calendar
        self._partitions = partitions
        self._publisher = publisher
        self._checkpoints = checkpoints
        self._position = position
        self._seconds = seconds
        self._slots: dict[int, _Slot] = {}
        self._expected: dict[int, PartitionHealth] = {}  # ours, and not loaded yet
        self._loading = asyncio.Lock()
        self._term = 0  # counts rebalances

    async def leave(self) -> None:
        """Drop all state: partitions may go to other workers.

        Returns when all that it made is durable.
        """
        slots, self._slots, self._expected = self._slots, {}, {}
        self._term += 1
        for slot in slots.values():
            async with slot.lock:
                pass  # what was begun has been handed over
        await self._publisher.flush()

    def expect(self, numbers: Iterable[int]) -> None:
        """Partitions are ours from now on."""
        self._slots = {}
        self._term += 1
        now = self._seconds()
        self._expected = {number: PartitionHealth(progressed_at=now) for number in sorted(numbers)}

    async def open(self, number: int) -> None:
        """Load the state of a partition that is ours, whether records come or not."""
        if number in self._expected:
            await self._slot(number)

    @property
    def partitions(self) -> dict[int, Partition]:
        """The partitions whose state is loaded."""
        return {number: slot.partition for number, slot in self._slots.items()}

    @property
    def rules(self) -> RuleSet:
        """The rules in force by the first of the partitions here; the default ones without any."""
        partitions = self.partitions
        return partitions[min(partitions)].detectors.rules if partitions else DEFAULT_RULES

    @property
    def health(self) -> dict[int, PartitionHealth]:
        """Of every partition that is ours, loaded or not."""
        return {**self._expected, **{number: slot.health for number, slot in self._slots.items()}}

    def compare(self, folded: Mapping[int, int], ends: Mapping[int, int]) -> None:
        """Learn where the log ends: who has folded all of it is not stuck.

        Args:
            folded: next offset of each partition, from before the ends were asked for.
            ends: where the log of each partition ends.

        Raises:
            ForeignStateError: a state knows more records than its log has.
        """
        for number, slot in self._slots.items():
            end = ends.get(number)
            if end is None:
                continue
            if folded.get(number, 0) > end:
                raise ForeignStateError(topics.LIVE_EVENTS, number, folded[number], end)
            if slot.partition.next_offset >= end:
                slot.health.progressed_at = self._seconds()

    async def take(
        self,
        number: int,
        offsets: list[int],
        values: list[bytes],
        acknowledge: Callable[[], None],
        newest_record_ms: int = 0,
    ) -> None:
        """Fold a batch and publish what it emits; it is acknowledged with a later checkpoint."""
        slot = await self._slot(number)
        if slot is None:
            return
        async with slot.lock:
            if self._slots.get(number) is not slot or await self._must_go_back(slot, offsets[0]):
                return
            started = self._seconds()
            emissions = slot.partition.fold(offsets, values, codec.decode_all(values))
            slot.unacknowledged.append(acknowledge)
            _measure(slot.health, len(offsets), started, self._seconds(), newest_record_ms)
            await self._publish(emissions)

    async def marks_offset(self, number: int) -> int | None:
        """From where a partition's state wants `ring-marks`; None if it is not ours."""
        slot = await self._slot(number)
        return None if slot is None else slot.partition.next_marks_offset

    async def mark(self, number: int, offsets: Sequence[int], values: Sequence[bytes]) -> None:
        """Take records of `ring-marks`: orders of rings come off trusted GMV."""
        slot = self._slots.get(number)
        if slot is None:
            return
        async with slot.lock:
            if self._slots.get(number) is slot:
                slot.partition.mark(offsets, [links.decode_mark(value) for value in values])

    async def _slot(self, number: int) -> _Slot | None:
        """The state of a partition, loaded if need be; None if it is not ours, or no longer.

        A fetch of before a rebalance may come after it: it must not bring a state of its own.
        """
        term = self._term
        async with self._loading:
            slot = self._slots.get(number)
            if slot is not None or term != self._term or number not in self._expected:
                return slot
            saved = await self._checkpoints.load(number)
            if term != self._term:
                return None
            partition = Partition(number, zone=self._zone) if saved is None else unpacked(saved)
            slot = self._slots[number] = _Slot(partition)
            self._expected.pop(number, None)
            slot.saved = _position(partition)
            slot.health.progressed_at = self._seconds()
            for room in partition.rooms.values():
                room.changed = True
            return slot

    async def _must_go_back(self, slot: _Slot, first_offset: int) -> bool:
        """Whether records between the state and the first batch have to be read before it.

        A batch that comes a second time after going back has none before it: transactions leave
        holes between offsets.
        """
        next_offset = slot.partition.next_offset
        if slot.is_entered or next_offset >= first_offset or first_offset in slot.refused_offsets:
            slot.is_entered = True
            return False
        slot.refused_offsets.add(first_offset)
        return await self._position.rewind(slot.partition.number, next_offset, first_offset)

    async def _publish(self, emissions: Emissions) -> None:
        publish = self._publisher.publish
        if emissions.minutes:
            await publish(
                topics.ROOM_MINUTES,
                [(_key(line.room_id, line.minute_ms), line) for line in emissions.minutes],
            )
        if emissions.marks:
            await publish(
                topics.PRODUCT_MARKS,
                [
                    (_key(each.room_id, each.product_id, each.action, each.ts_ms), each)
                    for each in emissions.marks
                ],
            )
        if emissions.alerts:
            await publish(
                topics.ALERTS,
                [(_key(each.alert_id, each.version), each) for each in emissions.alerts],
            )
        for number, told in self._by_target(emissions.links).items():
            await publish(topics.IDENTITY_LINKS, told, number)
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
            await self._publish_details(emissions.evicted_details)

    def _by_target(
        self, told: Iterable[links.LinkRecord]
    ) -> dict[int, list[tuple[bytes, links.LinkRecord]]]:
        """What goes to each partition of `identity-links`, in order."""
        found: dict[int, list[tuple[bytes, links.LinkRecord]]] = {}
        for record in told:
            for number in links.link_targets(record, self._partitions):
                found.setdefault(number, []).append((links.link_key(record), record))
        return found

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

    async def _publish_details(self, details: list[Detail]) -> None:
        if details:
            await self._publisher.publish(
                topics.ROOM_DETAILS, [(detail_key(each), each) for each in details]
            )

    async def refresh(self) -> None:
        """Publish live views of what changed; about once a second."""
        for number, slot in list(self._slots.items()):
            async with slot.lock:
                if self._slots.get(number) is slot:
                    await self._refresh(slot)

    async def _refresh(self, slot: _Slot) -> None:
        partition = slot.partition
        moved = partition.next_offset != slot.shown_offset
        rooms = [room for room in partition.rooms.values() if room.changed]
        if moved:
            slot.idle_rooms = None  # to be shown again from the first on
        elif not rooms:
            rooms = self._idle(slot)
        if rooms:
            await self._publish_figures(*partition.figures(rooms))
            await self._publish_details(partition.details(rooms))
        if moved:
            slot.shown_offset = partition.next_offset
            key = str(partition.number).encode()
            await self._publisher.publish(topics.PARTITION_PROGRESS, [(key, partition.progress())])

    def _idle(self, slot: _Slot) -> list[Room]:
        """Rooms to show again because only time has passed for them, some at a time."""
        partition = slot.partition
        if slot.idle_rooms is None:
            if slot.shown_watermark_ms == partition.watermark_ms:
                return []
            slot.idle_rooms = iter(list(partition.rooms.values()))
        rooms = list(islice(slot.idle_rooms, _IDLE_ROOMS))
        if not rooms:
            slot.shown_watermark_ms = partition.watermark_ms
        return rooms

    async def save(self) -> None:
        """Save what changed and acknowledge it; about every ten seconds."""
        for number, slot in list(self._slots.items()):
            async with slot.saving:
                await self._save(number, slot)

    async def _save(self, number: int, slot: _Slot) -> None:
        async with slot.lock:
            partition = slot.partition
            position = _position(partition)
            if position == slot.saved or self._slots.get(number) is not slot:
                return
            state = packed(partition)
            self._look_at_people(slot)
            acknowledged, slot.unacknowledged = slot.unacknowledged, []
        await self._publisher.flush()
        await self._checkpoints.save(number, position, state)
        slot.saved = position
        slot.health.saved_at = self._seconds()
        slot.health.saved_bytes = len(state)
        if self._slots.get(number) is slot:
            for acknowledge in acknowledged:
                acknowledge()

    def _look_at_people(self, slot: _Slot) -> None:
        if slot.saves % _SAVES_A_LOOK == 0:
            slot.health.people = live_people(slot.partition, self._calendar)
        slot.saves += 1


def packed(partition: Partition) -> bytes:
    """The whole state of a partition as the bytes of a snapshot."""
    return pack(partition.snapshot())


def unpacked(state: bytes) -> Partition:
    """The partition that `packed` was given."""
    return Partition.restored(unpack(state))


def _position(partition: Partition) -> tuple[int, int]:
    """Up to where it has folded the log, and the marks of rings."""
    return partition.next_offset, partition.next_marks_offset


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
