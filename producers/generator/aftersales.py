"""What comes back after a sale: refunds and complaints of one room.

Most refunds of real shops come days later, so a session sees only the first hours of them; what
would arrive after its end is left out, not squeezed in.
"""

from random import Random
from typing import Protocol

from producers.generator import parameters as p
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.sales import Sale
from producers.generator.truth import RoomTruth
from schemas import codec
from schemas.events import ComplaintKind, ComplaintStatus, Party, RefundReason

HOUR_MS = 60 * MINUTE_MS
_MEDIAN_LATE_HOURS = 260.0  # so that the median of all refunds is 9 days
_QUICK_REASONS: tuple[RefundReason, ...] = (
    "cancelled",
    "cancelled",
    "cancelled",
    "changed_mind",
    "price",
)
_REASONS: tuple[RefundReason, ...] = (
    "changed_mind",
    "changed_mind",
    "not_as_described",
    "quality",
    "wrong_item",
    "other",
)
_KINDS: tuple[ComplaintKind, ...] = (
    "quality",
    "quality",
    "delivery",
    "false_advertising",
    "price_fraud",
    "other",
)
_PARTY: dict[ComplaintKind, Party] = {
    "quality": "merchant",
    "delivery": "platform",
    "false_advertising": "host",
}
_LONGEST_REPLY_MS = 40 * MINUTE_MS
_LONGEST_SOLUTION_MS = 80 * MINUTE_MS


class _Room(Protocol):
    """What after-sales need of their room."""

    plan: RoomPlan
    random: Random
    figures: RoomTruth
    end_ms: int

    def event_id(self) -> str: ...

    def delay_ms(self) -> int: ...

    def can_hold(self, arrival_ms: int) -> bool: ...

    def schedule(self, arrival_ms: int, record: bytes) -> None: ...


