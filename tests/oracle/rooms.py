"""What are the figures of one room? One separate pass over its accepted steps for each.

Also home of the sums that a slice of a room's steps (all, one product, one merchant) has in
common, which the boards add up.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from statistics import median_high, median_low
from typing import Any, Final

from tests.oracle.contract import Event
from tests.oracle.outcomes import (
    MINUTE_MS,
    PartitionLog,
    Step,
    is_forgotten,
    remembered_order,
)
from tests.oracle.visits import Audience, audience_of

Row = dict[str, Any]

UNPAID_AFTER_MS: Final = 30 * MINUTE_MS
QUALITY_REASONS: Final = ("quality", "not_as_described", "wrong_item")
MEDIANS: Final = ("median_watch_ms", "first_reply_median_ms", "resolution_median_ms")


@dataclass
class Room:
    """The accepted steps of one room and the log of the partition they stand in."""

    room_id: str
    steps: list[Step]
    log: PartitionLog

    @property
    def audience(self) -> Audience:
        return audience_of(self.steps, self.log.watermark_ms)

    @property
    def opening(self) -> Event:
        """The first `room_opened`; an empty event for a room that was never opened."""
        return next((s.event for s in self.steps if s.kind == "room_opened"), {})


def rooms_of(log: PartitionLog) -> list[Room]:
    accepted = [s for s in log.steps if s.is_accepted and s.room_id is not None]
    names = sorted({str(s.room_id) for s in accepted})
    return [Room(name, [s for s in accepted if s.room_id == name], log) for name in names]


def ratio(part: int | None, base: int | None) -> float | None:
    return None if part is None or not base else round(part / base, 4)


def of_kind(steps: Iterable[Step], kind: str, **fields: str) -> list[Step]:
    return [
        s
        for s in steps
        if s.kind == kind and all(s.event.get(name) == value for name, value in fields.items())
    ]


def summary_of(room: Room) -> Row:
    """Return the line of `rooms.ndjson`."""
    opening = room.opening
    closings = of_kind(room.steps, "room_closed")
    row: Row = {"room_id": room.room_id}
    for name in ("host_id", "host_name", "mcn_id", "mode", "category", "currency"):
        row[name] = opening.get(name)
    row["opened_ms"] = opening.get("ts_ms")
    row["closed_ms"] = closings[-1].ts_ms if closings else None
    row["as_of_ms"] = room.log.watermark_ms
    row |= _money(room) | _audience_figures(room) | _counts(room) | _after_sales(room)
    for name, (low_ms, _) in median_bounds_of(room).items():
        row[name] = low_ms
    return row


def _money(room: Room) -> Row:
    orders = of_kind(room.steps, "order")
    refunds = of_kind(room.steps, "refund")
    gross_minor = sum(s.event["amount_minor"] for s in orders)
    refunded_minor = sum(s.money_minor for s in refunds)
    return {
        "orders": len(orders),
        "units": sum(s.event["quantity"] for s in orders),
        "gross_minor": gross_minor,
        "refunds": len(refunds),
        "refunded_minor": refunded_minor,
        "net_minor": gross_minor - refunded_minor,
        "suspected_orders": 0,
        "suspected_minor": 0,
        "trusted_minor": gross_minor - refunded_minor,
        "buyers": len({s.event["buyer_id"] for s in orders}),
    }


def _audience_figures(room: Room) -> Row:
    audience = room.audience
    visits = len(audience.visits)
    watch_ms = sum(v.length_ms for v in audience.visits)
    row: Row = {
        "visits": visits,
        "viewers": len({v.viewer_id for v in audience.visits}),
        "online": len(audience.open),
        "peak_online": audience.peak_online,
        "watch_ms": watch_ms,
        "avg_watch_ms": watch_ms // visits if visits else None,
    }
    for seconds in (30, 60, 300):
        stayed = sum(v.length_ms >= seconds * 1000 for v in audience.ended)
        row[f"stayed_{seconds}s"] = ratio(stayed, len(audience.ended))
    return row


def _counts(room: Room) -> Row:
    actions = Counter(s.event["action"] for s in of_kind(room.steps, "view"))
    row: Row = {
        f"{action}s": actions[action]
        for action in ("comment", "like", "share", "follow", "gift", "click", "cart")
    }
    exposures = of_kind(room.steps, "exposure")
    row["impressions"] = sum(
        s.event["impressions"] for s in exposures if "product_id" not in s.event
    )
    row["product_impressions"] = sum(
        s.event["impressions"] for s in exposures if "product_id" in s.event
    )
    row["checkouts"] = len(of_kind(room.steps, "checkout"))
    row["unpaid_orders"] = sum(_is_unpaid(s, room) for s in of_kind(room.steps, "checkout"))
    return row


def _is_unpaid(checkout: Step, room: Room) -> bool:
    """Judge a checkout by the first later record that sees the watermark 30 minutes past it."""
    steps = room.log.steps
    place = next(index for index, s in enumerate(steps) if s is checkout)
    for judging in range(place + 1, len(steps)):
        watermark_ms = steps[judging].watermark_ms
        if watermark_ms is not None and watermark_ms >= checkout.ts_ms + UNPAID_AFTER_MS:
            before, after = (
                {id(s) for s in part} for part in (steps[:place], steps[place:judging])
            )
            orders = of_kind(room.steps, "order", order_id=checkout.event["order_id"])
            return not any(
                id(s) in after
                or (id(s) in before and not is_forgotten(s.ts_ms, checkout.watermark_ms))
                for s in orders
            )
    return False


def _after_sales(room: Room) -> Row:
    row: Row = {
        f"complaints_{status}": len(of_kind(room.steps, "complaint", status=status))
        for status in ("opened", "replied", "resolved")
    }
    row["quality_refunds"] = sum(
        s.event["reason"] in QUALITY_REASONS for s in of_kind(room.steps, "refund")
    )
    return row


def median_bounds_of(room: Room) -> dict[str, tuple[int | None, int | None]]:
    """Return the lower and upper exact median of each figure that is a median."""
    samples = (
        [v.length_ms for v in room.audience.ended],
        _durations_ms(room, "replied"),
        _durations_ms(room, "resolved"),
    )
    return {
        name: (median_low(sample), median_high(sample)) if sample else (None, None)
        for name, sample in zip(MEDIANS, samples, strict=True)
    }


def _durations_ms(room: Room, status: str) -> list[int]:
    """From the first opening of each complaint to its first `status`, where it came after."""
    complaints = of_kind(room.steps, "complaint")
    durations_ms = []
    for complaint_id in sorted({s.event["complaint_id"] for s in complaints}):
        own = [s for s in complaints if s.event["complaint_id"] == complaint_id]
        statuses = [s.event["status"] for s in own]
        if "opened" not in statuses or status not in statuses:
            continue
        opened, answered = statuses.index("opened"), statuses.index(status)
        if opened < answered:
            durations_ms.append(max(0, own[answered].ts_ms - own[opened].ts_ms))
    return durations_ms


def first_refunds(refunds: list[Step]) -> list[Step]:
    """The refunds of a room that make an order refunded; it is forgotten 24 h past that one."""
    counted: list[Step] = []
    for refund in refunds:
        if not any(
            c.event["order_id"] == refund.event["order_id"]
            and not is_forgotten(c.ts_ms, refund.watermark_ms)
            for c in counted
        ):
            counted.append(refund)
    return counted


def product_sums(steps: list[Step], room_refunds: list[Step]) -> Counter[str]:
    """Return what is known of a product or merchant: the sums that its board row adds up."""
    orders, refunds = of_kind(steps, "order"), of_kind(steps, "refund")
    gross_minor = sum(s.event["amount_minor"] for s in orders)
    refunded_minor = sum(s.money_minor for s in refunds)
    return Counter(
        gross_minor=gross_minor,
        net_minor=gross_minor - refunded_minor,
        trusted_minor=gross_minor - refunded_minor,
        refunded_minor=refunded_minor,
        refunded_orders=sum(
            any(s is first for s in refunds) for first in first_refunds(room_refunds)
        ),
        orders=len(orders),
        clicks=len(of_kind(steps, "view", action="click")),
        carts=len(of_kind(steps, "view", action="cart")),
        checkouts=len(of_kind(steps, "checkout")),
        product_impressions=sum(s.event["impressions"] for s in of_kind(steps, "exposure")),
        complaints_opened=len(of_kind(steps, "complaint", status="opened")),
    )


def has_figures(step: Step) -> bool:
    """Whether a step that names a product says anything that its board row counts."""
    if step.kind == "view":
        return step.event["action"] in ("click", "cart")
    if step.kind == "complaint":
        return bool(step.event["status"] == "opened")
    return step.kind in ("order", "refund", "checkout", "exposure")


def by_product(room: Room) -> dict[str, list[Step]]:
    return _grouped(room, lambda step: str(step.event["product_id"]))


def by_merchant(room: Room) -> dict[str, list[Step]]:
    return _grouped(room, lambda step: merchant_of(step, room))


def _grouped(room: Room, key_of: Callable[[Step], str | None]) -> dict[str, list[Step]]:
    groups: dict[str, list[Step]] = {}
    for step in room.steps:
        if "product_id" in step.event and has_figures(step):
            key = key_of(step)
            if key is not None:
                groups.setdefault(key, []).append(step)
    return groups


def merchant_of(step: Step, room: Room) -> str | None:
    """Return whose goods a step is about, as known when it was applied.

    An order: its own merchant. A refund: its known order's, else the product's as last named in
    the room. What else names a product: the product's as last named in the room.
    """
    if step.kind == "order":
        return step.event.get("merchant_id")
    before = room.steps[: next(i for i, s in enumerate(room.steps) if s is step)]
    if step.kind == "refund":
        place = remembered_order(step.event["order_id"], step.watermark_ms, before)
        if place is not None and "merchant_id" in before[place].event:
            return str(before[place].event["merchant_id"])
    named = [
        str(s.event["merchant_id"])
        for s in before
        if s.event.get("product_id") == step.event["product_id"] and "merchant_id" in s.event
    ]
    return named[-1] if named else None
