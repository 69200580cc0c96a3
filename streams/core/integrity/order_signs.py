"""Which signs does an order carry, given the orders of its room in the last 24 hours?

Orders come in event-time order (`streams.core.integrity.queue`), so a sign does not depend on who
arrived first. A device, payment account or address counts towards its sign once enough buyers have
used it, and says nothing once it has so many that it must be a dormitory or an office. An IP
address is never evidence. An order without an identity lacks that sign, nothing else.

State: the orders of the last 24 h and who used what. Caps: `scored_orders`, with the identities of
those orders; eviction: oldest first.
"""

from collections import deque
from collections.abc import Iterator
from typing import Any

from schemas.codec import Order
from schemas.rules import BrushingRules
from streams.core import limits

MEMORY_MS = 24 * 3_600_000
_HOUR_MS = 3_600_000
_ONE_CART_MS = 60_000  # lines of one cart arrive as orders of one buyer within a minute
IDENTITIES = ("device", "payment", "address")


class ScoredOrder:
    """An order with what was known of it when its turn came.

    Attributes:
        visited: whether its buyer was seen in the room shortly before; None if the source hardly
            tells of visits at all.
        dwell_ms: from entering to buying; None if that is not known.
        quick_refund: None until it is decided.
        suspected: whether it came off trusted GMV.
        counted: whether it is among the orders whose soon refunds are counted.
        returned_ms: when it was first refunded, if that was soon.
    """

    __slots__ = (
        "account_age_days",
        "amount_minor",
        "buyer_id",
        "counted",
        "dwell_ms",
        "identities",
        "list_minor",
        "order_id",
        "orders_in_an_hour",
        "product_id",
        "quantity",
        "quick_refund",
        "returned_ms",
        "suspected",
        "ts_ms",
        "visited",
    )

    def __init__(self, event: Order, *, visited: bool | None, dwell_ms: int | None) -> None:
        self.order_id = event.order_id
        self.ts_ms = event.ts_ms
        self.amount_minor = event.amount_minor
        self.list_minor = event.list_minor
        self.product_id = event.product_id
        self.quantity = event.quantity
        self.buyer_id = event.buyer_id
        self.identities = (event.device_id, event.payment_id, event.address_id)
        self.account_age_days = event.account_age_days
        self.visited = visited
        self.dwell_ms = dwell_ms
        self.orders_in_an_hour = 1
        self.quick_refund: bool | None = None
        self.suspected = False
        self.counted = False
        self.returned_ms: int | None = None

    def snapshot(self) -> list[Any]:
        return [getattr(self, name) for name in self.__slots__]

    @classmethod
    def restored(cls, state: list[Any]) -> "ScoredOrder":
        self = cls.__new__(cls)
        for name, value in zip(cls.__slots__, state, strict=True):
            setattr(self, name, value)
        return self


class OrderSigns:
    """The recent orders of one room."""

    __slots__ = ("_buyers_of", "_evictions", "_orders_of", "by_id", "recent")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.recent: deque[ScoredOrder] = deque()
        self.by_id: dict[str, ScoredOrder] = {}
        # kind of identity and id -> buyer -> how many of the recent orders
        self._buyers_of: dict[tuple[str, str], dict[str, int]] = {}
        # buyer -> stamps of separate purchases: a few, for which a deque would take 600 bytes more
        self._orders_of: dict[str, list[int]] = {}

    def add(self, order: ScoredOrder) -> None:
        """Take the next order in event time."""
        self.forget(order.ts_ms)
        if len(self.recent) >= limits.cap("scored_orders"):
            self._drop_oldest()
            self._evictions.count("scored_orders")
        self.recent.append(order)
        self.by_id[order.order_id] = order
        for key in _keys(order):
            buyers = self._buyers_of.get(key)
            if buyers is None:
                buyers = self._buyers_of[key] = {}
            buyers[order.buyer_id] = buyers.get(order.buyer_id, 0) + 1
        order.orders_in_an_hour = self._purchases(order)

    def signs(self, order: ScoredOrder, rules: BrushingRules) -> dict[str, bool]:
        """The signs that can be told of an order now, set or not."""
        found = own_signs(order, rules)
        for kind, id_ in _keys(order):
            buyers = len(self._buyers_of.get((kind, id_), ()))
            sign = f"shared_{kind}"
            if buyers <= rules.crowd_buyers and getattr(rules, sign).enabled:
                least = getattr(rules, f"{kind}_buyers")
                found[sign] = buyers >= least
        return found

    def _purchases(self, order: ScoredOrder) -> int:
        """How often its buyer bought in the last hour, lines of one cart taken as one."""
        stamps = self._orders_of.get(order.buyer_id)
        if stamps is None:
            stamps = self._orders_of[order.buyer_id] = []
        if not stamps or order.ts_ms - stamps[-1] > _ONE_CART_MS:
            stamps.append(order.ts_ms)
        while stamps[0] <= order.ts_ms - _HOUR_MS:
            del stamps[0]
        return len(stamps)

    def forget(self, ts_ms: int) -> None:
        """Forget the orders that are a day old at an event time."""
        while self.recent and self.recent[0].ts_ms <= ts_ms - MEMORY_MS:
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        order = self.recent.popleft()
        self.by_id.pop(order.order_id, None)
        for key in _keys(order):
            buyers = self._buyers_of[key]
            buyers[order.buyer_id] -= 1
            if not buyers[order.buyer_id]:
                del buyers[order.buyer_id]
            if not buyers:
                del self._buyers_of[key]
        stamps = self._orders_of.get(order.buyer_id)
        if stamps is not None and stamps[-1] <= order.ts_ms:
            del self._orders_of[order.buyer_id]

    def snapshot(self) -> list[Any]:
        return [
            [order.snapshot() for order in self.recent],
            [[buyer_id, list(stamps)] for buyer_id, stamps in self._orders_of.items()],
        ]

    def restore(self, state: list[Any]) -> None:
        orders, purchases = state
        for saved in orders:
            order = ScoredOrder.restored(saved)
            self.recent.append(order)
            self.by_id[order.order_id] = order
            for key in _keys(order):
                buyers = self._buyers_of.setdefault(key, {})
                buyers[order.buyer_id] = buyers.get(order.buyer_id, 0) + 1
        self._orders_of = {buyer_id: list(stamps) for buyer_id, stamps in purchases}


def own_signs(order: ScoredOrder, rules: BrushingRules) -> dict[str, bool]:
    """The signs of an order that say nothing of who shares what."""
    found = {}
    if rules.repeat_buyer.enabled:
        found["repeat_buyer"] = order.orders_in_an_hour >= rules.repeat_orders
    if order.visited is not None and rules.no_visit.enabled:
        found["no_visit"] = not order.visited
    if order.dwell_ms is not None and rules.tiny_dwell.enabled:
        found["tiny_dwell"] = order.dwell_ms < rules.tiny_dwell_ms
    if order.account_age_days is not None and rules.young_account.enabled:
        found["young_account"] = order.account_age_days < rules.young_days
    if order.quick_refund is not None and rules.quick_refund.enabled:
        found["quick_refund"] = order.quick_refund
    return found


def _keys(order: ScoredOrder) -> Iterator[tuple[str, str]]:
    for kind, id_ in zip(IDENTITIES, order.identities, strict=True):
        if id_ is not None:
            yield kind, id_
