"""Whether a session file is ordered by arrival, or by something else (by user, by room).

A session may hold any dirt that the event clock handles: late events, fast clocks, absurd stamps.
What it must not be is a file in another order, of which nearly everything would count as late.
The test is robust on purpose. A record is *behind* when its stamp is more than `BEHIND_MS` before
the median of the stamps so far. In arrival order the median lies half a session back, so only a
record late by that much is behind; in a file sorted by user or by room, or read backwards, about
half of all records are. More than `LIMIT_SHARE` of them behind, and at least `LEAST_BEHIND`, is
refused.

Cost: one of `stride` records is looked at, and the stride doubles whenever `SAMPLES` are held, so
some 30,000 looks judge ten million records. State: `SAMPLES` pairs.
"""

import re
from bisect import insort
from collections.abc import Iterable, Iterator
from pathlib import Path

from producers.sessions.errors import SessionFileError

BEHIND_MS = 10 * 60 * 1000
LIMIT_SHARE = 0.25
# Fewer may be the dirt of a small session.
LEAST_BEHIND = 50
SAMPLES = 4_096

_STAMP = re.compile(rb'"ts_ms"\s*:\s*(\d{1,18})')


class ArrivalOrder:
    """Judges the order of records as they pass."""

    __slots__ = ("_looks", "_position", "_sorted", "_stride")

    def __init__(self) -> None:
        self._stride = 1
        self._position = 0  # of the next record in the file
        self._looks: list[tuple[int, bool]] = []  # stamp, was it behind
        self._sorted: list[int] = []

    def holds_after(self, records: list[bytes]) -> bool:
        """Whether what has passed, with these records, may still be in order of arrival."""
        first = self._position
        self._position += len(records)
        at = first + -first % self._stride
        while at < self._position:
            found = _STAMP.search(records[at - first])
            if found is not None:
                self._look(int(found[1]))
            at += self._stride - at % self._stride  # the look may have doubled the stride
        behind = sum(was_behind for _, was_behind in self._looks)
        return behind < LEAST_BEHIND or behind <= LIMIT_SHARE * len(self._looks)

    def _look(self, ts_ms: int) -> None:
        stamps = self._sorted
        median = stamps[len(stamps) // 2] if stamps else ts_ms
        self._looks.append((ts_ms, ts_ms < median - BEHIND_MS))
        insort(stamps, ts_ms)
        if len(self._looks) >= SAMPLES:
            self._looks = self._looks[::2]
            self._sorted = sorted(ts for ts, _ in self._looks)
            self._stride *= 2


def check_arrival_order(chunks: Iterable[list[bytes]], path: Path) -> Iterator[list[bytes]]:
    """The same chunks, as long as they may be ordered by arrival; each is judged before it is
    handed on. To read a file in spite of the verdict (`--force`), leave this call out.

    Raises:
        SessionFileError: the stamps run backwards over too many records.
    """
    order = ArrivalOrder()
    for chunk in chunks:
        if not order.holds_after(chunk):
            raise SessionFileError(
                path,
                "is not ordered by arrival: too many records are over 10 minutes behind; sort it"
                " with `roompulse convert session IN -o OUT --sort`, or use --force",
            )
        yield chunk
