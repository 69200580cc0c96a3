"""How a session's rooms, people and hours are drawn, before anything is planted on them."""

from random import Random
from typing import NamedTuple

from producers.generator import parameters as p
from producers.generator.catalogue import Catalogue
from producers.generator.draws import seeded
from producers.generator.evening import Evening
from producers.generator.identities import Population
from producers.generator.rooms import MINUTE_MS, Host, Listing, RoomPlan, conversion, listing_times
from producers.generator.session import World
from schemas.events import Mode

# How many visits one person pays to all rooms of an evening, on average.
VISITS_BY_PERSON = 1.6
_EXPOSURE_STEPS = (1, 2, 5, 10)
_EXPOSURE_SHARE = 0.08

_MODES: tuple[Mode, ...] = (
    "talent",
    "talent",
    "store",
    "store",
    "seckill",
    "base_walk",
    "origin",
    "overseas",
)
_ALL_MODES: tuple[Mode, ...] = (
    "talent",
    "store",
    "base_walk",
    "origin",
    "overseas",
    "seckill",
    "bargain",
)
_AGENCIES = (
    "mcn-harbour",
    "mcn-lychee",
    "mcn-nine-rivers",
    "mcn-osmanthus",
    "mcn-red-kite",
    "mcn-south-gate",
)
_NAMES = ("Apricot", "Bamboo", "Camellia", "Dragonwell", "Ginkgo", "Lotus", "Magnolia", "Peony")


def make_host(random: Random, number: int) -> Host:
    """A host; the first ones cover all modes and categories."""
    # the first rooms cover all modes and categories, so that small sessions have them too
    categories = tuple(p.CATEGORIES)
    first = number < len(_ALL_MODES)
    mode = _ALL_MODES[number] if first else random.choice(_MODES)
    category = categories[number] if number < len(categories) else random.choice(categories)
    mcn_id = None if random.random() < 0.3 else random.choice(_AGENCIES)  # noqa: PLR2004
    name = f"{_NAMES[number % len(_NAMES)]} {number // len(_NAMES) + 1}"
    return Host(f"host-{number:04d}", name, mcn_id, mode, category)


class Show(NamedTuple):
    """A host's room with its share of the session's visits and its chance of selling."""

    host: Host
    weight: float
    conversion: float


def make_shows(random: Random, weights: list[float], boost: float) -> list[Show]:
    """Hosts of all kinds for rooms of the given sizes; `boost` multiplies their conversion."""
    return [
        Show(make_host(random, n), weight, conversion(random, boost))
        for n, weight in enumerate(weights)
    ]


def build_world(evening: Evening, seed: int, events: int, shows: list[Show], *, name: str) -> World:
    """Rooms, people and hours of an evening, without overlays."""
    random = seeded(f"{name}:{seed}")
    hours = [evening.hours(random) for _ in shows]
    minutes = sum(close_ms - open_ms for open_ms, close_ms in hours) / MINUTE_MS
    exposure_minutes = next(
        (step for step in _EXPOSURE_STEPS if 2 * minutes / step <= _EXPOSURE_SHARE * events),
        _EXPOSURE_STEPS[-1],
    )
    fixed = 2 * minutes / exposure_minutes + minutes * 2.2 * 60 / p.LISTING_GAP_SECONDS
    visits = max(0.3 * events, events - fixed) / evening.events_by_visit
    catalogue = Catalogue(random, 20 + 8 * len(shows) // len(p.CATEGORIES))
    rooms = []
    for number, (show, (open_ms, close_ms)) in enumerate(zip(shows, hours, strict=True)):
        times = listing_times(random, open_ms, close_ms)
        shelf = catalogue.shelf(random, show.host.category, len(times))
        sold = show.weight * visits * p.ENGAGED_SHARE * show.conversion
        rooms.append(
            RoomPlan(
                room_id=f"{name}-{seed}-{number:04d}",
                host=show.host,
                currency="CNY",
                open_ms=open_ms,
                close_ms=close_ms,
                visits=show.weight * visits,
                conversion=show.conversion,
                shape=evening.shape(open_ms, close_ms),
                # a show longer than its shelf begins again
                listings=tuple(
                    Listing(ts_ms, shelf[n % len(shelf)]) for n, ts_ms in enumerate(times)
                ),
                price_cut_ms=evening.price_cut_ms,
                exposure_minutes=exposure_minutes,
                earlier_complaints=int(p.COMPLAINT_SHARE * sold) + (number == 0),
            )
        )
    people = max(40, int(visits / VISITS_BY_PERSON))
    return World(
        scenario=name,
        seed=seed,
        start_ms=evening.start_ms,
        end_ms=evening.end_ms,
        rooms=rooms,
        population=Population(seeded(f"{name}:{seed}:people"), people),
    )
