"""How long did viewers stay, and what was on when they went? A small evening by hand."""

# ruff: noqa: ANN401 - rows of a report have no common type

import re
from pathlib import Path
from typing import Any

from streams.core.stickiness.drop_off import drop_off
from streams.embedded import EmbeddedRun, Results
from tests.unit.attack import MINUTE_MS, Event, encoded, in_order, opened, view
from tests.unit.signals import ROOM, at, product

PAGE = Path(__file__).parents[2] / "docs/retention.md"


def results(*events: Event) -> Results:
    run = EmbeddedRun()
    run.feed(encoded(in_order([opened(ROOM), opened("other")], events)))
    return run.finish()


def stay(viewer_id: str, from_minute: float, minutes: float, room_id: str = ROOM) -> list[Event]:
    """A visit that is seen every half minute and ends by leaving."""
    from_ms, to_ms = at(from_minute), at(from_minute + minutes)
    beats = range(from_ms + MINUTE_MS // 2, to_ms, MINUTE_MS // 2)
    return [
        view(room_id, viewer_id, from_ms),
        *(view(room_id, viewer_id, ms, "heartbeat") for ms in beats),
        view(room_id, viewer_id, to_ms, "leave"),
    ]


def chatter(minutes: int) -> list[Event]:
    """Somebody likes something each minute: minutes in which nothing happens have no line."""
    return [view(ROOM, "v9", at(1.5 + n), "like") for n in range(minutes)]


def row(found: Results, section: str, key: str) -> Any:
    rows: Any = found.retention[section] if found.retention else []
    (one,) = [each for each in rows if key in each.values()]
    return one


def test_the_curve_is_the_share_of_ended_visits_still_there() -> None:
    lengths = (0.25, 0.5, 1, 5, 10, 30)
    found = results(*(e for n, minutes in enumerate(lengths) for e in stay(f"v{n}", 1, minutes)))
    room = row(found, "rooms", ROOM)
    curve = [room[f"stayed_{seconds}s"] for seconds in (30, 60, 300, 600, 1_800)]
    assert curve == [0.8333, 0.6667, 0.5, 0.3333, 0.1667]
    assert (room["visits"], room["viewers"], room["ended_visits"]) == (6, 6, 6)
    assert room["watch_ms"] == sum(lengths) * MINUTE_MS
    assert room["avg_watch_ms"] == room["watch_ms"] // 6


def test_a_host_of_two_rooms_has_the_curve_of_all_visits() -> None:
    short = [e for n in range(3) for e in stay(f"v{n}", 1, 0.5)]
    long = stay("v0", 1, 6, "other")
    mine = [{**opened(ROOM), "room_id": "third", "event_id": "third", "host_id": "host of other"}]
    also = [{**event, "room_id": "third", "event_id": f"3{event['event_id']}"} for event in short]
    host = row(results(*short, *long, *mine, *also), "hosts", "host of other")
    assert (host["rooms"], host["visits"], host["viewers"]) == (2, 4, 3)
    assert (host["stayed_60s"], host["visits_per_viewer"]) == (0.25, 1.3333)


def test_interactions_are_counted_over_visits() -> None:
    talk = [
        view(ROOM, "v0", at(1.1 + n / 10), action) for n, action in enumerate(("like", "follow"))
    ]
    room = row(results(*stay("v0", 1, 2), *talk), "rooms", ROOM)
    assert (room["interactions"], room["interaction_rate"]) == (2, 2.0)
    assert (room["follows"], room["follow_rate"]) == (1, 1.0)


def test_people_who_leave_when_a_price_is_changed_are_lost_to_that() -> None:
    people = [e for n in range(10) for e in stay(f"v{n}", 1, 6.5 if n < 8 else 12)]
    marks = [
        product("p1", "listed", 1, price_minor=500),
        product("p1", "priced", 7.2, price_minor=900),
    ]
    found = results(*people, *marks, *chatter(11))
    losses: Any = drop_off(found.rooms, found.minutes, found.marks)
    by_kind = {each["on"]: each for each in losses["what_was_on"] if each["key"] == ROOM}
    assert (by_kind["priced"]["minutes"], by_kind["priced"]["lost"]) == (1, 8)
    assert by_kind["priced"]["loss_rate"] == 0.8
    worst = losses["minutes"][0]
    assert worst["minute_ms"] == at(7.2) - at(7.2) % MINUTE_MS
    assert (worst["product_id"], worst["price_minor"], worst["lost"]) == ("p1", 900, 8)
    assert worst["unchanged_minutes"] == 0


def test_every_field_has_its_row_in_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    named = set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| `.*?\|", page))))
    people = [e for n in range(9) for e in stay(f"v{n}", 1, 3 + n / 2)]
    found = results(*people, *chatter(9))
    losses: Any = drop_off(found.rooms, found.minutes, found.marks)
    retention: Any = found.retention
    for each in (retention["platform"], *retention["rooms"], *retention["hosts"]):
        assert set(each) <= named
    for each in (*losses["what_was_on"], *losses["minutes"]):
        assert set(each) <= named
    assert losses["minutes"]
