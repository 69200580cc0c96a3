"""What are hosts, agencies and merchants worth? Every measure counted again from the steps.

The numbers of the formula are written down here once more. Nobody is suspected and no alert is
raised in the logs that this is held against.
"""

from math import log
from typing import Any, Final

from tests.oracle.after_sales import after_sales_of
from tests.oracle.market import HOUR_MS
from tests.oracle.recount import SERVICE_LEVELS_MS
from tests.oracle.rooms import Room, Row, merchant_of, of_kind, ratio, summary_of
from tests.oracle.stickiness import stickiness

WEEK_MS: Final = 7 * 24 * HOUR_MS
# Part, measure, usual, prior, full, none.
MEASURES: Final = (
    ("integrity", "suspected_orders", 0.005, 200, 0, 0.1),
    ("integrity", "integrity_alerts", 0.02, 10, 0, 1),
    ("after_sales", "complaints", 0.004, 200, 0, 0.03),
    ("after_sales", "quality_refunds", 0.02, 200, 0, 0.15),
    ("after_sales", "breaches", 0.05, 20, 0, 0.5),
    ("stickiness", "returning_viewers", 0.1, 200, 0.3, 0),
    ("stickiness", "repeat_buyers", 0.05, 200, 0.2, 0),
    ("price_honesty", "price_alerts", 0.02, 10, 0, 1),
    ("price_honesty", "price_complaints", 0.0005, 500, 0, 0.005),
)
WEIGHTS: Final = {"integrity": 40, "after_sales": 30, "stickiness": 15, "price_honesty": 15}
FIELDS: Final = {"hosts": "host_id", "mcns": "mcn_id"}


def credit_of(log: list[bytes], rooms: list[Room], partitions: int) -> dict[str, dict[str, Row]]:
    """By scope and key: the score, and count, base and points of each measure by its name."""
    answered = after_sales_of(rooms, SERVICE_LEVELS_MS)
    came_back = stickiness(log, partitions=partitions)
    found: dict[str, dict[str, Row]] = {}
    for scope, field in FIELDS.items():
        keys = {str(room.opening[field]) for room in rooms if field in room.opening}
        found[scope] = {}
        for key in sorted(keys):
            own = [room for room in rooms if room.opening.get(field) == key]
            orders = sum(len(of_kind(room.steps, "order")) for room in own)
            counts = _counts(answered[scope], key, "host", orders, len(own))
            counts |= _people([room for room in own if _has_one_before(room, rooms)], came_back)
            found[scope][key] = _scored(counts)
    found["merchants"] = {
        key: _scored(_merchant_counts(key, rooms, answered)) for key in _merchants(rooms)
    }
    return found


def _merchants(rooms: list[Room]) -> list[str]:
    return sorted({merchant for room in rooms for _, merchant in _goods(room)})


def _goods(room: Room) -> set[tuple[str, str]]:
    """The products of a room with figures of their own, and their merchants."""
    touching = [step for step in room.steps if _touches(step.kind, step.event)]
    pairs = {(step.event["product_id"], merchant_of(step, room)) for step in touching}
    return {(product_id, merchant) for product_id, merchant in pairs if merchant is not None}


def _touches(kind: str, event: Row) -> bool:
    if kind == "view":
        return "product_id" in event and event["action"] in ("click", "cart")
    if kind == "complaint":
        return "product_id" in event and event["status"] == "opened"
    return kind in ("order", "checkout", "refund") or (kind == "exposure" and "product_id" in event)


def _merchant_counts(key: str, rooms: list[Room], answered: dict[str, list[Row]]) -> Row:
    orders = sum(
        step.event.get("merchant_id") == key
        for room in rooms
        for step in of_kind(room.steps, "order")
    )
    shows = sum(merchant == key for room in rooms for _, merchant in _goods(room))
    counts = _counts(answered["merchants"], key, "merchant", orders, shows)
    return counts | {"returning_viewers": (None, None), "repeat_buyers": (None, None)}


def _counts(rows: list[Row], key: str, party: str, orders: int, shows: int) -> Row:
    own = [row for row in rows if (row["key"], row["party"]) == (key, party)]
    breaches = sum(row["first_reply_breaches"] + row["resolution_breaches"] for row in own)
    in_time = sum(row["first_reply_in_time"] + row["resolution_in_time"] for row in own)
    frauds = sum(row["complaints_by_kind"].get("price_fraud", 0) for row in own)
    return {
        "suspected_orders": (0, orders),
        "integrity_alerts": (0, shows),
        "complaints": (sum(row["complaints"] for row in own), orders),
        "quality_refunds": (sum(row["quality_refunds"] for row in own), orders),
        "breaches": (breaches, breaches + in_time),
        "price_alerts": (0, shows),
        "price_complaints": (frauds, orders),
    }


def _has_one_before(room: Room, rooms: list[Room]) -> bool:
    return any(
        other.opening.get("host_id") == room.opening["host_id"]
        and other.opening["ts_ms"] < room.opening["ts_ms"]
        for other in rooms
    )


