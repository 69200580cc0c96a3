"""A session on a real Kafka: what is replayed arrives, is recorded back, and is sent again."""

import asyncio
import base64
import contextlib
import json
import logging
import os
import pty
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from typer.testing import CliRunner

from deploy.kafka.admin import create_topics
from deploy.kafka.broker import LocalKafka
from producers import dead_letters
from producers.kafka import BrokerError, connected_producer
from producers.recorder import record
from producers.replay import MAX_SPEED, Control, closing_tick, replay
from producers.sessions import SessionWriter, read_records
from roompulse.cli.dead_letters import app as dead_letters_app
from roompulse.cli.record import record as record_command
from roompulse.cli.replay import replay as replay_command
from schemas import codec
from schemas.codec import Order, RoomClosed, Rules, Tick, encode
from schemas.partitioning import route
from schemas.records import DeadLetter
from schemas.records import encode as encode_record
from schemas.topics import Topic

BASE_MS = 1_636_632_000_000
PARTITIONS = 3


def _session(events: int) -> list[bytes]:
    """Many rooms, every kind of record that travels differently."""
    records = [encode(Tick(event_id="t0", ts_ms=BASE_MS))]
    for number in range(events):
        room_id = f"room-{number * 7919 % 53}"
        order = Order(
            event_id=f"e{number}",
            ts_ms=BASE_MS + number,
            room_id=room_id,
            order_id=f"o{number}",
            buyer_id=f"buyer-{number % 97:05}",
            product_id="p1",
            quantity=1,
            amount_minor=100,
        )
        records.append(encode(order))
        if number % 1_000 == 500:
            records.append(encode(Tick(event_id=f"t{number}", ts_ms=BASE_MS + number)))
        if number % 3_000 == 700:
            at = BASE_MS + number
            records.append(encode(Rules(event_id=f"s{number}", ts_ms=at, version=1, rules={})))
        if number % 500 == 3:
            records += [b"\xff\xfe no json", b'{"type":"order","room_id":"room-8"}']
    records.append(b'{"room_id":"room-9","x":"' + b"x" * 100_000 + b'"}')
    records.append(encode(RoomClosed(event_id="late", ts_ms=BASE_MS - 3_600_000, room_id="room-1")))
    records.append(encode(RoomClosed(event_id="far", ts_ms=BASE_MS + 10**11, room_id="room-1")))
    return records


SESSION = _session(6_000)


@pytest.fixture
async def topic(kafka: LocalKafka, request: pytest.FixtureRequest) -> str:
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    declared = Topic(
        name, PARTITIONS, "room", "delete", "of a test", {"max.message.bytes": "1048576"}
    )
    await create_topics(kafka.bootstrap, topics=(declared,))
    return name


@contextlib.asynccontextmanager
async def _consumer(bootstrap: str, topic: str) -> AsyncIterator[tuple[Any, list[TopicPartition]]]:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        tps = [TopicPartition(topic, partition) for partition in range(PARTITIONS)]
        consumer.assign(tps)
        yield consumer, tps
    finally:
        await consumer.stop()


async def _contents(bootstrap: str, topic: str) -> list[list[tuple[bytes | None, bytes]]]:
    """Key and value of every record, by partition, in order of offset."""
    found: list[list[tuple[bytes | None, bytes]]] = [[] for _ in range(PARTITIONS)]
    async with _consumer(bootstrap, topic) as (consumer, tps):
        ends = await consumer.end_offsets(tps)
        for tp in tps:
            consumer.seek(tp, 0)
        while sum(map(len, found)) < sum(ends.values()):
            for tp, records in (await consumer.getmany(*tps, timeout_ms=500)).items():
                found[tp.partition] += [(record.key, record.value) for record in records]
    return found


async def _count(bootstrap: str, topic: str) -> int:
    async with _consumer(bootstrap, topic) as (consumer, tps):
        return sum((await consumer.end_offsets(tps)).values())


def _expected(records: list[bytes]) -> list[list[bytes]]:
    return [
        [value for value in records if route(value, PARTITIONS) in (None, partition)]
        for partition in range(PARTITIONS)
    ]


