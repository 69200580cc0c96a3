"""Does too much of what a room has just sold come back at once?

A refund counts for the order it returns, and so against the orders of the same time: of those who
bought in the last hour, how many sent something back already? Buyers are counted, not orders: a
cart that is sent back is one thing that went wrong, however many lines it has. Whether orders ever
come back varies from room to room and batch to batch more than chance (`correlation`); of what ever
comes back, a small part does so within the hour (`streams.core.integrity.tails`). Asked of the room
and of the product. What is normal is learned by category, so one with many returns is innocent;
when everybody's orders come back, the room is as well.

State: the orders of the last hour, which are those remembered anyway, and who bought them. Cap:
`scored_orders`.
"""

import math
from collections import deque
from collections.abc import Collection
from typing import Any, ClassVar

from schemas.codec import Refund
from schemas.detector_rules import RefundSurgeRules
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.integrity.shares import Counts, Shares
from streams.core.integrity.tails import thinned_tail

_SHOWN_ORDERS = 20
_LEAST_TAIL = 1e-300


class _Buyers:
    """Who bought in the window, and who of them sent something back while he was in it."""

    __slots__ = ("_orders", "came_back")

    def __init__(self) -> None:
        self._orders: dict[str, int] = {}
        self.came_back: dict[str, None] = {}

    @property
    def counts(self) -> Counts:
        return Counts(len(self._orders), len(self.came_back))

    def bought(self, buyer_id: str) -> bool:
        """Take an order; whether its buyer is new."""
        before = self._orders.get(buyer_id, 0)
        self._orders[buyer_id] = before + 1
        return not before

    def returned(self, buyer_id: str) -> bool:
        """Take a refund; whether it is the buyer's first."""
        if buyer_id in self.came_back:
            return False
        self.came_back[buyer_id] = None
        return True

    def left(self, buyer_id: str) -> bool | None:
        """Let an order go; of a buyer who goes with it, whether he sent something back."""
        self._orders[buyer_id] -= 1
        if self._orders[buyer_id]:
            return None
        del self._orders[buyer_id]
        came_back = buyer_id in self.came_back
        self.came_back.pop(buyer_id, None)
        return came_back

    def saved(self, buyers: Collection[str]) -> list[str]:
        """Who of some buyers sent something back."""
        return sorted(buyer for buyer in self.came_back if buyer in buyers)


