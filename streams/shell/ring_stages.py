"""How do links become rings on Kafka? Two folds around the core's, and the way back of marks.

Level 1 has a fold for each partition of `identity-links`, run by whoever has the same partition of
`live-events`; level 2 has one, run by whoever keeps the boards. The order is that of the room
stage: fold, publish, flush, save. A record that a restarted or fenced-out worker wrote twice is
known by its sequence, so none of them needs the group's protocol.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

import msgspec

from schemas import links, records, topics
from schemas.partitioning import partition_of_room
from streams.core.limits import Evictions
from streams.core.rings.identities import IdentityFold
from streams.core.rings.ring_fold import RingEmissions, RingFold
from streams.shell.checkpoints import pack, unpack
from streams.shell.ports import Checkpoints, Publisher
from streams.shell.room_stage import RoomStage

# Where records go: topic, partition, and the records with their keys, in order.
Told = tuple[str, int, Sequence[tuple[bytes, msgspec.Struct]]]


class Fold(Protocol):
    """A fold of the links of one partition."""

    next_offset: int
    evictions: Evictions

    def fold(self, offsets: Sequence[int], told: Sequence[links.LinkRecord]) -> Any: ...  # noqa: ANN401 - each gives its own

    def snapshot(self) -> list[Any]: ...


class FoldStage:
    """One partition of links, its fold and its checkpoints.

    Args:
        load: makes the fold, anew or of a saved state.
        told: what of that which it emits goes where.
    """

    def __init__(
        self,
        topic: str,
        number: int,
        load: Callable[[list[Any] | None], Fold],
        told: Callable[[Any], Iterable[Told]],
        publisher: Publisher,
        checkpoints: Checkpoints,
    ) -> None:
        self.topic = topic
        self.number = number
        self._load = load
        self._told = told
        self._publisher = publisher
        self._checkpoints = checkpoints
        self._lock = asyncio.Lock()
        self._saved = 0
        self._is_whole = False  # whether all that the state has emitted was handed over
        self._fold: Fold | None = None

    async def open(self) -> int:
        """Load the state of the partition."""
        saved = await self._checkpoints.load(self.number)
        self._fold = self._load(None if saved is None else unpack(saved))
        self._saved = self._fold.next_offset
        self._is_whole = True
        return self._saved

    async def take(self, offsets: Sequence[int], values: Sequence[bytes]) -> None:
        """Fold the next records and hand over what that emits."""
        fold = self._fold
        assert fold is not None
        async with self._lock:
            # whoever is stopped in between leaves a state that must not be saved
            self._is_whole = False
            emitted = fold.fold(offsets, [links.decode_link(value) for value in values])
            for topic, number, items in self._told(emitted):
                await self._publisher.publish(topic, items, number)
            self._is_whole = True

    async def save(self) -> None:
        """Save the state once all that it has emitted is durable."""
        async with self._lock:
            fold = self._fold
            if fold is None or not self._is_whole or fold.next_offset == self._saved:
                return
            next_offset, state = fold.next_offset, pack(fold.snapshot())
        await self._publisher.flush()
        await self._checkpoints.save(self.number, (next_offset,), state)
        self._saved = next_offset

    @property
    def evicted(self) -> dict[str, int]:
        """What its full maps gave up."""
        return dict(self._fold.evictions.counts) if self._fold is not None else {}


def identity_stage(
    number: int, sources: int, publisher: Publisher, checkpoints: Checkpoints
) -> FoldStage:
    """Level 1: hands on what several share of one partition of `identity-links`."""

    def load(state: list[Any] | None) -> IdentityFold:
        return IdentityFold(number, sources) if state is None else IdentityFold.restored(state)

    return FoldStage(topics.IDENTITY_LINKS, number, load, _shared, publisher, checkpoints)


def ring_stage(sources: int, publisher: Publisher, checkpoints: Checkpoints) -> FoldStage:
    """Level 2: finds rings, tells them and marks their orders."""

    def load(state: list[Any] | None) -> RingFold:
        return RingFold(sources) if state is None else RingFold.restored(state)

    def told(emitted: RingEmissions) -> Iterator[Told]:
        return _rings(emitted, sources)

    return FoldStage(topics.SHARED_IDENTITIES, 0, load, told, publisher, checkpoints)


class MarksIn:
    """The marks of one partition, back to its rooms; their place is in the state of the rooms."""

    topic = topics.RING_MARKS

    def __init__(self, number: int, rooms: RoomStage) -> None:
        self.number = number
        self._rooms = rooms

    async def open(self) -> int | None:
        """From where the rooms want them."""
        return await self._rooms.marks_offset(self.number)

    async def take(self, offsets: Sequence[int], values: Sequence[bytes]) -> None:
        """Hand them to the rooms."""
        await self._rooms.mark(self.number, offsets, values)

    async def save(self) -> None:
        """Nothing: the room stage saves them with the rooms."""

    @property
    def evicted(self) -> dict[str, int]:
        """Nothing: it keeps none."""
        return {}


def _shared(emitted: Sequence[links.LinkRecord]) -> Iterator[Told]:
    if emitted:
        yield topics.SHARED_IDENTITIES, 0, [(links.link_key(each), each) for each in emitted]


def _rings(emitted: RingEmissions, sources: int) -> Iterator[Told]:
    if emitted.alerts:
        told = [(records.encode([each.alert_id, each.version]), each) for each in emitted.alerts]
        yield topics.ALERTS, 0, told
    marks: dict[int, list[tuple[bytes, links.RingMark]]] = {}
    for mark in emitted.marks:
        number = partition_of_room(mark.room_id, sources)
        marks.setdefault(number, []).append((mark.room_id.encode(), mark))
    for number, items in marks.items():
        yield topics.RING_MARKS, number, items
