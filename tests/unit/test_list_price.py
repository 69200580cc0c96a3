"""When is a list price suspected to have been raised to be discounted from?"""

import pytest

from streams.core import limits
from streams.embedded import EmbeddedRun
from tests.unit.attack import Event, encoded
from tests.unit.signals import ROOM, alerts_of, at, evening, inflated, product, sold

KIND = "list_price_inflation"
RAISE = [
    product("p8", "listed", 35, list_minor=1_000),
    product("p8", "priced", 40, list_minor=2_000),
]


def orders(count: int, first: float, amount_minor: int = 400, **more: object) -> list[Event]:
    return [
        sold(8_000 + n, first + n / 2, product_id="p8", amount_minor=amount_minor, **more)
        for n in range(count)
    ]


def test_the_third_order_at_a_fifth_of_a_doubled_price_raises_it() -> None:
    first, *_, last = alerts_of(evening(inflated()), KIND)
    assert (first.room_id, first.product_id, first.severity) == (ROOM, "p8", "review")
    assert (first.started_ms, first.updated_ms, first.score) == (at(41), at(43), 3)
    assert first.money_minor == 1_200
    assert "raised by 100%" in first.summary
    assert "3 of 3 orders" in first.summary
    (sign,) = first.evidence
    assert sign.orders == [f"{ROOM}-o{n}" for n in (8_000, 8_001, 8_002)]
    assert last.status == "resolved"


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (orders(9, 41), "no list price was told"),
        ([RAISE[0], *orders(9, 41, 300)], "the discount is from a price that was not raised"),
        ([*RAISE, *orders(9, 41, 1_100)], "buyers pay more than half of it"),
        ([*RAISE, *orders(2, 41)], "two orders are a slip"),
        ([*RAISE, *orders(9, 36)[:6]], "they were paid before the raise"),
        ([*RAISE, *orders(9, 41, 2_200, quantity=2)], "two pieces cost twice as much"),
        (
            [RAISE[0], product("p8", "priced", 40, list_minor=1_050), *orders(9, 41, 300)],
            "a twentieth is a correction",
        ),
        (
            [*RAISE, product("p8", "priced", 40.5, list_minor=1_000), *orders(9, 41)],
            "the price was taken back",
        ),
    ],
)
def test_it_is_silent_on_what_only_looks_like_it(events: list[Event], why: str) -> None:
    assert alerts_of(evening(events), KIND) == [], why


def test_a_raise_of_two_days_ago_is_the_price() -> None:
    ticks = [
        {"type": "tick", "event_id": f"t{n}", "ts_ms": at(95 + 9 * n)} for n in range(60 * 26 // 9)
    ]
    late = orders(9, 95 + 60 * 25)
    assert alerts_of(evening(RAISE, ticks, late), KIND) == []
    assert alerts_of(evening(RAISE, ticks, orders(9, 95 + 60 * 20)), KIND)


def test_products_with_a_list_price_are_capped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "list_prices", (16, ""))
    told = [product(f"x{n}", "listed", 10 + n / 10, list_minor=100) for n in range(100)]
    run = EmbeddedRun(1)
    run.feed(encoded(evening(told)))
    run.finish()
    assert run.partitions[0].evictions.counts["list_prices"] == 84
