"""A natural world, and the means to plant things on it room by room.

Rooms, people and natural traffic are drawn as in any scenario and do not depend on what is planted.
Which rooms are chosen is drawn too, from a source of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from producers.generator.crowds import block_start
from producers.generator.draws import seeded
from producers.generator.evening import Evening, day_profile, planted_start_ms
from producers.generator.rooms import (
    LARGEST_CONVERSION,
    MINUTE_MS,
    RoomPlan,
    room_weights,
)
from producers.generator.script import ByRoom
from producers.generator.session import World
from producers.generator.traffic import Overlay
from producers.generator.wanted import ScenarioError, Wanted
from producers.generator.worlds import build_world, make_shows

# Rooms open within so many minutes, and are all open for equally long.
OPEN_SPREAD_MINUTES = 20


@dataclass(frozen=True, slots=True)
class Setting:
    """What a planted scenario's rooms are like by default.

    Attributes:
        hour: when it starts, in China.
        hours: how long each room is open.
        events_by_room_hour: of natural traffic.
        conversion_boost: times the usual conversion.
        size_sigma: of the log of room sizes; None for the usual, very uneven ones.
        fewest_hours: what is planted does not fit into shorter shows.
    """

    name: str
    hour: int
    rooms: int
    hours: float
    events_by_room_hour: int
    conversion_boost: float
    size_sigma: float | None = 0.4
    fewest_hours: float = 3

    def room_count(self, wanted: Wanted) -> int:
        """How many rooms there are."""
        return self.rooms if wanted.rooms is None else wanted.rooms

    def open_minutes(self, wanted: Wanted) -> int:
        """How long each room is open."""
        return round(60 * (self.hours if wanted.hours is None else wanted.hours))

    def natural_events(self, wanted: Wanted) -> int:
        """About how many events there are without what is planted."""
        if wanted.events is not None:
            return wanted.events
        hours = self.open_minutes(wanted) / 60
        return round(self.room_count(wanted) * hours * self.events_by_room_hour)


class Planting:
    """A world that grows its overlays; `world` is complete when the scenario is."""

    def __init__(self, setting: Setting, seed: int, wanted: Wanted) -> None:
        minutes = setting.open_minutes(wanted)
        if minutes < 60 * setting.fewest_hours:
            raise ScenarioError(
                f"{setting.name} needs shows of at least {setting.fewest_hours:g} hours"
            )
        self.setting, self.seed = setting, seed
        self.intensity = 1.0 if wanted.intensity is None else wanted.intensity
        self.world = _natural_world(setting, seed, wanted)
        self._overlays = ByRoom()
        self.world.overlays = (self._overlays,)
        self._crowds = [0] * len(self.world.rooms)
        self.free = list(range(len(self.world.rooms)))
        self.random("order").shuffle(self.free)
        self.world.notes["planted"] = {
            "room_hours": round(len(self.world.rooms) * minutes / 60, 3),
            "intensity": self.intensity,
        }

    def random(self, *purpose: object) -> Random:
        """A source of its own for a purpose."""
        words = ":".join(str(word) for word in purpose)
        return seeded(f"{self.setting.name}:{self.seed}:planted:{words}")

    def take(self, suits: Callable[[RoomPlan], bool] | None = None) -> int:
        """The next free room, by number; the next that suits if there is one.

        Raises:
            ScenarioError: no room is left.
        """
        if not self.free:
            raise ScenarioError(f"{self.setting.name} needs more rooms: raise --rooms")
        rooms = self.world.rooms
        number = next((n for n in self.free if suits is None or suits(rooms[n])), self.free[0])
        self.free.remove(number)
        return number

    def plan(self, number: int) -> RoomPlan:
        """The plan of a room."""
        return self.world.rooms[number]

    def first_number(self, number: int) -> int:
        """The first number for a new crowd of a room."""
        self._crowds[number] += 1
        return block_start(self.world.population, number, self._crowds[number])

    def add(self, number: int, overlay: Overlay) -> None:
        """Plant an overlay into a room."""
        self._overlays.add(self.plan(number).room_id, overlay)


def _natural_world(setting: Setting, seed: int, wanted: Wanted) -> World:
    minutes = setting.open_minutes(wanted)
    count = setting.room_count(wanted)
    events = setting.natural_events(wanted)
    evening = Evening(
        start_ms=planted_start_ms(setting.hour),
        minutes=minutes + OPEN_SPREAD_MINUTES,
        open_spread=OPEN_SPREAD_MINUTES,
        shortest=minutes,
        longest=minutes,
        profile=day_profile(setting.hour, minutes + OPEN_SPREAD_MINUTES),
        rooms=count,
        events=events,
        conversion_boost=setting.conversion_boost,
    )
    random = seeded(f"{setting.name}:{seed}:shows")
    shows = make_shows(random, _weights(random, setting, count), setting.conversion_boost)
    world = build_world(evening, seed, events, shows, name=setting.name)
    audience = 1.0 if wanted.audience is None else wanted.audience
    for plan in world.rooms:
        # no room gets so thin that its orders would not come
        share = max(audience, plan.conversion / LARGEST_CONVERSION)
        plan.visits *= share
        plan.conversion /= share
    return world


def _weights(random: Random, setting: Setting, count: int) -> list[float]:
    if setting.size_sigma is None:
        return room_weights(random, count)
    weights = [random.lognormvariate(0, setting.size_sigma) for _ in range(count)]
    return [weight / sum(weights) for weight in weights]


def settled_ms(plans: list[RoomPlan], minutes: int) -> int:
    """When all rooms have been open for so many minutes."""
    return max(plan.open_ms for plan in plans) + minutes * MINUTE_MS
