"""What is told though nothing is wrong: a product has run out, a room has passed a round sum."""

import pytest

from schemas.rules import RuleSet
from streams.core import limits
from streams.embedded import EmbeddedRun
from tests.unit.attack import Event, encoded, in_order, opened
from tests.unit.signals import (
    ROOM,
    alerts_of,
    at,
    evening,
    great_order,
    product,
    run_out,
    sold,
)


def orders(count: int, first_minute: float, **more: object) -> list[Event]:
    return [sold(7_000 + n, first_minute + n / 10, **more) for n in range(count)]


def test_a_product_has_run_out_with_the_order_that_takes_the_last_piece() -> None:
    first, last = alerts_of(evening(run_out()), "stock_out")
    assert (first.product_id, first.severity, first.updated_ms) == ("p5", "info", at(30))
    assert (first.score, first.threshold) == (5, 5)
    (sign,) = first.evidence
    assert sign.orders == [f"{ROOM}-o5004"]
    assert "5 pieces were sold of the 5" in first.summary
    assert last.status == "resolved"


@pytest.mark.parametrize(
    ("events", "why"),
    [
        (orders(9, 26, product_id="p5"), "no stock was told"),
        (
            [product("p5", "stocked", 25, stock=5), *orders(4, 26, product_id="p5")],
            "a piece is left",
        ),
        (
            [
                product("p5", "listed", 25, stock=5),
                *orders(4, 26, product_id="p5"),
                product("p5", "stocked", 27, stock=5),
                *(sold(8_000 + n, 28 + n, product_id="p5") for n in range(4)),
            ],
            "it was stocked anew",
        ),
        (
            [
                product("p5", "stocked", 25, stock=2),
                product("p5", "delisted", 25.5),
                *orders(9, 26, product_id="p5"),
            ],
            "it was taken off, which is another matter",
        ),
    ],
)
def test_a_product_has_not_run_out_where(events: list[Event], why: str) -> None:
    assert alerts_of(evening(events), "stock_out") == [], why


def test_pieces_count_not_orders() -> None:
    events = [product("p5", "stocked", 25, stock=5), sold(7_000, 26, product_id="p5", quantity=7)]
    (first, _) = alerts_of(evening(events), "stock_out")
    assert (first.score, first.threshold) == (7, 5)


def test_a_stock_of_nothing_has_run_out_with_the_first_order() -> None:
    events = [product("p5", "stocked", 25, stock=0), sold(7_000, 26, product_id="p5")]
    (first, _) = alerts_of(evening(events), "stock_out")
    assert (first.score, first.threshold, first.evidence[0].observed) == (1, 0, 0.0)


def test_stocks_are_capped_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "stocked_products", (16, ""))
    told = [product(f"x{n}", "stocked", 10 + n / 10, stock=1) for n in range(100)]
    bought = [sold(3_000 + n, 30 + n / 10, product_id=f"x{n}") for n in range(100)]
    run = EmbeddedRun(1)
    run.feed(encoded(evening(told, bought)))
    raised = {alert.product_id for alert in run.finish().alerts if alert.kind == "stock_out"}
    assert raised == {f"x{n}" for n in range(84, 100)}
    assert run.partitions[0].evictions.counts["stocked_products"] == 84


def test_a_room_passes_ten_million_yuan_once() -> None:
    first, last = alerts_of(evening(great_order(), orders(5, 40)), "gmv_milestone")
    assert (first.severity, first.updated_ms, first.score) == ("info", at(33), 10_000_000)
    assert first.summary == f"Room {ROOM} has sold for 10,000,000 CNY, gross."
    assert first.money_minor > 1_000_000_000
    assert last.status == "resolved"


def test_each_milestone_is_told_and_one_order_may_pass_two() -> None:
    more = [sold(6_001, 50, amount_minor=9_000_000_000)]
    scores = [
        each.score
        for each in alerts_of(evening(great_order(), more), "gmv_milestone")
        if each.status != "resolved"
    ]
    assert scores == [10_000_000, 100_000_000]
    at_once = [sold(6_001, 50, amount_minor=20_000_000_000)]
    (first, _) = alerts_of(evening(at_once), "gmv_milestone")
    assert first.score == 100_000_000


def test_milestones_are_rules_and_in_major_units_of_the_currency() -> None:
    rules = RuleSet.model_validate({"gmv_milestone": {"milestones_major": [90_000]}})
    log = in_order(
        [{**opened(ROOM), "currency": "JPY"}, opened("neighbour")],
        orders(99, 10, amount_minor=1_000),
    )
    first, *_ = alerts_of(log, "gmv_milestone", rules=rules)
    assert first.updated_ms == at(10 + 8.9)
    assert alerts_of(in_order([opened(ROOM), opened("n")], orders(99, 10)), "gmv_milestone") == []
