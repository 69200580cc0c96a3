"""Live figures of the market equal the files of the log; views may come twice and in any order."""

from dataclasses import replace
from random import Random
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import records
from schemas.details import SoldHour
from schemas.records import Version
from schemas.rules import DEFAULT_RULES
from streams.core import limits
from streams.core.market import agencies, measures
from streams.core.market.live import LiveMarket, MarketView, market_view
from streams.core.market.sold_hours import HOUR_MS
from streams.core.newest import Newest
from streams.embedded import Results
from streams.result_files import compared
from tests.oracle.contract import Event
from tests.oracle.malformed import encode
from tests.oracle.strategies import ordered_logs
from tests.property.running import run_embedded
from tests.unit.making import figures

EXAMPLES = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def as_of(results: Results) -> int | None:
    marks = (each.watermark_ms for each in results.progress)
    return min((mark for mark in marks if mark is not None), default=None)


def fed(results: Results, random: Random) -> LiveMarket:
    """Some views come twice, none in its order, and views are taken on the way."""
    market, newest = LiveMarket(), results.newest
    steps: list[Any] = [
        *((market.newest.apply_room, each) for each in newest.rooms.values()),
        *((market.newest.apply_product, each) for each in newest.products),
        *((market.newest.apply_detail, each) for each in newest.details),
        *((market.apply_minute, each) for each in results.minutes),
    ]
    steps += random.choices(steps, k=len(steps) // 4) if steps else []
    random.shuffle(steps)
    end_ms = as_of(results)
    for at, (apply, each) in enumerate(steps):
        apply(each)
        if end_ms is not None and at % 40 == 0:
            market.stand(end_ms - 10_000_000 + at)
    return market


def plain(rows: list[Any] | dict[str, Any]) -> object:
    return msgspec.json.decode(records.encode(rows))


def without_stickiness(results: Results) -> dict[str, Any]:
    """The files of the same log, as if nobody were known to have come back."""
    return compared(replace(results, stickiness={"rooms": [], "hosts": []}))


@EXAMPLES
@given(ordered_logs(), st.integers(1, 4), st.integers(0, 99))
def test_live_figures_are_those_of_the_files(
    events: list[Event], partitions: int, seed: int
) -> None:
    log = [encode(event) for event in events]
    results = run_embedded(log, partitions=partitions, rules=DEFAULT_RULES)
    market = fed(results, Random(seed))
    seen = market_view(market.stand(as_of(results)), results.alerts, DEFAULT_RULES)
    files = without_stickiness(results)
    assert plain(seen.agencies) == plain(files["agencies.json"]["agencies"])
    assert plain(dict(seen.credit)) == plain(files["credit.json"])
    assert plain(seen.benchmark) == plain(files["benchmark.json"]["rooms"])
    assert plain(seen.trials) == plain(files["supply.json"]["trials"])
    hour_ms = (as_of(results) or 0) // HOUR_MS * HOUR_MS
    lately = [row for row in files["sameness.json"]["hours"] if row["hour_ms"] >= hour_ms - HOUR_MS]
    assert plain(seen.hours) == plain(lately)


@EXAMPLES
@given(ordered_logs())
def test_what_both_know_of_credit_has_the_same_points(events: list[Event]) -> None:
    log = [encode(event) for event in events]
    results = run_embedded(log, rules=DEFAULT_RULES)
    seen = market_view(fed(results, Random(1)).stand(as_of(results)), results.alerts, DEFAULT_RULES)
    whole = compared(results)["credit.json"]
    for scope in measures.SCOPES:
        for live, of_file in zip(seen.credit[scope], whole[scope], strict=True):
            assert "stickiness" in live["missing"]
            known = [part for part in of_file["parts"] if part["part"] != "stickiness"]
            assert [part for part in live["parts"] if part["part"] != "stickiness"] == known


def test_a_view_does_not_change_with_what_comes_later() -> None:
    market = LiveMarket()
    market.newest.apply_room(figures("r", mcn_id="m", currency="CNY", orders=1))
    stand = market.stand(None)
    market.newest.apply_room(figures("r", offset=2, mcn_id="m", currency="CNY", orders=5))
    (row,) = market_view(stand, (), DEFAULT_RULES).agencies
    assert row["orders"] == 1


def test_hours_that_growth_does_not_look_at_are_dropped_and_the_first_is_kept() -> None:
    def sold(hour: int) -> SoldHour:
        return SoldHour(Version(0, 1), "r", "p", None, hour * HOUR_MS, 1, 1, 100)

    newest = Newest()
    for hour in range(1_000):
        newest.apply_detail(sold(hour))
    newest.drop_hours(990 * HOUR_MS)
    assert sorted(each.hour_ms // HOUR_MS for each in newest.of_kind(SoldHour)) == [
        0,
        *range(990, 1_000),
    ]


def test_a_full_map_gives_up_the_oldest_hours_and_growth_with_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(limits.CAPS, "market_hours", (100, limits.CAPS["market_hours"][1]))
    market = LiveMarket()
    market.newest.apply_room(figures("r", mcn_id="m", currency="CNY", orders=1))
    week = agencies.WEEK_MS // HOUR_MS
    for hour in range(1, 3 * week):
        sold = SoldHour(Version(0, 1), "r", "p", None, hour * HOUR_MS, 1, 1, 100)
        market.newest.apply_detail(sold)
    stand = market.stand((3 * week - 1) * HOUR_MS)
    kept = sorted(each.hour_ms // HOUR_MS for each in stand.newest.of_kind(SoldHour))
    assert kept == list(range(3 * week - 100, 3 * week))
    seen = market_view(stand, (), DEFAULT_RULES)
    # of three weeks less an hour two were kept, and a view of the first hour
    assert seen.evicted == {"market_hours": 2 * week + 1 - 100}
    assert seen.agencies[0]["growth"] is None


def test_growth_is_told_of_a_log_of_many_weeks_of_which_most_was_dropped() -> None:
    market = LiveMarket()
    market.newest.apply_room(figures("r", mcn_id="m", currency="CNY", orders=1))
    week = agencies.WEEK_MS // HOUR_MS
    for hour in range(1, 6 * week):
        sold = SoldHour(Version(0, 1), "r", "p", None, hour * HOUR_MS, 1, 1, 100 + hour // week)
        market.newest.apply_detail(sold)
        if hour % 50 == 0:
            market.stand(hour * HOUR_MS)
    (row,) = market_view(market.stand((6 * week - 1) * HOUR_MS), (), DEFAULT_RULES).agencies
    assert row["growth"] == round(105 / 104 - 1, 4)


def test_nothing_is_known_before_the_first_event() -> None:
    seen = market_view(LiveMarket().stand(None), (), DEFAULT_RULES)
    assert seen == MarketView(credit=seen.credit)
    assert not any(seen.credit[scope] for scope in measures.SCOPES)
