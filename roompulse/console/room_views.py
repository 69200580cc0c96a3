"""What does the page show of one room? Its figures, curve, funnel, after-sales and retention."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from roompulse.known import Known
from schemas.money import digits_of
from schemas.records import RoomMinute, RoomSummary
from streams.core.boards import DEFAULT_ZONE
from streams.core.dictionary import rate
from streams.core.pane import MINUTE_MS

MOST_MINUTES: Final = 24 * 60  # of the curve: the last day
_CURVES: Final = ("gross_minor", "refunded_minor", "orders", "online", "visits", "comments")
# Each step of the funnel, and the step of which it is a share (design, section 6).
_FUNNEL: Final = (
    ("impressions", None),
    ("visits", "impressions"),
    ("product_impressions", None),
    ("clicks", "product_impressions"),
    ("carts", "clicks"),
    ("checkouts", "clicks"),
    ("orders", "checkouts"),
)
_STAYS: Final = (("stayed_30s", 30), ("stayed_60s", 60), ("stayed_300s", 300))
_LONG_STAYS: Final = (("stayed_600s", 600), ("stayed_1800s", 1800))

Json = dict[str, Any]


def room(known: Known, room_id: str) -> Json | None:
    """All of a room; None where it is not known."""
    summary = known.summary(room_id)
    if summary is None:
        return None
    return {
        "summary": msgspec.structs.asdict(summary),
        "digits": digits_of(summary.currency),
        "zone": DEFAULT_ZONE,
        "curve": curve(known.minutes.of_room(room_id)),
        "marks": [
            {"ts_ms": mark.ts_ms, "product_id": mark.product_id, "action": mark.action}
            for mark in known.marks.get(room_id, ())
        ],
        "funnel": funnel(summary),
        "after_sales": known.after_sales(room_id),
        "retention": retention(known, summary),
        "alerts": [one.alert.alert_id for one in known.alerts.all() if room_id in one.alert.rooms],
    }


def funnel(summary: RoomSummary) -> list[Json]:
    """From being shown to being paid: how many, and which share of the step that leads there."""
    counts = {step: getattr(summary, step) for step, _ in _FUNNEL}
    return [
        {
            "step": step,
            "count": counts[step],
            "of": base,
            "share": None if base is None else rate(counts[step], counts[base]),
        }
        for step, base in _FUNNEL
    ]


def curve(lines: Sequence[RoomMinute]) -> Json:
    """The minutes as columns, from the first to the last; a minute without a line is empty."""
    if not lines:
        return {"minute_ms": [], **{name: [] for name in _CURVES}}
    last_ms = lines[-1].minute_ms
    first_ms = max(lines[0].minute_ms, last_ms - (MOST_MINUTES - 1) * MINUTE_MS)
    by_minute = {line.minute_ms: line for line in lines}
    minutes = range(first_ms, last_ms + 1, MINUTE_MS)
    columns: Json = {"minute_ms": list(minutes)}
    for name in _CURVES:
        columns[name] = [
            getattr(by_minute[minute_ms], name) if minute_ms in by_minute else 0
            for minute_ms in minutes
        ]
    return columns


def retention(known: Known, summary: RoomSummary) -> Json:
    """Which share of the ended visits stayed how long; points that are not known are left out."""
    rows = known.reports.get("retention", {}).get(summary.room_id, [])
    longer = rows[0] if rows else {}
    points = [(seconds, getattr(summary, name)) for name, seconds in _STAYS]
    points += [(seconds, longer.get(name)) for name, seconds in _LONG_STAYS]
    return {
        "curve": [
            {"seconds": seconds, "share": share} for seconds, share in points if share is not None
        ],
        "avg_watch_ms": summary.avg_watch_ms,
        "median_watch_ms": summary.median_watch_ms,
        "visits_per_viewer": rate(summary.visits, summary.viewers),
        "follow_rate": rate(summary.follows, summary.visits),
    }
