"""The files that compare rooms equal a naive count, and depend on the log alone."""

# ruff: noqa: ANN401 - JSON values have no common type

from statistics import median_low
from typing import Any, Final

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import records
from schemas.clock import MAX_JUMP_MS
from schemas.detector_rules import DetectorRules
from schemas.records import ProductMark, RoomFigures, RoomMinute
from streams.core.market.benchmark import benchmark
from streams.core.market.price_wars import by_goods, price_wars
from streams.core.market.supply import supply
from streams.core.newest import Newest
from streams.embedded import EmbeddedRun, Results, in_order_of_marks
from streams.result_files import compared
from tests.oracle.contract import Event
from tests.oracle.malformed import encode
from tests.oracle.market import benchmark_of, exchanges_of, sameness_of, stock_of, trials_of
from tests.oracle.retention import rooms_in
from tests.oracle.scores import agencies_of, credit_of
from tests.oracle.strategies import adversarial_logs, ordered_logs, shuffled_logs
from tests.property.running import NO_SUSPICION, plain, run_embedded
from tests.unit.attack import attacked_log, encoded
from tests.unit.making import figures

# The recount knows of no alert: every detector is off.
NO_ALERTS: Final = NO_SUSPICION.model_copy(
    update={
        name: rules.model_copy(update={"enabled": False})
        for name, rules in NO_SUSPICION
        if isinstance(rules, DetectorRules)
    }
)
EXAMPLES = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def files_of(results: Results) -> dict[str, Any]:
    return {
        name: msgspec.json.decode(records.encode(each)) for name, each in compared(results).items()
    }


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_sameness_is_a_count_over_all_orders(log: list[bytes], partitions: int) -> None:
    mine = files_of(run_embedded(log, partitions=partitions))["sameness.json"]
    assert mine == sameness_of(rooms_in(log, partitions))
    for row in mine["hours"]:
        assert row["room_hhi_orders"] <= 1
        assert row["product_hhi_orders"] * row["product_count"] >= 0.999


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_scores_are_the_published_formula_over_counts(log: list[bytes], partitions: int) -> None:
    rooms = rooms_in(log, partitions)
    mine = files_of(run_embedded(log, partitions=partitions, rules=NO_ALERTS))
    expected = credit_of(log, rooms, partitions)
    for scope, by_key in expected.items():
        found = {row["key"]: row for row in mine["credit.json"][scope]}
        assert list(found) == list(by_key)
        for key, row in found.items():
            measures = {each["measure"]: each for part in row["parts"] for each in part["measures"]}
            for name, (count, base, points) in by_key[key]["measures"].items():
                assert (measures[name]["count"], measures[name]["base"]) == (count, base), name
                assert measures[name]["points"] == close_to(points)
            assert row["score"] == close_to(by_key[key]["score"])
    watermark_ms = rooms[0].log.watermark_ms if rooms else None
    board = agencies_of(rooms, expected["mcns"], watermark_ms)
    assert len(mine["agencies.json"]["agencies"]) == len(board)
    for row, other in zip(mine["agencies.json"]["agencies"], board, strict=True):
        points = other.pop("points")
        assert {name: row[name] for name in other} == other
        assert row["places_lost"] == row["rank_trusted"] - row["rank_gross"]
        for part in row["parts"]:
            assert part["points"] == close_to(points[part["part"]])


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_first_hours_and_stocks_are_counts_over_all_events(
    log: list[bytes], partitions: int
) -> None:
    rooms = rooms_in(log, partitions)
    results = run_embedded(log, partitions=partitions, rules=NO_ALERTS)
    mine = files_of(results)["supply.json"]
    assert mine["trials"] == trials_of(rooms)
    assert mine["stock"] == stock_of(rooms, plain(results).marks)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_rooms_stand_beside_their_like_as_a_naive_count_says(
    log: list[bytes], partitions: int
) -> None:
    results = run_embedded(log, partitions=partitions)
    shown = plain(results)
    as_of_ms = shown.run["watermark_ms"]
    mine = files_of(results)["benchmark.json"]["rooms"]
    assert mine == benchmark_of(shown.rooms, shown.minutes, as_of_ms)


NOW_MS: Final = 1_700_000_040_000


