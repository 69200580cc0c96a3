"""A record for everyone: `rules` and `tick` are written to every partition of a topic."""

from producers.kafka import BatchSender, connected_producer, partition_count
from schemas.topics import LIVE_EVENTS


async def broadcast(bootstrap: str, value: bytes, topic: str = LIVE_EVENTS) -> int:
    """Write one record to every partition; returns how many there are, all acknowledged.

    Raises:
        BrokerError: no Kafka, no such topic, or Kafka refuses or stops answering.
    """
    async with connected_producer(bootstrap) as producer:
        partitions = await partition_count(producer, topic, bootstrap)
        sender = BatchSender(producer, topic, partitions)
        for partition in range(partitions):
            added = sender.try_add(partition, None, value)
            assert added  # an empty batch takes a record of any size
        await sender.flush()
    return partitions
