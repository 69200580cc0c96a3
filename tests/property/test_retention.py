"""Retention and drop-off equal a naive count of every visit and every minute."""

# ruff: noqa: ANN401 - rows of a report have no common type

from random import Random
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import records
from streams.core.boards import DEFAULT_ZONE
from streams.core.partition import Partition
from streams.core.stickiness.drop_off import WORST, drop_off
from streams.core.stickiness.whole import retention_of
from streams.embedded import Results
from tests.oracle.recount import recount
from tests.oracle.retention import SCOPES, drop_off_minutes, retention_rows, rooms_in
from tests.oracle.stickiness import stickiness
from tests.oracle.strategies import adversarial_logs, shuffle_within_lateness
from tests.property.driving import final_figures, fold, folded, restarted
from tests.property.running import run_embedded
from tests.unit.attack import Event, encoded, in_order, opened, view
from tests.unit.signals import ROOM, at, bought, passers_by

EXAMPLES = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


FEW = settings(max_examples=10, deadline=None)
# An evening with bought viewers who become known by name; in a small room it takes long until the
# usual number of visits has taught.
RULES: Event = {"version": 1, "rules": {"fake_viewers": {"taught_visits": 40}}}
BOUGHT = in_order(
    [opened(ROOM)],
    [{"type": "rules", "event_id": "quick", "ts_ms": at(0), **RULES}],
    passers_by(),
    bought(),
    [{"type": "tick", "event_id": f"t{n}", "ts_ms": at(81 + 9 * n)} for n in range(12)],
)


def plainly(report: Any) -> Any:
    return msgspec.json.decode(records.encode(report))


def assert_same(mine: dict[str, Any], expected: dict[str, Any], ending: str = "") -> None:
    expected = {
        name: value for name, value in expected.items() if not ending or f"{name}{ending}" in mine
    }
    mine = {name: mine[f"{name}{ending}"] for name in expected}
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
    assert_retention(mine, expected)
    assert_retention(mine, expected, "_trusted")  # nobody is suspected
    assert all(
        f"{name}_trusted" in mine["platform"] for name in expected["platform"].keys() - {"rooms"}
    )


def assert_retention(mine: dict[str, Any], expected: dict[str, Any], ending: str = "") -> None:
    assert_same(mine["platform"], expected["platform"], ending)
    for section in SCOPES:
        assert len(mine[section]) == len(expected[section])
        for row, other in zip(mine[section], expected[section], strict=True):
            assert_same(row, other, ending)


def shown(log: list[Event], *, chunk: int = 10_000) -> Any:
    return plainly(run_embedded(encoded(log), chunk=chunk, rules=None).retention)


def test_trusted_retention_is_that_of_an_evening_to_which_the_suspects_never_came() -> None:
    mine = shown(BOUGHT)
    honest = [event for event in BOUGHT if not str(event.get("viewer_id")).startswith("bot ")]
    assert_retention(mine, retention_rows(rooms_in(encoded(BOUGHT), 4)))
    assert_retention(mine, retention_rows(rooms_in(encoded(honest), 4)), "_trusted")
    assert mine["platform"]["visits"] - mine["platform"]["visits_trusted"] == 150


def test_visits_of_suspects_that_named_nobody_stay_in() -> None:
    short = [
        event
        for n in range(3)
        for event in (
            view(ROOM, f"bot {n}", at(90 + n), "enter"),
            view(ROOM, f"bot {n}", at(90.2 + n), "like"),
            view(ROOM, f"bot {n}", at(90.4 + n), "leave"),
        )
    ]
    row = shown(in_order(BOUGHT, short))["platform"]
    assert row["visits"] - row["visits_trusted"] == row["viewers"] - row["viewers_trusted"] == 150
    assert row["interactions"] == row["interactions_trusted"]


@FEW
@given(seed=st.integers(0, 2**32), chunk=st.integers(1, 2_000))
def test_arrival_and_chunks_change_no_trusted_figure(seed: int, chunk: int) -> None:
    random = Random(seed)
    shuffled = shuffle_within_lateness(BOUGHT, [random.randint(0, 5_000) for _ in BOUGHT])
    assert shown(shuffled, chunk=chunk) == EXPECTED


@FEW
@given(cut=st.integers(0, len(BOUGHT)))
def test_a_restart_and_redelivery_change_no_trusted_figure(cut: int) -> None:
    log = encoded(BOUGHT)
    partition = Partition(0)
    fold(partition, log, 0, cut)
    again = restarted(partition)
    fold(again, log, max(0, cut - 20), len(log))
    assert whole(again) == WHOLE


def whole(partition: Partition) -> Any:
    rooms = {each.summary.room_id: each.summary for each in final_figures(partition)[0]}
    return plainly(retention_of([partition], rooms))


EXPECTED = shown(BOUGHT)
WHOLE = whole(folded(encoded(BOUGHT))[0])


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
