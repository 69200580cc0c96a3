"""What would an event cost without any of this? The plain loop that anyone would write first."""

from benchmarks.context import Context, Figures


def measure(context: Context) -> Figures:
    """Read the whole even topic with aiokafka, decode, count in two dicts."""
    log = context.even_log()
    found = context.run_program("plain_loop", log.bootstrap)
    events = found["events"]
    return {
        "events_per_second": events / found["wall_seconds"],
        "cpu_us_per_event": found["cpu_seconds"] / events * 1e6,
    }
