"""How long is nobody counting? Start-up, and restart after `kill -9`.

A start is: interpreter and imports until /metrics listens, joining the group until partitions are
assigned, loading the checkpoint until the first record is folded. With static membership (a name
given by `--instance`) a restarted worker has its partitions back as soon as it is up. Without, the
group waits for the session timeout of the killed member first. To see what sets the figures, each
part is reported.
"""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.context import BenchmarkError, Context, Figures
from benchmarks.logs import Log
from benchmarks.traffic import recorded
from benchmarks.worker_process import WorkerProcess

_ROOMS = 300
_EVENTS = 60_000
_FRESH_EVENTS = 2_000
_EVENTS_PER_SECOND = 500
_CHECKPOINT_SECONDS = "1"
_POLL_SECONDS = 0.01
_LONGEST_SECONDS = 90.0


def measure(context: Context) -> Figures:
    """Start on a topic with records; kill, send new ones, start again; with both memberships."""
    log = context.empty_log("restart")
    started, restarted = _killed_and_restarted(context, log, "--instance", "bench")
    _, dynamic = _killed_and_restarted(context, log)
    return {
        **{f"start_{name}": value for name, value in started.items()},
        **{f"restart_static_{name}": value for name, value in restarted.items()},
        **{f"restart_dynamic_{name}": value for name, value in dynamic.items()},
    }


def _killed_and_restarted(context: Context, log: Log, *options: str) -> tuple[Figures, Figures]:
    log.forget_all()
    openings, values = recorded(_ROOMS, _EVENTS + _FRESH_EVENTS, _EVENTS_PER_SECOND)
    before, fresh = openings + values[:-_FRESH_EVENTS], values[-_FRESH_EVENTS:]
    log.append([before])
    worker = WorkerProcess(
        context,
        log.bootstrap,
        *("--group", context.fresh_name("group"), "--checkpoint-seconds", _CHECKPOINT_SECONDS),
        *options,
    )
    with worker:
        started = _timed_start(worker)
        # a checkpoint of everything: what is folded after the restart can only be new
        worker.wait_for("its checkpoints", _settled(len(before)), poll_seconds=0.2)
        time.sleep(1.5 * float(_CHECKPOINT_SECONDS))
        log.append([fresh[: _FRESH_EVENTS // 2]])
        worker.wait_for("the new records", lambda scrape: scrape.folded > len(before))
        time.sleep(1.5 * float(_CHECKPOINT_SECONDS))
        with ThreadPoolExecutor(1) as sender:
            worker.kill()
            worker.start()
            # new records come while it starts, as they do in an evening
            sending = sender.submit(log.append, [fresh[_FRESH_EVENTS // 2 :]])
            restarted = _timed_start(worker)
            sending.result()
    return started, restarted


def _settled(records: int) -> Callable[..., bool]:
    return lambda scrape: scrape.folded >= records and scrape.saved_partitions > 0


def _timed_start(worker: WorkerProcess) -> Figures:
    """Seconds from now, when the process was just started, to each stage of its start."""
    began = time.perf_counter()
    stages: dict[str, Callable[[], bool]] = {
        "to_listening_seconds": lambda: bool(worker.address),
        "to_assigned_seconds": worker.is_ready,
        "to_first_fold_seconds": lambda: _folds(worker),
    }
    figures = {}
    for name, reached in stages.items():
        while not reached():
            if time.perf_counter() - began > _LONGEST_SECONDS:
                raise BenchmarkError(f"the worker did not start in {_LONGEST_SECONDS:.0f} s")
            time.sleep(_POLL_SECONDS)
        figures[name] = time.perf_counter() - began
    return figures


def _folds(worker: WorkerProcess) -> bool:
    scrape = worker.scrape()
    return scrape is not None and scrape.folded > 0
