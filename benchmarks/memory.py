"""How much memory does a full house take: 1,000 rooms, 1,000,000 viewers, all visits open?

Twice: the fold alone in a process (its peak while the state is packed for a checkpoint, and the
size and time of that), and a whole worker on Kafka up to its first checkpoints.
"""

from benchmarks.context import Context, Figures
from benchmarks.traffic import all_present
from benchmarks.usage import peak_mb, resident_mb
from benchmarks.worker_process import Scrape, WorkerProcess
from schemas.topics import DEFAULT_PARTITIONS

_CHUNK = 20_000
_LONGEST_SECONDS = 300.0


def measure_fold(context: Context) -> Figures:
    """Partitions without a broker, and their snapshots."""
    sizes = context.sizes
    return dict(context.run_program("full_house", sizes.memory_rooms, sizes.memory_viewers))


def measure_worker(context: Context) -> Figures:
    """A worker that has folded all and saved the state of every partition."""
    log = context.empty_log("memory")
    log.forget_results()
    if not log.records:
        sizes = context.sizes
        context.tell(f"filling a topic with {sizes.memory_viewers:,} viewers")
        log.append(all_present(sizes.memory_rooms, sizes.memory_viewers, _CHUNK))
    with WorkerProcess(context, log.bootstrap, "--group", context.fresh_name("group")) as worker:

        def is_saved(scrape: Scrape) -> bool:
            saved = scrape.saved_partitions == DEFAULT_PARTITIONS
            return saved and scrape.folded >= log.records

        scrape = worker.wait_for(
            "its checkpoints", is_saved, poll_seconds=0.5, timeout_seconds=_LONGEST_SECONDS
        )
        return {
            "resident_mb": resident_mb(worker.pid),
            "peak_mb": peak_mb(worker.pid),
            "online": sum(scrape.values("roompulse_platform_online")),
            "checkpoint_mb": sum(scrape.values("roompulse_checkpoint_bytes")) / 1e6,
        }
