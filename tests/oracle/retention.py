"""How long did viewers stay, and when did rooms lose them? Counted naively, key by key.

Walks every visit of every room again for each figure of `retention.json`, and every minute again
for each figure of `drop-off.json`; knows neither histogram nor sketch nor running sum.
"""

from statistics import median_high, median_low
from typing import Any, Final

from tests.oracle.outcomes import closing_tick_of, deal, fold_partition
from tests.oracle.rooms import Room, Row, of_kind, ratio, rooms_of

SCOPES: Final = {
    "hosts": "host_id",
    "mcns": "mcn_id",
    "categories": "category",
    "modes": "mode",
    "rooms": "room_id",
}
CURVE_SECONDS: Final = (30, 60, 300, 600, 1_800)
MINUTE_MS: Final = 60_000
CHANGES: Final = ("listed", "priced", "delisted")


def rooms_in(records: list[bytes], partitions: int) -> list[Room]:
    """All rooms of a session file."""
    closing = closing_tick_of(records)
    logs = (fold_partition(n, log, closing) for n, log in enumerate(deal(records, partitions)))
    return sorted((room for log in logs for room in rooms_of(log)), key=lambda each: each.room_id)


def retention_rows(rooms: list[Room]) -> dict[str, Any]:
    """`retention.json` without trusted figures; a median is the pair of both exact ones."""
    found: dict[str, Any] = {"platform": _row(rooms)}
    for section, field in SCOPES.items():
        keys = {_key(room, field) for room in rooms} - {None}
        found[section] = [
            {field: key, **_row([room for room in rooms if _key(room, field) == key])}
            for key in sorted(map(str, keys))
        ]
    return found


def _key(room: Room, field: str) -> str | None:
    return room.room_id if field == "room_id" else room.opening.get(field)


def _row(rooms: list[Room]) -> Row:
    visits = [visit for room in rooms for visit in room.audience.visits]
    stays = [visit.length_ms for room in rooms for visit in room.audience.ended]
    views = [step.event for room in rooms for step in of_kind(room.steps, "view")]
    viewers = len({view["viewer_id"] for view in views})
    talked = ("comment", "like", "share", "follow", "gift")
    interactions = sum(view["action"] in talked for view in views)
    follows = sum(view["action"] == "follow" for view in views)
    watch_ms = sum(visit.length_ms for visit in visits)
    return {
        "rooms": len(rooms),
        "visits": len(visits),
        "viewers": viewers,
        "visits_per_viewer": ratio(len(visits), viewers),
        "ended_visits": len(stays),
        **{
            f"stayed_{seconds}s": ratio(sum(s >= seconds * 1_000 for s in stays), len(stays))
            for seconds in CURVE_SECONDS
        },
        "watch_ms": watch_ms,
        "avg_watch_ms": watch_ms // len(visits) if visits else None,
        "median_watch_ms": (median_low(stays), median_high(stays)) if stays else (None, None),
        "interactions": interactions,
        "interaction_rate": ratio(interactions, len(visits)),
        "follows": follows,
        "follow_rate": ratio(follows, len(visits)),
    }


def drop_off_minutes(room: Row, lines: list[Row], marks: list[Row]) -> list[Row]:
    """The minutes of one room that count: who was there, who was lost, what was on."""
    by_minute = {line["minute_ms"]: line for line in lines if line["room_id"] == room["room_id"]}
    own = [mark for mark in marks if mark["room_id"] == room["room_id"]]
    found = []
    for minute_ms, line in sorted(by_minute.items()):
        earlier = [each for each in sorted(by_minute) if each < minute_ms]
        before = by_minute[earlier[-1]] if earlier else {"online": 0, "minute_ms": None}
        follows_on = before["minute_ms"] == minute_ms - MINUTE_MS
        present = before["online"] + line["visits"]
        closed = room["closed_ms"] is not None and minute_ms + MINUTE_MS > room["closed_ms"]
        if present and not closed and (follows_on or not before["online"]):
            lost = max(0, present - line["online"])
            on = _what_was_on(own, minute_ms)
            found.append({"minute_ms": minute_ms, "present": present, "lost": lost, "on": on})
    return found


def _what_was_on(marks: list[Row], minute_ms: int) -> str:
    here = [m["action"] for m in marks if minute_ms <= m["ts_ms"] < minute_ms + MINUTE_MS]
    for action in CHANGES:
        if action in here:
            return action
    lately = [m for m in marks if minute_ms - 10 * MINUTE_MS < m["ts_ms"] < minute_ms + MINUTE_MS]
    return "selling" if lately else "silence"