@st.composite
def evenings(draw: st.DrawFn) -> tuple[list[RoomFigures], list[RoomMinute]]:
    """A handful of rooms of few kinds, with minutes around the borders of the windows."""
    rooms, minutes = [], []
    for number in range(draw(st.integers(1, 7))):
        closed_ms = draw(st.sampled_from((None, None, NOW_MS - 61_000, NOW_MS - 86_400_000)))
        category = draw(st.sampled_from(("food", "food", "beauty")))
        more: Any = {"category": category, "mode": "store", "currency": "CNY", "opened_ms": 1}
        rooms.append(figures(room_id=f"r{number}", closed_ms=closed_ms, **more))
        for ago in draw(st.sets(st.sampled_from((0, 1, 2, 5, 9, 10, 11, 12, 19, 20, 21, 22)))):
            counts = [draw(st.integers(0, 3)) for _ in range(6)]
            minute_ms = NOW_MS - NOW_MS % 60_000 - ago * 60_000
            minutes.append(RoomMinute(f"r{number}", minute_ms, *counts, *counts[:2]))
    return rooms, minutes


@EXAMPLES
@given(evenings())
def test_windows_and_percentiles_are_exact_at_their_borders(
    evening: tuple[list[RoomFigures], list[RoomMinute]],
) -> None:
    rooms, minutes = evening
    by_id = {each.summary.room_id: each for each in rooms}
    mine = msgspec.json.decode(records.encode(benchmark(by_id, minutes, NOW_MS)))["rooms"]
    lines = [msgspec.to_builtins(each.summary) for each in rooms]
    assert mine == benchmark_of(lines, [msgspec.to_builtins(each) for each in minutes], NOW_MS)


MINUTE_MS: Final = 60_000
WEEK_MS: Final = 7 * 24 * 60 * MINUTE_MS


@st.composite
def price_marks(draw: st.DrawFn) -> list[ProductMark]:
    """What rooms do with one product, mostly by prices near the limit of a turn."""
    marks, now_ms = [], 1_700_000_000_000
    steps = st.sampled_from((0, 1, 7, 20, 59, 60, 61, 200, 7 * 24 * 60))
    for _ in range(draw(st.integers(0, 14))):
        now_ms += draw(steps) * MINUTE_MS
        action = draw(st.sampled_from(("listed", "priced", "priced", "priced", "delisted")))
        price = draw(st.sampled_from((10_000, 9_500, 9_501, 9_025, 8_573, 8_000, 7_000, None)))
        room_id = draw(st.sampled_from(("r1", "r2", "r3")))
        marks.append(ProductMark(now_ms, room_id, "p", action, price, None))
    return sorted(marks, key=in_order_of_marks)