class AfterSales:
    """Refunds and complaints of one room; overlays may plant their own through it."""

    def __init__(self, room: _Room) -> None:
        self._room = room
        self._refunds = self._complaints = 0

    def follow(self, sale: Sale) -> None:
        """Draw what a natural sale leads to."""
        random = self._room.random
        if random.random() < sale.goods.refund_rate and sale.amount_minor:
            delay_ms = _refund_delay_ms(random)
            quick = delay_ms < HOUR_MS
            whole = quick or random.random() < 0.85  # noqa: PLR2004 - some send back a part
            amount_minor = sale.amount_minor if whole else max(1, sale.amount_minor // 2)
            ts_ms = sale.ts_ms + delay_ms
            arrival_ms = ts_ms + self._room.delay_ms()
            if self._room.can_hold(arrival_ms):
                reason = random.choice(_QUICK_REASONS if quick else _REASONS)
                self.refund(sale, amount_minor, ts_ms, arrival_ms, reason=reason)
        self.maybe_complain(sale)

    def send_back(self, sale: Sale, amount_minor: int) -> None:
        """Refund a sale for sure: when it would be natural, or as soon as the session ends."""
        room = self._room
        random = room.random
        left_ms = room.end_ms - sale.ts_ms - 2 * MINUTE_MS
        delay_ms = _refund_delay_ms(random)
        if delay_ms >= left_ms:
            delay_ms = MINUTE_MS + int(random.random() * (left_ms - MINUTE_MS))
        quick = delay_ms < HOUR_MS
        ts_ms = sale.ts_ms + delay_ms
        reason = random.choice(_QUICK_REASONS if quick else _REASONS)
        self.refund(sale, amount_minor, ts_ms, ts_ms + room.delay_ms(), reason=reason)

    def maybe_complain(self, sale: Sale) -> None:
        """Draw whether a natural sale is complained about."""
        random = self._room.random
        if random.random() < p.COMPLAINT_SHARE:
            ts_ms = sale.ts_ms + int(random.lognormvariate(0, 1.2) * 24 * HOUR_MS)
            self.complain(sale.buyer_id, ts_ms, sale=sale)

    def earlier_shows(self, count: int, product_id: str, buyer_ids: list[str]) -> None:
        """Complaints, during this show, about what earlier shows of the host sold."""
        plan, random = self._room.plan, self._room.random
        for number in range(count):
            open_for_ms = (plan.close_ms - plan.open_ms) // 2
            ts_ms = plan.open_ms + 5 * MINUTE_MS + int(random.random() * open_for_ms)
            self.complain(buyer_ids[number], ts_ms, product_id=product_id)

    def refund(
        self,
        sale: Sale,
        amount_minor: int,
        ts_ms: int,
        arrival_ms: int,
        *,
        reason: RefundReason,
        counted_minor: int | None = None,
    ) -> bytes:
        """Ask for money back.

        Args:
            sale: the order it is for.
            amount_minor: what is asked for.
            ts_ms: when, event time.
            arrival_ms: when the event arrives.
            reason: one of the contract's reasons.
            counted_minor: what a correct reader accepts, if not all; 0 for a refusal.
        """
        room = self._room
        self._refunds += 1
        record = codec.encode(
            codec.Refund(
                event_id=room.event_id(),
                ts_ms=ts_ms,
                room_id=room.plan.room_id,
                refund_id=f"{room.plan.room_id}-r{self._refunds}",
                order_id=sale.order_id,
                buyer_id=sale.buyer_id,
                product_id=sale.goods.product_id,
                amount_minor=amount_minor,
                ordered_ts_ms=sale.ts_ms,
                reason=reason,
            )
        )
        counted = amount_minor if counted_minor is None else counted_minor
        if counted:
            room.figures.refunds += 1
            room.figures.refunded_minor += counted
        room.schedule(arrival_ms, record)
        return record

    def complain(
        self, buyer_id: str, ts_ms: int, *, sale: Sale | None = None, product_id: str | None = None
    ) -> None:
        """Open a complaint that is replied to and resolved, as far as the session lasts."""
        random = self._room.random
        self._complaints += 1
        complaint_id = f"{self._room.plan.room_id}-c{self._complaints}"
        kind = random.choice(_KINDS)
        reply_ms = int(random.lognormvariate(0, 1) * p.COMPLAINT_REPLY_MINUTES * MINUTE_MS)
        solution_ms = int(random.lognormvariate(0, 1) * p.COMPLAINT_SOLVED_MINUTES * MINUTE_MS)
        replied_ms = ts_ms + min(reply_ms, _LONGEST_REPLY_MS)
        resolved_ms = replied_ms + min(solution_ms, _LONGEST_SOLUTION_MS)
        steps: tuple[tuple[ComplaintStatus, int], ...] = (
            ("opened", ts_ms),
            ("replied", replied_ms),
            ("resolved", resolved_ms),
        )
        for status, at_ms in steps:
            record = self.complaint(
                complaint_id, buyer_id, status, kind, at_ms, sale=sale, product_id=product_id
            )
            arrival_ms = at_ms + self._room.delay_ms()
            if not self._room.can_hold(arrival_ms):
                return
            self._room.figures.complaints_opened += status == "opened"
            self._room.schedule(arrival_ms, record)

    def complaint(
        self,
        complaint_id: str,
        buyer_id: str,
        status: ComplaintStatus,
        kind: ComplaintKind,
        ts_ms: int,
        *,
        sale: Sale | None = None,
        product_id: str | None = None,
    ) -> bytes:
        """The record of one step of a complaint."""
        room = self._room
        return codec.encode(
            codec.Complaint(
                event_id=room.event_id(),
                ts_ms=ts_ms,
                room_id=room.plan.room_id,
                complaint_id=complaint_id,
                buyer_id=buyer_id,
                status=status,
                kind=kind,
                party=_PARTY.get(kind),
                order_id=sale.order_id if sale else None,
                product_id=sale.goods.product_id if sale else product_id,
            )
        )


def _refund_delay_ms(random: Random) -> int:
    luck = random.random()
    if luck < p.REFUND_FIRST_HOUR_SHARE:
        return 2 * MINUTE_MS + int(random.random() * 58 * MINUTE_MS)
    if luck < p.REFUND_FIRST_DAY_SHARE:
        return int((1 + 23 * random.random()) * HOUR_MS)
    hours = random.lognormvariate(0, 1) * _MEDIAN_LATE_HOURS
    return int(max(24.0, hours) * HOUR_MS)
