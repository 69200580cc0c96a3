"""How a silent partition learns that time passes: a tick, written to the log like any event.

A partition that was silent for a while gets a tick at the least watermark of those that are not, so
that its minutes close and boards, which stand at the least watermark of all, move on. Being in the
log, the tick is replayed like any event. Only the worker that leads writes ticks.

Silent is a log that does not grow, and of which all is folded: one whose worker was killed has
records that nobody has looked at yet, and gets none.
"""

import uuid
from collections.abc import Callable, Mapping

from schemas import codec
from schemas.clock import OUT_OF_ORDER_MS
from schemas.codec import Tick
from schemas.records import Progress


class Ticker:
    """Decides which partitions need a tick.

    Args:
        seconds: how long a partition has to be silent.
        clock: monotonic seconds.
    """

    def __init__(self, partitions: int, seconds: float, clock: Callable[[], float]) -> None:
        self._partitions = partitions
        self._seconds = seconds
        self._clock = clock
        self._moved_at: dict[int, tuple[int | None, float]] = {}  # partition -> end, since when

    def due(self, progress: Mapping[int, Progress], ends: Mapping[int, int]) -> dict[int, int]:
        """The ticks to write now: partition to stamp.

        Args:
            progress: how far each partition is folded.
            ends: where the log of each partition ends.
        """
        now = self._clock()
        silent, marks = [], []
        for number in range(self._partitions):
            known = progress.get(number)
            folded, end = (known.version.offset if known else 0), ends.get(number)
            before = self._moved_at.get(number)
            if end is None or before is None or before[0] != end or folded < end:
                before = self._moved_at[number] = (end, now)
            if now - before[1] >= self._seconds:
                silent.append(number)
            elif known is not None and known.watermark_ms is not None:
                marks.append(known.watermark_ms)
        if not marks:
            return {}
        stamp_ms = min(marks)
        return {
            number: stamp_ms for number in silent if _would_move(progress.get(number), stamp_ms)
        }


def _would_move(progress: Progress | None, stamp_ms: int) -> bool:
    """Whether a tick at this stamp moves the partition: its watermark trails the stamp it saw."""
    if progress is None or progress.watermark_ms is None:
        return True
    return stamp_ms > progress.watermark_ms + OUT_OF_ORDER_MS


def tick_record(ts_ms: int) -> bytes:
    """The record of a tick; its id is fresh, ticks are not deduplicated."""
    return codec.encode(Tick(event_id=f"tick-{uuid.uuid4().hex}", ts_ms=ts_ms))
