"""Which lengths of visits are normal by when they start, and do those of a room differ?

The visits of a minute or longer that ended in one hour of a show stand in a table: ten bins of when
they started, ten of how long they lasted. For each start the lengths are held against those of
rooms with as many such visits (a G-test). Visits of one room have causes in common, so G is divided
by how much it is above chance in rooms that raise no suspicion, or in three quarters of all. When
they started is not judged: a raid or a coupon may bring hundreds at once.

Also: how rarely is a visit of a length silent? Bought viewers do nothing for long.

State: a table of sums for each size of room; two sums for each length; a sum of what is above
chance. Nothing grows.
"""

import math
from bisect import bisect_right
from collections.abc import Iterable
from typing import Any, NamedTuple

from streams.core.pane import Stay

BINS = 10
HOUR_MS = 3_600_000
# From a minute on; each is 1.6 times the one before.
LENGTHS_MS = (
    100_000,
    160_000,
    250_000,
    400_000,
    640_000,
    1_000_000,
    1_600_000,
    2_500_000,
    4_000_000,
)
_SIZES = (100, 300, 1_000)  # longer visits an hour: where a size of room ends
_LEAST_TAUGHT = 150
_POOLED_WEIGHT, _EVEN = 100, 0.05
_START_DISPERSION, _LEAST_DISPERSION, _MOST_DISPERSION, _DISPERSION_WEIGHT = 2.0, 1.5, 6.0, 4
_HALVED_AT = 50_000
_ROOMS, _LEAST_ROOMS = 64, 4
_GREATEST_WEIGHT = 25.0
_LEAST_IN_ROW = 5
# Of two visits of one room: many of them tell less than as many of different rooms.
_CORRELATION = 0.002
_SILENT_START, _SILENT_WEIGHT = 0.3, 5


class Odd(NamedTuple):
    """How far the stays of a room are from normal.

    Attributes:
        weight: minus the logarithm of how likely they are.
        dispersion: G for each degree of freedom.
        length: the one of which there are most too many; `seen` of `of`, where `base` is normal.
    """

    weight: float
    dispersion: float
    length: int
    seen: int
    of: int
    base: float


class Stays:
    """The longer visits of one room in one hour."""

    __slots__ = ("silent", "table", "total")

    def __init__(self) -> None:
        self.table: dict[int, int] = {}
        self.silent = [0] * BINS
        self.total = 0

    def take(self, stays: Iterable[Stay], hour_ms: int) -> None:
        """Count visits that ended."""
        table = self.table
        for _, start_ms, stay_ms, acted in stays:
            start = (start_ms - hour_ms) * BINS // HOUR_MS
            length = bisect_right(LENGTHS_MS, stay_ms)
            cell = max(0, min(BINS - 1, start)) * BINS + length
            table[cell] = table.get(cell, 0) + 1
            self.total += 1
            if not acted:
                self.silent[length] += 1

    def snapshot(self) -> list[Any]:
        return [list(self.table.items()), self.silent, self.total]

    def restore(self, state: list[Any]) -> None:
        table, self.silent, self.total = state
        self.table = dict(map(tuple, table))


