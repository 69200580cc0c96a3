"""Has a room passed a round sum of gross GMV?

The gross of its orders by event time, against milestones in major units of its currency; nothing
before the room is open, for then the currency is not known. Gross as platforms announce it: refunds
and suspicion are on the boards beside it. State: the sum.
"""

from typing import Any, ClassVar

from schemas.money import digits_of
from streams.core import limits
from streams.core.integrity.detector import NOTHING, Detector, Scene, Told
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.snapshots import wide


class GmvMilestone(Detector):
    """The gross GMV of one room."""

    section = alert_kind = "gmv_milestone"
    __slots__ = ("_gross_minor", "_passed_major")

    def __init__(self, shared: None, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._gross_minor = 0
        self._passed_major = 0

    def order(self, order: ScoredOrder, scene: Scene) -> Told:
        """Add an order, and look whether the sum has passed a milestone that it had not."""
        self._gross_minor += order.amount_minor
        currency = scene.currency
        if currency is None:
            return NOTHING
        gross_major = self._gross_minor // 10 ** digits_of(currency)
        milestones = scene.rules.gmv_milestone.milestones_major
        passed = max((each for each in milestones if each <= gross_major), default=0)
        if passed <= self._passed_major:
            return NOTHING
        self._passed_major = passed
        self.incidents.noticed(passed, scene.ts_ms)
        finding = Finding(
            score=passed,
            threshold=min(milestones),
            since_ms=scene.ts_ms,
            summary=f"Room {scene.room_id} has sold for {passed:,} {currency}, gross.",
            signs=[Sign("gross_major", gross_major, passed, 1.0, passed, [order.order_id])],
            severity="info",
            money_minor=self._gross_minor,
        )
        return self.incidents.tell(finding, scene.ts_ms)

    def snapshot(self) -> list[Any]:
        return [*super().snapshot(), wide(self._gross_minor), self._passed_major]

    def restore(self, state: list[Any]) -> None:
        *general, gross_minor, self._passed_major = state
        super().restore(general)
        self._gross_minor = int(gross_minor)

    takes: ClassVar = {ScoredOrder: order}
