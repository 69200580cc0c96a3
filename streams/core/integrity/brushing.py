"""Are orders of a room brushed? Evidence from many weak signs, two families of it for a page.

Each order, when its turn in event time comes, adds the weight of each of its signs to that sign's
cell (`cells`). A room is under review when its score reaches `review` and two signs are strong; it
is paged when the score reaches `page` and strong signs come from two families, that is, from two
independent causes. Then orders that carry the evidence themselves are suspected, those before the
alert too, and come off trusted GMV.

The base rates learn from rooms below the review score only: who attacks cannot teach that the
attack is normal.

State: cells and recent orders of the room, the open incident. Nothing here decides by wall time.
"""

import math
from itertools import islice
from typing import Any

from schemas.rules import BrushingRules
from streams.core import limits
from streams.core.integrity.cells import Cells
from streams.core.integrity.common_signs import CommonSigns, RoomShares
from streams.core.integrity.incident import Incident, Severity, Sign
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.integrity.signs import FAMILIES, BaseRates

_MINUTE_MS = 60_000
_SHOWN_ORDERS = 20
_TIMES_CHANCE = 3.0
_LOOKED_AT = 200  # orders that are searched for families that meet: bounds the work of a page


class Brushing:
    """The suspicion of brushed orders in one room.

    Attributes:
        suspected: orders that have become suspected since they were last taken.
    """

    __slots__ = ("_base", "_cells", "_common", "shares", "incident", "orders", "suspected")

    def __init__(self, base: BaseRates, common: CommonSigns, evictions: limits.Evictions) -> None:
        self._base = base
        self._common = common
        self.shares = RoomShares()
        self._cells = Cells()
        self.orders = OrderSigns(evictions)
        self.incident: Incident | None = None
        self.suspected: list[ScoredOrder] = []

    def order(self, order: ScoredOrder, rules: BrushingRules) -> Incident | None:
        """Score the next order in event time; the incident if it has something new to say."""
        self.orders.add(order)
        signs = self.orders.signs(order, rules)
        self.shares.take(signs)
        return self._take(order, signs, order.ts_ms, rules)

    def refund_decided(
        self, order_id: str, ts_ms: int, rules: BrushingRules, *, quick: bool
    ) -> Incident | None:
        """Score whether money went straight back, once that is known of an order."""
        order = self.orders.by_id.get(order_id)
        if order is None or order.quick_refund is not None:
            return None
        order.quick_refund = quick
        self.shares.take({"quick_refund": quick})
        return self._take(order, {"quick_refund": quick}, ts_ms, rules)

    def _take(
        self, order: ScoredOrder, signs: dict[str, bool], ts_ms: int, rules: BrushingRules
    ) -> Incident | None:
        decay_ms = rules.decay_minutes * _MINUTE_MS
        evidence = False
        common = self._common.now
        for sign, is_set in signs.items():
            cell = self._cells.by_sign[sign]
            if sign in common:
                cell.value = 0.0
            elif is_set or cell.value:
                weight = self._base.weight(sign, rules, is_set=is_set)
                cell.add(weight, ts_ms, decay_ms, is_set=is_set)
            else:  # nearly always: its weight, below 0, would be a quarter of the work
                cell.stay_empty(ts_ms)
            evidence |= is_set
        score = self._cells.score(ts_ms, decay_ms)
        if score < rules.review and self.incident is None:
            for sign, is_set in signs.items():
                self._base.learn(sign, is_set=is_set)
            return None
        return self._judge(order, score, ts_ms, rules, evidence=evidence)

    def _judge(
        self, order: ScoredOrder, score: float, ts_ms: int, rules: BrushingRules, *, evidence: bool
    ) -> Incident | None:
        strong = self._cells.strong(ts_ms, rules)
        incident = self.incident
        paged = incident is not None and incident.severity == "page"
        severity: Severity | None = "page" if paged else self._tier(score, strong, rules)
        if incident is None:
            if severity is None:
                return None
            since_ms = min(self._cells.by_sign[sign].since_ms for sign in strong)
            incident = self.incident = Incident("brushed_orders", since_ms, rules.review)
            incident.quiet_from_ms = ts_ms
        if evidence and self._carries(order, strong, rules):
            incident.quiet_from_ms = max(incident.quiet_from_ms, ts_ms)
            if incident.severity == "page":
                self._mark(order)
        if severity == "page" and incident.severity != "page":
            incident.threshold = rules.page
        return incident if self._is_news(incident, severity, score, strong, ts_ms, rules) else None

    def _tier(self, score: float, strong: list[str], rules: BrushingRules) -> Severity | None:
        """Review: two signs met in the same orders. Page: signs of two families did.

        A dormitory that orders together and a few quick refunds are two causes as well, but not of
        the same orders.
        """
        if score < rules.review or len(strong) < 2:  # noqa: PLR2004 - one sign meets no other
            return None
        signs, families, by_chance = self._meeting(strong, rules)
        if score >= rules.page and families >= max(rules.page_meeting_orders, by_chance[1]):
            return "page"
        return "review" if signs >= max(rules.review_meeting_orders, by_chance[0]) else None

    def _meeting(self, strong: list[str], rules: BrushingRules) -> tuple[int, int, tuple[float, float]]:
        """How many of the last orders have two strong signs at once, and of two families."""
        since_ms = min(self._cells.by_sign[sign].since_ms for sign in strong)
        of_signs = of_families = carriers = 0
        for order in islice(reversed(self.orders.recent), _LOOKED_AT):
            if order.ts_ms < since_ms:
                break
            signs = self.orders.signs(order, rules)
            met = [sign for sign in strong if signs.get(sign)]
            carriers += bool(met)
            of_signs += len(met) > 1
            of_families += len({FAMILIES[sign] for sign in met}) > 1
        first, *others = strong
        base = {sign: self._base.base(sign, rules) for sign in others}
        any_other = 1 - math.prod(1 - share for share in base.values())
        apart = [share for sign, share in base.items() if FAMILIES[sign] != FAMILIES[first]]
        other_family = 1 - math.prod(1 - share for share in apart)
        times = _TIMES_CHANCE * carriers
        return of_signs, of_families, (times * any_other, times * other_family)

    def _is_news(
        self,
        incident: Incident,
        severity: Severity | None,
        score: float,
        strong: list[str],
        ts_ms: int,
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
        incident.tell(
            score=score,
            ts_ms=ts_ms,
            money_minor=sum(each.amount_minor for each in self.orders.recent if each.suspected),
            signs=[self._evidence(sign, ts_ms, rules) for sign in strong],
        )
        return True

    def _evidence(self, sign: str, ts_ms: int, rules: BrushingRules) -> Sign:
        cell = self._cells.by_sign[sign]
        with_sign = [
            order.order_id
            for order in self.orders.recent
            if order.ts_ms >= cell.since_ms and self.orders.signs(order, rules).get(sign)
        ]
        weight = cell.at(ts_ms, rules.decay_minutes * _MINUTE_MS)
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

    def settle(self, watermark_ms: int, rules: BrushingRules) -> Incident | None:
        """End the incident if it was quiet for long enough at the watermark."""
        incident = self.incident
        if incident is None:
            return None
        ends_ms = incident.quiet_from_ms + rules.quiet_minutes * _MINUTE_MS
        if watermark_ms < ends_ms:
            return None
        if incident.severity == "page":
            # identities that were shared by few at first are known to be shared by now
            self._mark_all(self._cells.strong(incident.updated_ms, rules), rules)
        self.incident = None
        self._cells.clear()
        incident.resolve(ends_ms)
        return incident

    def snapshot(self) -> list[Any]:
        incident = self.incident.snapshot() if self.incident else None
        return [self._cells.snapshot(), self.orders.snapshot(), incident]

    def restore(self, state: list[Any]) -> None:
        cells, orders, incident = state
        self._cells.restore(cells)
        self.orders.restore(orders)
        self.incident = Incident.restored(incident) if incident else None
