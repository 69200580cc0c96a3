"""When does a room lose its audience? And when has it only ended, peaked, or not been heard of?"""

from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.records import Alert
from schemas.rules import RuleSet
from streams.core.integrity.common_course import CommonCourse
from streams.embedded import EmbeddedRun
from tests.unit.attack import START_MS, Event, encoded, in_order, opened, view
from tests.unit.signals import SECOND_MS, at

KIND = "traffic_drop"
ROOM = "show"
STAY_MINUTES = 10
HEARTBEAT_MS = 30 * SECOND_MS
Keep = Callable[[float], bool]


def everything(_minute: float) -> bool:
    return True


def visit(
    room: str, name: str, enter: float, leave: float, heard: Keep = everything
) -> list[Event]:
    """A viewer who comes and goes, as far as the source tells of it."""
    beats = range(at(enter) + HEARTBEAT_MS, at(leave), HEARTBEAT_MS)
    events = [
        view(room, name, at(enter)),
        *(view(room, name, ts_ms, "heartbeat") for ts_ms in beats),
        view(room, name, at(leave), "leave"),
    ]
    return [event for event in events if heard((event["ts_ms"] - START_MS) / 60_000)]


def audience(
    room: str = ROOM,
    *,
    by_minute: int = 12,
    until: float = 60,
    come_until: float = 60,
    gone_at: float | None = None,
    heard: Keep = everything,
) -> Iterator[Event]:
    """People who come every few seconds and stay for ten minutes: 120 are there at once.

    Args:
        room: whose.
        by_minute: how many come.
        until: the show ends, and all leave.
        come_until: nobody comes any more.
        gone_at: four of five of those who are there leave within a minute, and of those who come.
        heard: whether the source tells of an event at a minute.
    """
    for number in range(round(by_minute * min(until, come_until))):
        enter = number / by_minute
        leave = min(enter + STAY_MINUTES, until)
        if gone_at is not None and number % 5 and leave > gone_at:
            if enter > gone_at:
                continue
            leave = gone_at + number % 50 / 50
        yield from visit(room, f"{room}-v{number}", enter, leave, heard)


def closed(room: str, minute: float) -> Event:
    return {
        "type": "room_closed",
        "event_id": f"closed-{room}",
        "ts_ms": at(minute),
        "room_id": room,
    }


def told(*parts: Iterable[Event], rules: dict[str, Any] | None = None) -> list[Alert]:
    run = EmbeddedRun(1, rules=RuleSet.model_validate({KIND: rules}) if rules else None)
    run.feed(encoded(in_order([opened(ROOM)], *parts)))
    return [alert for alert in run.finish().alerts if alert.kind == KIND]


def test_a_show_that_people_leave_is_told_within_three_minutes() -> None:
    first, last = told(audience(gone_at=35, until=80, come_until=80))
    assert (first.room_id, first.severity, first.status) == (ROOM, "review", "firing")
    assert at(35) < first.updated_ms <= at(38)
    assert first.updated_ms - first.started_ms == 120 * SECOND_MS
    signs = {each.signal: each for each in first.evidence}
    # 120 are usual; a fifth of them stays, and more leave than come
    assert signs["online"].observed == pytest.approx(0.2, abs=0.03)
    assert signs["online"].expected == 1.0
    assert first.score >= first.threshold == pytest.approx(2)
    assert "24 are online (usual: 119)" in first.summary
    assert (last.status, last.alert_id) == ("resolved", first.alert_id)


def test_a_room_to_which_nobody_comes_any_more_is_told_before_it_is_empty() -> None:
    first, *_ = told(audience(come_until=25))
    assert at(25) < first.updated_ms <= at(32)
    arrivals, *_ = first.evidence
    assert arrivals.signal == "arrivals"
    assert arrivals.observed < 0.2
    assert "came in 5 minutes (usual: 60)" in first.summary


def raid(minutes: float = 4) -> Iterator[Event]:
    """Five hundred come at once, look and leave."""
    for number in range(500):
        enter = 30 + minutes * number / 500
        yield from visit(ROOM, f"raid-{number}", enter, enter + 0.5 + number % 10 / 10)


def coupon() -> Iterator[Event]:
    """Two hundred come for a coupon, and go when it is over."""
    for number in range(200):
        yield from visit(ROOM, f"coupon-{number}", 30 + number / 100, 36 + number / 200)


