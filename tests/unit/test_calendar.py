"""Which festival calendars are taken, and what is said of those that are not."""

from datetime import date
from pathlib import Path

import pytest

from schemas.calendar import CalendarError, Festival, calendar_of
from streams.calendars import SHIPPED, read_calendar

FESTIVAL = {"festival": "f", "first_day": "2026-11-01", "last_day": "2026-11-11"}


def test_the_shipped_calendar_knows_the_shopping_festivals_of_four_years() -> None:
    calendar = read_calendar()
    by_name = {each.festival: each for each in calendar}
    assert by_name["double_11_2026"] == Festival(
        festival="double_11_2026", first_day=date(2026, 11, 1), last_day=date(2026, 11, 11)
    )
    kinds = ("mid_year_618", "double_11", "double_12", "spring_festival")
    assert set(by_name) == {f"{kind}_{year}" for kind in kinds for year in range(2024, 2028)}
    assert list(by_name) == sorted(by_name)
    for name, each in by_name.items():
        assert name.endswith(str(each.first_day.year))
    assert by_name["mid_year_618_2025"].last_day == date(2025, 6, 18)
    assert by_name["double_12_2024"].last_day == date(2024, 12, 12)
    new_years = {2024: (2, 10), 2025: (1, 29), 2026: (2, 17), 2027: (2, 6)}
    for year, (month, day) in new_years.items():
        window = by_name[f"spring_festival_{year}"]
        assert (date(year, month, day) - window.first_day).days == 1
        assert (window.last_day - window.first_day).days == 7


def test_days_may_be_written_as_yaml_days_or_as_text(tmp_path: Path) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_text(
        "- {festival: b, first_day: 2026-11-01, last_day: '2026-11-01'}\n"
        "- {festival: a, first_day: 2026-11-02, last_day: 2026-11-03}\n"
    )
    assert [each.festival for each in read_calendar(path)] == ["a", "b"]


def test_an_empty_list_is_a_calendar_without_festivals() -> None:
    assert calendar_of([]) == ()


@pytest.mark.parametrize(
    ("entries", "complaint"),
    [
        (None, "is no list of"),
        ({"festival": "f"}, "is no list of"),
        ([FESTIVAL, {"festival": "g"}], "entry 2: first_day field required"),
        ([FESTIVAL | {"first_day": 20261101}], "entry 1: first_day is no day; write one like"),
        ([FESTIVAL | {"last_day": "11 November"}], "entry 1: last_day "),
        ([FESTIVAL | {"last_day": "2026-10-31"}], "entry 1: lasts 0 days"),
        ([FESTIVAL | {"last_day": "2028-11-11"}], "entry 1: lasts 742 days"),
        ([FESTIVAL | {"first_day": "1999-12-31"}], "entry 1: first_day "),
        ([FESTIVAL | {"festival": ""}], "entry 1: festival "),
        ([FESTIVAL | {"holiday": True}], "entry 1: holiday extra"),
        ([FESTIVAL, FESTIVAL], "'f' stands in it twice"),
    ],
)
def test_what_is_no_calendar_is_refused_with_the_entry_and_the_reason(
    entries: object, complaint: str
) -> None:
    with pytest.raises(CalendarError, match=complaint):
        calendar_of(entries)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"- {festival", "is no YAML"),
        (b"- {festival: f, first_day: 2026-02-30, last_day: 2026-03-01}", "is no YAML"),
        (b"\xff\xfe\xff", "is no UTF-8 text"),
        (b"festival: f", "is no list of"),
        (b"- 2026-11-01 00:00:00", "entry 1: "),
        (b" " * (1 << 20) + b"[] ", "is larger than"),
    ],
)
def test_a_file_that_is_no_calendar_is_refused_in_one_line(
    tmp_path: Path, content: bytes, complaint: str
) -> None:
    path = tmp_path / "calendar.yaml"
    path.write_bytes(content)
    with pytest.raises(CalendarError, match=complaint) as refusal:
        read_calendar(path)
    assert str(path) in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_the_shipped_calendar_lies_beside_the_code() -> None:
    assert SHIPPED.is_file()
