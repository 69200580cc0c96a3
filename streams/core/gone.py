"""When was someone last in the room who has left? Asked when an order comes, for 30 minutes.

State: two dicts by viewer, turned over every 30 minutes of watermark, so that forgetting is free:
an entry lives 30 to 60 minutes, and the question itself compares times. Cap: `gone`; a full
dict is turned over early, and what is dropped with the older one is counted.
"""

from typing import Any

from streams.core import limits

KEPT_MS = 30 * 60_000


class Gone:
    """The last visit of each viewer that ended lately."""

    __slots__ = ("_evictions", "_limit", "_newer", "_older", "_turn_at_ms")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self._limit = limits.cap("gone") // 2
        self._newer: dict[str, int] = {}
        self._older: dict[str, int] = {}
        self._turn_at_ms: int | None = None

    def put(self, viewer_id: str, ended_ms: int) -> None:
        """A visit has ended."""
        self._newer[viewer_id] = ended_ms
        if len(self._newer) > self._limit:
            self._evictions.count("gone", len(self._older))
            self._older, self._newer = self._newer, {}

    def last_seen_ms(self, viewer_id: str) -> int | None:
        """When the last visit ended; known for `KEPT_MS` at least, None after."""
        ended_ms = self._newer.get(viewer_id)
        return self._older.get(viewer_id) if ended_ms is None else ended_ms

    def forget(self, watermark_ms: int) -> None:
        """Turn over if it is time; asked whenever minutes close."""
        if self._turn_at_ms is None or watermark_ms >= self._turn_at_ms:
            self._older, self._newer = self._newer, {}
            self._turn_at_ms = watermark_ms + KEPT_MS

    def rest(self) -> None:
        """Forget everyone: nobody was here for longer than is asked about."""
        self._older, self._newer = {}, {}

    def snapshot(self) -> list[Any]:
        return [self._newer, self._older, self._turn_at_ms]

    def restore(self, state: list[Any]) -> None:
        self._newer, self._older, self._turn_at_ms = state
