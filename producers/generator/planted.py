"""The scenarios with something planted: attacks with clean rooms beside them, and mere innocents.

Every attack is one incident of the truth file. Natural noise that is no gathering (orders from
links in every room, lost enters) is there as well, or a detector could live on its absence, and
each clean room of an attack scenario has one innocent gathering.
"""

from itertools import cycle

from producers.generator import innocents, viewbots, waves
from producers.generator import parameters as p
from producers.generator.adversaries import (
    ADVERSARIES,
    QUIET_END_MS,
    RING_STEP_MS,
    Adversary,
    accounts,
    attack,
    poisoning,
    scaled,
    shortest_minutes,
    start_ms,
)
from producers.generator.crowds import strangers
from producers.generator.frozen_picture import FrozenPicture
from producers.generator.identities import Identity
from producers.generator.planting import OPEN_SPREAD_MINUTES, Planting, Setting, settled_ms
from producers.generator.price_war import TURNS, PriceWar, plan_war
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.script import Act, Noted, Script
from producers.generator.session import World
from producers.generator.truth import Incident
from producers.generator.wanted import ScenarioError, Wanted

# The rooms of attacks sell 27 an hour at the mean: 30 orders in 67 minutes are once that rate.
BRUSHING = Setting("brushing", 18, 24, 4, 3_300, 1.7)
POISONING = Setting("poisoning", 18, 6, 72, 1_000, 5.0)
VIEWBOTS = Setting("viewbots", 18, 12, 4, 3_300, 1.7)
REFUND_WAVE = Setting("refund_wave", 18, 8, 4, 3_300, 3.0)
COMPLAINT_WAVE = Setting("complaint_wave", 18, 8, 4, 3_300, 1.7)
OFF_PLATFORM = Setting("off_platform", 18, 8, 4, 3_300, 3.0)
# Rooms in which a loss can be told from chance.
TRAFFIC_DROP = Setting("traffic_drop", 18, 8, 4, 12_000, 1.7)
PRICE_WAR = Setting("price_war", 18, 8, 4, 3_300, 1.7)
SILENCE = Setting("silence", 20, 40, 4, 900, 3.0, size_sigma=None, fewest_hours=2)

_GATHERING_EVERY_MS = 120 * MINUTE_MS
_GATHERING_LATEST_MS = 20 * MINUTE_MS
_RETURNS_EVERY = 10
_NIGHT_OWLS_EVERY = 3
# So that the refunds of a faulty batch differ from the usual and are not nearly all of it.
_BATCH_REFUND_RATES = (0.1, 0.35)
_FEWEST_HOURLY_ORDERS = 20


