"""The named scenarios: who sells, when, and what is planted.

A scenario is a function from a seed and what is wanted to a `World`. The natural ones have a size
in events; the number of rooms grows with its square root, so that large sessions have larger rooms
as well as more of them. The planted ones (`planted`) have a number of rooms and hours.
"""

from collections.abc import Callable
from typing import NamedTuple

from producers.generator import planted, season
from producers.generator.dirt import Dirt
from producers.generator.draws import seeded
from producers.generator.evening import CALM, DIRTY, FESTIVAL, TABLE_EVENING, Evening
from producers.generator.planting import Setting
from producers.generator.quota import Quota, Target
from producers.generator.ranking import ranked_shows, ranking_notes
from producers.generator.rooms import room_weights
from producers.generator.session import Session, World
from producers.generator.wanted import MOST_ROOMS, ScenarioError, Wanted
from producers.generator.worlds import Show, build_world, make_shows

FEWEST_EVENTS = 1_000
# The ranking has 72 rooms, and each of them opens, shows and sells.
FEWEST_RANKED_EVENTS = 20_000
# So many people are needed that a crowd of them is not the whole audience.
FEWEST_PLANTED_EVENTS = 10_000
FEWEST_ROOMS = 3

Build = Callable[[int, Wanted], World]

_SIZED = frozenset({"events"})
_QUIET = _SIZED | {"rooms", "hours", "audience"}
_ATTACKED = _QUIET | {"intensity"}
_CHOSEN = _ATTACKED | {"attacks"}


class Scenario(NamedTuple):
    """What can be asked for by name; `events` is the usual size, without what is planted."""

    name: str
    summary: str
    events: int
    build: Build
    fewest_events: int = FEWEST_EVENTS
    options: frozenset[str] = _SIZED


def generate(
    name: str, seed: int, *, events: int | None = None, wanted: Wanted | None = None
) -> Session:
    """A session of a named scenario: iterate over it for the records, then read its `truth`.

    Args:
        name: one of `SCENARIOS`.
        seed: any integer; the same name, seed and options give the same bytes.
        events: short for `Wanted(events=...)`.
        wanted: the options; each that is absent is the scenario's own.

    Raises:
        ScenarioError: an unknown name, an option that the scenario does not have or that is out
            of range, or fewer events, rooms or hours than what is planted needs.
    """
    scenario = SCENARIOS.get(name)
    if scenario is None:
        raise ScenarioError(f"no scenario is called {name!r}; there are {', '.join(SCENARIOS)}")
    asked = Wanted() if wanted is None else wanted
    if events is not None:
        asked = asked._replace(events=events)
    asked.check(name, scenario.options)
    if asked.events is not None and asked.events < scenario.fewest_events:
        fewest = scenario.fewest_events
        raise ScenarioError(f"{name} has at least {fewest:,} events, not {asked.events:,}")
    return Session(scenario.build(seed, asked))


def _usual(evening: Evening, name: str, seed: int, events: int) -> World:
    random = seeded(f"{name}:{seed}:shows")
    share = events / evening.events
    count = max(FEWEST_ROOMS, min(MOST_ROOMS, round(evening.rooms * share**0.5)))
    shows = make_shows(random, room_weights(random, count), evening.conversion_boost)
    return build_world(evening, seed, events, shows, name=name)


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
        plan.room_id: Target(show.gross_minor)
        for plan, show in zip(world.rooms, ranked, strict=True)
    }
    world.overlays = (Quota(seed, targets),)
    world.notes.update(ranking_notes(events))
    return world


def _sized(usual: int, build: Callable[[int, int], World]) -> Build:
    """A scenario that knows no option but its size."""
    return lambda seed, wanted: build(seed, usual if wanted.events is None else wanted.events)


def _planted(
    setting: Setting, summary: str, build: Build, options: frozenset[str] = _ATTACKED
) -> Scenario:
    events = setting.natural_events(Wanted())
    return Scenario(setting.name, summary, events, build, FEWEST_PLANTED_EVENTS, options)


SCENARIOS: dict[str, Scenario] = {
    scenario.name: scenario
    for scenario in (
        Scenario(
            "calm", "an ordinary evening of shop rooms", CALM.events, _sized(CALM.events, _calm)
        ),
        Scenario(
            "festival",
            "the Double 11 evening, with its midnight peak",
            FESTIVAL.events,
            _sized(FESTIVAL.events, _festival),
        ),
        Scenario(
            "dirty",
            "duplicates, late, future-stamped and malformed events",
            DIRTY.events,
            _sized(DIRTY.events, _dirty),
        ),
        Scenario(
            "table1",
            "the ranked hosts and MCN agencies of August 2021, at their published proportions",
            TABLE_EVENING.events,
            _sized(TABLE_EVENING.events, _table1),
            FEWEST_RANKED_EVENTS,
        ),
        Scenario(
            "season",
            "75 days of the ten ranked hosts, with a Double 11 and what it borrows planted",
            season.EVENTS,
            _sized(season.EVENTS, season.season),
            season.FEWEST_EVENTS,
        ),
        _planted(
            planted.BRUSHING,
            "brushed orders: adversaries A1 to A9, with clean rooms beside them",
            planted.brushing,
            _CHOSEN,
        ),
        _planted(
            planted.POISONING,
            "adversary A7: a ring that grows over three days",
            planted.poisoned,
        ),
        _planted(
            planted.VIEWBOTS, "bought viewers: V-A, V-B and V-C", planted.viewbot_rooms, _CHOSEN
        ),
        _planted(planted.REFUND_WAVE, "R-A: a faulty batch comes back", planted.refund_wave),
        _planted(planted.COMPLAINT_WAVE, "C-A: many complain at once", planted.complaint_wave),
        _planted(
            planted.OFF_PLATFORM,
            "O-A: a host hints at paying elsewhere, buyers cancel and complain",
            planted.off_platform,
        ),
        _planted(
            planted.TRAFFIC_DROP, "T-A: the picture freezes, and people leave", planted.traffic_drop
        ),
        _planted(planted.PRICE_WAR, "W-A: two rooms undercut each other", planted.price_war),
        _planted(
            planted.SILENCE,
            "innocents only, no alert is due: flash peaks, coupons, dormitories, raids, families",
            planted.silence,
            _QUIET,
        ),
    )
}
