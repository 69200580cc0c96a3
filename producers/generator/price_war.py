"""An overlay: `W-A`, two rooms that undercut each other over the same product, turn by turn."""

from producers.generator import records
from producers.generator.catalogue import Goods
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.sales import Sale
from producers.generator.traffic import Room
from producers.generator.truth import Incident

TURNS = 4
UNDERCUT_PERCENT = 6
# All turns come within so long, however many there are.
WAR_MS = 40 * MINUTE_MS


class PriceWar:
    """The turns of one of the two rooms; the incident belongs to both."""

    def __init__(self, goods: Goods, turns: list[tuple[int, int]], incident: Incident) -> None:
        self._goods = goods
        self._turns = list(turns)
        self._incident = incident

    def minute(self, room: Room, minute_ms: int) -> None:
        """Announce what the product costs from now on."""
        while self._turns and self._turns[0][0] < minute_ms + MINUTE_MS:
            ts_ms, price_minor = self._turns.pop(0)
            room.truth.note(self._incident)
            record = records.changed(
                room.plan, room.event_id(), ts_ms, self._goods, "priced", price_minor=price_minor
            )
            room.schedule(ts_ms, record)

    def sold(self, room: Room, sale: Sale) -> bool:  # noqa: ARG002 - an overlay is asked so
        """Note what was sold at war prices; it is a sale like any other."""
        of_war = sale.goods.product_id == self._goods.product_id
        if of_war and self._incident.started_ms <= sale.ts_ms <= self._incident.ended_ms:
            self._incident.order_ids.append(sale.order_id)
        return False


def plan_war(plans: tuple[RoomPlan, RoomPlan], goods: Goods, from_ms: int, turns: int) -> Incident:
    """Write the turns into the prices of both rooms, which sell the product all evening.

    Each turn is at least 6 % under the other's price: rounded down to the minor unit.
    """
    price_minor, step_ms = goods.price_minor, WAR_MS // turns
    prices: list[int] = []
    for turn in range(turns):
        price_minor = price_minor * (100 - UNDERCUT_PERCENT) // 100
        prices.append(price_minor)
        steps = plans[turn % 2].price_steps.setdefault(goods.product_id, [])
        steps.append((from_ms + turn * step_ms, price_minor))
    for plan in plans:
        # a product that is listed again is listed at what it costs by then
        plan.listings = tuple(
            listing._replace(
                goods=listing.goods._replace(price_minor=plan.price_minor(listing, listing.ts_ms))
            )
            for listing in plan.listings
        )
    return Incident(
        "price_war",
        plans[0].room_id,
        started_ms=from_ms,
        ended_ms=from_ms + (turns - 1) * step_ms,
        more={
            "adversary": "W-A",
            "rooms": [plan.room_id for plan in plans],
            "product_id": goods.product_id,
            "prices_minor": prices,
        },
    )
