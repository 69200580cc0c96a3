"""Are buyers of a room led to pay outside of the platform?

Buyers who complain of it are the evidence: two of them in an hour, more where a room sells so much
that two would complain anyway. Or one of them, where others cancel before shipping and stay in the
room, and of those who come fewer buy than before while the audience stays: as if they bought
elsewhere. Comments are not read, so nobody saw the hint itself: the alert says that it is weak.

State: the complaints of this kind and the cancellations of the last hour, and the last minutes of
the room. Caps: `payment_complaints` and `cancellations`, the oldest go first; the minutes that the
rules look back, at most a day and four hours.
"""

from collections import deque
from collections.abc import Collection
from itertools import islice, takewhile
from typing import Any, ClassVar, NamedTuple

from schemas.codec import Complaint
from schemas.detector_rules import OffPlatformPaymentRules
from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.facts import Cancelled, Minute
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns
from streams.core.integrity.pace import minute_of
from streams.core.integrity.tails import negative_binomial_tail

_SHOWN_ORDERS = 20
_KIND = "off_platform_payment"
# Most people complain later than within the hour: so much of what was sold in a day is at stake.
_LATER_SHARE = 0.04


class _Said(NamedTuple):
    """A complaint of this kind, or a cancellation of somebody who was in the room or not."""

    ts_ms: int
    buyer_id: str
    order_id: str | None
    is_here: bool = True


class _Past(NamedTuple):
    """A minute of the room."""

    number: int
    online: int
    visits: int
    orders: int


class _Course(NamedTuple):
    """What who comes buys now and bought before, and how many are there.

    Attributes:
        orders, visits: of the last minutes.
        before: orders by visit in the minutes before those.
        online, usual: at the mean, now and before.
    """

    orders: int
    visits: int
    before: float
    online: float
    usual: float

    def has_turned(self, rules: OffPlatformPaymentRules) -> bool:
        """Whether fewer buy while the audience stays."""
        buys_less = self.orders < rules.conversion_share * self.before * self.visits
        return buys_less and self.online > rules.stay_share * self.usual


