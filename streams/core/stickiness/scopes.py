"""Of what are audience figures told? Of rooms, hosts, agencies, categories, modes, all together."""

from collections.abc import Iterator, Mapping
from typing import Final

from schemas.records import RoomSummary

# Section of a report -> the field of a room's summary that names the key; the platform has none.
SCOPES: Final[Mapping[str, str | None]] = {
    "platform": None,
    "hosts": "host_id",
    "mcns": "mcn_id",
    "categories": "category",
    "modes": "mode",
    "rooms": "room_id",
}
# The section, and the key in it; None for the platform.
Place = tuple[str, str | None]


def places_of(room: RoomSummary) -> Iterator[Place]:
    """Where a room counts: an unknown host or agency, of a room never opened, has no place."""
    for section, field in SCOPES.items():
        if field is None:
            yield section, None
            continue
        key = getattr(room, field)
        if key is not None:
            yield section, key
