"""What does Faust do as its documentation shows it? An agent and a table, record by record."""

from benchmarks.context import Context, Figures


def measure(context: Context) -> Figures:
    """Let stock Faust take the first records of the even topic."""
    log = context.even_log()
    found = context.run_program(
        "stock_faust", log.bootstrap, context.fresh_name("stock"), context.sizes.faust_records
    )
    events = found["events"]
    return {
        "events_per_second": events / found["wall_seconds"],
        "cpu_us_per_event": found["cpu_seconds"] / events * 1e6,
    }
