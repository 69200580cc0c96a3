"""What is known of a run while somebody looks at it: boards, alerts, rooms and their last minutes.

Takes records in any order and as often as they come. Bounds: `MOST_ALERTS` alerts, the longest
unchanged go first; `MINUTES_OF_A_ROOM` minutes of each room, the oldest go first; rooms as many as
the topic has.
"""

from collections.abc import Iterable

from roompulse.standing import Standing
from schemas.records import Alert, Counts, RoomFigures, RoomMinute, RoomSummary, Verdict
from streams.core.integrity.alert_book import SEVERITIES

MOST_ALERTS = 10_000
MINUTES_OF_A_ROOM = 240
RESOLVED = "resolved"
NOTHING_YET = Standing(boards=(), counts=Counts(), watermark_ms=None)


class Known:
    """The newest of everything that is shown.

    Attributes:
        standing: boards and counts.
        verdicts: what people said last, by alert.
        rooms: the newest summary of each room.
    """

    def __init__(self, standing: Standing = NOTHING_YET) -> None:
        self.standing = standing
        self.verdicts: dict[str, Verdict] = {}
        self.rooms: dict[str, RoomSummary] = {}
        self._alerts: dict[str, Alert] = {}
        self._figures: dict[str, RoomFigures] = {}
        self._minutes: dict[str, dict[int, RoomMinute]] = {}

    def take_alert(self, told: Alert | Verdict) -> None:
        """Take a version of an alert, unless a newer one is known, or what somebody said of one."""
        if isinstance(told, Verdict):
            self.verdicts[told.alert_id] = told
            return
        known = self._alerts.get(told.alert_id)
        if known is not None and known.version >= told.version:
            return
        self._alerts.pop(told.alert_id, None)
        self._alerts[told.alert_id] = told
        if len(self._alerts) > MOST_ALERTS:
            oldest = next(iter(self._alerts))
            del self._alerts[oldest]
            self.verdicts.pop(oldest, None)

    def take_room(self, figures: RoomFigures) -> None:
        """Take the figures of a room, unless newer ones are known."""
        room_id = figures.summary.room_id
        known = self._figures.get(room_id)
        if known is None or known.version <= figures.version:
            self._figures[room_id] = figures
            self.rooms[room_id] = figures.summary

    def take_minute(self, line: RoomMinute) -> None:
        """Take a closed minute."""
        minutes = self._minutes.setdefault(line.room_id, {})
        minutes[line.minute_ms] = line
        if len(minutes) > MINUTES_OF_A_ROOM:
            del minutes[min(minutes)]

    @property
    def alerts(self) -> list[Alert]:
        """The newest version of each alert, the most urgent first."""
        return by_urgency(self._alerts.values())

    def alert(self, alert_id: str) -> Alert | None:
        """The newest version of an alert."""
        return self._alerts.get(alert_id)

    def minutes_of(self, room_id: str) -> list[RoomMinute]:
        """The last minutes of a room in which something happened, in order."""
        minutes = self._minutes.get(room_id, {})
        return [minutes[at] for at in sorted(minutes)]

    def name_of(self, room_id: str) -> str:
        """Who sells in a room, as far as it is known; else the room itself."""
        summary = self.rooms.get(room_id)
        return (summary.host_name if summary is not None else None) or room_id


def by_urgency(alerts: Iterable[Alert]) -> list[Alert]:
    """What still stands first; of that the gravest, then the newest."""
    return sorted(
        alerts,
        key=lambda alert: (
            alert.status == RESOLVED,
            SEVERITIES.index(alert.severity),
            -alert.started_ms,
            alert.alert_id,
        ),
    )
