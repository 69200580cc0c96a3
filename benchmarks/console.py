"""How old is what a person sees? From when an order is sent until a page of the console shows it.

The load is that of `steady_load`; the page is open in a Chromium. On the way of each probe it is
noted when the worker's view of the probe room was there to be read, when the board was, and when
the page had drawn it, so that the figures tell where the time goes. First paint is that of pages
opened one after the other under the same load before.
"""

import asyncio
import contextlib
import shutil
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import msgspec
import psutil
from aiokafka import TopicPartition
from playwright.async_api import Browser, Error, Page, async_playwright

from benchmarks.context import BenchmarkError, Context, Figures, NotHereError, program_environment
from benchmarks.steady_load import PROBE_ROOM, Probes, SteadyLoad
from benchmarks.worker_process import WorkerProcess
from producers.kafka import BatchSender, connected_producer
from schemas.records import Board, BoardRow, RoomFigures
from schemas.topics import BOARDS, DEFAULT_PARTITIONS, LIVE_EVENTS, ROOM_SUMMARIES
from streams.shell.reading import Record, from_start, seek_to_start

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_START_SECONDS = 60.0
_PATIENCE_SECONDS = 30.0
_LOOK_SECONDS = 0.25
_PAINTS = 5
_PAINT_SECONDS = 2.0  # of load for each
# Notes when the page has drawn another gross of the probe room; a frame later it is seen.
_LOOK_OUT = """(() => {
  window.seen = [];
  const look = () => {
    const cell = document.querySelector('.board tr[data-key="%s"] .money.gross data');
    const value = cell ? Number(cell.value) : 0;
    if (value && value !== window.seen.at(-1)?.[1]) window.seen.push([Date.now(), value]);
  };
  new MutationObserver(() => requestAnimationFrame(look)).observe(
    document, {subtree: true, childList: true, characterData: true, attributes: true});
})()"""
_PAINT = """() => new Promise(resolve => new PerformanceObserver(list => {
  for (const one of list.getEntries())
    if (one.name === 'first-contentful-paint') resolve(one.startTime);
}).observe({type: 'paint', buffered: true}))"""


class _Way:
    """When the probes were seen on their way."""

    def __init__(self) -> None:
        self.sent: list[float] = []
        self.view, self.board, self.page = (Probes(self.sent) for _ in range(3))
        self._figures = msgspec.json.Decoder(RoomFigures)
        self._board = msgspec.json.Decoder(Board[BoardRow])

    def read(self, topic: str, record: Record) -> None:
        """A record was there to be read now."""
        now, value = time.time(), record.value or b"{}"
        if topic == ROOM_SUMMARIES and record.key == PROBE_ROOM.encode():
            self.view.see(self._figures.decode(value).summary.gross_minor, now)
        elif topic == BOARDS and (record.key or b"").startswith(b'["room","total","CNY"'):
            for row in self._board.decode(value).rows:
                if row.key == PROBE_ROOM:
                    self.board.see(row.gross_minor, now)


def measure(context: Context) -> Figures:
    """Run the load against one worker and one console."""
    chromium = next(filter(None, map(shutil.which, _NAMES)), None)
    if chromium is None:
        raise NotHereError("there is no Chromium: install Debian's chromium")
    log = context.empty_log("console")
    log.forget_all()
    folder = context.scratch / context.fresh_name("console")
    folder.mkdir()
    group = context.fresh_name("group")
    with (
        WorkerProcess(context, log.bootstrap, "--group", group) as worker,
        _console(log.bootstrap, folder) as console,
    ):
        seconds = context.sizes.latency_seconds
        try:
            return asyncio.run(_measured(worker, console, folder, chromium, log.bootstrap, seconds))
        except Error as error:
            raise BenchmarkError(f"the browser: {error.message.splitlines()[0]}") from error


