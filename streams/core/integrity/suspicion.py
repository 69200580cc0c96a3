"""What is suspected of one room: its recent orders, and one detector a question.

State: the orders of the last 24 h, which all detectors share, and each detector's own.
"""

from typing import Any, Final

from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.brushing import Brushing
from streams.core.integrity.complaint_surge import ComplaintSurge
from streams.core.integrity.detector import Detector, Shared, Told
from streams.core.integrity.fake_viewers import FakeViewers
from streams.core.integrity.gmv_milestone import GmvMilestone
from streams.core.integrity.hot_item import HotItem
from streams.core.integrity.list_price_inflation import ListPriceInflation
from streams.core.integrity.off_platform_payment import OffPlatformPayment
from streams.core.integrity.order_signs import OrderSigns
from streams.core.integrity.refund_surge import RefundSurge
from streams.core.integrity.sale_after_delisting import SaleAfterDelisting
from streams.core.integrity.sla_breach import SlaBreach
from streams.core.integrity.stock_out import StockOut
from streams.core.integrity.traffic_drop import TrafficDrop

# In checkpoints their state stands in this order.
DETECTORS: Final[tuple[type[Detector], ...]] = (
    Brushing,
    SaleAfterDelisting,
    RefundSurge,
    ComplaintSurge,
    StockOut,
    GmvMilestone,
    SlaBreach,
    ListPriceInflation,
    HotItem,
    FakeViewers,
    TrafficDrop,
    OffPlatformPayment,
)


def shared_of_partition() -> list[Shared | None]:
    """What the detectors of each kind have in common in a new partition."""
    return [kind.shared() if kind.shared is not None else None for kind in DETECTORS]


class Suspicion:
    """The detectors of one room, in the order of `DETECTORS`."""

    __slots__ = ("brushing", "detectors", "orders")

    def __init__(self, shared: list[Shared | None], evictions: limits.Evictions) -> None:
        self.orders = OrderSigns(evictions)
        self.detectors = [
            kind(common, self.orders, evictions)
            for kind, common in zip(DETECTORS, shared, strict=True)
        ]
        brushing = self.detectors[0]
        assert isinstance(brushing, Brushing)
        self.brushing = brushing

    @property
    def is_open(self) -> bool:
        """Whether an incident of the room has not ended."""
        return any(detector.is_open for detector in self.detectors)

    def settle(self, watermark_ms: int, rules: RuleSet) -> Told:
        """End the incidents that have been quiet for long enough."""
        return [
            incident
            for detector in self.detectors
            if detector.is_open
            for incident in detector.settle(watermark_ms, rules)
        ]

    def snapshot(self) -> list[Any]:
        return [self.orders.snapshot(), [each.snapshot() for each in self.detectors]]

    def restore(self, state: list[Any]) -> None:
        orders, detectors = state
        self.orders.restore(orders)
        for detector, saved in zip(self.detectors, detectors, strict=True):
            detector.restore(saved)
