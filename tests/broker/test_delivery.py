"""Alerts reach people through a real Alertmanager, whatever was down or killed, and in order."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import msgspec
import pytest
from aiokafka import AIOKafkaProducer

from deploy.kafka.admin import create_topics
from deploy.kafka.broker import LocalKafka
from schemas.records import Alert, Verdict, encode, verdict_key
from schemas.topics import ALERTS
from streams.shell.alertmanager import Alertmanager
from streams.shell.delivery import News
from tests.broker.workers import until

_ALERTMANAGER = shutil.which("prometheus-alertmanager") or shutil.which("alertmanager")
_SHIPPED = Path(__file__).parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"
_SECONDS = 60.0

if _ALERTMANAGER is None and os.environ.get("CI") != "true":
    pytest.skip(
        "no Alertmanager here: install Debian's prometheus-alertmanager", allow_module_level=True
    )


class Receiver:
    """The webhook of people on call; notes each alert of each call."""

    def __init__(self) -> None:
        notes: list[tuple[str, str, str]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                for alert in body["alerts"]:
                    version = alert["annotations"]["version"]
                    notes.append((alert["status"], alert["labels"]["severity"], version))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Nothing to say."""

        self.notes = notes
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    one = Receiver()
    yield one
    one.close()


def _start_alertmanager(folder: Path, port: int, receiver: Receiver) -> subprocess.Popen[bytes]:
    """With the shipped configuration, but that it groups for a second and calls the receiver."""
    text = _SHIPPED.read_text(encoding="utf-8").replace(
        "127.0.0.1:9095", f"127.0.0.1:{receiver.port}"
    )
    for shipped in ("group_wait: 5s", "group_interval: 1m"):
        assert shipped in text
        text = text.replace(shipped, shipped.split(":")[0] + ": 1s")
    configuration = folder / "alertmanager.yml"
    configuration.write_text(text, encoding="utf-8")
    assert _ALERTMANAGER is not None, "CI has to install prometheus-alertmanager"
    with (folder / "alertmanager.log").open("wb") as log:
        return subprocess.Popen(
            [
                _ALERTMANAGER,
                f"--config.file={configuration}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{port}",
                "--cluster.listen-address=",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )


def _start_delivery(folder: Path, bootstrap: str, url: str, *more: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "roompulse.cli.app", "deliver"]
    with (folder / "deliver.log").open("ab") as log:
        return subprocess.Popen(
            [*command, "--bootstrap", bootstrap, "--alertmanager", url, *more],
            stdout=log,
            stderr=subprocess.STDOUT,
            # a child of a shell's background would ignore it
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
        )


async def _publish(bootstrap: str, *alerts: Alert) -> None:
    for alert in alerts:
        await _write(bootstrap, msgspec.json.encode([alert.alert_id, alert.version]), alert)


async def _say(bootstrap: str, verdict: Verdict) -> None:
    await _write(bootstrap, verdict_key(verdict.alert_id), verdict)


async def _write(bootstrap: str, key: bytes, record: Alert | Verdict) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all")
    await producer.start()
    await producer.send_and_wait(ALERTS, encode(record), key=key)
    await producer.stop()


def _versions(now_ms: int) -> list[Alert]:
    plan = [("firing", "review"), ("updated", "page"), ("resolved", "page")]
    return [
        Alert(
            alert_id="a1",
            version=version,
            status=status,
            kind="brushed_orders",
            severity=severity,
            room_id="r1",
            host_id="h1",
            mcn_id="m1",
            product_id=None,
            started_ms=now_ms - 60_000,
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
        for version, (status, severity) in enumerate(plan, 1)
    ]


def _said(folder: Path) -> str:
    return (folder / "deliver.log").read_text(encoding="utf-8")


async def test_each_version_arrives_though_receiver_and_sender_were_away(
    tmp_path: Path, receiver: Receiver
) -> None:
    with LocalKafka(tmp_path / "kafka", port=0) as kafka:
        await create_topics(kafka.bootstrap)
        first, second, third = _versions(time.time_ns() // 1_000_000)
        await _publish(kafka.bootstrap, first)
        port = _free_port()
        url = f"http://127.0.0.1:{port}"
        sender = _start_delivery(tmp_path, kafka.bootstrap, url)
        running = [sender]
        try:
            until(lambda: "trying again" in _said(tmp_path), _SECONDS, "it finds no Alertmanager")
            sender.kill()
            sender.wait()
            sender = _start_delivery(tmp_path, kafka.bootstrap, url)
            running += [_start_alertmanager(tmp_path, port, receiver), sender]
            until(lambda: ("firing", "review", "1") in receiver.notes, _SECONDS, "version 1")
            await _publish(kafka.bootstrap, second)
            until(lambda: ("firing", "page", "2") in receiver.notes, _SECONDS, "version 2")
            until(
                lambda: ("resolved", "review", "1") in receiver.notes, _SECONDS, "its review ends"
            )
            await _say(kafka.bootstrap, Verdict("a1", "ack", 1))
            await _publish(kafka.bootstrap, first, third)
            until(lambda: ("resolved", "page", "3") in receiver.notes, _SECONDS, "version 3")
            sender.send_signal(signal.SIGINT)
            assert sender.wait(_SECONDS) == 130
            assert "Traceback" not in _said(tmp_path)
        finally:
            for each in running:
                each.kill()
                each.wait()


async def test_a_dry_run_prints_and_commits_nothing_and_a_wrong_address_is_told(
    tmp_path: Path,
) -> None:
    with LocalKafka(tmp_path / "kafka", port=0) as kafka:
        await create_topics(kafka.bootstrap)
        await _publish(kafka.bootstrap, *_versions(time.time_ns() // 1_000_000))
        for _ in range(2):
            dry = _start_delivery(tmp_path, kafka.bootstrap, "http://127.0.0.1:1", "--dry-run")
            until(
                lambda: "resolved page   a1 v3" in _said(tmp_path), _SECONDS, "what would be sent"
            )
            dry.send_signal(signal.SIGINT)
            assert dry.wait(_SECONDS) == 130
            assert _said(tmp_path).count(" a1 v1 ") == 2  # firing, and ended for the graver one
            (tmp_path / "deliver.log").unlink()
        wrong = _start_delivery(tmp_path, kafka.bootstrap, "127.0.0.1:9093")
        assert wrong.wait(_SECONDS) == 1
        assert "write --alertmanager http://host:port" in _said(tmp_path)


async def test_brushing_holds_back_the_hot_item_of_its_room_and_of_no_other(
    tmp_path: Path, receiver: Receiver
) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    running = _start_alertmanager(tmp_path, port, receiver)
    brushed, *_ = _versions(time.time_ns() // 1_000_000)
    hot = msgspec.structs.replace(brushed, kind="hot_item", severity="info", product_id="p1")
    news = [
        News(brushed),
        News(msgspec.structs.replace(hot, alert_id="a2")),
        News(msgspec.structs.replace(hot, alert_id="a3", room_id="r2")),
    ]
    try:
        until(lambda: _stands(url) is not None, _SECONDS, "it answers")
        await Alertmanager(url).take(news)
        held_back = {"a1": "active", "a2": "suppressed", "a3": "active"}
        until(lambda: _stands(url) == held_back, _SECONDS, "the hot item is held back")
        await Alertmanager(url).take([News(msgspec.structs.replace(brushed, status="resolved"))])
        told = {"a2": "active", "a3": "active"}
        until(lambda: _stands(url) == told, _SECONDS, "it is told once brushing has ended")
    finally:
        running.kill()
        running.wait()


def _stands(url: str) -> dict[str, str] | None:
    """The state of each alert that fires; None while nobody answers."""
    try:
        with urllib.request.urlopen(f"{url}/api/v2/alerts", timeout=5) as answer:
            alerts = json.load(answer)
    except OSError:
        return None
    states = {each["labels"]["alert_id"]: each["status"]["state"] for each in alerts}
    return {id_: state for id_, state in states.items() if state != "unprocessed"}


async def test_a_ring_holds_back_the_brushed_orders_of_its_rooms_and_is_told_once(
    tmp_path: Path, receiver: Receiver
) -> None:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    running = _start_alertmanager(tmp_path, port, receiver)
    brushed = _versions(time.time_ns() // 1_000_000)[1]
    ring = msgspec.structs.replace(
        brushed, alert_id="ring", kind="identity_ring", room_id=None, rooms=["r1", "r2"], version=7
    )
    elsewhere = msgspec.structs.replace(brushed, alert_id="a2", room_id="r9", rooms=["r9"])
    try:
        until(lambda: _stands(url) is not None, _SECONDS, "it answers")
        await Alertmanager(url).take([News(ring), News(brushed), News(elsewhere)])
        held_back = {"ring": "active", "a1": "suppressed", "a2": "active"}
        until(lambda: _stands(url) == held_back, _SECONDS, "the room of the ring is held back")
        until(lambda: {note[2] for note in receiver.notes} == {"2", "7"}, _SECONDS, "both are told")
        assert len(receiver.notes) == 2
    finally:
        running.kill()
        running.wait()
