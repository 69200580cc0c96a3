"""How the worker itself writes to `live-events`: ticks for silent partitions, nothing else."""

from aiokafka import AIOKafkaProducer

from schemas.kafka_access import client_options
from schemas.topics import LIVE_EVENTS
from streams.shell.patience import REQUEST_TIMEOUT_MS, patiently


class LiveLog:
    """Appends single records to a partition of the log."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = AIOKafkaProducer(
            **client_options(bootstrap),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def append(self, partition: int, value: bytes) -> None:
        """Append a record; returns when it is durable.

        Raises:
            KafkaSilentError: it could not be written in time.
        """
        await patiently(
            lambda: self._producer.send_and_wait(LIVE_EVENTS, value, partition=partition),
            f"{LIVE_EVENTS}[{partition}] cannot be written",
        )
