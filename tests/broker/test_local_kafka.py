"""The local Kafka is a real one: it starts, keeps its promises over a crash, and stops whole."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from typer.testing import CliRunner

from deploy.kafka.admin import (
    TopicsError,
    create_topics,
    describe_topics,
    foreign_topics,
    verify_topics,
)
from deploy.kafka.broker import KafkaError, LocalKafka, free_port
from deploy.kafka.probe import BrokerUnavailable, require_broker
from deploy.kafka.process import command_line
from roompulse.cli import kafka as kafka_commands
from roompulse.cli import topics as topic_commands
from schemas.topics import BY_NAME, CHECKPOINTS, LIVE_EVENTS, TOPICS, Topic

# The library has no types of its own for these.
Producer: Any = AIOKafkaProducer
Consumer: Any = AIOKafkaConsumer
RECORDS = [f"record {number}".encode() for number in range(500)]


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[LocalKafka]:
    """A Kafka that a test may kill."""
    with LocalKafka(tmp_path / "own", port=0) as running:
        yield running


def test_a_started_broker_answers_on_loopback_and_tells_its_memory(kafka: LocalKafka) -> None:
    (broker,) = require_broker(kafka.bootstrap, 5.0)
    assert str(broker) == kafka.bootstrap
    status = kafka.status()
    assert status.ready
    assert status.pid is not None
    assert 100 << 20 < status.resident_bytes < 1 << 30


def test_starting_twice_keeps_the_one_process(kafka: LocalKafka) -> None:
    before = kafka.pid
    kafka.start()
    LocalKafka(kafka.folder, port=0).start()
    assert kafka.pid == before


def test_another_port_in_the_folder_of_a_running_broker_is_refused(kafka: LocalKafka) -> None:
    with pytest.raises(KafkaError, match="already runs in"):
        LocalKafka(kafka.folder, port=free_port()).start()
    assert kafka.status().ready


def test_a_port_that_is_taken_is_named_before_anything_starts(
    kafka: LocalKafka, tmp_path: Path
) -> None:
    taken = int(kafka.bootstrap.rpartition(":")[2])
    other = LocalKafka(tmp_path / "other", port=taken)
    with pytest.raises(KafkaError, match=f"port {taken} is in use"):
        other.start()
    assert not other.status().running


async def test_topics_are_created_once_as_declared(kafka: LocalKafka) -> None:
    first = await create_topics(kafka.bootstrap)
    assert all(state.as_declared for state in first)
    again = await create_topics(kafka.bootstrap)
    assert not any(state.created for state in again)
    assert [state.declared for state in await verify_topics(kafka.bootstrap)] == list(TOPICS)


async def test_an_existing_topic_that_differs_is_told_and_left_alone(kafka: LocalKafka) -> None:
    ours = Topic("differing", 2, "none", "delete", "For this test.", {"retention.ms": "60000"})
    await create_topics(kafka.bootstrap, topics=[ours])
    wanted = Topic("differing", 3, "none", "compact", "For this test.", {"retention.ms": "60000"})
    (state,) = await create_topics(kafka.bootstrap, topics=[wanted])
    assert state.differences == (
        "has 2 partitions instead of 3",
        "has cleanup.policy=delete instead of compact",
    )
    with pytest.raises(TopicsError, match="differing has 2 partitions instead of 3"):
        await verify_topics(kafka.bootstrap, topics=[wanted])
    assert "differing" in await foreign_topics(kafka.bootstrap)


async def test_topics_that_follow_live_events_must_have_as_many_partitions(
    own_kafka: LocalKafka,
) -> None:
    await create_topics(own_kafka.bootstrap, topics=[BY_NAME[LIVE_EVENTS]], live_partitions=2)
    with pytest.raises(TopicsError, match=f"no topic .*{CHECKPOINTS}.*roompulse topics create"):
        await verify_topics(own_kafka.bootstrap)
    states = await create_topics(own_kafka.bootstrap, live_partitions=3)
    assert [state.declared.name for state in states if state.differences] == [LIVE_EVENTS]
    with pytest.raises(TopicsError, match=f"{CHECKPOINTS} has 3 partitions instead of 2"):
        await verify_topics(own_kafka.bootstrap)


async def test_a_kill_is_noticed_within_ten_seconds_and_costs_nothing_acknowledged(
    own_kafka: LocalKafka,
) -> None:
    topic = Topic("kept", 1, "none", "delete", "For this test.")
    await create_topics(own_kafka.bootstrap, topics=[topic])
    await _produce(own_kafka.bootstrap, "kept", RECORDS)
    before, address = own_kafka.pid, own_kafka.bootstrap
    assert own_kafka.kill()
    began = time.monotonic()
    with pytest.raises(
        BrokerUnavailable, match=rf"^no Kafka at {address} \(connection refused\): .*$"
    ):
        await verify_topics(address)
    assert time.monotonic() - began < 10
    assert not own_kafka.status().running
    own_kafka.start()
    assert own_kafka.pid != before
    assert own_kafka.bootstrap == address
    assert await _consume(address, "kept", len(RECORDS)) == RECORDS


def test_another_process_can_stop_what_this_one_started(own_kafka: LocalKafka) -> None:
    pid = own_kafka.pid
    assert pid is not None
    with pytest.raises(KafkaError, match="stop it before"):
        own_kafka.delete_data()
    program = (
        "import sys; from pathlib import Path; from deploy.kafka.broker import LocalKafka;"
        "sys.exit(not LocalKafka(Path(sys.argv[1])).stop())"
    )
    subprocess.run([sys.executable, "-c", program, str(own_kafka.folder)], check=True)
    assert "roompulse.kafka" not in command_line(pid)
    assert own_kafka.pid is None
    assert not own_kafka.stop()
    assert own_kafka.delete_data()
    assert not (own_kafka.folder / "data").exists()
    assert not own_kafka.delete_data()


def test_a_broker_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    kafka = LocalKafka(tmp_path / "broken", port=0)
    kafka.start()
    kafka.stop()
    (kafka.folder / "data" / "meta.properties").write_text("version=1\ncluster.id=x\nnode.id=7\n")
    with pytest.raises(KafkaError, match=r"Kafka ended while it started: .*Stored node id 7"):
        kafka.start()
    assert not kafka.status().running


def test_the_commands_start_describe_and_stop_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A path as people have them: with a blank, and in a script of theirs.
    runner, folder, port = CliRunner(), str(tmp_path / "直播 room"), free_port()
    monkeypatch.setenv("LC_ALL", "C")
    bootstrap = f"127.0.0.1:{port}"
    try:
        up = runner.invoke(
            kafka_commands.app, ["up", "--secure", "--folder", folder, "--port", str(port)]
        )
        assert (up.exit_code, f"Kafka runs at {bootstrap}" in up.stdout) == (0, True), up.output
        for line in up.stdout.splitlines():
            if line.startswith("export "):
                name, _, value = shlex.split(line)[1].partition("=")
                monkeypatch.setenv(name, value)
        status = runner.invoke(kafka_commands.app, ["status", "--folder", folder])
        assert (status.exit_code, bootstrap in status.stdout) == (0, True)

        before = runner.invoke(topic_commands.app, ["list", "--bootstrap", bootstrap])
        assert (before.exit_code, before.stdout.count("absent")) == (1, len(TOPICS))
        create = ["create", "--bootstrap", bootstrap, "--partitions", "2"]
        assert runner.invoke(topic_commands.app, create).stdout.count("created") == len(TOPICS)
        after = runner.invoke(
            topic_commands.app, ["list", "--bootstrap", bootstrap, "--partitions", "2"]
        )
        assert (after.exit_code, after.stdout.count("as declared")) == (0, len(TOPICS))
        other = runner.invoke(topic_commands.app, ["create", "--bootstrap", bootstrap])
        assert other.exit_code == 1
        assert f"{LIVE_EVENTS} has 2 partitions instead of 4" in other.stderr
        one = runner.invoke(
            topic_commands.app,
            ["describe", LIVE_EVENTS, "--bootstrap", bootstrap, "--partitions", "2"],
        )
        assert (one.exit_code, "retention.ms" in one.stdout) == (0, True)
    finally:
        down = runner.invoke(kafka_commands.app, ["down", "--folder", folder, "--delete-data"])
    assert "Kafka is stopped." in down.stdout
    assert runner.invoke(kafka_commands.app, ["status", "--folder", folder]).exit_code == 1


async def test_the_declared_settings_reach_the_broker(kafka: LocalKafka) -> None:
    await create_topics(kafka.bootstrap)
    for state in await describe_topics(kafka.bootstrap):
        assert state.settings == state.declared.settings()


async def _produce(bootstrap: str, topic: str, values: list[bytes]) -> None:
    producer = Producer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    await producer.start()
    try:
        for value in values:
            await producer.send(topic, value, partition=0)
        await producer.flush()
    finally:
        await producer.stop()


async def _consume(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = Consumer(bootstrap_servers=bootstrap, group_id=None, auto_offset_reset="earliest")
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 0)])
        return [bytes((await consumer.getone()).value or b"") for _ in range(count)]
    finally:
        await consumer.stop()
