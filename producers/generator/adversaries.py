"""The brushing adversaries A1 to A9: what each does in a room, as a script of visits and orders.

The table gives the figures at intensity 1; another intensity multiplies the orders and, with them,
what the adversary owns, in the same time. Where an adversary has no figure (accounts, ages, IPs),
its people have what everybody has. Orders are spread evenly with jitter over the time.
"""

from math import sqrt
from random import Random
from typing import Literal, NamedTuple

from producers.generator import parameters as p
from producers.generator.crowds import Pool, crowd
from producers.generator.identities import Identity
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.script import Act

Dwell = Literal["none", "tap", "mimic", "natural", "peak"]

MIMIC_LEAST_SECONDS = 60
MIMIC_MEAN_SECONDS = 200
TAP_MS = (3_000, 8_000)
PEAK_MS = 60_000
RING_ROOMS = 3
# A ring's crowd comes to the next room so much later.
RING_STEP_MS = 15 * MINUTE_MS
# An attack starts when the room has sold for a while, and ends before the room does.
SETTLED_MS = 30 * MINUTE_MS
QUIET_END_MS = 30 * MINUTE_MS


class Adversary(NamedTuple):
    """One line of the table; a pool of 0 means one for each account.

    Attributes:
        accounts: how many accounts place the orders.
        dwell: from entering to ordering: no visit at all (`none`), 3 to 8 s (`tap`), 60 s + Exp(200
            s) (`mimic`), as anybody who waits for the next product (`natural`), or a tap within a
            minute of a listing (`peak`).
        refunded: share of the orders whose money goes back; all others keep it.
        refund_minutes: when it goes back, evenly between the two.
    """

    name: str
    what: str
    orders: int
    minutes: int
    accounts: int
    devices: int
    payments: int
    addresses: int
    ips: int
    dwell: Dwell
    young_share: float = p.YOUNG_ACCOUNT_SHARE
    refunded: float = 0.0
    refund_minutes: tuple[float, float] = (0, 0)
    rooms: int = 1
    ramped: bool = False


_RING = Adversary("A4", "distributed ring", 40, 67, 40, 0, 6, 12, 0, "natural", 0.4)
_DRIP = Adversary("A2", "drip", 30, 67, 20, 5, 5, 8, 5, "tap")
_BURST = Adversary("A1", "burst", 30, 5, 20, 6, 6, 8, 6, "none")

ADVERSARIES: dict[str, Adversary] = {
    adversary.name: adversary
    for adversary in (
        _BURST,
        _DRIP,
        Adversary(
            "A3", "mimicry", 30, 67, 30, 8, 4, 10, 0, "mimic", refunded=0.7, refund_minutes=(4, 16)
        ),
        _RING,
        # real accounts with what they really own: its people come from the population
        Adversary(
            "A5",
            "crowd with refund loop",
            40,
            67,
            40,
            0,
            0,
            0,
            0,
            "natural",
            refunded=0.7,
            refund_minutes=(3, 25),
            rooms=RING_ROOMS,
        ),
        Adversary("A6", "clean crowd", 25, 83, 25, 0, 0, 0, 0, "natural"),
        _RING._replace(name="A7", what="poisoning: a ring that grows slowly", ramped=True),
        _DRIP._replace(name="A8", what="timing: only inside listing peaks", dwell="peak"),
        _BURST._replace(name="A9", what="sabotage: planted on a competitor"),
    )
}


def scaled(count: int, intensity: float) -> int:
    """A figure of the table at an intensity; 0 stays 0, for "one each"."""
    return max(1, round(count * intensity)) if count else 0


def start_ms(random: Random, open_ms: int, close_ms: int, minutes: int) -> int:
    """When an attack of so many minutes starts in a room that is open for long enough."""
    earliest = open_ms + SETTLED_MS
    latest = close_ms - QUIET_END_MS - minutes * MINUTE_MS
    return earliest + int(random.random() * max(0, latest - earliest))


def shortest_minutes(adversary: Adversary) -> int:
    """How long a show must be for this adversary to fit in."""
    stagger = (adversary.rooms - 1) * RING_STEP_MS // MINUTE_MS
    return (SETTLED_MS + QUIET_END_MS) // MINUTE_MS + adversary.minutes + stagger


def accounts(random: Random, adversary: Adversary, first: int, intensity: float) -> list[Identity]:
    """The crowd of one attack, with what it shares."""
    pool = Pool(
        people=scaled(adversary.accounts, intensity),
        devices=scaled(adversary.devices, intensity),
        payments=scaled(adversary.payments, intensity),
        addresses=scaled(adversary.addresses, intensity),
        ips=scaled(adversary.ips, intensity),
        young_share=adversary.young_share,
    )
    return crowd(random, first, pool)


