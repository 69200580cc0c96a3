"""How many happened in which minute? Of one room, or of all rooms of a partition.

Asked for the last minutes against those before. State: a count for each minute that is still asked
about. Bound: the minutes that the rules look back, at most a day and an hour.
"""

from typing import Any

from streams.core.pane import MINUTE_MS


class Pace:
    """Counts by minute."""

    __slots__ = ("_first", "_minutes")

    def __init__(self) -> None:
        self._first: int | None = None
        self._minutes: dict[int, int] = {}

    def add(self, minute: int, kept: int) -> None:
        """Count one in a minute; those so many minutes before it are forgotten.

        Args:
            minute: since 1970.
            kept: how many minutes are asked about.
        """
        counts = self._minutes
        if minute in counts:
            counts[minute] += 1
            return
        counts[minute] = 1
        if self._first is None:
            self._first = minute
        for old in [each for each in counts if each <= minute - kept]:
            del counts[old]

    def known(self, end: int, most: int) -> int:
        """How many of the `most` minutes before `end` are known, those without a count too."""
        return 0 if self._first is None else max(0, min(most, end - self._first))

    def between(self, start: int, end: int) -> int:
        """How many happened from a minute on until before another."""
        return sum(count for minute, count in self._minutes.items() if start <= minute < end)

    def mean(self, end: int, most: int) -> float:
        """How many happened in a minute, over the known ones of the `most` before `end`."""
        known = self.known(end, most)
        return self.between(end - most, end) / known if known else 0.0

    def snapshot(self) -> list[Any]:
        return [self._first, self._minutes]

    def restore(self, state: list[Any]) -> None:
        self._first, minutes = state
        self._minutes = dict(minutes)


def minute_of(ts_ms: int) -> int:
    """The minute that contains a stamp, since 1970."""
    return ts_ms // MINUTE_MS
