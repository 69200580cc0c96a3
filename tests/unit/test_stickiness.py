"""The definitions of `stickiness.json`, each in a case small enough to count on one's fingers."""

import random
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import msgspec
import pytest

from schemas.calendar import calendar_of
from streams.core import limits
from streams.core.stickiness import people, returning
from streams.core.stickiness.event_days import EventDays, week_name, week_of
from streams.core.stickiness.facts import NOBODY, Row, Suspects
from streams.core.stickiness.people import EXACT, People
from streams.core.stickiness.report import report
from streams.core.stickiness.state import RoomDays, Stickiness
from tests.unit.making import DAY, HOUR, figures

if TYPE_CHECKING:
    from schemas.records import RoomSummary

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = int(datetime(2026, 11, 2, 12, tzinfo=SHANGHAI).timestamp()) * 1000  # a Monday
FIRST = date(2026, 11, 2)


def at(day: int, hour: int = 12) -> int:
    """A moment of a day, counted from Monday, 2 November 2026, in Shanghai."""
    return NOON + day * DAY + (hour - 12) * HOUR


class Season:
    """Rooms and what happened in them; `partitions` deals the rooms out in turn."""

    def __init__(self, partitions: int = 1) -> None:
        self.evictions = limits.Evictions()
        self.states = [Stickiness(SHANGHAI, self.evictions) for _ in range(partitions)]
        self.rooms: dict[str, RoomSummary] = {}

    def _days(self, room_id: str) -> RoomDays:
        if room_id not in self.rooms:
            self.rooms[room_id] = msgspec.structs.replace(
                figures(room_id).summary, host_id=None, currency=None
            )
        return self.states[list(self.rooms).index(room_id) % len(self.states)].of(room_id)

    def open(
        self, room_id: str, host_id: str, ts_ms: int, category: str = "food", currency: str = "CNY"
    ) -> None:
        self._days(room_id)
        self.rooms[room_id] = msgspec.structs.replace(
            self.rooms[room_id],
            host_id=host_id,
            opened_ms=ts_ms,
            category=category,
            currency=currency,
        )

    def view(self, room_id: str, ts_ms: int, *viewers: str) -> None:
        for viewer in viewers:
            self._days(room_id).seen(viewer, ts_ms)

    def order(self, room_id: str, ts_ms: int, *buyers: str, amount_minor: int = 100) -> None:
        for buyer in buyers:
            self._days(room_id).ordered(buyer, amount_minor, ts_ms)

    def refund(self, room_id: str, accepted_minor: int, ordered_ts_ms: int) -> None:
        self._days(room_id).refunded(accepted_minor, ordered_ts_ms)

    def report(
        self,
        until: int = 100,
        calendar: Sequence[tuple[str, date, date]] = (),
        suspects: Suspects = NOBODY,
    ) -> dict[str, Any]:
        """The report once everything before the start of a day is complete."""
        entries = [{"festival": name, "first_day": f, "last_day": t} for name, f, t in calendar]
        found: dict[str, Any] = report(
            self.states, self.rooms, at(until, 0), calendar_of(entries), suspects
        )
        return found


