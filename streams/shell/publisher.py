"""How records get to Kafka: one idempotent producer a worker, acknowledged by all replicas."""

import asyncio
from collections.abc import Sequence

import msgspec
from aiokafka import AIOKafkaProducer

from schemas import records, topics

# Set explicitly: their meaning changed between versions of aiokafka.
_LINGER_MS = 20
_BATCH_BYTES = 256 * 1024
_REQUEST_BYTES = 4 * 1024 * 1024


class KafkaPublisher:
    """Publishes to topics of one partition each, in the order in which it is asked to."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            enable_idempotence=True,
            acks="all",
            linger_ms=_LINGER_MS,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
        )
        self._on_the_way: set[asyncio.Future[object]] = set()
        self._failure: BaseException | None = None

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def publish(self, topic: str, items: Sequence[tuple[bytes, msgspec.Struct]]) -> None:
        """Hand records over in batches.

        Raises:
            Exception: what failed to be written since the last call.
        """
        self._raise_failure()
        builder = self._producer.create_batch()
        for key, record in items:
            value = records.encode(record)
            if builder.append(key=key, value=value, timestamp=None) is None:
                await self._send(builder, topic)
                builder = self._producer.create_batch()
                if builder.append(key=key, value=value, timestamp=None) is None:
                    # larger than a whole batch (a dead letter may be): goes alone
                    self._track(await self._producer.send(topic, value, key, partition=0))
        if builder.record_count():
            await self._send(builder, topic)

    async def _send(self, builder: object, topic: str) -> None:
        builder.close()  # type: ignore[attr-defined]
        self._track(await self._producer.send_batch(builder, topic, partition=0))

    def _track(self, future: "asyncio.Future[object]") -> None:
        self._on_the_way.add(future)
        future.add_done_callback(self._arrived)

    def _arrived(self, future: "asyncio.Future[object]") -> None:
        self._on_the_way.discard(future)
        if not future.cancelled() and future.exception() is not None:
            self._failure = future.exception()

    async def flush(self) -> None:
        """Return when all that was handed over is durable.

        Raises:
            Exception: what could not be written.
        """
        if self._on_the_way:
            await asyncio.wait(set(self._on_the_way))
        self._raise_failure()

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure


assert all(topic.partitions in (1, None) for topic in topics.TOPICS)
