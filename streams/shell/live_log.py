"""How the worker itself writes to `live-events`: ticks for silent partitions, nothing else."""

from aiokafka import AIOKafkaProducer

from schemas.topics import LIVE_EVENTS


class LiveLog:
    """Appends single records to a partition of the log."""

    def __init__(self, bootstrap: str) -> None:
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap, enable_idempotence=True, acks="all", linger_ms=0
        )

    async def start(self) -> None:
        await self._producer.start()

    async def stop(self) -> None:
        await self._producer.stop()

    async def append(self, partition: int, value: bytes) -> None:
        """Append a record; returns when it is durable."""
        await self._producer.send_and_wait(LIVE_EVENTS, value, partition=partition)
