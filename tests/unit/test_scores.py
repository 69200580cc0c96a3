"""Agencies and credit: what one order, a brushed evening, a week of growth and a rule file do."""

# ruff: noqa: ANN401 - rows of a report have no common type

from typing import Any

import pytest
from pydantic import ValidationError

from producers.generator import generate
from producers.generator.ranking import AGENCIES
from schemas.details import SoldHour
from schemas.records import Version
from schemas.rules import DEFAULT_RULES, RuleSet
from schemas.score_rules import MeasureRule
from streams.core.market.agencies import agencies
from streams.core.market.measures import Known
from streams.core.market.sold_hours import HOUR_MS
from streams.embedded import EmbeddedRun
from streams.result_files import compared
from tests.unit.attack import (
    MINUTE_MS,
    Event,
    burst,
    encoded,
    honest,
    in_order,
    opened,
    order,
    view,
)
from tests.unit.making import figures
from tests.unit.signals import ROOM, at, complaint, refund

HOUR = 60
DAY = 24 * HOUR


def files(*parts: Any, rules: RuleSet | None = None) -> Any:
    run = EmbeddedRun(rules=rules)
    run.feed(encoded(in_order(*parts)))
    return compared(run.finish())


def of_agency(room_id: str, agency: str, **more: object) -> Event:
    return {**opened(room_id), "mcn_id": agency, **more}


def row(rows: list[Any], key: str) -> Any:
    (one,) = [each for each in rows if key in (each.get("key"), each.get("mcn_id"))]
    return one


def measure(scored: Any, name: str) -> Any:
    (one,) = [m for part in scored["parts"] for m in part["measures"] if m["measure"] == name]
    return one


def ticks(days: float) -> list[Event]:
    """Event time goes on in steps that are believed."""
    return [
        {"type": "tick", "event_id": f"t{minute}", "ts_ms": at(minute)}
        for minute in range(0, int(days * DAY), 30)
    ]


def test_one_bad_order_decides_nothing_and_many_do() -> None:
    host = f"host of {ROOM}"
    few = files([opened(ROOM)], [order(ROOM, 1, at(1))], [refund(1, 5), complaint(1, 6)])
    one = row(few["credit.json"]["hosts"], host)
    assert one["score"] > 85, "one order of one is complained of"
    assert (measure(one, "complaints")["count"], measure(one, "complaints")["base"]) == (0, 1)
    sold = [order(ROOM, n, at(n)) for n in range(1, 101)]
    many = files(
        [opened(ROOM)], sold, [refund(n, n + 5, reason="not_as_described") for n in range(1, 101)]
    )
    assert row(many["credit.json"]["hosts"], host)["score"] < one["score"] - 5
    part = measure(row(many["credit.json"]["hosts"], host), "quality_refunds")
    assert (part["count"], part["base"], part["rate"], part["points"]) == (100, 100, 1.0, 0.0)


def test_points_are_the_straight_line_of_the_shrunk_rate() -> None:
    host = row(files([opened(ROOM)], honest(ROOM, 100))["credit.json"]["hosts"], f"host of {ROOM}")
    part = measure(host, "suspected_orders")
    shrunk = 0.005 * 200 / 300
    assert part["shrunk"] == round(shrunk, 4)
    assert part["points"] == pytest.approx(100 * (0.1 - shrunk) / 0.1, abs=0.05)


def test_brushed_orders_cost_credit_and_places_and_honest_neighbours_keep_theirs() -> None:
    neighbours = [of_agency(f"n{n}", "fair") for n in range(6)]
    found = files(
        [of_agency("a", "brushing"), *neighbours],
        honest("a", 60),
        burst("a", 60),
        *(honest(f"n{n}", 60) for n in range(6)),
    )
    scores = found["credit.json"]["mcns"]
    cheat, fair = row(scores, "brushing"), row(scores, "fair")
    assert measure(cheat, "suspected_orders")["count"] >= 30
    assert measure(cheat, "integrity_alerts")["count"] == 1
    assert measure(fair, "integrity_alerts")["count"] == 0
    assert cheat["score"] < fair["score"] - 20
    board = row(found["agencies.json"]["agencies"], "brushing")
    assert board["suspected_share"] > 0.2
    assert board["trusted_minor"] < board["gross_minor"]
    assert board["integrity_alerts"] == 1


def test_what_is_not_known_is_named_and_weighs_nothing() -> None:
    sold = order(ROOM, 1, at(1), merchant_id="m")
    merchant = row(files([opened(ROOM)], [sold])["credit.json"]["merchants"], "m")
    assert merchant["missing"] == ["stickiness"]
    assert merchant["score"] > 90
    empty = row(files([opened(ROOM)])["credit.json"]["hosts"], f"host of {ROOM}")
    assert empty["missing"] == ["after_sales", "stickiness"]


