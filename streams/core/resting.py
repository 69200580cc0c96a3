"""Which rooms need no longer hold what only a show needs?

A room in which nothing has happened for a day has forgotten its order ids and whoever left by
definition; it still holds them, since rooms look at the clock when something comes. Once an hour of
event time all rooms are looked through, and those that have been quiet for a day free that memory.
So a season of rooms costs what their figures cost. No result depends on it.

State: when to look next.
"""

from collections.abc import Iterable
from typing import Final

from schemas.clock import NOTHING_MS
from streams.core.room import Moment, Room

LOOK_MS: Final = 3_600_000
QUIET_MS: Final = 24 * 3_600_000


class Resting:
    """The turn of one partition's rooms.

    Attributes:
        next_ms: the watermark at which they are looked through next.
    """

    __slots__ = ("next_ms",)

    def __init__(self) -> None:
        self.next_ms = NOTHING_MS

    def look(self, rooms: Iterable[Room], moment: Moment) -> None:
        """Let rooms rest, once each time they have gone quiet; asked when minutes have closed."""
        watermark_ms = moment.watermark_ms
        if watermark_ms < self.next_ms:
            return
        self.next_ms = watermark_ms + LOOK_MS
        for room in rooms:
            last_ms = room.last_ms
            if last_ms + QUIET_MS <= watermark_ms and last_ms != room.rested_ms:
                room.rest(moment)
