"""An overlay: rooms that sell exactly a given sum, and of which exactly a given part comes back.

Orders are natural ones, drawn until the sum is reached; the last of them is cut to fit, as by a
coupon. So the gross of a room is known to the minor unit before it opens. Where it is said how much
comes back, whole orders do, and of one a part; else refunds are natural, too.

Bounds: the orders of the rooms that are open.
"""

from collections import defaultdict
from random import Random
from typing import NamedTuple

from producers.generator.catalogue import Basket, basket
from producers.generator.draws import seeded
from producers.generator.rooms import MINUTE_MS, Listing, RoomPlan
from producers.generator.sales import Sale
from producers.generator.traffic import Room

_LONGEST_LOOK_MS = 6 * MINUTE_MS


class Target(NamedTuple):
    """What a room sells, and how much of it comes back; None: as natural sales do."""

    gross_minor: int
    refunded_minor: int | None = None


class _Planned(NamedTuple):
    enter_ms: int
    pay_ms: int
    listing: Listing
    goods: Basket
    refund_minor: int | None = None


_Plan = dict[int, list[_Planned]]  # by the minute of the visit


class Quota:
    """Plans the sales of every room before it opens and lets visitors make them."""

    def __init__(self, seed: int, targets: dict[str, Target]) -> None:
        self._seed = seed
        self._targets = dict(targets)
        self._plans: dict[str, _Plan] = {}
        self._selling: _Planned | None = None

    def minute(self, room: Room, minute_ms: int) -> None:
        """Let the buyers of this minute in."""
        plan = self._plan_of(room.plan)
        for planned in plan.pop(minute_ms, ()):
            who = room.newcomer()
            visit = room.enter(who, planned.enter_ms, planned.pay_ms - planned.enter_ms)
            assert visit is not None
            self._selling = planned
            room.buy(who, visit, planned.pay_ms, planned.listing, planned.goods)

    def sold(self, room: Room, sale: Sale) -> bool:
        """A sale has natural after-sales, unless it is said what comes back."""
        planned = self._selling
        if planned is None or planned.refund_minor is None:
            return False
        if planned.refund_minor:
            room.after_sales.send_back(sale, planned.refund_minor)
        room.after_sales.maybe_complain(sale)
        return True

    def _plan_of(self, plan: RoomPlan) -> _Plan:
        target = self._targets.pop(plan.room_id, None)
        if target is not None:
            random = seeded(f"quota:{self._seed}:{plan.room_id}")
            self._plans[plan.room_id] = _plan_sales(random, plan, target)
        return self._plans[plan.room_id]


def _plan_sales(random: Random, plan: RoomPlan, target: Target) -> _Plan:
    sales = []
    minutes = range(len(plan.shape))
    # buyers come when there are viewers; the first listing stands by minute 2, the end is quiet
    weights = [0.0 if n < 3 or n > len(minutes) - 8 else plan.shape[n] for n in minutes]  # noqa: PLR2004
    left_minor = target.gross_minor
    while left_minor:
        (minute,) = random.choices(minutes, weights)
        enter_ms = plan.open_ms + minute * MINUTE_MS + int(random.random() * MINUTE_MS)
        pay_ms = enter_ms + 20_000 + int(random.random() * (_LONGEST_LOOK_MS - 20_000))
        listing = plan.listing_at(pay_ms, random.random())
        assert listing is not None
        goods = basket(random, plan.price_minor(listing, pay_ms), listing.goods.list_minor)
        if goods.amount_minor > left_minor:
            goods = goods._replace(amount_minor=left_minor)
        left_minor -= goods.amount_minor
        sales.append(_Planned(enter_ms, pay_ms, listing, goods))
    if target.refunded_minor is not None:
        sales = _with_refunds(random, sales, target.refunded_minor)
    by_minute: defaultdict[int, list[_Planned]] = defaultdict(list)
    for planned in sales:
        by_minute[planned.enter_ms - planned.enter_ms % MINUTE_MS].append(planned)
    return by_minute


def _with_refunds(random: Random, sales: list[_Planned], refunded_minor: int) -> list[_Planned]:
    """Choose what comes back: any orders, the last of them in part."""
    refund_minor = [0] * len(sales)
    for at in random.sample(range(len(sales)), len(sales)):
        refund_minor[at] = min(sales[at].goods.amount_minor, refunded_minor)
        refunded_minor -= refund_minor[at]
    assert not refunded_minor, "more comes back than was sold"
    return [
        planned._replace(refund_minor=part)
        for planned, part in zip(sales, refund_minor, strict=True)
    ]
