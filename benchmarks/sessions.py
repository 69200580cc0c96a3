"""Which records are measured: the generator's festival evening, even or with one giant room."""

from collections import Counter
from pathlib import Path

from producers.generator import generate
from producers.sessions import SessionWriter, read_records
from schemas import codec
from schemas.codec import Rules, Tick

SEED = 1
GIANT_ROOM = "giant-room"


def festival(path: Path, events: int) -> Path:
    """Write a festival session of about so many events."""
    with SessionWriter(path) as writer:
        writer.write_all(generate("festival", SEED, events=events))
    return path


def chunks(path: Path) -> list[list[bytes]]:
    """A whole session file in memory, in the chunks in which it is read."""
    return list(read_records(path))


def with_half_in_one_room(source: Path, path: Path) -> Path:
    """The same session, but rooms that have half of all events together are one room."""
    sizes: Counter[str] = Counter()
    for chunk in read_records(source):
        sizes.update(room_id for value in chunk if (room_id := _room_of(value)) is not None)
    swallowed = _about_half(sizes)
    with SessionWriter(path) as writer:
        for chunk in read_records(source):
            for value in chunk:
                room_id = _room_of(value)
                writer.write(value if room_id not in swallowed else _moved(value, room_id))
    return path


def _room_of(value: bytes) -> str | None:
    event = codec.decode(value)
    return None if isinstance(event, Tick | Rules) else event.room_id


def _moved(value: bytes, room_id: str | None) -> bytes:
    return value.replace(b'"room_id":"%b"' % (room_id or "").encode(), b'"room_id":"%b"' % _GIANT)


def _about_half(sizes: Counter[str]) -> frozenset[str]:
    """Rooms, the largest first, as long as they stay within half of all events."""
    left = sizes.total() // 2
    taken = []
    for room_id, size in sizes.most_common():
        if size <= left:
            left -= size
            taken.append(room_id)
    return frozenset(taken)


_GIANT = GIANT_ROOM.encode()
