"""Innocent gatherings: what looks like fraud in one respect and must stay silent.

Each is a script like an attack, but its people pay for themselves, come and go as people do, and
what follows their orders is left to the room. Figures are chosen, at the wide end of what is known.
"""

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from producers.generator import parameters as p
from producers.generator.adversaries import natural_order_ms
from producers.generator.crowds import Pool, crowd, natural_stay_ms, strangers
from producers.generator.draws import poisson
from producers.generator.identities import Identity, Population
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.script import Act

HOUR_MS = 60 * MINUTE_MS
# The last visitor of a gathering has come so long after it started.
LONGEST_MS = 90 * MINUTE_MS
# Orders that come from a product's page without a visit, of all orders of a room.
DIRECT_SHARE = 0.03
RETURNS_RATE = 0.60
NIGHT_HOURS = (2, 6)
_CHINA_OFFSET_MS = 8 * HOUR_MS

FLASH_VISITORS, FLASH_BUYERS = 80, 35
COUPON_VISITORS, COUPON_BUYERS, COUPON_YOUNG, COUPON_PRICE = 120, 45, 0.4, 0.7
DORMITORY_PEOPLE = (20, 200)
OFFICE_PEOPLE, OFFICE_BUYER_SHARE, OFFICE_ADDRESS_SHARE = (60, 200), 0.10, 0.3
GATEWAY_PEOPLE, GATEWAY_BUYER_SHARE = (200, 500), 0.04
FAMILIES, FAMILY_PEOPLE = 5, (3, 4)
RAID_VISITORS, RAID_MINUTES, RAID_BUYER_SHARE = (300, 600), 4, 0.01
OWLS, OWL_BUYERS = 40, 20


class Stage(NamedTuple):
    """Where and when a gathering happens: `first` is the first free number for its people."""

    random: Random
    plan: RoomPlan
    from_ms: int
    first: int


Gathering = Callable[[Stage], list[Act]]


def flash_peak(stage: Stage) -> list[Act]:
    """A product comes on and many buy it within two minutes, some without looking long."""
    random, plan = stage.random, stage.plan
    listed_ms = plan.next_listing_ms(stage.from_ms) or stage.from_ms
    acts = []
    for n, who in enumerate(strangers(random, stage.first, FLASH_VISITORS)):
        enter_ms = listed_ms + int(min(120.0, random.expovariate(1 / 30)) * 1000)
        pay_ms = enter_ms + 6_000 + int(random.expovariate(1 / 30_000))
        acts.append(_visit(random, who, enter_ms, pay_ms if n < FLASH_BUYERS else None))
    return acts


def coupon_rain(stage: Stage) -> list[Act]:
    """A coupon for new customers: young accounts and a burst of cheap orders."""
    random = stage.random
    pool = Pool(COUPON_VISITORS, devices=int(0.97 * COUPON_VISITORS), young_share=COUPON_YOUNG)
    acts = []
    for n, who in enumerate(crowd(random, stage.first, pool)):
        enter_ms = stage.from_ms + int(random.random() * 5 * MINUTE_MS)
        pay_ms = enter_ms + 10_000 + int(random.expovariate(1 / 60_000))
        act = _visit(random, who, enter_ms, pay_ms if n < COUPON_BUYERS else None)
        acts.append(act._replace(price_share=COUPON_PRICE))
    return acts


def dormitory(stage: Stage) -> list[Act]:
    """Students of one house, one address and one IP, each with an own phone and account."""
    random = stage.random
    least, most = DORMITORY_PEOPLE
    # few large houses: the square makes small ones frequent
    people = least + int((most - least + 1) * random.random() ** 2)
    return _buyers(stage, crowd(random, stage.first, Pool(people, addresses=1, ips=1)), 70)


def company_network(stage: Stage) -> list[Act]:
    """Colleagues behind one IP; some let it come to the office."""
    random = stage.random
    people = crowd(random, stage.first, Pool(random.randint(*OFFICE_PEOPLE), ips=1))
    acts = []
    for n, who in enumerate(people):
        enter_ms = stage.from_ms + int(random.random() * HOUR_MS)
        if n >= OFFICE_BUYER_SHARE * len(people):
            acts.append(_visit(random, who, enter_ms, None))
            continue
        if random.random() < OFFICE_ADDRESS_SHARE:
            who = who._replace(address_id=people[0].address_id)  # noqa: PLW2901 - the same person
        pay_ms = natural_order_ms(random, stage.plan, enter_ms)
        acts.append(_visit(random, who, enter_ms, pay_ms))
    return acts


def carrier_gateway(stage: Stage) -> list[Act]:
    """Hundreds of phones behind the one IP of a carrier."""
    random = stage.random
    people = crowd(random, stage.first, Pool(random.randint(*GATEWAY_PEOPLE), ips=1))
    acts = []
    for n, who in enumerate(people):
        enter_ms = stage.from_ms + int(random.random() * HOUR_MS)
        buys = n < GATEWAY_BUYER_SHARE * len(people)
        pay_ms = natural_order_ms(random, stage.plan, enter_ms) if buys else None
        acts.append(_visit(random, who, enter_ms, pay_ms))
    return acts


