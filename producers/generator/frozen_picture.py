"""An overlay: the picture of a show freezes, most people leave, and few stay of those who come.

`T-A`: of those who are there a share leaves within about a minute, and of those who would come as
many stay away for twenty minutes. Nothing else changes; the source tells of all that happens.
"""

from random import Random

from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.sales import Sale
from producers.generator.script import span
from producers.generator.traffic import Room
from producers.generator.truth import Incident

FROZEN_MINUTES = 20
LOST_SHARE = 0.7
_MOST_LOST = 0.95


class FrozenPicture:
    """`T-A` in one room."""

    def __init__(self, random: Random, plan: RoomPlan, from_ms: int, intensity: float) -> None:
        self._random = random
        self._from_ms = from_ms - from_ms % MINUTE_MS
        self._to_ms = self._from_ms + FROZEN_MINUTES * MINUTE_MS
        self._share = min(_MOST_LOST, LOST_SHARE * intensity)
        more = {"adversary": "T-A", "intensity": intensity, "lost_share": self._share}
        self.incident = Incident("traffic_drop", plan.room_id, more=more)

    def minute(self, room: Room, minute_ms: int) -> None:
        """Send people away, and let them come again."""
        if minute_ms == self._from_ms:
            room.truth.note(self.incident)
            span(self.incident, self._from_ms, self._to_ms)
            room.lose(self._share, minute_ms, self._random)
            room.arrivals_share = 1 - self._share
        elif minute_ms == self._to_ms:
            room.arrivals_share = 1.0

    def sold(self, room: Room, sale: Sale) -> bool:  # noqa: ARG002 - an overlay is asked so
        """What is still sold is sold as ever."""
        return False
