"""What does a page ask for? A board, and perhaps a room and an alert; read from its address.

Whatever an address says is answered with something that can be shown: a word of no meaning is the
usual choice.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from streams.core.boards import GOODS_SCOPES, ROOM_SCOPES, WINDOWS

SCOPES: Final = (*ROOM_SCOPES, *GOODS_SCOPES)
LONGEST_ID: Final = 64


@dataclass(frozen=True, slots=True)
class Wish:
    """What one page shows.

    Attributes:
        currency: as boards show it, such as "CNY" or "all in CNY"; None for the busiest.
    """

    scope: str = "room"
    window: str = "total"
    currency: str | None = None
    room_id: str | None = None
    alert_id: str | None = None


def wish_of(query: Mapping[str, str]) -> Wish:
    """The wish that the query of an address means."""
    scope = query.get("scope", "")
    scope = scope if scope in SCOPES else "room"
    window = query.get("window", "")
    has_window = window in WINDOWS and scope in ROOM_SCOPES
    return Wish(
        scope=scope,
        window=window if has_window else "total",
        currency=_id(query.get("currency", "")),
        room_id=_id(query.get("room", "")),
        alert_id=_id(query.get("alert", "")),
    )


def _id(text: str) -> str | None:
    return text if 0 < len(text) <= LONGEST_ID else None
