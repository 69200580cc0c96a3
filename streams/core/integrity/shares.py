"""What share is normal in a category, and is everybody above it right now?

Two counts of a partition for a yes/no fact of orders. What is normal is learned from rooms without
an open incident, pulled to a start value with the weight of so many orders, so that neither a new
category nor a poisoned one decides. What is happening to everybody (a payment channel is down, and
all cancel) is seen in the last window of the other rooms: it raises what is expected of each.

State: learned counts by category, the window's counts by minute and category. Cap:
`share_categories`; categories beyond it are one, the nameless. The window is short of a day.
"""

from collections.abc import Callable
from typing import Any

from streams.core import limits

_MINUTE_MS = 60_000
LEAST_SHARE, GREATEST_SHARE = 0.0005, 0.5
# Learning halves its memory at so many orders, so that a share follows the season.
_HALVED_AT = 20_000
# So many facts expected and seen are taken for granted: few rooms say nothing of everybody.
_CALM = 3.0

StartOf = Callable[[str], float]


class Counts:
    """Orders, and those of them of which it is true."""

    __slots__ = ("of", "seen")

    def __init__(self, of: int = 0, seen: int = 0) -> None:
        self.of = of
        self.seen = seen

    def add(self, of: int, seen: int) -> None:
        self.of += of
        self.seen += seen


class Shares:
    """The shares of one yes/no fact in a partition."""

    __slots__ = ("_from_ms", "_learned", "_minutes", "_window")

    def __init__(self) -> None:
        self._learned: dict[str, Counts] = {}
        self._window: dict[str, Counts] = {}
        self._minutes: dict[int, dict[str, Counts]] = {}
        self._from_ms = 0

    def learn(self, category: str | None, of: int, seen: int) -> None:
        """Take orders of a room without an open incident."""
        counts = self._learned.setdefault(_key(self._learned, category), Counts())
        counts.add(of, seen)
        if counts.of >= _HALVED_AT:
            counts.of //= 2
            counts.seen //= 2

    def share(self, category: str | None, start: float, prior_orders: int) -> float:
        """What is normal in a category."""
        counts = self._learned.get(category or "") or Counts()
        share = (start * prior_orders + counts.seen) / (prior_orders + counts.of)
        return max(LEAST_SHARE, min(GREATEST_SHARE, share))

    def happened(self, category: str | None, ts_ms: int, of: int, seen: int) -> None:
        """Count in the window, at a stamp."""
        if ts_ms < self._from_ms:
            return  # later than late
        key = _key(self._window, category)
        minute = self._minutes.setdefault(ts_ms // _MINUTE_MS, {})
        for by_category in (minute, self._window):
            by_category.setdefault(key, Counts()).add(of, seen)

    def forget(self, before_ms: int) -> None:
        """Let the window begin at a stamp, rounded down to a minute."""
        first = before_ms // _MINUTE_MS
        if first * _MINUTE_MS <= self._from_ms:
            return
        self._from_ms = first * _MINUTE_MS
        for minute in sorted(self._minutes):
            if minute >= first:
                break
            for category, counts in self._minutes.pop(minute).items():
                left = self._window[category]
                left.add(-counts.of, -counts.seen)
                if not left.of and not left.seen:
                    del self._window[category]

    def excess(self, share_of: StartOf, own_category: str | None, own: Counts) -> float:
        """How much more than normal is seen in the window of all other rooms; 1 if it is not.

        Args:
            share_of: what is normal in a category.
            own_category: of the room that asks.
            own: what the room itself has in the window.
        """
        expected = seen = _CALM
        own_key = _key(self._window, own_category)
        for category in sorted(self._window):
            counts = self._window[category]
            mine = own if category == own_key else Counts()
            expected += share_of(category) * max(0, counts.of - mine.of)
            seen += max(0, counts.seen - mine.seen)
        return max(1.0, seen / expected)

    def snapshot(self) -> list[Any]:
        return [
            _plain(self._learned),
            [[minute, _plain(counts)] for minute, counts in self._minutes.items()],
            self._from_ms,
        ]

    def restore(self, state: list[Any]) -> None:
        learned, minutes, self._from_ms = state
        self._learned = _restored(learned)
        self._minutes = {minute: _restored(counts) for minute, counts in minutes}
        self._window = {}
        for by_category in self._minutes.values():
            for category, counts in by_category.items():
                self._window.setdefault(category, Counts()).add(counts.of, counts.seen)


def _key(by_category: dict[str, Counts], category: str | None) -> str:
    """Under which name a category is counted: its own, if there is room for it."""
    if category in by_category or len(by_category) < limits.cap("share_categories"):
        return category or ""
    return ""


def _plain(by_category: dict[str, Counts]) -> list[Any]:
    return [[category, counts.of, counts.seen] for category, counts in by_category.items()]


def _restored(state: list[Any]) -> dict[str, Counts]:
    return {category: Counts(of, seen) for category, of, seen in state}