def only(rows: Iterable[Row], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


# --- rooms ---------------------------------------------------------------------------------------


def test_a_returning_viewer_watched_a_room_of_the_host_opened_in_the_30_days_before() -> None:
    season = Season()
    season.open("now", "h", at(30))
    season.open("just in", "h", at(0))
    season.open("just out", "h", at(0) - 1)
    season.open("other host", "g", at(29))
    season.open("at once", "h", at(30))
    season.open("later", "h", at(31))
    for number, room_id in enumerate(season.rooms):
        season.view(room_id, at(30), f"v{number}")
        season.view("now", at(30), f"v{number}")
    (row,) = [row for row in season.report()["rooms"] if row["room_id"] == "now"]
    assert row == {
        "room_id": "now",
        "host_id": "h",
        "viewers": 6,
        "viewers_trusted": 6,
        "returning_viewers": 1,
        "returning_viewers_trusted": 1,
        "returning_share": 0.1667,
        "returning_share_trusted": 0.1667,
    }


def test_whether_a_viewer_returns_does_not_hang_on_which_room_was_watched_first() -> None:
    season = Season()
    season.open("second", "h", at(1))
    season.view("second", at(1), "v")
    season.open("first", "h", at(0))
    season.view("first", at(5), "v")  # a replay of the first room, or a late event
    assert only(season.report()["rooms"], "room_id", "returning_viewers") == [
        ("first", 0),
        ("second", 1),
    ]


def test_a_room_nobody_watched_has_no_share() -> None:
    season = Season()
    season.open("r", "h", at(0))
    assert only(season.report()["rooms"], "viewers", "returning_share") == [(0, None)]


# --- hosts and platform --------------------------------------------------------------------------


def test_repeat_buyers_ordered_on_two_event_days_wherever_the_room_began() -> None:
    season = Season()
    season.open("r", "h", at(0, 20))
    season.order("r", at(0, 23), "twice a day", "over midnight")
    season.order("r", at(0, 23), "twice a day")
    season.order("r", at(1, 1), "over midnight")
    (host,) = season.report()["hosts"]
    assert (host["buyers"], host["repeat_buyers"], host["repurchase_7d"]) == (2, 1, 0.5)


@pytest.mark.parametrize(
    ("gap", "within_7", "within_30"),
    [(1, 1.0, 1.0), (7, 1.0, 1.0), (8, 0.0, 1.0), (30, 0.0, 1.0), (31, 0.0, 0.0)],
)
def test_repurchase_counts_the_second_order_day_after_the_first(
    gap: int, within_7: float, within_30: float
) -> None:
    season = Season()
    season.open("r", "h", at(0))
    for day in (gap + 1, gap, 0):  # the third day changes nothing, nor does the order of arrival
        season.order("r", at(day), "b")
    (host,) = season.report()["hosts"]
    assert (host["repurchase_7d"], host["repurchase_30d"]) == (within_7, within_30)
    assert host["repeat_buyers"] == 1


def test_the_platform_sees_people_across_hosts_and_rooms_never_opened() -> None:
    season = Season(partitions=2)
    season.open("r1", "h1", at(0))
    season.open("r2", "h2", at(0))
    season.order("r1", at(0), "b")
    season.order("r2", at(3), "b")
    season.order("never opened", at(9), "b", "c")
    season.view("never opened", at(9), "v")
    report_ = season.report()
    names = ("host_id", "rooms", "viewers", "buyers", "repeat_buyers", "repurchase_7d")
    assert only(report_["hosts"], *names) == [("h1", 1, 0, 1, 0, 0.0), ("h2", 1, 0, 1, 0, 0.0)]
    assert only([report_["platform"]], *names[1:]) == [(3, 1, 2, 1, 0.5)]
    assert only(report_["rooms"], "room_id") == [("r1",), ("r2",)]


def test_an_empty_log_has_a_platform_without_anyone() -> None:
    assert Season().report() == {
        "platform": {
            "rooms": 0,
            "rooms_trusted": 0,
            "viewers": 0,
            "viewers_trusted": 0,
            "buyers": 0,
            "buyers_trusted": 0,
            "repeat_buyers": 0,
            "repeat_buyers_trusted": 0,
            "repurchase_7d": None,
            "repurchase_7d_trusted": None,
            "repurchase_30d": None,
            "repurchase_30d_trusted": None,
        },
        "rooms": [],
        "hosts": [],
        "days": [],
        "cohorts": [],
        "festivals": [],
    }


# --- days ----------------------------------------------------------------------------------------


def test_every_day_from_the_first_view_to_the_last_has_a_line() -> None:
    season = Season()
    season.order("r", at(-5), "buys before anyone watches")
    season.view("r", at(0), "v1", "v2")
    season.view("r", at(2), "v1", "v3")
    rows = season.report()["days"]
    assert only(rows, "day", "active_viewers", "monthly_active_viewers", "stickiness") == [
        ("2026-11-02", 2, 2, 1.0),
        ("2026-11-03", 0, 2, 0.0),
        ("2026-11-04", 2, 3, 0.6667),
    ]


def test_monthly_means_the_day_and_the_29_before() -> None:
    season = Season()
    season.view("r", at(0), "v1")
    season.view("r", at(65), "v2")
    by_day = {row["day"]: row for row in season.report()["days"]}
    assert by_day["2026-12-01"]["monthly_active_viewers"] == 1
    assert by_day["2026-12-02"]["monthly_active_viewers"] == 0
    assert by_day["2026-12-02"]["stickiness"] is None
    assert len(by_day) == 66


def test_monthly_viewers_equal_a_plain_union_over_many_blocks_of_days() -> None:
    season, draws = Season(), random.Random(5)
    watched = [(day, f"v{draws.randrange(40)}") for day in range(100) for _ in range(3)]
    for day, viewer in watched:
        season.view("r", at(day), viewer)
    for day, row in enumerate(season.report(200)["days"]):
        expected = {viewer for when, viewer in watched if day - 29 <= when <= day}
        assert row["monthly_active_viewers"] == len(expected)


def test_an_event_lies_on_the_day_of_its_own_stamp_in_the_zone() -> None:
    season = Season()
    midnight = at(1, 0)
    season.open("r", "h", at(0))
    season.view("r", midnight - 1, "v")
    season.view("r", midnight, "v", "w")
    assert only(season.report()["days"], "day", "active_viewers") == [
        ("2026-11-02", 1),
        ("2026-11-03", 2),
    ]


# --- cohorts -------------------------------------------------------------------------------------


def test_a_cohort_is_followed_to_the_last_week_in_which_anyone_of_it_is_back() -> None:
    season = Season()
    season.view("r", at(0), "v1", "v2", "v3")
    season.view("r", at(6), "v1")  # Sunday of the same week
    season.view("r", at(7), "v1", "v4")
    season.view("r", at(22), "v1", "v2")
    season.order("r", at(7), "b")
    assert only(season.report()["cohorts"], "kind", "week", "size", "returned") == [
        ("buyers", "2026-W46", 1, []),
        ("viewers", "2026-W45", 3, [0.3333, 0.0, 0.6667]),
        ("viewers", "2026-W46", 1, []),
    ]


def test_weeks_go_on_over_the_end_of_a_year_with_53() -> None:
    season = Season()
    season.view("r", at(60), "v")  # 1 January 2027 is in the last ISO week of 2026
    season.view("r", at(63), "v")
    season.view("r", at(63), "w")
    assert only(season.report()["cohorts"], "week", "returned") == [
        ("2026-W53", [1.0]),
        ("2027-W01", []),
    ]


def test_iso_weeks_agree_with_the_calendar() -> None:
    for ordinal in range(date(2019, 12, 1).toordinal(), date(2033, 2, 1).toordinal()):
        year, week, _ = date.fromordinal(ordinal).isocalendar()
        assert week_name(week_of(ordinal)) == f"{year}-W{week:02d}"


# --- festivals -----------------------------------------------------------------------------------

FESTIVAL = [("feast", date(2026, 11, 30), date(2026, 12, 1))]  # days 28 and 29


def sell_every_day(season: Season, days: range, amount_minor: int) -> None:
    for day in days:
        season.order("r", at(day), "b", amount_minor=amount_minor)


def feast(season: Season, until: int = 100) -> dict[str, Any]:
    rows = season.report(until, FESTIVAL)["festivals"]
    (row,) = [row for row in rows if row["scope"] == "host"]
    return {name: value for name, value in row.items() if not name.endswith("_trusted")}


def test_a_festival_borrows_from_the_weeks_after_it() -> None:
    season = Season()
    season.open("r", "h", at(0))
    sell_every_day(season, range(28), 100)
    sell_every_day(season, range(28, 30), 1_000)
    sell_every_day(season, range(30, 44), 10)
    sell_every_day(season, range(44, 58), 110)
    assert feast(season) == {
        "festival": "feast",
        "scope": "host",
        "key": "h",
        "currency": "CNY",
        "before_daily_net_minor": 100.0,
        "during_daily_net_minor": 1000.0,
        "after_daily_net_minor": 60.0,
        "lift": 9.0,
        "overdraft": -0.4,
        "payback_days": 14,  # with 13, six days at 110 and one at 10 are 95.7
        "provisional": False,
    }


def test_a_refund_is_taken_off_the_day_on_which_its_order_was_paid() -> None:
    season = Season()
    season.open("r", "h", at(0))
    sell_every_day(season, range(58), 100)
    season.refund("r", 90, at(29))
    row = feast(season)
    assert row["during_daily_net_minor"] == 55.0
    assert row["after_daily_net_minor"] == 100.0
    assert row["payback_days"] == 0


def test_days_without_a_sale_are_zero_from_the_first_event_on() -> None:
    season = Season()
    season.open("r", "h", at(0))
    season.order("r", at(18), "b", amount_minor=300)
    assert feast(season)["before_daily_net_minor"] == 30.0  # days 18 to 27
    season.view("r", at(8), "v")
    assert feast(season)["before_daily_net_minor"] == 15.0  # days 8 to 27
    season.states[0].happened(at(-50))
    assert feast(season)["before_daily_net_minor"] == 10.7143  # all 28


def test_a_day_counts_once_the_watermark_has_reached_its_end() -> None:
    season = Season()
    season.open("r", "h", at(0))
    sell_every_day(season, range(33), 100)
    row = feast(season, until=32)
    assert row["after_daily_net_minor"] == 100.0  # days 30 and 31; day 32 is not over
    assert row["provisional"] is True
    assert row["payback_days"] is None  # seven days have not passed
    assert feast(season, until=37)["after_daily_net_minor"] == 42.8571
    assert feast(season, until=30)["overdraft"] is None
    assert feast(season, until=28)["during_daily_net_minor"] is None
    assert feast(season, until=57)["provisional"] is True
    assert feast(season, until=58)["provisional"] is False


def test_without_money_before_there_is_nothing_to_compare_with() -> None:
    season = Season()
    season.open("r", "h", at(0))
    season.view("r", at(0), "v")
    sell_every_day(season, range(28, 58), 100)
    row = feast(season)
    assert row["before_daily_net_minor"] == 0.0
    assert row["lift"] is row["overdraft"] is None
    assert row["payback_days"] == 0
    season.refund("r", 28, at(3))
    assert feast(season)["before_daily_net_minor"] == -1.0
    assert feast(season)["lift"] is None


def test_a_log_that_begins_in_the_festival_knows_no_before() -> None:
    season = Season()
    season.open("r", "h", at(29))
    sell_every_day(season, range(29, 58), 100)
    row = feast(season)
    assert row["before_daily_net_minor"] is row["lift"] is row["payback_days"] is None
    assert row["during_daily_net_minor"] == 100.0  # of day 29 alone


def test_currencies_are_never_summed_and_rooms_never_opened_count_for_the_platform() -> None:
    season = Season(partitions=3)
    season.open("r1", "h", at(0), category="food", currency="CNY")
    season.open("r2", "h", at(0), category="beauty", currency="USD")
    for room_id in ("r1", "r2", "never opened"):
        season.order(room_id, at(28), "b")
    rows = season.report(calendar=FESTIVAL)["festivals"]
    assert only(rows, "scope", "key", "currency") == [
        ("category", "beauty", "USD"),
        ("category", "food", "CNY"),
        ("host", "h", "CNY"),
        ("host", "h", "USD"),
        ("platform", None, None),
        ("platform", None, "CNY"),
        ("platform", None, "USD"),
    ]
    assert {row["during_daily_net_minor"] for row in rows} == {50.0}


def test_a_festival_of_another_year_has_no_line() -> None:
    season = Season()
    season.order("r", at(28), "b")
    calendar = [("a", date(2025, 11, 1), date(2025, 11, 11)), *FESTIVAL]
    calendar += [("z", date(2027, 11, 1), date(2027, 11, 11))]
    assert only(season.report(calendar=calendar)["festivals"], "festival") == [("feast",)]


def test_a_refund_of_a_day_that_no_order_can_have_lies_on_no_day() -> None:
    season = Season()
    season.open("r", "h", at(0))
    sell_every_day(season, range(58), 100)
    for ordered_ts_ms in (-(2**63) + 1, -1, 0, 4_102_444_800_000, 2**63 - 1):
        season.refund("r", 50, ordered_ts_ms)
    assert len(season.states[0].room_days) == 58
    assert feast(season)["before_daily_net_minor"] == 100.0


# --- trusted -------------------------------------------------------------------------------------


def test_suspects_are_left_out_of_every_trusted_figure_and_of_no_other() -> None:
    season = Season()
    season.open("r0", "h", at(0))
    season.open("r", "h", at(28))
    season.view("r0", at(0), "v", "bot")
    season.view("r", at(28), "v", "bot", "w")
    season.view("r", at(60), "bot")
    season.order("r", at(28), "b", "brusher")
    season.order("r", at(29), "brusher")
    day = (FIRST + timedelta(days=28)).toordinal()
    suspects = Suspects(
        viewers=frozenset({"bot"}),
        buyers=frozenset({"brusher"}),
        net_minor={(day, "r"): 100, (day + 1, "r"): 100},
    )
    found = season.report(calendar=FESTIVAL, suspects=suspects)

    def pair(row: Row, name: str) -> tuple[object, object]:
        return row[name], row[f"{name}_trusted"]

    room, _ = found["rooms"]
    assert pair(room, "viewers") == (3, 2)
    assert pair(room, "returning_viewers") == (2, 1)
    (host,) = found["hosts"]
    assert pair(host, "buyers") == (2, 1)
    assert pair(host, "repeat_buyers") == (1, 0)
    assert pair(found["days"][0], "active_viewers") == (2, 1)
    assert pair(found["days"][-1], "active_viewers") == (1, 0)
    cohorts = {(row["kind"], row["week"]): row for row in found["cohorts"]}
    assert pair(cohorts["viewers", "2026-W45"], "size") == (2, 1)
    assert pair(cohorts["viewers", "2026-W45"], "returned") == (
        [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.5],
        [0.0, 0.0, 0.0, 1.0],
    )
    assert pair(found["festivals"][0], "during_daily_net_minor") == (150.0, 50.0)


def test_a_cohort_of_suspects_alone_has_nobody_trusted() -> None:
    season = Season()
    season.view("r", at(0), "bot")
    (row,) = season.report(suspects=Suspects(viewers=frozenset({"bot"})))["cohorts"]
    assert (row["size"], row["size_trusted"], row["returned_trusted"]) == (1, 0, [])


# --- sets of people ------------------------------------------------------------------------------


def set_in_order(ids: list[str], seals: frozenset[int] = frozenset()) -> People:
    found = People()
    for number, id_ in enumerate(ids):
        found.add(id_)
        if number in seals:
            found.seal()
    return found


def test_sets_are_exact_up_to_their_size_and_then_within_two_percent() -> None:
    ids = [f"v{number}" for number in range(4 * EXACT)]
    assert people.count(set_in_order(ids[:EXACT]).read()) == EXACT
    assert people.count(set_in_order(ids).read()) == pytest.approx(len(ids), rel=0.02)


def test_a_set_is_the_people_in_it_whatever_their_order_and_the_seals_between() -> None:
    ids = [f"v{number}" for number in range(2 * EXACT)]
    expected = set_in_order(ids).snapshot()
    random.Random(3).shuffle(ids)
    seals = frozenset({10, EXACT + 1, EXACT + 2, 2 * EXACT - 1})
    shuffled = set_in_order(ids + ids[:1000], seals)
    assert shuffled.snapshot() == expected
    again = People()
    again.restore(expected)
    again.add("v1")
    assert again.snapshot() == expected


def test_a_large_crowd_gives_shares_within_three_points() -> None:
    season = Season(partitions=2)
    crowd = [f"v{number}" for number in range(3 * EXACT)]
    season.open("r1", "h", at(0))
    season.open("r2", "h", at(5))
    season.view("r1", at(0), *crowd[: 2 * EXACT])
    season.view("r2", at(5), *crowd[EXACT:])
    season.order("r1", at(0), *crowd[: 2 * EXACT])
    season.order("r2", at(5), *crowd[EXACT:])
    found = season.report()
    room = found["rooms"][1]
    assert room["viewers"] == pytest.approx(2 * EXACT, rel=0.02)
    assert room["returning_share"] == pytest.approx(0.5, abs=0.03)
    (host,) = found["hosts"]
    assert host["viewers"] == pytest.approx(3 * EXACT, rel=0.02)
    assert host["repeat_buyers"] / host["buyers"] == pytest.approx(1 / 3, abs=0.03)
    assert host["repurchase_7d"] == pytest.approx(1 / 3, abs=0.03)
    assert found["days"][-1]["monthly_active_viewers"] == pytest.approx(3 * EXACT, rel=0.02)
    assert sum(row["size"] for row in found["cohorts"]) == pytest.approx(6 * EXACT, rel=0.02)


def test_whether_a_few_return_from_a_large_crowd_is_asked_of_those_that_are_in_the_sample() -> None:
    season = Season()
    crowd = [f"v{number}" for number in range(4 * EXACT)]
    season.open("crowd", "h", at(0))
    season.open("few", "h", at(30))
    season.view("crowd", at(0), *crowd)
    season.view("few", at(30), *crowd[:3_000], *(f"new {number}" for number in range(1_000)))
    season.open("later", "h", at(31))
    season.view("later", at(31), *crowd[2_900:3_010])
    _, few, later = season.report()["rooms"]
    assert few["viewers"] == 4_000
    assert few["returning_share"] == pytest.approx(0.75, abs=0.03)
    # the crowd was more than 30 days before: nothing that is asked here is sampled
    assert (later["viewers"], later["returning_viewers"]) == (110, 100)


def test_too_many_viewers_of_one_host_are_looked_at_in_a_sample() -> None:
    season = Season()
    season.open("first", "h", at(0))
    season.open("second", "h", at(1))
    season.view("first", at(0), *(f"v{number}" for number in range(30_000)))
    season.view("second", at(1), *(f"v{number}" for number in range(15_000, 45_000)))
    with patch.object(returning, "_MOST_OF_A_HOST", 20_000):
        second = season.report()["rooms"][1]
    assert second["viewers"] == 30_000
    assert second["returning_share"] == pytest.approx(0.5, abs=0.03)
    assert season.report()["rooms"][1]["returning_viewers"] == 15_000


# --- days of zones -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "zone", ["Asia/Shanghai", "Europe/London", "America/St_Johns", "America/Sao_Paulo", "UTC"]
)
def test_event_days_agree_with_the_zone_at_every_moment_around_set_clocks(zone: str) -> None:
    """St John's set its clocks at a minute past midnight: one of its days came back for an hour."""
    days, draws = EventDays(ZoneInfo(zone)), random.Random(8)
    moments = [int(datetime(2007, m, 1).timestamp()) for m in range(1, 13)]  # noqa: DTZ001
    for start in moments:
        for _ in range(400):
            second = start + draws.randrange(-86_400, 40 * 86_400)
            expected = datetime.fromtimestamp(second, ZoneInfo(zone)).toordinal()
            assert days.day_of(second * 1000) == expected
            assert days.day_of(second * 1000 + 999) == expected
            assert days.end_ms(expected) > second * 1000
            assert days.day_of(days.end_ms(expected)) == expected + 1


