"""What happened in each closed minute of each room, by event time?

Late and refuted events are in no pane. Only a minute with an order, refund, visit start, comment,
like or click has a line, and only once the watermark has passed its end.
"""

from tests.oracle.outcomes import MINUTE_MS, Step
from tests.oracle.rooms import Room, Row, of_kind
from tests.oracle.visits import Visit


def minutes_of(room: Room) -> list[Row]:
    """Return the lines of `minutes.ndjson` for one room."""
    watermark_ms = room.log.watermark_ms
    if watermark_ms is None:
        return []
    in_time = [s for s in room.steps if s.believed and not s.is_late]
    visits = room.audience.visits
    numbers = {s.ts_ms // MINUTE_MS for s in in_time}
    lines = []
    for minute in sorted(numbers):
        if (minute + 1) * MINUTE_MS > watermark_ms:
            continue
        steps = [s for s in in_time if s.ts_ms // MINUTE_MS == minute]
        line, has_line = _line(room.room_id, minute, steps, visits)
        if has_line:
            lines.append(line)
    return lines


def _line(room_id: str, minute: int, steps: list[Step], visits: list[Visit]) -> tuple[Row, bool]:
    orders, refunds = of_kind(steps, "order"), of_kind(steps, "refund")
    starts = [v for v in visits if not v.start_is_late and v.start_ms // MINUTE_MS == minute]
    line = {
        "room_id": room_id,
        "minute_ms": minute * MINUTE_MS,
        "orders": len(orders),
        "gross_minor": sum(s.event["amount_minor"] for s in orders),
        "refunded_minor": sum(s.money_minor for s in refunds),
        "visits": len(starts),
        "online": sum(v.is_online_at_end_of(minute) for v in visits),
        "comments": len(of_kind(steps, "view", action="comment")),
        "likes": len(of_kind(steps, "view", action="like")),
        "clicks": len(of_kind(steps, "view", action="click")),
    }
    has_line = bool(orders or refunds or starts) or any(
        line[name] for name in ("comments", "likes", "clicks")
    )
    return line, has_line
