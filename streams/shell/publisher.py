"""How records get to Kafka: one idempotent producer a worker, acknowledged by all replicas.

A broker that is away is waited for: what is on the way stays there, and who hands over more waits.
Without an acknowledgement for `GIVE_UP_SECONDS` all ends.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaTimeoutError

from schemas import records, topics
from schemas.kafka_access import client_options
from streams.shell.patience import GIVE_UP_SECONDS, REQUEST_TIMEOUT_MS, KafkaSilentError

# Set explicitly: their meaning changed between versions of aiokafka.
_LINGER_MS = 20
_BATCH_BYTES = 256 * 1024
_REQUEST_BYTES = topics.LARGEST_BOARD_BYTES


class KafkaPublisher:
    """Publishes to partitions of topics, to each in the order in which it is asked to."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = AIOKafkaProducer(
            **client_options(bootstrap),
            enable_idempotence=True,
            acks="all",
            linger_ms=_LINGER_MS,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        self._on_the_way: set[asyncio.Future[object]] = set()
        self._failure: BaseException | None = None
        self._heard_seconds = 0.0  # when something was acknowledged, or first on the way

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def publish(
        self,
        topic: str,
        items: Sequence[tuple[bytes, msgspec.Struct | None]],
        partition: int = 0,
    ) -> None:
        """Hand records over in batches; None is a tombstone.

        Raises:
            KafkaSilentError: nothing was acknowledged for too long.
            Exception: what failed to be written since the last call.
        """
        self._raise_failure()
        builder = self._producer.create_batch()
        for key, record in items:
            value = None if record is None else records.encode(record)
            if builder.append(key=key, value=value, timestamp=None) is None:
                await self._send(builder, topic, partition)
                builder = self._producer.create_batch()
                if builder.append(key=key, value=value, timestamp=None) is None:
                    # larger than a whole batch (a dead letter may be): goes alone
                    await self._send_alone(topic, partition, key, value)
        if builder.record_count():
            await self._send(builder, topic, partition)

    async def _send(self, builder: Any, topic: str, partition: int) -> None:  # noqa: ANN401 - has no types
        builder.close()
        send = partial(self._producer.send_batch, builder, topic, partition=partition)
        await self._hand_over(topic, send)

    async def _send_alone(
        self, topic: str, partition: int, key: bytes, value: bytes | None
    ) -> None:
        send = partial(self._producer.send, topic, value, key, partition=partition)
        await self._hand_over(topic, send)

    async def _hand_over(self, topic: str, send: Callable[[], Awaitable[Any]]) -> None:
        """Send when there is room: the producer holds one batch a topic besides the one sent."""
        while True:
            try:
                self._track(await send())
            except KafkaTimeoutError:
                self._raise_failure()
                self._raise_if_silent(topic)
            else:
                return

    def _track(self, future: "asyncio.Future[object]") -> None:
        if not self._on_the_way:
            self._heard_seconds = time.monotonic()
        self._on_the_way.add(future)
        future.add_done_callback(self._arrived)

    def _arrived(self, future: "asyncio.Future[object]") -> None:
        self._on_the_way.discard(future)
        self._heard_seconds = time.monotonic()
        if not future.cancelled() and future.exception() is not None:
            self._failure = future.exception()

    async def flush(self) -> None:
        """Return when all that was handed over by now is durable.

        Raises:
            KafkaSilentError: nothing was acknowledged for too long.
            Exception: what could not be written.
        """
        waited_for = set(self._on_the_way)
        while waited_for:
            _, waited_for = await asyncio.wait(waited_for, timeout=1.0)
            self._raise_failure()
            if waited_for:
                self._raise_if_silent("some topic")
        self._raise_failure()

    def _raise_if_silent(self, topic: str) -> None:
        if time.monotonic() - self._heard_seconds > GIVE_UP_SECONDS:
            raise KafkaSilentError(f"{topic} cannot be written")

    def _raise_failure(self) -> None:
        if self._failure is not None:
            raise self._failure
