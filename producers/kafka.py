"""How the producers' tools reach Kafka: connect, find a topic, write record batches in order.

Invariants: a Kafka or a topic that is not there ends in one `BrokerError` within
`CONNECT_SECONDS`; nothing is printed on the way. Records of a partition keep the order in which
they were added (idempotent producer, one request in flight per broker); acknowledged means that
all in-sync replicas have it. A broker that goes away is waited for up to `GIVE_UP_SECONDS`.

Bounds: per partition one batch is built, one queued and one under way, each of `BATCH_BYTES`, or
of one record where a record is larger.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.errors import KafkaError, KafkaTimeoutError
from aiokafka.errors import MessageSizeTooLargeError as TooLargeForTopicError
from aiokafka.structs import TopicPartition

from schemas.kafka_access import client_options
from schemas.topics import BY_NAME

__all__ = [
    "BATCH_BYTES",
    "CONNECT_SECONDS",
    "GIVE_UP_SECONDS",
    "BatchSender",
    "BrokerError",
    "KafkaError",
    "TopicPartition",
    "connected_consumer",
    "connected_producer",
    "largest_record_bytes",
    "partition_count",
]

CONNECT_SECONDS = 8.0
GIVE_UP_SECONDS = 60.0
BATCH_BYTES = 256 * 1024
# A request that is not answered in this time is sent again; well below `GIVE_UP_SECONDS`.
_REQUEST_MS = 15_000
_STOP_SECONDS = 5.0
# What Kafka's record format adds to a record: batch header, lengths, deltas.
_OVERHEAD_BYTES = 256
_REQUEST_BYTES = 16 * 1024 * 1024

# The client logs each failed attempt; whoever configures logging may still see it.
logging.getLogger("aiokafka").addHandler(logging.NullHandler())


class BrokerError(Exception):
    """Kafka could not do what was asked; the text is one line that says what to do."""


@contextlib.asynccontextmanager
async def connected_producer(bootstrap: str) -> AsyncIterator[AIOKafkaProducer]:
    """An idempotent producer with acknowledgement by all replicas; stopped at the end."""
    producer = AIOKafkaProducer(
        **client_options(bootstrap),
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=BATCH_BYTES,
        max_request_size=_REQUEST_BYTES,
        request_timeout_ms=_REQUEST_MS,
    )
    async with _started(producer, bootstrap):
        yield producer


@contextlib.asynccontextmanager
async def connected_consumer(bootstrap: str) -> AsyncIterator[AIOKafkaConsumer]:
    """A consumer without a group, to be assigned by hand; stopped at the end."""
    consumer = AIOKafkaConsumer(
        **client_options(bootstrap),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=100,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        request_timeout_ms=_REQUEST_MS,
    )
    async with _started(consumer, bootstrap):
        yield consumer


@contextlib.asynccontextmanager
async def _started(client: Any, bootstrap: str) -> AsyncIterator[None]:  # noqa: ANN401 - either client
    try:
        try:
            await asyncio.wait_for(client.start(), CONNECT_SECONDS)
        except (KafkaError, OSError, TimeoutError) as error:
            raise BrokerError(
                f"no Kafka answers at {bootstrap}: start one with `roompulse kafka up`, or name"
                " yours with --bootstrap or ROOMPULSE_KAFKA=host:port"
            ) from error
        yield
    finally:
        # without a broker the client would try to flush for ever
        with contextlib.suppress(TimeoutError, KafkaError):
            await asyncio.wait_for(client.stop(), _STOP_SECONDS)


async def partition_count(
    client: AIOKafkaProducer | AIOKafkaConsumer, topic: str, bootstrap: str
) -> int:
    """How many partitions a topic has; asks for all topics, since asking for one may create it."""
    # the consumer has no public way to ask how many partitions of which topic there are
    inner: Any = client.client if isinstance(client, AIOKafkaProducer) else client._client  # noqa: SLF001
    try:
        cluster = await asyncio.wait_for(inner.fetch_all_metadata(), CONNECT_SECONDS)
    except (KafkaError, OSError, TimeoutError) as error:
        raise BrokerError(f"the Kafka at {bootstrap} does not list its topics") from error
    partitions = cluster.partitions_for_topic(topic)
    if not partitions:
        raise BrokerError(
            f"the Kafka at {bootstrap} has no topic {topic!r}: create the topics with"
            " `roompulse topics create`"
        )
    return len(partitions)


def largest_record_bytes(topic: str) -> int:
    """The largest record value that a topic takes, by its declaration."""
    declared = BY_NAME[topic].config if topic in BY_NAME else {}
    return int(declared.get("max.message.bytes", 1024 * 1024)) - _OVERHEAD_BYTES


class BatchSender:
    """Writes records to the partitions of one topic in batches, in the order they were added.

    `try_add` costs no coroutine and is the road of every record; when it says no, `ship` the
    partition and add again. `flush` returns when all is acknowledged.

    Attributes:
        delivered: records acknowledged, by partition.
    """

    def __init__(self, producer: AIOKafkaProducer, topic: str, partitions: int) -> None:
        self._producer: Any = producer
        self._topic = topic
        self._builders = [self._producer.create_batch() for _ in range(partitions)]
        self._under_way: set[asyncio.Future[object]] = set()
        self._error: BaseException | None = None
        self._heard_seconds = time.monotonic()
        self.delivered = [0] * partitions

    def try_add(self, partition: int, key: bytes | None, value: bytes) -> bool:
        """Add a record to the partition's open batch; False when that is full."""
        builder = self._builders[partition]
        return builder.append(timestamp=None, key=key, value=value) is not None

    async def ship(self, partition: int) -> None:
        """Hand the partition's open batch to the producer, and open another."""
        self._raise_if_failed()
        builder = self._builders[partition]
        records = builder.record_count()
        if records == 0:
            return
        self._builders[partition] = self._producer.create_batch()
        builder.close()
        if not self._under_way:
            self._heard_seconds = time.monotonic()
        future = await self._submit(builder, partition)
        self._under_way.add(future)

        def acknowledged(done: asyncio.Future[object]) -> None:
            self._under_way.discard(done)
            self._heard_seconds = time.monotonic()
            if done.cancelled():
                return
            error = done.exception()
            if error is None:
                self.delivered[partition] += records
            else:
                self._error = self._error or error

        future.add_done_callback(acknowledged)

    async def ship_all(self) -> None:
        """Hand every open batch to the producer, in order of partition."""
        for partition in range(len(self._builders)):
            await self.ship(partition)

    async def flush(self) -> None:
        """Ship all, and wait until it is acknowledged."""
        await self.ship_all()
        while self._under_way:
            await asyncio.wait(self._under_way, timeout=1.0, return_when=asyncio.FIRST_COMPLETED)
            self._raise_if_failed()
            self._raise_if_silent()

    async def _submit(self, builder: object, partition: int) -> "asyncio.Future[object]":
        while True:
            try:
                future: asyncio.Future[object] = await self._producer.send_batch(
                    builder, self._topic, partition=partition
                )
            except KafkaTimeoutError:
                self._raise_if_failed()
                self._raise_if_silent()
            except KafkaError as error:
                raise self._broker_error(error) from error
            else:
                return future

    def _raise_if_failed(self) -> None:
        if self._error is not None:
            raise self._broker_error(self._error) from self._error

    def _raise_if_silent(self) -> None:
        if time.monotonic() - self._heard_seconds > GIVE_UP_SECONDS:
            raise BrokerError(
                f"Kafka has not acknowledged anything for {GIVE_UP_SECONDS:.0f} s: see whether the"
                " broker still runs"
            )

    def _broker_error(self, error: BaseException) -> BrokerError:
        if isinstance(error, TooLargeForTopicError):
            return BrokerError(
                f"topic {self._topic!r} refuses a batch as too large: set its max.message.bytes"
                f" to {largest_record_bytes(self._topic) + _OVERHEAD_BYTES} or more"
            )
        reason = str(error) or type(error).__name__
        return BrokerError(f"topic {self._topic!r} refuses records: {reason}")