# --- bounds --------------------------------------------------------------------------------------


def caps(**entries: int) -> AbstractContextManager[object]:
    return patch.dict(limits.CAPS, {name: (number, "") for name, number in entries.items()})


def test_too_many_room_days_give_up_the_oldest_days() -> None:
    season = Season()
    with caps(room_days=16):
        for day in range(40):
            season.view("r", at(day), "v")
        season.view("r", at(-9), "too old to be kept")
        season.view("r", at(39), "w")
    assert len(season.states[0].room_days) == 16
    assert season.evictions.counts == {"room_days": 25}
    assert only(season.report()["days"], "day")[0] == ("2026-11-26",)
    assert season.report()["days"][-1]["active_viewers"] == 2


def test_too_many_people_give_up_the_oldest_days() -> None:
    season = Season()
    with caps(room_day_people=50):
        for day in range(30):
            season.view("r", at(day), *(f"v{number}" for number in range(10)))
            assert season.states[0].people <= 50
    assert season.evictions.counts["room_day_people"] == 30 - len(season.states[0].room_days)
    assert only(season.report()["days"], "day")[-1] == ("2026-12-01",)


def test_who_is_late_for_a_sealed_day_is_counted_and_sealed_again() -> None:
    season = Season()
    (state,) = season.states
    room = state.of("r")
    room.seen("v", at(0))
    state.of("other").seen("v", at(2))
    assert state.people == 1
    room.seen("w", at(0))
    state.of("other").seen("v", at(4))
    assert state.people == 3  # two of the first day, one of the third
    assert season.report()["days"][0]["active_viewers"] == 2


def test_a_season_that_is_cut_and_restored_gives_the_same_report_and_gives_up_the_same() -> None:
    def play(season: Season, days: range) -> None:
        for day in days:
            season.view(f"r{day % 3}", at(day), *(f"v{number % (day + 1)}" for number in range(9)))
            season.order("r0", at(day), f"b{day % 5}", amount_minor=2**62)
            season.refund("r1", 5, at(day // 2))

    with caps(room_day_people=60):
        whole, cut = Season(), Season()
        play(whole, range(30))
        play(cut, range(17))
        state = msgspec.msgpack.decode(msgspec.msgpack.encode(cut.states[0].snapshot()))
        cut.states[0] = Stickiness(ZoneInfo("UTC"), cut.evictions)
        cut.states[0].restore(state)
        play(cut, range(17, 30))
    assert cut.states[0].snapshot() == whole.states[0].snapshot()
    assert cut.evictions.counts == whole.evictions.counts
    assert cut.report(calendar=FESTIVAL) == whole.report(calendar=FESTIVAL)
