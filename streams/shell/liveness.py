"""Is the worker alive? A pure judgement over what a scrape sees."""

from streams.shell.metrics import WorkerView


def stuck_partitions(view: WorkerView, stuck_seconds: float) -> list[int]:
    """Partitions with records left to fold, or no state yet, and no progress for too long."""
    return [
        number
        for number, health in sorted(view.health.items())
        if (number not in view.progress or view.lag.get(number, 0) > 0)
        and view.now - health.progressed_at > stuck_seconds
    ]
