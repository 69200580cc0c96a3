"""How long is an alert on its way to Alertmanager? From the moment it is written to `alerts`.

`roompulse deliver` runs against a server that answers as Alertmanager does and notes when each
alert is posted; alerts are written one by one, so that none waits for another.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from aiokafka import AIOKafkaProducer

from benchmarks.context import BenchmarkError, Context, Figures, program_environment
from schemas.kafka_access import client_options
from schemas.records import Alert, encode
from schemas.topics import ALERTS

_ALERTS = 100
_PAUSE_SECONDS = 0.1
_PATIENCE_SECONDS = 60.0
_LOOK_SECONDS = 0.05


class _Posts:
    """When each alert was posted first, by its id; seconds of the machine's clock."""

    def __init__(self) -> None:
        at: dict[str, float] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body:
                    at.setdefault(alert["labels"]["alert_id"], time.time())
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to say."""

        self.at = at
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def measure(context: Context) -> Figures:
    """Write alerts while they are delivered."""
    log = context.empty_log("delivery")
    log.forget_all()
    folder = context.scratch / context.fresh_name("delivery")
    folder.mkdir()
    posts = _Posts()
    try:
        with _delivering(log.bootstrap, posts.url, folder):
            behind = asyncio.run(_written(log.bootstrap, posts))
    finally:
        posts.close()
    percentiles = statistics.quantiles(behind, n=100)
    return {
        "p50_ms": percentiles[49] * 1000,
        "p99_ms": percentiles[98] * 1000,
        "max_ms": max(behind) * 1000,
    }


@contextmanager
def _delivering(bootstrap: str, url: str, folder: Path) -> Iterator[None]:
    """A delivery to that address; ended at the end."""
    command = [str(Path(sys.executable).with_name("roompulse")), "deliver"]
    command += ["--bootstrap", bootstrap, "--alertmanager", url]
    with (folder / "log").open("wb") as said:
        process = subprocess.Popen(command, env=program_environment(), stdout=said, stderr=said)
        try:
            yield
        finally:
            process.kill()
            process.wait()


async def _written(bootstrap: str, posts: _Posts) -> list[float]:
    """Seconds from writing to posting, of each alert; the first, which waits for the start, not."""
    producer = AIOKafkaProducer(**client_options(bootstrap), acks="all")
    await producer.start()
    try:
        await _write(producer, "first")
        await _posted(posts, {"first"})
        sent = {}
        for number in range(_ALERTS):
            name = f"alert-{number}"
            sent[name] = time.time()
            await _write(producer, name)
            await asyncio.sleep(_PAUSE_SECONDS)
        await _posted(posts, set(sent))
    finally:
        await producer.stop()
    return [posts.at[name] - at for name, at in sent.items()]


async def _write(producer: AIOKafkaProducer, alert_id: str) -> None:
    now_ms = time.time_ns() // 1_000_000
    alert = Alert(
        alert_id=alert_id,
        version=1,
        status="firing",
        kind="brushed_orders",
        severity="page",
        room_id="room",
        host_id="host",
        mcn_id=None,
        product_id=None,
        started_ms=now_ms,
        updated_ms=now_ms,
        score=30.0,
        threshold=15.0,
        summary="Suspected brushed orders in room room.",
        money_minor=1,
        currency="CNY",
        evidence=[],
        rooms=["room"],
        rules_version=None,
    )
    await producer.send_and_wait(ALERTS, encode(alert), key=encode([alert_id, 1]))


async def _posted(posts: _Posts, wanted: set[str]) -> None:
    """Return once all of them were posted."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while not wanted <= posts.at.keys():
        if time.monotonic() > deadline:
            raise BenchmarkError(f"not every alert was delivered in {_PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(_LOOK_SECONDS)
