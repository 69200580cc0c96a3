"""Where a record lies: the same as Kafka's own clients say."""

import pytest
from aiokafka.partitioner import DefaultPartitioner, murmur2
from hypothesis import example, given
from hypothesis import strategies as st

from schemas import partitioning
from schemas.codec import Tick, encode
from schemas.partitioning import partition_of, partition_of_room, route
from tests.unit.test_codec_parity import GOLDEN


@given(st.binary(max_size=80))
@example(b"")
@example(b"\xff\xff\xff\xff\xff")
def test_murmur2_is_the_clients(key: bytes) -> None:
    assert partitioning.murmur2(key) == murmur2(key) & 0xFFFFFFFF


@given(st.binary(max_size=80), st.integers(1, 64))
def test_partition_is_the_one_a_client_chooses(key: bytes, partitions: int) -> None:
    every = list(range(partitions))
    assert partition_of(key, partitions) == DefaultPartitioner()(key, every, every)


# As Kafka's Java client gives them (`UtilsTest.testMurmur2` of Apache Kafka), as signed integers.
@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_murmur2_of_the_java_client(key: bytes, expected: int) -> None:
    assert partitioning.murmur2(key) == expected & 0xFFFFFFFF


@given(st.text(min_size=1, max_size=64).filter(lambda text: text.isprintable()), st.integers(1, 9))
def test_room_lies_where_its_utf8_bytes_do(room_id: str, partitions: int) -> None:
    assert partition_of_room(room_id, partitions) == partition_of(room_id.encode(), partitions)


@pytest.mark.parametrize("kind", sorted(GOLDEN))
def test_valid_records_go_to_their_room_and_broadcasts_everywhere(kind: str) -> None:
    expected = None if kind in ("tick", "rules") else partition_of(b"r1", 4)
    assert route(GOLDEN[kind], 4) == expected


def test_refused_records_go_to_the_room_that_can_be_read_and_else_to_partition_0() -> None:
    assert partition_of(b"r7", 4) != 0
    assert route(b'{"type":"view","room_id":"r7"}', 4) == partition_of(b"r7", 4)
    assert route(b'{"type":"gift","room_id":"r7"}', 4) == partition_of(b"r7", 4)
    too_large = b'{"room_id":"r7","x":"' + b"x" * 70_000 + b'"}'
    assert route(too_large, 4) == partition_of(b"r7", 4)
    assert route(b'{"type":"view","room_id":7}', 4) == 0
    assert route(b'{"type":"view","room_id":"r7"', 4) == 0
    assert route(b"\xff", 4) == 0


def test_a_tick_that_is_refused_is_no_broadcast() -> None:
    assert route(b'{"type":"tick","event_id":"e","ts_ms":0}', 4) == 0
    assert route(encode(Tick(event_id="e", ts_ms=1_636_632_000_000)), 4) is None


@given(st.binary(max_size=200) | st.sampled_from(sorted(GOLDEN.values())), st.integers(1, 12))
def test_any_bytes_have_a_partition(value: bytes, partitions: int) -> None:
    found = route(value, partitions)
    assert found is None or 0 <= found < partitions
