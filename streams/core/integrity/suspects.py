"""Which orders are suspected, of whom, and what do they still add to net GMV?

Asked by figures that leave suspected actors out. State: one entry a suspected order. Cap:
`suspected_orders`; the oldest by event time go first, and count as trusted in those figures again.
"""

from typing import Any

from streams.core import limits
from streams.core.integrity.order_signs import ScoredOrder
from streams.core.snapshots import wide


class SuspectedOrder:
    """One suspected order; `net_minor` is its amount less its refunds."""

    __slots__ = ("buyer_id", "net_minor", "room_id", "ts_ms")

    def __init__(self, room_id: str, buyer_id: str, ts_ms: int, net_minor: int) -> None:
        self.room_id = room_id
        self.buyer_id = buyer_id
        self.ts_ms = ts_ms
        self.net_minor = net_minor


class SuspectedOrders:
    """The suspected orders of a partition."""

    __slots__ = ("_evictions", "by_order")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.by_order: dict[tuple[str, str], SuspectedOrder] = {}  # room and order id

    def add(self, room_id: str, order: ScoredOrder, net_minor: int) -> None:
        """An order has become suspected."""
        orders = self.by_order
        orders[room_id, order.order_id] = SuspectedOrder(
            room_id, order.buyer_id, order.ts_ms, net_minor
        )
        if len(orders) > limits.cap("suspected_orders"):
            self._evictions.give_up_oldest(
                "suspected_orders", orders, lambda key: (orders[key].ts_ms, "\0".join(key))
            )

    def refunded(self, room_id: str, order_id: str, accepted_minor: int) -> None:
        """Money of a suspected order went back."""
        suspected = self.by_order.get((room_id, order_id))
        if suspected is not None:
            suspected.net_minor -= accepted_minor

    def snapshot(self) -> list[Any]:
        return [
            [*key, each.buyer_id, each.ts_ms, wide(each.net_minor)]
            for key, each in self.by_order.items()
        ]

    def restore(self, state: list[Any]) -> None:
        for room_id, order_id, buyer_id, ts_ms, net_minor in state:
            suspected = SuspectedOrder(room_id, buyer_id, ts_ms, int(net_minor))
            self.by_order[room_id, order_id] = suspected