def _people(own: list[Room], came_back: dict[str, Any]) -> Row:
    if not own:
        return {"returning_viewers": (None, None), "repeat_buyers": (None, None)}
    ids = {room.room_id for room in own}
    hosts = {room.opening["host_id"] for room in own}
    viewed = [row for row in came_back["rooms"] if row["room_id"] in ids]
    bought = [row for row in came_back["hosts"] if row["host_id"] in hosts]
    return {
        "returning_viewers": (
            sum(row["returning_viewers"] for row in viewed),
            sum(row["viewers"] for row in viewed),
        ),
        "repeat_buyers": (
            sum(row["repeat_buyers"] for row in bought),
            sum(row["buyers"] for row in bought),
        ),
    }


def _scored(counts: Row) -> Row:
    measures: Row = {}
    parts: dict[str, list[float]] = {part: [] for part in WEIGHTS}
    for part, name, usual, prior, full, none in MEASURES:
        count, base = counts[name]
        points = None
        if base:
            shrunk = (count + usual * prior) / (base + prior)
            points = min(100.0, max(0.0, 100 * (none - shrunk) / (none - full)))
            parts[part].append(points)
        measures[name] = (count, base, points)
    known = {part: sum(points) / len(points) for part, points in parts.items() if points}
    whole = sum(WEIGHTS[part] for part in known)
    score = sum(WEIGHTS[part] * points for part, points in known.items()) / whole if whole else None
    return {"score": score, "measures": measures}


def agencies_of(
    rooms: list[Room], scores: dict[str, Row], watermark_ms: int | None
) -> list[dict[str, Any]]:
    """The rows of `agencies.json` but what stands in other files, with exact parts of the index."""
    summaries = {room.room_id: summary_of(room) for room in rooms}
    keys = {
        (str(room.opening["mcn_id"]), str(room.opening["currency"]))
        for room in rooms
        if "mcn_id" in room.opening
    }
    rows = []
    for mcn_id, currency in sorted(keys):
        own = [s for s in summaries.values() if (s["mcn_id"], s["currency"]) == (mcn_id, currency)]
        ids = {summary["room_id"] for summary in own}
        weeks = _weeks([room for room in rooms if room.room_id in ids], watermark_ms)
        reaches_back = _reaches_back(rooms, watermark_ms)
        rows.append(
            {
                "mcn_id": mcn_id,
                "currency": currency,
                "hosts": len({summary["host_id"] for summary in own}),
                "rooms": len(own),
                "orders": sum(summary["orders"] for summary in own),
                "gross_minor": sum(summary["gross_minor"] for summary in own),
                "net_minor": sum(summary["net_minor"] for summary in own),
                "trusted_minor": sum(summary["trusted_minor"] for summary in own),
                "week_gross_minor": weeks[0],
                "week_before_gross_minor": weeks[1],
                "growth": ratio(weeks[0] - weeks[1], weeks[1]) if reaches_back else None,
                # nobody is suspected
                "growth_trusted": ratio(weeks[0] - weeks[1], weeks[1]) if reaches_back else None,
                "refunds": sum(summary["refunds"] for summary in own),
            }
        )
    for row in rows:
        rivals = [each for each in rows if each["currency"] == row["currency"]]
        for name in ("gross", "net", "trusted"):
            mine = (-row[f"{name}_minor"], row["mcn_id"])
            others = [(-each[f"{name}_minor"], each["mcn_id"]) for each in rivals]
            row[f"rank_{name}"] = 1 + sum(each < mine for each in others)
        row["points"] = {
            "size": _logarithmic(row["trusted_minor"], [e["trusted_minor"] for e in rivals]),
            "breadth": _logarithmic(row["hosts"], [e["hosts"] for e in rivals]),
            "growth": None
            if row["growth"] is None
            else min(100.0, max(0.0, 100 * (row["growth"] + 0.5))),
            "credit": scores[row["mcn_id"]]["score"],
        }
    return rows


def _logarithmic(mine: int, all_: list[int]) -> float | None:
    greatest = max(all_)
    return 100 * log(1 + max(0, mine)) / log(1 + greatest) if greatest > 0 else None


def _end_ms(watermark_ms: int | None) -> int:
    return ((watermark_ms or 0) // HOUR_MS + 1) * HOUR_MS


def _orders(rooms: list[Room]) -> list[tuple[int, int]]:
    return [
        (step.ts_ms, step.event["amount_minor"])
        for room in rooms
        for step in of_kind(room.steps, "order")
        if step.believed
    ]


def _weeks(rooms: list[Room], watermark_ms: int | None) -> list[int]:
    end_ms = _end_ms(watermark_ms)
    return [
        sum(
            paid
            for ts_ms, paid in _orders(rooms)
            if end_ms - (ago + 1) * WEEK_MS <= ts_ms < end_ms - ago * WEEK_MS
        )
        for ago in (0, 1)
    ]


def _reaches_back(rooms: list[Room], watermark_ms: int | None) -> bool:
    from_ms = _end_ms(watermark_ms) - 2 * WEEK_MS
    return any(ts_ms // HOUR_MS * HOUR_MS <= from_ms for ts_ms, _ in _orders(rooms))
