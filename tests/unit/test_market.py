"""Rooms beside each other: small evenings by hand, and the page that explains every figure."""

# ruff: noqa: ANN401 - rows of a report have no common type

from typing import Any

from streams.core.market.dictionary import SECTIONS
from streams.core.market.whole import market_files
from streams.embedded import EmbeddedRun, Results
from tests.unit.attack import MINUTE_MS, START_MS, Event, encoded, in_order, opened, order
from tests.unit.signals import at


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
    return market_files(results(*events, rooms=rooms).newest)


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


def test_every_figure_is_explained_in_its_order() -> None:
    found = files(sold("one", 1, 1, "p1"), sold("two", 2, 2, "p1"))
    for section in SECTIONS:
        names = [figure.name for figure in section.figures]
        for row in found[section.file][section.name]:
            assert list(row) == names, (section.file, section.name)
    assert {(each.file, each.name) for each in SECTIONS} == {
        (file, name) for file, sections in found.items() for name in sections
    }
