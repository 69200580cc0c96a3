"""Do Faust and aiokafka still behave as the worker's adapters rely on?

Each test pins one behaviour of the installed versions, by the real code and where possible on a
real Kafka. Where we work around a defect, a strict expected failure says so: when it is mended
upstream the test fails, and the work-around can go.
"""

import asyncio
import contextlib
import inspect
import re
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiokafka
import aiokafka.consumer.fetcher as aiokafka_fetcher
import faust
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.consumer.group_coordinator import GroupCoordinator
from aiokafka.errors import KafkaConnectionError, KafkaError, KafkaTimeoutError
from faust.transport.consumer import Consumer as FaustConsumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP, ConsumerMessage

from deploy.kafka.admin import create_topics
from deploy.kafka.broker import LocalKafka
from schemas.topics import CHECKPOINTS, LIVE_EVENTS, Topic
from streams.shell import batch_transport
from streams.shell.batch_transport import BatchTransport, FetchLimits
from streams.shell.faust_app import build_app
from streams.shell.settings import WorkerSettings
from tests.broker import workers

RECORDS = 500


@pytest.fixture
async def topic(kafka: LocalKafka, request: pytest.FixtureRequest) -> str:
    """A topic of one partition that holds `RECORDS` records."""
    name = "".join(letter if letter.isalnum() else "-" for letter in request.node.name)
    declared = Topic(name, 1, "none", "delete", "of a test", {})
    await create_topics(kafka.bootstrap, topics=(declared,))
    await _fill(kafka.bootstrap, name, RECORDS)
    return name


async def _fill(bootstrap: str, topic: str, count: int) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, linger_ms=0)
    await producer.start()
    try:
        for number in range(count):
            await producer.send(topic, b"%d" % number, b"key", partition=0)
        await producer.flush()
    finally:
        await producer.stop()


@contextlib.asynccontextmanager
async def _consumer(bootstrap: str, **settings: Any) -> AsyncIterator[Any]:  # noqa: ANN401
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, fetch_max_wait_ms=50, **settings
    )
    await consumer.start()
    try:
        yield consumer
    finally:
        await consumer.stop()


def _callers(module: Any, name: str) -> list[str]:  # noqa: ANN401 - a module
    """The functions of a module in whose text this name is called, in order."""
    found, function = [], ""
    for line in inspect.getsource(module).splitlines():
        if defined := re.match(r"\s*(?:async )?def (\w+)", line):
            function = defined[1]
        elif re.search(rf"(?<!\w){name}\(", line):
            found.append(function)
    return found


