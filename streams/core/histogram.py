"""What is the median of many durations, in little memory and with integers only.

Bins are logarithmic with `_BINS_PER_DOUBLING` linear steps in each doubling, so a bin is at most
1/32 of its value wide and its middle errs by at most 1.6 % (the design allows 5 %). Bounds: under
1,900 bins for any 63-bit duration, a few hundred in practice. Order of arrival cannot matter.
"""

_EXACT_BELOW = 64  # shorter durations have a bin of their own
_SHIFT = 6  # bits that a bin keeps: 32 steps in each doubling


class DurationHistogram:
    """Counts of durations, milliseconds, in log-spaced bins."""

    __slots__ = ("bins", "count")

    def __init__(self) -> None:
        self.bins: dict[int, int] = {}
        self.count = 0

    def add(self, duration_ms: int) -> None:
        """Count one duration; it must not be negative."""
        bin_ = _bin_of(duration_ms)
        self.bins[bin_] = self.bins.get(bin_, 0) + 1
        self.count += 1

    def shift(self, duration_ms: int, by: int) -> None:
        """Count a duration so many times more, or less where `by` is negative."""
        self.shift_bin(_bin_of(duration_ms), by)

    def shift_bin(self, bin_: int, by: int) -> None:
        """Change the count of a bin, as another histogram of this class names it."""
        count = self.bins.get(bin_, 0) + by
        if count:
            self.bins[bin_] = count
        else:
            self.bins.pop(bin_, None)
        self.count += by

    def has(self, duration_ms: int) -> bool:
        """Whether a duration was counted, as far as bins can tell."""
        return _bin_of(duration_ms) in self.bins

    def median(self) -> int | None:
        """The median, the mean of the two middle values where the count is even."""
        if not self.count:
            return None
        low, high = self._at((self.count - 1) // 2), self._at(self.count // 2)
        return (low + high) // 2

    def _at(self, rank: int) -> int:
        """The middle of the bin that holds the value of a rank, from 0."""
        seen = 0
        for bin_ in sorted(self.bins):
            seen += self.bins[bin_]
            if seen > rank:
                return _middle(bin_)
        raise AssertionError("a rank lies below the count")

    def snapshot(self) -> list[list[int]]:
        return [list(item) for item in self.bins.items()]

    def restore(self, state: list[list[int]]) -> None:
        self.bins = {bin_: count for bin_, count in state}  # noqa: C416 - pairs are lists
        self.count = sum(self.bins.values())


def _bin_of(duration_ms: int) -> int:
    if duration_ms < _EXACT_BELOW:
        return duration_ms
    shift = duration_ms.bit_length() - _SHIFT
    return (shift << _SHIFT) + (duration_ms >> shift)


def _middle(bin_: int) -> int:
    if bin_ < _EXACT_BELOW:
        return bin_
    shift, step = bin_ >> _SHIFT, bin_ & (_EXACT_BELOW - 1)
    return (step << shift) + (1 << shift) // 2
