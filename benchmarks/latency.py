"""How old is what the board shows? From the moment an order is sent until /metrics counts it.

5,000 events a second of some hundred rooms go to Kafka in turns of 10 ms. Ten times a second one
more order of 1 minor unit goes to a probe room, which leads the board, so that its gross tells
exactly how many were counted. A probe's latency ends with the answer of the first scrape that shows
it; scrapes come four times a second, which is far more than Prometheus asks for and part of the
worker's processor time here.
"""

import asyncio
import itertools
import statistics
import time
from dataclasses import dataclass, field

import aiohttp

from benchmarks.context import BenchmarkError, Context, Figures
from benchmarks.traffic import Traffic, opening
from benchmarks.worker_process import Scrape, WorkerProcess
from producers.kafka import BatchSender, connected_producer
from schemas.codec import Order, RoomEvent, encode
from schemas.partitioning import partition_of_room
from schemas.topics import DEFAULT_PARTITIONS, LIVE_EVENTS

EVENTS_PER_SECOND = 5_000
_ROOMS = 300
_TURN_SECONDS = 0.01
_TURNS_BY_PROBE = 10
_SCRAPE_SECONDS = 0.25
_PROBE_ROOM = "probe-room"
_LEAD_MINOR = 10**12
_PATIENCE_SECONDS = 30.0


@dataclass(slots=True)
class _Probes:
    """When each probe was sent, and how long it took to be shown."""

    sent: list[float] = field(default_factory=list)
    shown_seconds: list[float] = field(default_factory=list)
    leads: bool = False

    def see(self, gross_minor: float) -> None:
        """A scrape has answered now, with this gross of the probe room."""
        now = time.perf_counter()
        self.leads = gross_minor >= _LEAD_MINOR
        while len(self.shown_seconds) < min(len(self.sent), int(gross_minor) - _LEAD_MINOR):
            self.shown_seconds.append(now - self.sent[len(self.shown_seconds)])


class _Load:
    """The sender of the steady load and of the probes."""

    def __init__(self, sender: BatchSender, probes: _Probes) -> None:
        self._sender = sender
        self._probes = probes
        self._traffic = Traffic(_ROOMS, EVENTS_PER_SECOND)
        self._orders = itertools.count()
        self.sent = 0

    async def open(self) -> None:
        """Open every room, and put the probe room in the lead."""
        now_ms = time.time_ns() // 1_000_000
        for event in (*self._traffic.openings(now_ms), opening(_PROBE_ROOM, now_ms)):
            await self._add(event)
        await self._add(self._order(now_ms, _LEAD_MINOR))
        await self._sender.flush()

    async def run(self, seconds: float) -> None:
        """Send for so long, at the rate that is wanted, whatever a turn takes."""
        began = time.perf_counter()
        for turn in itertools.count():
            due = began + turn * _TURN_SECONDS
            now = time.perf_counter()
            if due - began > seconds:
                break
            if now < due:
                await asyncio.sleep(due - now)
            now_ms = time.time_ns() // 1_000_000
            for _ in range(round(EVENTS_PER_SECOND * _TURN_SECONDS)):
                await self._add(self._traffic.event(now_ms))
            if turn % _TURNS_BY_PROBE == 0:
                self._probes.sent.append(time.perf_counter())
                await self._add(self._order(now_ms, 1))
            await self._sender.ship_all()
        await self._sender.flush()

    def _order(self, ts_ms: int, amount_minor: int) -> Order:
        number = next(self._orders)
        return Order(
            event_id=f"probe-{number}",
            ts_ms=ts_ms,
            room_id=_PROBE_ROOM,
            order_id=f"probe-{number}",
            buyer_id=f"buyer-{number}",
            product_id="probe",
            quantity=1,
            amount_minor=amount_minor,
        )

    async def _add(self, event: RoomEvent) -> None:
        partition = partition_of_room(event.room_id, DEFAULT_PARTITIONS)
        key, value = event.room_id.encode(), encode(event)
        while not self._sender.try_add(partition, key, value):
            await self._sender.ship(partition)
        self.sent += 1


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
    probes = _Probes()
    async with aiohttp.ClientSession() as session, connected_producer(bootstrap) as producer:
        load = _Load(BatchSender(producer, LIVE_EVENTS, DEFAULT_PARTITIONS), probes)
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


async def _seen(session: aiohttp.ClientSession, worker: WorkerProcess, probes: _Probes) -> float:
    """Scrape once, let the probes see it, and wait for the next; seconds the scrape took."""
    began = time.perf_counter()
    probes.see(await _gross_minor(session, worker))
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
    labels = ('scope="room"', 'window="total"', f'key="{_PROBE_ROOM}"')
    return max(scrape.values("roompulse_board_gross_minor", *labels), default=0.0)
