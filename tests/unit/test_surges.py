"""When does too much come back, and when do too many complain? And when is that nothing?"""

from typing import Any

import pytest

from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.shares import GREATEST_SHARE, LEAST_SHARE, Counts, Shares
from streams.embedded import EmbeddedRun
from tests.unit.attack import MINUTE_MS, START_MS, Event, encoded, honest, in_order, opened, order
from tests.unit.signals import (
    ROOM,
    alerts_of,
    at,
    complaining,
    complaint,
    evening,
    faulty_batch,
    refund,
)


def refunds_of(events: list[Event], **more: Any) -> list[Any]:  # noqa: ANN401 - rules or nothing
    return alerts_of(events, "refund_surge", **more)


def complaints_of(events: list[Event]) -> list[Any]:
    return alerts_of(events, "complaint_surge")


def test_a_faulty_batch_is_raised_with_its_orders_and_their_money() -> None:
    first, last = refunds_of(evening(faulty_batch()))
    assert (first.room_id, first.severity, first.started_ms) == (ROOM, "review", at(45))
    assert first.score >= first.threshold == pytest.approx(5)
    of_product, of_room = first.evidence
    assert (of_product.signal, of_room.signal) == ("refunds_of_the_product", "refunds_of_the_room")
    came_back = [f"{ROOM}-o{number}" for number in range(30, 30 + len(of_room.orders))]
    assert of_room.orders == of_product.orders == came_back
    assert first.money_minor == 1_000 * len(came_back)
    assert "sent something back already" in first.summary
    assert (last.status, last.alert_id) == ("resolved", first.alert_id)


def test_refunds_are_held_against_the_orders_of_their_own_hour() -> None:
    (sign, *_) = refunds_of(evening(faulty_batch()))[0].evidence
    # at minute 52, when it was raised, the product had 52 buyers in the hour
    assert sign.observed == pytest.approx(8 / 52, abs=1e-4)


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (faulty_batch(count=5), "five are too few to say anything"),
        ([refund(n, n + 70) for n in range(12)], "what is older than an hour comes back as usual"),
        ([refund(30 + n % 3, 50 + n, refund_id=f"r{n}") for n in range(12)], "three orders only"),
        (
            [
                *(order(ROOM, 5_000 + n, at(40), buyer_id="one") for n in range(40)),
                *(refund(5_000 + n, 45, buyer_id="one") for n in range(40)),
            ],
            "a cart of forty lines is sent back by one buyer",
        ),
        (
            [refund(30 + n, 46 + n, order_id=f"unknown-{n}") for n in range(12)],
            "nobody knows these orders",
        ),
    ],
)
def test_refunds_are_no_surge_where(events: list[Event], why: str) -> None:
    assert refunds_of(evening(events)) == [], why


def test_a_category_with_many_returns_is_innocent() -> None:
    usual = {"refund_surge": {"returns": {"food": 0.6}, "soon_share": 0.3}}
    assert refunds_of(evening(faulty_batch()), rules=RuleSet.model_validate(usual)) == []


def test_when_everybodys_orders_come_back_no_room_is_to_blame() -> None:
    """A payment channel is down and all cancel: the other rooms raise what is expected."""
    rooms = [f"room-{number}" for number in range(6)]
    others = [opened(room) for room in rooms]
    sold = [event for room in rooms for event in honest(room, 90)]
    cancelled = [
        refund(n, n + 15, room_id=room, order_id=f"{room}-o{n}", refund_id=f"{room}-{n}")
        for room in rooms
        for n in range(30, 42)
    ]
    for event in cancelled:
        event["event_id"] += event["room_id"]
    assert refunds_of(in_order(others, sold, cancelled, evening(faulty_batch()))) == []


