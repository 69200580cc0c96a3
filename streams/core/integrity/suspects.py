"""Which orders are suspected, of whom, and what do they still add to net GMV?

Two that know nothing of each other suspect orders: brushing in the order's own room, and rings
across rooms, whose marks come back at any later time. What is suspected is the union: an order of
both is taken off once, as brushing has it, and a mark that comes first gives way. So what is off
trusted GMV does not depend on who came first. A mark brings along all that is needed, for the room
may have forgotten its order; marks of one order come in the order of their sequence.

State: one entry a suspected order. Caps: `suspected_orders`, `ring_orders`; the oldest by event
time go first, and count as trusted again in figures that leave suspected actors out.
"""

from collections.abc import Iterator
from typing import Any

from schemas.links import RingMark, plain
from streams.core import limits
from streams.core.integrity.order_signs import ScoredOrder
from streams.core.ledger import TakenOff
from streams.core.snapshots import wide

Key = tuple[str, str]  # room and order id


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

    __slots__ = ("_evictions", "_last_sequence", "_marked", "_marked_in", "by_order")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.by_order: dict[Key, SuspectedOrder] = {}
        self._marked: dict[Key, RingMark] = {}
        self._marked_in: dict[str, dict[str, None]] = {}  # orders by room
        self._last_sequence = 0

    def add(self, room_id: str, order: ScoredOrder, net_minor: int) -> TakenOff | None:
        """An order has become suspected by brushing; what a mark had taken off for it already."""
        orders = self.by_order
        key = (room_id, order.order_id)
        orders[key] = SuspectedOrder(room_id, order.buyer_id, order.ts_ms, net_minor)
        if len(orders) > limits.cap("suspected_orders"):
            self._evictions.give_up_oldest(
                "suspected_orders", orders, lambda key: (orders[key].ts_ms, "\0".join(key))
            )
        mark = self._marked.get(key)
        return _off(mark) if mark is not None else None

    def mark(self, mark: RingMark) -> TakenOff | None:
        """A ring has marked an order; what it takes off, None if nothing more."""
        if mark.sequence <= self._last_sequence:
            return None  # a redelivery
        self._last_sequence = mark.sequence
        key = (mark.room_id, mark.order_id)
        before = self._marked.get(key)
        self._remember(mark)
        if len(self._marked) > limits.cap("ring_orders"):
            self._make_room()
        if key in self.by_order:
            return None
        if before is None:
            return _off(mark)
        more_minor = mark.refunded_minor - before.refunded_minor
        return _off(mark)._replace(orders=0, amount_minor=0, refunded_minor=more_minor)

    def marked_in(self, room_id: str) -> list[TakenOff]:
        """What marks that came before their room take off it."""
        keys = [(room_id, order_id) for order_id in self._marked_in.get(room_id, ())]
        return [_off(self._marked[key]) for key in keys if key not in self.by_order]

    def _remember(self, mark: RingMark) -> None:
        self._marked[mark.room_id, mark.order_id] = mark
        self._marked_in.setdefault(mark.room_id, {})[mark.order_id] = None

    def _make_room(self) -> None:
        marked = self._marked
        gone = self._evictions.give_up_oldest(
            "ring_orders", marked, lambda key: (marked[key].ordered_ms, "\0".join(key))
        )
        for room_id, order_id in gone:
            orders = self._marked_in[room_id]
            del orders[order_id]
            if not orders:
                del self._marked_in[room_id]

    def refunded(self, room_id: str, order_id: str, accepted_minor: int) -> None:
        """Money of an order that brushing suspects went back; of others a further mark tells."""
        suspected = self.by_order.get((room_id, order_id))
        if suspected is not None:
            suspected.net_minor -= accepted_minor

    def all_orders(self) -> Iterator[SuspectedOrder]:
        """Every suspected order, once."""
        yield from self.by_order.values()
        for key, mark in self._marked.items():
            if key not in self.by_order:
                net_minor = mark.amount_minor - mark.refunded_minor
                yield SuspectedOrder(mark.room_id, mark.buyer_id, mark.ordered_ms, net_minor)

    def knows(self, room_id: str, order_id: str) -> bool:
        """Whether an order is suspected."""
        return (room_id, order_id) in self.by_order or (room_id, order_id) in self._marked

    def snapshot(self) -> list[Any]:
        return [
            [
                [*key, each.buyer_id, each.ts_ms, wide(each.net_minor)]
                for key, each in self.by_order.items()
            ],
            [plain(mark) for mark in self._marked.values()],
            self._last_sequence,
        ]

    def restore(self, state: list[Any]) -> None:
        orders, marked, self._last_sequence = state
        for room_id, order_id, buyer_id, ts_ms, net_minor in orders:
            suspected = SuspectedOrder(room_id, buyer_id, ts_ms, int(net_minor))
            self.by_order[room_id, order_id] = suspected
        for parts in marked:
            self._remember(RingMark(*parts))


def _off(mark: RingMark) -> TakenOff:
    return TakenOff(
        mark.product_id,
        mark.merchant_id,
        mark.ordered_ms,
        1,
        mark.amount_minor,
        mark.refunded_minor,
    )
