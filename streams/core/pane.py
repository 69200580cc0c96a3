"""What happened in one room in one minute of event time.

A pane takes events until the watermark has passed its end; then it is emitted once and gone. State:
the panes of minutes still open: the minute of the watermark and what the believed stamps reach
ahead of it, at most `MAX_JUMP_MS` of event time in normal traffic.

`online` is judged by event time, so that arrival order inside the lateness bound cannot change it:
visits that started before the minute's end, have not ended before it, and were not unseen for 90 s
at it. Panes carry the change; the sum over closed minutes is the figure.
"""

from operator import attrgetter
from typing import Any, Final, NamedTuple

from schemas.records import RoomMinute
from streams.core.snapshots import wide

MINUTE_MS = 60_000
_room_of = attrgetter("room_id")
_minute_of = attrgetter("minute_ms")
PANE_ACTIONS = frozenset({"comment", "like", "click"})  # what a line shows of what viewers do


class Stay(NamedTuple):
    """A visit of a minute or longer that has ended.

    Attributes:
        acted: whether the viewer did anything besides being there.
    """

    viewer_id: str
    start_ms: int
    stay_ms: int
    acted: bool


_COUNTS: Final = (
    "bounces",
    "clicks",
    "closings",
    "comments",
    "gross_minor",
    "lapsed",
    "likes",
    "minute_ms",
    "online_change",
    "orders",
    "refunded_minor",
    "visits",
)


class Pane:
    """What happened in one room-minute.

    Attributes:
        bounces: visits that were over within seconds, by when they were.
        closings: how often the room closed.
        lapsed: visits that ended unseen, and not by `leave`.
        stays: the longer visits that ended.
        devices: of viewers whose visit started with one, by viewer.
    """

    __slots__ = (*_COUNTS, "devices", "stays")

    def __init__(self, minute_ms: int) -> None:
        self.stays: list[Stay] = []
        self.devices: dict[str, str] = {}
        self.minute_ms = minute_ms
        self.bounces = 0
        self.closings = 0
        self.orders = 0
        self.gross_minor = 0
        self.refunded_minor = 0
        self.visits = 0
        self.comments = 0
        self.likes = 0
        self.clicks = 0
        self.online_change = 0
        self.lapsed = 0

    def count(self, action: str) -> None:
        """Count one of `PANE_ACTIONS`."""
        if action == "like":
            self.likes += 1
        elif action == "comment":
            self.comments += 1
        else:
            self.clicks += 1

    def has_a_line(self) -> bool:
        """Whether the minute had an order, refund, visit start, comment, like or click."""
        return bool(
            self.visits
            or self.orders
            or self.refunded_minor
            or self.comments
            or self.likes
            or self.clicks
        )

    def snapshot(self) -> list[Any]:
        counts = [wide(getattr(self, name)) for name in _COUNTS]
        return [counts, [list(stay) for stay in self.stays], self.devices]

    def restore(self, state: list[Any]) -> None:
        counts, stays, self.devices = state
        for name, value in zip(_COUNTS, counts, strict=True):
            setattr(self, name, int(value))
        self.stays = [Stay(*stay) for stay in stays]


class Panes:
    """The open minutes of one room.

    The room enters itself in `with_open_minutes`, shared by the rooms of a partition, when it opens
    one; whoever closes minutes takes it out.

    Attributes:
        online: visits open at the end of the last closed minute that changed it.
        open: whether any minute is open, that is, whether `close` has work to do.
    """

    __slots__ = (
        "_by_minute",
        "_latest",
        "_latest_end_ms",
        "_latest_ms",
        "_room_id",
        "_with_open_minutes",
        "online",
    )

    def __init__(self, room_id: str, with_open_minutes: dict[str, None]) -> None:
        self.online = 0
        self._room_id = room_id
        self._with_open_minutes = with_open_minutes
        self._by_minute: dict[int, Pane] = {}
        # the one used last, into which most events fall, and its minute
        self._latest = Pane(0)
        self._latest_ms = self._latest_end_ms = 0

    @property
    def open(self) -> bool:
        return bool(self._by_minute)

    def at(self, ts_ms: int) -> Pane:
        """The pane of the minute that contains a stamp."""
        if self._latest_ms <= ts_ms < self._latest_end_ms:
            return self._latest
        minute_ms = ts_ms - ts_ms % MINUTE_MS
        pane = self._by_minute.get(minute_ms)
        if pane is None:
            pane = self._by_minute[minute_ms] = Pane(minute_ms)
            self._with_open_minutes[self._room_id] = None
        self._latest = pane
        self._latest_ms = minute_ms
        self._latest_end_ms = minute_ms + MINUTE_MS
        return pane

    def close(self, before_ms: int) -> list[tuple[Pane, int]]:
        """Close the minutes that start before `before_ms`, oldest first: with who was online then.

        Also those without a line, for people may have left in them.
        """
        closed = []
        for minute_ms in sorted(self._by_minute):
            if minute_ms >= before_ms:
                break
            pane = self._by_minute.pop(minute_ms)
            self.online += pane.online_change
            closed.append((pane, self.online))
        if self._latest_ms < before_ms:
            self._latest_ms = self._latest_end_ms = 0  # no minute
        return closed

    def line(self, pane: Pane, online: int) -> RoomMinute:
        """The record of a closed minute."""
        return RoomMinute(
            room_id=self._room_id,
            minute_ms=pane.minute_ms,
            orders=pane.orders,
            gross_minor=pane.gross_minor,
            refunded_minor=pane.refunded_minor,
            visits=pane.visits,
            online=online,
            comments=pane.comments,
            likes=pane.likes,
            clicks=pane.clicks,
        )

    def snapshot(self) -> list[Any]:
        return [self.online, [pane.snapshot() for pane in self._by_minute.values()]]

    def restore(self, state: list[Any]) -> None:
        self.online, panes = state
        for saved in panes:
            pane = Pane(0)
            pane.restore(saved)
            self._by_minute[pane.minute_ms] = pane


def sort_minutes(lines: list[RoomMinute]) -> None:
    """Order closed minutes by minute and room."""
    # one after the other, for the sort is stable: a pair for each line takes up to twice as long
    lines.sort(key=_room_of)
    lines.sort(key=_minute_of)
