"""What does the detector of fake viewers hear of the minutes of a room? Stretches of them.

A stretch is one busy minute, or up to ten quiet ones: it is over once twenty visits have started
or ten longer ones ended in it, once it has ten minutes in which anything happened, or when the room
closes. So a room with few visits costs little. What it holds depends on closed panes alone.

State: the panes of the stretch that is not over. Cap: `minute_visits` for each of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from streams.core.pane import Pane, Stay

_VISITS = 20
_ENDED = 10
_MINUTES = 10


class Stretch(NamedTuple):
    """Some closed minutes of a room; its time is the end of the last one.

    Attributes:
        minutes: how many had a pane.
        online_before: visits open when it began.
        online: at its end.
        online_minutes: how many viewers were there for how long.
        visits: that started.
        bounces: visits that were over within seconds, by when they were.
        orders: paid.
        actions: comments, likes and clicks.
        closed: whether the room closed.
        stays: the longer visits that ended, in no order that counts.
        devices: of viewers whose visit started with one, by viewer.
    """

    minutes: int
    online_before: int
    online: int
    online_minutes: int
    visits: int
    bounces: int
    orders: int
    actions: int
    closed: bool
    stays: Sequence[Stay]
    devices: Mapping[str, str]


class Stretches:
    """The stretches of one room."""

    __slots__ = ("_ended", "_minutes", "_online", "_visits")

    def __init__(self) -> None:
        self._online = 0  # when the stretch began
        self._minutes: list[tuple[Pane, int]] = []  # with who was online at their end
        self._visits = self._ended = 0

    def take(self, pane: Pane, online: int) -> Stretch | None:
        """Take the next closed minute; the stretch that is over with it."""
        minutes = self._minutes
        minutes.append((pane, online))
        self._visits += pane.visits
        self._ended += len(pane.stays)
        if (
            self._visits < _VISITS
            and len(minutes) < _MINUTES
            and self._ended < _ENDED
            and not pane.closings
        ):
            return None
        stretch = self._whole()
        self._online = online
        self._minutes = []
        self._visits = self._ended = 0
        return stretch

    def _whole(self) -> Stretch:
        bounces = orders = actions = online_minutes = 0
        before = self._online
        stays: list[Stay] = []
        devices: dict[str, str] = {}
        for pane, online in self._minutes:
            bounces += pane.bounces
            orders += pane.orders
            actions += pane.comments + pane.likes + pane.clicks
            online_minutes += (before + online) // 2
            before = online
            stays += pane.stays
            devices.update(pane.devices)
        return Stretch(
            minutes=len(self._minutes),
            online_before=self._online,
            online=before,
            online_minutes=online_minutes,
            visits=self._visits,
            bounces=bounces,
            orders=orders,
            actions=actions,
            closed=self._minutes[-1][0].closings > 0,
            stays=stays,
            devices=devices,
        )

    def snapshot(self) -> list[Any]:
        return [self._online, [[pane.snapshot(), online] for pane, online in self._minutes]]

    def restore(self, state: list[Any]) -> None:
        self._online, minutes = state
        for saved, online in minutes:
            pane = Pane(0)
            pane.restore(saved)
            self._minutes.append((pane, online))
            self._visits += pane.visits
            self._ended += len(pane.stays)
