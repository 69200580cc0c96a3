"""One generated session: the rooms' events of each minute, merged by arrival.

The rooms are advanced a minute at a time and the minute is sorted, which costs a fraction of a
merge by heap; what arrives after the minute's end is carried over. Same name, seed and size give
the same bytes: every draw comes from a `random.Random` seeded with text, nothing iterates over a
set, and ties keep the order of the rooms.

A `tick` stands at the start and every five minutes, as a recorder of a cluster with quiet
partitions sees them. It makes the figures of the truth exact for any number of partitions: no
partition's event time is ever more than five minutes behind. In a long session, of many days, one
an hour has to do while no show is on.

Bounds: the events of one minute, the visits that are open, the rooms. Of a long session the rooms
that are open, and of the others what is still to arrive.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from operator import itemgetter

from pydantic import JsonValue

from producers.generator.identities import Population
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.traffic import Emission, Overlay, Room
from producers.generator.truth import Truth
from schemas import codec

TICK_MINUTES = 5
IDLE_TICK_MINUTES = 60
# So long after its show, of a long session, a room has nobody in it, and takes no more part.
_LINGER_MINUTES = 15

_arrival = itemgetter(0)


@dataclass(slots=True)
class World:
    """All that a session is generated from.

    `start_ms` and `end_ms` are whole minutes; nothing arrives outside of them. In a long world
    (`is_long`) rooms are made when they open and let go after they closed; overlays are not asked
    about them then.
    """

    scenario: str
    seed: int
    start_ms: int
    end_ms: int
    rooms: list[RoomPlan]
    population: Population
    overlays: tuple[Overlay, ...] = ()
    rules: dict[str, JsonValue] | None = None
    notes: dict[str, object] = field(default_factory=dict)
    is_long: bool = False


class Session:
    """The records of a world, once, in order of arrival; `truth` is complete after the last one."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.truth = Truth(world.scenario, world.seed)
        self.truth.notes.update(world.notes)
        self.done = 0.0  # share of the session's event time, for a progress bar
        self._broadcasts = 0

    def __iter__(self) -> Iterator[bytes]:
        if self.done:
            raise ValueError("a session is generated once; make another one")
        for minute in self._minutes():
            self.truth.events += len(minute)
            for _, record in minute:
                yield record

    def _minutes(self) -> Iterator[list[Emission]]:
        world = self._world
        first, last = world.start_ms // MINUTE_MS, world.end_ms // MINUTE_MS
        cast = _LongCast if world.is_long else _Cast
        rooms = cast(world, self._room)
        carried: list[Emission] = []
        for minute in range(first, last):
            pending = carried + self._broadcast(minute, first, is_idle=rooms.is_idle(minute))
            rooms.advance(minute, pending)
            pending.sort(key=_arrival)
            ended = bisect_left(pending, (minute + 1) * MINUTE_MS, key=_arrival)
            carried = pending[ended:]
            self.done = (minute + 1 - first) / (last - first)
            yield pending[:ended]
        assert not carried, "something was scheduled past the end"

    def _room(self, plan: RoomPlan) -> Room:
        world = self._world
        return Room(
            plan,
            seed=f"{world.scenario}:{world.seed}",
            population=world.population,
            truth=self.truth,
            overlays=world.overlays,
            end_ms=world.end_ms,
        )

    def _broadcast(self, minute: int, first: int, *, is_idle: bool) -> list[Emission]:
        if (minute - first) % (IDLE_TICK_MINUTES if is_idle else TICK_MINUTES):
            return []
        ts_ms = minute * MINUTE_MS
        self._broadcasts += 1
        head = f"{self._world.scenario}-{self._world.seed}"
        tick = codec.Tick(event_id=f"{head}-tick-{self._broadcasts}", ts_ms=ts_ms)
        out = [(ts_ms, codec.encode(tick))]
        if minute == first and self._world.rules is not None:
            rules = codec.Rules(
                event_id=f"{head}-rules", ts_ms=ts_ms, version=1, rules=self._world.rules
            )
            out.append((ts_ms, codec.encode(rules)))
        self.truth.broadcast += len(out)
        return out


class _Cast:
    """All rooms of a session of some hours."""

    def __init__(self, world: World, make: Callable[[RoomPlan], Room]) -> None:
        self._rooms = [make(plan) for plan in world.rooms]

    def is_idle(self, minute: int) -> bool:  # noqa: ARG002 - as a long one is asked
        """Whether no show is on; never, in some hours."""
        return False

    def advance(self, minute: int, out: list[Emission]) -> None:
        """Add what happens in a minute."""
        for room in self._rooms:
            if room.plan.open_ms // MINUTE_MS <= minute:
                room.advance(minute, out)


class _LongCast:
    """The rooms of a session of many days: those that are open, and what the others left."""

    def __init__(self, world: World, make: Callable[[RoomPlan], Room]) -> None:
        self._make = make
        self._to_come = sorted(world.rooms, key=lambda plan: plan.open_ms, reverse=True)
        self._open: list[Room] = []
        self._left: defaultdict[int, list[Emission]] = defaultdict(list)

    def is_idle(self, minute: int) -> bool:
        """Whether no show is on."""
        return not self._open and not self._is_due(minute)

    def advance(self, minute: int, out: list[Emission]) -> None:
        """Add what happens in a minute."""
        while self._is_due(minute):
            self._open.append(self._make(self._to_come.pop()))
        for room in self._open:
            room.advance(minute, out)
        out.extend(self._left.pop(minute, ()))
        ended = [room for room in self._open if _has_ended(room.plan, minute)]
        if ended:
            self._open = [room for room in self._open if not _has_ended(room.plan, minute)]
            for room in ended:
                for due, emissions in room.retire().items():
                    self._left[due] += emissions

    def _is_due(self, minute: int) -> bool:
        return bool(self._to_come) and self._to_come[-1].open_ms // MINUTE_MS <= minute


def _has_ended(plan: RoomPlan, minute: int) -> bool:
    return minute >= plan.close_ms // MINUTE_MS + _LINGER_MINUTES
