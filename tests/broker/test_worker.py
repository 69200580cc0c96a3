"""Does a worker on a real Kafka do what the run without one does, and end as it should?"""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pytest
from aiokafka import AIOKafkaProducer

from deploy.kafka.admin import create_topics
from deploy.kafka.broker import LocalKafka
from producers.replay import closing_tick
from schemas import topics
from schemas.clock import CLOSING_MS
from schemas.codec import Order, RoomOpened, encode
from schemas.partitioning import partition_of_room
from schemas.topics import DEFAULT_PARTITIONS
from streams.result_files import run_report
from streams.shell.collecting import collect, newest_boards, newest_progress
from tests.broker import workers
from tests.broker.workers import WorkerProcess, until

BASE_MS = 1_636_632_000_000
FOLD_SECONDS = 60.0


@pytest.fixture
def bootstrap(kafka: LocalKafka) -> str:
    """A Kafka whose topics are all empty."""
    asyncio.run(workers.make_topics(kafka.bootstrap))
    return kafka.bootstrap


@pytest.fixture
def worker(bootstrap: str, tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """Starts workers; a group of its own for each test. All are ended with the test."""
    with ExitStack() as stack:

        def start(name: str = "worker", **settings: Any) -> WorkerProcess:  # noqa: ANN401
            given = {"group": tmp_path.name, "checkpoint_seconds": 2, **settings}
            made = WorkerProcess(bootstrap, tmp_path / "workers", name, **given)
            return stack.enter_context(made)

        yield start


def _orders(room_id: str, count: int, *, first: int = 0, step_ms: int = 1_000) -> list[bytes]:
    """A room that is opened and sells; one order each `step_ms`."""
    opened = RoomOpened(
        event_id=f"{room_id}-opened",
        ts_ms=BASE_MS,
        room_id=room_id,
        host_id=f"host-{room_id}",
        mode="talent",
        category="beauty",
        currency="CNY",
    )
    made = [encode(opened)] if first == 0 else []
    for number in range(first, first + count):
        order = Order(
            event_id=f"{room_id}-{number}",
            ts_ms=BASE_MS + number * step_ms,
            room_id=room_id,
            order_id=f"{room_id}-{number}",
            buyer_id=f"buyer-{number % 97}",
            product_id="p1",
            quantity=1,
            amount_minor=100,
        )
        made.append(encode(order))
    return made


def _room_in(partition: int) -> str:
    """A room of a partition."""
    return next(
        name
        for number in range(1_000)
        if partition_of_room(name := f"room-{number}", DEFAULT_PARTITIONS) == partition
    )


def _counts(bootstrap: str) -> dict[str, Any]:
    report = run_report(asyncio.run(newest_progress(bootstrap)), elapsed_seconds=0)
    return {name: report[name] for name in ("counts", "rejected_by_reason", "by_type")}


def _expected_counts(results: Any) -> dict[str, Any]:  # noqa: ANN401
    """Those of the embedded run, and the closing tick, which a replay writes as a record."""
    report = run_report(results.progress, elapsed_seconds=0)
    counts = report["counts"]
    counts.events += 1
    counts.accepted += 1
    counts.broadcast += 1
    by_type = report["by_type"]
    by_type["tick"] = by_type.get("tick", 0) + 1
    return {
        "counts": counts,
        "rejected_by_reason": report["rejected_by_reason"],
        "by_type": dict(sorted(by_type.items())),
    }


# -- the same computation --


@pytest.mark.parametrize(
    ("scenario", "count"),
    [("brushing", 1), ("brushing", 2), ("dirty", 1), ("dirty", 2), ("price_war", 2)],
)
def test_workers_publish_what_the_embedded_run_writes(
    scenario: str,
    count: int,
    bootstrap: str,
    worker: Callable[..., WorkerProcess],
    tmp_path: Path,
) -> None:
    records = workers.session(scenario, 40_000)
    expected = workers.embedded(records)
    group = [worker(f"worker-{number}") for number in range(count)]
    for one in group:
        one.wait_ready()
    until(
        lambda: (
            all(one.offsets() for one in group)
            and sum(len(one.offsets()) for one in group) == DEFAULT_PARTITIONS
        ),
        FOLD_SECONDS,
        "every worker has partitions",
    )
    report = asyncio.run(workers.send(bootstrap, records))
    assert report.events == len(records)
    workers.wait_for_results(bootstrap, expected, tmp_path, FOLD_SECONDS)
    assert _counts(bootstrap) == _expected_counts(expected)
    _assert_metrics_equal(group, _expected_counts(expected))
    if scenario == "price_war":
        assert "price_war" in {each.kind for each in expected.alerts}
    if scenario == "dirty":
        counts = _expected_counts(expected)["counts"]
        assert min(counts.duplicate, counts.late, counts.future, counts.rejected) > 0
    for one in group:
        one.send(signal.SIGTERM)
    for one in group:
        assert one.wait(10) == 0
        assert one.log == "", "normal operation says nothing"
    # what they did on their way out changed nothing
    workers.wait_for_results(bootstrap, expected, tmp_path, 0)


def _assert_metrics_equal(group: list[WorkerProcess], expected: dict[str, Any]) -> None:
    """The counters of all workers together are the truth."""
    samples = [one.metrics() for one in group]

    def total(name: str) -> float:
        return sum(sum(each.get(name, {}).values()) for each in samples)

    def by(name: str) -> dict[str, float]:
        found: dict[str, float] = {}
        for each in samples:
            for labels, value in each.get(name, {}).items():
                found[labels[1]] = found.get(labels[1], 0) + value
        return {label: value for label, value in sorted(found.items()) if value}

    counts = msgspec.structs.asdict(expected["counts"])
    counts.pop("events")  # accepted, duplicate and rejected together
    assert {name: total(f"roompulse_events_{name}_total") for name in counts} == counts
    assert by("roompulse_events_rejected_by_reason_total") == expected["rejected_by_reason"]
    types = {name: count for name, count in expected["by_type"].items() if count}
    assert by("roompulse_events_by_type_total") == types
    assert total("roompulse_consumer_lag_records") == 0
    assert total("roompulse_board_leader") == 1


def test_a_restarted_worker_shows_what_it_knows_before_anything_comes(
    bootstrap: str, worker: Callable[..., WorkerProcess]
) -> None:
    asyncio.run(workers.send(bootstrap, _orders("room-1", 500)))
    first = worker("first").wait_ready()
    wanted = sum(workers.log_ends(bootstrap).values())
    until(lambda: sum(first.offsets().values()) == wanted, FOLD_SECONDS, "all is folded")
    first.send(signal.SIGTERM)
    assert first.wait(10) == 0
    second = worker("second").wait_ready()
    # saved on the way out: nothing is folded again
    assert sum(second.offsets().values()) == wanted
    assert second.metrics()["roompulse_batches_total"] == dict.fromkeys(
        [(str(number),) for number in range(DEFAULT_PARTITIONS)], 0.0
    )
    row = ("CNY", "room-1", "host-room-1", "room", "total")  # by name of the label
    until(
        lambda: second.metrics().get("roompulse_board_gross_minor", {}).get(row) == 50_000,
        FOLD_SECONDS,
        "the boards are there",
    )


# -- what it answers --


def test_pages_are_on_loopback_and_tell_what_they_should(
    worker: Callable[..., WorkerProcess],
) -> None:
    one = worker().wait_ready()
    listening = [
        connection.laddr.ip
        for connection in psutil.Process(one.process.pid).net_connections()
        if connection.status == psutil.CONN_LISTEN
    ]
    assert listening == ["127.0.0.1"]
    assert one.get("/live") == (200, "ok")
    assert one.get("/ready") == (200, "ok")
    assert one.get("/nowhere")[0] == 404
    status, text = one.get("/metrics")
    assert status == 200
    assert "roompulse_consumer_lag_records" in text


def test_a_spare_worker_is_ready_without_partitions(
    kafka: LocalKafka, worker: Callable[..., WorkerProcess]
) -> None:
    asyncio.run(workers.make_topics(kafka.bootstrap, partitions=1))
    group = [worker("first").wait_ready(), worker("second").wait_ready()]
    until(
        lambda: sorted(len(one.offsets()) for one in group) == [0, 1],
        FOLD_SECONDS,
        "one has the partition, one has none",
    )
    assert [one.get("/ready")[0] for one in group] == [200, 200]
    assert [one.get("/live")[0] for one in group] == [200, 200]


def test_a_stuck_worker_is_not_live(bootstrap: str, worker: Callable[..., WorkerProcess]) -> None:
    """Nothing can be published any more: somebody deleted a topic of results."""
    one = worker(stuck_seconds=2).wait_ready()
    room = _room_in(2)
    asyncio.run(workers.send(bootstrap, _orders(room, 100), with_closing_tick=False))
    until(lambda: one.offsets()[2] == 101, FOLD_SECONDS, "the first part is folded")
    assert one.get("/live") == (200, "ok")
    asyncio.run(workers.delete_topic(bootstrap, topics.ROOM_MINUTES))
    sent = 100

    def is_stuck() -> bool:
        nonlocal sent
        part = _orders(room, 100, first=sent)
        asyncio.run(workers.send(bootstrap, part, with_closing_tick=False))
        sent += 100
        assert one.is_running, one.log
        return one.get("/live")[0] == 503

    until(is_stuck, FOLD_SECONDS, "/live fails")
    assert one.get("/live")[1] == "partitions [2] have records left and made no progress"
    assert one.get("/ready")[0] == 200
    asyncio.run(create_topics(bootstrap))
    until(lambda: one.get("/live")[0] == 200, FOLD_SECONDS, "it goes on once the topic is back")
    until(lambda: one.offsets()[2] == sent + 1, FOLD_SECONDS, "all is folded")


# -- how it starts --


def _run(*arguments: str, bootstrap: str, **settings: str) -> tuple[int, str, float]:
    """Exit code, what was said, seconds."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "roompulse.cli.app", "worker", "--metrics-port", "0", *arguments],
        env={**os.environ, "ROOMPULSE_KAFKA": bootstrap, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, time.monotonic() - began


@pytest.mark.parametrize("listens", [False, True])
def test_a_missing_broker_is_said_in_one_line_within_ten_seconds(*, listens: bool) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        if listens:
            holder.listen()  # and never answers
        address = f"127.0.0.1:{holder.getsockname()[1]}"
        code, said, seconds = _run(bootstrap=address)
    assert code == 1
    assert said.count("\n") == 1
    assert said.startswith(f"roompulse: no Kafka at {address}")
    assert seconds < 10


def test_missing_topics_are_said_in_one_line(bootstrap: str) -> None:
    asyncio.run(workers.delete_topic(bootstrap, topics.BOARDS, topics.CHECKPOINTS))
    code, said, _ = _run(bootstrap=bootstrap)
    assert code == 1
    assert said == (
        "roompulse: topics are missing (boards, checkpoints): run `roompulse topics create`\n"
    )


def test_a_taken_port_is_said_in_one_line(bootstrap: str) -> None:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        port = holder.getsockname()[1]
        code, said, _ = _run("--metrics-port", str(port), bootstrap=bootstrap)
    assert code == 1
    assert said == (
        f"roompulse: /metrics cannot listen on 127.0.0.1:{port} (Address already in use): choose"
        " another address with --metrics-host and --metrics-port\n"
    )


# -- how it ends --


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(
    number: signal.Signals, bootstrap: str, worker: Callable[..., WorkerProcess]
) -> None:
    asyncio.run(workers.send(bootstrap, _orders("room-1", 500)))
    one = worker().wait_ready()
    until(lambda: sum(one.offsets().values()) > 0, FOLD_SECONDS, "something is folded")
    began = time.monotonic()
    one.send(number)
    assert one.wait(20) == 0
    seconds = time.monotonic() - began
    print(f"{number.name} to exit: {seconds:.1f} s")  # noqa: T201
    assert seconds < 5
    assert one.log == ""


def test_a_signal_before_any_partition_came_ends_it(worker: Callable[..., WorkerProcess]) -> None:
    one = worker()
    until(lambda: one.get("/live")[0], workers.START_SECONDS, "it listens")
    one.send(signal.SIGTERM)
    assert one.wait(20) == 0
    assert one.log == ""


_POISON = """
from streams.core.partition import Partition
fold = Partition.fold

def poisoned(self, offsets, values, events):
    assert not any(b"poison" in value for value in values), "a broken limit"
    return fold(self, offsets, values, events)

Partition.fold = poisoned
"""


def test_a_bug_ends_it_with_coordinates_and_a_restart_resumes(
    bootstrap: str, worker: Callable[..., WorkerProcess], tmp_path: Path
) -> None:
    records = [*_orders("room-1", 300), *_orders("poison", 300)]
    number = partition_of_room("poison", DEFAULT_PARTITIONS)
    one = worker(patch=_POISON).wait_ready()
    asyncio.run(workers.send(bootstrap, records[:301], with_closing_tick=False))
    assert one.get("/live")[0] == 200
    asyncio.run(workers.send(bootstrap, records[301:], with_closing_tick=False))
    assert one.wait(FOLD_SECONDS) == 70
    assert f"stopped at live-events[{number}] offsets " in one.log
    assert "AssertionError: a broken limit" in one.log
    one.patch = ""
    one.start().wait_ready()
    closing = workers.embedded(records)
    asyncio.run(_closed(bootstrap, records))
    workers.wait_for_results(bootstrap, closing, tmp_path, FOLD_SECONDS)


async def _closed(bootstrap: str, records: list[bytes]) -> None:
    """End a session that was sent without its closing tick."""
    last_ms = max(msgspec.json.decode(record)["ts_ms"] for record in records)
    tick = closing_tick(last_ms + CLOSING_MS)
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
    await producer.start()
    try:
        for number in range(DEFAULT_PARTITIONS):
            await producer.send_and_wait(topics.LIVE_EVENTS, tick, partition=number)
    finally:
        await producer.stop()


def test_a_checkpoint_that_cannot_be_read_ends_it(
    bootstrap: str, worker: Callable[..., WorkerProcess]
) -> None:
    async def corrupt() -> None:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap)
        await producer.start()
        try:
            key = b'[[1000,0],"nobody",0,1]'
            await producer.send_and_wait(topics.CHECKPOINTS, b"garbage", key, partition=3)
        finally:
            await producer.stop()

    asyncio.run(corrupt())
    one = worker()
    assert one.wait(FOLD_SECONDS) == 70
    assert "stopped at checkpoints[3]" in one.log
    assert "zstd" in one.log.lower()


def test_a_log_that_was_made_anew_is_not_folded_onto_an_old_state(
    bootstrap: str, worker: Callable[..., WorkerProcess]
) -> None:
    one = worker().wait_ready()
    asyncio.run(workers.send(bootstrap, _orders("room-1", 300)))
    until(lambda: sum(one.offsets().values()) > 300, FOLD_SECONDS, "all is folded")
    one.send(signal.SIGTERM)
    assert one.wait(20) == 0
    asyncio.run(workers.delete_topic(bootstrap, topics.LIVE_EVENTS))
    asyncio.run(create_topics(bootstrap))
    one.start()
    assert one.wait(FOLD_SECONDS) == 70
    (line,) = one.log.splitlines()
    assert "make the topics of checkpoints and of results anew" in line


# -- live use --


def test_a_silent_partition_gets_ticks_and_boards_move_on(
    bootstrap: str, worker: Callable[..., WorkerProcess]
) -> None:
    one = worker(tick_seconds=1).wait_ready()
    quiet, busy = _room_in(1), _room_in(2)
    asyncio.run(workers.send(bootstrap, _orders(quiet, 5), with_closing_tick=False))
    sent = 0

    def board_ms() -> int:
        marks = [board.as_of_ms for board in asyncio.run(newest_boards(bootstrap))]
        return max((mark for mark in marks if mark is not None), default=0)

    def has_moved() -> bool:
        nonlocal sent
        part = _orders(busy, 1, first=sent, step_ms=20_000)
        asyncio.run(workers.send(bootstrap, part, with_closing_tick=False))
        sent += 1
        return board_ms() > BASE_MS + 120_000

    until(has_moved, FOLD_SECONDS, "boards stand two minutes later")
    results = asyncio.run(collect(bootstrap))
    assert (quiet, BASE_MS) in [(line.room_id, line.minute_ms) for line in results.minutes]
    assert len([each for each in results.progress if each.watermark_ms is not None]) == 4
    ticks = sum(each.by_type.get("tick", 0) for each in results.progress)
    until(
        lambda: (
            one.metrics()["roompulse_consumer_lag_records"]
            and sum(one.metrics()["roompulse_consumer_lag_records"].values()) == 0
        ),
        FOLD_SECONDS,
        "all is folded",
    )
    assert ticks <= sum(workers.log_ends(bootstrap).values()) - sent - 7
    assert one.get("/live")[0] == 200


def test_a_board_that_nobody_is_on_any_more_is_taken_back(
    bootstrap: str, worker: Callable[..., WorkerProcess], tmp_path: Path
) -> None:
    """The first order of a room came before its opening: no currency, for a moment."""
    opened, *orders = _orders("room-1", 50)
    records = [*orders, opened]
    worker().wait_ready()
    asyncio.run(workers.send(bootstrap, orders, with_closing_tick=False))

    def currencies() -> set[str | None]:
        return {board.currency for board in asyncio.run(newest_boards(bootstrap))}

    until(lambda: currencies() == {None}, FOLD_SECONDS, "a board without a currency")
    asyncio.run(workers.send(bootstrap, [opened], with_closing_tick=False))
    until(lambda: currencies() == {"CNY"}, FOLD_SECONDS, "the boards of the currency alone")
    asyncio.run(_closed(bootstrap, records))
    workers.wait_for_results(bootstrap, workers.embedded(records), tmp_path, FOLD_SECONDS)


@pytest.mark.parametrize("is_static", [True, False])
def test_a_killed_worker_folds_again_soon(
    is_static: bool,  # noqa: FBT001
    bootstrap: str,
    worker: Callable[..., WorkerProcess],
) -> None:
    """With a name of its own a restarted worker has its partitions back at once.

    Without one, the group waits for the session of the killed one to end first.
    """
    others = worker("other", is_static=is_static).wait_ready()
    one = worker("killed", is_static=is_static).wait_ready()
    until(lambda: len(one.offsets()) == 2, FOLD_SECONDS, "each has half of the partitions")
    mine = set(one.offsets())
    sent = 0

    def is_folding() -> bool:
        nonlocal sent
        for number in range(DEFAULT_PARTITIONS):
            part = _orders(_room_in(number), 1, first=sent)
            asyncio.run(workers.send(bootstrap, part, with_closing_tick=False))
        sent += 1
        ours = one.metrics() if one.is_running else {}
        return sum(ours.get("roompulse_batch_records_total", {}).values()) > 0

    until(is_folding, FOLD_SECONDS, "it folds")
    generation = len(others.offsets())
    one.kill()
    began = time.monotonic()
    one.start()
    until(is_folding, FOLD_SECONDS, "it folds again")
    seconds = time.monotonic() - began
    kind = "static member" if is_static else "dynamic member"
    print(f"{kind}: kill -9 and restart to first new fold {seconds:.1f} s")  # noqa: T201
    if is_static:
        assert set(one.offsets()) == mine
        assert len(others.offsets()) == generation == 2
        assert seconds < 10
