"""The same computation without a broker: a session file, in one process, in any partition count.

Each record gets the partition and the offset that a Kafka topic of as many partitions gives it, so
the records that come out are the same, byte for byte. The end of the file acts as one closing tick
(design, section 5).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from schemas import codec
from schemas.clock import EventClock
from schemas.codec import Event, Rules, Tick
from schemas.errors import InputError
from schemas.partitioning import partition_of_room
from schemas.records import AnyBoard, DeadLetter, Progress, RoomMinute, RoomSummary
from schemas.topics import DEFAULT_PARTITIONS
from streams.core.boards import DEFAULT_TOP, DEFAULT_ZONE, BoardFold
from streams.core.partition import Emissions, Partition

_DAY_MS = 24 * 3_600_000


@dataclass(frozen=True, slots=True)
class Results:
    """All that a session comes to, in the order of the files of the design, section 7."""

    rooms: list[RoomSummary]
    minutes: list[RoomMinute]
    boards: list[AnyBoard]
    dead_letters: list[DeadLetter]
    progress: list[Progress]


class _Queue:
    """What a chunk holds for one partition."""

    __slots__ = ("events", "offset", "offsets", "values")

    def __init__(self) -> None:
        self.offset = 0
        self.clear()

    def clear(self) -> None:
        self.offsets: list[int] = []
        self.values: list[bytes] = []
        self.events: list[Event | InputError] = []

    def put(self, value: bytes, event: Event | InputError) -> None:
        self.offsets.append(self.offset)
        self.values.append(value)
        self.events.append(event)
        self.offset += 1


class EmbeddedRun:
    """Folds a session, chunk by chunk; where a chunk ends changes nothing.

    Args:
        partitions: of the topic that is imitated.
        zone: whose days the `day` boards show.
        top: rows of a board; 0 for all.
    """

    def __init__(
        self,
        partitions: int = DEFAULT_PARTITIONS,
        zone: str = DEFAULT_ZONE,
        top: int = DEFAULT_TOP,
    ) -> None:
        self.partitions = [Partition(number) for number in range(partitions)]
        self.boards = BoardFold(ZoneInfo(zone), top)
        self._clock: EventClock[None] = EventClock()  # over the whole file, for its end
        self._queues = [_Queue() for _ in self.partitions]
        self._queue_of: dict[str, _Queue] = {}
        self._minutes: list[RoomMinute] = []
        self._dead_letters: list[DeadLetter] = []

    def feed(self, values: Sequence[bytes]) -> None:
        """Fold the next records of the file."""
        events = codec.decode_all(values)
        self._distribute(values, events)
        for partition, queue in zip(self.partitions, self._queues, strict=True):
            self._take(partition.fold(queue.offsets, queue.values, queue.events))
            queue.clear()

    def finish(self) -> Results:
        """End the session and rank what there is."""
        closing_ms = self._clock.closing_tick_ms()
        for partition in self.partitions:
            if closing_ms is not None:
                self._take(partition.end(closing_ms))
            summaries, products = partition.figures(partition.rooms.values())
            for figures in summaries:
                self.boards.apply_room(figures)
            for each in products:
                self.boards.apply_product(each)
            self.boards.apply_progress(partition.progress())
        self._rank_minutes()
        rooms = sorted(self.boards.rooms.items())
        return Results(
            rooms=[figures.summary for _, figures in rooms],
            minutes=self._minutes,
            boards=self.boards.boards(),
            dead_letters=sorted(
                self._dead_letters, key=lambda letter: (letter.partition, letter.offset)
            ),
            progress=[partition.progress() for partition in self.partitions],
        )

    def _distribute(self, values: Sequence[bytes], events: Sequence[Event | InputError]) -> None:
        """Queue each record at its partition, as the partitioner of Kafka's clients does."""
        clock, queue_of = self._clock, self._queue_of
        for value, event in zip(values, events, strict=True):
            if isinstance(event, InputError):
                self._queue_refused(value, event)
            elif isinstance(event, Tick | Rules):
                if isinstance(event, Tick):
                    _exhaust(clock, event)
                for queue in self._queues:
                    queue.put(value, event)
            else:
                room_id = event.room_id
                ts_ms = event.ts_ms
                if ts_ms > clock.limit_ms:
                    for _ in clock.observe(ts_ms, room_id, None):
                        pass
                elif ts_ms > clock.greatest_ms or not clock.many_rooms:
                    clock.believe(ts_ms, room_id)
                queue = queue_of.get(room_id) or self._queue_for(room_id)
                queue.put(value, event)

    def _queue_for(self, room_id: str) -> _Queue:
        number = partition_of_room(room_id, len(self.partitions))
        queue = self._queue_of[room_id] = self._queues[number]
        return queue

    def _queue_refused(self, value: bytes, error: InputError) -> None:
        room_id = codec.readable_room_id(value)
        number = 0 if room_id is None else partition_of_room(room_id, len(self.partitions))
        self._queues[number].put(value, error)

    def _take(self, emissions: Emissions) -> None:
        self._minutes += emissions.minutes
        self._dead_letters += emissions.dead_letters
        for figures in emissions.evicted:
            self.boards.apply_room(figures)
        for each in emissions.evicted_products:
            self.boards.apply_product(each)

    def _rank_minutes(self) -> None:
        """Order the minutes, and hand on those that a window may hold."""
        self._minutes.sort(key=lambda line: (line.minute_ms, line.room_id))
        as_of_ms = self.boards.as_of_ms or 0
        for line in self._minutes:
            if line.minute_ms >= as_of_ms - 2 * _DAY_MS:
                self.boards.apply_minute(line)


def _exhaust(clock: EventClock[None], event: Tick) -> None:
    for _ in clock.tick(event.ts_ms):
        pass
