"""Who answers for what came back, counted again: every complaint and refund looked at by itself."""

from collections import Counter
from dataclasses import dataclass
from statistics import median_high, median_low
from typing import Any, Final

from tests.oracle.outcomes import MINUTE_MS, Step, remembered_order
from tests.oracle.rooms import QUALITY_REASONS, Room, Row, merchant_of, of_kind, ratio

COMPLAINT_PARTY: Final = {
    "quality": "merchant",
    "counterfeit": "merchant",
    "false_advertising": "host",
    "price_fraud": "host",
    "off_platform_payment": "host",
    "after_sales_refused": "merchant",
    "delivery": "platform",
    "other": "platform",
}
REFUND_PARTY: Final = {
    "quality": "merchant",
    "not_as_described": "host",
    "wrong_item": "merchant",
    "not_received": "platform",
    "changed_mind": "consumer",
    "price": "consumer",
    "cancelled": "consumer",
    "other": "platform",
}
LEVELS: Final = {"first_reply": "replied", "resolution": "resolved"}
SCOPES: Final = {"rooms": "room_id", "hosts": "host_id", "mcns": "mcn_id"}


@dataclass
class Fact:
    """One complaint or one refund, whose it is, and what is known of it."""

    room: Room
    merchant_id: str | None
    party: str
    cause: str
    money_minor: int | None = None
    took_ms: dict[str, int | None] | None = None
    verdict: dict[str, str | None] | None = None


def after_sales_of(rooms: list[Room], limits_ms: dict[str, int]) -> dict[str, list[Row]]:
    """Return the sections of `after-sales.json`; medians as pairs of exact lower and upper."""
    facts = [fact for room in rooms for fact in (*_complaints(room, limits_ms), *_refunds(room))]
    sections: dict[str, list[Row]] = {}
    for section in ("platform", "rooms", "hosts", "mcns", "merchants"):
        groups: dict[tuple[str, str], list[Fact]] = {}
        for fact in facts:
            key = _key(section, fact.room, fact.merchant_id)
            if key is not None:
                groups.setdefault((key, fact.room.opening.get("currency") or ""), []).append(fact)
        sections[section] = [
            _row(section, key, currency, party, group, rooms)
            for (key, currency), group in sorted(groups.items())
            for party in (None, *sorted({fact.party for fact in group}))
        ]
    return sections


def _key(section: str, room: Room, merchant_id: str | None) -> str | None:
    if section == "platform":
        return "platform"
    if section == "rooms":
        return room.room_id
    if section == "merchants":
        return merchant_id
    found = room.opening.get(SCOPES[section])
    return None if found is None else str(found)


def _row(
    section: str, key: str, currency: str, party: str | None, group: list[Fact], rooms: list[Room]
) -> Row:
    own = [fact for fact in group if party in (None, fact.party)]
    refunds = [fact for fact in own if fact.money_minor is not None]
    complaints = [fact for fact in own if fact.money_minor is None]
    orders = sum(
        _key(section, room, step.event.get("merchant_id")) == key
        for room in rooms
        if (room.opening.get("currency") or "") == currency
        for step in of_kind(room.steps, "order")
    )
    quality = sum(fact.cause in QUALITY_REASONS for fact in refunds)
    money: Counter[str] = Counter()
    for fact in refunds:
        money[fact.cause] += fact.money_minor or 0
    row: Row = {
        "key": key,
        "currency": currency or None,
        "party": party,
        "orders": orders,
        "orders_trusted": orders,  # nobody is suspected
        "complaints": len(complaints),
        "complaint_rate": ratio(len(complaints), orders),
        "complaint_rate_trusted": ratio(len(complaints), orders),
        "complaints_by_kind": dict(Counter(fact.cause for fact in complaints)),
        "refunds": len(refunds),
        "refunds_by_reason": dict(Counter(fact.cause for fact in refunds)),
        "refunded_minor": money.total(),
        "refunded_minor_by_reason": dict(money),
        "quality_refunds": quality,
        "quality_refund_rate": ratio(quality, orders),
        "quality_refund_rate_trusted": ratio(quality, orders),
    }
    for level in LEVELS:
        took = [t for f in complaints if f.took_ms and (t := f.took_ms[level]) is not None]
        verdicts = Counter(f.verdict[level] for f in complaints if f.verdict)
        row[f"{level}_median_ms"] = (median_low(took), median_high(took)) if took else (None, None)
        row[f"{level}_in_time"] = verdicts["in_time"]
        row[f"{level}_breaches"] = verdicts["breach"]
        judged = verdicts["in_time"] + verdicts["breach"]
        row[f"{level}_attainment"] = ratio(verdicts["in_time"], judged)
    return row


