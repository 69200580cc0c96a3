"""What the shell needs of Kafka, simulated: a log, topics, checkpoints, a group that rebalances.

Everything takes a while, drawn from one seeded source, and may stop half-way: a snapshot is written
in chunks, records are on their way before they are durable. The world itself checks the order that
the shell promises each time it is asked to write: publish, then checkpoint, then acknowledge.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec

from schemas import codec, records, topics
from schemas.records import Alert, DeadLetter, ProductMark, RoomMinute
from streams.core.partition import Partition
from streams.shell.room_stage import unpacked

CHUNK_BYTES = 60
FOLLOWED = (topics.IDENTITY_LINKS, topics.SHARED_IDENTITIES, topics.RING_MARKS)
LONGEST_PAUSE_SECONDS = 0.4

Item = tuple[str, bytes, bytes | None]  # topic, key, value


class PublishingFailedError(Exception):
    """The broker refused or lost what was sent; the worker has to end."""


@dataclass(frozen=True)
class Chunk:
    """A part of a snapshot."""

    next_offsets: tuple[int, ...]
    writer: str
    number: int
    of: int
    part: bytes


@dataclass
class World:
    """All that outlives a worker.

    Attributes:
        logs: the records of each partition of `live-events`.
        committed: the offset from which the group reads on, by partition.
        durable: every record of every topic in the order in which it became durable.
        chunks: what was written to each topic of checkpoints, by partition.
        followed: the durable records of each partition that is followed.
    """

    seed: int
    logs: list[list[bytes]]
    random: Random = field(init=False)
    committed: list[int] = field(init=False)
    durable: list[Item] = field(default_factory=list)
    chunks: dict[tuple[str, int], list[Chunk]] = field(default_factory=dict)
    followed: dict[tuple[str, int], list[bytes]] = field(default_factory=dict)
    contents: dict[tuple[str, bytes, bytes], bytes] = field(default_factory=dict)
    seen: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.random = Random(f"simulation:{self.seed}")
        self.committed = [0 for _ in self.logs]
        self._records_of = [_records_by_offset(n, log) for n, log in enumerate(self.logs)]
        self._durable_keys: set[Item] = set()

    def count(self, what: str) -> None:
        """Remember that something happened, so that a test can tell that it does happen."""
        self.seen[what] = self.seen.get(what, 0) + 1

    async def pause(self) -> None:
        await asyncio.sleep(self.random.random() * LONGEST_PAUSE_SECONDS)

    # --- topics -------------------------------------------------------------------------------

    def make_durable(self, item: Item, partition: int) -> None:
        """A record arrives: what was published before under its key and version was the same."""
        topic, key, value = item
        if topic in FOLLOWED:
            assert value is not None
            self.followed.setdefault((topic, partition), []).append(value)
            return
        if value is not None:
            version = _version_of(topic, value)
            known = self.contents.setdefault((topic, key, version), value)
            assert known == value, f"{topic} {key!r} has two contents: {known!r} and {value!r}"
        self.durable.append(item)
        self._durable_keys.add(item)

    def assert_published(self, partition: int, before_offset: int) -> None:
        """Every record that the log up to an offset gives is durable."""
        for items in self._records_of[partition][:before_offset]:
            for item in items:
                assert item in self._durable_keys, f"{item} is checkpointed but not published"

    # --- checkpoints --------------------------------------------------------------------------

    def newest_snapshot(self, topic: str, partition: int) -> tuple[tuple[int, ...], bytes] | None:
        """The complete snapshot with the greatest offsets."""
        parts: dict[tuple[tuple[int, ...], str], dict[int, bytes]] = {}
        complete = []
        for chunk in self.chunks.get((topic, partition), ()):
            found = parts.setdefault((chunk.next_offsets, chunk.writer), {})
            found[chunk.number] = chunk.part
            if len(found) == chunk.of:
                complete.append((chunk.next_offsets, chunk.writer))
        if not complete:
            return None
        newest = max(complete)
        return newest[0], b"".join(part for _, part in sorted(parts[newest].items()))

    def saved_offset(self, partition: int) -> int:
        """Up to where the log is in a complete snapshot."""
        newest = self.newest_snapshot(topics.CHECKPOINTS, partition)
        return 0 if newest is None else newest[0][0]


def _records_by_offset(number: int, log: Sequence[bytes]) -> list[list[Item]]:
    """What each record of a log makes the fold emit for good: the reference, folded alone."""
    partition, out = Partition(number), []
    for offset, (value, event) in enumerate(zip(log, codec.decode_all(log), strict=True)):
        emitted = partition.fold([offset], [value], [event])
        items = [_minute(line) for line in emitted.minutes]
        items += [_mark(mark) for mark in emitted.marks]
        items += [_letter(letter) for letter in emitted.dead_letters]
        items += [_alert(alert) for alert in emitted.alerts]
        out.append(items)
    return out


def _minute(line: RoomMinute) -> Item:
    key = records.encode([line.room_id, line.minute_ms])
    return topics.ROOM_MINUTES, key, records.encode(line)


def _mark(mark: ProductMark) -> Item:
    key = records.encode([mark.room_id, mark.product_id, mark.action, mark.ts_ms])
    return topics.PRODUCT_MARKS, key, records.encode(mark)


def _alert(alert: Alert) -> Item:
    key = records.encode([alert.alert_id, alert.version])
    return topics.ALERTS, key, records.encode(alert)


def _letter(letter: DeadLetter) -> Item:
    key = records.encode([letter.topic, letter.partition, letter.offset, letter.reason])
    return topics.DEAD_LETTERS, key, records.encode(letter)


def _version_of(topic: str, value: bytes) -> bytes:
    """Views have a version; records have one content for ever."""
    if topic in (topics.ROOM_MINUTES, topics.PRODUCT_MARKS, topics.DEAD_LETTERS, topics.ALERTS):
        return b""
    return bytes(msgspec.json.decode(value, type=dict[str, msgspec.Raw])["version"])


class SimPublisher:
    """Records are on their way until a flush, or for a while; a crash loses some of them."""

    def __init__(self, world: World, failing: float) -> None:
        self._world = world
        self._failing = failing
        self.on_the_way: list[tuple[Item, int]] = []

    async def publish(
        self,
        topic: str,
        items: Sequence[tuple[bytes, msgspec.Struct | None]],
        partition: int = 0,
    ) -> None:
        world = self._world
        if world.random.random() < self._failing:
            world.count("publishing failed")
            raise PublishingFailedError
        self.on_the_way += [
            ((topic, key, None if record is None else records.encode(record)), partition)
            for key, record in items
        ]
        await world.pause()
        self.arrive(world.random.randint(0, len(self.on_the_way)))

    async def flush(self) -> None:
        handed_over = len(self.on_the_way)
        while handed_over > 0:
            await self._world.pause()
            some = self._world.random.randint(1, handed_over)
            handed_over -= self.arrive(some)
            handed_over = min(handed_over, len(self.on_the_way))

    def arrive(self, count: int) -> int:
        """The first of what is on its way becomes durable."""
        arrived, self.on_the_way = self.on_the_way[:count], self.on_the_way[count:]
        for item, partition in arrived:
            self._world.make_durable(item, partition)
        return len(arrived)


class SimCheckpoints:
    """Snapshots in chunks, each of which takes a while: a crash leaves torn ones."""

    def __init__(self, world: World, writer: str, topic: str = topics.CHECKPOINTS) -> None:
        self._world = world
        self._writer = writer
        self._topic = topic
        self._saves = 0

    async def load(self, partition: int) -> bytes | None:
        await self._world.pause()
        newest = self._world.newest_snapshot(self._topic, partition)
        await self._world.pause()
        return None if newest is None else newest[1]

    async def save(self, partition: int, next_offsets: tuple[int, ...], state: bytes) -> None:
        world = self._world
        if self._topic == topics.CHECKPOINTS:
            self._check(partition, next_offsets[0], state)
        self._saves += 1
        writer = f"{self._writer}-{self._saves}"
        parts = [state[at : at + CHUNK_BYTES] for at in range(0, len(state), CHUNK_BYTES)]
        world.count("snapshots begun")
        for number, part in enumerate(parts):
            if number % 4 == 0:
                await world.pause()
            chunk = Chunk(next_offsets, writer, number, len(parts), part)
            world.chunks.setdefault((self._topic, partition), []).append(chunk)
        world.count("snapshots complete")

    def _check(self, partition: int, next_offset: int, state: bytes) -> None:
        """What is saved of a partition was published before."""
        world = self._world
        world.assert_published(partition, next_offset)
        assert unpacked(state).next_offset == next_offset
        assert next_offset <= len(world.logs[partition])
        if next_offset < world.saved_offset(partition):
            world.count("an old snapshot was written late")
