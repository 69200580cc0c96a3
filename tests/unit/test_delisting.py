"""When is a product that was taken off suspected to be sold on?"""

import pytest

from streams.core import limits
from streams.embedded import EmbeddedRun
from tests.unit.attack import Event, encoded
from tests.unit.signals import (
    ROOM,
    alerts_of,
    at,
    delisted_and_sold_on,
    evening,
    product,
    sold,
)

KIND = "sale_after_delisting"


def orders(count: int, first_minute: float, product_id: str = "p9") -> list[Event]:
    return [sold(3_000 + n, first_minute + n / 10, product_id=product_id) for n in range(count)]


def test_the_third_order_of_a_product_that_was_taken_off_raises_it() -> None:
    alerts = alerts_of(evening(delisted_and_sold_on()), KIND)
    first = alerts[0]
    assert (first.room_id, first.product_id, first.severity) == (ROOM, "p9", "review")
    assert (first.started_ms, first.updated_ms) == (at(22), at(24))
    assert (first.score, first.threshold, first.money_minor) == (3, 3, 3_000)
    (sign,) = first.evidence
    assert sign.orders == [f"{ROOM}-o{number}" for number in (2_000, 2_001, 2_002)]
    assert "product p9 was taken off and sold 3 more times" in first.summary


def test_it_ends_after_half_an_hour_without_another_sale() -> None:
    first, *_, last = alerts_of(evening(delisted_and_sold_on()), KIND)
    assert last.status == "resolved"
    assert last.updated_ms == at(25 + 30)
    assert last.alert_id == first.alert_id
    assert last.summary.startswith("Ended")


def test_it_is_told_again_when_twice_as_many_were_sold() -> None:
    log = evening([product("p9", "delisted", 20)], orders(12, 22))
    assert [alert.score for alert in alerts_of(log, KIND)] == [3, 6, 12, 12]


def test_what_is_sold_after_the_quiet_is_another_incident() -> None:
    later = [sold(4_000 + n, 50 + n, product_id="p9") for n in range(3)]
    alerts = alerts_of(evening([product("p9", "delisted", 10)], orders(3, 12), later), KIND)
    assert len({alert.alert_id for alert in alerts}) == 2
    assert [alert.status for alert in alerts] == ["firing", "resolved"] * 2


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (orders(9, 22), "the product was never taken off"),
        ([product("p9", "delisted", 20), *orders(2, 22)], "two orders are a slip"),
        ([product("p9", "delisted", 20), *orders(9, 20.01)], "they were on their way"),
        ([product("p9", "delisted", 20), *orders(9, 22, "p1")], "another product is sold"),
        (
            [product("p9", "delisted", 20), product("p9", "listed", 21), *orders(9, 22)],
            "it is on sale again",
        ),
    ],
)
def test_it_is_silent_on_what_only_looks_like_it(events: list[Event], why: str) -> None:
    assert alerts_of(evening(events), KIND) == [], why


def test_products_taken_off_are_capped_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "delisted_products", (16, ""))
    off = [product(f"x{number}", "delisted", 10 + number / 10) for number in range(100)]
    late = [sold(3_000 + n, 30 + n / 10, product_id=f"x{n // 3}") for n in range(300)]
    run = EmbeddedRun(1)
    run.feed(encoded(evening(off, late)))
    raised = {alert.product_id for alert in run.finish().alerts if alert.kind == KIND}
    assert raised == {f"x{number}" for number in range(84, 100)}
    assert run.partitions[0].evictions.counts["delisted_products"] == 84
