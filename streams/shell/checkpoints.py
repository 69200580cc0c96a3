"""Where state survives a worker: snapshots of each partition, in chunks, in a compacted topic.

A snapshot's chunks are keyed by the offsets that it has folded its sources up to, an id of the save
and the chunk number, so that no save overwrites another's chunks: not even one that the same worker
began before a rebalance, when it comes to the same offsets again. Loading takes the complete
snapshot with the greatest offsets, never just the last one: a worker that lost the partition may
still write late, and one that was killed leaves a torn one. After a save, what lies before the
snapshot before it is deleted, so a load reads two snapshots, not a history.
"""

import contextlib
import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import zstandard
from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError

from schemas.kafka_access import client_options
from schemas.topics import CHECKPOINT_CHUNK_BYTES, CHECKPOINTS
from streams.shell.patience import REQUEST_TIMEOUT_MS, patiently
from streams.shell.reading import read_to_end

_ZSTD_LEVEL = 1  # state is mostly ids: higher levels cost time and gain little


class ForeignStateError(Exception):
    """A state that is not of this log: folding on would skip what it takes for known."""

    def __init__(self, topic: str, number: int, next_offset: int, end: int) -> None:
        super().__init__(
            f"the state of {topic}[{number}] has folded up to offset {next_offset}, but the log"
            f" ends at {end}: if {topic} was made anew, make the topics of checkpoints and of"
            " results anew, too"
        )


class ChunkKey(msgspec.Struct, array_like=True, frozen=True):
    """Which part of which snapshot a record is; `writer` names one save of one worker."""

    next_offsets: tuple[int, ...]
    writer: str
    chunk: int
    chunks: int


class KafkaCheckpoints:
    """Snapshots in a topic for them, each in the partition that it is a snapshot of."""

    def __init__(self, bootstrap: str, topic: str = CHECKPOINTS) -> None:
        self._bootstrap = bootstrap
        self._topic = topic
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
        what = f"{self._topic}[{partition}] cannot be read"
        return await patiently(
            lambda: newest_snapshot(self._bootstrap, partition, self._topic), what
        )

    async def save(self, partition: int, next_offsets: tuple[int, ...], state: bytes) -> None:
        """Write a snapshot; returns when all of it is durable.

        Raises:
            KafkaSilentError: it could not be written in time.
        """
        self._saves += 1
        first = None
        for key, part in _chunked(next_offsets, f"{self._writer}-{self._saves}", state):
            offset = await self._write(partition, msgspec.json.encode(key), part)
            first = offset if first is None else first
        before = self._started_at.get(partition)
        self._started_at[partition] = first or 0
        if before:
            # housekeeping: a failure leaves more to read at the next load, nothing else
            with contextlib.suppress(KafkaError):
                target = TopicPartition(self._topic, partition)
                await self._admin.delete_records({target: RecordsToDelete(before)})

    async def _write(self, partition: int, key: bytes, part: bytes) -> int:
        """Write a chunk, and return the offset where it stands."""

        async def send() -> int:
            sent = await self._producer.send_and_wait(self._topic, part, key, partition=partition)
            return int(sent.offset)

        return await patiently(send, f"{self._topic}[{partition}] cannot be written")


async def newest_snapshot(bootstrap: str, partition: int, topic: str = CHECKPOINTS) -> bytes | None:
    """The complete snapshot of a partition with the greatest offsets; None if there is none."""
    chunks: dict[tuple[tuple[int, ...], str], dict[int, bytes]] = {}
    complete: list[tuple[tuple[int, ...], str]] = []
    async for record in read_to_end(bootstrap, topic, partition):
        if record.key is None or record.value is None:
            continue
        key = msgspec.json.decode(record.key, type=ChunkKey)
        snapshot = (key.next_offsets, key.writer)
        parts = chunks.setdefault(snapshot, {})
        parts[key.chunk] = record.value
        if len(parts) == key.chunks:
            complete.append(snapshot)
    if not complete:
        return None
    parts = chunks[max(complete)]
    return b"".join(parts[number] for number in sorted(parts))


def pack(plain: list[Any]) -> bytes:
    """A state in plain values as the bytes of a snapshot: message pack in zstd."""
    return zstandard.ZstdCompressor(level=_ZSTD_LEVEL).compress(msgspec.msgpack.encode(plain))


def unpack(state: bytes) -> list[Any]:
    """The plain values that `pack` was given."""
    plain: list[Any] = msgspec.msgpack.decode(zstandard.decompress(state))
    return plain


def _chunked(
    next_offsets: tuple[int, ...], writer: str, state: bytes
) -> Iterator[tuple[ChunkKey, bytes]]:
    size = CHECKPOINT_CHUNK_BYTES
    parts = [state[at : at + size] for at in range(0, len(state), size)]
    for number, part in enumerate(parts):
        yield ChunkKey(next_offsets, writer, number, len(parts)), part
