"""What is known of a run by whoever looks at it: the newest of all that workers published or left.

One for the console, the terminal view and the boards in a terminal. Takes records of the topics in
any order and as often as they come; decides nothing about how it is shown. State and bounds:
boards, progress, figures and after-sales of rooms, one each of the keys of their topics;
`MOST_MINUTES` room-minutes, the oldest go first; `MOST_MARKS` marks of a room and `MOST_ALERTS`
alerts, those that are longest unchanged go first.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import msgspec

from roompulse.standing import Standing, standing_of
from schemas import topics
from schemas.details import AfterSalesFigures, decode_detail
from schemas.records import (
    Alert,
    AnyBoard,
    ProductMark,
    Progress,
    RoomFigures,
    RoomMinute,
    RoomSummary,
    Verdict,
    decode_alert,
    decode_board,
)
from streams.core.after_sales_report import Row, after_sales_report
from streams.core.boards import board_place
from streams.core.integrity.alert_book import SEVERITIES

MOST_MINUTES = 200_000  # 300 bytes each; ten hours of 300 rooms
MOST_MARKS = 500
MOST_ALERTS = 5_000
MOST_VERSIONS = 50  # of one alert, in its history
RESOLVED: Final = "resolved"
_GRAVITY: Final = {severity: at for at, severity in enumerate(SEVERITIES)}

_Load = tuple[str | None, str]  # whose goods, and who answers

_progress = msgspec.json.Decoder(Progress)
_figures = msgspec.json.Decoder(RoomFigures)
_minute = msgspec.json.Decoder(RoomMinute)
_mark = msgspec.json.Decoder(ProductMark)


class Minutes:
    """The newest closed minutes of all rooms, at most `most` of them."""

    def __init__(self, most: int = MOST_MINUTES) -> None:
        self._most = most
        self._count = 0
        self._by_minute: dict[int, dict[str, RoomMinute]] = {}

    def apply(self, line: RoomMinute) -> None:
        """Take a closed minute; a repeat replaces itself."""
        rooms = self._by_minute.setdefault(line.minute_ms, {})
        self._count += line.room_id not in rooms
        rooms[line.room_id] = line
        while self._count > self._most and len(self._by_minute) > 1:
            self._count -= len(self._by_minute.pop(min(self._by_minute)))

    def __len__(self) -> int:
        return self._count

    def of_room(self, room_id: str) -> list[RoomMinute]:
        """The minutes of a room in order of time."""
        return [rooms[room_id] for _, rooms in sorted(self._by_minute.items()) if room_id in rooms]

    def gross_of(self, room_ids: Iterable[str], points: Sequence[Iterable[int]]) -> list[int]:
        """What some rooms sold together in the minutes of each point."""
        wanted = list(room_ids)
        nobody: dict[str, RoomMinute] = {}
        sold = []
        for minutes in points:
            lines = (self._by_minute.get(minute_ms, nobody) for minute_ms in minutes)
            sold.append(
                sum(line[one].gross_minor for line in lines for one in wanted if one in line)
            )
        return sold

    @property
    def newest_ms(self) -> int | None:
        """The newest minute that is closed in any room."""
        return max(self._by_minute, default=None)

    @property
    def oldest_ms(self) -> int | None:
        """The oldest minute that is still known."""
        return min(self._by_minute, default=None)


@dataclass(slots=True)
class KnownAlert:
    """An alert as it was told last, how it came to that, and what a person said last.

    Attributes:
        history: the versions that were told, without their evidence, oldest first.
    """

    alert: Alert
    history: list[Alert] = field(default_factory=list)
    verdict: Verdict | None = None


class Alerts:
    """The newest version of each alert with its evidence, at most `most` of them."""

    def __init__(self, most: int = MOST_ALERTS) -> None:
        self._most = most
        self._known: dict[str, KnownAlert] = {}

    def apply(self, told: Alert | Verdict) -> None:
        """Take the next record of the topic."""
        if isinstance(told, Verdict):
            if known := self._known.get(told.alert_id):
                known.verdict = told
            return
        known = self._known.setdefault(told.alert_id, KnownAlert(told))
        if known.history and known.history[-1].version >= told.version:
            return
        known.alert = told
        known.history.append(msgspec.structs.replace(told, evidence=[]))
        del known.history[:-MOST_VERSIONS]
        if len(self._known) > self._most:
            oldest = min(self._known.values(), key=lambda one: _unchanged_since(one.alert))
            del self._known[oldest.alert.alert_id]

    def get(self, alert_id: str) -> KnownAlert | None:
        """An alert by its id."""
        return self._known.get(alert_id)

    def all(self) -> list[KnownAlert]:
        """Every alert, in the order in which they were first told."""
        return list(self._known.values())

    def by_urgency(self) -> list[KnownAlert]:
        """Every alert, in the order in which a person should look at them.

        What fires comes before what has ended, what nobody has judged before what somebody has, the
        graver before the lesser, the newer before the older.
        """
        return sorted(self._known.values(), key=_urgency)


@dataclass(slots=True)
class Known:
    """All that can be shown.

    Attributes:
        is_live: whether a Kafka is followed; otherwise it is a run of the past.
        version: grows whenever something came.
        lag: records of `live-events` that are not folded yet; None where that is not known.
        run: the standing of a run of the past; None while a Kafka is followed.
        reports: after-sales and retention of the rooms of a past run, by section and room.
    """

    is_live: bool = True
    version: int = 0
    lag: int | None = None
    run: Standing | None = None
    boards: dict[bytes, AnyBoard] = field(default_factory=dict)
    progress: dict[int, Progress] = field(default_factory=dict)
    rooms: dict[str, RoomFigures] = field(default_factory=dict)
    details: dict[str, dict[_Load, AfterSalesFigures]] = field(default_factory=dict)
    minutes: Minutes = field(default_factory=Minutes)
    marks: dict[str, deque[ProductMark]] = field(default_factory=dict)
    alerts: Alerts = field(default_factory=Alerts)
    reports: dict[str, dict[str, list[dict[str, Any]]]] = field(default_factory=dict)

    def standing(self) -> Standing:
        """The boards as they were published last, and how far the fold is."""
        if self.run is not None:
            return self.run
        boards = sorted(self.boards.values(), key=board_place)
        return standing_of(boards, [self.progress[one] for one in sorted(self.progress)], self.lag)

    def summary(self, room_id: str) -> RoomSummary | None:
        """The figures of a room."""
        figures = self.rooms.get(room_id)
        return figures.summary if figures is not None else None

    def name_of(self, room_id: str) -> str:
        """Who sells in a room, as far as it is known; else the room itself."""
        summary = self.summary(room_id)
        return (summary.host_name if summary is not None else None) or room_id

    def after_sales(self, room_id: str) -> list[Row]:
        """Who answers for what came back in a room: a row for all, and one for each party."""
        if self.run is not None:
            return list(self.reports.get("after_sales", {}).get(room_id, []))
        figures = self.rooms.get(room_id)
        if figures is None:
            return []
        details = self.details.get(room_id, {}).values()
        return after_sales_report(details, {room_id: figures}, [])["rooms"]

    def apply_mark(self, mark: ProductMark) -> None:
        """Take a mark of a product; a repeat counts once."""
        marks = self.marks.setdefault(mark.room_id, deque(maxlen=MOST_MARKS))
        if mark not in marks:
            marks.append(mark)

    def apply_room(self, figures: RoomFigures) -> None:
        """Take the figures of a room, unless newer ones are known."""
        before = self.rooms.get(figures.summary.room_id)
        if before is None or before.version <= figures.version:
            self.rooms[figures.summary.room_id] = figures


def _apply_board(known: Known, key: bytes, value: bytes | None) -> None:
    if value is None:  # nobody is on it any more
        known.boards.pop(key, None)
    else:
        known.boards[key] = decode_board(key, value)


def _apply_progress(known: Known, progress: Progress) -> None:
    before = known.progress.get(progress.version.partition)
    if before is None or before.version <= progress.version:
        known.progress[progress.version.partition] = progress


def _apply_detail(known: Known, value: bytes) -> None:
    detail = decode_detail(value)
    if not isinstance(detail, AfterSalesFigures):
        return  # what each minute sold is told by the minutes
    loads = known.details.setdefault(detail.room_id, {})
    before = loads.get((detail.merchant_id, detail.party))
    if before is None or before.version <= detail.version:
        loads[detail.merchant_id, detail.party] = detail


_READERS: Mapping[str, Callable[[Known, bytes, bytes], None]] = {
    topics.PARTITION_PROGRESS: lambda known, _, value: _apply_progress(
        known, _progress.decode(value)
    ),
    topics.ROOM_SUMMARIES: lambda known, _, value: known.apply_room(_figures.decode(value)),
    topics.ROOM_DETAILS: lambda known, _, value: _apply_detail(known, value),
    topics.ROOM_MINUTES: lambda known, _, value: known.minutes.apply(_minute.decode(value)),
    topics.PRODUCT_MARKS: lambda known, _, value: known.apply_mark(_mark.decode(value)),
    topics.ALERTS: lambda known, key, value: known.alerts.apply(decode_alert(key, value)),
}
# Alerts first and boards last: a page that is read up to its boards has what they rest on.
SOURCES = (*_READERS, topics.BOARDS)


def apply_record(known: Known, topic: str, key: bytes, value: bytes | None) -> None:
    """Take a record of one of `SOURCES`."""
    if topic == topics.BOARDS:
        _apply_board(known, key, value)
    elif value is not None:
        _READERS[topic](known, key, value)


def _urgency(one: KnownAlert) -> tuple[bool, bool, int, int, str]:
    alert = one.alert
    return (
        alert.status == RESOLVED,
        one.verdict is not None,
        _GRAVITY.get(alert.severity, len(_GRAVITY)),
        -alert.updated_ms,
        alert.alert_id,
    )


def _unchanged_since(alert: Alert) -> tuple[int, str]:
    return alert.updated_ms, alert.alert_id
