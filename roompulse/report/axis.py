"""A time axis: where it is written to, and which minutes make one point of a curve."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from itertools import count
from typing import Final
from zoneinfo import ZoneInfo

from roompulse.charts.svg import time_step_minutes

MINUTE_MS: Final = 60_000
MOST_POINTS: Final = 120  # of a curve
_MOST_TICKS: Final = 6
_DAY_MINUTES: Final = 24 * 60
Points = list[tuple[float, float]]


class TimeAxis:
    """The time from one moment to another, in clock times of a zone.

    Attributes:
        minutes: how many minutes one point of a curve stands for.
        ticks: round clock times, a few.
    """

    def __init__(self, first_ms: int, last_ms: int, zone: str) -> None:
        self._first_ms = first_ms
        self._last_ms = last_ms
        here = datetime.fromtimestamp(first_ms / 1000, ZoneInfo(zone))
        self._midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
        span = (last_ms - first_ms) / MINUTE_MS
        self.minutes = time_step_minutes(span + 1, MOST_POINTS)
        self.ticks = self._ticks(time_step_minutes(span, _MOST_TICKS))
        self._origin_ms = round(self._midnight.timestamp() * 1000)
        self._width_ms = self.minutes * MINUTE_MS

    def added(self, figures: Iterable[tuple[int, int]]) -> Points:
        """A curve of figures by minute, added up over the minutes of a point; none are 0."""
        first_ms, last_ms = self._point_of(self._first_ms), self._last_ms
        sums = dict.fromkeys(range(first_ms, last_ms + 1, self._width_ms), 0)
        for minute_ms, value in figures:
            sums[self._point_of(minute_ms)] += value
        return [(float(ms), float(value)) for ms, value in sums.items()]

    def greatest(self, figures: Iterable[tuple[int, int]]) -> Points:
        """A curve of figures by minute: the greatest of a point; none where no minute has one."""
        kept: dict[int, int] = {}
        for minute_ms, value in sorted(figures):
            point_ms = self._point_of(minute_ms)
            kept[point_ms] = max(kept.get(point_ms, value), value)
        return [(float(ms), float(value)) for ms, value in kept.items()]

    def _point_of(self, ms: int) -> int:
        return ms - (ms - self._origin_ms) % self._width_ms

    def _ticks(self, step: int) -> list[tuple[float, str]]:
        form = "%m-%d" if step >= _DAY_MINUTES else "%H:%M"
        found: list[tuple[float, str]] = []
        for number in count():
            tick = self._midnight + timedelta(minutes=number * step)  # by the clock of the zone
            ms = tick.timestamp() * 1000
            if ms > self._last_ms:
                return found
            if ms >= self._first_ms:
                found.append((ms, tick.strftime(form)))
        raise AssertionError("a clock passes every moment")