def attack(
    random: Random,
    adversary: Adversary,
    plan: RoomPlan,
    people: list[Identity],
    from_ms: int,
    intensity: float,
) -> list[Act]:
    """The script of one adversary in one room: each account orders in turn."""
    count = scaled(adversary.orders, intensity)
    duration_ms = adversary.minutes * MINUTE_MS
    moments = [from_ms + int(duration_ms * (n + random.random()) / count) for n in range(count)]
    if adversary.dwell == "peak":
        moments = _in_peaks(random, plan, from_ms, duration_ms, count)
    refunded = _chosen(random, count, adversary.refunded)
    return [
        _act(random, adversary, plan, people[n % len(people)], moments[n], refunded=refunded[n])
        for n in range(count)
    ]


def poisoning(random: Random, plan: RoomPlan, first: int, intensity: float) -> list[Act]:
    """A ring whose rate grows from nothing to the table's over the whole show.

    Every table's worth of orders comes from a fresh crowd, as rings that last do renew themselves.
    """
    adversary = ADVERSARIES["A7"]
    from_ms, to_ms = plan.open_ms + 10 * MINUTE_MS, plan.close_ms - QUIET_END_MS
    rate = scaled(adversary.orders, intensity) / (adversary.minutes * MINUTE_MS)
    count = max(1, int(rate * (to_ms - from_ms) / 2))
    acts: list[Act] = []
    people: list[Identity] = []
    for n in range(count):
        if not people:
            people = accounts(random, adversary, first + 2 * n, intensity)
        # a rate that grows linearly has a square root for its moments
        moment = from_ms + int((to_ms - from_ms) * sqrt((n + random.random()) / count))
        acts.append(_act(random, adversary, plan, people.pop(), moment, refunded=False))
    return acts


def _act(
    random: Random,
    adversary: Adversary,
    plan: RoomPlan,
    who: Identity,
    moment_ms: int,
    *,
    refunded: bool,
) -> Act:
    """One order of an attack, placed at the moment, or by a visit that starts then."""
    refund_ms = None
    if refunded:
        least, most = adversary.refund_minutes
        refund_ms = int((least + (most - least) * random.random()) * MINUTE_MS)
    if adversary.dwell == "none":
        return Act(who, None, pay_ms=moment_ms, refund_ms=refund_ms)
    if adversary.dwell in ("tap", "peak"):
        dwell_ms = TAP_MS[0] + int((TAP_MS[1] - TAP_MS[0]) * random.random())
        enter_ms = moment_ms - dwell_ms
        stay_ms = dwell_ms + 1_000 + int(3_000 * random.random())
        return Act(who, enter_ms, stay_ms, moment_ms, hasty=True, refund_ms=refund_ms)
    if adversary.dwell == "mimic":
        seconds = MIMIC_LEAST_SECONDS + random.expovariate(1 / MIMIC_MEAN_SECONDS)
        enter_ms = max(plan.open_ms + MINUTE_MS, moment_ms - int(seconds * 1000))
        pay_ms = moment_ms
    else:
        enter_ms = moment_ms
        pay_ms = natural_order_ms(random, plan, enter_ms)
    stay_ms = pay_ms - enter_ms + 5_000 + int(30_000 * random.random())
    return Act(who, enter_ms, stay_ms, pay_ms, refund_ms=refund_ms)


def natural_order_ms(random: Random, plan: RoomPlan, enter_ms: int) -> int:
    """When a visitor orders who came by themselves: soon after the next product comes on."""
    wait_ms = int(random.expovariate(1 / p.ORDER_DELAY_SECONDS) * 1000)
    return (plan.next_listing_ms(enter_ms) or enter_ms + 15_000) + wait_ms


def _in_peaks(
    random: Random, plan: RoomPlan, from_ms: int, duration_ms: int, count: int
) -> list[int]:
    """Moments within a minute of the listings of a stretch of time, in order."""
    peaks = [ts_ms for ts_ms in plan.listed_ms if from_ms <= ts_ms < from_ms + duration_ms]
    peaks = peaks or [ts_ms for ts_ms in plan.listed_ms if ts_ms >= from_ms][:1]
    # a tap enters up to 8 s before: not before the listing, which would give it away
    least_ms = TAP_MS[1] + 1_000
    return sorted(
        peaks[n % len(peaks)] + least_ms + int((PEAK_MS - least_ms) * random.random())
        for n in range(count)
    )


def _chosen(random: Random, count: int, share: float) -> list[bool]:
    """Exactly the share of the orders, rounded, at random places."""
    chosen = [n < round(count * share) for n in range(count)]
    random.shuffle(chosen)
    return chosen
