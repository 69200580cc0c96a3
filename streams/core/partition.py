"""How does one record change everything? The whole computation of one partition, on one screen.

`Partition.fold` takes the records of a partition in offset order and returns what they emit. It is
a pure function of them: nothing here knows the time of day, where a batch ended, or who else is
working. The order for each record: the event clock believes or refutes it (and decides about those
that waited); its stamp moves the watermark; the watermark closes minutes; then the record is
applied to its room.

State: the clock, the rooms, counts. Cap: `rooms`; the room last seen by event time goes first, with
its final figures emitted. What is emitted: closed minutes, marks of products,
dead letters, alerts, links for rings, figures of evicted rooms.
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
from operator import length_hint
from typing import Any
from zoneinfo import ZoneInfo

from schemas import codec
from schemas.clock import NOTHING_MS, OUT_OF_ORDER_MS, EventClock
from schemas.codec import Event, RoomEvent, Rules, Tick, View
from schemas.details import Detail
from schemas.errors import InputError
from schemas.events import LATEST_MS
from schemas.links import RingMark
from schemas.records import ProductFigures, Progress, RoomFigures, RoomMinute, Version
from schemas.rules import RuleSet
from streams.core import limits
from streams.core.boards import DEFAULT_ZONE
from streams.core.emissions import Emissions, mark_of
from streams.core.integrity.detectors import Detectors
from streams.core.outcomes import Outcome, Outcomes, is_accepted
from streams.core.pane import MINUTE_MS, sort_minutes
from streams.core.resting import Resting
from streams.core.room import Moment, Room
from streams.core.stickiness.state import Stickiness
from streams.core.tally import by_name

# A record that waits for a verdict on its stamp: offset, bytes, event.
Held = tuple[int, bytes, RoomEvent]

_APPLY: dict[type, Callable[[Room, Any, Moment], Outcome]] = {
    View: Room.view,
    codec.Order: Room.order,
    codec.Refund: Room.refund,
    codec.Exposure: Room.exposure,
    codec.Checkout: Room.checkout,
    codec.Complaint: Room.complaint,
    codec.Product: Room.product,
    codec.RoomOpened: Room.room_opened,
    codec.RoomClosed: Room.room_closed,
}
# What makes something due.
_EVIDENCE = (codec.Order, codec.Refund, codec.Complaint, codec.Product, codec.RoomClosed)
_NOT_IN_SHORT_MS = -NOTHING_MS  # above every stamp


class Partition:
    """The fold of one partition.

    Args:
        rules: used instead of what the log puts in force, to test rules on a recorded session.
        zone: whose days are event days; a restored partition keeps its own.

    Attributes:
        next_offset: the offset that comes next; a record below it was folded before.
        next_marks_offset: the same of the marks of rings.
    """

    def __init__(self, number: int, rules: RuleSet | None = None, zone: str = DEFAULT_ZONE) -> None:
        self.number = number
        self.next_offset = 0
        self.next_marks_offset = 0
        self.clock: EventClock[Held] = EventClock()
        self.rooms: dict[str, Room] = {}
        self.evictions = limits.Evictions()
        self.stickiness = Stickiness(ZoneInfo(zone), self.evictions)
        self._outcomes = Outcomes(number)
        self.tally = self._outcomes.tally
        self.detectors = Detectors(number, self.evictions, rules)
        self._moment = Moment(NOTHING_MS, NOTHING_MS)
        self._next_close_ms = NOTHING_MS  # a stamp from this one on closes a minute
        self._due_ms = NOTHING_MS  # a stamp from this one on closes a minute or makes evidence due
        self._resting = Resting()
        self._with_open_minutes: dict[str, None] = {}
        self._emit_anew()

    def fold(
        self, offsets: Sequence[int], values: Sequence[bytes], events: Sequence[Event | InputError]
    ) -> Emissions:
        """Fold records in offset order; what was folded before is skipped.

        `events` holds what `codec.decode_all` made of `values`.
        """
        out = self._emit_anew()
        if not offsets or offsets[-1] < self.next_offset:
            return out
        known = bisect_left(offsets, self.next_offset)
        if known:
            offsets, values, events = offsets[known:], values[known:], events[known:]
        self._fold_new(offsets, values, events)
        self.next_offset = offsets[-1] + 1
        out.links = self.detectors.linking.take()
        return out

    def mark(self, offsets: Sequence[int], marks: Sequence[RingMark]) -> None:
        """Take what rings have marked, in the order of its topic; what came before is skipped.

        It changes trusted figures and nothing else, and no record depends on it: when it comes
        between the records of the log does not matter.
        """
        for offset, mark in zip(offsets, marks, strict=True):
            if offset >= self.next_marks_offset:
                self.next_marks_offset = offset + 1
                self.detectors.mark(self.rooms, mark)

    def _fold_new(
        self, offsets: Sequence[int], values: Sequence[bytes], events: Sequence[Event | InputError]
    ) -> None:
        """Fold records that are new.

        Nearly all are of known rooms, at stamps that are believed at once. They are applied here,
        with the clock in local names; everything else takes `_fold_one`.
        """
        clock, moment = self.clock, self._moment
        find_room = self.rooms.get
        views = late = 0
        greatest_ms, limit_ms, due_ms, open_from_ms = self._clock_in_short()
        watermark_ms = greatest_ms - OUT_OF_ORDER_MS
        rest = iter(events)
        # told apart by class and stamp: narrowing for a checker would cost more than folding
        event: Any
        room: Any
        for event in rest:
            kind = type(event)
            room = find_room(event.room_id) if kind is View or kind in _APPLY else None
            # the first event of a room, and what is of no room, take the long way
            ts_ms = event.ts_ms if room is not None else _NOT_IN_SHORT_MS
            if ts_ms > greatest_ms:
                if ts_ms > limit_ms:
                    clock.reach(greatest_ms)
                    at = len(events) - length_hint(rest) - 1
                    self._fold_one(offsets[at], values, at, event)
                    greatest_ms, limit_ms, due_ms, open_from_ms = self._clock_in_short()
                    watermark_ms = greatest_ms - OUT_OF_ORDER_MS
                    continue
                greatest_ms = ts_ms
                watermark_ms = ts_ms - OUT_OF_ORDER_MS
                if ts_ms >= due_ms:
                    self._catch_up(ts_ms)
                    due_ms, open_from_ms = self._due_ms, moment.open_from_ms
            if kind is View:
                room.audience.view(event, watermark_ms, open_from_ms)
                if event.product_id is not None:
                    room.products.view(event, event.product_id)
                    room.trials.view(event, event.product_id, open_from_ms)
                room.changed = True
                if ts_ms > room.last_ms:  # noqa: PLR1730 - `max` takes six times as long
                    room.last_ms = ts_ms
                views += 1
                if ts_ms < open_from_ms:
                    late += 1
            else:
                moment.watermark_ms = watermark_ms
                outcome = self._apply_to(room, event)
                due_ms = self._due_ms
                if outcome is not None:
                    at = len(events) - length_hint(rest) - 1
                    self._outcomes.tell(offsets[at], values[at], event, outcome)
        clock.reach(greatest_ms)
        moment.watermark_ms = clock.greatest_ms - OUT_OF_ORDER_MS
        self.tally.accepted[View] += views
        self.tally.late += late

    def _clock_in_short(self) -> tuple[int, int, int, int]:
        """Greatest stamp, up to where one is believed at once, when something is due, from where
        minutes are open.

        The first two lie below every stamp, so that none is believed in short, while something
        waits or the clock still tells rooms apart.
        """
        clock = self.clock
        greatest_ms, limit_ms = clock.greatest_ms, clock.limit_ms
        if clock.waiting or not clock.many_rooms:
            greatest_ms = limit_ms = NOTHING_MS
        return greatest_ms, limit_ms, self._due_ms, self._moment.open_from_ms

    def _fold_one(self, offset: int, values: Sequence[bytes], at: int, event: Any) -> None:  # noqa: ANN401
        """Fold any record. Its bytes, `values[at]`, are asked for only where they are needed."""
        self.next_offset = offset + 1
        kind = type(event)
        if kind in _APPLY:
            if event.ts_ms <= self.clock.limit_ms:
                self.clock.believe(event.ts_ms, event.room_id)
                outcome = self._apply(event)
                if outcome is not None:
                    self._outcomes.tell(offset, values[at], event, outcome)
                return
            held = (offset, values[at], event)
            for item, believed in self.clock.observe(event.ts_ms, event.room_id, held):
                self._decided(item, believed=believed)
        elif kind is Tick:
            self._tick(event)
        elif kind is Rules:
            self._rules(offset, values, at, event)
        else:
            self._outcomes.reject(offset, values[at], event.reason, event.detail)

    @property
    def watermark_ms(self) -> int | None:
        """The event time up to which the partition is believed complete."""
        return self.clock.watermark_ms

    @property
    def version(self) -> Version:
        """What a live view of this moment has seen."""
        return Version(self.number, self.next_offset, self.next_marks_offset)

    def figures(self, rooms: Iterable[Room]) -> tuple[list[RoomFigures], list[ProductFigures]]:
        """Live views of rooms: their figures at the watermark, and those of changed products."""
        version, moment = self.version, self._moment
        summaries, products = [], []
        for room in rooms:
            room.changed = False
            summaries.append(room.figures(moment, version))
            products += room.product_figures(version)
        return summaries, products

    def details(self, rooms: Iterable[Room]) -> list[Detail]:
        """What else changed of rooms whose figures were asked for at this moment."""
        version = self.version
        return [detail for room in rooms for detail in room.details(version)]

    def progress(self) -> Progress:
        """How far the fold is, and what became of the events so far."""
        tally = self.tally
        return Progress(
            version=self.version,
            watermark_ms=self.watermark_ms,
            counts=tally.counts(),
            rejected_by_reason=dict(sorted(tally.rejected.items())),
            by_type=by_name(tally.accepted),
            duplicate_by_type=by_name(tally.duplicates),
            evicted=dict(sorted(self.evictions.counts.items())),
            rules_version=self.detectors.rules_version,
            rooms=len(self.rooms),
            waiting=len(self.clock.waiting),
        )

    def end(self, closing_ms: int) -> Emissions:
        """End a session as if a tick followed that is counted nowhere."""
        out = self._emit_anew()
        self._reach(closing_ms)
        out.links = self.detectors.linking.take()
        return out

    def _emit_anew(self) -> Emissions:
        self._out = out = Emissions()
        self._outcomes.dead_letters = out.dead_letters
        return out

    def _decided(self, held: Held, *, believed: bool) -> None:
        """Apply a record whose stamp the clock believes or refutes now."""
        offset, value, event = held
        outcome = self._apply(event, believed=believed)
        if outcome is not None:
            self._outcomes.tell(offset, value, event, outcome)

    def _apply(self, event: RoomEvent, *, believed: bool = True) -> Outcome:
        """Apply an event to its room, at the watermark that stands after its stamp."""
        greatest_ms = self.clock.greatest_ms
        if greatest_ms >= self._due_ms:
            self._catch_up(greatest_ms)
        moment = self._moment
        moment.watermark_ms = greatest_ms - OUT_OF_ORDER_MS
        moment.believed = believed
        room = self.rooms.get(event.room_id)
        known = room is not None
        if room is None:
            room = self._new_room(event.room_id)
        outcome = self._apply_to(room, event)
        moment.believed = True
        if not known and is_accepted(outcome):
            self._add(room)
        return outcome

    def _apply_to(self, room: Room, event: RoomEvent) -> Outcome:
        """Apply an event to its room at this moment, and count it if it is accepted."""
        kind = type(event)
        moment = self._moment
        outcome = _APPLY[kind](room, event, moment)
        if outcome is None or is_accepted(outcome):
            tally = self.tally
            tally.accepted[kind] += 1
            room.changed = True
            if not moment.believed:
                tally.future += 1
            else:
                ts_ms = event.ts_ms
                if ts_ms > room.last_ms:  # noqa: PLR1730 - `max` takes six times as long
                    room.last_ms = ts_ms
                self.stickiness.happened(ts_ms)
                if ts_ms < moment.open_from_ms:
                    tally.late += 1
                if isinstance(event, codec.Product):
                    self._out.marks.append(mark_of(event))
            if kind in _EVIDENCE:
                self._plan()
        return outcome

    def _new_room(self, room_id: str) -> Room:
        days = self.stickiness.of(room_id)
        return Room(room_id, self.evictions, self._with_open_minutes, self.detectors, days)

    def _plan(self) -> None:
        """Note when something is due next."""
        self._due_ms = min(self._next_close_ms, self.detectors.next_ms + OUT_OF_ORDER_MS)

    def _catch_up(self, greatest_ms: int) -> None:
        """Do what event time makes due: close minutes, take evidence, end quiet incidents."""
        watermark_ms = greatest_ms - OUT_OF_ORDER_MS
        self._moment.watermark_ms = watermark_ms
        closes = greatest_ms >= self._next_close_ms
        if closes:  # first, for detectors take closed minutes as well
            self._close_minutes(watermark_ms)
        self._out.alerts += self.detectors.advance(self.rooms, watermark_ms)
        if closes:
            self._out.alerts += self.detectors.settle(self.rooms, watermark_ms)
            self.detectors.linking.passed(watermark_ms)
            self._resting.look(self.rooms.values(), self._moment)
        self._plan()

    def _add(self, room: Room) -> None:
        """A room exists from its first accepted event; one has to go when there are too many."""
        self.rooms[room.room_id] = room
        self.detectors.room_came(room)
        if len(self.rooms) <= limits.cap("rooms"):
            return
        rooms = self.rooms
        gone = limits.oldest(rooms, lambda id_: (rooms[id_].last_ms, id_), limits.cap("rooms"))
        leaving = [rooms.pop(room_id) for room_id in gone]
        for each in leaving:
            self._out.minutes += each.close_minutes(self._moment, LATEST_MS)
            # only now: a visit that fell silent may have opened a minute on the way
            self._with_open_minutes.pop(each.room_id, None)
        summaries, products = self.figures(leaving)
        self._out.evicted += summaries
        self._out.evicted_products += products
        self._out.evicted_details += self.details(leaving)
        self.evictions.count("rooms", len(gone))
        self._plan()  # the minutes of those that left are queued

    def _tick(self, event: Tick) -> None:
        self._reach(event.ts_ms)
        self.stickiness.happened(event.ts_ms)
        self._outcomes.broadcast(Tick)

    def _rules(self, offset: int, values: Sequence[bytes], at: int, event: Rules) -> None:
        """Put rules in force, or refuse them and change nothing."""
        try:
            self.detectors.put_in_force(event.version, event.rules)
        except InputError as error:
            if self.number == 0:  # every partition has the record; the first one counts it
                self._outcomes.reject(offset, values[at], error.reason, error.detail)
            return
        self._outcomes.broadcast(Rules)

    def _reach(self, ts_ms: int) -> None:
        """Event time has reached a stamp: decide what waits, close minutes."""
        for item, believed in self.clock.tick(ts_ms):
            self._decided(item, believed=believed)
        greatest_ms = self.clock.greatest_ms
        if greatest_ms >= self._due_ms:
            self._catch_up(greatest_ms)
        self._moment.watermark_ms = greatest_ms - OUT_OF_ORDER_MS

    def _close_minutes(self, watermark_ms: int) -> None:
        """Emit the minutes that end at or before the watermark, ordered by minute and room."""
        moment = self._moment
        moment.watermark_ms = watermark_ms
        open_from_ms = watermark_ms - watermark_ms % MINUTE_MS
        lines: list[RoomMinute] = []
        still_open: dict[str, None] = {}
        for room_id in sorted(self._with_open_minutes):  # the order in which detectors hear of them
            room = self.rooms[room_id]
            lines += room.close_minutes(moment, open_from_ms)
            if room.panes.open:
                still_open[room_id] = None
        self._with_open_minutes.clear()
        self._with_open_minutes.update(still_open)
        sort_minutes(lines)
        self._out.minutes += lines
        moment.open_from_ms = open_from_ms
        self._next_close_ms = open_from_ms + MINUTE_MS + OUT_OF_ORDER_MS

    def snapshot(self) -> list[Any]:
        """The whole state in plain values."""
        clock = self.clock.snapshot()
        clock[3] = [[*item[:2], list(item[2][:2]), *item[3:]] for item in clock[3]]
        moment = self._moment
        return [
            self.number,
            self.next_offset,
            clock,
            [room.snapshot() for room in self.rooms.values()],
            self.evictions.counts,
            self.tally.snapshot(),
            self.detectors.snapshot(),
            [moment.watermark_ms, moment.open_from_ms, self._next_close_ms, self._resting.next_ms],
            self.stickiness.snapshot(),
            self.next_marks_offset,
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> "Partition":
        """The partition that a snapshot was taken of."""
        number, next_offset, clock, rooms, evicted, tally, detectors, moment, *rest = state
        stickiness, next_marks_offset = rest
        watermark_ms, open_from_ms, next_close_ms, rest_at_ms = moment
        self = cls(number)
        self.next_offset = next_offset
        self.next_marks_offset = next_marks_offset
        for item in clock[3]:
            offset, value = item[2]
            item[2] = (offset, value, codec.decode(value))
        self.clock.restore(clock)
        self.evictions.counts.update(evicted)
        self.stickiness.restore(stickiness)
        self.tally.restore(tally)
        self.detectors.restore(detectors)
        self._moment = Moment(watermark_ms, open_from_ms)
        self._next_close_ms = next_close_ms
        self._resting.next_ms = rest_at_ms
        for saved in rooms:
            room = self._new_room(saved[0])
            room.restore(saved)
            self.rooms[room.room_id] = room
            if room.panes.open:
                self._with_open_minutes[room.room_id] = None
        self._plan()
        return self
