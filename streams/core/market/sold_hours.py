"""What did each product of one room sell in each hour?

An order belongs to the hour of its own stamp, late ones too; one whose stamp is refuted has no
hour. It belongs to its own merchant. What is suspected later is told beside it, in the hour of the
order.

State: the orders, pieces and money of each product, merchant and hour. Cap: `sold_hours`; the
earliest hours go.
"""

from typing import Any

from schemas.codec import Order
from schemas.details import SoldHour
from schemas.records import Version
from streams.core import limits
from streams.core.ledger import TakenOff
from streams.core.snapshots import Sums

HOUR_MS = 3_600_000
# Product, merchant, start of the hour.
Place = tuple[str, str | None, int]


class Sold(Sums):
    """What was sold of one product of one merchant in one hour."""

    __slots__ = ("gross_minor", "orders", "suspected_minor", "suspected_orders", "units")

    def __init__(self) -> None:
        self.orders = 0
        self.units = 0
        self.gross_minor = 0
        self.suspected_orders = 0
        self.suspected_minor = 0


class SoldHours:
    """The hours of one room.

    Attributes:
        by_place: what was sold, by product, merchant and hour.
        changed: what changed since it was last shown.
    """

    __slots__ = ("_evictions", "by_place", "changed")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.by_place: dict[Place, Sold] = {}
        self.changed: dict[Place, Sold] = {}

    def ordered(self, event: Order) -> None:
        """Count a paid order."""
        sold = self._at(event.product_id, event.merchant_id, event.ts_ms)
        sold.orders += 1
        sold.units += event.quantity
        sold.gross_minor += event.amount_minor

    def take_off(self, off: TakenOff) -> None:
        """Tell what is suspected, or give it back.

        A mark may come before its order, when the log of a room is folded once more.
        """
        sold = self._at(off.product_id, off.merchant_id, off.ordered_ms)
        sold.suspected_orders += off.orders
        sold.suspected_minor += off.amount_minor

    def _at(self, product_id: str, merchant_id: str | None, ts_ms: int) -> Sold:
        place = product_id, merchant_id, ts_ms - ts_ms % HOUR_MS
        sold = self.by_place.get(place)
        if sold is not None:
            self.changed[place] = sold
            return sold
        sold = self.by_place[place] = self.changed[place] = Sold()
        if len(self.by_place) > limits.cap("sold_hours"):
            gone = self._evictions.give_up_oldest("sold_hours", self.by_place, _stamp)
            for each in gone:
                self.changed.pop(each, None)
        return sold

    def shown(self, version: Version, room_id: str) -> list[SoldHour]:
        """What changed since last asked."""
        changed, self.changed = self.changed, {}
        return [
            SoldHour(
                version=version,
                room_id=room_id,
                product_id=product_id,
                merchant_id=merchant_id,
                hour_ms=hour_ms,
                orders=sold.orders,
                units=sold.units,
                gross_minor=sold.gross_minor,
                suspected_orders=sold.suspected_orders,
                suspected_minor=sold.suspected_minor,
            )
            for (product_id, merchant_id, hour_ms), sold in changed.items()
        ]

    def show_all_again(self) -> None:
        """Take what was shown for lost."""
        self.changed = dict(self.by_place)

    def snapshot(self) -> list[Any]:
        return [[*place, sold.snapshot()] for place, sold in self.by_place.items()]

    def restore(self, state: list[Any]) -> None:
        for product_id, merchant_id, hour_ms, saved in state:
            sold = self.by_place[product_id, merchant_id, hour_ms] = Sold()
            sold.restore(saved)
        self.show_all_again()


def _stamp(place: Place) -> tuple[int, str]:
    product_id, merchant_id, hour_ms = place
    return hour_ms, f"{product_id}\0{merchant_id or ''}"
