"""Where state survives a worker: snapshots of each partition, in chunks, in a compacted topic.

A snapshot's chunks are keyed by its offset, an id of the save and the chunk number, so that no save
overwrites another's chunks: not even one that the same worker began before a rebalance, when it
comes to the same offset again. Loading takes the complete snapshot with the greatest offset, never
just the last one: a worker that lost the partition may still write late, and one that was killed
leaves a torn one. After a save, what lies before the snapshot before it is deleted, so a load reads
two snapshots, not a history.
"""

import contextlib
import uuid
from collections.abc import Iterator

import msgspec
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from schemas.kafka_access import client_options
from schemas.topics import CHECKPOINT_CHUNK_BYTES, CHECKPOINTS
from streams.shell.patience import REQUEST_TIMEOUT_MS, patiently
from streams.shell.reading import read_to_end


class ChunkKey(msgspec.Struct, array_like=True, frozen=True):
    """Which part of which snapshot a record is; `writer` names one save of one worker."""

    next_offset: int
    writer: str
    chunk: int
    chunks: int


class KafkaCheckpoints:
    """Snapshots in the topic `checkpoints`, each in the partition that it is a snapshot of."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._writer = uuid.uuid4().hex[:12]
        self._saves = 0
        self._started_at: dict[int, int] = {}  # partition -> where our last snapshot starts
        self._producer = AIOKafkaProducer(
            **client_options(bootstrap),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_request_size=2 * CHECKPOINT_CHUNK_BYTES,
            request_timeout_ms=REQUEST_TIMEOUT_MS,
        )
        self._admin = AIOKafkaAdminClient(
            **client_options(bootstrap), request_timeout_ms=REQUEST_TIMEOUT_MS
        )

    async def start(self) -> None:
        await self._producer.start()
        await self._admin.start()

    async def stop(self) -> None:
        await self._producer.stop()
        await self._admin.close()

    async def load(self, partition: int) -> bytes | None:
        """The complete snapshot with the greatest offset.

        Raises:
            KafkaSilentError: it could not be read in time.
        """
        what = f"checkpoints[{partition}] cannot be read"
        return await patiently(lambda: newest_snapshot(self._bootstrap, partition), what)

    async def save(self, partition: int, next_offset: int, state: bytes) -> None:
        """Write a snapshot; returns when all of it is durable.

        Raises:
            KafkaSilentError: it could not be written in time.
        """
        self._saves += 1
        first = None
        for key, part in _chunked(next_offset, f"{self._writer}-{self._saves}", state):
            offset = await self._write(partition, msgspec.json.encode(key), part)
            first = offset if first is None else first
        before = self._started_at.get(partition)
        self._started_at[partition] = first or 0
        if before:
            # housekeeping: a failure leaves more to read at the next load, nothing else
            with contextlib.suppress(KafkaError):
                target = TopicPartition(CHECKPOINTS, partition)
                await self._admin.delete_records({target: RecordsToDelete(before)})

    async def _write(self, partition: int, key: bytes, part: bytes) -> int:
        """Write a chunk, and return the offset where it stands."""

        async def send() -> int:
            sent = await self._producer.send_and_wait(CHECKPOINTS, part, key, partition=partition)
            return int(sent.offset)

        return await patiently(send, f"checkpoints[{partition}] cannot be written")


async def newest_snapshot(bootstrap: str, partition: int) -> bytes | None:
    """The complete snapshot of a partition with the greatest offset; None if there is none."""
    chunks: dict[tuple[int, str], dict[int, bytes]] = {}
    complete: list[tuple[int, str]] = []
    async for record in read_to_end(bootstrap, CHECKPOINTS, partition):
        if record.key is None or record.value is None:
            continue
        key = msgspec.json.decode(record.key, type=ChunkKey)
        snapshot = (key.next_offset, key.writer)
        parts = chunks.setdefault(snapshot, {})
        parts[key.chunk] = record.value
        if len(parts) == key.chunks:
            complete.append(snapshot)
    if not complete:
        return None
    parts = chunks[max(complete)]
    return b"".join(parts[number] for number in sorted(parts))


def _chunked(next_offset: int, writer: str, state: bytes) -> Iterator[tuple[ChunkKey, bytes]]:
    size = CHECKPOINT_CHUNK_BYTES
    parts = [state[at : at + size] for at in range(0, len(state), size)]
    for number, part in enumerate(parts):
        yield ChunkKey(next_offset, writer, number, len(parts)), part
