"""Does a product sell far above what its room is used to?

The buyers of a product in the last minutes, each once, are held against the orders of the whole
room in as many minutes of the hour before, and so against the product's own as well. Orders come in
flocks, so the tail is over-dispersed (`streams.core.integrity.tails`): a Poisson count would take
every good minute for a miracle. What is bought right after a product was listed says nothing, for
that is what listing is for; when everybody sells more (midnight of a festival), the room is
expected to as well. News, of severity `info`: whether the orders are suspected stands in the card.

State: the orders of the last minutes, and who bought what, counts by minute, when each product was
listed. Caps: `scored_orders`, for the orders are those remembered anyway; `listed_products`, the
one listed first goes, and its peak is judged.
"""

from collections import deque
from typing import Any, ClassVar

from schemas.codec import Product
from schemas.detector_rules import HotItemRules
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.integrity.pace import Pace, minute_of
from streams.core.integrity.tails import negative_binomial_tail

_SHOWN_ORDERS = 20
# So many orders are taken for granted where little is known, of a room and of all others.
_A_FEW = 1.0
_A_FEW_OF_OTHERS = 10.0


class HotItem(Detector):
    """The products of one room that sell far above the usual."""

    section = alert_kind = "hot_item"
    shared = Pace
    __slots__ = ("_buyers_of", "_everybody", "_last_order_id", "_listed_ms", "_pace", "_window")

    def __init__(self, shared: Pace, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._everybody = shared
        self._pace = Pace()
        self._last_order_id = ""
        self._listed_ms: dict[str, int] = {}
        # the orders of the last minutes, and whether one counts
        self._window: deque[tuple[ScoredOrder, bool]] = deque()
        # product -> buyer -> how many orders in the window count
        self._buyers_of: dict[str, dict[str, int]] = {}

    def product(self, product: Product, scene: Scene) -> Told:
        """Note when a product was listed."""
        if product.action == "listed":
            listed = self._listed_ms
            listed.pop(product.product_id, None)
            listed[product.product_id] = scene.ts_ms
            if len(listed) > limits.cap("listed_products"):
                self.evictions.give_up_oldest(
                    "listed_products", listed, lambda id_: (listed[id_], id_)
                )
        return NOTHING

    def order(self, order: ScoredOrder, scene: Scene) -> Told:
        """Take an order, and look whether its product is hot by now."""
        rules = scene.rules.hot_item
        self._forget(scene.ts_ms, rules)
        self._count(order, rules)
        listed_ms = self._listed_ms.get(order.product_id)
        counts = listed_ms is None or order.ts_ms >= listed_ms + rules.listing_minutes * MINUTE_MS
        self._take(order, counts=counts)
        if not counts:
            return NOTHING
        buyers = len(self._buyers_of[order.product_id])
        if buyers < rules.buyers:
            return NOTHING
        expected = self._expected(scene.ts_ms, rules)
        if expected is None or buyers < rules.times * expected:
            return NOTHING
        if negative_binomial_tail(buyers, expected, rules.dispersion) > rules.tail:
            return NOTHING
        if not self.incidents.noticed(buyers, scene.ts_ms, order.product_id):
            return NOTHING
        finding = self._finding(order.product_id, expected, scene, rules)
        return self.incidents.tell(finding, scene.ts_ms, order.product_id)

    def _count(self, order: ScoredOrder, rules: HotItemRules) -> None:
        recent = self.orders.recent
        if len(recent) > 1 and recent[-2].order_id != self._last_order_id:
            self._pace = Pace()  # orders went by while this was off: what is usual is not known
        self._last_order_id = order.order_id
        minute = minute_of(order.ts_ms)
        kept = rules.window_minutes + rules.base_minutes + 1
        self._pace.add(minute, kept)
        self._everybody.add(minute, kept)

    def _take(self, order: ScoredOrder, *, counts: bool) -> None:
        self._window.append((order, counts))
        if counts:
            buyers = self._buyers_of.setdefault(order.product_id, {})
            buyers[order.buyer_id] = buyers.get(order.buyer_id, 0) + 1

    def _forget(self, ts_ms: int, rules: HotItemRules) -> None:
        """Let orders go that are older than the window, or not remembered any more."""
        before_ms = ts_ms - rules.window_minutes * MINUTE_MS
        window, known = self._window, self.orders.by_id
        while window and (window[0][0].ts_ms <= before_ms or window[0][0].order_id not in known):
            order, counts = window.popleft()
            if counts:
                buyers = self._buyers_of[order.product_id]
                buyers[order.buyer_id] -= 1
                if not buyers[order.buyer_id]:
                    del buyers[order.buyer_id]
                if not buyers:
                    del self._buyers_of[order.product_id]

    def _expected(self, ts_ms: int, rules: HotItemRules) -> float | None:
        """How many orders of the room are usual in the window, for all right now.

        None where too little is known of the room.
        """
        end, most = minute_of(ts_ms - rules.window_minutes * MINUTE_MS), rules.base_minutes
        known = self._pace.known(end, most)
        if known < rules.known_minutes:
            return None
        usual = (self._pace.between(end - most, end) + _A_FEW) / known * rules.window_minutes
        return usual * self._excess(minute_of(ts_ms), end, rules)

    def _excess(self, minute: int, end: int, rules: HotItemRules) -> float:
        """How much more than lately all other rooms sell; 1 if they do not."""
        everybody, own, most = self._everybody, self._pace, rules.base_minutes
        now = everybody.between(end + 1, minute + 1) - own.between(end + 1, minute + 1)
        before = everybody.between(end - most, end) - own.between(end - most, end)
        usual = before / everybody.known(end, most) * rules.window_minutes
        return max(1.0, (now + _A_FEW_OF_OTHERS) / (usual + _A_FEW_OF_OTHERS))

    def _finding(
        self, product_id: str, expected: float, scene: Scene, rules: HotItemRules
    ) -> Finding:
        hot = [order for order, counts in self._window if counts and order.product_id == product_id]
        suspected = [order.order_id for order in hot if order.suspected]
        buyers = len(self._buyers_of[product_id])
        own, before = self._before(product_id, scene.ts_ms, rules)
        order_ids = [order.order_id for order in hot]
        return Finding(
            score=buyers,
            threshold=max(float(rules.buyers), rules.times * expected),
            since_ms=hot[0].ts_ms,
            summary=(
                f"Product {product_id} is hot in room {scene.room_id}: {buyers} buyers in"
                f" {rules.window_minutes} minutes, where {expected:.1f} orders are usual in the"
                f" whole room; {len(suspected)} of the {len(hot)} orders"
                f" ({len(suspected) / len(hot):.0%}) are suspected of being brushed."
            ),
            signs=[
                Sign(
                    "product_of_orders",
                    len(hot),
                    len(self._window),
                    own / before if before else 0.0,
                    buyers / expected,
                    order_ids[-_SHOWN_ORDERS:],
                ),
                Sign(
                    "suspected_orders",
                    len(suspected),
                    len(hot),
                    0.0,
                    0.0,
                    suspected[:_SHOWN_ORDERS],
                ),
            ],
            severity="info",
            money_minor=sum(order.amount_minor for order in hot),
        )

    def _before(self, product_id: str, ts_ms: int, rules: HotItemRules) -> tuple[int, int]:
        """How many orders of the product, and in all, there were in the hour before the window."""
        until_ms = ts_ms - rules.window_minutes * MINUTE_MS
        from_ms = until_ms - rules.base_minutes * MINUTE_MS
        before = [
            order.product_id for order in self.orders.recent if from_ms < order.ts_ms <= until_ms
        ]
        return before.count(product_id), len(before)

    def snapshot(self) -> list[Any]:
        known = self.orders.by_id
        window = [[order.order_id, counts] for order, counts in self._window]
        return [
            *super().snapshot(),
            self._pace.snapshot(),
            self._last_order_id,
            self._listed_ms,
            [each for each in window if each[0] in known],
        ]

    def restore(self, state: list[Any]) -> None:
        *general, pace, self._last_order_id, listed_ms, window = state
        super().restore(general)
        self._pace.restore(pace)
        self._listed_ms = dict(listed_ms)
        for order_id, counts in window:
            self._take(self.orders.by_id[order_id], counts=counts)

    takes: ClassVar = {Product: product, ScoredOrder: order}
