"""The named scenarios: who sells, when, and what is planted.

A scenario is a function from (seed, events) to a `World`; attack scenarios are the same worlds with
further overlays and identities. The size is the wanted number of events; the number of rooms grows
with its square root, so that large sessions have larger rooms as well as more of them.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from producers.generator import parameters as p
from producers.generator.catalogue import Catalogue
from producers.generator.dirt import Dirt
from producers.generator.draws import seeded
from producers.generator.evening import CALM, DIRTY, FESTIVAL, TABLE_EVENING, Evening
from producers.generator.identities import Population
from producers.generator.quota import Quota
from producers.generator.ranking import ranked_shows, ranking_notes
from producers.generator.rooms import (
    MINUTE_MS,
    Host,
    Listing,
    RoomPlan,
    conversion,
    listing_times,
    room_weights,
)
from producers.generator.session import Session, World
from schemas.events import Mode

FEWEST_EVENTS = 1_000
# The ranking has 72 rooms, and each of them opens, shows and sells.
FEWEST_RANKED_EVENTS = 20_000
MOST_ROOMS = 2_000
FEWEST_ROOMS = 3
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


class Scenario(NamedTuple):
    """What can be asked for by name."""

    name: str
    summary: str
    events: int
    build: Callable[[int, int], World]
    fewest_events: int = FEWEST_EVENTS


class ScenarioError(ValueError):
    """A scenario that cannot be generated; its text is one line that says what to do."""


def generate(name: str, seed: int, *, events: int | None = None) -> Session:
    """A session of a named scenario: iterate over it for the records, then read its `truth`.

    Args:
        name: one of `SCENARIOS`.
        seed: any integer; the same name, seed and size give the same bytes.
        events: about how many events; the scenario's own size if None.

    Raises:
        ScenarioError: an unknown name, or fewer events than a session needs.
    """
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise ScenarioError(f"no scenario is called {name!r}; there are {', '.join(SCENARIOS)}")
    wanted = scenario.events if events is None else events
    if wanted < scenario.fewest_events:
        fewest = scenario.fewest_events
        raise ScenarioError(f"{name} has at least {fewest:,} events, not {wanted:,}")
    return Session(scenario.build(seed, wanted))


def _host(random: Random, number: int) -> Host:
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


def _shows(random: Random, count: int, boost: float) -> list[Show]:
    weights = room_weights(random, count)
    return [Show(_host(random, n), weights[n], conversion(random, boost)) for n in range(count)]


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


def _usual(evening: Evening, name: str, seed: int, events: int) -> World:
    random = seeded(f"{name}:{seed}:shows")
    share = events / evening.events
    count = max(FEWEST_ROOMS, min(MOST_ROOMS, round(evening.rooms * share**0.5)))
    return build_world(
        evening, seed, events, _shows(random, count, evening.conversion_boost), name=name
    )


def _calm(seed: int, events: int) -> World:
    return _usual(CALM, "calm", seed, events)


def _festival(seed: int, events: int) -> World:
    world = _usual(FESTIVAL, "festival", seed, events)
    world.rules = {}  # the rule set of the evening: all defaults, from the first record on
    return world


def _dirty(seed: int, events: int) -> World:
    world = _usual(DIRTY, "dirty", seed, events)
    world.overlays = (Dirt(world.seed, events, world.rooms, world.end_ms),)
    return world


def _table1(seed: int, events: int) -> World:
    ranked = ranked_shows(events)
    # larger sellers draw more people, but less than in proportion: conversion differs as well
    weights = [show.gross_minor**0.6 for show in ranked]
    shows = [
        Show(show.host, weight / sum(weights), 0.0)
        for show, weight in zip(ranked, weights, strict=True)
    ]
    world = build_world(TABLE_EVENING, seed, events, shows, name="table1")
    targets = {
        plan.room_id: show.gross_minor for plan, show in zip(world.rooms, ranked, strict=True)
    }
    world.overlays = (Quota(seed, targets, world.rooms),)
    world.notes.update(ranking_notes(events))
    return world


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario("calm", "an ordinary evening of shop rooms", CALM.events, _calm),
        Scenario(
            "festival", "the Double 11 evening, with its midnight peak", FESTIVAL.events, _festival
        ),
        Scenario(
            "dirty", "duplicates, late, future-stamped and malformed events", DIRTY.events, _dirty
        ),
        Scenario(
            "table1",
            "the ranked hosts and MCN agencies of August 2021, at their published proportions",
            TABLE_EVENING.events,
            _table1,
            FEWEST_RANKED_EVENTS,
        ),
    )
}
