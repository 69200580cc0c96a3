"""What is sent where, and at which event time: a session, a selection, passes, a shift.

Pure: the same records and settings give the same steps; no clock, no Kafka. Each record is decoded
once. A record goes to the partition that `schemas.partitioning.route` names, ticks and rule sets
to every one. Malformed records pass untouched.

Bounds: one chunk of records, what the event clock has not decided (`timeline`), and malformed
records that stand before the first valid one.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from schemas import codec
from schemas.clock import NOTHING_MS, EventClock
from schemas.codec import Rules, Tick
from schemas.errors import InputError, Reason
from schemas.events import LATEST_MS
from schemas.partitioning import partition_of_room

from .rewrite import pass_suffix, rewrite, shifted_stamp, suffixed
from .selection import ALL, ReplayError, Selection
from .timeline import Timed, Timeline

EVERY_PARTITION = -1
# A pass begins this long after the last believed stamp of the one before: event time goes on.
PASS_GAP_MS = 1_000
# Rooms whose partition and key are remembered; 100 bytes each.
_KNOWN_ROOMS = 65_536
_CLOSING_TICK = "closing-tick-"

Chunks = Iterable[Sequence[bytes]]
OpenRecords = Callable[[], Chunks]


class Step(NamedTuple):
    """A record to send.

    Attributes:
        due_ms: the event time at which it is sent; `NOTHING_MS` for at once.
        partition: where it goes, or `EVERY_PARTITION`.
        key: its room in UTF-8; None where none can be read, and for ticks and rule sets.
    """

    due_ms: int
    partition: int
    key: bytes | None
    value: bytes


def closing_tick(ts_ms: int) -> bytes:
    """The tick that ends a session (design, section 5)."""
    return codec.encode(Tick(event_id=f"{_CLOSING_TICK}{ts_ms}", ts_ms=ts_ms))


def is_closing_tick(event: Tick) -> bool:
    """Whether a replay wrote this tick at its end."""
    return event.event_id == f"{_CLOSING_TICK}{event.ts_ms}"


class Plan:
    """The steps of a replay, in the order in which they are sent.

    Args:
        open_records: opens the session anew for each pass.
        partitions: of the topic.
        passes: how often the session is replayed; None for ever.
        rebase_ms: the event time to which the first replayed stamp is moved; None leaves it.

    Attributes:
        pass_number: the pass under way, from 1.
        refused: records that the contract refuses, by reason; they are sent all the same.
        first_ms: the event time of the first pass's first record, after the move; None before.
    """

    def __init__(
        self,
        open_records: OpenRecords,
        partitions: int,
        *,
        selection: Selection = ALL,
        passes: int | None = 1,
        rebase_ms: int | None = None,
    ) -> None:
        self._open_records = open_records
        self._partitions = partitions
        self._selection = selection
        self._passes = passes
        self._rebase_ms = rebase_ms
        self._clock: EventClock[None] = EventClock()
        self._places: dict[str, tuple[int, bytes]] = {}
        self._shift_ms = 0
        self._suffix = ""
        self._sent_anything = False
        self.pass_number = 0
        self.refused: Counter[Reason] = Counter()
        self.first_ms: int | None = None

    def steps(self) -> Iterator[list[Step]]:
        """All steps, a chunk at a time, without the closing tick.

        Raises:
            ReplayError: nothing is selected, or a further pass would reach the year 2100.
        """
        period_ms = 0
        while self._passes is None or self.pass_number < self._passes:
            self._begin_pass(period_ms)
            began_ms, last_ms = None, NOTHING_MS
            for chunk in _merged_until_timed(self._selected()):
                if began_ms is None:
                    began_ms = _first_due_ms(chunk)
                    self._begin_session(began_ms)
                last_ms = max(last_ms, _last_due_ms(chunk))
                yield [self._step(timed) for timed in chunk]
            if not self._sent_anything:
                raise ReplayError("no record of the session matches --from, --to and --rooms")
            period_ms = 0 if began_ms is None else last_ms - began_ms + PASS_GAP_MS
            next_ms = last_ms + self._shift_ms + period_ms
            if self.pass_number != self._passes and next_ms > LATEST_MS:
                raise ReplayError(
                    f"pass {self.pass_number + 1} would reach the year 2100: replay fewer passes"
                )

    def closing_tick_ms(self) -> int | None:
        """The stamp of the tick that ends what was planned; None without a valid record."""
        closing_ms = self._clock.closing_tick_ms()
        return None if closing_ms is None else min(closing_ms, LATEST_MS)

    def _begin_pass(self, period_ms: int) -> None:
        self.pass_number += 1
        self._suffix = pass_suffix(self.pass_number)
        self._places.clear()
        self._shift_ms += period_ms

    def _begin_session(self, began_ms: int | None) -> None:
        """Fix the move of the first pass, once it is known when its first record happens."""
        if self._sent_anything:
            return
        self._sent_anything = True
        if began_ms is not None:
            if self._rebase_ms is not None:
                self._shift_ms = self._rebase_ms - began_ms
            self.first_ms = began_ms + self._shift_ms

    def _selected(self) -> Iterator[list[Timed]]:
        timeline = Timeline()
        select: Callable[[list[Timed]], list[Timed]] | None = None
        for chunk in _merged_until_timed(self._timed(timeline)):
            if select is None:
                select = self._selection.selector(timeline.first_ms)
            if found := select(chunk):
                yield found

    def _timed(self, timeline: Timeline) -> Iterator[list[Timed]]:
        for values in self._open_records():
            if timed := timeline.feed(values):
                yield timed
        if rest := timeline.finish():
            yield rest

    def _step(self, timed: Timed) -> Step:
        due_ms, value, event = timed
        if due_ms != NOTHING_MS:
            due_ms += self._shift_ms
        if isinstance(event, InputError):
            self.refused[event.reason] += 1
            room_id = codec.readable_room_id(value)
            if room_id is None:
                return Step(due_ms, 0, None, value)
            return Step(due_ms, *self._place(room_id, ""), value)
        shift_ms, suffix = self._shift_ms, self._suffix
        if shift_ms or suffix:
            value = rewrite(value, event, shift_ms=shift_ms, suffix=suffix)
        ts_ms = shifted_stamp(event.ts_ms, shift_ms)
        if isinstance(event, Tick):
            for _ in self._clock.tick(ts_ms):
                pass
            return Step(due_ms, EVERY_PARTITION, None, value)
        if isinstance(event, Rules):
            return Step(due_ms, EVERY_PARTITION, None, value)
        place = self._places.get(event.room_id)
        if place is None:
            place = self._places[event.room_id] = self._place(event.room_id, suffix)
        self._see(ts_ms, event.room_id)
        return Step(due_ms, place[0], place[1], value)

    def _place(self, room_id: str, suffix: str) -> tuple[int, bytes]:
        """The partition and key of a room; of a refused record, which keeps its bytes, without
        the suffix of its pass.
        """
        if len(self._places) >= _KNOWN_ROOMS:
            self._places.clear()
        placed = suffixed(room_id, suffix) if suffix else room_id
        return partition_of_room(placed, self._partitions), placed.encode()

    def _see(self, ts_ms: int, room_id: str) -> None:
        """Let the clock of what is sent, which the closing tick follows, see a stamp."""
        clock = self._clock
        if ts_ms <= clock.limit_ms:
            if ts_ms > clock.greatest_ms or not clock.many_rooms:
                clock.believe(ts_ms, room_id)
            return
        for _ in clock.observe(ts_ms, room_id, None):
            pass


def _merged_until_timed(chunks: Iterable[list[Timed]]) -> Iterator[list[Timed]]:
    """The same records; the first chunk reaches up to the first record with a time."""
    early: list[Timed] | None = []
    for chunk in chunks:
        if early is None:
            yield chunk
            continue
        early += chunk
        if _first_due_ms(early) is not None:
            yield early
            early = None
    if early:
        yield early


def _first_due_ms(chunk: Iterable[Timed]) -> int | None:
    return next((timed.due_ms for timed in chunk if timed.due_ms != NOTHING_MS), None)


def _last_due_ms(chunk: Iterable[Timed]) -> int:
    return max(timed.due_ms for timed in chunk)
