"""When does each record of a session happen?

A record happens at its own stamp if the event clock of the whole session believes it, and
otherwise (refuted, malformed, rules) at the greatest stamp believed before it: an absurd stamp
must not stall a replay, and a quiet night must not be cut short. Records are handed on in order of
arrival; a record whose stamp is not decided yet holds back those behind it.

Bounds: what is held back is decided by at most 20 valid records (`schemas.clock`), so little more
than a chunk is held.
"""

from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

from schemas.clock import NOTHING_MS, EventClock
from schemas.codec import Event, Rules, Tick, decode_all
from schemas.errors import InputError


class Timed(NamedTuple):
    """A record and when it happens.

    Attributes:
        due_ms: event time, or `NOTHING_MS` before anything was believed.
        event: what it holds, or why it is refused.
    """

    due_ms: int
    value: bytes
    event: Event | InputError


class _Held:
    """A record in the queue; `due_ms` is None until its stamp is decided."""

    __slots__ = ("due_ms", "event", "value")

    def __init__(self, due_ms: int | None, value: bytes, event: Event | InputError) -> None:
        self.due_ms = due_ms
        self.value = value
        self.event = event


class Timeline:
    """Gives each record its time, in arrival order.

    Attributes:
        first_ms: the first stamp that was believed, in order of arrival; None before.
    """

    def __init__(self) -> None:
        self._clock: EventClock[_Held] = EventClock()
        self._held: deque[_Held] = deque()
        self.first_ms: int | None = None

    def feed(self, values: Sequence[bytes]) -> list[Timed]:
        """Take the next records; the ones whose time is now known, in arrival order."""
        out: list[Timed] = []
        append, clock = out.append, self._clock
        for value, event in zip(values, decode_all(values), strict=True):
            if isinstance(event, InputError | Rules | Tick):
                self._take_other(value, event, out)
            elif event.ts_ms <= clock.limit_ms:
                # the common case: nothing waits and no jump, so it is believed as it comes
                if event.ts_ms > clock.greatest_ms or not clock.many_rooms:
                    clock.believe(event.ts_ms, event.room_id)
                append(Timed(event.ts_ms, value, event))
            else:
                held = _Held(None, value, event)
                self._held.append(held)
                for decided, believed in clock.observe(event.ts_ms, event.room_id, held):
                    self._decide(decided, believed=believed)
                self._release(out)
        return out

    def finish(self) -> list[Timed]:
        """The rest: what still waits happens when the last believed record did.

        Where nothing was ever believed, all that waits is (design, section 5, the closing tick).
        """
        for held in self._held:
            if held.due_ms is not None:
                continue
            nothing_believed = self._clock.greatest_ms == NOTHING_MS
            held.due_ms = _stamp_of(held) if nothing_believed else self._clock.greatest_ms
            if self.first_ms is None:
                self.first_ms = held.due_ms
        out: list[Timed] = []
        self._release(out)
        return out

    def _take_other(self, value: bytes, event: InputError | Rules | Tick, out: list[Timed]) -> None:
        held = _Held(None, value, event)
        self._held.append(held)
        if isinstance(event, Tick):
            for decided, believed in self._clock.tick(event.ts_ms):
                self._decide(decided, believed=believed)
            self._decide(held, believed=True)
        else:
            held.due_ms = self._clock.greatest_ms
        self._release(out)

    def _decide(self, held: _Held, *, believed: bool) -> None:
        held.due_ms = _stamp_of(held) if believed else self._clock.greatest_ms
        if believed and self.first_ms is None:
            self.first_ms = held.due_ms

    def _release(self, out: list[Timed]) -> None:
        held = self._held
        while held and held[0].due_ms is not None:
            item = held.popleft()
            assert item.due_ms is not None
            out.append(Timed(item.due_ms, item.value, item.event))


def _stamp_of(held: _Held) -> int:
    assert not isinstance(held.event, InputError)
    return held.event.ts_ms
