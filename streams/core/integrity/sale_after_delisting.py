"""Is a product sold on after it was taken off?

Orders later than a grace after `delisted`, until the product is `listed` again, count; what was on
its way when the product went does not. State: what was taken off, with its later orders. Cap:
`delisted_products`; what was taken off first goes.
"""

from typing import Any, ClassVar

from schemas.codec import Product
from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.detector import NOTHING, Detector, Scene, Told
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.snapshots import wide

_SHOWN_ORDERS = 20


class _Delisted:
    """A product that was taken off, and what was sold of it since.

    Attributes:
        later: of its orders, those after the grace.
        first_ms: event time of the first of them.
        money_minor, order_ids: of them; ids of the last few.
    """

    __slots__ = ("first_ms", "later", "money_minor", "order_ids", "orders", "since_ms")

    def __init__(self, since_ms: int) -> None:
        self.since_ms = since_ms
        self.orders = 0
        self.later = 0
        self.first_ms = 0
        self.money_minor = 0
        self.order_ids: list[str] = []

    def snapshot(self) -> list[Any]:
        return [
            self.since_ms,
            self.orders,
            self.later,
            self.first_ms,
            wide(self.money_minor),
            self.order_ids,
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> "_Delisted":
        self = cls(state[0])
        _, self.orders, self.later, self.first_ms, money_minor, self.order_ids = state
        self.money_minor = int(money_minor)
        return self


class SaleAfterDelisting(Detector):
    """The products of one room that are sold although they were taken off."""

    section = alert_kind = "sale_after_delisting"
    __slots__ = ("_delisted",)

    def __init__(self, shared: None, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._delisted: dict[str, _Delisted] = {}

    def product(self, product: Product, scene: Scene) -> Told:
        """Take what is listed and delisted."""
        delisted = self._delisted
        if product.action == "listed":
            delisted.pop(product.product_id, None)
        elif product.action == "delisted" and product.product_id not in delisted:
            delisted[product.product_id] = _Delisted(scene.ts_ms)
            if len(delisted) > limits.cap("delisted_products"):
                self.evictions.give_up_oldest(
                    "delisted_products", delisted, lambda id_: (delisted[id_].since_ms, id_)
                )
        return NOTHING

    def order(self, order: ScoredOrder, scene: Scene) -> Told:
        """Look whether an order is of a product that was taken off."""
        product = self._delisted.get(order.product_id)
        if product is None:
            return NOTHING
        rules = scene.rules.sale_after_delisting
        product.orders += 1
        if scene.ts_ms <= product.since_ms + rules.grace_seconds * 1_000:
            return NOTHING
        product.later += 1
        if product.later == 1:
            product.first_ms = scene.ts_ms
        product.money_minor += order.amount_minor
        product.order_ids = [*product.order_ids, order.order_id][-_SHOWN_ORDERS:]
        if product.later < rules.orders:
            return NOTHING
        if not self.incidents.noticed(product.later, scene.ts_ms, order.product_id):
            return NOTHING
        finding = Finding(
            score=product.later,
            threshold=rules.orders,
            since_ms=product.first_ms,
            summary=(
                f"Suspected sale after delisting in room {scene.room_id}: product"
                f" {order.product_id} was taken off and sold {product.later} more times later than"
                f" {rules.grace_seconds} s after that."
            ),
            signs=[
                Sign(
                    "orders_after_delisting",
                    product.later,
                    product.orders,
                    0.0,
                    product.later,
                    product.order_ids,
                )
            ],
            money_minor=product.money_minor,
        )
        return self.incidents.tell(finding, scene.ts_ms, order.product_id)

    def settle(self, watermark_ms: int, rules: RuleSet) -> Told:
        """End quiet incidents; what is sold of the product later starts another one."""
        ended = super().settle(watermark_ms, rules)
        for incident in ended:
            product = self._delisted.get(incident.product_id or "")
            if product is not None:
                self._delisted[incident.product_id or ""] = _Delisted(product.since_ms)
        return ended

    def snapshot(self) -> list[Any]:
        delisted = [[id_, each.snapshot()] for id_, each in self._delisted.items()]
        return [*super().snapshot(), delisted]

    def restore(self, state: list[Any]) -> None:
        *general, delisted = state
        super().restore(general)
        self._delisted = {id_: _Delisted.restored(saved) for id_, saved in delisted}

    takes: ClassVar = {Product: product, ScoredOrder: order}
