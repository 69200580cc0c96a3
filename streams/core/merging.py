"""In which order does a stage take what several partitions tell? By event time, whoever was faster.

Each source (a partition) writes items in the order of a running sequence, and passes its watermark
on: it will tell nothing that lies before it any more. What lies before the least watermark of all
sources is complete, and is given out by (event time, source, sequence). So the result depends on
what the sources told and not on how their records met in the log. Items are taken one record at a
time, so that what comes out is a function of the log alone, wherever a batch ends.

A record whose sequence is not greater than the last of its source is a redelivery, or comes from a
writer that was fenced out late. Every writer begins at or below what is durable and leaves no hole,
so such a record was taken before.

State: watermark and last sequence of each source, items that wait. Cap: named by the owner; what
is over it is given out early, oldest first, and counted.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, Generic, TypeVar

from schemas.clock import NOTHING_MS
from streams.core import limits

Item = TypeVar("Item")
NOTHING_DUE: Sequence[Any] = ()
_by_time = itemgetter(0, 1, 2)


class Merging(Generic[Item]):
    """What the sources of one stage have told, in one order.

    Args:
        sources: how many there are, numbered from 0.
        name: of the cap, in `streams.core.limits`.

    Attributes:
        watermark_ms: the least of all sources; `NOTHING_MS` until each has passed one.
    """

    __slots__ = ("_evictions", "_name", "_passed", "_sequences", "_waiting", "watermark_ms")

    def __init__(self, sources: int, name: str, evictions: limits.Evictions) -> None:
        self._name = name
        self._evictions = evictions
        self._passed = [NOTHING_MS] * sources
        self._sequences = [-1] * sources
        self._waiting: list[tuple[int, int, int, Item]] = []
        self.watermark_ms = NOTHING_MS

    def __len__(self) -> int:
        return len(self._waiting)

    def is_new(self, source: int, sequence: int) -> bool:
        """Whether a record has not come before; it is taken to have come now."""
        if sequence <= self._sequences[source]:
            return False
        self._sequences[source] = sequence
        return True

    def add(self, source: int, sequence: int, ts_ms: int, item: Item) -> Sequence[tuple[int, Item]]:
        """Take an item of a record that is new; what has to go early because too many wait."""
        self._waiting.append((ts_ms, source, sequence, item))
        limit = limits.cap(self._name)
        if len(self._waiting) <= limit:
            return NOTHING_DUE
        return self._make_room(limit)

    def passed(self, source: int, watermark_ms: int) -> Sequence[tuple[int, Item]]:
        """A source has told all before a watermark; the items that are complete now, in order."""
        if watermark_ms <= self._passed[source]:
            return NOTHING_DUE
        self._passed[source] = watermark_ms
        least_ms = min(self._passed)
        if least_ms <= self.watermark_ms:
            return NOTHING_DUE
        self.watermark_ms = least_ms
        due = [waiting for waiting in self._waiting if waiting[0] < least_ms]
        if not due:
            return NOTHING_DUE
        self._waiting = [waiting for waiting in self._waiting if waiting[0] >= least_ms]
        due.sort(key=_by_time)
        return [(ts_ms, item) for ts_ms, _, _, item in due]

    def _make_room(self, limit: int) -> Sequence[tuple[int, Item]]:
        self._waiting.sort(key=_by_time)
        count = max(1, limit // 16)
        gone, self._waiting = self._waiting[:count], self._waiting[count:]
        self._evictions.count(self._name, count)
        return [(ts_ms, item) for ts_ms, _, _, item in gone]

    def snapshot(self, plain: Callable[[Item], Any]) -> list[Any]:
        """The state, with items as `plain` makes them plain values."""
        waiting = [[*each[:3], plain(each[3])] for each in self._waiting]
        return [self._passed, self._sequences, self.watermark_ms, waiting]

    def restore(self, state: list[Any], restored: Callable[[Any], Item]) -> None:
        """Continue from `snapshot`; `restored` brings items back."""
        passed, sequences, self.watermark_ms, waiting = state
        self._passed, self._sequences = list(passed), list(sequences)
        self._waiting = [(*each[:3], restored(each[3])) for each in waiting]
