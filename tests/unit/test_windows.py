"""The last 10 minutes, the last 60, and the day in a zone, as sums of closed minutes."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from streams.core.windows import Sums, SumsByRoom, Windows
from tests.unit.making import DAY, HOUR, MINUTE, minute

SHANGHAI = ZoneInfo("Asia/Shanghai")


def at(text: str, zone: ZoneInfo = SHANGHAI, *, fold: int = 0) -> int:
    """Epoch milliseconds of a time on the wall."""
    local = datetime.fromisoformat(text).replace(tzinfo=zone, fold=fold)
    return int(local.timestamp() * 1000)


def windows_of(*minutes_ms: int, zone: ZoneInfo = SHANGHAI) -> Windows:
    """Windows that hold one unit of money in each minute."""
    windows = Windows(zone)
    for minute_ms in minutes_ms:
        windows.apply(minute("r", minute_ms, 1, orders=2, refunded_minor=3, visits=4))
    return windows


def gross(sums: SumsByRoom) -> int:
    return sum(each.gross_minor for each in sums.values())


def test_the_last_ten_minutes_are_those_before_the_minute_of_the_board() -> None:
    now = 100 * MINUTE
    windows = windows_of(*(number * MINUTE for number in range(80, 105)))
    assert gross(windows.last(10, now)) == 10
    assert gross(windows.last(10, now + MINUTE - 1)) == 10
    only_first = windows_of(90 * MINUTE)
    assert gross(only_first.last(10, now + MINUTE - 1)) == 1
    assert gross(only_first.last(10, now + MINUTE)) == 0
    assert gross(windows_of(100 * MINUTE).last(10, now)) == 0


def test_minutes_before_those_are_asked_for_by_how_long_ago() -> None:
    windows = windows_of(*(number * MINUTE for number in range(85, 100)))
    assert gross(windows.last(10, 100 * MINUTE)) == 10
    assert gross(windows.last(10, 100 * MINUTE, ago=10)) == 5


def test_a_minute_that_comes_twice_counts_once() -> None:
    windows = windows_of(90 * MINUTE, 90 * MINUTE)
    assert windows.last(10, 100 * MINUTE) == {"r": Sums(1, 3, 2, 4)}
    assert windows.day(100 * MINUTE)[1] == {"r": Sums(1, 3, 2, 4)}


def test_rooms_are_summed_apart() -> None:
    windows = Windows(SHANGHAI)
    for room_id in ("a", "b"):
        for number in (90, 91):
            windows.apply(minute(room_id, number * MINUTE, 5))
    assert windows.last(60, 100 * MINUTE) == {"a": Sums(10), "b": Sums(10)}


def test_the_day_turns_at_midnight_of_the_zone() -> None:
    midnight = at("2023-11-11T00:00")
    windows = windows_of(midnight - MINUTE, midnight, midnight + MINUTE)
    day, sums = windows.day(midnight - 1)
    assert (day, gross(sums)) == ("2023-11-10", 0)
    day, sums = windows.day(midnight + 2 * MINUTE)
    assert (day, gross(sums)) == ("2023-11-11", 2)


def test_the_minute_of_the_board_is_not_in_the_day_yet() -> None:
    noon = at("2023-11-11T12:00")
    windows = windows_of(noon)
    assert gross(windows.day(noon + 59_999)[1]) == 0
    assert gross(windows.day(noon + MINUTE)[1]) == 1


def test_a_minute_that_arrives_after_the_day_was_asked_for_is_added() -> None:
    noon = at("2023-11-11T12:00")
    windows = windows_of(noon - 2 * MINUTE)
    assert gross(windows.day(noon)[1]) == 1
    windows.apply(minute("r", noon - HOUR, 10))
    windows.apply(minute("r", noon, 100))
    assert gross(windows.day(noon)[1]) == 11
    assert gross(windows.day(noon + MINUTE)[1]) == 111


def test_minutes_that_no_window_needs_are_dropped() -> None:
    noon = at("2023-11-11T12:00")
    minutes = [noon - number * MINUTE for number in range(1, 30 * 60)]
    windows = windows_of(*minutes)
    before = gross(windows.day(noon)[1])
    windows.forget(noon)
    assert before == 12 * 60
    assert len(windows._minutes) == 12 * 60
    assert gross(windows.day(noon)[1]) == before
    night = at("2023-11-11T00:30")
    windows = windows_of(*(night - number * MINUTE for number in range(1, 200)))
    windows.day(night)
    windows.forget(night)
    assert len(windows._minutes) == 70


def test_the_same_day_is_summed_again_after_another() -> None:
    noon = at("2023-11-11T12:00")
    windows = windows_of(noon - MINUTE, noon - MINUTE - DAY)
    assert gross(windows.day(noon)[1]) == 1
    assert windows.day(noon - DAY)[0] == "2023-11-10"
    assert gross(windows.day(noon)[1]) == 1


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Shanghai", "2023-11-11", 24),
        ("Europe/Berlin", "2023-03-26", 23),
        ("Europe/Berlin", "2023-10-29", 25),
        ("America/New_York", "2023-03-12", 23),
        ("Africa/Cairo", "2023-04-28", 23),  # the clock goes on at midnight: there is none
        ("America/Havana", "2023-11-05", 25),  # the clock goes back to midnight: there are two
        ("Asia/Kathmandu", "2023-11-11", 24),
        ("Australia/Lord_Howe", "2023-04-02", 24.5),
    ],
)
def test_a_day_lasts_from_midnight_to_midnight_on_the_wall(
    zone: str, day: str, hours: float
) -> None:
    local = ZoneInfo(zone)
    noon = at(f"{day}T12:00", local)
    minutes = [noon + number * MINUTE for number in range(-20 * 60, 20 * 60)]
    expected = [ms for ms in minutes if date_of(ms, local) == day]
    assert len(expected) == hours * 60
    windows = windows_of(*minutes, zone=local)
    seen = set()
    for as_of_ms in (expected[0] + 30 * MINUTE, expected[0] + 90 * MINUTE, expected[-1]):
        name, sums = windows.day(as_of_ms)
        seen.add(name)
        assert gross(sums) == sum(ms < as_of_ms for ms in expected)
    assert seen == {day}
    assert windows.day(expected[0] - 1)[0] != day
    assert windows.day(expected[-1] + MINUTE)[0] != day


@pytest.mark.parametrize("minutes_in", [30, 90])
def test_a_day_with_two_midnights_begins_with_the_first(minutes_in: int) -> None:
    """Whichever moment of the day is asked for first."""
    havana = ZoneInfo("America/Havana")
    first = at("2023-11-05T00:00", havana)
    windows = windows_of(*(first + number * MINUTE for number in range(3 * 60)), zone=havana)
    day, sums = windows.day(first + minutes_in * MINUTE)
    assert (day, gross(sums)) == ("2023-11-05", minutes_in)


def date_of(ms: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone(zone).date().isoformat()
