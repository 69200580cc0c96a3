"""Which stamps are believed, when, and where does event time stand after each?

The event clock of the design, literally: all that waits is a list, each newcomer walks it.
"""

from dataclasses import dataclass, field
from typing import Final

MAX_JUMP_MS: Final = 600_000
OUT_OF_ORDER_MS: Final = 5_000
CONFIRMATIONS: Final = 3
CONFIRMATIONS_OF_ONE_ROOM: Final = 20
CLOSING_DELAY_MS: Final = 120_000


@dataclass
class Waiting:
    arrival: int
    ts_ms: int
    room_id: str
    later: int = 0
    later_of_another_room: bool = False


@dataclass(frozen=True)
class Decision:
    """A record that is to be folded now, and the watermark that its fold sees."""

    arrival: int
    believed: bool
    watermark_ms: int | None


@dataclass
class Clock:
    greatest_ms: int | None = None
    believed_rooms: set[str] = field(default_factory=set)
    waiting: list[Waiting] = field(default_factory=list)

    @property
    def watermark_ms(self) -> int | None:
        return None if self.greatest_ms is None else self.greatest_ms - OUT_OF_ORDER_MS

    def record(self, arrival: int, ts_ms: int, room_id: str) -> list[Decision]:
        """Take a valid room-bound record; return what it decides, in arrival order."""
        refuted, confirmed = self._judge(ts_ms, room_id)
        self.waiting.append(Waiting(arrival, ts_ms, room_id))
        believed = self._spread(confirmed, refuted)
        return self._decide(believed, refuted)

    def tick(self, arrival: int, ts_ms: int) -> list[Decision]:
        """Take a tick; it decides all that waits, then itself is believed."""
        refuted = [w for w in self.waiting if w.ts_ms > ts_ms + MAX_JUMP_MS]
        believed = [w for w in self.waiting if w not in refuted]
        decisions = self._decide(believed, refuted)
        self.greatest_ms = max(ts_ms, self.greatest_ms or ts_ms)
        return [*decisions, Decision(arrival, believed=True, watermark_ms=self.watermark_ms)]

    def _judge(self, ts_ms: int, room_id: str) -> tuple[list[Waiting], list[Waiting]]:
        refuted, confirmed = [], []
        for waiting in self.waiting:
            if ts_ms < waiting.ts_ms - OUT_OF_ORDER_MS:
                refuted.append(waiting)
                continue
            waiting.later += 1
            if room_id != waiting.room_id:
                waiting.later_of_another_room = True
            if self._is_confirmed(waiting):
                confirmed.append(waiting)
        return refuted, confirmed

    def _is_confirmed(self, waiting: Waiting) -> bool:
        if waiting.later >= CONFIRMATIONS_OF_ONE_ROOM:
            return True
        another_was_believed = bool(self.believed_rooms - {waiting.room_id})
        return waiting.later >= CONFIRMATIONS and (
            waiting.later_of_another_room or not another_was_believed
        )

    def _spread(self, confirmed: list[Waiting], refuted: list[Waiting]) -> list[Waiting]:
        """Believe also whatever comes within reach of the greatest believed, until none does."""
        believed = list(confirmed)
        while True:
            stamps = [w.ts_ms for w in believed]
            if self.greatest_ms is not None:
                stamps.append(self.greatest_ms)
            within = [
                w
                for w in self.waiting
                if w not in believed
                and w not in refuted
                and stamps
                and w.ts_ms <= max(stamps) + MAX_JUMP_MS
            ]
            if not within:
                return believed
            believed += within

    def _decide(self, believed: list[Waiting], refuted: list[Waiting]) -> list[Decision]:
        decisions = []
        for waiting in [w for w in self.waiting if w in believed or w in refuted]:
            if waiting in believed:
                self.greatest_ms = max(waiting.ts_ms, self.greatest_ms or waiting.ts_ms)
                self.believed_rooms.add(waiting.room_id)
            decisions.append(Decision(waiting.arrival, waiting in believed, self.watermark_ms))
            self.waiting.remove(waiting)
        return decisions


def closing_stamp_ms(clock: Clock) -> int | None:
    """Return the stamp of the closing tick, from a clock that saw the whole file."""
    stamps = [w.ts_ms for w in clock.waiting]
    if clock.greatest_ms is not None:
        stamps = [clock.greatest_ms]
    return max(stamps) + CLOSING_DELAY_MS if stamps else None
