"""Which stamps are believed: the event clock of a partition, and of a whole session file.

Only event time moves results, so one absurd stamp or one fast clock must not make all other events
late. Stamps are believed in arrival order; one that jumps far ahead waits until later records
decide (design, section 4, "Event clock"). The clock holds no wall time and does no I/O.

Bounds: what waits is decided by at most `CONFIRMATIONS_ALONE` later records, so no more wait at
once. Cost in the common case: two comparisons by the caller, who may skip `observe` while
`ts_ms <= limit_ms` (nothing waits, no jump) and call `believe` himself.
"""

from collections.abc import Iterator
from typing import Any, Generic, TypeVar

MAX_JUMP_MS = 600_000  # 10 min: a stamp further ahead of the greatest believed has to wait
OUT_OF_ORDER_MS = 5_000  # how far an honest record may lag behind its neighbours
CONFIRMATIONS = 3  # later records that believe a stamp, if one is of another room
CONFIRMATIONS_ALONE = 20  # later records that believe a stamp whatever their rooms
CLOSING_MS = 120_000  # the closing tick of a session stands this long after its greatest stamp

# Below every stamp: while nothing is believed, every comparison sends a record to `observe`.
NOTHING_MS = -(2**62)

Record = TypeVar("Record")


class Waiting(Generic[Record]):
    """A record whose stamp is not decided yet, and what later records said of it."""

    __slots__ = ("confirmations", "other_room", "record", "room_id", "ts_ms")

    def __init__(self, ts_ms: int, room_id: str, record: Record) -> None:
        self.ts_ms = ts_ms
        self.room_id = room_id
        self.record = record
        self.confirmations = 0
        self.other_room = False