def test_a_wave_of_complaints_is_raised_with_what_they_are_about() -> None:
    first, last = complaints_of(evening(complaining()))
    assert (first.room_id, first.severity, first.started_ms) == (ROOM, "review", at(52))
    (sign,) = first.evidence
    assert sign.signal == "complaining_buyers"
    assert sign.orders == [f"{ROOM}-o{40 + number}" for number in range(7)]
    assert first.money_minor == 7_000
    assert first.summary.endswith("about quality.")
    assert last.status == "resolved"


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (complaining(count=5), "five of sixty in an hour are bad luck"),
        (
            [complaint(n, 50 + n / 4, buyer_id="one") for n in range(40, 50)],
            "one buyer complains ten times",
        ),
        (
            [complaint(n, 50 + n / 4, status="replied") for n in range(40, 50)],
            "ten replies are no complaint",
        ),
        ([complaint(n, 5 + 17 * (n - 40)) for n in range(40, 46)], "they come over the evening"),
    ],
)
def test_complaints_are_no_surge_where(events: list[Event], why: str) -> None:
    assert complaints_of(evening(events)) == [], why


def test_the_more_a_room_sold_the_more_complaints_are_normal() -> None:
    sold = [order(ROOM, 2_000 + n, at(20) + 1_000 * n) for n in range(1_800)]
    assert complaints_of(evening(sold, complaining())) == []


def test_complaints_kept_are_capped_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "recent_complaints", (4, ""))
    run = EmbeddedRun(1)
    run.feed(encoded(evening(complaining())))
    run.finish()
    assert run.partitions[0].evictions.counts["recent_complaints"] == 6


def test_a_share_starts_at_what_is_given_and_follows_what_is_learned() -> None:
    shares = Shares()
    assert shares.share("food", 0.02, 200) == pytest.approx(0.02)
    shares.learn("food", 200, 20)
    assert shares.share("food", 0.02, 200) == pytest.approx((0.02 * 200 + 20) / 400)
    assert shares.share("toys", 0.02, 200) == pytest.approx(0.02), "another category"


def test_a_share_stays_within_its_bounds_whatever_is_learned() -> None:
    shares = Shares()
    shares.learn("food", 100_000, 0)
    shares.learn("toys", 100_000, 100_000)
    assert shares.share("food", 0.02, 1) == LEAST_SHARE
    assert shares.share("toys", 0.02, 1) == GREATEST_SHARE


def test_categories_beyond_the_cap_are_counted_as_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "share_categories", (2, ""))
    shares = Shares()
    for number in range(9):
        shares.learn(f"category {number}", 10, 1)
        shares.happened(f"category {number}", START_MS, 10, 1)
    learned, minutes, _ = shares.snapshot()
    assert [row[0] for row in learned] == ["category 0", "category 1", ""]
    assert [row[0] for row in minutes[0][1]] == ["category 0", "category 1", ""]


def test_what_left_the_window_is_not_in_the_excess_and_a_restart_changes_nothing() -> None:
    shares = Shares()
    shares.happened("food", START_MS, 100, 50)
    shares.happened("food", START_MS + 10 * MINUTE_MS, 100, 0)
    own = Counts()
    assert shares.excess(lambda _: 0.1, "toys", own) == pytest.approx(53 / 23)
    shares.forget(START_MS + MINUTE_MS)
    assert shares.excess(lambda _: 0.1, "toys", own) == 1.0
    again = Shares()
    again.restore(shares.snapshot())
    assert again.snapshot() == shares.snapshot()
    assert again.excess(lambda _: 0.001, "toys", own) == shares.excess(lambda _: 0.001, "toys", own)


def test_a_detector_that_was_off_for_a_day_restarts_as_it_was() -> None:
    """Orders that are not remembered any more are in no checkpoint, and are not looked for."""
    off = {
        "type": "rules",
        "event_id": "off",
        "ts_ms": at(80),
        "version": 1,
        "rules": {"refund_surge": {"enabled": False}},
    }
    days_later = [order(ROOM, 9_000 + n, at(60 * 30 + n)) for n in range(3)]
    run = EmbeddedRun(1)
    run.feed(encoded(in_order(evening(faulty_batch()), [off], days_later)))
    suspicion = run.partitions[0].rooms[ROOM].suspicion
    assert suspicion is not None
    saved = suspicion.snapshot()
    again = run.partitions[0].detectors.of_a_room()
    again.restore(saved)
    assert again.snapshot() == saved