def brushing(seed: int, wanted: Wanted) -> World:
    """A1 to A9, each in its own room (A5 in three), and clean rooms; more rooms, more turns."""
    planting = Planting(BRUSHING, seed, wanted)
    names = _names(wanted, tuple(ADVERSARIES))
    by_turn = sum(ADVERSARIES[name].rooms for name in names)
    turns = max(1, BRUSHING.room_count(wanted) // 2 // by_turn)
    return _brush(planting, wanted, names, turns)


def poisoned(seed: int, wanted: Wanted) -> World:
    """A7 over three days."""
    planting = Planting(POISONING, seed, wanted)
    return _brush(planting, wanted, ("A7",), turns=1)


def _brush(planting: Planting, wanted: Wanted, names: tuple[str, ...], turns: int) -> World:
    minutes = planting.setting.open_minutes(wanted)
    needed = max(shortest_minutes(ADVERSARIES[name]) for name in names) + OPEN_SPREAD_MINUTES
    if minutes < needed:
        raise ScenarioError(f"{', '.join(names)}: shows of at least {needed} minutes are needed")
    for turn in range(turns):
        for name in names:
            _attack(planting, ADVERSARIES[name], turn)
    return _finish(planting)


def viewbot_rooms(seed: int, wanted: Wanted) -> World:
    """V-A, V-B and V-C, each in a room of its own, and clean rooms."""
    planting = Planting(VIEWBOTS, seed, wanted)
    names = _names(wanted, tuple(viewbots.BOT_KINDS))
    rooms = VIEWBOTS.room_count(wanted)
    for turn in range(max(1, rooms // 2 // len(names))):
        for name in names:
            number = planting.take()
            planting.add(
                number,
                viewbots.Viewbots(
                    planting.random(name, turn),
                    viewbots.BOT_KINDS[name],
                    planting.plan(number),
                    planting.first_number(number),
                    planting.intensity,
                ),
            )
    return _finish(planting)


def refund_wave(seed: int, wanted: Wanted) -> World:
    """R-A in one room."""
    planting = Planting(REFUND_WAVE, seed, wanted)
    number = planting.take(_sells_enough_of_a_usual_category)
    plan = planting.plan(number)
    goods = waves.flagship(plan, _flagship_number(number))
    waves.sell_all_evening(plan, goods)
    random = planting.random("R-A")
    from_ms = settled_ms([plan], 30) + int(random.random() * 20 * MINUTE_MS)
    planting.add(number, waves.FaultyBatch(random, plan, goods, from_ms, planting.intensity))
    return _finish(planting)


def complaint_wave(seed: int, wanted: Wanted) -> World:
    """C-A in one room."""
    planting = Planting(COMPLAINT_WAVE, seed, wanted)
    number = planting.take(_sells_enough)
    plan, random = planting.plan(number), planting.random("C-A")
    from_ms = settled_ms([plan], 90) + int(random.random() * 45 * MINUTE_MS)
    planting.add(number, waves.ComplaintWave(random, plan, from_ms, planting.intensity))
    return _finish(planting)


def off_platform(seed: int, wanted: Wanted) -> World:
    """O-A in one room."""
    planting = Planting(OFF_PLATFORM, seed, wanted)
    number = planting.take()
    plan, random = planting.plan(number), planting.random("O-A")
    hint_ms = settled_ms([plan], 70) + int(random.random() * 30 * MINUTE_MS)
    count = scaled(waves.HINT_REFUNDS, planting.intensity)
    people = strangers(random, planting.first_number(number), count)
    incident = Incident(
        "off_platform_payment",
        plan.room_id,
        more={
            "adversary": "O-A",
            "intensity": planting.intensity,
            "hint_ms": hint_ms,
            "buyers": [who.viewer_id for who in people],
        },
    )
    acts = waves.hint_script(random, people, hint_ms, planting.intensity)
    script = Script(random, incident, acts, claims=True, complaint="off_platform_payment")
    incident.started_ms = hint_ms  # what they bought before was honest
    planting.add(number, script)
    planting.add(number, waves.Slump(hint_ms))
    return _finish(planting)


def traffic_drop(seed: int, wanted: Wanted) -> World:
    """T-A in one room."""
    planting = Planting(TRAFFIC_DROP, seed, wanted)
    number = planting.take()
    plan, random = planting.plan(number), planting.random("T-A")
    from_ms = settled_ms([plan], 60) + int(random.random() * 45 * MINUTE_MS)
    planting.add(number, FrozenPicture(random, plan, from_ms, planting.intensity))
    return _finish(planting)


def price_war(seed: int, wanted: Wanted) -> World:
    """W-A between two rooms."""
    planting = Planting(PRICE_WAR, seed, wanted)
    numbers = (planting.take(), planting.take())
    plans = (planting.plan(numbers[0]), planting.plan(numbers[1]))
    goods = waves.flagship(plans[0], _flagship_number(numbers[0]))
    for plan in plans:
        waves.sell_all_evening(plan, goods)
    random = planting.random("W-A")
    from_ms = settled_ms(list(plans), 40) + int(random.random() * 30 * MINUTE_MS)
    incident = plan_war(plans, goods, from_ms, scaled(TURNS, planting.intensity))
    for number in numbers:
        turns = planting.plan(number).price_steps.get(goods.product_id, [])
        planting.add(number, PriceWar(goods, turns, incident))
    return _finish(planting)


def silence(seed: int, wanted: Wanted) -> World:
    """Innocents only: a gathering every two hours in each room, many returns, night owls."""
    planting = Planting(SILENCE, seed, wanted)
    kinds = cycle(innocents.ANY_TIME)
    for number in list(planting.free):
        plan = planting.plan(number)
        if number % _RETURNS_EVERY == 0:
            innocents.with_many_returns(plan)
            more = {"innocent": "returns_60_percent"}
            planting.add(number, Noted(Incident("innocent", plan.room_id, more=more), plan))
        if number % _NIGHT_OWLS_EVERY == 0:
            _gather(planting, number, "night_owls", plan.open_ms)
        from_ms = plan.open_ms + 10 * MINUTE_MS
        while from_ms <= _latest_gathering_ms(plan):
            _gather(planting, number, next(kinds), from_ms)
            from_ms += _GATHERING_EVERY_MS
        next(kinds)  # so that a kind is not always at the same time of the show
    planting.free.clear()
    return _finish(planting)


def _names(wanted: Wanted, all_names: tuple[str, ...]) -> tuple[str, ...]:
    if wanted.attacks is None:
        return all_names
    for name in wanted.attacks:
        if name not in all_names:
            able = ", ".join(all_names)
            raise ScenarioError(f"no attack is called {name!r} here; there are {able}")
    if not wanted.attacks:
        raise ScenarioError("--attacks names at least one")
    return wanted.attacks


def _attack(planting: Planting, adversary: Adversary, turn: int) -> None:
    random = planting.random(adversary.name, turn)
    numbers = [planting.take() for _ in range(adversary.rooms)]
    plans = [planting.plan(number) for number in numbers]
    first, intensity = planting.first_number(numbers[0]), planting.intensity
    more = {"adversary": adversary.name, "intensity": intensity}
    incident = Incident("brushed_orders", plans[0].room_id, more=more)
    if adversary.ramped:
        scripts = [poisoning(random, plans[0], first, intensity)]
    elif adversary.rooms > 1:
        incident.kind = "identity_ring"
        more["rooms"] = [plan.room_id for plan in plans]
        people = _real_people(planting, scaled(adversary.accounts, intensity), turn)
        from_ms = start_ms(random, *_overlap(plans), adversary.minutes)
        scripts = [
            attack(random, adversary, plan, people, from_ms + n * RING_STEP_MS, intensity)
            for n, plan in enumerate(plans)
        ]
    else:
        people = accounts(random, adversary, first, intensity)
        from_ms = start_ms(random, plans[0].open_ms, plans[0].close_ms, adversary.minutes)
        scripts = [attack(random, adversary, plans[0], people, from_ms, intensity)]
    if adversary.name == "A9":
        more["planted_by"] = planting.plan(planting.free[0]).host.host_id if planting.free else None
    who = [act.who.viewer_id for acts in scripts for act in acts]
    more["buyers"] = list(dict.fromkeys(who))
    for number, acts in zip(numbers, scripts, strict=True):
        own = planting.random(adversary.name, turn, number)
        planting.add(number, Script(own, incident, acts, claims=True))


def _real_people(planting: Planting, count: int, turn: int) -> list[Identity]:
    """People of the session with what they really own."""
    population = planting.world.population
    persons = planting.random("real people", turn).sample(range(population.size), count)
    return [population.identity(person) for person in persons]


def _overlap(plans: list[RoomPlan]) -> tuple[int, int]:
    """When all rooms are open, but for the steps from room to room at the end."""
    close_ms = min(plan.close_ms for plan in plans) - (len(plans) - 1) * RING_STEP_MS
    return max(plan.open_ms for plan in plans), close_ms


def _finish(planting: Planting) -> World:
    """The noise of all rooms, and a gathering in each that is still clean."""
    kinds = cycle(innocents.ANY_TIME)
    for number in planting.free:
        plan = planting.plan(number)
        earliest_ms = plan.open_ms + 10 * MINUTE_MS
        luck = planting.random("gathering", number).random()
        spare_ms = max(0, plan.close_ms - QUIET_END_MS - innocents.LONGEST_MS - earliest_ms)
        _gather(planting, number, next(kinds), earliest_ms + int(spare_ms * luck))
    for number, plan in enumerate(planting.world.rooms):
        random = planting.random("direct", number)
        acts = innocents.direct_orders(random, plan, planting.world.population)
        _plant_innocent(planting, number, "direct_orders", acts)
    return planting.world


def _gather(planting: Planting, number: int, kind: str, from_ms: int) -> None:
    first = planting.first_number(number)
    stage = innocents.Stage(
        planting.random(kind, number, from_ms), planting.plan(number), from_ms, first
    )
    _plant_innocent(planting, number, kind, innocents.GATHERINGS[kind](stage))


def _plant_innocent(planting: Planting, number: int, kind: str, acts: list[Act]) -> None:
    if not acts:
        return
    more = {"innocent": kind, "visitors": len(acts)}
    incident = Incident("innocent", planting.plan(number).room_id, more=more)
    random = planting.random("innocent", kind, number, acts[0].first_ms)
    planting.add(number, Script(random, incident, acts, claims=False))


def _latest_gathering_ms(plan: RoomPlan) -> int:
    return plan.close_ms - _GATHERING_LATEST_MS - innocents.LONGEST_MS


def _flagship_number(room_number: int) -> int:
    """A product number beyond the catalogue's."""
    return 90_000 + room_number


def _sells_enough_of_a_usual_category(plan: RoomPlan) -> bool:
    least, most = _BATCH_REFUND_RATES
    usual = least <= p.CATEGORIES[plan.host.category].refund_rate <= most
    return usual and _sells_enough(plan)


def _sells_enough(plan: RoomPlan) -> bool:
    """Whether there are buyers enough to send things back, or to complain."""
    hours = (plan.close_ms - plan.open_ms) / (60 * MINUTE_MS)
    return plan.visits * p.ENGAGED_SHARE * plan.conversion >= _FEWEST_HOURLY_ORDERS * hours
