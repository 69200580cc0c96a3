"""When does a product sell far above what its room is used to? And when is that nothing?"""

from typing import Any

import pytest

from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.pace import Pace
from streams.embedded import EmbeddedRun
from tests.unit.attack import Event, encoded, honest, in_order, opened, order
from tests.unit.signals import ROOM, alerts_of, at, bestseller, evening, product, sold

KIND = "hot_item"


def hot(events: list[Event], **more: Any) -> list[Any]:  # noqa: ANN401 - rules or nothing
    return alerts_of(events, KIND, **more)


def test_a_bestseller_is_told_once_with_what_is_usual_and_what_is_suspected() -> None:
    first, last = hot(evening(bestseller(first_minute=50)))
    assert (first.product_id, first.severity, first.started_ms) == ("p4", "info", at(50))
    assert (first.score, first.threshold, first.money_minor) == (50, 50.0, 50_000)
    of_orders, suspected = first.evidence
    # 5 of the room's others in the 5 minutes; before, one a minute and one more taken for granted
    usual = (45 + 1) / 45 * 5
    assert of_orders.observed == pytest.approx(50 / 55, abs=1e-4)
    assert of_orders.weight == pytest.approx(50 / usual, abs=1e-4)
    assert (of_orders.expected, suspected.observed) == (0.0, 0.0)
    assert "50 buyers in 5 minutes, where 5.1 orders are usual in the whole room" in first.summary
    assert first.summary.endswith("0 of the 50 orders (0%) are suspected of being brushed.")
    assert (last.status, last.alert_id) == ("resolved", first.alert_id)


def test_it_is_told_again_when_it_has_doubled() -> None:
    scores = [each.score for each in hot(evening(bestseller(260, 50)))]
    assert scores == [50, 100, 200, 200]


def test_orders_that_are_suspected_are_named_in_the_card() -> None:
    brushed = [
        sold(9_000 + n, 70 + n / 30, product_id="p4", device_id=f"d{n % 5}", payment_id=f"a{n % 5}")
        for n in range(130)
    ]
    told = hot(evening(brushed))
    *_, last = told
    (suspected,) = [each for each in last.evidence if each.signal == "suspected_orders"]
    assert suspected.observed > 0.5
    assert suspected.orders[0] == f"{ROOM}-o9000"
    assert f"({suspected.observed:.0%}) are suspected of being brushed." in last.summary


def coupon_rain() -> list[Event]:
    """Forty-five buyers within five minutes of a coupon."""
    return [sold(9_000 + n, 70 + n / 9, product_id="p4", account_age_days=2) for n in range(45)]


def flash_peak() -> list[Event]:
    """A product comes on and a hundred buy it within two minutes."""
    return [product("p4", "listed", 70), *bestseller(100, 70.2)]


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (coupon_rain(), "a coupon draws that many in any room"),
        (flash_peak(), "a product that was just listed has a peak"),
        (bestseller(60, 10), "after ten minutes nobody knows what is usual"),
        (
            [sold(9_000 + n, 70 + n / 99, product_id=f"p{n % 3}") for n in range(99)],
            "three products share them",
        ),
        (
            [
                sold(9_000 + n, 70 + n / 99, product_id="p4", buyer_id=f"b{n % 9}")
                for n in range(99)
            ],
            "nine buyers fill their carts",
        ),
    ],
)
def test_a_product_is_not_hot_where(events: list[Event], why: str) -> None:
    assert hot(evening(events)) == [], why


def test_what_still_sells_after_its_listing_peak_is_hot() -> None:
    assert hot(
        evening(
            flash_peak(),
            [sold(9_500 + n, 76 + n / 90, product_id="p4") for n in range(90)],
        )
    )


def test_a_room_that_always_sells_so_much_has_no_hot_item() -> None:
    rush = honest(ROOM, 1_200, every_ms=4_000)
    calm = [opened(ROOM), opened("neighbour")]
    assert hot(in_order(calm, rush)) == []


def test_when_everybody_sells_more_no_product_is_hot() -> None:
    """Midnight of a festival: ten times the usual orders in each room of the partition."""
    rooms = [f"room-{number}" for number in range(8)]
    calm = [opened(room) for room in rooms]
    usual = [event for room in rooms for event in honest(room, 90)]

    def rush(room: str) -> list[Event]:
        return [order(room, 3_000 + n, at(70 + n / 40), product_id="p4") for n in range(120)]

    alone = in_order(calm, usual, rush(rooms[0]))
    together = in_order(calm, usual, *(rush(room) for room in rooms))

    def raised(log: list[Event]) -> list[str | None]:
        run = EmbeddedRun(1)
        run.feed(encoded(log))
        return [each.room_id for each in run.finish().alerts if each.kind == KIND]

    assert set(raised(alone)) == {rooms[0]}
    assert raised(together) == []


def test_what_is_usual_is_not_known_while_it_was_off() -> None:
    def rules(minute: float, *, enabled: bool) -> Event:
        return {
            "type": "rules",
            "event_id": f"rules-{minute}",
            "ts_ms": at(minute),
            "version": 1,
            "rules": {KIND: {"enabled": enabled}},
        }

    off_and_on = [rules(5, enabled=False), rules(69, enabled=True)]
    assert hot(evening(bestseller(), off_and_on)) == []


def test_its_gates_are_rules() -> None:
    few = RuleSet.model_validate({KIND: {"buyers": 20}})
    many = RuleSet.model_validate({KIND: {"times": 30}})
    assert hot(evening(coupon_rain()), rules=few)
    assert hot(evening(bestseller()), rules=many) == []


def test_listed_products_are_capped_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "listed_products", (16, ""))
    run = EmbeddedRun(1)
    run.feed(encoded(evening([product(f"x{n}", "listed", 10 + n / 10) for n in range(100)])))
    run.finish()
    assert run.partitions[0].evictions.counts["listed_products"] == 84


def test_a_window_is_no_longer_than_the_orders_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "scored_orders", (16, ""))
    assert hot(evening(bestseller())) == []


def test_a_pace_keeps_the_minutes_that_are_asked_about() -> None:
    pace = Pace()
    assert (pace.known(10, 5), pace.mean(10, 5)) == (0, 0.0)
    for minute in (3, 3, 5, 9):
        pace.add(minute, 5)
    assert (pace.between(0, 10), pace.between(5, 9)) == (2, 1)
    assert (pace.known(10, 5), pace.known(10, 9), pace.known(2, 9)) == (5, 7, 0)
    again = Pace()
    again.restore(pace.snapshot())
    assert again.snapshot() == pace.snapshot()
