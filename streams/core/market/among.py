"""Where does one stand among others? Percentile, and the median of the others."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import TypeVar

from streams.core.dictionary import rate

Number = TypeVar("Number", int, float)


def percentile(ordered: Sequence[float], value: float) -> float | None:
    """The share of the others below one of some numbers in order, equal ones by half.

    None where there is no other.
    """
    below = bisect_left(ordered, value)
    equal = bisect_right(ordered, value) - below - 1
    return rate(2 * below + equal, 2 * (len(ordered) - 1))


def median_of_others(ordered: Sequence[Number], value: Number) -> Number | None:
    """The lower median of all but one of some numbers in order; None where there is no other."""
    if len(ordered) == 1:
        return None
    at = bisect_left(ordered, value)
    middle = (len(ordered) - 2) // 2
    return ordered[middle if middle < at else middle + 1]
