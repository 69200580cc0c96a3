"""How fast does a replay fill a topic? `producers.replay` at full speed, all acknowledged."""

import time

from benchmarks.context import Context, Figures


def measure(context: Context) -> Figures:
    """Replay the festival session from memory into a topic of its own."""
    log = context.even_log()
    cpu_seconds = time.process_time()
    report = log.append_to(context.fresh_name("producer"), context.session())
    cpu_seconds = time.process_time() - cpu_seconds
    return {
        "events_per_second": report.events / report.elapsed_seconds,
        "cpu_us_per_event": cpu_seconds / report.events * 1e6,
    }
