"""How old is what the board shows? From the moment an order is sent until /metrics counts it.

The load is that of `steady_load`. A probe's latency ends with the answer of the first scrape that
shows it; scrapes come four times a second, which is far more than Prometheus asks for and part of
the worker's processor time here.
"""

import asyncio
import statistics
import time

import aiohttp

from benchmarks.context import BenchmarkError, Context, Figures
from benchmarks.steady_load import PROBE_ROOM, Probes, SteadyLoad
from benchmarks.worker_process import Scrape, WorkerProcess
from producers.kafka import BatchSender, connected_producer
from schemas.topics import DEFAULT_PARTITIONS, LIVE_EVENTS

_SCRAPE_SECONDS = 0.25
_PATIENCE_SECONDS = 30.0


def measure(context: Context) -> Figures:
    """Run the load against one worker."""
    log = context.empty_log("latency")
    log.forget_all()
    with WorkerProcess(context, log.bootstrap, "--group", context.fresh_name("group")) as worker:
        try:
            return asyncio.run(_measured(worker, log.bootstrap, context.sizes.latency_seconds))
        except aiohttp.ClientError as error:
            raise BenchmarkError(f"the worker does not answer: {error}") from error


async def _measured(worker: WorkerProcess, bootstrap: str, seconds: float) -> Figures:
    probes = Probes()
    async with aiohttp.ClientSession() as session, connected_producer(bootstrap) as producer:
        load = SteadyLoad(BatchSender(producer, LIVE_EVENTS, DEFAULT_PARTITIONS), probes.sent)
        await load.open()
        while not probes.leads:
            await _seen(session, worker, probes)
        before, cpu_seconds, began = load.sent, worker.cpu_seconds(), time.perf_counter()
        running = asyncio.create_task(load.run(seconds))
        scrapes = []
        while not running.done():
            scrapes.append(await _seen(session, worker, probes))
        await running
        elapsed = time.perf_counter() - began
        cpu_seconds = worker.cpu_seconds() - cpu_seconds
        while len(probes.shown_seconds) < len(probes.sent):
            if time.perf_counter() - began > elapsed + _PATIENCE_SECONDS:
                raise BenchmarkError("not every probe was shown: the worker lost one or fell back")
            await _seen(session, worker, probes)
    percentiles = statistics.quantiles(probes.shown_seconds, n=100)
    return {
        "p50_ms": percentiles[49] * 1000,
        "p99_ms": percentiles[98] * 1000,
        "max_ms": max(probes.shown_seconds) * 1000,
        "sent_events_per_second": (load.sent - before) / elapsed,
        "worker_cpu_share": cpu_seconds / elapsed,
        "scrape_ms": statistics.median(scrapes) * 1000,
    }


async def _seen(session: aiohttp.ClientSession, worker: WorkerProcess, probes: Probes) -> float:
    """Scrape once, let the probes see it, and wait for the next; seconds the scrape took."""
    began = time.perf_counter()
    probes.see(await _gross_minor(session, worker), time.time())
    took = time.perf_counter() - began
    await asyncio.sleep(max(0.0, _SCRAPE_SECONDS - took))
    return took


async def _gross_minor(session: aiohttp.ClientSession, worker: WorkerProcess) -> float:
    """The gross of the probe room on the board that /metrics shows; 0 before there is one."""
    worker.require_running()
    if not worker.address:
        return 0.0
    async with session.get(f"{worker.address}/metrics") as answer:
        scrape = Scrape(await answer.text())
    labels = ('scope="room"', 'window="total"', f'key="{PROBE_ROOM}"')
    return max(scrape.values("roompulse_board_gross_minor", *labels), default=0.0)
