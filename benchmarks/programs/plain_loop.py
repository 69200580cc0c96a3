"""`aiokafka` as documented, msgspec, two dicts: no checkpoint, no dedup, no clock, no result kept.

Usage: plain_loop BOOTSTRAP. Measured from the second batch on, as the worker is.
"""

import asyncio
import json
import sys
import time

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas import codec
from schemas.codec import Order
from schemas.kafka_access import client_options
from schemas.topics import LIVE_EVENTS


async def main(bootstrap: str) -> None:
    """Read everything there is, and print what it cost."""
    consumer = AIOKafkaConsumer(
        LIVE_EVENTS,
        **client_options(bootstrap),
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    )
    await consumer.start()
    targets: list[TopicPartition] = sorted(consumer.assignment())
    left = sum((await consumer.end_offsets(targets)).values())
    decode = codec.decode
    events: dict[str, int] = {}
    gross_minor: dict[str, int] = {}
    counted = 0
    wall_seconds = cpu_seconds = 0.0
    while left:
        batches = await consumer.getmany(timeout_ms=1000)
        for records in batches.values():
            for record in records:
                event = decode(record.value)
                room_id = getattr(event, "room_id", "")
                events[room_id] = events.get(room_id, 0) + 1
                amount_minor = event.amount_minor if type(event) is Order else 0
                gross_minor[room_id] = gross_minor.get(room_id, 0) + amount_minor
        size = sum(map(len, batches.values()))
        left -= size
        if not wall_seconds:
            wall_seconds, cpu_seconds = time.perf_counter(), time.process_time()
        else:
            counted += size
    wall_seconds = time.perf_counter() - wall_seconds
    cpu_seconds = time.process_time() - cpu_seconds
    await consumer.stop()
    found = {"events": counted, "wall_seconds": wall_seconds, "cpu_seconds": cpu_seconds}
    print(json.dumps(found))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
