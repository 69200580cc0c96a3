"""Are orders of a room brushed? Evidence from many weak signs, two families of it for a page.

Each order, when its turn in event time comes, adds the weight of each of its signs to that sign's
cell (`cells`). A room is under review when its score reaches `review` and two signs are strong; it
is paged when the score reaches `page` and strong signs come from two families, that is, from two
independent causes. Then orders that carry the evidence themselves are suspected, those before the
alert too, and come off trusted GMV.

The base rates learn from rooms below the review score only: who attacks cannot teach that the
attack is normal. A sign that is common in most rooms says nothing (`common_signs`), and signs that
meet count only where chance does not explain it (`meeting`).

State: cells and recent orders of the room, the open incident. Nothing here decides by wall time.
"""

from itertools import islice, takewhile
from typing import Any, ClassVar

from schemas.codec import Refund
from schemas.rules import BrushingRules, RuleSet
from streams.core import limits
from streams.core.integrity.cells import Cells
from streams.core.integrity.common_signs import RoomShares
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.facts import Kept
from streams.core.integrity.incident import Incident, Severity, Sign
from streams.core.integrity.incidents import OF_THE_ROOM
from streams.core.integrity.meeting import Meeting, meeting
from streams.core.integrity.normal import Normal
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.integrity.wording import brushing_sentence

_SHOWN_ORDERS = 20
_LOOKED_AT = 200  # orders that are searched for families that meet: bounds the work of a page


