"""When an evening of shows happens, how its traffic rises and falls, and when prices are cut."""

from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from random import Random

from producers.generator.rooms import MINUTE_MS

_CHINA = timezone(timedelta(hours=8))
# So long after the last show refunds and complaints still come in.
TRAILING_MINUTES = 90


@dataclass(frozen=True, slots=True)
class Evening:
    """The hours of a session. `profile` is (minutes since the start, relative traffic), linear in
    between; published: live peaks between 18 and 24 h (KuaiLive), shopping most at 21 h (Taobao).
    """

    start_ms: int
    minutes: int
    open_spread: int  # the shows open within so many minutes from the start
    shortest: int  # of a show, minutes; shop rooms run 2 to 6 h
    longest: int
    profile: tuple[tuple[int, float], ...]
    rooms: int  # at the usual size
    events: int  # the usual size
    conversion_boost: float = 1.0
    # Measured over seeds: what one visit and what it leads to come to.
    events_by_visit: float = 6.3
    price_cut_ms: int | None = None

    @property
    def end_ms(self) -> int:
        """When the session ends: a while after the last show can close."""
        return self.start_ms + (self.minutes + TRAILING_MINUTES) * MINUTE_MS

    def hours(self, random: Random) -> tuple[int, int]:
        """When a show opens and closes, in whole minutes."""
        opens = random.randint(0, self.open_spread)
        closes = min(self.minutes, opens + random.randint(self.shortest, self.longest))
        return self.start_ms + opens * MINUTE_MS, self.start_ms + closes * MINUTE_MS

    def shape(self, open_ms: int, close_ms: int) -> tuple[float, ...]:
        """The relative traffic of each minute of a show."""
        first = (open_ms - self.start_ms) // MINUTE_MS
        last = (close_ms - self.start_ms) // MINUTE_MS
        return tuple(self._height(minute) for minute in range(first, last))

    def _height(self, minute: int) -> float:
        before = self.profile[0]
        for point in self.profile:
            if point[0] > minute:
                share = (minute - before[0]) / (point[0] - before[0])
                return before[1] + (point[1] - before[1]) * share
            before = point
        return before[1]


def _start_ms(year: int, month: int, day: int, hour: int, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=_CHINA).timestamp() * 1000)


_USUAL_PROFILE = ((0, 0.8), (60, 0.9), (120, 1.1), (180, 1.3), (240, 1.1), (300, 0.8))

CALM = Evening(
    start_ms=_start_ms(2025, 10, 22, 18),
    minutes=300,
    open_spread=90,
    shortest=120,
    longest=270,
    profile=_USUAL_PROFILE,
    rooms=24,
    events=60_000,
)
DIRTY = Evening(
    start_ms=_start_ms(2025, 10, 23, 18),
    minutes=300,
    open_spread=60,
    shortest=150,
    longest=270,
    profile=_USUAL_PROFILE,
    rooms=16,
    events=30_000,
    # more sales than usual, to have enough to send twice and pay back
    conversion_boost=2.0,
)
# 19:30 to 01:30; the peak of the 2020 festival came 26 seconds past midnight.
FESTIVAL = Evening(
    start_ms=_start_ms(2025, 11, 10, 19, 30),
    minutes=360,
    open_spread=60,
    shortest=300,
    longest=360,
    profile=(
        (0, 0.6),
        (30, 1.0),
        (90, 1.2),
        (200, 1.1),
        (255, 1.9),
        (269, 2.6),
        (270, 4.5),
        (275, 3.0),
        (300, 1.2),
        (360, 0.5),
    ),
    rooms=60,
    events=300_000,
    conversion_boost=2.0,
    events_by_visit=6.85,
    price_cut_ms=_start_ms(2025, 11, 11, 0),
)
TABLE_EVENING = Evening(
    start_ms=_start_ms(2021, 8, 20, 18),
    minutes=300,
    open_spread=30,
    shortest=240,
    longest=300,
    profile=_USUAL_PROFILE,
    rooms=72,
    events=150_000,
    events_by_visit=7.4,
)

# Relative traffic by hour of the day in China, around 1. Shopping: 21 h has 8.8 % of the day, 3 and
# 4 h .4 to .5 % (Taobao, measured); live peaks from 18 to 24 h and a small one at 12 h (KuaiLive).
_BY_HOUR = (
    *(0.9, 0.5, 0.25, 0.11, 0.1, 0.15, 0.3, 0.6, 0.8, 0.9, 1.0, 1.05),
    *(1.2, 1.1, 1.0, 1.0, 1.0, 0.95, 1.2, 1.5, 1.9, 2.1, 1.9, 1.4),
)


def day_profile(first_hour: int, minutes: int) -> tuple[tuple[int, float], ...]:
    """Traffic over any number of hours, from an hour of the day on."""
    hours = minutes // 60 + 2
    return tuple((60 * n, _BY_HOUR[(first_hour + n) % 24]) for n in range(hours))


def planted_start_ms(hour: int) -> int:
    """When a session with something planted starts: an ordinary day, at an hour in China."""
    return _start_ms(2025, 10, 24, hour)
