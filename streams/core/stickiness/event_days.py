"""On which day of the configured zone did something happen, and in which week?

A day is an integer: `date.toordinal` of the event's own stamp in the zone. Looking one up costs two
comparisons while stamps stay within one day, which is found again as soon as one does not.
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from schemas.events import EARLIEST_MS, LATEST_MS

DAYS_A_WEEK = 7
_MINUTE_MS = 60_000
_DAY = timedelta(days=1)


class EventDays:
    """Event days of a zone.

    Attributes:
        from_ms, until_ms: stamps from the one up to before the other lie on `day`.
    """

    __slots__ = ("day", "from_ms", "until_ms", "zone")

    def __init__(self, zone: ZoneInfo) -> None:
        self.zone = zone
        self.day = 0
        self.from_ms = 0
        self.until_ms = 0

    def day_of(self, ts_ms: int) -> int:
        """The event day of a stamp."""
        if not self.from_ms <= ts_ms < self.until_ms:
            self._turn_to(ts_ms)
        return self.day

    def end_ms(self, day: int) -> int:
        """From which moment on a day is over for good."""
        return _last_midnight_ms(date.fromordinal(day + 1), self.zone)

    def _turn_to(self, ts_ms: int) -> None:
        at = datetime.fromtimestamp(ts_ms // 1000, self.zone)
        self.day = at.toordinal()
        start = datetime(at.year, at.month, at.day, tzinfo=self.zone)
        end = start + _DAY  # the next midnight on the wall
        if start.utcoffset() == at.utcoffset() == end.utcoffset():
            self.from_ms, self.until_ms = _ms(start), _ms(end)
        else:  # clocks are set that day, perhaps back over midnight: true for this minute alone
            self.from_ms = ts_ms - ts_ms % _MINUTE_MS
            self.until_ms = self.from_ms + _MINUTE_MS


def day_or_none(days: EventDays, ts_ms: int) -> int | None:
    """The event day of a stamp that nobody checked; None for one that no event can have."""
    return days.day_of(ts_ms) if EARLIEST_MS <= ts_ms <= LATEST_MS else None


def week_of(day: int) -> int:
    """The ISO week of a day, as the number of weeks since the first."""
    return (day - 1) // DAYS_A_WEEK


def week_name(week: int) -> str:
    """An ISO week as it is written: 2026-W45."""
    year, number, _ = date.fromordinal(week * DAYS_A_WEEK + 1).isocalendar()
    return f"{year}-W{number:02d}"


def day_name(day: int) -> str:
    """A day as it is written: 2026-11-11."""
    return date.fromordinal(day).isoformat()


def _ms(at: datetime) -> int:
    return int(at.astimezone(UTC).timestamp()) * 1000


def _last_midnight_ms(day: date, zone: ZoneInfo) -> int:
    """When a day begins; clocks that are set back over midnight let it begin twice."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return max(_ms(midnight), _ms(midnight.replace(fold=1)))
