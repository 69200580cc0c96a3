"""Do too many buyers of a room complain at once?

Complaints opened in the last hour, held against the orders they may be about: those of the last
hour, and a small part of all that the room sold in the last day, for most people complain later.
Complaints have causes in common, so the tail is over-dispersed (`streams.core.integrity.tails`).
What is normal is learned by category; when everybody complains, the room is innocent.

State: the complaints of the last hour. Cap: `recent_complaints`; the oldest go first.
"""

import math
from collections import deque
from itertools import takewhile
from typing import Any, ClassVar, NamedTuple

from schemas.codec import Complaint
from schemas.detector_rules import ComplaintSurgeRules
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder
from streams.core.integrity.shares import Counts, Shares
from streams.core.integrity.tails import beta_binomial_tail

_SHOWN_ORDERS = 20
_LEAST_TAIL = 1e-300


class _Opened(NamedTuple):
    """A complaint of the last hour."""

    ts_ms: int
    buyer_id: str
    kind: str
    order_id: str | None


class ComplaintSurge(Detector):
    """The complaints of one room in the last hour."""

    section = alert_kind = "complaint_surge"
    shared = Shares
    __slots__ = ("_is_calm", "_recent", "_shares")

    def __init__(self, shared: Shares, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._shares = shared
        self._recent: deque[_Opened] = deque()
        self._is_calm = True  # half way to an alert, a room no longer teaches what is normal

    def order(self, _order: ScoredOrder, scene: Scene) -> Told:
        """An order may be complained of."""
        window_ms = scene.rules.complaint_surge.window_minutes * MINUTE_MS
        self._shares.forget(scene.ts_ms - window_ms)
        self._shares.happened(scene.category, scene.ts_ms, 1, 0)
        if self._is_calm:
            self._shares.learn(scene.category, 1, 0)
        return NOTHING

    def complaint(self, complaint: Complaint, scene: Scene) -> Told:
        """Take an opened complaint, and look whether it is one too many."""
        if complaint.status != "opened":
            return NOTHING
        rules = scene.rules.complaint_surge
        self._forget(scene, rules)
        self._recent.append(
            _Opened(scene.ts_ms, complaint.buyer_id, complaint.kind, complaint.order_id)
        )
        self._shares.happened(scene.category, scene.ts_ms, 0, 1)
        buyers = len({each.buyer_id for each in self._recent})
        if len(self._recent) < rules.complaints or buyers < rules.buyers:
            self._is_calm = True
            return NOTHING
        return self._judge(buyers, scene, rules)

    def _judge(self, buyers: int, scene: Scene, rules: ComplaintSurgeRules) -> Told:
        of = self._orders_at_stake(scene.ts_ms, rules)
        normal = self._normal(scene, rules)
        tail = beta_binomial_tail(buyers, max(of, buyers), normal, rules.correlation)
        self._is_calm = tail > math.sqrt(rules.tail)
        score = -math.log10(max(_LEAST_TAIL, tail))
        if tail > rules.tail or not self.incidents.noticed(score, scene.ts_ms):
            return NOTHING
        kinds = sorted({each.kind for each in self._recent})
        order_ids = [each.order_id for each in self._recent if each.order_id is not None]
        finding = Finding(
            score=score,
            threshold=-math.log10(rules.tail),
            since_ms=self._recent[0].ts_ms,
            summary=(
                f"Suspected complaint surge in room {scene.room_id}: {len(self._recent)} complaints"
                f" of {buyers} buyers in {rules.window_minutes} minutes, where {of} orders are at"
                f" stake (normal: {normal:.2%}); about {', '.join(kinds)}."
            ),
            signs=[
                Sign(
                    "complaining_buyers",
                    buyers,
                    max(of, buyers),
                    normal,
                    score,
                    order_ids[-_SHOWN_ORDERS:],
                )
            ],
            money_minor=self._money_of(order_ids),
        )
        return self.incidents.tell(finding, scene.ts_ms)

    def _orders_at_stake(self, ts_ms: int, rules: ComplaintSurgeRules) -> int:
        since_ms = ts_ms - rules.window_minutes * MINUTE_MS
        recent = self.orders.recent
        lately = sum(1 for _ in takewhile(lambda order: order.ts_ms > since_ms, reversed(recent)))
        later = rules.later_share * rules.window_minutes / 60
        return lately + int(later * len(recent))

    def _normal(self, scene: Scene, rules: ComplaintSurgeRules) -> float:
        """The share of orders that are normally complained of, for all right now."""
        shares = self._shares

        def share_of(category: str | None) -> float:
            return shares.share(category, rules.usual_complaints, rules.prior_orders)

        own = Counts(self._orders_at_stake(scene.ts_ms, rules), len(self._recent))
        return share_of(scene.category) * shares.excess(share_of, scene.category, own)

    def _money_of(self, order_ids: list[str]) -> int:
        known = self.orders.by_id
        return sum(known[id_].amount_minor for id_ in dict.fromkeys(order_ids) if id_ in known)

    def _forget(self, scene: Scene, rules: ComplaintSurgeRules) -> None:
        """Let complaints go that are older than the window.

        They are learned only then: a wave must not teach that it is normal while it is judged.
        """
        before_ms = scene.ts_ms - rules.window_minutes * MINUTE_MS
        recent = self._recent
        while recent and recent[0].ts_ms <= before_ms:
            recent.popleft()
            if self._is_calm:
                self._shares.learn(scene.category, 0, 1)
        if len(recent) >= limits.cap("recent_complaints"):
            recent.popleft()
            self.evictions.count("recent_complaints")
        self._shares.forget(before_ms)

    def snapshot(self) -> list[Any]:
        return [*super().snapshot(), self._is_calm, [list(each) for each in self._recent]]

    def restore(self, state: list[Any]) -> None:
        *general, self._is_calm, recent = state
        super().restore(general)
        self._recent = deque(_Opened(*parts) for parts in recent)

    takes: ClassVar = {ScoredOrder: order, Complaint: complaint}
