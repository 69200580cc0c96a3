"""Was a list price raised just to be discounted from?

A product's list price is what its events last told. Where it is higher than the lowest of the last
24 h, and orders of the product pay less than half of it, the discount is measured from a price that
nobody paid. A discount from an old price says nothing, nor does a raise that buyers pay. Source:
the press on live commerce, thresholds chosen.

State: the list prices of each product of the last 24 h, and its cheap orders since the raise. Caps:
`list_prices` products, the one told of first goes; so many changes of one, the oldest go.
"""

from typing import Any, ClassVar

from schemas.codec import Product
from schemas.detector_rules import ListPriceInflationRules
from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.snapshots import wide

_SHOWN_ORDERS = 20
_CHANGES = 20  # of one product in a day; more are a game with the price, and the newest tell of it
_HOUR_MS = 60 * MINUTE_MS


class _Listed:
    """The list price of a product.

    Attributes:
        prices: stamp and list price of one piece, from the last one that was in force 24 h ago.
        orders: how many were paid since the last change; `cheap` of them below the share.
        first_ms, money_minor, order_ids: of the cheap ones.
    """

    __slots__ = ("cheap", "first_ms", "money_minor", "order_ids", "orders", "prices")

    def __init__(self, prices: list[list[int]]) -> None:
        self.prices = prices
        self.forget_orders()

    def forget_orders(self) -> None:
        self.orders = 0
        self.cheap = 0
        self.first_ms = 0
        self.money_minor = 0
        self.order_ids: list[str] = []

    def tell(self, ts_ms: int, list_minor: int) -> None:
        """Take a list price that differs from the one in force."""
        self.prices = [*self.prices, [ts_ms, list_minor]][-_CHANGES:]
        self.forget_orders()

    def lowest(self, from_ms: int) -> int:
        """The lowest list price in force since a moment."""
        prices = self.prices
        while len(prices) > 1 and prices[1][0] <= from_ms:
            del prices[0]
        return min(list_minor for _, list_minor in prices)

    def snapshot(self) -> list[Any]:
        return [
            self.prices,
            self.orders,
            self.cheap,
            self.first_ms,
            wide(self.money_minor),
            self.order_ids,
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> "_Listed":
        prices, orders, cheap, first_ms, money_minor, order_ids = state
        self = cls(prices)
        self.orders, self.cheap, self.first_ms, self.order_ids = orders, cheap, first_ms, order_ids
        self.money_minor = int(money_minor)
        return self


class ListPriceInflation(Detector):
    """The list prices of the products of one room."""

    section = alert_kind = "list_price_inflation"
    __slots__ = ("_listed",)

    def __init__(self, shared: None, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._listed: dict[str, _Listed] = {}

    def product(self, product: Product, scene: Scene) -> Told:
        """Take a list price that is told."""
        if not product.list_minor or product.action == "delisted":
            return NOTHING
        listed = self._listed
        known = listed.get(product.product_id)
        if known is None:
            listed[product.product_id] = _Listed([[scene.ts_ms, product.list_minor]])
            if len(listed) > limits.cap("list_prices"):
                self.evictions.give_up_oldest(
                    "list_prices", listed, lambda id_: (listed[id_].prices[0][0], id_)
                )
        elif known.prices[-1][1] != product.list_minor:
            known.tell(scene.ts_ms, product.list_minor)
        return NOTHING

    def order(self, order: ScoredOrder, scene: Scene) -> Told:
        """Look whether an order is measured from a price that was raised for it."""
        known = self._listed.get(order.product_id)
        if known is None:
            return NOTHING
        rules = scene.rules.list_price_inflation
        known.orders += 1
        list_minor = known.prices[-1][1]
        before_minor = known.lowest(scene.ts_ms - rules.raised_within_hours * _HOUR_MS)
        is_raised = list_minor >= before_minor * (1 + rules.raise_share)
        if not is_raised or order.amount_minor >= rules.paid_share * list_minor * order.quantity:
            return NOTHING
        known.cheap += 1
        known.first_ms = known.first_ms or scene.ts_ms
        known.money_minor += order.amount_minor
        known.order_ids = [*known.order_ids, order.order_id][-_SHOWN_ORDERS:]
        if known.cheap < rules.orders:
            return NOTHING
        if not self.incidents.noticed(known.cheap, scene.ts_ms, order.product_id):
            return NOTHING
        finding = _finding(known, order.product_id, before_minor, scene, rules)
        return self.incidents.tell(finding, scene.ts_ms, order.product_id)

    def settle(self, watermark_ms: int, rules: RuleSet) -> Told:
        """End quiet incidents; cheap orders after that start another one."""
        ended = super().settle(watermark_ms, rules)
        for incident in ended:
            known = self._listed.get(incident.product_id or "")
            if known is not None:
                known.forget_orders()
        return ended

    def snapshot(self) -> list[Any]:
        listed = [[id_, each.snapshot()] for id_, each in self._listed.items()]
        return [*super().snapshot(), listed]

    def restore(self, state: list[Any]) -> None:
        *general, listed = state
        super().restore(general)
        self._listed = {id_: _Listed.restored(saved) for id_, saved in listed}

    takes: ClassVar = {Product: product, ScoredOrder: order}


def _finding(
    known: _Listed,
    product_id: str,
    before_minor: int,
    scene: Scene,
    rules: ListPriceInflationRules,
) -> Finding:
    raised = known.prices[-1][1] / before_minor - 1
    return Finding(
        score=known.cheap,
        threshold=rules.orders,
        since_ms=known.first_ms,
        summary=(
            f"Suspected list price inflation in room {scene.room_id}: the list price of product"
            f" {product_id} was raised by {raised:.0%} within {rules.raised_within_hours} hours,"
            f" and {known.cheap} of {known.orders} orders since paid less than"
            f" {rules.paid_share:.0%} of it."
        ),
        signs=[
            Sign(
                "orders_far_below_list",
                known.cheap,
                known.orders,
                0.0,
                known.cheap,
                known.order_ids,
            )
        ],
        money_minor=known.money_minor,
    )
