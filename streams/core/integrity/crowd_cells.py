"""How much evidence of bought viewers has come together in one room?

A cell for each sign sums weights up, never falls below nothing, and fades with time. The score is
the greatest cell and half of the others. State: five numbers a sign.
"""

import math
from typing import Any, Final, Literal

Family = Literal["stay", "silence", "devices", "together"]

FAMILIES: Final[dict[str, Family]] = {
    "few_bounces": "stay",
    "many_bounces": "stay",
    "odd_stays": "stay",
    "silent_audience": "silence",
    "shared_devices": "devices",
    "left_together": "together",
    "came_together": "together",
}
SIGNS: Final = tuple(FAMILIES)
# One of them must be strong for anything to be raised; the others only add to it.
LEADING: Final = ("few_bounces", "many_bounces", "odd_stays")
# What leaves or comes together adds to a score but is no second cause: a sale at eight o'clock
# brings people who stay for it, and lets them go.
SECOND: Final = ("silence", "devices")
_GREATEST: Final = {
    "few_bounces": 40.0,
    "many_bounces": 40.0,
    "odd_stays": 25.0,
    "silent_audience": 40.0,
    "shared_devices": 15.0,
    "left_together": 5.0,
    "came_together": 5.0,
}
_OTHERS_COUNT = 0.5
_NEGLIGIBLE = 0.01


class Cell:
    """The evidence of one sign.

    Attributes:
        since_ms: event time at which it last rose from nothing.
        seen, of: what was counted since then.
        base: the share that was normal when it rose last.
    """

    __slots__ = ("base", "most", "of", "seen", "since_ms", "value")

    def __init__(self, most: float) -> None:
        self.most = most
        self.value = self.base = 0.0
        self.since_ms = self.seen = self.of = 0

    def add(self, weight: float, from_ms: int, seen: int, of: int, base: float) -> None:
        """Take the weight of what was seen from a moment on."""
        if not self.value:
            if weight <= 0:
                return
            self.since_ms, self.seen, self.of = from_ms, 0, 0
        self.value = max(0.0, min(self.most, self.value + weight))
        self.seen += seen
        self.of += of
        self.base = base

    def fade(self, passed_ms: int, decay_ms: int) -> None:
        """Let time pass."""
        self.value *= math.exp(-passed_ms / decay_ms)
        if self.value < _NEGLIGIBLE:
            self.value = 0.0

    def snapshot(self) -> list[Any]:
        return [self.value, self.base, self.since_ms, self.seen, self.of]

    def restore(self, state: list[Any]) -> None:
        self.value, self.base, self.since_ms, self.seen, self.of = state


class CrowdCells:
    """The evidence of one room; each sign's cell is an attribute of its name."""

    __slots__ = (*SIGNS, "_all")

    few_bounces: Cell
    many_bounces: Cell
    odd_stays: Cell
    silent_audience: Cell
    shared_devices: Cell
    left_together: Cell
    came_together: Cell

    def __init__(self) -> None:
        for sign in SIGNS:
            setattr(self, sign, Cell(_GREATEST[sign]))
        self._all = [self.of(sign) for sign in SIGNS]

    def of(self, sign: str) -> Cell:
        """The cell of a sign."""
        cell: Cell = getattr(self, sign)
        return cell

    @property
    def leading(self) -> float:
        """The greatest cell of those without which nothing is raised."""
        return max(self.few_bounces.value, self.many_bounces.value, self.odd_stays.value)

    def score(self) -> float:
        """The greatest cell and half of the others."""
        values = [cell.value for cell in self._all]
        greatest = max(values)
        return greatest + _OTHERS_COUNT * (sum(values) - greatest)

    def strong(self, least: float) -> list[str]:
        """The signs whose cell counts, by falling weight."""
        strong = [sign for sign in SIGNS if self.of(sign).value >= least]
        return sorted(strong, key=lambda sign: (-self.of(sign).value, sign))

    def fade(self, passed_ms: int, decay_ms: int) -> None:
        """Let time pass."""
        for cell in self._all:
            if cell.value:
                cell.fade(passed_ms, decay_ms)

    def snapshot(self) -> list[Any]:
        return [cell.snapshot() for cell in self._all]

    def restore(self, state: list[Any]) -> None:
        for cell, saved in zip(self._all, state, strict=True):
            cell.restore(saved)
