"""What happened in the last 10 minutes, the last 60, today? Sums of closed minutes by room.

Windows end at the start of the minute that contains the board's `as_of_ms`, so that each of them
holds whole closed minutes only; the day is that of `as_of_ms` in the configured zone (design,
section 6).

State: the minutes of the last 70 minutes and of the day, and the running sums of the day. Minutes
are dropped by event time; one that comes again (a worker that was killed publishes it again) is
equal to the first and is skipped.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from schemas.records import RoomMinute
from streams.core.exchange import Turn
from streams.core.pane import MINUTE_MS

WINDOW_MINUTES = {"last_10m": 10, "last_60m": 60}
_KEPT_MS = (60 + 10) * MINUTE_MS


@dataclass(slots=True)
class Sums:
    """What minutes carry, added up."""

    gross_minor: int = 0
    refunded_minor: int = 0
    orders: int = 0
    visits: int = 0

    def add(self, other: "Sums | RoomMinute") -> None:
        self.gross_minor += other.gross_minor
        self.refunded_minor += other.refunded_minor
        self.orders += other.orders
        self.visits += other.visits

    def add_turned(self, other: "Sums", turn: Turn) -> None:
        """Add sums of another currency."""
        self.gross_minor += turn(other.gross_minor)
        self.refunded_minor += turn(other.refunded_minor)
        self.orders += other.orders
        self.visits += other.visits


SumsByRoom = dict[str, Sums]


class Windows:
    """The closed minutes that window boards need.

    Args:
        zone: the zone whose days the `day` boards show.
    """

    def __init__(self, zone: ZoneInfo) -> None:
        self._zone = zone
        self._minutes: dict[int, dict[str, RoomMinute]] = {}
        self._day_start_ms = 0
        self._day_end_ms = 0
        self._day_sums: SumsByRoom = {}
        self._day_until_ms = 0  # minutes of the day before this one are in its sums

    def apply(self, line: RoomMinute) -> None:
        """Take a closed minute."""
        minute_ms = line.minute_ms
        rooms = self._minutes.setdefault(minute_ms, {})
        if line.room_id in rooms:
            return
        rooms[line.room_id] = line
        if self._day_start_ms <= minute_ms < self._day_until_ms:
            self._day_sums.setdefault(line.room_id, Sums()).add(line)

    def last(self, minutes: int, as_of_ms: int, *, ago: int = 0) -> SumsByRoom:
        """Sums of so many minutes before the minute of `as_of_ms`, or before `ago` minutes ago."""
        end_ms = as_of_ms - as_of_ms % MINUTE_MS - ago * MINUTE_MS
        starts = range(end_ms - minutes * MINUTE_MS, end_ms, MINUTE_MS)
        return _sum(self._minutes[start] for start in starts if start in self._minutes)

    def day(self, as_of_ms: int) -> tuple[str, SumsByRoom]:
        """The event day of `as_of_ms`, and the sums of its closed minutes so far."""
        if not self._day_start_ms <= as_of_ms < self._day_end_ms:
            self._turn_to_day(as_of_ms)
        until_ms = as_of_ms - as_of_ms % MINUTE_MS
        for start in range(self._day_until_ms, until_ms, MINUTE_MS):
            for line in self._minutes.get(start, {}).values():
                self._day_sums.setdefault(line.room_id, Sums()).add(line)
        self._day_until_ms = max(self._day_until_ms, until_ms)
        return str(self._date(self._day_start_ms)), self._day_sums

    def forget(self, as_of_ms: int) -> None:
        """Drop the minutes that no window at or after `as_of_ms` needs."""
        keep_ms = min(as_of_ms - _KEPT_MS, self._day_start_ms)
        for minute_ms in [minute for minute in self._minutes if minute < keep_ms]:
            del self._minutes[minute_ms]

    def _date(self, ms: int) -> str:
        return datetime.fromtimestamp(ms / 1000, self._zone).date().isoformat()

    def _turn_to_day(self, as_of_ms: int) -> None:
        at = datetime.fromtimestamp(as_of_ms / 1000, self._zone)
        # a night in which the clock goes back to midnight has two: the day begins with the first
        start = at.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
        # the next midnight on the wall, however long the day is
        noon_of_next = datetime.fromtimestamp(start.timestamp() + 36 * 3600, UTC)
        end = noon_of_next.astimezone(self._zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self._day_start_ms = int(start.timestamp()) * 1000
        self._day_end_ms = int(end.timestamp()) * 1000
        self._day_sums = {}
        self._day_until_ms = self._day_start_ms - self._day_start_ms % MINUTE_MS


def _sum(minutes: Iterable[dict[str, RoomMinute]]) -> SumsByRoom:
    sums: SumsByRoom = {}
    for rooms in minutes:
        for room_id, line in rooms.items():
            sums.setdefault(room_id, Sums()).add(line)
    return sums
