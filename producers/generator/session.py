"""One generated session: the rooms' events of each minute, merged by arrival.

The rooms are advanced a minute at a time and the minute is sorted, which costs a fraction of a
merge by heap; what arrives after the minute's end is carried over. Same name, seed and size give
the same bytes: every draw comes from a `random.Random` seeded with text, nothing iterates over a
set, and ties keep the order of the rooms.

A `tick` stands at the start and every five minutes, as a recorder of a cluster with quiet
partitions sees them. It makes the figures of the truth exact for any number of partitions: no
partition's event time is ever more than five minutes behind.

Bounds: the events of one minute, and the visits that are open.
"""

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from operator import itemgetter

from pydantic import JsonValue

from producers.generator.identities import Population
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.traffic import Emission, Overlay, Room
from producers.generator.truth import Truth
from schemas import codec

TICK_MINUTES = 5

_arrival = itemgetter(0)


@dataclass(slots=True)
class World:
    """All that a session is generated from.

    `start_ms` and `end_ms` are whole minutes; nothing arrives outside of them.
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
        rooms = [
            Room(
                plan,
                seed=f"{world.scenario}:{world.seed}",
                population=world.population,
                truth=self.truth,
                overlays=world.overlays,
                end_ms=world.end_ms,
            )
            for plan in world.rooms
        ]
        first, last = world.start_ms // MINUTE_MS, world.end_ms // MINUTE_MS
        carried: list[Emission] = []
        for minute in range(first, last):
            pending = carried + self._broadcast(minute, first)
            for room in rooms:
                if room.plan.open_ms // MINUTE_MS <= minute:
                    room.advance(minute, pending)
            pending.sort(key=_arrival)
            ended = bisect_left(pending, (minute + 1) * MINUTE_MS, key=_arrival)
            carried = pending[ended:]
            self.done = (minute + 1 - first) / (last - first)
            yield pending[:ended]
        assert not carried, "something was scheduled past the end"

    def _broadcast(self, minute: int, first: int) -> list[Emission]:
        if (minute - first) % TICK_MINUTES:
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
