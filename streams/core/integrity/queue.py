"""In which order is evidence taken? By event time, once the watermark has passed it.

So a verdict does not depend on who arrived first inside the lateness bound. Ties go by id. State:
what the watermark has not reached: seconds of orders, and half an hour of "has it been refunded".
Cap: `evidence_queue`; what is over it is taken early, oldest first, and counted.
"""

from heapq import heapify, heappop, heappush
from typing import Any, Generic, TypeVar

from schemas.clock import NOTHING_MS
from streams.core import limits

Item = TypeVar("Item")
NEVER_MS = -NOTHING_MS


class EventTimeQueue(Generic[Item]):
    """Items by (event time, tie), each given out once its time has come."""

    __slots__ = ("_evictions", "_items", "_limit", "_pushed")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self._limit = limits.cap("evidence_queue")
        self._items: list[tuple[int, str, int, Item]] = []
        self._pushed = 0

    @property
    def next_ms(self) -> int:
        """The event time of the next item; `NEVER_MS` if there is none."""
        items = self._items
        if not items:
            return NEVER_MS
        return items[0][0] if len(items) <= self._limit else NOTHING_MS

    def push(self, ts_ms: int, tie: str, item: Item) -> None:
        self._pushed += 1
        heappush(self._items, (ts_ms, tie, self._pushed, item))
        if len(self._items) > self._limit:
            self._evictions.count("evidence_queue")

    def pop(self) -> tuple[int, Item]:
        """The next item with its event time."""
        ts_ms, _, _, item = heappop(self._items)
        return ts_ms, item

    def snapshot(self) -> list[Any]:
        return [self._pushed, [list(item) for item in self._items]]

    def restore(self, state: list[Any]) -> None:
        self._pushed, items = state
        self._items = [(ts_ms, tie, number, item) for ts_ms, tie, number, item in items]
        heapify(self._items)