class RefundSurge(Detector):
    """The refunds of what one room sold in the last hour."""

    section = alert_kind = "refund_surge"
    shared = Shares
    __slots__ = ("_is_calm", "_products", "_room", "_shares", "_window")

    def __init__(self, shared: Shares, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._shares = shared
        self._window: deque[ScoredOrder] = deque()
        self._room = _Buyers()
        self._is_calm = True  # half way to an alert, a room no longer teaches what is normal
        self._products: dict[str, _Buyers] = {}

    def order(self, order: ScoredOrder, scene: Scene) -> Told:
        """Take an order among those of the last hour."""
        self._forget(scene)
        order.counted = True
        if self._take(order):
            self._shares.happened(scene.category, order.ts_ms, 1, 0)
        return NOTHING

    def _take(self, order: ScoredOrder) -> bool:
        self._window.append(order)
        self._products.setdefault(order.product_id, _Buyers()).bought(order.buyer_id)
        return self._room.bought(order.buyer_id)

    def refund(self, refund: Refund, scene: Scene) -> Told:
        """Count the first refund of an order of the last hour, and look whether it is one too many.

        Partly refunded is refunded.
        """
        self._forget(scene)
        order = self.orders.by_id.get(refund.order_id)
        if order is None or not order.counted or order.returned_ms is not None:
            return NOTHING
        order.returned_ms = scene.ts_ms
        self._products[order.product_id].returned(order.buyer_id)
        if not self._room.returned(order.buyer_id):
            return NOTHING
        self._shares.happened(scene.category, order.ts_ms, 0, 1)
        return self._judge(order.product_id, scene)

    def _judge(self, product_id: str, scene: Scene) -> Told:
        rules = scene.rules.refund_surge
        room, product = self._room.counts, self._products[product_id].counts
        if room.seen < rules.buyers:
            self._is_calm = True
            return NOTHING
        normal = self._normal(scene, rules)
        tails = [self._tail(each, normal, scene.category, rules) for each in (room, product)]
        self._is_calm = min(tails) > math.sqrt(rules.tail)
        if min(tails) > rules.tail:
            return NOTHING
        score = -math.log10(max(_LEAST_TAIL, min(tails)))
        if not self.incidents.noticed(score, scene.ts_ms):
            return NOTHING
        return self.incidents.tell(self._finding(product_id, scene, tails, normal), scene.ts_ms)

    def _normal(self, scene: Scene, rules: RefundSurgeRules) -> float:
        """The share of orders that are normally refunded within the window, for all right now."""
        shares = self._shares

        def share_of(category: str | None) -> float:
            start = _returns(category, rules) * rules.soon_share
            return shares.share(category, start, rules.prior_orders)

        return share_of(scene.category) * shares.excess(share_of, scene.category, self._room.counts)

    def _tail(
        self, counts: Counts, normal: float, category: str | None, rules: RefundSurgeRules
    ) -> float:
        if counts.seen < rules.buyers:
            return 1.0
        returns = max(_returns(category, rules), min(normal, 0.9))
        shows = min(1.0, normal / returns)
        return thinned_tail(counts.seen, counts.of, returns, rules.correlation, shows)

    def _finding(self, product_id: str, scene: Scene, tails: list[float], normal: float) -> Finding:
        rules = scene.rules.refund_surge
        returned = [order for order in self._window if order.returned_ms is not None]
        of_product = [order for order in returned if order.product_id == product_id]
        room, product = self._room.counts, self._products[product_id].counts
        scores = [-math.log10(max(_LEAST_TAIL, tail)) for tail in tails]
        signs = [
            _sign("refunds_of_the_room", room, normal, scores[0], returned),
            _sign("refunds_of_the_product", product, normal, scores[1], of_product),
        ]
        return Finding(
            score=max(scores),
            threshold=-math.log10(rules.tail),
            since_ms=min(order.returned_ms or 0 for order in returned),
            summary=(
                f"Suspected refund surge in room {scene.room_id}: {room.seen} of the {room.of}"
                f" buyers of the last {rules.window_minutes} minutes sent something back already"
                f" (normal: {normal:.1%}); of product {product_id} {product.seen} of {product.of}."
            ),
            signs=sorted(signs, key=lambda sign: (-sign.weight, sign.name)),
            money_minor=sum(order.amount_minor for order in returned),
        )

    def _forget(self, scene: Scene) -> None:
        """Let orders go that are older than an hour; whether they came back is learned.

        Orders that are not remembered any more (the detector was off for a day) teach nothing, as
        after a restart, which does not know them either.
        """
        before_ms = scene.ts_ms - scene.rules.refund_surge.window_minutes * MINUTE_MS
        window, known = self._window, self.orders.by_id
        while window and (window[0].ts_ms <= before_ms or window[0].order_id not in known):
            order = window.popleft()
            order.counted = False
            self._products[order.product_id].left(order.buyer_id)
            if not self._products[order.product_id].counts.of:
                del self._products[order.product_id]
            came_back = self._room.left(order.buyer_id)
            if came_back is not None and order.order_id in known and self._is_calm:
                self._shares.learn(scene.category, 1, int(came_back))
        self._shares.forget(before_ms)

    def snapshot(self) -> list[Any]:
        known = self.orders.by_id
        window = [order for order in self._window if order.order_id in known]
        buyers = {order.buyer_id for order in window}
        products = {order.product_id for order in window}
        return [
            *super().snapshot(),
            self._is_calm,
            [order.order_id for order in window],
            self._room.saved(buyers),
            [[id_, self._products[id_].saved(buyers)] for id_ in sorted(products)],
        ]

    def restore(self, state: list[Any]) -> None:
        *general, self._is_calm, window, came_back, products = state
        super().restore(general)
        for order_id in window:
            self._take(self.orders.by_id[order_id])
        self._room.came_back = dict.fromkeys(came_back)
        for product_id, buyers in products:
            self._products[product_id].came_back = dict.fromkeys(buyers)

    takes: ClassVar = {ScoredOrder: order, Refund: refund}


def _returns(category: str | None, rules: RefundSurgeRules) -> float:
    """The share of orders of a category that ever come back."""
    return rules.returns.get(category or "", rules.usual_returns)


def _sign(
    name: str, counts: Counts, normal: float, weight: float, returned: list[ScoredOrder]
) -> Sign:
    order_ids = [order.order_id for order in returned[-_SHOWN_ORDERS:]]
    return Sign(name, counts.seen, counts.of, normal, weight, order_ids)
