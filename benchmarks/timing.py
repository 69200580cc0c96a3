"""How long a piece of work takes, by the wall and by the processor."""

import gc
import time
from collections.abc import Callable

from benchmarks.context import Figures


def rates(events: int, work: Callable[[], object]) -> Figures:
    """Do the work once; events by second of wall time, and processor time of each."""
    gc.collect()
    wall_seconds, cpu_seconds = time.perf_counter(), time.process_time()
    kept = work()
    cpu_seconds = time.process_time() - cpu_seconds
    wall_seconds = time.perf_counter() - wall_seconds
    del kept  # freeing what was made is no part of it
    return {
        "events_per_second": events / wall_seconds,
        "cpu_us_per_event": cpu_seconds / events * 1e6,
    }
