"""Does too much of what a room has just sold come back at once?

A refund counts for the order it returns, and so against the orders of the same time: of those of
the last hour, how many came back already? Whether an order ever comes back varies from room to room
and batch to batch more than chance (`correlation`); of what ever comes back, a small part does so
within the hour (`streams.core.integrity.tails`). Asked of the room and of the product. What is
normal is learned by category, so one with many returns is innocent; when everybody's orders come
back, the room is as well.

State: the orders of the last hour, which are those remembered anyway, and their counts. Cap:
`scored_orders`.
"""

import math
from collections import deque
from typing import Any, ClassVar

from schemas.detector_rules import RefundSurgeRules
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.facts import Returned
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.integrity.shares import Counts, Shares
from streams.core.integrity.tails import thinned_tail

_SHOWN_ORDERS = 20
_LEAST_TAIL = 1e-300


class RefundSurge(Detector):
    """The refunds of what one room sold in the last hour."""

    section = alert_kind = "refund_surge"
    shared = Shares
    __slots__ = ("_is_calm", "_products", "_room", "_shares", "_window")

    def __init__(self, shared: Shares, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._shares = shared
        self._window: deque[ScoredOrder] = deque()
        self._room = Counts()
        self._is_calm = True  # half way to an alert, a room no longer teaches what is normal
        self._products: dict[str, Counts] = {}

    def order(self, order: ScoredOrder, scene: Scene) -> Told:
        """Take an order among those of the last hour."""
        self._forget(scene)
        self._window.append(order)
        order.counted = True
        self._count(order, 1, 0)
        self._shares.happened(scene.category, order.ts_ms, 1, 0)
        return NOTHING

    def refund(self, refund: Returned, scene: Scene) -> Told:
        """Count the first refund of an order of the last hour, and look whether it is one too many.

        Partly refunded is refunded.
        """
        self._forget(scene)
        order = self.orders.by_id.get(refund.order_id)
        if order is None or not order.counted or order.returned_ms is not None:
            return NOTHING
        order.returned_ms = scene.ts_ms
        self._count(order, 0, 1)
        if self._is_calm:  # the room that surges is not everybody
            self._shares.happened(scene.category, order.ts_ms, 0, 1)
        return self._judge(order.product_id, scene)

    def _judge(self, product_id: str, scene: Scene) -> Told:
        rules = scene.rules.refund_surge
        room, product = self._room, self._products[product_id]
        if room.seen < rules.refunds:
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

        return share_of(scene.category) * shares.excess(share_of, scene.category, self._room)

    def _tail(
        self, counts: Counts, normal: float, category: str | None, rules: RefundSurgeRules
    ) -> float:
        if counts.seen < rules.refunds:
            return 1.0
        returns = max(_returns(category, rules), min(normal, 0.9))
        shows = min(1.0, normal / returns)
        return thinned_tail(counts.seen, counts.of, returns, rules.correlation, shows)

    def _finding(self, product_id: str, scene: Scene, tails: list[float], normal: float) -> Finding:
        rules = scene.rules.refund_surge
        returned = [order for order in self._window if order.returned_ms is not None]
        of_product = [order for order in returned if order.product_id == product_id]
        room, product = self._room, self._products[product_id]
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
                f" orders of the last {rules.window_minutes} minutes came back already (normal:"
                f" {normal:.1%}), {product.seen} of them of the {product.of} of product"
                f" {product_id}."
            ),
            signs=sorted(signs, key=lambda sign: (-sign.weight, sign.name)),
            money_minor=sum(order.amount_minor for order in returned),
        )

    def _forget(self, scene: Scene) -> None:
        """Let orders go that are older than an hour; that they did not come back is learned."""
        before_ms = scene.ts_ms - scene.rules.refund_surge.window_minutes * MINUTE_MS
        window, known = self._window, self.orders.by_id
        while window and (window[0].ts_ms <= before_ms or window[0].order_id not in known):
            order = window.popleft()
            order.counted = False
            seen = int(order.returned_ms is not None)
            self._count(order, -1, -seen)
            if order.ts_ms <= before_ms and self._is_calm:
                self._shares.learn(scene.category, 1, seen)
        self._shares.forget(before_ms)

    def _count(self, order: ScoredOrder, of: int, seen: int) -> None:
        self._room.add(of, seen)
        product = self._products.get(order.product_id)
        if product is None:
            product = self._products[order.product_id] = Counts()
        product.add(of, seen)
        if not product.of:
            del self._products[order.product_id]

    def snapshot(self) -> list[Any]:
        window = [order.order_id for order in self._window]
        return [*super().snapshot(), self._is_calm, window]

    def restore(self, state: list[Any]) -> None:
        *general, self._is_calm, window = state
        super().restore(general)
        for order_id in window:
            order = self.orders.by_id[order_id]
            self._window.append(order)
            self._count(order, 1, int(order.returned_ms is not None))

    takes: ClassVar = {ScoredOrder: order, Returned: refund}


def _returns(category: str | None, rules: RefundSurgeRules) -> float:
    """The share of orders of a category that ever come back."""
    return rules.returns.get(category or "", rules.usual_returns)


def _sign(
    name: str, counts: Counts, normal: float, weight: float, returned: list[ScoredOrder]
) -> Sign:
    order_ids = [order.order_id for order in returned[-_SHOWN_ORDERS:]]
    return Sign(name, counts.seen, counts.of, normal, weight, order_ids)
