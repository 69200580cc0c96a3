"""What a festival calendar holds: shopping festivals, each with its first and last day.

The file is a YAML list of `{festival, first_day, last_day}`; days are those of the configured zone,
both included.
"""

from datetime import date, datetime
from itertools import pairwise
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from schemas.events import Id

LONGEST_DAYS = 366
_EARLIEST, _LATEST = date(2000, 1, 1), date(2099, 12, 31)


class CalendarError(ValueError):
    """A calendar cannot be used; the message says which entry and why."""


def _only_a_day(value: object) -> object:
    """Numbers and moments are no days, even where they could be turned into one."""
    if isinstance(value, datetime) or not isinstance(value, date | str):
        raise ValueError("is no day; write one like 2026-11-01")  # noqa: TRY004 - what pydantic expects
    return value


Day = Annotated[date, BeforeValidator(_only_a_day), Field(ge=_EARLIEST, le=_LATEST)]


class Festival(BaseModel):
    """A festival window.

    Attributes:
        festival: its name in results, with the year: `double_11_2026`.
        first_day, last_day: days of the configured zone, both included.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    festival: Id
    first_day: Day
    last_day: Day

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> "Festival":
        days = (self.last_day - self.first_day).days + 1
        if not 1 <= days <= LONGEST_DAYS:
            raise ValueError(f"lasts {days} days; last_day is from first_day on, within a year")
        return self


Calendar = tuple[Festival, ...]
_calendar = TypeAdapter(list[Festival])


def calendar_of(entries: object) -> Calendar:
    """The festivals of a parsed calendar file, sorted by name.

    Raises:
        CalendarError: it is no list of festivals, or two have one name.
    """
    try:
        festivals = _calendar.validate_python(entries)
    except ValidationError as error:
        raise CalendarError(_first_problem(error)) from None
    names = sorted(each.festival for each in festivals)
    for name, following in pairwise(names):
        if name == following:
            raise CalendarError(f"{name!r} stands in it twice; name the year in each")
    return tuple(sorted(festivals, key=lambda each: each.festival))


def _first_problem(error: ValidationError) -> str:
    problem = error.errors()[0]
    place = problem["loc"]
    message = problem["msg"].removeprefix("Value error, ")
    if not place:
        return "is no list of {festival, first_day, last_day}"
    entry = f"entry {int(place[0]) + 1}"
    field = ".".join(str(part) for part in place[1:])
    return f"{entry}: {field + ' ' if field else ''}{message[0].lower() + message[1:]}"