def _complaints(room: Room, limits_ms: dict[str, int]) -> list[Fact]:
    steps = of_kind(room.steps, "complaint")
    facts = []
    for complaint_id in dict.fromkeys(s.event["complaint_id"] for s in steps):
        own = [s for s in steps if s.event["complaint_id"] == complaint_id]
        opening = next((s for s in own if s.event["status"] == "opened"), None)
        if opening is None:
            continue
        named = [s.event["party"] for s in own if "party" in s.event]
        kind = opening.event["kind"]
        facts.append(
            Fact(
                room,
                _merchant_of(opening, room),
                named[-1] if named else COMPLAINT_PARTY[kind],
                kind,
                took_ms={level: _took_ms(own, opening, LEVELS[level]) for level in LEVELS},
                verdict={
                    level: _verdict(own, opening, LEVELS[level], limits_ms[level], room)
                    for level in LEVELS
                },
            )
        )
    return facts


def _merchant_of(opening: Step, room: Room) -> str | None:
    """A complaint's merchant: its known order's, else that of its product as last named."""
    before = room.steps[: next(i for i, s in enumerate(room.steps) if s is opening)]
    product_id = opening.event.get("product_id")
    if "order_id" in opening.event:
        place = remembered_order(opening.event["order_id"], opening.watermark_ms, before)
        if place is not None:
            if "merchant_id" in before[place].event:
                return str(before[place].event["merchant_id"])
            product_id = product_id or before[place].event["product_id"]
    named = [
        str(s.event["merchant_id"])
        for s in before
        if product_id is not None
        and s.event.get("product_id") == product_id
        and "merchant_id" in s.event
    ]
    return named[-1] if named else None


def _first(own: list[Step], status: str) -> tuple[int, Step] | None:
    return next(((i, s) for i, s in enumerate(own) if s.event["status"] == status), None)


def _took_ms(own: list[Step], opening: Step, status: str) -> int | None:
    answer = _first(own, status)
    if answer is None or answer[0] < own.index(opening):
        return None
    return max(0, answer[1].ts_ms - opening.ts_ms)


def _verdict(own: list[Step], opening: Step, status: str, limit_ms: int, room: Room) -> str | None:
    answer = _first(own, status)
    if not opening.believed or (answer is not None and answer[0] < own.index(opening)):
        return None
    due_ms = opening.ts_ms + limit_ms
    if answer is not None:
        step = answer[1]
        is_due = step.watermark_ms is not None and step.watermark_ms >= due_ms
        if not is_due and (not step.believed or step.ts_ms <= due_ms):
            return "in_time"
    passed = room.log.watermark_ms is not None and room.log.watermark_ms >= due_ms
    return "breach" if passed else None


def _refunds(room: Room) -> list[Fact]:
    return [
        Fact(
            room,
            merchant_of(step, room),
            REFUND_PARTY[step.event["reason"]],
            step.event["reason"],
            money_minor=step.money_minor,
        )
        for step in of_kind(room.steps, "refund")
    ]


def pitch_of(rooms: list[Room]) -> list[Row]:
    """Return the lines of `after-sales-minutes.ndjson`."""
    lines: list[Row] = []
    for room in sorted(rooms, key=lambda room: room.room_id):
        orders = [s for s in of_kind(room.steps, "order") if s.believed]
        refunds = of_kind(room.steps, "refund")
        came = [s for s in refunds if s.believed]
        stamps = [s.ts_ms for s in (*orders, *came)] + [_ordered_ms(s) for s in refunds]
        minutes = sorted({ms // MINUTE_MS for ms in stamps})
        lines += [_line(room, minute, orders, refunds, came) for minute in minutes]
    return lines


def _ordered_ms(refund: Step) -> int:
    return int(refund.event["ordered_ts_ms"])


def _line(
    room: Room, minute: int, orders: list[Step], refunds: list[Step], came: list[Step]
) -> dict[str, Any]:
    sold = [s for s in orders if s.ts_ms // MINUTE_MS == minute]
    back = [s for s in refunds if _ordered_ms(s) // MINUTE_MS == minute]
    now = [s for s in came if s.ts_ms // MINUTE_MS == minute]
    gross_minor = sum(s.event["amount_minor"] for s in sold)
    returned_minor = sum(s.money_minor for s in back)
    return {
        "room_id": room.room_id,
        "minute_ms": minute * MINUTE_MS,
        "orders": len(sold),
        "gross_minor": gross_minor,
        "returns": len(back),
        "returned_minor": returned_minor,
        "quality_returns": sum(s.event["reason"] in QUALITY_REASONS for s in back),
        "return_rate": ratio(len(back), len(sold)),
        "return_value_rate": ratio(returned_minor, gross_minor),
        "refunds": len(now),
        "refunded_minor": sum(s.money_minor for s in now),
    }