async def _send(kafka: LocalKafka, topic: str, records: list[bytes], **settings: Any) -> Any:  # noqa: ANN401
    chunks = [records[at : at + 1_000] for at in range(0, len(records), 1_000)]
    return await replay(lambda: chunks, kafka.bootstrap, topic=topic, **settings)


# -- replay --


async def test_everything_arrives_once_in_order_in_its_partition(
    kafka: LocalKafka, topic: str
) -> None:
    report = await _send(kafka, topic, SESSION)
    closing = closing_tick(BASE_MS + 5_999 + 120_000)
    contents = await _contents(kafka.bootstrap, topic)
    assert [[value for _, value in one] for one in contents] == _expected([*SESSION, closing])
    assert report.events == len(SESSION)
    assert report.by_partition == tuple(len(one) for one in contents)
    assert report.refused == {"invalid_field": 12, "not_json": 12, "too_large": 1}
    assert (report.closing_tick_ms, report.stopped) == (BASE_MS + 125_999, False)
    for one in contents:
        for key, value in one:
            room_id = codec.readable_room_id(value)
            assert key == (None if room_id is None else room_id.encode())


async def test_paced_replay_arrives_like_a_fast_one(kafka: LocalKafka, topic: str) -> None:
    report = await _send(kafka, topic, SESSION, speed=20.0, with_closing_tick=False)
    assert report.elapsed_seconds >= 5.999 / 20
    contents = await _contents(kafka.bootstrap, topic)
    assert [[value for _, value in one] for one in contents] == _expected(SESSION)


async def test_a_record_that_the_topic_does_not_take_costs_its_neighbours_nothing(
    kafka: LocalKafka, topic: str
) -> None:
    huge = b'{"room_id":"room-9","x":"' + b"x" * 1_100_000 + b'"}'
    records = [*SESSION[:10], huge, *SESSION[10:20]]
    report = await _send(kafka, topic, records, with_closing_tick=False)
    assert (report.events, report.too_large) == (20, 1)
    contents = await _contents(kafka.bootstrap, topic)
    assert [[value for _, value in one] for one in contents] == _expected(SESSION[:20])


async def test_stop_leaves_what_was_sent_and_nothing_else(kafka: LocalKafka, topic: str) -> None:
    control = Control(MAX_SPEED)

    def stop_soon(progress: Any) -> None:  # noqa: ANN401
        if progress.events > 100:
            control.stop()

    report = await _send(kafka, topic, SESSION * 20, control=control, on_progress=stop_soon)
    assert report.stopped
    assert 100 < report.events < 20 * len(SESSION)
    contents = await _contents(kafka.bootstrap, topic)
    sent = (SESSION * 20)[: report.events]
    assert [[value for _, value in one] for one in contents] == _expected(sent)


async def test_missing_topic_is_said_within_ten_seconds(kafka: LocalKafka) -> None:
    began = time.monotonic()
    with pytest.raises(BrokerError, match="roompulse topics create"):
        await replay(lambda: [SESSION], kafka.bootstrap, topic="nowhere")
    assert time.monotonic() - began < 10
    with pytest.raises(BrokerError, match="no topic 'nowhere'"):
        await record(kafka.bootstrap, list[bytes]().extend, topic="nowhere", until_end=True)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses connections and that nobody else can take meanwhile."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port where connections are taken and nobody ever answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def _command(function: Any) -> typer.Typer:  # noqa: ANN401
    app = typer.Typer()
    app.command()(function)
    return app


def _write_session(path: Path, records: list[bytes]) -> Path:
    with SessionWriter(path) as writer:
        writer.write_all(records)
    return path


