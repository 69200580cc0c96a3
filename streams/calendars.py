"""The festival calendar of a run: the shipped one, or a file of the user's."""

from pathlib import Path

import yaml

from schemas.calendar import Calendar, CalendarError, calendar_of

SHIPPED = Path(__file__).with_name("calendar.yaml")
_LARGEST_BYTES = 1 << 20  # some ten thousand festivals


def read_calendar(path: Path = SHIPPED) -> Calendar:
    """The festivals of a calendar file, sorted by name.

    Raises:
        CalendarError: the file is no calendar; says what to change.
        OSError: the file cannot be read.
    """
    if path.stat().st_size > _LARGEST_BYTES:
        raise CalendarError(f"{path}: is larger than {_LARGEST_BYTES} bytes and no calendar")
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise CalendarError(f"{path}: is no UTF-8 text") from None
    except (yaml.YAMLError, ValueError) as error:  # a day like 2026-02-30 is a ValueError
        reason = " ".join(str(error).split())
        raise CalendarError(f"{path}: is no YAML ({reason})") from None
    try:
        return calendar_of(entries)
    except CalendarError as error:
        raise CalendarError(f"{path}: {error}") from None
