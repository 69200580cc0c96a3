"""An overlay: rooms that sell exactly a given sum.

Orders are natural ones, drawn until the sum is reached; the last of them is cut to fit, as by a
coupon. So the gross of a room is known to the minor unit before it opens.
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


class _Planned(NamedTuple):
    enter_ms: int
    pay_ms: int
    listing: Listing
    goods: Basket


class Quota:
    """Plans the sales of every room beforehand and lets visitors make them."""

    def __init__(self, seed: int, gross_minor: dict[str, int], rooms: list[RoomPlan]) -> None:
        self._planned: dict[str, dict[int, list[_Planned]]] = {
            plan.room_id: _plan_sales(
                seeded(f"quota:{seed}:{plan.room_id}"), plan, gross_minor[plan.room_id]
            )
            for plan in rooms
        }

    def minute(self, room: Room, minute_ms: int) -> None:
        """Let the buyers of this minute in."""
        for planned in self._planned[room.plan.room_id].pop(minute_ms, ()):
            who = room.newcomer()
            visit = room.enter(who, planned.enter_ms, planned.pay_ms - planned.enter_ms)
            assert visit is not None
            room.buy(who, visit, planned.pay_ms, planned.listing, planned.goods)

    def sold(self, room: Room, sale: Sale) -> bool:  # noqa: ARG002 - an overlay is asked so
        """Every sale has natural after-sales."""
        return False


def _plan_sales(random: Random, plan: RoomPlan, gross_minor: int) -> dict[int, list[_Planned]]:
    by_minute: defaultdict[int, list[_Planned]] = defaultdict(list)
    minutes = range(len(plan.shape))
    # buyers come when there are viewers; the first listing stands by minute 2, the end is quiet
    weights = [0.0 if n < 3 or n > len(minutes) - 8 else plan.shape[n] for n in minutes]  # noqa: PLR2004
    left_minor = gross_minor
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
        minute_ms = enter_ms - enter_ms % MINUTE_MS
        by_minute[minute_ms].append(_Planned(enter_ms, pay_ms, listing, goods))
    return by_minute
