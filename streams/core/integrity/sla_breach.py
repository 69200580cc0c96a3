"""Are complaints of a room left without an answer beyond the service level?

From the opening of a complaint on there is a deadline for its first reply and one for its solution,
by the rules in force then (`after_sales`). An answer by a stamp not after the deadline is in time;
without one, the level is breached (`streams.core.after_sales` counts the same for the files). Who
answers for it is the party that its events name, else the one of its kind.

State: the complaints that are waited for, what was breached since the incident began. Cap:
`awaited_complaints`; the one opened first goes, and is not judged.
"""

from typing import Any, ClassVar, Final

from schemas.codec import Complaint
from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.facts import Due
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns

_SHOWN_ORDERS = 20
# What a state of a complaint answers, and the words for it.
_LEVELS: Final = {"replied": "first_reply", "resolved": "resolution"}
_WORDS: Final = {"first_reply": "a first reply", "resolution": "a solution"}


class _Awaited:
    """A complaint that is waited for.

    Attributes:
        left: the deadlines of the levels that are neither answered nor judged.
    """

    __slots__ = ("left", "opened_ms", "order_id", "party")

    def __init__(
        self, opened_ms: int, party: str, order_id: str | None, left: dict[str, int]
    ) -> None:
        self.opened_ms = opened_ms
        self.party = party
        self.order_id = order_id
        self.left = left

    def snapshot(self) -> list[Any]:
        return [self.opened_ms, self.party, self.order_id, self.left]


class SlaBreach(Detector):
    """The complaints of one room that wait for an answer."""

    section = alert_kind = "sla_breach"
    __slots__ = ("_awaited", "_breaches", "_judged", "_order_ids", "_parties")

    def __init__(self, shared: None, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._awaited: dict[str, _Awaited] = {}
        self._forget_breaches()

    def _forget_breaches(self) -> None:
        self._breaches = dict.fromkeys(_WORDS, 0)
        self._judged = dict.fromkeys(_WORDS, 0)
        self._parties: dict[str, int] = {}
        self._order_ids: list[str] = []

    def complaint(self, complaint: Complaint, scene: Scene) -> Told:
        """Take what becomes of a complaint."""
        awaited = self._awaited.get(complaint.complaint_id)
        if complaint.status == "opened":
            if awaited is None:
                self._await(complaint, scene)
        elif awaited is not None:
            awaited.party = complaint.party or awaited.party
            level = _LEVELS[complaint.status]
            if scene.ts_ms <= awaited.left.get(level, 0):
                self._judged[level] += 1
                self._settle_level(complaint.complaint_id, awaited, level)
        return NOTHING

    def _await(self, complaint: Complaint, scene: Scene) -> None:
        rules, id_ = scene.rules.after_sales, complaint.complaint_id
        party = complaint.party or getattr(rules.complaint_party, complaint.kind)
        minutes = (rules.first_reply_minutes, rules.resolution_minutes)
        deadlines = {
            level: scene.ts_ms + limit * MINUTE_MS
            for level, limit in zip(_WORDS, minutes, strict=True)
        }
        awaited = self._awaited
        awaited[id_] = _Awaited(scene.ts_ms, party, complaint.order_id, deadlines)
        for level, due_ms in deadlines.items():
            scene.later(scene.room_id, due_ms + 1, f"{level} {id_}", Due(id_, level))
        if len(awaited) > limits.cap("awaited_complaints"):
            self.evictions.give_up_oldest(
                "awaited_complaints", awaited, lambda each: (awaited[each].opened_ms, each)
            )

    def due(self, due: Due, scene: Scene) -> Told:
        """Judge a level whose deadline has passed."""
        awaited = self._awaited.get(due.complaint_id)
        if awaited is None or due.level not in awaited.left:
            return NOTHING
        self._judged[due.level] += 1
        self._breaches[due.level] += 1
        self._parties[awaited.party] = self._parties.get(awaited.party, 0) + 1
        if awaited.order_id is not None:
            self._order_ids = [*self._order_ids, awaited.order_id][-_SHOWN_ORDERS:]
        self._settle_level(due.complaint_id, awaited, due.level)
        score = sum(self._breaches.values())
        if not self.incidents.noticed(score, scene.ts_ms):
            return NOTHING
        return self.incidents.tell(self._finding(score, scene), scene.ts_ms)

    def _settle_level(self, complaint_id: str, awaited: _Awaited, level: str) -> None:
        del awaited.left[level]
        if not awaited.left:
            del self._awaited[complaint_id]

    def _finding(self, score: int, scene: Scene) -> Finding:
        missed = " and ".join(
            f"{count} without {_WORDS[level]}" for level, count in self._breaches.items() if count
        )
        parties = ", ".join(f"{party} {count}" for party, count in sorted(self._parties.items()))
        return Finding(
            score=score,
            threshold=1,
            since_ms=scene.ts_ms,
            summary=(
                f"Service level missed in room {scene.room_id}: complaints past their deadline,"
                f" {missed}. Who answers: {parties}."
            ),
            signs=[
                Sign(f"{level}_breaches", count, self._judged[level], 0.0, count, self._order_ids)
                for level, count in self._breaches.items()
                if count
            ],
        )

    def settle(self, watermark_ms: int, rules: RuleSet) -> Told:
        """End a quiet incident; what is breached later starts another one."""
        ended = super().settle(watermark_ms, rules)
        if ended:
            self._forget_breaches()
        return ended

    def snapshot(self) -> list[Any]:
        return [
            *super().snapshot(),
            [[id_, each.snapshot()] for id_, each in self._awaited.items()],
            self._breaches,
            self._judged,
            self._parties,
            self._order_ids,
        ]

    def restore(self, state: list[Any]) -> None:
        *general, awaited, self._breaches, self._judged, self._parties, self._order_ids = state
        super().restore(general)
        self._awaited = {id_: _Awaited(*saved) for id_, saved in awaited}

    takes: ClassVar = {Complaint: complaint, Due: due}
