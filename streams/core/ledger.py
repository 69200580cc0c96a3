"""What was sold in one room, and what of it went back?

Each order counts once by `order_id`, each refund once by `refund_id`, both for as long as they are
remembered (24 h of watermark). Of a refund above what a known order paid, the part up to what was
paid is accepted and the excess refused. A refund before its order, or of an order no longer
remembered, is accepted whole (design, sections 3, 4 and 6).

State: the sums, the remembered ids, a sketch of buyers. Caps: `orders`, `refunds`,
`refunded_orders`. Late and refuted orders and refunds count here like any other: money is never
dropped.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from schemas.codec import Order, Refund
from streams.core import limits
from streams.core.distinct import DistinctCount
from streams.core.remembered import Remembered
from streams.core.snapshots import wide

QUALITY_REASONS = frozenset({"quality", "not_as_described", "wrong_item"})


class KnownOrder:
    """What is remembered of a paid order."""

    __slots__ = ("amount_minor", "merchant_id", "product_id", "refunded_minor", "suspected")

    def __init__(
        self,
        product_id: str,
        merchant_id: str | None,
        amount_minor: int,
        refunded_minor: int | str = 0,
        suspected: bool = False,  # noqa: FBT001, FBT002 - as `snapshot` gives them
    ) -> None:
        self.product_id = product_id
        self.merchant_id = merchant_id
        self.amount_minor = amount_minor
        self.refunded_minor = int(refunded_minor)
        self.suspected = suspected

    def snapshot(self) -> list[Any]:
        # refunds from before the order were accepted whole: their sum has no bound
        refunded_minor = wide(self.refunded_minor)
        return [
            self.product_id,
            self.merchant_id,
            self.amount_minor,
            refunded_minor,
            self.suspected,
        ]


@dataclass(frozen=True, slots=True)
class Refunded:
    """What became of a refund that is no repeat.

    Attributes:
        accepted_minor: the part that counts; 0 if the refund is refused whole.
        first_of_order: whether it is the first refund of its order.
        merchant_id: whose sale a known order was; None if that is not known.
        suspected: whether the order is off trusted GMV already, as a whole.
    """

    accepted_minor: int
    first_of_order: bool
    merchant_id: str | None
    suspected: bool


class TakenOff(NamedTuple):
    """What a mark takes off trusted GMV of its room and product."""

    product_id: str
    merchant_id: str | None
    ordered_ms: int
    orders: int
    amount_minor: int
    refunded_minor: int

    def reversed(self) -> "TakenOff":
        """What gives it back."""
        return self._replace(
            orders=-self.orders,
            amount_minor=-self.amount_minor,
            refunded_minor=-self.refunded_minor,
        )


class Ledger:
    """Money of one room, in minor units of its currency."""

    __slots__ = (
        "_known",
        "_refund_ids",
        "_refunded",
        "buyers",
        "gross_minor",
        "orders",
        "quality_refunds",
        "refunded_minor",
        "refunded_orders",
        "refunds",
        "suspected_minor",
        "suspected_orders",
        "suspected_refunded_minor",
        "units",
    )

    def __init__(self, evictions: limits.Evictions) -> None:
        self.orders = 0
        self.units = 0
        self.gross_minor = 0
        self.refunds = 0
        self.refunded_minor = 0
        self.refunded_orders = 0
        self.quality_refunds = 0
        self.suspected_orders = 0
        self.suspected_minor = 0
        self.suspected_refunded_minor = 0
        self.buyers = DistinctCount()
        self._known: Remembered[KnownOrder] = Remembered("orders", evictions)
        self._refund_ids: Remembered[None] = Remembered("refunds", evictions)
        self._refunded: Remembered[list[int]] = Remembered("refunded_orders", evictions)

    def knows(self, order_id: str, watermark_ms: int) -> bool:
        """Whether an order was paid here and is still remembered."""
        return self._known.get(order_id, watermark_ms) is not None

    def known(self, order_id: str, watermark_ms: int) -> KnownOrder | None:
        """What is still remembered of a paid order."""
        entry = self._known.get(order_id, watermark_ms)
        return entry[1] if entry else None

    def order(self, event: Order, watermark_ms: int) -> bool:
        """Count a paid order; False for a repeat."""
        order_id = event.order_id
        if self._known.get(order_id, watermark_ms) is not None:
            return False
        earlier = self._refunded.get(order_id, watermark_ms)
        known = KnownOrder(
            event.product_id,
            event.merchant_id,
            event.amount_minor,
            earlier[1][0] if earlier else 0,
        )
        self._known.put(order_id, event.ts_ms, known, watermark_ms)
        self.orders += 1
        self.units += event.quantity
        self.gross_minor += event.amount_minor
        self.buyers.add(event.buyer_id)
        return True

    def refund(self, event: Refund, watermark_ms: int) -> Refunded | None:
        """Count a refund up to what its order paid; None for a repeat."""
        if self._refund_ids.get(event.refund_id, watermark_ms) is not None:
            return None
        entry = self._known.get(event.order_id, watermark_ms)
        known = entry[1] if entry else None
        accepted_minor = event.amount_minor
        if known is not None:
            left_minor = known.amount_minor - known.refunded_minor
            accepted_minor = max(0, min(accepted_minor, left_minor))
        merchant_id = known.merchant_id if known is not None else None
        suspected = known is not None and known.suspected
        if not accepted_minor:
            return Refunded(0, False, merchant_id, suspected)
        if known is not None:
            known.refunded_minor += accepted_minor
        if suspected:
            self.suspected_refunded_minor += accepted_minor
        self._refund_ids.put(event.refund_id, event.ts_ms, None, watermark_ms)
        self.refunds += 1
        self.refunded_minor += accepted_minor
        self.quality_refunds += event.reason in QUALITY_REASONS
        first = self._mark_refunded(event, accepted_minor, watermark_ms)
        return Refunded(accepted_minor, first, merchant_id, suspected)

    @property
    def net_minor(self) -> int:
        """Gross less accepted refunds."""
        return self.gross_minor - self.refunded_minor

    @property
    def trusted_minor(self) -> int:
        """Net less what suspected orders still add to it: refunded and suspected counts once."""
        return self.net_minor - (self.suspected_minor - self.suspected_refunded_minor)

    def suspect(self, order_id: str, watermark_ms: int) -> KnownOrder | None:
        """Suspect a remembered order, once; None if there is nothing to take off."""
        entry = self._known.get(order_id, watermark_ms)
        if entry is None or entry[1].suspected:
            return None
        known = entry[1]
        known.suspected = True
        self.suspected_orders += 1
        self.suspected_minor += known.amount_minor
        self.suspected_refunded_minor += known.refunded_minor
        return known

    def take_off(self, off: TakenOff) -> None:
        """Take off, or give back, what a ring has marked; nothing is looked up."""
        self.suspected_orders += off.orders
        self.suspected_minor += off.amount_minor
        self.suspected_refunded_minor += off.refunded_minor

    def rest(self, watermark_ms: int) -> None:
        """Free what is no longer remembered."""
        self._known.free(watermark_ms)
        self._refund_ids.free(watermark_ms)
        self._refunded.free(watermark_ms)

    def _mark_refunded(self, event: Refund, accepted_minor: int, watermark_ms: int) -> bool:
        """Remember that an order has a refund; True for its first."""
        entry = self._refunded.get(event.order_id, watermark_ms)
        if entry is not None:
            entry[1][0] += accepted_minor
            return False
        self._refunded.put(event.order_id, event.ts_ms, [accepted_minor], watermark_ms)
        self.refunded_orders += 1
        return True

    def snapshot(self) -> list[Any]:
        known_state = self._known.snapshot()
        known_state[1] = [[id_, ts_ms, known.snapshot()] for id_, ts_ms, known in known_state[1]]
        return [
            self.orders,
            wide(self.units),
            wide(self.gross_minor),
            self.refunds,
            wide(self.refunded_minor),
            self.refunded_orders,
            self.quality_refunds,
            self.suspected_orders,
            wide(self.suspected_minor),
            wide(self.suspected_refunded_minor),
            self.buyers.snapshot(),
            known_state,
            self._refund_ids.snapshot(),
            _packed_sums(self._refunded.snapshot()),
        ]

    def restore(self, state: list[Any]) -> None:
        (
            self.orders,
            units,
            gross_minor,
            self.refunds,
            refunded_minor,
            self.refunded_orders,
            self.quality_refunds,
            self.suspected_orders,
            suspected_minor,
            suspected_refunded_minor,
            buyers,
            (sweep_at_ms, known),
            refund_ids,
            (refunded_sweep_at_ms, refunded),
        ) = state
        self.units, self.gross_minor = int(units), int(gross_minor)
        self.refunded_minor = int(refunded_minor)
        self.suspected_minor = int(suspected_minor)
        self.suspected_refunded_minor = int(suspected_refunded_minor)
        self.buyers.restore(buyers)
        orders = [[id_, ts_ms, KnownOrder(*parts)] for id_, ts_ms, parts in known]
        self._known.restore([sweep_at_ms, orders])
        self._refund_ids.restore(refund_ids)
        sums = [[id_, ts_ms, [int(total)]] for id_, ts_ms, total in refunded]
        self._refunded.restore([refunded_sweep_at_ms, sums])


def _packed_sums(state: list[Any]) -> list[Any]:
    return [state[0], [[id_, ts_ms, wide(sums[0])] for id_, ts_ms, sums in state[1]]]
