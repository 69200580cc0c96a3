"""To which partition does a record go?

Kafka's default partitioner: murmur2 over the key's bytes, sign bit cleared, modulo partitions.
"""

from typing import Final

from tests.oracle.contract import BROADCAST, classify, is_id, read_object

_SEED: Final = 0x9747B28C
_FACTOR: Final = 0x5BD1E995
_MASK: Final = 0xFFFFFFFF


def murmur2(data: bytes) -> int:
    """Return the 32-bit hash as an unsigned integer."""
    hashed = _SEED ^ len(data)
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little")
        word = word * _FACTOR & _MASK
        word ^= word >> 24
        word = word * _FACTOR & _MASK
        hashed = (hashed * _FACTOR & _MASK) ^ word
    if data[whole:]:
        hashed ^= int.from_bytes(data[whole:], "little")
        hashed = hashed * _FACTOR & _MASK
    hashed ^= hashed >> 13
    hashed = hashed * _FACTOR & _MASK
    return hashed ^ (hashed >> 15)


def partition_of(room_id: str, partitions: int) -> int:
    return (murmur2(room_id.encode("utf-8")) & 0x7FFFFFFF) % partitions


def route(record: bytes, partitions: int) -> int | None:
    """Return the record's partition; None for a valid tick or rule set, which goes to all."""
    event = classify(record)
    if isinstance(event, dict) and event["type"] in BROADCAST:
        return None
    value = read_object(record)
    room_id = value.get("room_id") if value is not None else None
    return partition_of(room_id, partitions) if is_id(room_id) else 0
