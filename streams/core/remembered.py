"""Which ids were seen lately: what makes a repeated order, refund or complaint count once.

An id is remembered until the watermark is 24 h past its first stamp; repeats do not prolong it
(design, section 4). State: one dict; cap: named by the owner; eviction: oldest stamp first.
"""

from typing import Any, Generic, TypeVar

from streams.core import limits

MEMORY_MS = 24 * 3_600_000
_SWEEP_MS = 3_600_000  # how often what is forgotten is also freed; results do not depend on it

Value = TypeVar("Value")


class Remembered(Generic[Value]):
    """A dict from id to (first stamp, value) that forgets by the watermark."""

    __slots__ = ("_entries", "_evictions", "_limit", "_name", "_sweep_at_ms")

    def __init__(self, name: str, evictions: limits.Evictions) -> None:
        self._name = name
        self._limit = limits.cap(name)
        self._evictions = evictions
        self._entries: dict[str, tuple[int, Value]] = {}
        self._sweep_at_ms: int | None = None

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, id_: str, watermark_ms: int) -> tuple[int, Value] | None:
        """The entry of an id that is still remembered at this watermark."""
        entry = self._entries.get(id_)
        if entry is None or watermark_ms - entry[0] >= MEMORY_MS:
            return None
        return entry

    def put(self, id_: str, ts_ms: int, value: Value, watermark_ms: int) -> None:
        """Remember an id that is not remembered yet."""
        if self._sweep_at_ms is None:
            self._sweep_at_ms = watermark_ms + _SWEEP_MS
        elif watermark_ms >= self._sweep_at_ms:
            self._sweep(watermark_ms)
        self._entries[id_] = (ts_ms, value)
        if len(self._entries) > self._limit:
            self._evict()

    def free(self, watermark_ms: int) -> None:
        """Free what is forgotten at this watermark; nothing else depends on it."""
        if self._entries:
            self._sweep(watermark_ms)

    def _sweep(self, watermark_ms: int) -> None:
        self._sweep_at_ms = watermark_ms + _SWEEP_MS
        self._entries = {
            id_: entry
            for id_, entry in self._entries.items()
            if watermark_ms - entry[0] < MEMORY_MS
        }

    def _evict(self) -> None:
        entries = self._entries
        self._evictions.give_up_oldest(
            self._name, entries, lambda id_: (entries[id_][0], id_), self._limit
        )

    def snapshot(self) -> list[Any]:
        return [
            self._sweep_at_ms,
            [[id_, ts_ms, value] for id_, (ts_ms, value) in self._entries.items()],
        ]

    def restore(self, state: list[Any]) -> None:
        self._sweep_at_ms, entries = state
        self._entries = {id_: (ts_ms, value) for id_, ts_ms, value in entries}
