"""The same computation without a broker: a session file, in one process, in any partition count.

Each record gets the partition and the offset that a Kafka topic of as many partitions gives it, so
the records that come out are the same, byte for byte. The end of the file acts as one closing tick
(design, section 5).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo

from schemas import codec
from schemas.calendar import Calendar
from schemas.clock import EventClock
from schemas.codec import Event, Rules, Tick
from schemas.details import Detail
from schemas.errors import InputError
from schemas.exchange import RateTable
from schemas.links import LinkRecord
from schemas.partitioning import partition_of_room
from schemas.records import (
    Alert,
    AnyBoard,
    DeadLetter,
    ProductFigures,
    ProductMark,
    Progress,
    RoomFigures,
    RoomMinute,
    RoomSummary,
)
from schemas.rules import RuleSet
from schemas.topics import DEFAULT_PARTITIONS
from streams.core import after_sales_report
from streams.core.boards import DEFAULT_TOP, DEFAULT_ZONE, BoardFold
from streams.core.emissions import Emissions
from streams.core.newest import Newest
from streams.core.pane import sort_minutes
from streams.core.partition import Partition
from streams.core.rings.whole import Rings
from streams.core.stickiness.report import Report
from streams.core.stickiness.whole import audience_of, retention_of, stickiness_of

_DAY_MS = 24 * 3_600_000
# So many records at once are shown to the clock of the file: few enough to lie within its reach.
_WATCHED = 256
_UNSTAMPED = (InputError, Rules)  # nothing, or nothing that a clock takes
_stamp_of = attrgetter("ts_ms")


@dataclass(frozen=True, slots=True)
class Results:
    """All that a session comes to, in the order of the files of the design, section 7.

    Attributes:
        marks: what was done with products; what the log holds twice stands here once.
        stickiness: the sections of `stickiness.json`; None where they are not known.
        retention: those of `retention.json`; likewise.
        audience: those of `audience.json`; likewise.
        after_sales: the sections of `after-sales.json`.
        pitch: the lines of `after-sales-minutes.ndjson`.
        newest: what rooms, products and details are made of.
        rules: in force at the end; None where they are not known.
    """

    rooms: list[RoomSummary]
    minutes: list[RoomMinute]
    boards: list[AnyBoard]
    alerts: list[Alert]
    dead_letters: list[DeadLetter]
    progress: list[Progress]
    stickiness: Report | None = None
    retention: Report | None = None
    audience: Report | None = None
    marks: list[ProductMark] = field(default_factory=list)
    after_sales: after_sales_report.Report = field(default_factory=dict)
    pitch: list[after_sales_report.Row] = field(default_factory=list)
    newest: Newest = field(default_factory=Newest)
    rules: RuleSet | None = None


class _Chunk:
    """Some records of the file, side by side with their events."""

    __slots__ = ("_value_by_event", "_values", "events")

    def __init__(self, values: Sequence[bytes]) -> None:
        self.events = codec.decode_all(values)
        self._values = values
        self._value_by_event: dict[int, bytes] = {}

    def value_of(self, event: Event | InputError) -> bytes:
        """The record of an event. Few are ever asked for, so they are looked up late."""
        if not self._value_by_event:
            self._value_by_event = dict(zip(map(id, self.events), self._values, strict=True))
        return self._value_by_event[id(event)]


class _Queue:
    """What a chunk holds for one partition."""

    __slots__ = ("events", "first_offset")

    def __init__(self) -> None:
        self.first_offset = 0
        self.events: list[Event | InputError] = []

    def fold_into(self, partition: Partition, chunk: _Chunk) -> Emissions:
        """Fold what is queued; offsets are those of a topic that got nothing else."""
        events = self.events
        offsets = range(self.first_offset, self.first_offset + len(events))
        self.first_offset = offsets.stop
        emissions = partition.fold(offsets, _Values(chunk, events), events)
        events.clear()
        return emissions


class _Values(Sequence[bytes]):
    """The records of the queued events of a chunk."""

    __slots__ = ("_chunk", "_events")

    def __init__(self, chunk: _Chunk, events: Sequence[Event | InputError]) -> None:
        self._chunk = chunk
        self._events = events

    def __len__(self) -> int:
        return len(self._events)

    def __getitem__(self, at: Any) -> Any:  # noqa: ANN401 - as `Sequence` has it
        if isinstance(at, slice):
            return _Values(self._chunk, self._events[at])
        return self._chunk.value_of(self._events[at])


class EmbeddedRun:
    """Folds a session, chunk by chunk; where a chunk ends changes nothing.

    Args:
        partitions: of the topic that is imitated.
        zone: whose days are event days, and shown by the `day` boards.
        top: rows of a board; 0 for all.
        rules: used instead of what the log puts in force.
        calendar: festivals to look at.
        rates: for boards over all currencies.
    """

    def __init__(
        self,
        partitions: int = DEFAULT_PARTITIONS,
        zone: str = DEFAULT_ZONE,
        top: int = DEFAULT_TOP,
        rules: RuleSet | None = None,
        calendar: Calendar = (),
        rates: RateTable | None = None,
    ) -> None:
        self.partitions = [Partition(number, rules, zone) for number in range(partitions)]
        self._rings = Rings(partitions, rules)
        self._links: list[LinkRecord] = []
        self._calendar = calendar
        self._newest = Newest()
        self.boards = BoardFold(ZoneInfo(zone), top, rates)
        self._clock: EventClock[None] = EventClock()  # over the whole file, for its end
        self._queues = [_Queue() for _ in self.partitions]
        self._append_of: dict[str, Callable[[Any], None]] = {}
        self._minutes: list[RoomMinute] = []
        self._marks: set[ProductMark] = set()
        self._alerts: list[Alert] = []
        self._dead_letters: list[DeadLetter] = []

    @property
    def minutes(self) -> int:
        """How many room-minutes have been closed; they are held until the end."""
        return len(self._minutes)

    def feed(self, values: Sequence[bytes]) -> None:
        """Fold the next records of the file."""
        chunk = _Chunk(values)
        all_stamped = self._distribute(chunk)
        self._watch(chunk.events, all_stamped=all_stamped)
        for partition, queue in zip(self.partitions, self._queues, strict=True):
            self._take(queue.fold_into(partition, chunk))
        self._look_for_rings()

    def finish(self) -> Results:
        """End the session and rank what there is."""
        closing_ms = self._clock.closing_tick_ms()
        if closing_ms is not None:
            for partition in self.partitions:
                self._take(partition.end(closing_ms))
            self._look_for_rings()
        for partition in self.partitions:
            folded = partition.rooms.values()
            self._apply(*partition.figures(folded), partition.details(folded))
            self.boards.apply_progress(partition.progress())
        self._rank_minutes()
        rooms = {id_: figures.summary for id_, figures in sorted(self.boards.rooms.items())}
        return Results(
            rooms=list(rooms.values()),
            minutes=self._minutes,
            boards=self.boards.boards(),
            alerts=sorted(self._alerts, key=in_order_of_time),
            dead_letters=sorted(
                self._dead_letters, key=lambda letter: (letter.partition, letter.offset)
            ),
            progress=[partition.progress() for partition in self.partitions],
            stickiness=stickiness_of(self.partitions, rooms, self._calendar),
            retention=retention_of(self.partitions, rooms),
            audience=audience_of(self.partitions, rooms),
            marks=sorted(self._marks, key=in_order_of_marks),
            rules=self.partitions[0].detectors.rules,
            **reports_of(self._newest),
        )

    def _distribute(self, chunk: _Chunk) -> bool:
        """Queue each record at its partition, as the partitioner of Kafka's clients does.

        Returns whether each of them has a stamp that a clock takes.
        """
        append_of = self._append_of
        all_stamped = True
        event: Any
        for event in chunk.events:
            try:
                append_of[event.room_id](event)
            except (KeyError, AttributeError):
                all_stamped &= not isinstance(event, _UNSTAMPED)
                for queue in self._queues_of(event, chunk):
                    queue.events.append(event)
        return all_stamped

    def _watch(self, events: Sequence[Event | InputError], *, all_stamped: bool) -> None:
        """Show the clock of the whole file what passes: it tells where the session ends."""
        if not all_stamped:
            events = [event for event in events if not isinstance(event, _UNSTAMPED)]
        for at in range(0, len(events), _WATCHED):
            self._watch_few(events[at : at + _WATCHED])

    def _watch_few(self, events: Sequence[Any]) -> None:
        clock = self._clock
        greatest_ms = max(map(_stamp_of, events))
        if clock.many_rooms and greatest_ms <= clock.limit_ms:
            clock.reach(greatest_ms)  # each of them is believed at once, ticks as well
            return
        for event in events:
            if isinstance(event, Tick):
                _exhaust(clock.tick(event.ts_ms))
            else:
                _exhaust(clock.observe(event.ts_ms, event.room_id, None))

    def _queues_of(self, event: Event | InputError, chunk: _Chunk) -> list[_Queue]:
        """Where a record goes whose room was not seen yet, or that has none."""
        if isinstance(event, Tick | Rules):
            return self._queues
        if isinstance(event, InputError):
            room_id = codec.readable_room_id(chunk.value_of(event))
            return [self._queue_of(room_id) if room_id else self._queues[0]]
        queue = self._queue_of(event.room_id)
        self._append_of[event.room_id] = queue.events.append
        return [queue]

    def _queue_of(self, room_id: str) -> _Queue:
        return self._queues[partition_of_room(room_id, len(self._queues))]

    def _take(self, emissions: Emissions) -> None:
        self._minutes += emissions.minutes
        self._marks.update(emissions.marks)
        self._alerts += emissions.alerts
        self._dead_letters += emissions.dead_letters
        self._links += emissions.links
        self._apply(emissions.evicted, emissions.evicted_products, emissions.evicted_details)

    def _look_for_rings(self) -> None:
        """Hand on what the partitions have told; what rings have marked goes back to them."""
        found = self._rings.take(self._links)
        self._links.clear()
        self._alerts += found.alerts
        for mark in found.marks:
            partition = self.partitions[partition_of_room(mark.room_id, len(self.partitions))]
            partition.mark([partition.next_marks_offset], [mark])

    def _apply(
        self, rooms: list[RoomFigures], products: list[ProductFigures], details: list[Detail]
    ) -> None:
        for figures in rooms:
            self.boards.apply_room(figures)
            self._newest.apply_room(figures)
        for each in products:
            self.boards.apply_product(each)
            self._newest.apply_product(each)
        for detail in details:
            self._newest.apply_detail(detail)

    def _rank_minutes(self) -> None:
        """Order the minutes, and hand on those that a window may hold."""
        sort_minutes(self._minutes)
        from_ms = (self.boards.as_of_ms or 0) - 2 * _DAY_MS
        apply_minute = self.boards.apply_minute
        for line in self._minutes:
            if line.minute_ms >= from_ms:
                apply_minute(line)


def reports_of(newest: Newest) -> dict[str, Any]:
    """The parts of `Results` that are made of the newest figures of rooms and products."""
    return {
        "after_sales": after_sales_report.after_sales_report(
            newest.details, newest.rooms, newest.products
        ),
        "pitch": list(after_sales_report.pitch_lines(newest.details)),
        "newest": newest,
    }


def _exhaust(decisions: Iterator[object]) -> None:
    for _ in decisions:
        pass


def in_order_of_marks(mark: ProductMark) -> tuple[int, str, str, str, int, int]:
    """The order of marks in a file: by event time, room and product; what is null comes first."""
    price_minor = -1 if mark.price_minor is None else mark.price_minor
    stock = -1 if mark.stock is None else mark.stock
    return mark.ts_ms, mark.room_id, mark.product_id, mark.action, price_minor, stock


def in_order_of_time(alert: Alert) -> tuple[int, str, int]:
    """The order of versions of alerts in a file: by event time, alert and version."""
    return alert.updated_ms, alert.alert_id, alert.version
