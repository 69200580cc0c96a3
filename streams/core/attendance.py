"""What do the visits of a room come to, or those of several rooms together?

Sums that can be added over rooms: so a host, an agency or the platform has the curve of all its
visits, not a mean of curves. Lengths are in a histogram: a median of several rooms is as exact as
one room's.
"""

from bisect import bisect_right
from typing import Final

from streams.core.histogram import DurationHistogram

# After so long of a visit it is asked who is still there; a summary has the first three.
STAYS_MS: Final = (30_000, 60_000, 300_000, 600_000, 1_800_000)


class Attendance:
    """The visits of one or more rooms.

    Attributes:
        visits: started.
        ended: of those, ended.
        watch_ms: total of ended visits, and of open ones up to last seen.
        stayed: how many ended visits were at least as long as each of `STAYS_MS`.
        stays: the lengths of ended visits.
        interactions: comments, likes, shares, follows and gifts.
        follows: of those, follows.
    """

    __slots__ = ("ended", "follows", "interactions", "stayed", "stays", "visits", "watch_ms")

    def __init__(self) -> None:
        self.visits = 0
        self.ended = 0
        self.watch_ms = 0
        self.stayed = [0] * len(STAYS_MS)
        self.stays = DurationHistogram()
        self.interactions = 0
        self.follows = 0

    def add(self, other: "Attendance") -> None:
        """Add the visits of another room."""
        self.visits += other.visits
        self.ended += other.ended
        self.watch_ms += other.watch_ms
        self.stayed = [
            mine + theirs for mine, theirs in zip(self.stayed, other.stayed, strict=True)
        ]
        for bin_, count in other.stays.bins.items():
            self.stays.shift_bin(bin_, count)
        self.interactions += other.interactions
        self.follows += other.follows

    def take_off(self, stay_ms: int) -> None:
        """Leave out an ended visit in which nothing was done.

        One that is not in here counts for nothing: its room was given up and has begun anew.
        """
        if not self.stays.has(stay_ms):
            return
        self.visits -= 1
        self.ended -= 1
        self.watch_ms = max(0, self.watch_ms - stay_ms)
        self.stays.shift(stay_ms, -1)
        reached = bisect_right(STAYS_MS, stay_ms)
        self.stayed = [
            min(self.ended, count - (at < reached)) for at, count in enumerate(self.stayed)
        ]