class OffPlatformPayment(Detector):
    """The signs in one room that its buyers pay elsewhere."""

    section = alert_kind = _KIND
    __slots__ = ("_cancelled", "_complaints", "_past")

    def __init__(self, shared: None, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._complaints: deque[_Said] = deque()
        self._cancelled: deque[_Said] = deque()
        self._past: deque[_Past] = deque()

    def complaint(self, complaint: Complaint, scene: Scene) -> Told:
        """Take an opened complaint of this kind, and look whether it is one too many."""
        if complaint.status != "opened" or complaint.kind != _KIND:
            return NOTHING
        said = _Said(scene.ts_ms, complaint.buyer_id, complaint.order_id)
        self._take(self._complaints, "payment_complaints", said)
        return self._judge(scene)

    def cancelled(self, cancelled: Cancelled, scene: Scene) -> Told:
        """Take a cancellation, which speaks only beside a complaint."""
        said = _Said(scene.ts_ms, cancelled.buyer_id, cancelled.order_id, cancelled.is_here)
        self._take(self._cancelled, "cancellations", said)
        return self._judge(scene)

    def minute(self, minute: Minute, scene: Scene) -> Told:
        """Take a minute of the room; in it the conversion may have turned."""
        rules, past = scene.rules.off_platform_payment, self._past
        past.append(_Past(minute_of(scene.ts_ms) - 1, minute.online, minute.visits, minute.orders))
        first = past[-1].number - rules.base_minutes - rules.conversion_minutes
        while past[0].number <= first:
            past.popleft()
        return self._judge(scene)

    def _take(self, held: deque[_Said], cap: str, said: _Said) -> None:
        held.append(said)
        if len(held) > limits.cap(cap):
            held.popleft()
            self.evictions.count(cap)

    def _judge(self, scene: Scene) -> Told:
        if not self._complaints:
            return NOTHING
        rules = scene.rules.off_platform_payment
        before_ms = scene.ts_ms - rules.window_minutes * MINUTE_MS
        for held in (self._complaints, self._cancelled):
            while held and held[0].ts_ms <= before_ms:
                held.popleft()
        complaining = len({each.buyer_id for each in self._complaints})
        course = self._course(rules)
        score = complaining
        if complaining and course is not None and course.has_turned(rules):
            score += len(self._staying()) // rules.cancelling_buyers
        is_enough = score >= rules.complaints and (
            score > complaining or self._is_unlikely(complaining, scene, rules)
        )
        if not is_enough:
            return NOTHING
        newest_ms = max(held[-1].ts_ms for held in (self._complaints, self._cancelled) if held)
        if not self.incidents.noticed(score, newest_ms):
            return NOTHING
        return self.incidents.tell(self._finding(score, course, scene, rules), scene.ts_ms)

    def _staying(self) -> Collection[str]:
        """Who cancelled and was in the room then."""
        return {each.buyer_id for each in self._cancelled if each.is_here}

    def _course(self, rules: OffPlatformPaymentRules) -> _Course | None:
        """How the room goes now against before; None where too little is known."""
        past = self._past
        if not past:
            return None
        first = past[-1].number - rules.conversion_minutes
        base = list(takewhile(lambda each: each.number <= first, past))
        orders = sum(each.orders for each in base)
        visits = sum(each.visits for each in base)
        if not base or first - base[0].number + 1 < rules.known_minutes:
            return None
        if orders < rules.base_orders or not visits:
            return None
        now = list(islice(past, len(base), None))
        return _Course(
            sum(each.orders for each in now),
            sum(each.visits for each in now),
            orders / visits,
            sum(each.online for each in now) / len(now),
            sum(each.online for each in base) / len(base),
        )

    def _is_unlikely(self, complaining: int, scene: Scene, rules: OffPlatformPaymentRules) -> bool:
        """Whether so many would hardly complain by themselves."""
        expected = rules.usual_complaints * self._at_stake(scene.ts_ms, rules)
        return negative_binomial_tail(complaining, expected, rules.dispersion) <= rules.tail

    def _at_stake(self, ts_ms: int, rules: OffPlatformPaymentRules) -> float:
        """Orders that may be complained of: the recent ones, and a part of those of a day."""
        since_ms = ts_ms - rules.window_minutes * MINUTE_MS
        recent = self.orders.recent
        lately = sum(1 for _ in takewhile(lambda order: order.ts_ms > since_ms, reversed(recent)))
        return lately + _LATER_SHARE * len(recent)

    def _finding(
        self, score: int, course: _Course | None, scene: Scene, rules: OffPlatformPaymentRules
    ) -> Finding:
        complaining = len({each.buyer_id for each in self._complaints})
        said = [
            f"{complaining} buyers complained of it in {rules.window_minutes} minutes",
            f"{len(self._staying())} of the {len(self._cancelled)} who cancelled stayed",
        ]
        if course is not None:
            said.append(
                f"per 100 visits {100 * course.orders / max(1, course.visits):.1f} orders came"
                f" in the last {rules.conversion_minutes} minutes and {100 * course.before:.1f}"
                f" before, with {course.online / max(1.0, course.usual):.0%} of the audience there"
            )
        order_ids = [
            each.order_id
            for each in (*self._complaints, *self._cancelled)
            if each.order_id is not None and each.is_here
        ]
        known = self.orders.by_id
        return Finding(
            score=score,
            threshold=rules.complaints,
            since_ms=self._complaints[0].ts_ms,
            summary=(
                f"Suspected off-platform payment in room {scene.room_id}: {'; '.join(said)}. Weak:"
                " comments are not read, so nobody saw the hint itself."
            ),
            signs=self._signs(course, scene, rules),
            money_minor=sum(
                known[id_].amount_minor for id_ in dict.fromkeys(order_ids) if id_ in known
            ),
        )

    def _signs(
        self, course: _Course | None, scene: Scene, rules: OffPlatformPaymentRules
    ) -> list[Sign]:
        buyers = {each.buyer_id: each.order_id for each in self._complaints}
        staying = [each for each in self._cancelled if each.is_here]
        at_stake = max(len(buyers), round(self._at_stake(scene.ts_ms, rules)))
        signs = [
            Sign(
                "buyers_complaining",
                len(buyers),
                at_stake,
                rules.usual_complaints,
                len(buyers),
                [id_ for id_ in buyers.values() if id_ is not None][-_SHOWN_ORDERS:],
            ),
            Sign(
                "cancelled_and_stayed",
                len(staying),
                len(self._cancelled),
                0.0,
                len(self._staying()) / rules.cancelling_buyers,
                [each.order_id for each in staying if each.order_id is not None][-_SHOWN_ORDERS:],
            ),
        ]
        if course is not None:
            weight = float(course.has_turned(rules))
            signs += [
                Sign("orders_per_visit", course.orders, course.visits, course.before, weight, []),
                Sign("audience", round(course.online), round(course.usual), 1.0, weight, []),
            ]
        return signs

    def settle(self, watermark_ms: int, rules: RuleSet) -> Told:
        """End a quiet incident; what is said later starts another one."""
        ended = super().settle(watermark_ms, rules)
        if ended:
            self._complaints.clear()
            self._cancelled.clear()
        return ended

    def snapshot(self) -> list[Any]:
        return [
            *super().snapshot(),
            *([list(each) for each in held] for held in (self._complaints, self._cancelled)),
            [list(each) for each in self._past],
        ]

    def restore(self, state: list[Any]) -> None:
        *general, complaints, cancelled, past = state
        super().restore(general)
        self._complaints = deque(_Said(*parts) for parts in complaints)
        self._cancelled = deque(_Said(*parts) for parts in cancelled)
        self._past = deque(_Past(*parts) for parts in past)

    takes: ClassVar = {Complaint: complaint, Cancelled: cancelled, Minute: minute}
