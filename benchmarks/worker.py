"""What does an event cost in a worker on Kafka, with everything on?

Checkpoints each 10 s, summaries, products, minutes, boards, metrics scraped once a second; a
prefilled topic is worked off. Figures are taken between the first scrape that shows records and the
last one before the end: start-up is measured in `restart`. Processor time is the worker's own, in
all of its threads; the broker is not in it.
"""

import time

from benchmarks.context import BenchmarkError, Context, Figures
from benchmarks.logs import Log
from benchmarks.usage import peak_mb
from benchmarks.worker_process import Sample, WorkerProcess

_LONGEST_SECONDS = 600.0


def measure_even(context: Context) -> Figures:
    """The festival session, spread over its rooms."""
    return _measure(context, context.even_log())


def measure_skewed(context: Context) -> Figures:
    """The same events, half of them in one room."""
    return _measure(context, context.skewed_log())


def _measure(context: Context, log: Log) -> Figures:
    log.forget_results()
    with WorkerProcess(context, log.bootstrap, "--group", context.fresh_name("group")) as worker:
        samples = _followed(worker, log.records, context.sizes.scrape_seconds)
        highest_mb = peak_mb(worker.pid)
    # the last one may stand anywhere behind the end of the work
    first, last = samples[0], samples[-2] if len(samples) > 2 else samples[-1]
    events = last.scrape.folded - first.scrape.folded
    if events <= 0:
        raise BenchmarkError("the worker was done between two scrapes: the topic is too small")
    cpu_seconds = last.cpu_seconds - first.cpu_seconds
    fold_seconds = _fold_seconds(last) - _fold_seconds(first)
    return {
        "events_per_second": events / (last.seconds - first.seconds),
        "cpu_us_per_event": cpu_seconds / events * 1e6,
        "fold_us_per_event": fold_seconds / events * 1e6,
        "peak_mb": highest_mb,
    }


def _followed(worker: WorkerProcess, records: int, scrape_seconds: float) -> list[Sample]:
    """Samples, from the first with records to the first with all of them."""
    samples: list[Sample] = []
    deadline = time.monotonic() + _LONGEST_SECONDS
    worker.wait_for("a record", lambda scrape: scrape.folded > 0)
    while not samples or samples[-1].scrape.folded < records:
        if time.monotonic() > deadline:
            raise BenchmarkError(f"the worker did not come to the end of {records:,} records")
        if samples:
            time.sleep(scrape_seconds)
        sample = worker.sample()
        assert sample is not None, "it was scraped before"
        samples.append(sample)
    return samples


def _fold_seconds(sample: Sample) -> float:
    """Wall time in decoding and folding so far."""
    return sum(sample.scrape.values("roompulse_fold_seconds_total"))