class EventClock(Generic[Record]):
    """Decides, record by record, which stamps are believed and which are refuted.

    Attributes:
        greatest_ms: the greatest believed stamp, or `NOTHING_MS`.
        limit_ms: a stamp up to this one is believed at once; `NOTHING_MS` while anything waits or
            nothing is believed, so that one comparison tells the common case.
        lone_room_id: the only room whose stamps were ever believed here; None when there was none
            or more than one (`many_rooms` tells which).
    """

    __slots__ = ("greatest_ms", "limit_ms", "lone_room_id", "many_rooms", "waiting")

    def __init__(self) -> None:
        self.greatest_ms = NOTHING_MS
        self.limit_ms = NOTHING_MS
        self.lone_room_id: str | None = None
        self.many_rooms = False
        self.waiting: list[Waiting[Record]] = []

    @property
    def watermark_ms(self) -> int | None:
        """The event time up to which the log is believed complete; None before the first."""
        return None if self.greatest_ms == NOTHING_MS else self.greatest_ms - OUT_OF_ORDER_MS

    def believe(self, ts_ms: int, room_id: str) -> None:
        """Take a stamp for true."""
        if not self.many_rooms and room_id != self.lone_room_id:
            self.many_rooms = self.lone_room_id is not None
            self.lone_room_id = None if self.many_rooms else room_id
        self.reach(ts_ms)

    def observe(self, ts_ms: int, room_id: str, record: Record) -> Iterator[tuple[Record, bool]]:
        """What a valid record decides: first about all that waits, then about itself.

        Yields each decided record in arrival order with whether it is believed. The clock stands
        at a yielded record's own place while the caller applies it, so the caller has to use each
        one before he asks for the next.
        """
        if ts_ms <= self.limit_ms:
            self.believe(ts_ms, room_id)
            yield record, True
            return
        refuted = self._judge(ts_ms, room_id)
        self.waiting.append(Waiting(ts_ms, room_id, record))
        yield from self._settle(refuted)

    def tick(self, ts_ms: int) -> Iterator[tuple[Record, bool]]:
        """What a tick decides: it refutes what waits far ahead of it and confirms the rest.

        It is believed itself after the last yielded record.
        """
        waiting, self.waiting = self.waiting, []
        for item in waiting:
            believed = item.ts_ms <= ts_ms + MAX_JUMP_MS
            if believed:
                self.believe(item.ts_ms, item.room_id)
            yield item.record, believed
        self.reach(ts_ms)

    def closing_tick_ms(self) -> int | None:
        """The stamp of the tick that ends a session read by this clock (design, section 5).

        What waits at the end is dropped, unless nothing was ever believed: then it is believed.
        None for a log without a single valid record.
        """
        greatest_ms = self.greatest_ms
        if greatest_ms == NOTHING_MS:
            greatest_ms = max((item.ts_ms for item in self.waiting), default=NOTHING_MS)
        return None if greatest_ms == NOTHING_MS else greatest_ms + CLOSING_MS

    def reach(self, ts_ms: int) -> None:
        """Event time has reached a stamp that is believed."""
        self.greatest_ms = max(self.greatest_ms, ts_ms)
        self.limit_ms = NOTHING_MS if self.waiting else self.greatest_ms + MAX_JUMP_MS

    def _judge(self, ts_ms: int, room_id: str) -> set[int]:
        """Let a record judge all that waits; the places of those that it refutes or confirms."""
        refuted: set[int] = set()
        for at, item in enumerate(self.waiting):
            if ts_ms < item.ts_ms - OUT_OF_ORDER_MS:
                refuted.add(at)
                continue
            item.confirmations += 1
            item.other_room |= room_id != item.room_id
        return refuted

    def _is_confirmed(self, item: Waiting[Record]) -> bool:
        if item.confirmations >= CONFIRMATIONS_ALONE:
            return True
        other_was_believed = self.many_rooms or self.lone_room_id not in (None, item.room_id)
        return item.confirmations >= CONFIRMATIONS and (item.other_room or not other_was_believed)

    def _settle(self, refuted: set[int]) -> Iterator[tuple[Record, bool]]:
        """Yield what is decided now, in arrival order, and keep the rest waiting."""
        waiting = self.waiting
        believed = self._believed_now(refuted)
        self.waiting = [
            item for at, item in enumerate(waiting) if at not in refuted and at not in believed
        ]
        self.limit_ms = NOTHING_MS
        for at, item in enumerate(waiting):
            if at in believed:
                self.believe(item.ts_ms, item.room_id)
                yield item.record, True
            elif at in refuted:
                yield item.record, False
        if self.greatest_ms != NOTHING_MS:
            self.reach(self.greatest_ms)

    def _believed_now(self, refuted: set[int]) -> set[int]:
        """The places of those that are confirmed, or within reach of one that is."""
        open_ = {at: item for at, item in enumerate(self.waiting) if at not in refuted}
        believed = {at for at, item in open_.items() if self._is_confirmed(item)}
        reach_ms = max([self.greatest_ms, *(open_[at].ts_ms for at in believed)])
        while reach_ms != NOTHING_MS:
            near = {
                at
                for at, item in open_.items()
                if at not in believed and item.ts_ms <= reach_ms + MAX_JUMP_MS
            }
            if not near:
                break
            believed |= near
            reach_ms = max([reach_ms, *(open_[at].ts_ms for at in near)])
        return believed

    def snapshot(self) -> list[Any]:
        """The state in plain values; records as they were handed in."""
        return [
            self.greatest_ms,
            self.lone_room_id,
            self.many_rooms,
            [
                [item.ts_ms, item.room_id, item.record, item.confirmations, item.other_room]
                for item in self.waiting
            ],
        ]

    def restore(self, state: list[Any]) -> None:
        """Continue from `snapshot`."""
        self.greatest_ms, self.lone_room_id, self.many_rooms, waiting = state
        self.waiting = []
        for ts_ms, room_id, record, confirmations, other_room in waiting:
            item = Waiting(ts_ms, room_id, record)
            item.confirmations, item.other_room = confirmations, other_room
            self.waiting.append(item)
        if self.greatest_ms != NOTHING_MS:
            self.reach(self.greatest_ms)