class Brushing(Detector):
    """The suspicion of brushed orders in one room.

    Attributes:
        suspected: orders that have become suspected since they were last taken.
    """

    section = "brushing"
    alert_kind = "brushed_orders"
    shared = Normal
    __slots__ = ("_base", "_cells", "_common", "_shares", "suspected")

    def __init__(self, shared: Normal, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._base = shared.rates
        self._common = shared.common
        self._shares = RoomShares()
        self._cells = Cells()
        self.suspected: list[ScoredOrder] = []

    @property
    def incident(self) -> Incident | None:
        """The open incident."""
        return self.incidents.open.get(OF_THE_ROOM)

    def order(self, order: ScoredOrder, scene: Scene) -> Told:
        """Score the next order in event time."""
        rules = scene.rules.brushing
        kept_ms = order.ts_ms + rules.quick_refund_minutes * MINUTE_MS
        scene.later(scene.room_id, kept_ms, order.order_id, Kept(order.order_id))
        signs = self.orders.signs(order, rules)
        self._shares.take(signs)
        self._common.ordered(scene.room_id, self._shares, rules.common_share)
        return self._take(order, signs, scene, rules)

    def refund(self, refund: Refund, scene: Scene) -> Told:
        """Score that money went straight back."""
        rules = scene.rules.brushing
        order = self.orders.by_id.get(refund.order_id)
        quick_ms = rules.quick_refund_minutes * MINUTE_MS
        if order is None or scene.ts_ms - order.ts_ms >= quick_ms:
            return NOTHING
        return self._refund_decided(order, scene, rules, quick=True)

    def kept(self, kept: Kept, scene: Scene) -> Told:
        """Score that money did not go straight back."""
        order = self.orders.by_id.get(kept.order_id)
        if order is None:
            return NOTHING
        return self._refund_decided(order, scene, scene.rules.brushing, quick=False)

    def _refund_decided(
        self, order: ScoredOrder, scene: Scene, rules: BrushingRules, *, quick: bool
    ) -> Told:
        if order.quick_refund is not None or not rules.quick_refund.enabled:
            return NOTHING
        order.quick_refund = quick
        self._shares.take({"quick_refund": quick})
        return self._take(order, {"quick_refund": quick}, scene, rules)

    def _take(
        self, order: ScoredOrder, signs: dict[str, bool], scene: Scene, rules: BrushingRules
    ) -> Told:
        ts_ms = scene.ts_ms
        decay_ms = rules.decay_minutes * MINUTE_MS
        evidence = False
        common = self._common.signs
        for sign, is_set in signs.items():
            cell = self._cells.by_sign[sign]
            if sign in common:
                cell.value = 0.0  # also what it gathered before that was known
                continue
            if is_set or cell.value:
                weight = self._base.weight(sign, rules, is_set=is_set)
                cell.add(weight, ts_ms, decay_ms, is_set=is_set)
            else:  # nearly always: its weight, below 0, would be a quarter of the work
                cell.stay_empty(ts_ms)
            evidence |= is_set
        score = self._cells.score(ts_ms, decay_ms)
        if score < rules.review and self.incident is None:
            for sign, is_set in signs.items():
                self._base.learn(sign, is_set=is_set)
            return NOTHING
        return self._judge(order, score, scene, rules, evidence=evidence)

    def _judge(
        self,
        order: ScoredOrder,
        score: float,
        scene: Scene,
        rules: BrushingRules,
        *,
        evidence: bool,
    ) -> Told:
        ts_ms = scene.ts_ms
        strong = self._cells.strong(ts_ms, rules)
        incident = self.incident
        paged = incident is not None and incident.severity == "page"
        severity: Severity | None = "page" if paged else self._tier(score, strong, rules)
        if incident is None:
            if severity is None:
                return NOTHING
            since_ms = min(self._cells.by_sign[sign].since_ms for sign in strong)
            incident = Incident(self.alert_kind, since_ms, rules.review)
            self.incidents.open[OF_THE_ROOM] = incident
            incident.quiet_from_ms = ts_ms
        if evidence and self._carries(order, strong, rules):
            incident.quiet_from_ms = max(incident.quiet_from_ms, ts_ms)
            if incident.severity == "page":
                self._mark(order)
        if severity == "page" and incident.severity != "page":
            incident.threshold = rules.page
        is_news = self._is_news(incident, severity, score, strong, scene, rules)
        return (incident,) if is_news else NOTHING

    def _tier(self, score: float, strong: list[str], rules: BrushingRules) -> Severity | None:
        """Review: two signs met in the same orders. Page: signs of two families did.

        A dormitory that orders together and a few quick refunds are two causes as well, but not of
        the same orders.
        """
        if score < rules.review or len(strong) < 2:  # noqa: PLR2004 - one sign meets no other
            return None
        met = self._meeting(strong, rules)
        least = rules.times_chance
        if score >= rules.page and met.of_families.counts(rules.page_meeting_orders, least):
            return "page"
        return "review" if met.of_signs.counts(rules.review_meeting_orders, least) else None

    def _meeting(self, strong: list[str], rules: BrushingRules) -> Meeting:
        """How often strong signs met in the last orders."""
        since_ms = min(self._cells.by_sign[sign].since_ms for sign in strong)
        recent = islice(reversed(self.orders.recent), _LOOKED_AT)
        within = takewhile(lambda order: order.ts_ms >= since_ms, recent)
        signs = (self.orders.signs(order, rules) for order in within)
        return meeting(signs, {sign: self._base.base(sign, rules) for sign in strong})

    def _is_news(
        self,
        incident: Incident,
        severity: Severity | None,
        score: float,
        strong: list[str],
        scene: Scene,
        rules: BrushingRules,
    ) -> bool:
        """Whether the incident has to be told (again): new, graver, or twice the evidence."""
        graver = severity == "page" and incident.severity != "page"
        if incident.version and not graver and score < 2 * incident.told_score:
            return False
        if incident.version == 0 or graver:
            incident.severity = severity or "review"
        if incident.severity == "page":
            self._mark_all(strong, rules)
        signs = [self._evidence(sign, scene.ts_ms, rules) for sign in strong]
        incident.tell(
            score=score,
            ts_ms=scene.ts_ms,
            money_minor=sum(each.amount_minor for each in self.orders.recent if each.suspected),
            signs=signs,
            summary=brushing_sentence(signs, scene.room_id),
        )
        return True

    def _evidence(self, sign: str, ts_ms: int, rules: BrushingRules) -> Sign:
        cell = self._cells.by_sign[sign]
        with_sign = [
            order.order_id
            for order in self.orders.recent
            if order.ts_ms >= cell.since_ms and self.orders.signs(order, rules).get(sign)
        ]
        weight = cell.at(ts_ms, rules.decay_minutes * MINUTE_MS)
        base = self._base.base(sign, rules)
        return Sign(sign, cell.seen, cell.of, base, weight, with_sign[-_SHOWN_ORDERS:])

    def _carries(self, order: ScoredOrder, strong: list[str], rules: BrushingRules) -> bool:
        """Whether an order carries the strong evidence itself."""
        signs = self.orders.signs(order, rules)
        weights = [
            self._base.weight(sign, rules, is_set=signs[sign]) for sign in strong if sign in signs
        ]
        return sum(weights) >= rules.mark

    def _mark_all(self, strong: list[str], rules: BrushingRules) -> None:
        """Suspect the orders that brought the evidence together."""
        since_ms = min((self._cells.by_sign[sign].since_ms for sign in strong), default=0)
        for order in list(self.orders.recent):
            if order.ts_ms >= since_ms and self._carries(order, strong, rules):
                self._mark(order)

    def _mark(self, order: ScoredOrder) -> None:
        if not order.suspected:
            order.suspected = True
            self.suspected.append(order)

    def take_suspected(self) -> list[ScoredOrder]:
        """The orders that have become suspected since this was last asked."""
        suspected, self.suspected = self.suspected, []
        return suspected

    def settle(self, watermark_ms: int, rules: RuleSet) -> Told:
        """End the incident if it was quiet for long enough at the watermark."""
        incident = self.incident
        if incident is None:
            return NOTHING
        told_ms = incident.updated_ms
        ended = super().settle(watermark_ms, rules)
        if ended:
            if incident.severity == "page":
                # identities that were shared by few at first are known to be shared by now
                self._mark_all(self._cells.strong(told_ms, rules.brushing), rules.brushing)
            self._cells.clear()
        return ended

    def snapshot(self) -> list[Any]:
        return [*super().snapshot(), self._cells.snapshot(), self._shares.snapshot()]

    def restore(self, state: list[Any]) -> None:
        *general, cells, shares = state
        super().restore(general)
        self._shares.restore(shares)
        self._cells.restore(cells)

    takes: ClassVar = {ScoredOrder: order, Refund: refund, Kept: kept}
