"""How a whole topic is read from its start, without a consumer group."""

from collections.abc import AsyncIterator
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.kafka_access import client_options
from streams.shell.patience import REQUEST_TIMEOUT_MS

_FETCH_WAIT_MS = 100


class Record(Protocol):
    """What is read of a record."""

    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None


def from_start(bootstrap: str, request_timeout_ms: int = REQUEST_TIMEOUT_MS) -> AIOKafkaConsumer:
    """A consumer without a group; partitions are assigned and sought by `seek_to_start`."""
    return AIOKafkaConsumer(
        **client_options(bootstrap),
        group_id=None,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        fetch_max_wait_ms=_FETCH_WAIT_MS,
        request_timeout_ms=request_timeout_ms,
        max_partition_fetch_bytes=4 * 1024 * 1024,
    )


async def seek_to_start(consumer: AIOKafkaConsumer, targets: list[TopicPartition]) -> None:
    """Assign partitions and read them from their beginning.

    `seek_to_beginning` right after `assign` races with the default reset and can land at the end.
    """
    consumer.assign(targets)
    for target, offset in (await consumer.beginning_offsets(targets)).items():
        consumer.seek(target, offset)


async def read_to_end(bootstrap: str, topic: str, partition: int) -> AsyncIterator[Record]:
    """Every record of a partition from its start to its end as of now."""
    consumer = from_start(bootstrap)
    try:
        await consumer.start()
        target = TopicPartition(topic, partition)
        await seek_to_start(consumer, [target])
        end = (await consumer.end_offsets([target]))[target]
        while await consumer.position(target) < end:
            batches = await consumer.getmany(target, timeout_ms=_FETCH_WAIT_MS * 2)
            for record in batches.get(target, ()):
                if record.offset < end:
                    yield record
    finally:
        await consumer.stop()