@settings(max_examples=400, deadline=None)
@given(price_marks(), st.sampled_from((None, 30, 300)))
def test_price_wars_are_found_by_looking_at_every_price_again(
    marks: list[ProductMark], closed_after_minutes: int | None
) -> None:
    rooms = {each: figures(room_id=each, currency="CNY") for each in ("r1", "r2", "r3")}
    closed_ms = {}
    if closed_after_minutes is not None and marks:
        closed_ms["r1"] = marks[0].ts_ms + closed_after_minutes * MINUTE_MS
        rooms["r1"] = figures(room_id="r1", currency="CNY", closed_ms=closed_ms["r1"])
    mine: list[Any] = list(price_wars(by_goods(marks, rooms), rooms))
    as_rows = [msgspec.to_builtins(mark) for mark in marks]
    expected = [each for each in exchanges_of(as_rows, closed_ms) if len(each) >= 3]
    assert len(mine) == len(expected)
    for row, turns in zip(mine, expected, strict=True):
        assert [(t["ts_ms"], t["room_id"], t["price_minor"]) for t in row["first_turns"]] == turns
        stamps = [ts_ms for ts_ms, _, _ in turns]
        most = max(sum(a <= b <= a + 60 * MINUTE_MS for b in stamps) for a in stamps)
        before = sorted(
            mark.price_minor
            for mark in marks
            if mark.action != "delisted"
            and mark.price_minor is not None
            and stamps[0] - WEEK_MS <= mark.ts_ms < stamps[0]
        )
        median = before[(len(before) - 1) // 2] if before else None
        lowest = min(price for _, _, price in turns)
        assert (row["turns"], row["most_turns_60m"], row["lowest_minor"]) == (
            len(turns),
            most,
            lowest,
        )
        assert row["median_7d_minor"] == median
        is_deep = median is not None and lowest <= 0.8 * median
        assert row["price_war"] == (most >= 3 and is_deep)


@EXAMPLES
@given(price_marks())
def test_prices_stand_against_the_medians_of_their_week_and_of_other_rooms(
    marks: list[ProductMark],
) -> None:
    rows: list[Any] = supply(Newest(), marks, [])["prices"]
    told = [m for m in marks if m.action != "delisted" and m.price_minor is not None]
    last = {mark.room_id: mark for mark in told}
    end_ms = max((mark.ts_ms for mark in told), default=0)
    week = [mark for mark in told if mark.ts_ms > end_ms - WEEK_MS]
    assert [row["room_id"] for row in rows] == sorted({mark.room_id for mark in week})
    for row in rows:
        price = last[row["room_id"]].price_minor
        others = [
            m.price_minor or 0 for m in last.values() if m in week and m.room_id != row["room_id"]
        ]
        assert (row["price_minor"], row["other_rooms"]) == (price, len(others))
        assert row["median_7d_minor"] == median_low([mark.price_minor or 0 for mark in week])
        assert row["others_median_minor"] == (median_low(others) if others else None)
        assert price is not None
        expected = round(price / row["median_7d_minor"] - 1, 4)
        assert row["against_median"] == pytest.approx(expected, abs=1e-4)


def close_to(points: float | None) -> Any:
    """Rounded to one decimal, as often as a score is made of it."""
    return None if points is None else pytest.approx(points, abs=0.16)


@EXAMPLES
@given(shuffled_logs(), st.integers(1, 4))
def test_arrival_order_inside_the_lateness_bound_changes_nothing(
    logs: tuple[list[Event], list[Event]], partitions: int
) -> None:
    ordered, shuffled = (
        files_of(run_embedded([encode(event) for event in log], partitions=partitions))
        for log in logs
    )
    assert shuffled == ordered


def without_jumps(events: list[Event]) -> list[Event]:
    """The same events with shorter pauses: what a clock believes of a jump is its partition's."""
    closer: list[Event] = []
    now_ms = before_ms = events[0]["ts_ms"]
    for event in events:
        now_ms += min(MAX_JUMP_MS - 1, event["ts_ms"] - before_ms)
        before_ms = event["ts_ms"]
        closer.append(event | {"ts_ms": now_ms})
    return [{"type": "tick", "event_id": "start", "ts_ms": closer[0]["ts_ms"]}, *closer]


@EXAMPLES
@given(ordered_logs(), st.integers(2, 9))
def test_the_partition_count_changes_nothing(events: list[Event], partitions: int) -> None:
    log = [encode(event) for event in without_jumps(events)]
    one, many = (files_of(run_embedded(log, partitions=count)) for count in (1, partitions))
    assert one == many


def test_trusted_sameness_is_that_of_an_evening_without_the_suspected_orders() -> None:
    log = attacked_log()
    run = EmbeddedRun()
    run.feed(encoded(log))
    found = files_of(run.finish())["sameness.json"]["hours"]
    suspected = {
        order_id
        for partition in run.partitions
        for _, order_id in partition.detectors.suspects.by_order
    }
    assert len(suspected) == 30
    honest = [event for event in log if event.get("order_id") not in suspected]
    expected = sameness_of(rooms_in(encoded(honest), 4))["hours"]
    plainly = sameness_of(rooms_in(encoded(log), 4))["hours"]
    assert [row["hour_ms"] for row in found] == [row["hour_ms"] for row in plainly]
    by_hour = {row["hour_ms"]: row for row in expected}
    for row, same in zip(found, plainly, strict=True):
        for name in same:
            if name.endswith("_trusted"):
                assert row[name] == by_hour[row["hour_ms"]][name]
            else:
                assert row[name] == same[name]
    assert sum(row["orders"] - row["orders_trusted"] for row in found) == 30
    assert any(row["room_hhi"] != row["room_hhi_trusted"] for row in found)
