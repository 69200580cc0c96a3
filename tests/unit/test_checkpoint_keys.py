"""How snapshots of one topic are told apart: no save ever overwrites a chunk of another."""

# ruff: noqa: ANN401 - JSON values and facts of events have no common type

from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from streams.shell import checkpoints
from streams.shell.checkpoints import ChunkKey, KafkaCheckpoints


class Producer:
    """Keeps what it is given, as a topic does."""

    def __init__(self, **_: Any) -> None:
        self.sent: list[tuple[bytes, bytes]] = []

    async def send_and_wait(
        self, _topic: str, value: bytes, key: bytes, *, partition: int
    ) -> SimpleNamespace:
        assert partition == 3
        self.sent.append((key, value))
        return SimpleNamespace(offset=len(self.sent) - 1)


class Admin:
    """Keeps up to where it was asked to delete."""

    def __init__(self, **_: Any) -> None:
        self.deleted: list[int] = []

    async def delete_records(self, wanted: dict[Any, Any]) -> None:
        self.deleted += [each.before_offset for each in wanted.values()]


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> KafkaCheckpoints:
    monkeypatch.setattr(checkpoints, "AIOKafkaProducer", Producer)
    monkeypatch.setattr(checkpoints, "AIOKafkaAdminClient", Admin)
    monkeypatch.setattr(checkpoints, "CHECKPOINT_CHUNK_BYTES", 4)
    return KafkaCheckpoints("nowhere:1")


async def test_a_snapshot_is_cut_into_numbered_chunks(store: KafkaCheckpoints) -> None:
    await store.save(3, (70, 4), b"abcdefghij")
    sent: list[tuple[bytes, bytes]] = store._producer.sent
    keys = [msgspec.json.decode(key, type=ChunkKey) for key, _ in sent]
    assert [value for _, value in sent] == [b"abcd", b"efgh", b"ij"]
    assert [(key.next_offsets, key.chunk, key.chunks) for key in keys] == [
        ((70, 4), 0, 3),
        ((70, 4), 1, 3),
        ((70, 4), 2, 3),
    ]


async def test_two_saves_at_one_offset_do_not_mix(store: KafkaCheckpoints) -> None:
    """A worker may come to an offset again after a rebalance, while its first save still runs."""
    await store.save(3, (70, 4), b"abcdefgh")
    await store.save(3, (70, 4), b"ABCDEFGHIJ")
    keys = [key for key, _ in store._producer.sent]
    assert len(set(keys)) == len(keys) == 5


async def test_what_lies_before_the_snapshot_before_is_deleted(store: KafkaCheckpoints) -> None:
    for offset in (10, 20, 30):
        await store.save(3, (offset,), b"abcdefgh")
    deleted: list[int] = store._admin.deleted
    assert deleted == [2]  # the first began at 0, where nothing lies before it
