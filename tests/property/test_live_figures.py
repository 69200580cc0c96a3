"""What a worker shows live of after-sales, visits and people is what the files say at the end."""

from collections import Counter
from dataclasses import asdict

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roompulse.shown_run import ShownRun
from schemas.calendar import calendar_of
from streams.core.load import LEVELS
from streams.core.partition import Partition
from streams.core.stickiness import comeback as comebacks
from streams.core.stickiness.comeback import MOST_KEYS, RECENT_MS, comeback
from streams.core.stickiness.event_days import day_name, week_name, week_of
from streams.core.stickiness.facts import Row
from streams.core.stickiness.live import live_people, nearest, stays_of
from streams.core.stickiness.report import Report
from tests.oracle.contract import Event
from tests.oracle.malformed import encode
from tests.oracle.stickiness import Festival
from tests.oracle.strategies import adversarial_logs
from tests.property.test_stickiness import DAY_MS, START_MS, calendars, rough_seasons

EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
CURVE = ("stayed_30s", "stayed_60s", "stayed_300s", "stayed_600s", "stayed_1800s")
AROUND = ("before", "during", "after")


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 4), st.integers(1, 9))
def test_after_sales_is_that_of_the_file_however_often_it_was_looked_at(
    log: list[bytes], partitions: int, chunk: int
) -> None:
    run = ShownRun(partitions)
    for at in range(0, len(log), chunk):
        run.feed(log[at : at + chunk])
        run.current_boards()
    platform = run.finish().after_sales["platform"]
    totals, by_party = run.after_sales, run.after_sales.by_party
    for name in ("complaints", "refunds"):
        theirs: Counter[str] = Counter()
        for row in platform:
            if row["party"] is not None:
                theirs[str(row["party"])] += int(str(row[name]))
        ours = {party: sum(getattr(load, name).values()) for party, load in by_party.items()}
        assert +Counter(ours) == +theirs
    for row in platform:
        if row["party"] is not None:
            key = str(row["currency"] or ""), str(row["party"])
            assert totals.refunded_minor[key] == row["refunded_minor"]
    known = {(row["currency"] or "", row["party"]) for row in platform}
    assert not [key for key, minor in totals.refunded_minor.items() if minor and key not in known]
    for level in LEVELS:
        breaches = sum(load.services[level].breaches for load in by_party.values())
        whole = [row for row in platform if row["party"] is None]
        assert breaches == sum(int(str(row[f"{level}_breaches"])) for row in whole)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 4))
def test_visits_of_all_partitions_add_up_to_the_platform(log: list[bytes], partitions: int) -> None:
    run = ShownRun(partitions)
    run.feed(log)
    retention = run.finish().retention
    assert retention is not None
    platform = retention["platform"]
    assert isinstance(platform, dict)
    stays = [stays_of(each) for each in run.partitions]
    assert sum(each.visits for each in stays) == platform["visits"]
    assert sum(each.ended for each in stays) == platform["ended_visits"]
    assert sum(each.watch_ms for each in stays) == platform["watch_ms"]
    ended = sum(each.ended for each in stays)
    for at, name in enumerate(CURVE):
        stayed = sum(each.stayed[at] for each in stays)
        assert (round(stayed / ended, 4) if ended else None) == platform[name]


def rows_of(section: Row | list[Row]) -> list[Row]:
    assert isinstance(section, list)
    return section


def platform_of(report: Report) -> Row:
    platform = report["platform"]
    assert isinstance(platform, dict)
    return platform


@EXAMPLES
@given(rough_seasons(), calendars())
def test_people_and_festivals_of_one_partition_are_those_of_the_file(
    log: list[bytes], windows: list[Festival]
) -> None:
    calendar = calendar_of([asdict(each) for each in windows])
    run = ShownRun(1, calendar=calendar)
    run.feed(log)
    report = run.finish().stickiness
    assert report is not None
    (partition,) = run.partitions
    live = live_people(partition, calendar)
    if live is None:
        assert report["days"] == []
        return
    assert partition.watermark_ms is not None
    today = partition.stickiness.days.day_of(partition.watermark_ms)
    days = {str(row["day"]): row for row in rows_of(report["days"])}
    row = days.get(day_name(today))
    assert live.active_viewers == (row["active_viewers"] if row else 0)
    if row:
        assert live.month_active_viewers == row["monthly_active_viewers"]
    if partition.stickiness.first_day is not None and partition.stickiness.first_day > today - 30:
        assert (live.month_buyers, live.repeat_buyers) == (
            platform_of(report)["buyers"],
            platform_of(report)["repeat_buyers"],
        )
    near = {each.festival for each in nearest(calendar, today)}
    rows = [
        row
        for row in rows_of(report["festivals"])
        if row["scope"] == "platform" and row["festival"] in near and row["currency"] is not None
    ]
    shown = {(each.festival, each.currency): each for each in live.festivals}
    assert {(str(row["festival"]), str(row["currency"])) for row in rows} <= set(shown)
    for row in rows:
        each = shown[str(row["festival"]), str(row["currency"])]
        for name in AROUND:
            mean = each.net_minor[name] / each.days[name] if each.days[name] else None
            assert (None if mean is None else round(mean, 4)) == row[f"{name}_daily_net_minor"]


