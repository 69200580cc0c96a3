"""`python -m benchmarks.profile`: where the time of the embedded run or of a worker goes.

Prints lines and functions by their share of processor time; for the worker also by thread. Figures
with a sampler running are no benchmark.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import psutil

from benchmarks.context import FULL, QUICK, Context, released
from benchmarks.embedded import folded
from benchmarks.sampling import sampled
from benchmarks.worker_process import WorkerProcess

_REPEATS = 3


def main(arguments: list[str] | None = None) -> int:
    """Profile what was asked for; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.profile", description=__doc__)
    parser.add_argument("what", choices=("embedded", "worker", "worker-skewed"))
    parser.add_argument("--quick", action="store_true", help="fewer events")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="roompulse-profile-") as scratch:
        context = Context(QUICK if options.quick else FULL, Path(scratch), print)
        with released(context):
            if options.what == "embedded":
                print(_embedded(context))
            else:
                print(_worker(context, skewed=options.what == "worker-skewed"))
    return 0


def _embedded(context: Context) -> str:
    chunks = context.session()
    with sampled() as stacks:
        for _ in range(_REPEATS):
            folded(chunks)
    return stacks.text()


def _worker(context: Context, *, skewed: bool) -> str:
    log = context.skewed_log() if skewed else context.even_log()
    report = context.scratch / "report"
    program = (sys.executable, "-m", "benchmarks.programs.sampled_worker", str(report))
    options = ("--group", context.fresh_name("group"))
    with WorkerProcess(context, log.bootstrap, *options, program=program) as worker:
        worker.wait_for(
            "the end of the topic",
            lambda scrape: scrape.folded >= log.records,
            poll_seconds=1.0,
            timeout_seconds=600.0,
        )
        threads = _threads(worker.pid)
        worker.terminate()
    return threads + report.read_text()


def _threads(pid: int) -> str:
    """Processor seconds of each thread that used any; the first is the main thread."""
    lines = [
        f"{thread.user_time:8.2f} s user {thread.system_time:6.2f} s system  thread {thread.id}"
        for thread in psutil.Process(pid).threads()
        if thread.user_time + thread.system_time > 0
    ]
    return "\n".join(["processor time by thread", *lines]) + "\n"


if __name__ == "__main__":
    sys.exit(main())
