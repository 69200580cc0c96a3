"""What is the money of several currencies worth in one? Sums turned into a base currency.

Each sum of one key in one currency is turned once, by the exact rate, and rounded half away from
zero to a minor unit of the base; what is derived from others (net, trusted) is derived from what
was turned, so that a row adds up to the unit. Source: design, section 6, boards in a base currency.
"""

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction
from typing import Protocol, Self, TypeVar

from schemas.exchange import RateTable
from schemas.money import digits_of

Turn = Callable[[int], int]


class Addable(Protocol):
    """Sums of one key that can take those of another currency."""

    def add_turned(self, other: Self, turn: Turn) -> None:
        """Add sums whose money is turned by a function first."""


S = TypeVar("S", bound=Addable)


class Exchange:
    """Turns amounts by one rate table.

    Args:
        table: the rates; amounts are minor units on both sides.
    """

    def __init__(self, table: RateTable) -> None:
        self.base = table.base
        self.date = table.date.isoformat()
        unit = 10 ** digits_of(table.base)
        self._factors = {table.base: Fraction(1)} | {
            currency: Fraction(rate) * unit / 10 ** digits_of(currency)
            for currency, rate in table.rates.items()
        }

    def knows(self, currency: str | None) -> bool:
        """Whether there is a rate; a room that was never opened has no currency."""
        return currency in self._factors

    def added_up(
        self, sums: Iterable[tuple[str | None, Mapping[str, S]]], make: Callable[[], S]
    ) -> dict[str, S]:
        """Sums by key over all currencies that have a rate, in the base."""
        found: dict[str, S] = {}
        for currency, keys in sums:
            factor = self._factors.get(currency or "")
            if factor is not None:
                turn = _turning(factor)
                for key, each in keys.items():
                    found.setdefault(key, make()).add_turned(each, turn)
        return found


def _turning(factor: Fraction) -> Turn:
    above, below = factor.numerator, factor.denominator

    def turn(amount_minor: int) -> int:
        whole = (2 * abs(amount_minor) * above + below) // (2 * below)
        return whole if amount_minor >= 0 else -whole

    return turn
