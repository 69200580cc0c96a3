"""The files that compare rooms equal a naive count, and depend on the log alone."""

# ruff: noqa: ANN401 - JSON values have no common type

from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import records
from schemas.clock import MAX_JUMP_MS
from streams.embedded import Results
from streams.result_files import compared
from tests.oracle.contract import Event
from tests.oracle.malformed import encode
from tests.oracle.market import sameness_of
from tests.oracle.retention import rooms_in
from tests.oracle.scores import agencies_of, credit_of
from tests.oracle.strategies import adversarial_logs, ordered_logs, shuffled_logs
from tests.property.running import run_embedded

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
    mine = files_of(run_embedded(log, partitions=partitions))
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
