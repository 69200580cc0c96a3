"""What do the minutes of one room say of its audience? The evidence of bought viewers, by sign.

State: the cells, what is normal in the room, the longer visits of the hour, the devices of the last
ten minutes. Cap: `minute_visits` for each stretch.
"""

import math
from collections import deque
from collections.abc import Mapping
from typing import Any

from schemas.detector_rules import FakeViewersRules
from streams.core.integrity.audience_norms import AudienceNorms, OwnNorm
from streams.core.integrity.crowd_cells import CrowdCells
from streams.core.integrity.stay_shapes import HOUR_MS, Stays
from streams.core.integrity.stretch import Stretch

MINUTE_MS = 60_000
# What one minute weighs at most: one strange minute is no crowd.
_GREATEST_STEP = 2.5
_DEVICE_MINUTES = 10
_LEAST_WITH_DEVICE = 30
_VIEWERS_THAT_COUNT = 40
_MANY = 10
_NOBODY = [0, 0, 0]
_TIMES = 4.0  # the usual arrivals: what a crowd that comes together is held against
_ODD = 5.0  # stays so odd teach nothing
_ARRIVAL_MINUTES = 30  # over which the usual arrivals are learned


class AudienceWatch:
    """The audience of one room.

    Attributes:
        cells: the evidence.
        visits, bounces, orders: since the leading evidence began to rise.
    """

    __slots__ = (
        "_actions",
        "_arrivals",
        "_bounces",
        "_carried",
        "_devices",
        "_devices_ms",
        "_hour_ms",
        "_last_ms",
        "_leaving",
        "_left",
        "_norms",
        "_sharing",
        "_stays",
        "bounces",
        "cells",
        "orders",
        "visits",
    )

    def __init__(self, norms: AudienceNorms) -> None:
        self._norms = norms
        self.cells = CrowdCells()
        self._bounces = OwnNorm(norms.bounces)
        self._actions = OwnNorm(norms.actions)
        self._leaving = OwnNorm(norms.leaving)
        self._sharing = OwnNorm(norms.sharing)
        self._arrivals = 1.0  # of visits that last, in a minute
        self._carried = 0  # bounces whose visits started in earlier minutes
        self._left = _NOBODY  # many left in the last stretch: of how many, until when
        self._last_ms = 0
        self._hour_ms = 0
        self._stays = Stays()
        self._devices: deque[tuple[int, Mapping[str, str]]] = deque()
        self._devices_ms = 0  # when they are counted next
        self.visits = self.bounces = self.orders = 0

    def take(
        self,
        stretch: Stretch,
        end_ms: int,
        room_id: str,
        opened_ms: int | None,
        rules: FakeViewersRules,
        *,
        is_calm: bool,
        told_ms: int,
    ) -> None:
        """Take a stretch of closed minutes.

        Args:
            stretch: what happened.
            end_ms: its end.
            room_id: the room.
            opened_ms: when the show began, if that is known.
            rules: those in force.
            is_calm: whether the room raises no suspicion, and so teaches what is normal.
            told_ms: the last moment at which an incident was open.
        """
        if self._last_ms:
            self.cells.fade(end_ms - self._last_ms, rules.decay_minutes * MINUTE_MS)
        self._last_ms = end_ms
        bounced = min(stretch.visits, stretch.bounces + self._carried)
        self._carried += stretch.bounces - bounced
        self._weigh_bounces(stretch, bounced, end_ms, rules, is_told=told_ms == end_ms)
        self._weigh_silence(stretch, end_ms, rules)
        self._weigh_arrivals(stretch, stretch.visits - bounced, end_ms, is_calm=is_calm)
        self._weigh_leaving(stretch, end_ms, rules)
        self._weigh_devices(stretch, end_ms, rules)
        self._teach(stretch, bounced, end_ms, room_id, rules, is_calm=is_calm)
        hour = self._over_hour(stretch, end_ms, opened_ms)
        if hour is not None:
            # what was told already starts no second incident
            is_news = told_ms == end_ms or told_ms <= end_ms - HOUR_MS
            self._judge_stays(hour, end_ms, room_id, rules, is_calm=is_calm, is_news=is_news)

    def _weigh_bounces(
        self, stretch: Stretch, bounced: int, end_ms: int, rules: FakeViewersRules, *, is_told: bool
    ) -> None:
        """The share of visits that are over at once, against what is normal."""
        low, high = self._bounces.low, self._bounces.high
        visits = stretch.visits
        if low is None or high is None or not (visits or stretch.orders):
            return
        if not self.cells.leading and not is_told:
            self.visits = self.bounces = self.orders = 0
        self.visits += visits
        self.bounces += bounced
        self.orders += stretch.orders
        real = 1 - rules.attack_share
        effective = _effective(visits / stretch.minutes, rules.correlation)
        from_ms = _start(stretch, end_ms)
        stayed = visits - bounced
        # who buys is no mere viewer
        stays = (stayed - stretch.orders) * math.log((1 - real * low) / (1 - low))
        weight = effective * (bounced * math.log(real) + stays)
        self.cells.few_bounces.add(weight, from_ms, bounced, visits, low)
        bounces = bounced * math.log((1 - real * (1 - high)) / high)
        weight = effective * (bounces + stayed * math.log(real))
        self.cells.many_bounces.add(weight, from_ms, bounced, visits, high)

    def _weigh_silence(self, stretch: Stretch, end_ms: int, rules: FakeViewersRules) -> None:
        """What viewers do, against what so many normally do."""
        normal = self._actions.low
        online = stretch.online_minutes
        if normal is None or not online:
            return
        acted = stretch.actions + stretch.orders
        expected = normal * online
        real = 1 - rules.attack_share
        weight = acted * math.log(real) + rules.attack_share * expected
        most = _GREATEST_STEP * stretch.minutes
        weight = max(-most, min(most, weight / rules.silence_dispersion))
        self.cells.silent_audience.add(weight, _start(stretch, end_ms), acted, online, normal)

    def _weigh_arrivals(self, stretch: Stretch, stayed: int, end_ms: int, *, is_calm: bool) -> None:
        """Visits that last, against the usual number of so many minutes."""
        usual = max(1.0, self._arrivals) * stretch.minutes
        if stayed > _TIMES * usual:
            weight = (stayed * math.log(_TIMES) - (_TIMES - 1) * usual) / _TIMES
            weight = min(2 * _GREATEST_STEP, weight)
            from_ms = _start(stretch, end_ms)
            self.cells.came_together.add(weight, from_ms, stayed, stayed, 1 / _TIMES)
        if is_calm:
            by_minute = min(stayed, _TIMES * usual) / stretch.minutes
            share = stretch.minutes / _ARRIVAL_MINUTES
            self._arrivals += (by_minute - self._arrivals) * share

    def _weigh_leaving(self, stretch: Stretch, end_ms: int, rules: FakeViewersRules) -> None:
        """Many who left at once, unless they did in most rooms; judged when all rooms were heard.

        When a room closes all leave.
        """
        common, normal = self._norms.common_leaving, self._leaving.high
        left, of, left_ms = self._left
        if left and normal is not None and not common.is_common(left_ms, self._norms.leaving.rooms):
            self._add_leaving(left, of, left_ms, normal, rules)
        self._left = _NOBODY
        ended, online = len(stretch.stays), stretch.online_before
        if ended >= _MANY and not stretch.closed and ended >= rules.together_share * online:
            common.told(end_ms)
            self._left = [ended, max(ended, online), end_ms]

    def _add_leaving(
        self, left: int, of: int, left_ms: int, normal: float, rules: FakeViewersRules
    ) -> None:
        under_attack = max(rules.together_share, min(0.9, 3 * normal))
        weight = left * math.log(under_attack / normal)
        weight += (of - left) * math.log((1 - under_attack) / (1 - normal))
        weight *= _effective(of, rules.correlation)
        if weight > 0:
            self.cells.left_together.add(weight, left_ms - MINUTE_MS, left, of, normal)

    def _weigh_devices(self, stretch: Stretch, end_ms: int, rules: FakeViewersRules) -> None:
        """Devices of those who came lately, where something else is strange."""
        devices = self._devices
        if stretch.devices:
            devices.append((end_ms, stretch.devices))
        while devices and devices[0][0] <= end_ms - _DEVICE_MINUTES * MINUTE_MS:
            devices.popleft()
        normal = self._sharing.high
        if normal is None or self.cells.leading < rules.cell / 2:
            return
        viewers, sharing = self._sharers()
        if viewers < _LEAST_WITH_DEVICE:
            return
        if viewers - sharing >= rules.devices_by_viewer * (1 - normal) * viewers:
            return
        under_attack = min(0.95, max(0.5, 3 * normal))
        weight = sharing * math.log(under_attack / normal)
        weight += (viewers - sharing) * math.log((1 - under_attack) / (1 - normal))
        weight *= min(1.0, _VIEWERS_THAT_COUNT / viewers)
        cell = self.cells.shared_devices
        if weight > cell.value:  # the same viewers are seen again every minute
            cell.value = 0.0
            cell.add(weight, end_ms - _DEVICE_MINUTES * MINUTE_MS, sharing, viewers, normal)

    def _sharers(self) -> tuple[int, int]:
        """Viewers who came with a device lately, and how many there are beyond one a device."""
        by_viewer: dict[str, str] = {}
        for _, devices in self._devices:
            by_viewer.update(devices)
        return len(by_viewer), len(by_viewer) - len(set(by_viewer.values()))

    def _teach(
        self,
        stretch: Stretch,
        bounced: int,
        end_ms: int,
        room_id: str,
        rules: FakeViewersRules,
        *,
        is_calm: bool,
    ) -> None:
        taught = rules.taught_visits
        if self._bounces.take(stretch.visits, bounced):
            self._bounces.tell(room_id, taught, is_calm=is_calm)
        online = stretch.online_minutes
        if self._actions.take(online, stretch.actions + stretch.orders):
            self._actions.tell(room_id, taught, is_calm=is_calm)
        left = min(online, len(stretch.stays))
        if not stretch.closed and self._leaving.take(online, left):
            self._leaving.tell(room_id, taught, is_calm=is_calm)
        if end_ms >= self._devices_ms:
            self._devices_ms = end_ms + _DEVICE_MINUTES * MINUTE_MS
            if self._sharing.take(*self._sharers()):
                self._sharing.tell(room_id, taught, is_calm=is_calm)

    def _over_hour(self, stretch: Stretch, end_ms: int, opened_ms: int | None) -> Stays | None:
        """Take longer visits; those of an hour of the show when it is over, or the show is."""
        if not self._hour_ms:
            start_ms = _start(stretch, end_ms)
            behind_ms = (start_ms - opened_ms) % HOUR_MS if opened_ms is not None else 0
            self._hour_ms = start_ms - behind_ms
        stays = self._stays
        if stretch.stays:
            stays.take(stretch.stays, self._hour_ms)
        passed_ms = end_ms - self._hour_ms
        if passed_ms < HOUR_MS and not stretch.closed:
            return None
        self._hour_ms = end_ms if stretch.closed else end_ms - passed_ms % HOUR_MS
        self._stays = Stays()
        return stays if stays.total else None

    def _judge_stays(
        self,
        stays: Stays,
        end_ms: int,
        room_id: str,
        rules: FakeViewersRules,
        *,
        is_calm: bool,
        is_news: bool,
    ) -> None:
        """Hold the longer visits of an hour against those of other rooms, and learn from them."""
        shapes = self._norms.shapes
        odd = shapes.judge(room_id, stays, rules.stays)
        is_odd = odd is not None and odd.weight >= _ODD
        if odd is not None and is_news:
            cell = self.cells.odd_stays
            cell.value = 0.0
            cell.add(odd.weight, end_ms - HOUR_MS, odd.seen, odd.of, odd.base)
        if is_calm and not is_odd:
            shapes.learn(stays, odd.dispersion if odd is not None else None)

    @property
    def without_suspects(self) -> int:
        """How many visits there were without the suspected ones, judged by those as usual."""
        low, high = self._bounces.low, self._bounces.high
        if low is None or high is None or not self.visits:
            return self.visits
        share = self.bounces / self.visits
        if share < low:
            return round(self.bounces / low)
        if share > high:
            return round((self.visits - self.bounces) / (1 - high))
        return self.visits

    def snapshot(self) -> list[Any]:
        return [
            self.cells.snapshot(),
            [each.snapshot() for each in (self._bounces, self._actions, self._leaving)],
            self._sharing.snapshot(),
            [self._arrivals, self._carried, self._last_ms, self._hour_ms, self._devices_ms],
            self._left,
            self._stays.snapshot(),
            [[end_ms, dict(by_viewer)] for end_ms, by_viewer in self._devices],
            [self.visits, self.bounces, self.orders],
        ]

    def restore(self, state: list[Any]) -> None:
        cells, norms, sharing, moment, self._left, stays, devices, counts = state
        self.cells.restore(cells)
        for each, saved in zip((self._bounces, self._actions, self._leaving), norms, strict=True):
            each.restore(saved)
        self._sharing.restore(sharing)
        self._arrivals, self._carried, self._last_ms, self._hour_ms, self._devices_ms = moment
        self._stays.restore(stays)
        self._devices = deque((end_ms, by_viewer) for end_ms, by_viewer in devices)
        self.visits, self.bounces, self.orders = counts


def _start(stretch: Stretch, end_ms: int) -> int:
    """About when a stretch began: minutes in which nothing happened may lie between."""
    return end_ms - stretch.minutes * MINUTE_MS


def _effective(visits: float, correlation: float) -> float:
    """How much each of so many visits of one minute counts: they have causes in common."""
    return 1 / (1 + correlation * max(0, visits - 1))