class StayShapes:
    """The shapes of stays in a partition."""

    __slots__ = ("_all", "_by_size", "_dispersion", "_lengths", "_silent", "_taught", "_told")

    def __init__(self) -> None:
        self._by_size = [[0] * (BINS * BINS) for _ in range(len(_SIZES) + 1)]
        self._all = [0] * (BINS * BINS)
        self._dispersion = 0.0
        self._taught = 0  # hours of rooms
        self._lengths = [0] * BINS
        self._silent = [0] * BINS
        self._told: dict[str, float] = {}

    def learn(self, stays: Stays, dispersion: float | None) -> None:
        """Take an hour of a room that raises no suspicion."""
        table = self._by_size[bisect_right(_SIZES, stays.total)]
        for cell, count in stays.table.items():
            table[cell] += count
            self._all[cell] += count
            self._lengths[cell % BINS] += count
        for length, count in enumerate(stays.silent):
            self._silent[length] += count
        if dispersion is not None:
            self._dispersion += min(dispersion, _MOST_DISPERSION)
            self._taught += 1
        if sum(self._lengths) >= _HALVED_AT:
            self._by_size = [[count // 2 for count in each] for each in self._by_size]
            self._add_up()
            self._silent = [count // 2 for count in self._silent]

    def rarely_silent_from(self, share: float) -> int | None:
        """From which length on at most such a share of normal visits is silent; None if never.

        A longer visit is silent no more often than a shorter one, so few of them need be known.
        """
        weight = _SILENT_WEIGHT
        for length, (of, silent) in enumerate(zip(self._lengths, self._silent, strict=True)):
            if (_SILENT_START * weight + silent) / (weight + of) <= share:
                return length
        return None

    def _add_up(self) -> None:
        self._all = [sum(counts) for counts in zip(*self._by_size, strict=True)]
        self._lengths = [sum(self._all[length::BINS]) for length in range(BINS)]

    def judge(self, room_id: str, stays: Stays, least: int = 60) -> Odd | None:
        """How odd the stays of a room are; None of fewer than `least`, or if nothing is known."""
        whole = sum(self._lengths)
        if stays.total < least or whole < _LEAST_TAUGHT:
            return None
        g = 0.0
        freedom = 0
        expected_of = [0.0] * BINS
        seen_of = [0] * BINS
        pooled = [length / BINS for length in self._lengths]
        by_size = self._by_size[bisect_right(_SIZES, stays.total)]
        for first in range(0, BINS * BINS, BINS):
            row = [stays.table.get(cell, 0) for cell in range(first, first + BINS)]
            total = sum(row)
            if total < _LEAST_IN_ROW:
                continue
            freedom += BINS - 1
            normal = self._normal(first, by_size, pooled, whole)
            scale = total / sum(normal)
            for length, seen in enumerate(row):
                expected = normal[length] * scale
                expected_of[length] += expected
                if seen:
                    seen_of[length] += seen
                    g += 2 * seen * math.log(seen / expected)
        if not freedom:
            return None
        g /= 1 + _CORRELATION * stays.total
        dispersion = g / freedom
        weight = _tail_weight(g / self._usual_dispersion(room_id), freedom)
        self._tell(room_id, dispersion)
        length = max(range(BINS), key=lambda length: seen_of[length] - expected_of[length])
        of = sum(seen_of)
        return Odd(weight, dispersion, length, seen_of[length], of, expected_of[length] / of)

    def _normal(
        self, first: int, by_size: list[int], pooled: list[float], whole: int
    ) -> list[float]:
        """What is normal for visits of one start: in rooms of that size, pulled to all rooms."""
        return [
            by_size[first + length]
            + _POOLED_WEIGHT * (self._all[first + length] + of_length) / (2 * whole)
            + _EVEN
            for length, of_length in enumerate(pooled)
        ]

    def _usual_dispersion(self, room_id: str) -> float:
        weight = _DISPERSION_WEIGHT
        learned = (_START_DISPERSION * weight + self._dispersion) / (weight + self._taught)
        others = sorted(each for room, each in self._told.items() if room != room_id)
        if len(others) >= _LEAST_ROOMS:
            learned = max(learned, others[len(others) // 4])
        return max(_LEAST_DISPERSION, learned)

    def _tell(self, room_id: str, dispersion: float) -> None:
        self._told.pop(room_id, None)
        self._told[room_id] = dispersion
        if len(self._told) > _ROOMS:
            del self._told[next(iter(self._told))]

    def snapshot(self) -> list[Any]:
        return [
            self._by_size,
            self._dispersion,
            self._taught,
            self._silent,
            list(self._told.items()),
        ]

    def restore(self, state: list[Any]) -> None:
        by_size, self._dispersion, self._taught, self._silent, told = state
        self._by_size = [list(each) for each in by_size]
        self._add_up()
        self._told = dict(map(tuple, told))


def _tail_weight(chi_square: float, freedom: int) -> float:
    """Minus the logarithm of the chance of so much or more (Wilson and Hilferty's formula)."""
    spread = 2 / (9 * freedom)
    z = ((chi_square / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    if z <= 0:
        return 0.0
    chance = math.erfc(z / math.sqrt(2)) / 2
    return min(_GREATEST_WEIGHT, -math.log(chance)) if chance > 0 else _GREATEST_WEIGHT