def campaign() -> Iterator[Event]:
    """Six hundred are sent to the room in twenty minutes, and leave within seconds."""
    for number in range(600):
        enter = 10 + number / 30
        yield from visit(ROOM, f"sent-{number}", enter, enter + 0.05)


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (audience(), "all stay as they did"),
        ([*audience(), *raid()], "a raid is over"),
        ([*audience(), *raid(2), *coupon()], "a coupon is over"),
        (
            [*audience(until=40), closed(ROOM, 40), *audience("x")],
            "the show has ended",
        ),
        ([*audience(until=40), *audience("x")], "it has ended, and nobody said so"),
        (
            [*audience(gone_at=39, until=40), closed(ROOM, 40)],
            "people leave in the last minute",
        ),
        (
            [*audience(), closed(ROOM, 40)],
            "who is there after the end has no show to leave",
        ),
        (audience(gone_at=6), "what is usual is not known after six minutes"),
        (audience(by_minute=4, gone_at=25), "forty people are few"),
        ([*audience(by_minute=6), *campaign()], "a campaign is over, and nobody has left"),
        (audience(gone_at=25, heard=lambda minute: minute < 25), "the source is silent"),
        (
            audience(heard=lambda minute: not 25 <= minute < 33),
            "the source was silent for eight minutes",
        ),
        (
            audience(heard=lambda minute: not 25 <= minute < 25.7),
            "the source was silent for a moment",
        ),
    ],
)
def test_nothing_is_told_where(events: Iterable[Event], why: str) -> None:
    assert told(events) == [], why


def test_who_is_not_heard_of_any_more_is_not_missed() -> None:
    """One of two gateways is down: half of the people are silent, and none of them has left."""
    halves = [
        audience("left", by_minute=12, heard=lambda minute: minute < 25),
        audience("right", by_minute=8),
    ]
    merged = [{**event, "room_id": ROOM} for half in halves for event in half]
    assert told(merged) == []


def test_what_most_rooms_have_in_common_accuses_none() -> None:
    rooms = [f"room-{number}" for number in range(6)]
    openings = [opened(room) for room in rooms]
    one = [event for room in rooms[1:] for event in audience(room)]
    lost = [event for room in rooms for event in audience(room, gone_at=25)]
    assert {each.room_id for each in told(openings, one, audience(rooms[0], gone_at=25))} == {
        rooms[0]
    }
    assert told(openings, lost) == []
    stopped = [event for room in rooms for event in audience(room, come_until=25)]
    assert told(openings, stopped) == []


def test_it_is_told_again_when_twice_as_few_are_left() -> None:
    def going() -> Iterator[Event]:
        for number in range(12 * 50):
            enter = number / 12
            gone = 25 if number % 5 else 29 if number % 4 else 50
            if enter < gone:
                yield from visit(ROOM, f"v{number}", enter, min(enter + STAY_MINUTES, gone))

    scores = [each.score for each in told(going()) if each.status != "resolved"]
    assert len(scores) > 1
    assert all(later >= 2 * sooner for sooner, later in pairwise(scores))


def test_its_gates_are_rules() -> None:
    lost = list(audience(gone_at=25))
    assert told(lost, rules={"online_share": 0.1, "arrivals_share": 0.05}) == []
    assert told(lost, rules={"online": 500, "arrivals": 500}) == []
    at_once, *_ = told(lost, rules={"held_minutes": 1})
    assert at_once.updated_ms <= at(27)


@given(st.lists(st.floats(0, 1.5), min_size=1, max_size=40))
def test_the_common_course_is_the_middle_one_of_the_others(shares: list[float]) -> None:
    course = CommonCourse()
    for share in shares:
        course.tell(7, share)
    own, *others = shares
    found = course.share(7, own)
    if len(others) < 3:
        assert found == 1.0
    else:
        ordered = sorted(min(1.0, share) for share in others)
        assert found == pytest.approx(ordered[(len(ordered) - 1) // 2], abs=0.5 / 20 + 1e-9)


def test_the_common_course_does_not_depend_on_who_told_first() -> None:
    shares = [0.1, 0.9, 0.5, 0.4]
    there, back = CommonCourse(), CommonCourse()
    for one, other in zip(shares, reversed(shares), strict=True):
        there.tell(3, one)
        back.tell(3, other)
    assert there.snapshot() == back.snapshot()
    again = CommonCourse()
    again.restore(there.snapshot())
    assert again.share(3, 0.9) == there.share(3, 0.9)


def test_the_common_course_keeps_few_minutes() -> None:
    course = CommonCourse()
    for minute in range(100):
        course.tell(minute, 1.0)
    assert len(course.snapshot()) == 32