@pytest.fixture
async def app(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[faust.App]:
    """The worker's app, not started; what Faust makes for threads that never run is closed."""
    make, loops = asyncio.new_event_loop, list[asyncio.AbstractEventLoop]()

    def made() -> asyncio.AbstractEventLoop:
        loops.append(make())
        return loops[-1]

    monkeypatch.setattr(asyncio, "new_event_loop", made)
    yield build_app(WorkerSettings(kafka="127.0.0.1:1"))
    for loop in loops:
        loop.close()


@pytest.fixture
async def consumer(app: faust.App) -> Any:  # noqa: ANN401 - Faust has no types
    """The app's consumer, not started."""
    return app.transport.create_consumer(
        callback=lambda _: None, on_partitions_revoked=None, on_partitions_assigned=None
    )


# -- versions: what is pinned here was read in these --


def test_versions_are_those_that_were_read() -> None:
    assert faust.__version__.startswith("0.15.")
    assert aiokafka.__version__.startswith("0.14.")


# -- the transport --


def test_the_compiled_stream_loop_is_there() -> None:
    batch_transport.require_compiled_stream_loop()


def test_a_missing_compiled_stream_loop_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(faust.streams, "_CStreamIterator", None)
    with pytest.raises(RuntimeError, match="NO_CYTHON"):
        batch_transport.require_compiled_stream_loop()


async def test_a_transport_can_be_set_and_makes_the_consumer(
    app: faust.App,
    consumer: Any,  # noqa: ANN401
) -> None:
    assert isinstance(app.transport, BatchTransport)
    assert isinstance(consumer, batch_transport._BatchConsumer)
    assert isinstance(consumer._thread, batch_transport._ConsumerThread)


def test_the_worker_makes_its_consumer_in_one_place() -> None:
    assert _callers(driver, "_create_worker_consumer") == ["_create_consumer"]
    source = inspect.getsource(driver.AIOKafkaConsumerThread._create_worker_consumer)
    assert "fetch_max_wait_ms=1500" in source, "the limits can be settings now"
    assert "fetch_min_bytes" not in source, "the limits can be settings now"


async def test_fetch_limits_are_read_when_the_consumer_starts(kafka: LocalKafka) -> None:
    consumer = AIOKafkaConsumer(bootstrap_servers=kafka.bootstrap)
    consumer._fetch_min_bytes = 12_345
    consumer._fetch_max_wait_ms = 67
    await consumer.start()
    await asyncio.sleep(0)  # stopped at once, it would cancel what has not begun
    try:
        assert consumer._fetcher._fetch_min_bytes == 12_345
        assert consumer._fetcher._fetch_max_wait_ms == 67
    finally:
        await consumer.stop()


async def test_our_consumer_has_the_limits(app: faust.App, consumer: Any) -> None:  # noqa: ANN401
    app.transport.limits = FetchLimits(min_bytes=4_321, wait_ms=76)
    made = consumer._thread._create_worker_consumer(app.transport)
    assert (made._fetch_min_bytes, made._fetch_max_wait_ms) == (4_321, 76)
    await made.stop()


def test_consumer_records_are_built_in_one_place() -> None:
    assert _callers(aiokafka_fetcher, "ConsumerRecord") == ["_consumer_record"]
    assert _callers(aiokafka_fetcher, "_consumer_record") == ["_unpack_records"]
    parameters = inspect.signature(aiokafka_fetcher.PartitionRecords._consumer_record).parameters
    assert list(parameters) == ["self", "tp", "record"]


async def test_bare_records_have_what_we_read(
    kafka: LocalKafka, topic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts = aiokafka_fetcher.PartitionRecords
    monkeypatch.setattr(parts, "_consumer_record", parts._consumer_record)  # put back afterwards
    batch_transport.skip_consumer_records()
    target = TopicPartition(topic, 0)
    async with _consumer(kafka.bootstrap) as consumer:
        consumer.assign([target])
        consumer.seek(target, 0)
        found: list[Any] = []
        while len(found) < RECORDS:
            found += (await consumer.getmany(target, timeout_ms=500)).get(target, [])
    assert not isinstance(found[0], aiokafka.ConsumerRecord)
    assert [record.offset for record in found] == list(range(RECORDS))
    assert [record.value for record in found] == [b"%d" % number for number in range(RECORDS)]
    assert {record.key for record in found} == {b"key"}
    assert all(record.timestamp > 1_600_000_000_000 for record in found)


def _message(generation_id: int | None) -> ConsumerMessage:
    given = {} if generation_id is None else {"generation_id": generation_id}
    return ConsumerMessage(
        topic=LIVE_EVENTS,
        partition=0,
        offset=9,
        timestamp=0.0,
        timestamp_type=0,
        headers=(),
        key=None,
        value=b"batch",
        checksum=None,
        tp=TP(LIVE_EVENTS, 0),
        **given,
    )


@pytest.mark.parametrize(("generation_id", "arrives"), [(3, True), (2, False), (None, False)])
async def test_a_message_of_no_or_another_generation_is_dropped(
    generation_id: int | None,
    arrives: bool,  # noqa: FBT001
    app: faust.App,
) -> None:
    app.consumer_generation_id = 3
    app.flow_control.resume()
    channel = app.topic(LIVE_EVENTS, key_serializer="raw", value_serializer="raw")
    stream = app.stream(channel)
    iterator: Any = faust.streams._CStreamIterator(stream)
    queue: asyncio.Queue[Any] = asyncio.Queue()
    message = _message(generation_id)
    queue.put_nowait(faust.Event(app, None, message.value, {}, message))
    iterator.chan_slow_get = queue.get
    value, _ = await iterator.next()
    assert (value == b"batch") is arrives
    assert (value is stream._skipped_value) is not arrives


# -- offsets --


def test_offsets_to_commit_come_from_one_place() -> None:
    from faust.transport import consumer  # noqa: PLC0415

    assert _callers(consumer, "_new_offset") == ["_filter_committable_offsets"]
    assert _callers(consumer, "_add_gap") == ["_drain_messages"]
    assert list(inspect.signature(FaustConsumer._new_offset).parameters) == ["self", "tp"]
    assert list(inspect.signature(FaustConsumer._add_gap).parameters) == [
        "self",
        "tp",
        "offset_from",
        "offset_to",
    ]
    for attribute in ("_acked", "_acked_index"):
        assert f"self.{attribute}" in inspect.getsource(FaustConsumer.__init__)


async def test_upstream_keeps_a_number_for_each_offset_inside_a_batch(
    consumer: Any,  # noqa: ANN401
) -> None:
    """Why `_add_gap` is ours: a fetch of 20,000 records would be a gap of as many."""
    tp = TP(LIVE_EVENTS, 0)
    await FaustConsumer._add_gap(consumer, tp, 1, 20_000)
    assert len(consumer._gap[tp]) == 1
    consumer._acked[tp].append(20_001)
    consumer._acked_index[tp].add(20_001)
    FaustConsumer._new_offset(consumer, tp)
    assert not consumer._gap[tp], "upstream turned the gap into a list of its offsets"
    await consumer._add_gap(tp, 30_000, 50_000)
    assert not consumer._gap[tp]


async def test_the_greatest_acknowledged_offset_is_committed(consumer: Any) -> None:  # noqa: ANN401
    tp = TP(LIVE_EVENTS, 0)
    assert consumer._new_offset(tp) is None
    consumer._acked[tp] += [99, 199]
    consumer._acked_index[tp] |= {99, 199}
    assert consumer._new_offset(tp) == 200
    assert (consumer._acked[tp], consumer._acked_index[tp]) == ([], set())


def test_what_is_committed_is_the_end_of_what_was_saved(kafka: LocalKafka, tmp_path: Path) -> None:
    """On a real Kafka: after a clean stop the group stands at the end of each partition."""
    bootstrap = kafka.bootstrap
    asyncio.run(workers.make_topics(bootstrap))
    records = workers.session("calm", 5_000)
    settings: dict[str, Any] = {"group": tmp_path.name}
    with workers.WorkerProcess(bootstrap, tmp_path, **settings) as worker:
        worker.wait_ready()
        asyncio.run(workers.send(bootstrap, records))
        ends = workers.log_ends(bootstrap)
        workers.until(lambda: worker.offsets() == ends, 60, "all is folded")
        worker.process.terminate()
        assert worker.wait(20) == 0

    async def committed() -> dict[int, int]:
        admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
        await admin.start()
        try:
            found = await admin.list_consumer_group_offsets(tmp_path.name)
        finally:
            await admin.close()
        return {target.partition: position.offset for target, position in found.items()}

    assert asyncio.run(committed()) == {number: end for number, end in ends.items() if end}


async def test_what_the_worker_asks_of_an_app(app: faust.App) -> None:
    """It makes no folder in the working directory, and sees a crash that Faust keeps to itself."""
    assert _callers(faust.app.base, "_create_directories") == ["on_first_start"]
    assert not app._crashed.is_set()
    assert app.crash_reason is None


# -- aiokafka --


async def _assigned_while_a_reset_is_under_way(
    consumer: AIOKafkaConsumer, target: TopicPartition
) -> asyncio.Event:
    """Assign, and hold back the answer that the default reset waits for; set the event to go on."""
    fetcher = consumer._fetcher
    ask, under_way, go_on = fetcher._proc_offset_request, asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any) -> Any:  # noqa: ANN401
        fetcher._proc_offset_request = ask
        answer = await ask(*arguments)
        under_way.set()
        await go_on.wait()
        return answer

    fetcher._proc_offset_request = slow
    consumer.assign([target])
    await under_way.wait()
    return go_on


@pytest.mark.xfail(
    strict=True, raises=AssertionError, reason="the reset to the end that was under way wins"
)
async def test_seek_to_beginning_right_after_assign(kafka: LocalKafka, topic: str) -> None:
    target = TopicPartition(topic, 0)
    async with _consumer(kafka.bootstrap, auto_offset_reset="latest") as consumer:
        go_on = await _assigned_while_a_reset_is_under_way(consumer, target)
        seeking = asyncio.create_task(consumer.seek_to_beginning(target))
        await asyncio.sleep(0)
        go_on.set()
        await seeking
        assert await consumer.position(target) == 0


async def test_seek_with_an_offset_right_after_assign(kafka: LocalKafka, topic: str) -> None:
    target = TopicPartition(topic, 0)
    async with _consumer(kafka.bootstrap, auto_offset_reset="latest") as consumer:
        go_on = await _assigned_while_a_reset_is_under_way(consumer, target)
        begin = (await consumer.beginning_offsets([target]))[target]
        consumer.seek(target, begin)
        go_on.set()
        found = await consumer.getone(target)
        assert found.offset == begin == 0


async def test_end_offsets_need_no_assignment(kafka: LocalKafka, topic: str) -> None:
    target = TopicPartition(topic, 0)
    async with _consumer(kafka.bootstrap) as consumer:
        assert await consumer.end_offsets([target]) == {target: RECORDS}


async def test_records_of_a_compacted_topic_can_be_deleted_by_offset(kafka: LocalKafka) -> None:
    """The topic of checkpoints has both policies; without `delete` Kafka refuses."""
    await workers.make_topics(kafka.bootstrap)
    await _fill(kafka.bootstrap, CHECKPOINTS, 10)
    target = TopicPartition(CHECKPOINTS, 0)
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    await admin.start()
    try:
        assert await admin.delete_records({target: RecordsToDelete(7)}) == {target: 7}
    finally:
        await admin.close()
    async with _consumer(kafka.bootstrap) as consumer:
        assert await consumer.beginning_offsets([target]) == {target: 7}
        assert await consumer.end_offsets([target]) == {target: 10}


def test_what_patience_asks_of_errors() -> None:
    assert issubclass(KafkaError, RuntimeError)
    assert KafkaConnectionError.retriable
    assert not KafkaTimeoutError.retriable, "`may_pass` names it for nothing"


async def test_an_idempotent_producer_never_gives_up_a_batch() -> None:
    """Why an outage of any length loses nothing, and why the limit has to be ours."""
    from aiokafka.producer import sender  # noqa: PLC0415

    expired = SimpleNamespace(expired=lambda: True)
    for manager, retries in ((object(), True), (None, False)):
        handler = SimpleNamespace(_sender=SimpleNamespace(_txn_manager=manager))
        can_retry: Callable[..., bool] = sender.SendProduceReqHandler._can_retry
        assert can_retry(handler, KafkaConnectionError(), expired) is retries


def test_a_static_member_does_not_leave_its_group() -> None:
    """So that a restarted worker has its partitions back at once."""
    assert "self._group_instance_id is None" in inspect.getsource(
        GroupCoordinator._maybe_leave_group
    )
