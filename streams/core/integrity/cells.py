"""How much evidence has come together in one room? A CUSUM for each sign, summed up.

A cell is `C = max(0, C * exp(-dt / decay) + weight)`: it grows with orders that have the sign,
sinks with those that have not, and forgets. The room's score is its greatest cell and half of the
others, which discounts signs that come together. State: five numbers a sign.
"""

import math
from typing import Any

from schemas.rules import BrushingRules
from streams.core.integrity.signs import SIGNS

_OTHERS_COUNT = 0.5


class Cell:
    """The evidence of one sign.

    Attributes:
        since_ms: event time at which it last rose from nothing.
        seen, of: orders with the sign, and all orders looked at, since then.
    """

    __slots__ = ("at_ms", "of", "seen", "since_ms", "value")

    def __init__(self) -> None:
        self.value = 0.0
        self.at_ms = 0
        self.since_ms = 0
        self.seen = 0
        self.of = 0

    def add(self, weight: float, ts_ms: int, decay_ms: int, *, is_set: bool) -> None:
        """Take the weight of one order's sign."""
        value = max(0.0, self.at(ts_ms, decay_ms) + weight)
        if value and not self.value:
            self.since_ms, self.seen, self.of = ts_ms, 0, 0
        self.value = value
        self.at_ms = max(self.at_ms, ts_ms)
        self.of += 1
        self.seen += is_set

    def stay_empty(self, ts_ms: int) -> None:
        """Take an order without the sign into a cell without evidence."""
        self.at_ms = max(self.at_ms, ts_ms)
        self.of += 1

    def at(self, ts_ms: int, decay_ms: int) -> float:
        """What is left of it at an event time."""
        if not self.value:
            return 0.0
        return self.value * math.exp(-max(0, ts_ms - self.at_ms) / decay_ms)


class Cells:
    """The evidence of one room."""

    __slots__ = ("by_sign",)

    def __init__(self) -> None:
        self.by_sign = {sign: Cell() for sign in SIGNS}

    def score(self, ts_ms: int, decay_ms: int) -> float:
        """The greatest cell and half of the others."""
        values = [cell.at(ts_ms, decay_ms) for cell in self.by_sign.values()]
        greatest = max(values)
        return greatest + _OTHERS_COUNT * (sum(values) - greatest)

    def strong(self, ts_ms: int, rules: BrushingRules) -> list[str]:
        """The signs whose cell counts, by falling weight."""
        decay_ms = rules.decay_minutes * 60_000
        values = {sign: cell.at(ts_ms, decay_ms) for sign, cell in self.by_sign.items()}
        strong = [sign for sign in SIGNS if values[sign] >= rules.cell]
        return sorted(strong, key=lambda sign: (-values[sign], sign))

    def clear(self) -> None:
        """Forget all: an incident has ended."""
        self.by_sign = {sign: Cell() for sign in SIGNS}

    def snapshot(self) -> list[Any]:
        return [
            [cell.value, cell.at_ms, cell.since_ms, cell.seen, cell.of]
            for cell in self.by_sign.values()
        ]

    def restore(self, state: list[Any]) -> None:
        for cell, saved in zip(self.by_sign.values(), state, strict=True):
            cell.value, cell.at_ms, cell.since_ms, cell.seen, cell.of = saved
