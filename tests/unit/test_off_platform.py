"""When are buyers suspected to be led to pay elsewhere? When do they only cancel or complain?"""

from collections.abc import Sequence

import pytest

from schemas.rules import RuleSet
from streams.core import limits
from streams.embedded import EmbeddedRun
from tests.unit.attack import Event, encoded, view
from tests.unit.signals import ROOM, alerts_of, at, complaint, evening, led_away, refund

KIND = "off_platform_payment"
HINT = 50


def complaining(*minutes: float, first: int = 20, **more: object) -> list[Event]:
    """Buyers of the room complain of it, one at each minute."""
    return [
        complaint(first + n, minute, **{"kind": KIND, **more}) for n, minute in enumerate(minutes)
    ]


def cancelling(*numbers: int, minute: float = HINT + 5, stay: bool = True) -> list[Event]:
    """Buyers of these orders cancel, and are in the room then or are not."""
    back = [refund(n, minute + n / 100, reason="cancelled") for n in numbers]
    there = [view(ROOM, f"{ROOM}-b{n}", at(minute)) for n in numbers]
    return [*back, *there] if stay else back


def audience(stays_until: float = 90) -> list[Event]:
    """Four who enter every minute and stay for five, and never buy."""
    events = []
    for n in range(360):
        enter = n / 4
        leave = min(enter + 5, stays_until)
        beats = range(at(enter) + 60_000, max(at(leave), at(enter) + 60_000), 60_000)
        if enter < stays_until:
            events += [view(ROOM, f"fan-{n}", at(enter))]
            events += [view(ROOM, f"fan-{n}", ts_ms, "heartbeat") for ts_ms in beats]
            events += [view(ROOM, f"fan-{n}", at(leave), "leave")]
    return [event for event in events if event["ts_ms"] < at(90)]


def without_sales(events: Sequence[Event], since: float) -> list[Event]:
    """The room sells nothing any more from a minute on."""
    return [
        event
        for event in events
        if not (
            event["type"] == "order" and event["room_id"] == ROOM and event["ts_ms"] > at(since)
        )
    ]


def hinted(*parts: Sequence[Event], buys: bool = False, stays_until: float = 90) -> list[Event]:
    """A room whose buyers buy no more from the hint on, and what is added."""
    events = evening(audience(stays_until=stays_until), *parts)
    return events if buys else without_sales(events, HINT)


def test_two_buyers_who_complain_of_it_are_enough_and_the_alert_says_how_weak_that_is() -> None:
    first, *_ = alerts_of(evening(complaining(45, 47)), KIND)
    assert (first.room_id, first.severity) == (ROOM, "review")
    assert (first.started_ms, first.updated_ms) == (at(45), at(47))
    assert (first.score, first.threshold, first.money_minor) == (2, 2, 2_000)
    assert first.evidence[0].orders == [f"{ROOM}-o20", f"{ROOM}-o21"]
    assert "2 buyers complained of it in 60 minutes" in first.summary
    assert first.summary.endswith("Weak: comments are not read, so nobody saw the hint itself.")


def test_one_complaint_is_enough_where_others_cancel_and_stay_and_hardly_anybody_buys() -> None:
    told = alerts_of(hinted(complaining(HINT + 4), cancelling(30, 31, 32)), KIND)
    first = told[0]
    assert at(HINT + 5) < first.updated_ms <= at(HINT + 16)
    signs = {each.signal: each for each in first.evidence}
    assert signs["cancelled_and_stayed"].observed == 1.0
    assert signs["cancelled_and_stayed"].orders == [f"{ROOM}-o{n}" for n in (30, 31, 32)]
    assert signs["orders_per_visit"].observed < 0.7 * signs["orders_per_visit"].expected
    assert signs["audience"].observed > 0.7
    assert first.money_minor == 4_000
    assert "3 of the 3 who cancelled stayed" in first.summary


@pytest.mark.parametrize(
    ("log", "why"),
    [
        (evening(complaining(45)), "one complaint is no evidence"),
        (evening(complaining(45, 47, buyer_id="one")), "one buyer complains twice"),
        (evening(complaining(20, 85)), "they lie more than an hour apart"),
        (evening(complaining(45, 47, status="replied")), "replies are no complaints"),
        (evening(complaining(45, 47, kind="delivery")), "they are about something else"),
        (hinted(cancelling(*range(30, 45))), "many cancel, and nobody complains"),
        (
            hinted(complaining(HINT + 4), cancelling(30, 31)),
            "two who cancel are few",
        ),
        (
            hinted(complaining(HINT + 4), cancelling(30, 31, 32, stay=False)),
            "who cancels goes away",
        ),
        (
            hinted(complaining(HINT + 4), cancelling(30, 31, 32), buys=True),
            "as many buy as before",
        ),
        (
            hinted(complaining(HINT + 4), cancelling(30, 31, 32), stays_until=HINT),
            "the audience goes, and so do its orders",
        ),
        (
            hinted(complaining(HINT + 4), [refund(n, HINT + 5) for n in (30, 31, 32)]),
            "they send back what they got",
        ),
    ],
)
def test_nothing_is_suspected_where(log: list[Event], why: str) -> None:
    assert alerts_of(log, KIND) == [], why


def test_a_room_that_sells_a_hundredfold_needs_more_complaints() -> None:
    usual = RuleSet.model_validate({KIND: {"usual_complaints": 0.02}})
    assert alerts_of(evening(complaining(45, 47)), KIND, rules=usual) == []
    many = complaining(*(45 + n / 4 for n in range(12)))
    assert alerts_of(evening(many), KIND, rules=usual)


def test_it_is_told_again_when_twice_as_many_complain_and_once_for_one_incident() -> None:
    told = alerts_of(evening(complaining(40, 41, 42, 43, 44)), KIND)
    assert [each.score for each in told] == [2, 4, 4]
    assert [each.status for each in told] == ["firing", "updated", "resolved"]
    assert len({each.alert_id for each in told}) == 1


def test_what_is_said_after_an_incident_starts_another_one() -> None:
    told = alerts_of(evening(complaining(20, 21), complaining(60, 62, first=40)), KIND)
    assert [each.started_ms for each in told if each.status == "firing"] == [at(20), at(60)]


def test_complaints_and_cancellations_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    for cap in ("payment_complaints", "cancellations"):
        monkeypatch.setitem(limits.CAPS, cap, (16, ""))
    run = EmbeddedRun(1)
    said = complaining(*(45 + n / 100 for n in range(40)))
    run.feed(encoded(evening(said, cancelling(*range(5, 45), minute=50))))
    run.finish()
    counts = run.partitions[0].evictions.counts
    assert (counts["payment_complaints"], counts["cancellations"]) == (24, 24)


def test_a_log_of_it_speaks() -> None:
    assert alerts_of(evening(led_away()), KIND)
