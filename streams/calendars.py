"""The festival calendar of a run: the shipped one, or a file of the user's."""

from pathlib import Path

from schemas.calendar import Calendar, CalendarError, calendar_of
from streams.yaml_files import YamlFileError, read_yaml

SHIPPED = Path(__file__).with_name("calendar.yaml")


def read_calendar(path: Path = SHIPPED) -> Calendar:
    """The festivals of a calendar file, sorted by name.

    Raises:
        CalendarError: the file is no calendar; says what to change.
        OSError: the file cannot be read.
    """
    try:
        return calendar_of(read_yaml(path))
    except YamlFileError as error:
        raise CalendarError(str(error)) from None
    except CalendarError as error:
        raise CalendarError(f"{path}: {error}") from None
