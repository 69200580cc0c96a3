"""Rooms beside each other: small evenings by hand, and the page that explains every figure."""

# ruff: noqa: ANN401 - rows of a report have no common type

from typing import Any

from producers.generator import Wanted, generate
from streams.core.market.dictionary import SECTIONS
from streams.embedded import EmbeddedRun, Results
from streams.result_files import compared
from tests.unit.attack import MINUTE_MS, START_MS, Event, encoded, in_order, opened, order, view
from tests.unit.signals import at, product, refund


def results(*events: Event, rooms: tuple[str, ...] = ("one", "two")) -> Results:
    """What a session comes to in which event time goes on in steps that are believed."""
    run = EmbeddedRun()
    minutes = max((each["ts_ms"] - START_MS) // MINUTE_MS for each in events)
    ticks = [tick(9 * number) for number in range(1, minutes // 9 + 1)]
    run.feed(encoded(in_order([opened(room) for room in rooms], ticks, events)))
    return run.finish()


def tick(minutes: float) -> Event:
    return {"type": "tick", "event_id": f"tick-{minutes}", "ts_ms": at(minutes)}


def files(*events: Event, rooms: tuple[str, ...] = ("one", "two")) -> Any:
    return compared(results(*events, rooms=rooms))


def sold(room: str, number: int, minutes: float, product_id: str, **fields: object) -> Event:
    return order(room, number, at(minutes), product_id=product_id, **fields)


def test_concentration_is_one_where_all_sell_one_thing_and_a_share_where_they_differ() -> None:
    (hour,) = files(sold("one", 1, 1, "p1"), sold("two", 2, 2, "p1"))["sameness.json"]["hours"]
    assert (hour["product_count"], hour["product_hhi"], hour["room_hhi"]) == (1, 1.0, 0.5)
    (hour,) = files(sold("one", 1, 1, "p1"), sold("two", 2, 2, "p2"))["sameness.json"]["hours"]
    assert (hour["product_count"], hour["product_hhi"]) == (2, 0.5)
    assert hour["category_count"] == 1


def test_concentration_of_money_and_of_orders_differ() -> None:
    dear = sold("one", 1, 1, "p1", amount_minor=9_000)
    (hour,) = files(dear, sold("two", 2, 2, "p2", amount_minor=1_000))["sameness.json"]["hours"]
    assert (hour["product_hhi"], hour["product_hhi_orders"]) == (0.82, 0.5)


def test_what_costs_nothing_has_no_concentration_of_money() -> None:
    (hour,) = files(sold("one", 1, 1, "p1", amount_minor=0))["sameness.json"]["hours"]
    assert (hour["product_hhi"], hour["product_hhi_orders"]) == (None, 1.0)


def test_the_rooms_that_sell_the_same_in_one_hour_are_named() -> None:
    found = files(
        sold("one", 1, 1, "p1"),
        sold("two", 2, 2, "p1"),
        sold("two", 3, 3, "p1"),
        sold("one", 4, 4, "p2"),
        sold("two", 5, 200, "p2"),
    )["sameness.json"]
    (row,) = found["shared"]
    assert (row["product_id"], row["orders"], row["rooms"]) == ("p1", 3, ["two", "one"])
    first, second = found["hours"]
    assert (first["shared_orders"], first["shared_share"]) == (3, 0.75)
    assert (second["shared_orders"], second["shared_share"]) == (0, 0.0)


def goods(room: str, product_id: str, action: str, minutes: float, **more: object) -> Event:
    return {**product(product_id, action, minutes, **more), "room_id": room}


def test_sell_through_is_what_was_sold_of_the_most_that_was_there() -> None:
    (row,) = files(
        goods("one", "p1", "listed", 0, stock=10),
        *(sold("one", n, n, "p1") for n in range(1, 5)),
        goods("one", "p1", "delisted", 8),
        sold("one", 9, 60, "p1"),
    )["supply.json"]["stock"]
    assert (row["stock"], row["units"], row["sell_through"]) == (10, 5, 0.5)
    assert (row["on_sale_ms"], row["units_per_minute"]) == (8 * MINUTE_MS, 0.625)
    assert row["stock_out_ms"] is None


def test_a_stock_that_ran_out_tells_when_and_how_long_it_lasted() -> None:
    (row,) = files(
        goods("one", "p1", "listed", 0, stock=9),
        goods("one", "p1", "stocked", 5, stock=3),
        *(sold("one", n, 6 + n, "p1") for n in range(1, 6)),
    )["supply.json"]["stock"]
    assert (row["stock_out_ms"], row["stock_lasted_ms"]) == (at(9), 4 * MINUTE_MS)


def test_the_first_hour_of_a_product_is_told_of_the_room_that_had_it_first() -> None:
    shown = {"type": "exposure", "impressions": 40, "product_id": "p1", "room_id": "one"}
    found = files(
        goods("one", "p1", "listed", 0),
        {**shown, "event_id": "x1", "ts_ms": at(1)},
        {**view("one", "v1", at(2), "click"), "product_id": "p1"},
        {**view("one", "v2", at(3), "click"), "product_id": "p1"},
        sold("one", 1, 4, "p1", quantity=2),
        {**refund(1, 30), "room_id": "one", "order_id": "one-o1"},
        sold("one", 2, 80, "p1"),
        sold("two", 3, 5, "p1"),
    )
    (row,) = found["supply.json"]["trials"]
    assert (row["room_id"], row["impressions"], row["clicks"], row["orders"]) == ("one", 40, 2, 1)
    assert (row["click_rate"], row["order_rate"], row["units"]) == (0.05, 0.5, 2)
    assert (row["refunds"], row["refunds_per_order"], row["provisional"]) == (1, 1.0, False)
    (young,) = files(goods("one", "p1", "listed", 0))["supply.json"]["trials"]
    assert young["provisional"]


def test_a_planted_price_war_is_measured_turn_by_turn_and_no_other() -> None:
    session = generate("price_war", 7, wanted=Wanted(audience=0.1))
    run = EmbeddedRun()
    run.feed(list(session))
    found: Any = compared(run.finish())
    (war,) = found["supply.json"]["price_wars"]
    (planted,) = [each for each in session.truth.incidents if each.kind == "price_war"]
    assert war["price_war"]
    assert war["product_id"] == planted.more["product_id"]
    assert war["rooms"] == sorted(planted.more["rooms"])
    assert [turn["price_minor"] for turn in war["first_turns"]] == planted.more["prices_minor"]
    assert (war["started_ms"], war["ended_ms"]) == (planted.started_ms, planted.ended_ms)


def test_a_room_that_sells_least_of_its_kind_is_told_its_worst_metric() -> None:
    shows = [
        event
        for room, orders in (("one", 1), ("two", 4), ("three", 6))
        for n in range(6)
        for event in (
            view(room, f"{room}-{n}", at(4 + n)),
            *([sold(room, n, 4 + n, "p1")] if n < orders else []),
        )
    ]
    found = files(*shows, tick(11), rooms=("one", "two", "three"))["benchmark.json"]["rooms"]
    one, three, two = found
    assert (one["rooms_of_kind"], one["worst_metric"]) == (3, "gross_minor")
    of_one = {each["metric"]: each for each in one["metrics"]}
    assert (of_one["orders"]["last"], of_one["orders"]["median_of_kind"]) == (1, 4)
    assert (of_one["orders"]["percentile"], of_one["orders"]["against_median"]) == (0.0, -0.75)
    assert of_one["visits"]["percentile"] == 0.5, "all have as many"
    of_two = {each["metric"]: each for each in two["metrics"]}
    assert (of_two["orders"]["percentile"], of_two["orders"]["change"]) == (0.5, None)
    assert three["worst_metric"] == "visits"


def test_every_figure_is_explained_in_its_order() -> None:
    mine = {**opened("three"), "mcn_id": "agency"}
    war = [
        goods(("one", "two")[turn % 2], "p1", "priced", 10 + turn, price_minor=10_000 - 700 * turn)
        for turn in range(5)
    ]
    sales = [sold("one", 1, 1, "p1", merchant_id="m"), sold("two", 2, 2, "p1")]
    found = files(mine, goods("one", "p1", "listed", 0), *sales, *war)
    for section in SECTIONS:
        names = [figure.name for figure in section.figures]
        for name in section.names:
            assert found[section.file][name], "a row to look at"
            for row in found[section.file][name]:
                assert list(row) == names, (section.file, name)
    explained = {(each.file, name) for each in SECTIONS for name in each.names}
    assert explained == {
        (file, name) for file, sections in found.items() for name in sections if name != "formula"
    }
