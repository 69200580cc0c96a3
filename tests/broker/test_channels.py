"""Routes get each version in order, though one of them was down and the sender was killed."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from deploy.kafka.broker import LocalKafka
from schemas.records import Alert, encode
from schemas.topics import ALERTS
from tests.broker import workers
from tests.broker.workers import until

_SECONDS = 60.0
_SECRETS = {"steady": "t0ken0fthesteadyroute", "shaky": "t0ken0ftheshakyroute"}


class Webhook:
    """A receiver that notes the last line of each message: the id of the version."""

    def __init__(self) -> None:
        ids: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                ids.append(body["message"].splitlines()[-1])
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to say."""

        self.ids = ids
        self._serving: threading.Thread | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler, bind_and_activate=False)
        self._server.server_bind()
        self.port = self._server.server_port

    def open(self) -> None:
        """Answer from now on; before, whoever connects is refused."""
        self._server.server_activate()
        self._serving = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._serving.start()

    def close(self) -> None:
        if self._serving is not None:
            self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def routes() -> Iterator[dict[str, Webhook]]:
    found = {name: Webhook() for name in _SECRETS}
    yield found
    for each in found.values():
        each.close()


class Sender:
    """`roompulse deliver --channels`, which is started again in one and the same log."""

    def __init__(self, folder: Path, bootstrap: str, routes: dict[str, Webhook]) -> None:
        self._log = folder / "deliver.log"
        channels = folder / "channels.yaml"
        lines = [f"  - {{name: {name}, address: {{env: {name.upper()}}}}}" for name in routes]
        channels.write_text("\n".join(["language: zh", "routes:", *lines]) + "\n")
        self._command = [sys.executable, "-m", "roompulse.cli.app", "deliver", "--channels"]
        self._command += [str(channels), "--bootstrap", bootstrap, "--group", folder.name]
        self._environment = dict(os.environ) | {
            name.upper(): f"json://127.0.0.1:{each.port}/{_SECRETS[name]}"
            for name, each in routes.items()
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=self._environment,
                # a child of a shell's background would ignore it
                preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
            )

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def said(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


async def _begun(bootstrap: str, group: str) -> bool:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        return bool(await admin.list_consumer_group_offsets(group))
    except KafkaError:  # nobody coordinates the first group of a new Kafka at once
        return False
    finally:
        await admin.close()


async def _publish(bootstrap: str, *versions: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    for version in versions:
        key = msgspec.json.encode(["a1", version])
        await producer.send_and_wait(ALERTS, encode(_alert(version)), key=key)
    await producer.stop()


def _alert(version: int) -> Alert:
    now_ms = time.time_ns() // 1_000_000
    return Alert(
        alert_id="a1",
        version=version,
        status="firing" if version == 1 else "updated",
        kind="brushed_orders",
        severity="page",
        room_id="r1",
        host_id="h1",
        mcn_id=None,
        product_id=None,
        started_ms=now_ms,
        updated_ms=now_ms,
        score=30.0,
        threshold=15.0,
        summary="Suspected brushed orders in room r1.",
        money_minor=1,
        currency="CNY",
        evidence=[],
        rooms=["r1"],
        rules_version=1,
    )


def _in_order(ids: list[str]) -> list[str]:
    """Each id once, where it came first; a repeat is that of a version just before it."""
    once = list(dict.fromkeys(ids))
    assert ids == sorted(ids), "an older version came after a newer one"
    return once


def test_a_dead_route_holds_up_no_other_and_loses_nothing(
    kafka: LocalKafka, tmp_path: Path, routes: dict[str, Webhook]
) -> None:
    asyncio.run(workers.make_topics(kafka.bootstrap))
    asyncio.run(_publish(kafka.bootstrap, 1))  # before there were routes: nobody is told of it
    sender = Sender(tmp_path, kafka.bootstrap, routes)
    steady, shaky = routes.values()
    steady.open()
    sender.start()
    try:
        for name in routes:
            group = f"{tmp_path.name}-{name}"
            until(
                lambda group=group: asyncio.run(_begun(kafka.bootstrap, group)),  # type: ignore[misc]
                _SECONDS,
                f"{name} has its beginning",
            )
        asyncio.run(_publish(kafka.bootstrap, 2, 3))
        until(lambda: "id：a1/3" in steady.ids, _SECONDS, "the steady route has both")
        until(lambda: "route shaky" in sender.said, _SECONDS, "the other is tried again")
        sender.kill()
        asyncio.run(_publish(kafka.bootstrap, 4))
        shaky.open()
        sender.start()
        for each in (steady, shaky):
            until(lambda each=each: "id：a1/4" in each.ids, _SECONDS, "version 4")  # type: ignore[misc]
            assert _in_order(each.ids) == [f"id：a1/{version}" for version in (2, 3, 4)]
        sender.process.send_signal(signal.SIGINT)
        assert sender.process.wait(_SECONDS) == 130
        assert "Traceback" not in sender.said
        assert not [secret for secret in _SECRETS.values() if secret in sender.said]
    finally:
        sender.kill()
