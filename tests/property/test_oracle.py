"""The fold and an independent naive recount of the same log give the same figures."""

import base64
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.oracle.recount import Recount, recount
from tests.oracle.strategies import adversarial_logs
from tests.property.running import Plain, plain, run_embedded

MEDIANS = ("median_watch_ms", "first_reply_median_ms", "resolution_median_ms")
MEDIAN_ERROR = 0.05
EXAMPLES = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def compare(ours: Plain, oracle: Recount) -> None:
    compare_rooms(ours, oracle)
    assert ours.minutes == oracle.minutes
    assert ours.marks == oracle.marks
    compare_boards(ours, oracle)
    assert [
        (each["reason"], each["partition"], each["offset"], base64.b64decode(each["record_base64"]))
        for each in ours.dead_letters
    ] == sorted(
        ((each.reason, each.partition, each.offset, each.record) for each in oracle.dead_letters),
        key=lambda letter: (letter[1], letter[2]),
    )
    assert ours.run["counts"] == oracle.counts
    assert ours.run["rejected_by_reason"] == oracle.rejected_by_reason
    assert ours.run["by_type"] == oracle.by_type
    assert ours.run["watermark_ms"] == oracle.watermark_ms


def compare_rooms(ours: Plain, oracle: Recount) -> None:
    assert len(ours.rooms) == len(oracle.rooms)
    for mine, theirs in zip(ours.rooms, oracle.rooms, strict=True):
        exact = {name: value for name, value in mine.items() if name not in MEDIANS}
        assert exact == {name: value for name, value in theirs.items() if name not in MEDIANS}
        for name in MEDIANS:
            low, high = oracle.medians[mine["room_id"]][name] or (None, None)
            assert_near(mine[name], low, high)


def assert_near(median: int | None, low: int | None, high: int | None) -> None:
    if median is None or low is None or high is None:
        assert median == low == high
        return
    assert low * (1 - MEDIAN_ERROR) - 1 <= median <= high * (1 + MEDIAN_ERROR) + 1


def compare_boards(ours: Plain, oracle: Recount) -> None:
    mine = {place_of(board): board for board in ours.boards}
    theirs = {place_of(board): board for board in oracle.boards}
    assert mine.keys() == theirs.keys()
    for place, board in theirs.items():
        assert mine[place]["as_of_ms"] == board["as_of_ms"]
        rows = [
            only(row, expected)
            for row, expected in zip(mine[place]["rows"], board["rows"], strict=True)
        ]
        assert rows == board["rows"], place


def place_of(board: dict[str, Any]) -> tuple[Any, ...]:
    return board["scope"], board["window"], board["currency"]


def only(row: dict[str, Any], expected: dict[str, Any]) -> dict[str, Any]:
    """The figures that the definitions name; rows may hold more."""
    return {name: row[name] for name in expected}


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_every_figure_of_an_adversarial_log_equals_the_recount(
    log: list[bytes], partitions: int
) -> None:
    compare(plain(run_embedded(log, partitions=partitions)), recount(log, partitions, top=0))


@pytest.mark.parametrize("log", [[], [b""], [b"{}"]])
def test_a_log_without_a_valid_event_gives_what_the_recount_gives(log: list[bytes]) -> None:
    compare(plain(run_embedded(log)), recount(log, top=0))
