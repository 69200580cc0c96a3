"""Retention and drop-off equal a naive count of every visit and every minute."""

# ruff: noqa: ANN401 - rows of a report have no common type

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import records
from streams.core.boards import DEFAULT_ZONE
from streams.core.stickiness.drop_off import WORST, drop_off
from streams.embedded import Results
from tests.oracle.recount import recount
from tests.oracle.retention import SCOPES, drop_off_minutes, retention_rows, rooms_in
from tests.oracle.stickiness import stickiness
from tests.oracle.strategies import adversarial_logs
from tests.property.running import run_embedded

EXAMPLES = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def plainly(report: Any) -> Any:
    return msgspec.json.decode(records.encode(report))


def assert_same(mine: dict[str, Any], expected: dict[str, Any]) -> None:
    low, high = expected.pop("median_watch_ms")
    median = mine.pop("median_watch_ms")
    assert mine == expected
    assert (median is None) == (low is None)
    if median is not None:
        assert low * 0.95 <= median <= high * 1.05


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_every_figure_of_retention_is_a_count_over_all_visits(
    log: list[bytes], partitions: int
) -> None:
    mine = plainly(run_embedded(log, partitions=partitions).retention)
    expected = retention_rows(rooms_in(log, partitions))
    assert_same(mine["platform"], expected["platform"])
    for section in SCOPES:
        assert len(mine[section]) == len(expected[section])
        for row, other in zip(mine[section], expected[section], strict=True):
            assert_same(row, other)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_conversion_is_that_of_the_people_who_watch_and_buy(
    log: list[bytes], partitions: int
) -> None:
    found = plainly(run_embedded(log, partitions=partitions).audience)
    viewers = retention_rows(rooms_in(log, partitions))
    loyal = stickiness(log, partitions=partitions, zone=DEFAULT_ZONE, calendar=[])
    for section in SCOPES:
        assert [row["viewers"] for row in found[section]] == [
            row["viewers"] for row in viewers[section]
        ]
    buyers = {row["host_id"]: row["buyers"] for row in loyal["hosts"]}
    assert {row["host_id"]: row["buyers"] for row in found["hosts"]} == buyers
    for row in (found["platform"], *(row for section in SCOPES for row in found[section])):
        assert row["conversion"] == (
            round(row["buyers"] / row["viewers"], 4) if row["viewers"] else None
        )
        for name in ("viewers", "buyers", "conversion"):
            assert row[name] == row[f"{name}_trusted"]
    assert found["platform"]["viewers"] == viewers["platform"]["viewers"]
    assert found["platform"]["buyers"] == loyal["platform"]["buyers"]


def losses_of(results: Results) -> Any:
    return plainly(drop_off(results.rooms, results.minutes, results.marks))


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_what_rooms_lost_is_a_count_over_their_minutes(log: list[bytes], partitions: int) -> None:
    found = losses_of(run_embedded(log, partitions=partitions))
    naive = recount(log, partitions=partitions)
    of_rooms = {
        room["room_id"]: drop_off_minutes(room, naive.minutes, naive.marks) for room in naive.rooms
    }
    minutes = [minute for own in of_rooms.values() for minute in own]
    for row in found["what_was_on"]:
        if row["scope"] == "platform":
            mine = [minute for minute in minutes if minute["on"] == row["on"]]
        elif row["scope"] == "rooms":
            mine = [minute for minute in of_rooms[row["key"]] if minute["on"] == row["on"]]
        else:
            continue
        assert row["minutes"] == len(mine) > 0
        assert row["present"] == sum(minute["present"] for minute in mine)
        assert row["lost"] == sum(minute["lost"] for minute in mine)
    platform = [row for row in found["what_was_on"] if row["scope"] == "platform"]
    assert sum(row["minutes"] for row in platform) == len(minutes)


@EXAMPLES
@given(adversarial_logs())
def test_the_worst_minutes_are_those_with_most_lost_beyond_the_rooms_own_rate(
    log: list[bytes],
) -> None:
    found = losses_of(run_embedded(log))
    naive = recount(log)
    for room in naive.rooms:
        own = drop_off_minutes(room, naive.minutes, naive.marks)
        present, lost = (sum(minute[name] for minute in own) for name in ("present", "lost"))
        excess = {m["minute_ms"]: m["lost"] * present - m["present"] * lost for m in own}
        worst = sorted(excess, key=lambda minute_ms: (-excess[minute_ms], minute_ms))[:WORST]
        shown = [m["minute_ms"] for m in found["minutes"] if m["room_id"] == room["room_id"]]
        assert shown == sorted(minute_ms for minute_ms in worst if excess[minute_ms] > 0)
