"""A season of ten hosts: what is planted is what a run finds, and what it estimates is near."""

import json
from collections import defaultdict
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from producers.generator import generate
from producers.generator.season import DAYS, EVENTS, FESTIVAL, FEWEST_EVENTS, FIRST_DAY, HOSTS
from schemas import codec
from streams.calendars import read_calendar
from streams.core.stickiness.event_days import EventDays
from streams.embedded import EmbeddedRun, Results

SEED = 5
THIRTY_DAYS_MS = 30 * 24 * 3_600_000


@cache
def season() -> tuple[list[bytes], dict[str, Any]]:
    session = generate("season", SEED)
    return list(session), session.truth.totals()


@cache
def results() -> Results:
    embedded = EmbeddedRun(calendar=read_calendar())
    log, _ = season()
    for at in range(0, len(log), 20_000):
        embedded.feed(log[at : at + 20_000])
    return embedded.finish()


def report() -> Any:  # noqa: ANN401 - JSON values have no common type
    return results().stickiness


def festival_rows() -> dict[tuple[str, str | None], dict[str, Any]]:
    rows = [row for row in report()["festivals"] if row["festival"] == FESTIVAL]
    return {(row["scope"], row["key"]): row for row in rows}


def test_the_season_has_75_days_of_ten_hosts_in_many_rooms() -> None:
    days = report()["days"]
    assert days[0]["day"] == FIRST_DAY.isoformat()
    assert len(days) == DAYS
    rooms: defaultdict[str, int] = defaultdict(int)
    for room in results().rooms:
        rooms[str(room.host_id)] += 1
    assert len(rooms) == HOSTS
    assert set(rooms.values()) == {43}  # each second day, and each of the festival


@pytest.mark.parametrize("number", range(HOSTS))
def test_lift_and_overdraft_of_each_host_are_those_that_were_planted(number: int) -> None:
    planted = season()[1]["festival"]["hosts"][number]
    row = festival_rows()["host", planted["host_id"]]
    for name in ("before_daily_net_minor", "during_daily_net_minor", "after_daily_net_minor"):
        assert row[name] == planted[name]
    # a host's sums are whole minor units: the intended change is met to a hundredth of a percent
    assert row["lift"] == pytest.approx(planted["planted_lift"], abs=2e-4)
    assert row["overdraft"] == pytest.approx(planted["planted_overdraft"], abs=2e-4)
    assert row["provisional"] is False


def test_the_overdraft_of_the_platform_is_that_of_the_truth() -> None:
    planted = season()[1]["festival"]["platform"]
    row = festival_rows()["platform", None]
    assert {name: row[name] for name in planted} == planted
    assert -0.4 < row["overdraft"] < -0.08
    assert row["payback_days"] is not None


def test_what_is_planted_is_net_of_refunds_that_come_days_later() -> None:
    counted: defaultdict[int, int] = defaultdict(int)
    days = EventDays(ZoneInfo("Asia/Shanghai"))
    late = 0
    for record in season()[0]:
        event = codec.decode(record)
        if isinstance(event, codec.Order):
            counted[days.day_of(event.ts_ms)] += event.amount_minor
        if isinstance(event, codec.Refund):
            sold_on = days.day_of(event.ordered_ts_ms)
            counted[sold_on] -= event.amount_minor
            late += days.day_of(event.ts_ms) > sold_on
    assert late > 100
    first = FIRST_DAY.toordinal() + 4
    before = sum(counted[day] for day in range(first, first + 28)) / 28
    assert before == season()[1]["festival"]["platform"]["before_daily_net_minor"]


# --- against a plain count over the events -------------------------------------------------------


@cache
def plain() -> dict[str, Any]:
    """Viewers and order days of each room, counted with plain sets."""
    days = EventDays(ZoneInfo("Asia/Shanghai"))
    opened: dict[str, tuple[str, int]] = {}
    viewers: defaultdict[str, set[str]] = defaultdict(set)
    orders: defaultdict[str, defaultdict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
    for record in season()[0]:
        event = json.loads(record)
        match event["type"]:
            case "room_opened":
                opened[event["room_id"]] = event["host_id"], event["ts_ms"]
            case "view":
                viewers[event["room_id"]].add(event["viewer_id"])
            case "order":
                orders[event["room_id"]][event["buyer_id"]].add(days.day_of(event["ts_ms"]))
    return {"opened": opened, "viewers": viewers, "orders": orders}


def test_returning_shares_are_within_three_points_of_a_plain_count() -> None:
    opened, viewers = plain()["opened"], plain()["viewers"]
    returning = 0.0
    for row in report()["rooms"]:
        host_id, opened_ms = opened[row["room_id"]]
        before: set[str] = set().union(
            *(
                viewers[other]
                for other, (host, at_ms) in opened.items()
                if host == host_id and opened_ms - THIRTY_DAYS_MS <= at_ms < opened_ms
            )
        )
        own = viewers[row["room_id"]]
        assert row["viewers"] == pytest.approx(len(own), rel=0.02)
        share = len(own & before) / len(own)
        assert row["returning_share"] == pytest.approx(share, abs=0.03)
        returning += share
    assert returning / len(opened) > 0.3  # people do come back


def test_repeat_and_repurchase_shares_are_within_three_points_of_a_plain_count() -> None:
    opened, orders = plain()["opened"], plain()["orders"]
    for row in report()["hosts"]:
        of_host: defaultdict[str, set[int]] = defaultdict(set)
        for room_id, (host_id, _) in opened.items():
            if host_id == row["host_id"]:
                for buyer, days in orders[room_id].items():
                    of_host[buyer] |= days
        in_order = [sorted(days) for days in of_host.values()]
        gaps = [days[1] - days[0] for days in in_order if len(days) > 1]
        buyers = len(of_host)
        assert row["buyers"] == pytest.approx(buyers, rel=0.02)
        assert row["repeat_buyers"] / row["buyers"] == pytest.approx(len(gaps) / buyers, abs=0.03)
        for limit in (7, 30):
            share = sum(gap <= limit for gap in gaps) / buyers
            assert row[f"repurchase_{limit}d"] == pytest.approx(share, abs=0.03)
    assert report()["platform"]["repeat_buyers"] > 50


def test_viewers_of_days_and_of_the_platform_are_within_two_percent() -> None:
    everyone = set().union(*plain()["viewers"].values())
    assert report()["platform"]["viewers"] == pytest.approx(len(everyone), rel=0.02)


def test_a_larger_season_has_the_same_shows_and_the_same_planted_changes() -> None:
    _, usual = season()
    small = generate("season", SEED, events=FEWEST_EVENTS)
    records = sum(1 for _ in small)
    assert records == pytest.approx(FEWEST_EVENTS, rel=0.25)
    assert len(season()[0]) == pytest.approx(EVENTS, rel=0.25)
    smaller = small.truth.totals()
    assert set(smaller["rooms"]) == set(usual["rooms"])
    for one, other in zip(smaller["festival"]["hosts"], usual["festival"]["hosts"], strict=True):
        assert one["planted_overdraft"] == other["planted_overdraft"]
