"""Seventy-five days of ten hosts around a Double 11, with what the festival borrows planted.

The ten hosts of the ranking (`ranking`) have a show on every second evening, and on every evening
of the festival. A host has an audience of its own that comes back from show to show, beside people
who come once. What a host sells net of refunds is fixed beforehand to the minor unit: the same mean
day before the festival, `1 + lift` times that in its window, `1 + overdraft` times that in the 28
days after, lowest at first. So lift and overdraft of the truth are what a correct reader finds.
"""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from random import Random

from producers.generator import parameters as p
from producers.generator.catalogue import Catalogue, Goods
from producers.generator.draws import seeded
from producers.generator.evening import TABLE_EVENING
from producers.generator.identities import Population
from producers.generator.quota import Quota, Target
from producers.generator.ranking import RankedShow, ranked_shows
from producers.generator.rooms import MINUTE_MS, Listing, Regulars, RoomPlan, listing_times
from producers.generator.session import World

EVENTS = 100_000
# Fewer would leave shows that open, list and close, and hardly sell.
FEWEST_EVENTS = 40_000
HOSTS = 10
DAYS = 75
FESTIVAL = "double_11_2026"
FIRST_FESTIVAL_DAY, LAST_FESTIVAL_DAY = date(2026, 11, 1), date(2026, 11, 11)
AROUND_DAYS = 28
FIRST_DAY = FIRST_FESTIVAL_DAY - timedelta(days=(DAYS - 11) // 2)
ZONE = "Asia/Shanghai"

_CHINA = timezone(timedelta(hours=8))
_OPENING_HOUR = 18
_EVENTS_BY_VISIT = 5.95  # measured over seeds
_VISITS_BY_PERSON = 4.0  # over the season
_ORDERS_BY_EVENT = 0.012
_NET_BY_ORDER_MINOR = 7_700  # measured over seeds
_EVENTS_BY_ORDER = 8.0  # with the visit that it takes
_TICKS = 4_400
_REGULAR_SHARE = 0.45
_REGULARS_BY_VISIT = 0.04  # of a host's visits in the season
# A show of the evening after a festival draws fewer people, but not as few as it sells less.
_CROWD_BY_SALES = 0.6
_EXPOSURE_MINUTES = 10
_EVENING = replace(TABLE_EVENING, open_spread=60, shortest=90, longest=150, minutes=210)


@dataclass(frozen=True, slots=True)
class Planted:
    """What is planted for a host; daily means of the net money of its sales."""

    lift: float
    overdraft: float
    before_daily_net_minor: int


@dataclass(frozen=True, slots=True)
class _Slot:
    """One show that is to be: whose, when, and what it sells net of refunds."""

    host: int
    day: date
    net_minor: int


def season(seed: int, events: int) -> World:
    """The world of a season of about so many events."""
    random = seeded(f"season:{seed}")
    ranked = ranked_shows(events)[:HOSTS]
    planted = _planted(seeded(f"season:{seed}:planted"), ranked, events)
    slots = [slot for number in range(HOSTS) for slot in _slots(seed, number, planted[number])]
    slots.sort(key=lambda slot: (slot.day, slot.host))
    rooms, population = _rooms(random, seed, events, ranked, slots)
    targets = {
        plan.room_id: _target(plan, slot.net_minor) for plan, slot in zip(rooms, slots, strict=True)
    }
    return World(
        scenario="season",
        seed=seed,
        start_ms=_moment_ms(FIRST_DAY, 0),
        end_ms=_moment_ms(FIRST_DAY + timedelta(days=DAYS), 0),
        rooms=rooms,
        population=population,
        overlays=(Quota(seed, targets),),
        notes={"festival": _note(ranked, slots, planted)},
        is_long=True,
    )


def _planted(random: Random, ranked: list[RankedShow], events: int) -> list[Planted]:
    """Each host's lift and overdraft, and its usual day, in the proportions of the ranking."""
    changes = [
        (round(random.uniform(0.8, 2.5), 2), round(random.uniform(-0.4, -0.08), 2)) for _ in ranked
    ]
    wanted_minor = events * _ORDERS_BY_EVENT * _NET_BY_ORDER_MINOR
    published = sum(show.gross_minor for show in ranked)
    days = len(_festival_days())
    plain_days = DAYS - days
    found = []
    for show, (lift, overdraft) in zip(ranked, changes, strict=True):
        share_minor = wanted_minor * show.gross_minor / published
        days_worth = plain_days + days * (1 + lift)
        found.append(Planted(lift, overdraft, round(share_minor / days_worth)))
    return found


def _slots(seed: int, host: int, planted: Planted) -> list[_Slot]:
    """The shows of a host, with exactly the planted sums of each phase."""
    random = seeded(f"season:{seed}:{host}:sales")
    festival, first, last = _festival_days(), FIRST_FESTIVAL_DAY, LAST_FESTIVAL_DAY
    after = _days(last + timedelta(days=1), AROUND_DAYS)
    usual = planted.before_daily_net_minor
    rising = [0.3 + 1.4 * number / AROUND_DAYS for number in range(AROUND_DAYS)]
    busy = [2.0 if day in (first, last) else 1.0 for day in festival]
    early_days = (DAYS - len(festival)) // 2 - AROUND_DAYS
    phases = (
        (_days(FIRST_DAY, early_days), 1.0, None),
        (_days(first - timedelta(days=AROUND_DAYS), AROUND_DAYS), 1.0, None),
        (festival, 1 + planted.lift, busy),
        (after, 1 + planted.overdraft, rising),
        (_days(after[-1] + timedelta(days=1), early_days), 1.0, None),
    )
    slots = []
    for days, times, heights in phases:
        shows = [
            (day, height * random.lognormvariate(0, 0.2))
            for day, height in zip(days, heights or [1.0] * len(days), strict=True)
            if day in festival or (day.toordinal() + host) % 2 == 0
        ]
        total_minor = round(usual * times * len(days))
        parts = _split(total_minor, [weight for _, weight in shows])
        slots += [_Slot(host, day, part) for (day, _), part in zip(shows, parts, strict=True)]
    return slots


def _rooms(
    random: Random, seed: int, events: int, ranked: list[RankedShow], slots: list[_Slot]
) -> tuple[list[RoomPlan], Population]:
    evenings = [replace(_EVENING, start_ms=_moment_ms(slot.day, _OPENING_HOUR)) for slot in slots]
    hours = [evening.hours(random) for evening in evenings]
    times = [listing_times(random, *each) for each in hours]
    minutes = sum(close_ms - open_ms for open_ms, close_ms in hours) / MINUTE_MS
    fixed = 2 * minutes / _EXPOSURE_MINUTES + 2.2 * sum(map(len, times)) + _TICKS
    left = events * (1 - _ORDERS_BY_EVENT * _EVENTS_BY_ORDER) - fixed
    visits = max(0.1 * events, left) / _EVENTS_BY_VISIT
    weights = [slot.net_minor**_CROWD_BY_SALES for slot in slots]
    people = max(400, int(visits / _VISITS_BY_PERSON))
    population = Population(seeded(f"season:{seed}:people"), people)
    regulars = _regulars(random, visits, weights, slots, population)
    catalogue = Catalogue(random, 60)
    rooms = []
    for number, slot in enumerate(slots):
        host = ranked[slot.host].host
        shelf = catalogue.shelf(random, host.category, len(times[number]))
        open_ms, close_ms = hours[number]
        rooms.append(
            RoomPlan(
                room_id=f"season-{seed}-{slot.day:%m%d}-{slot.host}",
                host=host,
                currency="CNY",
                open_ms=open_ms,
                close_ms=close_ms,
                visits=visits * weights[number] / sum(weights),
                conversion=0.0,
                shape=evenings[number].shape(open_ms, close_ms),
                listings=_listings(times[number], shelf),
                exposure_minutes=_EXPOSURE_MINUTES,
                regulars=regulars[slot.host],
            )
        )
    return rooms, population


def _regulars(
    random: Random,
    visits: float,
    weights: list[float],
    slots: list[_Slot],
    population: Population,
) -> list[Regulars]:
    """The people who come back to each host; those of two hosts may overlap."""
    found = []
    for host in range(HOSTS):
        own = sum(weight for weight, slot in zip(weights, slots, strict=True) if slot.host == host)
        people = max(8, round(_REGULARS_BY_VISIT * visits * own / sum(weights)))
        found.append(Regulars(random.randrange(population.size), people, _REGULAR_SHARE))
    return found


def _listings(times: list[int], shelf: list[Goods]) -> tuple[Listing, ...]:
    """A show longer than its shelf begins again."""
    return tuple(Listing(ts_ms, shelf[n % len(shelf)]) for n, ts_ms in enumerate(times))


def _target(plan: RoomPlan, net_minor: int) -> Target:
    """What a show sells for the net to be left, at the refund rate of what it sells."""
    rate = p.CATEGORIES[plan.host.category].refund_rate
    gross_minor = round(net_minor / (1 - rate))
    return Target(gross_minor, gross_minor - net_minor)


def _note(
    ranked: list[RankedShow], slots: list[_Slot], planted: list[Planted]
) -> dict[str, object]:
    """What the truth file says: the figures that `stickiness.json` has to show."""
    hosts = [
        {"host_id": show.host.host_id}
        | _figures([slot for slot in slots if slot.host == number])
        | {"planted_lift": planted[number].lift, "planted_overdraft": planted[number].overdraft}
        for number, show in enumerate(ranked)
    ]
    return {
        "festival": FESTIVAL,
        "first_day": FIRST_FESTIVAL_DAY.isoformat(),
        "last_day": LAST_FESTIVAL_DAY.isoformat(),
        "zone": ZONE,
        "platform": _figures(slots),
        "hosts": hosts,
    }


def _figures(slots: list[_Slot]) -> dict[str, object]:
    festival = _festival_days()
    before = _daily(slots, _days(festival[0] - timedelta(days=AROUND_DAYS), AROUND_DAYS))
    during = _daily(slots, festival)
    after = _daily(slots, _days(festival[-1] + timedelta(days=1), AROUND_DAYS))
    return {
        "before_daily_net_minor": round(before, 4),
        "during_daily_net_minor": round(during, 4),
        "after_daily_net_minor": round(after, 4),
        "lift": round(during / before - 1, 4),
        "overdraft": round(after / before - 1, 4),
    }


def _daily(slots: list[_Slot], days: list[date]) -> float:
    return sum(slot.net_minor for slot in slots if slot.day in days) / len(days)


def _split(total_minor: int, weights: list[float]) -> list[int]:
    """A total over shows in proportion, with nothing lost."""
    parts = [int(total_minor * weight / sum(weights)) for weight in weights]
    parts[0] += total_minor - sum(parts)
    return parts


def _festival_days() -> list[date]:
    return _days(FIRST_FESTIVAL_DAY, (LAST_FESTIVAL_DAY - FIRST_FESTIVAL_DAY).days + 1)


def _days(first: date, count: int) -> list[date]:
    return [first + timedelta(days=number) for number in range(count)]


def _moment_ms(day: date, hour: int) -> int:
    return int(datetime(day.year, day.month, day.day, hour, tzinfo=_CHINA).timestamp()) * 1000