def least_watermark_ms(partitions: list[Partition]) -> int | None:
    marks = [each.watermark_ms for each in partitions if each.watermark_ms is not None]
    return min(marks, default=None)


@EXAMPLES
@given(rough_seasons(), st.integers(1, 4))
def test_who_came_back_is_that_of_the_file_if_all_partitions_are_here(
    log: list[bytes], partitions: int
) -> None:
    run = ShownRun(partitions)
    run.feed(log)
    results = run.finish()
    report, now_ms = results.stickiness, least_watermark_ms(run.partitions)
    assert report is not None
    live = comeback(run.partitions)
    if live is None or now_ms is None:
        assert now_ms is None
        return
    opened_ms = {each.room_id: each.opened_ms for each in results.rooms}
    recent = [
        row
        for row in rows_of(report["rooms"])
        if now_ms - RECENT_MS < (opened_ms[str(row["room_id"])] or 0) <= now_ms
    ]
    first = sorted(recent, key=lambda row: (-int(str(row["viewers"])), str(row["room_id"])))
    assert live.rooms == {
        row["room_id"]: (row["viewers"], row["returning_viewers"]) for row in first[:MOST_KEYS]
    }
    assert live.all_rooms == tuple(
        sum(int(str(row[name])) for row in recent) for name in ("viewers", "returning_viewers")
    )
    by_host: dict[str, list[Row]] = {}
    for row in recent:
        by_host.setdefault(str(row["host_id"]), []).append(row)
    assert live.hosts == {
        host: tuple(
            sum(int(str(row[name])) for row in own) for name in ("viewers", "returning_viewers")
        )
        for host, own in by_host.items()
    }
    week = week_name(week_of(run.partitions[0].stickiness.days.day_of(now_ms)) - 2)
    for kind, cohort in live.cohorts.items():
        rows = [
            (row["size"], row["returned"])
            for row in rows_of(report["cohorts"])
            if (row["kind"], row["week"]) == (kind, week)
        ]
        size, returned = rows[0] if rows else (0, [])
        assert cohort.size == size
        assert isinstance(returned, list)
        share = returned[0] if returned else 0.0
        assert (round(cohort.back / cohort.size, 4) if cohort.size else 0.0) == share


def two_shows(people: int) -> list[bytes]:
    """A host's shows on two Wednesdays, of whose viewers each second one is there both times."""
    events: list[Event] = []
    for number, first in enumerate((0, people // 2)):
        at_ms = START_MS + (3 + 7 * number) * DAY_MS
        room_id = f"r{number}"
        shop = {"host_id": "h", "mode": "store", "category": "c", "currency": "CNY"}
        events.append({"type": "tick", "ts_ms": at_ms})
        events.append({"type": "room_opened", "room_id": room_id, "ts_ms": at_ms, **shop})
        events += [
            {
                "type": "view",
                "room_id": room_id,
                "ts_ms": at_ms + 1,
                "viewer_id": f"v{person}",
                "action": "enter",
            }
            for person in range(first, first + people)
        ]
    events.append({"type": "tick", "ts_ms": START_MS + 16 * DAY_MS})
    return [encode({"event_id": f"e{at}", **event}) for at, event in enumerate(events)]


@pytest.mark.parametrize("most", [comebacks._MOST_LOOKED_AT, 2_000])
def test_a_sample_of_many_people_is_within_three_points(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(comebacks, "_MOST_LOOKED_AT", most)
    run = ShownRun(2)
    run.feed(two_shows(3_000))
    run.finish()
    found = comeback(run.partitions)
    assert found is not None
    off = 0.0 if most > 6_000 else 0.03
    assert found.all_rooms.viewers == 3_000
    assert found.all_rooms.returning == pytest.approx(1_500, abs=3_000 * off)
    cohort = found.cohorts["viewers"]
    assert cohort.size == pytest.approx(3_000, rel=2 * off)
    assert cohort.back / cohort.size == pytest.approx(0.5, abs=off)