def test_who_comes_back_is_asked_of_later_rooms_only() -> None:
    one, other = opened("one"), {**opened("other", at(2 * DAY)), "host_id": "host of one"}
    seen = [view("one", f"v{n}", at(1)) for n in range(4)]
    again = [view("other", f"v{n}", at(2 * DAY + 1)) for n in range(2)]
    sold = [order("one", 1, at(2)), order("other", 1, at(2 * DAY + 2), buyer_id="one-b1")]
    host = row(
        files([one, other], seen, again, sold, ticks(2.1))["credit.json"]["hosts"], "host of one"
    )
    returning, repeat = measure(host, "returning_viewers"), measure(host, "repeat_buyers")
    assert (returning["count"], returning["base"]) == (2, 2)
    assert (repeat["count"], repeat["base"]) == (1, 1)
    first = row(files([one], seen)["credit.json"]["hosts"], "host of one")
    assert "stickiness" in first["missing"]


def test_growth_is_of_a_week_on_the_one_before_and_not_told_without_it() -> None:
    sales = [
        order(ROOM, number, at(days * DAY + 30), amount_minor=amount_minor)
        for number, (days, amount_minor) in enumerate(((0, 5), (3, 1_000), (9, 1_500)))
    ]
    agency = [of_agency(ROOM, "a")]
    whole = row(files(agency, sales, ticks(15))["agencies.json"]["agencies"], "a")
    assert (whole["week_gross_minor"], whole["week_before_gross_minor"]) == (1_500, 1_000)
    assert whole["growth"] == 0.5
    assert [part["points"] for part in whole["parts"] if part["part"] == "growth"] == [100.0]
    short = row(files(agency, sales[1:], ticks(10))["agencies.json"]["agencies"], "a")
    assert short["growth"] is None
    assert [part["points"] for part in short["parts"] if part["part"] == "growth"] == [None]


def test_trusted_growth_is_of_the_weeks_without_suspected_orders() -> None:
    day_ms = 24 * HOUR_MS
    as_of_ms = 100 * day_ms
    hours = [
        SoldHour(Version(0, 1), "r", "p", None, as_of_ms - days * day_ms, 2, 2, *money)
        for days, money in ((20, (5, 0, 0)), (9, (1_000, 1, 400)), (2, (1_500, 1, 900)))
    ]
    found = agencies(
        {"r": figures("r", mcn_id="a", currency="CNY")},
        hours,
        as_of_ms,
        known={("mcns", "a"): Known()},
        after_sales={},
        credits_={},
        rules=DEFAULT_RULES.development,
    )
    (only,) = found["agencies"]
    assert (only["growth"], only["growth_trusted"]) == (0.5, 0.0)


def test_an_agency_has_a_row_and_a_place_in_each_currency() -> None:
    rooms = [of_agency("a", "x"), of_agency("b", "x", currency="USD"), of_agency("c", "y")]
    sold = [order("a", 1, at(1)), order("b", 2, at(2)), order("c", 3, at(3), amount_minor=2_000)]
    rows = files(rooms, sold)["agencies.json"]["agencies"]
    assert [(r["mcn_id"], r["currency"], r["rank_gross"], r["gross_minor"]) for r in rows] == [
        ("x", "CNY", 2, 1_000),
        ("x", "USD", 1, 1_000),
        ("y", "CNY", 1, 2_000),
    ]
    assert [(r["hosts"], r["rooms"]) for r in rows] == [(1, 1)] * 3


def test_formulas_are_rules_and_stand_beside_what_they_made() -> None:
    rules = RuleSet.model_validate(
        {
            "credit": {"formula": "ours", "weights": {"integrity": 0, "stickiness": 0}},
            "development": {"formula": 2, "size": 0, "breadth": 0, "growth": 0},
        }
    )
    found = files([of_agency(ROOM, "a")], honest(ROOM, 10), rules=rules)
    formula = found["credit.json"]["formula"]
    assert (formula["formula"], formula["weights"]["integrity"]) == ("ours", 0)
    scored = row(found["credit.json"]["mcns"], "a")
    known = [part["points"] for part in scored["parts"] if part["weight"]]
    weights = [part["weight"] for part in scored["parts"] if part["weight"]]
    mean = sum(p * w for p, w in zip(known, weights, strict=True)) / sum(weights)
    assert scored["score"] == pytest.approx(mean, abs=0.05)
    board = found["agencies.json"]
    assert board["formula"]["formula"] == 2
    assert board["agencies"][0]["index"] == scored["score"]


def test_a_measure_without_a_slope_is_refused() -> None:
    with pytest.raises(ValidationError, match="same rate"):
        MeasureRule(usual=0.1, prior=1, full=0.5, none=0.5)


def test_the_published_ranking_of_agencies_comes_back_by_gross() -> None:
    run = EmbeddedRun()
    run.feed(list(generate("table1", 7, events=20_000)))
    board = compared(run.finish())["agencies.json"]["agencies"]
    assert len(board) == len(AGENCIES)
    assert all(0 < each["index"] <= 100 for each in board)
    assert sorted(each["rank_index"] for each in board) == list(range(1, len(board) + 1))
    largest = min(board, key=lambda each: each["rank_gross"])
    assert largest["mcn_id"] == "mcn-to-make-friends"
    assert MINUTE_MS == 60_000
