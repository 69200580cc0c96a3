"""When are boards ranked? Soon after views came, once those of other partitions had time to come.

Views come from all partitions at about the same time, once in `seconds`, so a clock of its own
would double their delay. What ranking costs bounds how often it is done; it is told by the
processor, for on a machine that is busy with others the time that passes says nothing of it, and a
pace that followed it would make old boards older. Times are seconds of a monotonic clock.
"""

# Ranking may take no more than this share of a processor, however many rooms there are.
MOST_SHARE = 0.05
# Views of other partitions are on their way: none came for so long, or the first so long ago.
_SETTLE_SECONDS = 0.03
_MOST_SETTLE_SECONDS = 0.15


class RankingPace:
    """Says when the next ranking is due.

    Args:
        seconds: how often views come.
        now: there is something to rank from the start.

    Attributes:
        is_wanted: whether something came since it was ranked last.
    """

    def __init__(self, seconds: float, now: float) -> None:
        self._seconds = seconds
        self._ready = self._due = self._last = now
        self.is_wanted = True

    def came(self, now: float) -> None:
        """Something came that boards rest on."""
        if not self.is_wanted:
            self.is_wanted, self._last = True, now + _MOST_SETTLE_SECONDS
        self._due = max(self._ready, min(self._last, now + _SETTLE_SECONDS))

    def is_due(self, now: float) -> bool:
        """Whether it is time to rank."""
        return self.is_wanted and now >= self._due

    def wait_seconds(self, now: float) -> float | None:
        """How long nothing has to be ranked; None while nothing is wanted."""
        return max(0.0, self._due - now) if self.is_wanted else None

    def ranked(self, started: float, processor_seconds: float, *, is_done: bool) -> None:
        """It was ranked; where that could not be published, it is wanted again."""
        self.is_wanted = not is_done
        pause = max(self._seconds / 4, processor_seconds / MOST_SHARE)
        self._ready = self._due = started + pause