def family_devices(stage: Stage) -> list[Act]:
    """Families who share a device and an address, half of them a payment account too."""
    random = stage.random
    people: list[Identity] = []
    for family in range(FAMILIES):
        size = random.randint(*FAMILY_PEOPLE)
        payments = family % 2
        pool = Pool(size, devices=1, payments=payments, addresses=1, ips=1)
        people += crowd(random, stage.first + 10 * family, pool)
    return _buyers(stage, people, 60)


def viral_raid(stage: Stage) -> list[Act]:
    """A clip goes round: hundreds come at once from one source, look and leave."""
    random = stage.random
    acts = []
    for who in strangers(random, stage.first, random.randint(*RAID_VISITORS)):
        enter_ms = stage.from_ms + int(random.random() * RAID_MINUTES * MINUTE_MS)
        buys = random.random() < RAID_BUYER_SHARE
        pay_ms = enter_ms + 15_000 + int(random.expovariate(1 / 60_000)) if buys else None
        act = _visit(random, who, enter_ms, pay_ms)._replace(source="share")
        if not buys:
            act = act._replace(stay_ms=300 + int(random.lognormvariate(1.1, 0.8) * 1000))
        acts.append(act)
    return acts


def night_owls(stage: Stage) -> list[Act]:
    """People who watch and buy in the small hours; nothing if the show has none."""
    random, plan = stage.random, stage.plan
    start_ms = night_start_ms(plan)
    if start_ms is None:
        return []
    end_ms = min(start_ms + (NIGHT_HOURS[1] - NIGHT_HOURS[0]) * HOUR_MS, _last_entry_ms(plan))
    acts = []
    for n, who in enumerate(strangers(random, stage.first, OWLS)):
        enter_ms = start_ms + int(random.random() * (end_ms - start_ms))
        pay_ms = natural_order_ms(random, plan, enter_ms) if n < OWL_BUYERS else None
        acts.append(_visit(random, who, enter_ms, pay_ms))
    return acts


GATHERINGS: dict[str, Gathering] = {
    "flash_peak": flash_peak,
    "coupon_rain": coupon_rain,
    "dormitory": dormitory,
    "company_network": company_network,
    "carrier_gateway": carrier_gateway,
    "family_devices": family_devices,
    "viral_raid": viral_raid,
    "night_owls": night_owls,
}
# What can happen at any time of a show.
ANY_TIME = tuple(name for name in GATHERINGS if name != "night_owls")


def direct_orders(
    random: Random, plan: RoomPlan, population: Population, *, share: float = DIRECT_SHARE
) -> list[Act]:
    """Orders from a link that opens the product's page: no visit, now and then, in every room."""
    expected = plan.visits * p.ENGAGED_SHARE * plan.conversion * share
    from_ms, to_ms = plan.open_ms + 3 * MINUTE_MS, plan.close_ms - MINUTE_MS
    acts = []
    for _ in range(poisson(random, expected)):
        who = population.identity(int(random.random() * population.size))
        pay_ms = from_ms + int(random.random() * (to_ms - from_ms))
        acts.append(Act(who, None, pay_ms=pay_ms))
    return acts


def with_many_returns(plan: RoomPlan) -> None:
    """Let 60 % of what a room sells come back, in the usual time."""
    plan.listings = tuple(
        listing._replace(goods=listing.goods._replace(refund_rate=RETURNS_RATE))
        for listing in plan.listings
    )


def night_start_ms(plan: RoomPlan) -> int | None:
    """When the small hours begin for a show, if at least one of them lies in it."""
    day_ms = 24 * HOUR_MS
    since_midnight_ms = (plan.open_ms + _CHINA_OFFSET_MS) % day_ms
    night_ms = plan.open_ms - since_midnight_ms + NIGHT_HOURS[0] * HOUR_MS
    if since_midnight_ms >= NIGHT_HOURS[1] * HOUR_MS:
        night_ms += day_ms
    start_ms = max(night_ms, plan.open_ms + 10 * MINUTE_MS)
    return start_ms if start_ms + HOUR_MS <= _last_entry_ms(plan) else None


def _last_entry_ms(plan: RoomPlan) -> int:
    return plan.close_ms - 25 * MINUTE_MS


def _buyers(stage: Stage, people: list[Identity], minutes: int) -> list[Act]:
    """Each comes once, at any time within the minutes, and buys."""
    random = stage.random
    acts = []
    for who in people:
        enter_ms = stage.from_ms + int(random.random() * minutes * MINUTE_MS)
        pay_ms = natural_order_ms(random, stage.plan, enter_ms)
        acts.append(_visit(random, who, enter_ms, pay_ms))
    return acts


def _visit(random: Random, who: Identity, enter_ms: int, pay_ms: int | None) -> Act:
    return Act(who, enter_ms, natural_stay_ms(random), pay_ms)
