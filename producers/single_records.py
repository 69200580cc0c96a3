"""One record, to one partition or to every partition, as `rules` and `tick` are written."""

from producers.kafka import BatchSender, connected_producer, partition_count
from schemas.topics import LIVE_EVENTS


async def broadcast(bootstrap: str, value: bytes, topic: str = LIVE_EVENTS) -> int:
    """Write one record to every partition; returns how many there are, all acknowledged.

    Raises:
        BrokerError: no Kafka, no such topic, or Kafka refuses or stops answering.
    """
    return await _send(bootstrap, topic, None, value, None)


async def send(bootstrap: str, topic: str, key: bytes, value: bytes) -> None:
    """Write one record to the first partition of a topic; returns when it is acknowledged.

    Raises:
        BrokerError: no Kafka, no such topic, or Kafka refuses or stops answering.
    """
    await _send(bootstrap, topic, key, value, 0)


async def _send(
    bootstrap: str, topic: str, key: bytes | None, value: bytes, partition: int | None
) -> int:
    async with connected_producer(bootstrap) as producer:
        partitions = await partition_count(producer, topic, bootstrap)
        sender = BatchSender(producer, topic, partitions)
        targets = range(partitions) if partition is None else (partition,)
        for target in targets:
            added = sender.try_add(target, key, value)
            assert added  # an empty batch takes a record of any size
        await sender.flush()
    return len(targets)