@pytest.mark.parametrize("command", ["replay", "record", "list", "resend"])
def test_absent_broker_gives_one_line_within_ten_seconds(
    command: str,
    closed_port: int,
    deaf_port: int,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    file = _write_session(tmp_path / "s.ndjson", SESSION[:5])
    letters = tmp_path / "dead-letters.ndjson"
    letters.write_bytes(encode_record(_letter(0, b"x", "not_json")) + b"\n")
    port = deaf_port if command == "replay" else closed_port
    bootstrap = ["--bootstrap", f"127.0.0.1:{port}"]
    app, arguments = {
        "replay": (_command(replay_command), [str(file), *bootstrap]),
        "record": (_command(record_command), ["-o", str(tmp_path / "r.ndjson"), *bootstrap]),
        "list": (dead_letters_app, ["list", *bootstrap]),
        "resend": (dead_letters_app, ["resend", "--file", str(letters), *bootstrap]),
    }[command]
    began = time.monotonic()
    done = CliRunner().invoke(app, arguments)
    assert time.monotonic() - began < 10
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert "roompulse kafka up" in done.output
    assert not [entry for entry in caplog.records if entry.levelno >= logging.WARNING]
    assert not (tmp_path / "r.ndjson").exists()


async def test_absent_broker_is_one_error_of_the_library(
    closed_port: int, capfd: pytest.CaptureFixture[str]
) -> None:
    bootstrap = f"127.0.0.1:{closed_port}"
    with pytest.raises(BrokerError, match=f"no Kafka answers at {bootstrap}"):
        await replay(lambda: [SESSION], bootstrap)
    assert capfd.readouterr() == ("", "")


# -- the command --

_RUN = "import sys, typer; from roompulse.cli.replay import replay; typer.run(replay)"


async def _until_sent(kafka: LocalKafka, topic: str, records: int) -> None:
    async with asyncio.timeout(30):
        while await _count(kafka.bootstrap, topic) < records:
            pass


async def test_ctrl_c_flushes_and_says_where_it_stopped(
    kafka: LocalKafka, topic: str, tmp_path: Path
) -> None:
    hour = [encode(RoomClosed(event_id="e", ts_ms=BASE_MS + at, room_id="r")) for at in (0, 1, 2)]
    later = encode(RoomClosed(event_id="e", ts_ms=BASE_MS + 500_000, room_id="r"))
    tick = encode(Tick(event_id="t", ts_ms=BASE_MS))
    file = _write_session(tmp_path / "s.ndjson", [tick, *hour, later])
    arguments = [str(file), "--bootstrap", kafka.bootstrap, "--topic", topic]
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _RUN, *arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    await _until_sent(kafka, topic, PARTITIONS + 3)
    process.send_signal(signal.SIGINT)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    assert process.returncode == 0
    assert err == b""
    assert out.decode().splitlines()[0].startswith("stopped: 4 events in ")
    assert "event time 2021-11-11T12:00:00Z to 2021-11-11T12:00:00Z" in out.decode()
    assert await _count(kafka.bootstrap, topic) == PARTITIONS + 3


async def test_keys_of_a_terminal_drive_the_replay_and_the_terminal_is_given_back(
    kafka: LocalKafka, topic: str, tmp_path: Path
) -> None:
    records = [encode(Tick(event_id="t", ts_ms=BASE_MS + at)) for at in (0, 3_000_000)]
    file = _write_session(tmp_path / "s.ndjson", records)
    arguments = [str(file), "--bootstrap", kafka.bootstrap, "--topic", topic]
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        _RUN,
        *arguments,
        "--no-closing-tick",
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    os.close(theirs)
    await _until_sent(kafka, topic, PARTITIONS)
    # x1 doubled often enough is full speed: the 50 minutes are over at once
    os.write(ours, b"+" * 40)
    out, err = await asyncio.wait_for(process.communicate(), 20)
    os.close(ours)
    assert (process.returncode, err) == (0, b"")
    assert out.decode().startswith("sent: 2 events")
    assert await _count(kafka.bootstrap, topic) == 2 * PARTITIONS


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--speed", "fast"], "no speed"),
        (["--speed", "-1"], "no speed"),
        (["--loop", "0"], "no number of passes"),
        (["--from", "noon"], "no ISO 8601 time"),
        (["--from", "+x"], "no offset"),
        (["--rebase", "soon"], "no ISO 8601 time"),
        (["--rooms", ","], "names no room"),
        (["--from", "+9d"], "no record of the session matches"),
    ],
)
def test_wrong_arguments_give_one_line(
    kafka: LocalKafka, topic: str, tmp_path: Path, arguments: list[str], said: str
) -> None:
    file = _write_session(tmp_path / "s.ndjson", SESSION[:5])
    common = [str(file), "--bootstrap", kafka.bootstrap, "--topic", topic]
    done = CliRunner().invoke(_command(replay_command), common + arguments)
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert said in done.output