@contextlib.contextmanager
def _console(bootstrap: str, folder: Path) -> Iterator[psutil.Popen]:
    """A console over that Kafka; ended at the end."""
    command = [str(Path(sys.executable).with_name("roompulse")), "console", "--port", "0"]
    command += ["--address-file", str(folder / "address"), "--bootstrap", bootstrap]
    with (folder / "log").open("wb") as said:
        process = psutil.Popen(command, env=program_environment(), stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.kill()
            process.wait()


async def _measured(
    worker: WorkerProcess,
    console: psutil.Popen,
    folder: Path,
    chromium: str,
    bootstrap: str,
    seconds: float,
) -> Figures:
    way = _Way()
    async with (
        _browser(chromium) as browser,
        _reading(bootstrap, way),
        connected_producer(bootstrap) as producer,
    ):
        load = SteadyLoad(BatchSender(producer, LIVE_EVENTS, DEFAULT_PARTITIONS), way.sent)
        await load.open()
        address = await _address(folder)
        page = await browser.new_page()
        await page.add_init_script(_LOOK_OUT % PROBE_ROOM)
        await page.goto(address)
        await _wait_for_page(page, way, lambda: way.page.leads)
        opening = asyncio.create_task(load.run(_PAINTS * _PAINT_SECONDS))
        paints = [await _first_paint(browser, address) for _ in range(_PAINTS)]
        await opening
        first = len(way.sent)
        began, used = time.perf_counter(), _cpu_seconds(worker, console)
        await load.run(seconds)
        elapsed = time.perf_counter() - began
        spent = [
            now - before for now, before in zip(_cpu_seconds(worker, console), used, strict=True)
        ]
        await _wait_for_page(page, way, lambda: len(way.page.shown_seconds) == len(way.sent))
    behind = [probes.shown_seconds[first:] for probes in (way.view, way.board, way.page)]
    view, board, page_seen = (statistics.quantiles(each, n=100) for each in behind)
    return {
        "p50_ms": page_seen[49] * 1000,
        "p99_ms": page_seen[98] * 1000,
        "max_ms": max(behind[2]) * 1000,
        "view_p50_ms": view[49] * 1000,
        "view_p99_ms": view[98] * 1000,
        "board_p50_ms": board[49] * 1000,
        "board_p99_ms": board[98] * 1000,
        "first_paint_ms": max(paints),
        "worker_cpu_share": spent[0] / elapsed,
        "console_cpu_share": spent[1] / elapsed,
    }


@contextlib.asynccontextmanager
async def _browser(chromium: str) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # a sandbox of its own cannot be made by root in a container
        browser = await playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield browser
        await browser.close()


@contextlib.asynccontextmanager
async def _reading(bootstrap: str, way: _Way) -> AsyncIterator[None]:
    """Note when views and boards are there to be read."""
    consumer = from_start(bootstrap)
    await consumer.start()
    await seek_to_start(consumer, [TopicPartition(topic, 0) for topic in (ROOM_SUMMARIES, BOARDS)])
    reading = asyncio.create_task(_read(consumer, way))
    try:
        yield
    finally:
        reading.cancel()
        await asyncio.wait([reading])
        await consumer.stop()


async def _read(consumer: Any, way: _Way) -> None:  # noqa: ANN401 - aiokafka has no types
    while True:
        for target, records in (await consumer.getmany(timeout_ms=1_000)).items():
            for record in records:
                way.read(target.topic, record)


async def _address(folder: Path) -> str:
    """Where the console listens, once it does."""
    deadline = time.monotonic() + _START_SECONDS
    while not (folder / "address").exists():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"the console did not listen in {_START_SECONDS:.0f} s")
        await asyncio.sleep(_LOOK_SECONDS)
    return (folder / "address").read_text()


async def _wait_for_page(page: Page, way: _Way, is_there: Any) -> None:  # noqa: ANN401
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        for at_ms, gross_minor in await page.evaluate("window.seen.splice(0)"):
            way.page.see(gross_minor, at_ms / 1000)
        if is_there():
            return
        if time.monotonic() > deadline:
            raise BenchmarkError("not every probe was shown on the page")
        await asyncio.sleep(_LOOK_SECONDS)


async def _first_paint(browser: Browser, address: str) -> float:
    """Milliseconds from asking for the page until something of it is seen."""
    page = await browser.new_page()
    try:
        await page.goto(address)
        return float(await page.evaluate(_PAINT))
    finally:
        await page.close()


def _cpu_seconds(worker: WorkerProcess, console: psutil.Popen) -> list[float]:
    times = console.cpu_times()
    return [worker.cpu_seconds(), times.user + times.system]
