"""How far do people come on the way to an order: shown, clicked, carted, checked out, paid?

Checkouts count once by `order_id` (apart from orders). One is unpaid when its order was not paid
before the watermark passed 30 minutes after it; a later payment takes nothing back (design,
section 6). The judgement of each checkout is found when its order comes, or when figures are asked.

State: counters, remembered checkout ids, checkouts that are not paid yet. Caps: `checkouts`,
`unpaid` (the oldest are judged unpaid).
"""

from typing import Any

from schemas.codec import Checkout, Exposure
from streams.core import limits
from streams.core.remembered import Remembered

UNPAID_AFTER_MS = 30 * 60_000


class Funnel:
    """Impressions and checkouts of one room; clicks and carts are counted with the audience."""

    __slots__ = (
        "_evictions",
        "_known",
        "_next_due_ms",
        "_pending",
        "checkouts",
        "impressions",
        "product_impressions",
        "unpaid_orders",
    )

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.impressions = 0
        self.product_impressions = 0
        self.checkouts = 0
        self.unpaid_orders = 0
        self._known: Remembered[None] = Remembered("checkouts", evictions)
        self._pending: dict[str, int] = {}  # order id -> when it becomes unpaid
        self._next_due_ms: int | None = None

    def exposure(self, event: Exposure) -> None:
        """Count how often the room's card, or a product's, was shown."""
        if event.product_id is None:
            self.impressions += event.impressions
        else:
            self.product_impressions += event.impressions

    def knows(self, order_id: str, watermark_ms: int) -> bool:
        """Whether a checkout of this order was counted and is still remembered."""
        return self._known.get(order_id, watermark_ms) is not None

    def checkout(self, event: Checkout, watermark_ms: int, *, paid: bool) -> None:
        """Count a checkout that is no repeat; `paid` if its order is known already."""
        order_id = event.order_id
        self._known.put(order_id, event.ts_ms, None, watermark_ms)
        self.checkouts += 1
        if paid:
            return
        self.paid(order_id, watermark_ms)  # an older checkout of a forgotten id is judged first
        due_ms = event.ts_ms + UNPAID_AFTER_MS
        self._pending[order_id] = due_ms
        if self._next_due_ms is None or due_ms < self._next_due_ms:
            self._next_due_ms = due_ms
        if len(self._pending) > limits.cap("unpaid"):
            self._evict()

    def paid(self, order_id: str, watermark_ms: int) -> None:
        """Its order is paid now: in time, unless the watermark had passed the limit before."""
        due_ms = self._pending.pop(order_id, None)
        if due_ms is not None and due_ms <= watermark_ms:
            self.unpaid_orders += 1

    def settle(self, watermark_ms: int) -> None:
        """Judge every checkout whose time has come."""
        if self._next_due_ms is None or watermark_ms < self._next_due_ms:
            return
        left = {id_: due_ms for id_, due_ms in self._pending.items() if due_ms > watermark_ms}
        self.unpaid_orders += len(self._pending) - len(left)
        self._pending = left
        self._next_due_ms = min(left.values(), default=None)

    def rest(self, watermark_ms: int) -> None:
        """Free what is no longer remembered."""
        self.settle(watermark_ms)
        self._known.free(watermark_ms)

    def _evict(self) -> None:
        pending = self._pending
        gone = self._evictions.give_up_oldest("unpaid", pending, lambda id_: (pending[id_], id_))
        self.unpaid_orders += len(gone)

    def snapshot(self) -> list[Any]:
        return [
            [str(self.impressions), str(self.product_impressions)],
            self.checkouts,
            self.unpaid_orders,
            self._known.snapshot(),
            [list(item) for item in self._pending.items()],
            self._next_due_ms,
        ]

    def restore(self, state: list[Any]) -> None:
        shown, self.checkouts, self.unpaid_orders, known, pending, self._next_due_ms = state
        self.impressions, self.product_impressions = (int(count) for count in shown)
        self._known.restore(known)
        self._pending = {id_: due_ms for id_, due_ms in pending}  # noqa: C416 - pairs are lists