# -- record --


@pytest.mark.parametrize("suffix", [".ndjson", ".ndjson.zst"])
async def test_recording_a_replay_gives_a_session_that_replays_alike(
    kafka: LocalKafka, topic: str, tmp_path: Path, suffix: str
) -> None:
    await _send(kafka, topic, SESSION)
    path = tmp_path / f"recorded{suffix}"
    with SessionWriter(path) as writer:
        report = await record(
            kafka.bootstrap, writer.write_all, topic=topic, until_end=True, with_closing_ticks=False
        )
    recorded = [value for chunk in read_records(path) for value in chunk]
    assert report.records == len(recorded) == len(SESSION)
    assert report.closing_ticks_dropped == PARTITIONS
    assert sorted(recorded) == sorted(SESSION)
    assert _expected(recorded) == _expected(SESSION)


def test_recording_a_paced_replay_gives_the_same_file(
    kafka: LocalKafka, topic: str, tmp_path: Path
) -> None:
    """Where Kafka's timestamps tell the order of arrival, the file is the same byte for byte."""
    records = [encode(Tick(event_id="t", ts_ms=BASE_MS))]
    for number in range(12):
        at_ms = BASE_MS + number * 50
        room_id = f"room-{number * 5 % 7}"
        records.append(encode(RoomClosed(event_id=f"e{number}", ts_ms=at_ms, room_id=room_id)))
    original = _write_session(tmp_path / "original.ndjson", records)
    asyncio.run(_send(kafka, topic, records, speed=1.0))
    path = tmp_path / "recorded.ndjson"
    arguments = ["-o", str(path), "--until-end", "--no-closing-ticks"]
    arguments += ["--bootstrap", kafka.bootstrap, "--topic", topic]
    done = CliRunner().invoke(_command(record_command), arguments)
    assert done.exit_code == 0, done.output
    assert path.read_bytes() == original.read_bytes()
    again = CliRunner().invoke(_command(record_command), arguments)
    assert again.exit_code == 1
    assert "--overwrite" in again.output


async def test_live_recording_takes_what_comes_until_it_is_stopped(
    kafka: LocalKafka, topic: str
) -> None:
    await _send(kafka, topic, SESSION[:1_000])
    stop, live = asyncio.Event(), list[bytes]()
    started = asyncio.Event()

    def progress(records: int) -> None:
        started.set()
        if records >= 500:
            stop.set()

    recording = asyncio.create_task(
        record(
            kafka.bootstrap,
            live.extend,
            topic=topic,
            from_start=False,
            stop=stop,
            on_progress=progress,
        )
    )
    await started.wait()
    sent = SESSION[1_000:1_500]
    await _send(kafka, topic, sent, with_closing_tick=False)
    report = await asyncio.wait_for(recording, 30)
    assert _expected(live) == _expected(sent)
    assert report.records == 500


# -- dead letters --


def _letter(
    offset: int,
    value: bytes,
    reason: Any,  # noqa: ANN401
    *,
    topic: str = "live-events",
    detail: str = "d",
) -> DeadLetter:
    return DeadLetter(reason, detail, topic, 0, offset, base64.b64encode(value).decode())


async def _write_letters(kafka: LocalKafka, topic: str, letters: list[DeadLetter | bytes]) -> None:
    async with connected_producer(kafka.bootstrap) as producer:
        for letter in letters:
            if isinstance(letter, bytes):
                await _put(producer, topic, b"odd", letter)
            else:
                await _put(producer, topic, _key(letter), encode_record(letter))


