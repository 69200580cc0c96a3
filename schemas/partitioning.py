"""In which partition a record lies: Kafka's own default partitioner, without Kafka.

The embedded run, the replay and the broker's own clients must agree, so this is the murmur2 of
Kafka's Java client (`org.apache.kafka.common.utils.Utils.murmur2`); a test holds it against
aiokafka's.
"""

from functools import lru_cache

from schemas import codec
from schemas.codec import Rules, Tick
from schemas.errors import InputError

_MASK = 0xFFFFFFFF
_MULTIPLIER = 0x5BD1E995
_SEED = 0x9747B28C


def murmur2(key: bytes) -> int:
    """The 32-bit hash that Kafka's Java client gives a key, as an unsigned integer."""
    length = len(key)
    value = (_SEED ^ length) & _MASK
    whole = length & ~3
    for at in range(0, whole, 4):
        part = int.from_bytes(key[at : at + 4], "little") * _MULTIPLIER & _MASK
        part = (part ^ (part >> 24)) * _MULTIPLIER & _MASK
        value = (value * _MULTIPLIER & _MASK) ^ part
    if length > whole:
        value = (value ^ int.from_bytes(key[whole:], "little")) * _MULTIPLIER & _MASK
    value = (value ^ (value >> 13)) * _MULTIPLIER & _MASK
    return value ^ (value >> 15)


def partition_of(key: bytes, partitions: int) -> int:
    """The partition, from 0, of a key among `partitions`."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


@lru_cache(maxsize=65_536)
def partition_of_room(room_id: str, partitions: int) -> int:
    """The partition of a room: its id in UTF-8 is the key."""
    return partition_of(room_id.encode(), partitions)


def route(value: bytes, partitions: int) -> int | None:
    """Where a raw record belongs; None for a valid tick or rules, which every partition gets.

    A record without a readable `room_id` goes to partition 0 (design, section 3).
    """
    try:
        event = codec.decode(value)
    except InputError:
        room_id = codec.readable_room_id(value)
        return 0 if room_id is None else partition_of_room(room_id, partitions)
    if isinstance(event, Rules | Tick):
        return None
    return partition_of_room(event.room_id, partitions)