async def _put(producer: AIOKafkaProducer, topic: str, key: bytes, value: bytes | None) -> None:
    await producer.send_and_wait(topic, key=key, value=value, partition=0)


def _key(letter: DeadLetter) -> bytes:
    return json.dumps([letter.topic, letter.partition, letter.offset, letter.reason]).encode()


BAD_ORDER = b'{"type":"order","room_id":"room-7","buyer_id":"buyer-123456789","amount_minor":"3"}'
BAD_VIEW = b'{"type":"gaze","room_id":"room-8","viewer_id":"viewer-987654321"}'
NO_JSON = b'{"type":"order","buyer_id":"buyer-55555'


async def test_dead_letters_are_listed_newest_of_each_key_and_sent_again(
    kafka: LocalKafka, topic: str
) -> None:
    letters = [
        _letter(5, BAD_ORDER, "invalid_field", topic=topic, detail="old"),
        _letter(9, NO_JSON, "not_json", topic=topic),
        _letter(7, BAD_VIEW, "unknown_type", topic=topic),
        _letter(5, BAD_ORDER, "invalid_field", topic=topic, detail="new"),
    ]
    store = f"{topic}-letters"
    await create_topics(kafka.bootstrap, topics=(Topic(store, 1, "key", "compact", "of a test"),))
    await _write_letters(kafka, store, [*letters, b"no letter"])
    found = await dead_letters.read_topic(kafka.bootstrap, topic=store)
    assert [(letter.offset, letter.detail) for letter in found.letters] == [
        (5, "new"),
        (7, "d"),
        (9, "d"),
    ]
    assert found.unreadable == 1
    report = await dead_letters.resend(kafka.bootstrap, found.letters)
    assert report.by_reason == {"not_json": 1, "unknown_type": 1, "invalid_field": 1}
    contents = await _contents(kafka.bootstrap, topic)
    sent = [BAD_ORDER, BAD_VIEW, NO_JSON]
    assert [[value for _, value in one] for one in contents] == _expected(sent)
    assert {key for one in contents for key, _ in one} == {b"room-7", b"room-8", None}


async def test_a_deleted_letter_is_gone(kafka: LocalKafka, topic: str) -> None:
    letter = _letter(1, NO_JSON, "not_json")
    await _write_letters(kafka, topic, [letter])
    async with connected_producer(kafka.bootstrap) as producer:
        await _put(producer, topic, _key(letter), None)
    assert (await dead_letters.read_topic(kafka.bootstrap, topic=topic)).letters == ()


def test_command_lists_and_sends_again(kafka: LocalKafka, topic: str) -> None:
    letters = [_letter(5, BAD_ORDER, "invalid_field", topic=topic), _letter(9, NO_JSON, "not_json")]
    store = f"{topic}-letters"
    declared = Topic(store, 1, "key", "compact", "of a test")
    asyncio.run(create_topics(kafka.bootstrap, topics=(declared,)))
    asyncio.run(_write_letters(kafka, store, [*letters, b"no letter"]))
    common = ["--bootstrap", kafka.bootstrap, "--topic", store]
    listed = CliRunner().invoke(dead_letters_app, ["list", "--json", *common])
    rows = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(row["reason"], row["room_id"], row["offset"]) for row in rows] == [
        ("not_json", None, 9),
        ("invalid_field", "room-7", 5),
    ]
    assert "1 entries of topic" in listed.stderr
    assert "buyer-123456789" not in listed.output
    chosen = ["--reason", "invalid_field", "--room", "room-7", *common]
    dry = CliRunner().invoke(dead_letters_app, ["resend", "--dry-run", *chosen])
    assert dry.stdout == "would send: 1 dead letters (invalid_field: 1)\n"
    assert asyncio.run(_count(kafka.bootstrap, topic)) == 0
    sent = CliRunner().invoke(dead_letters_app, ["resend", *chosen])
    assert (sent.exit_code, sent.stdout) == (0, "sent: 1 dead letters (invalid_field: 1)\n")
    assert asyncio.run(_count(kafka.bootstrap, topic)) == 1
