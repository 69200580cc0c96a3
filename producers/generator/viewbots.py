"""An overlay: bought viewers, who are there and do nothing.

`V-A` comes from one IP on a few devices, within ten minutes, stays for half an hour and leaves
within a minute; `V-B` has devices and IPs of its own, comes within half an hour and sends
heartbeats until the show closes; `V-C` stays as long as natural viewers do, all of it silently.
"""

from collections import defaultdict
from random import Random
from typing import Literal, NamedTuple

from producers.generator import parameters as p
from producers.generator.crowds import Pool, crowd, natural_stay_ms
from producers.generator.identities import Identity
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.sales import Sale
from producers.generator.script import span
from producers.generator.traffic import Room
from producers.generator.truth import Incident
from schemas import codec
from schemas.events import Action, Source

FEWEST_BOTS = 50
# Bots at intensity 1: as many as half of the room's own visits of an hour.
_BOTS_BY_HOURLY_VISITS = 0.5
_HOUR_MS = 60 * MINUTE_MS


class BotKind(NamedTuple):
    """One line of the table: how long arrivals go on, and bots a device and an IP."""

    name: str
    what: str
    arrival_minutes: int
    bots_by_device: int
    one_ip: bool
    stay: Literal["together", "whole show", "natural"]


BOT_KINDS: dict[str, BotKind] = {
    kind.name: kind
    for kind in (
        BotKind("V-A", "from one IP, in and out together", 10, 4, True, "together"),
        BotKind("V-B", "heartbeats for the whole show", 30, 1, False, "whole show"),
        BotKind("V-C", "stays like natural viewers", 60, 1, False, "natural"),
    )
}


class _Bot(NamedTuple):
    who: Identity
    leave_ms: int
    delay_ms: int


class Viewbots:
    """Bots in one room; their signs of life are made as time passes."""

    def __init__(
        self, random: Random, kind: BotKind, plan: RoomPlan, first: int, intensity: float
    ) -> None:
        self._random = random
        self._steps: defaultdict[int, list[tuple[int, _Bot, Action]]] = defaultdict(list)
        people = crowd(random, first, _pool(kind, plan, intensity))
        latest_ms = plan.close_ms - (10 + 60) * MINUTE_MS
        settled_ms = plan.open_ms + 30 * MINUTE_MS
        from_ms = settled_ms + int(random.random() * max(0, latest_ms - settled_ms))
        self.incident = Incident(
            "fake_viewers",
            plan.room_id,
            more={
                "adversary": kind.name,
                "intensity": intensity,
                "viewers": [who.viewer_id for who in people],
            },
        )
        together_ms = from_ms + 35 * MINUTE_MS
        for who in people:
            enter_ms = from_ms + int(random.random() * kind.arrival_minutes * MINUTE_MS)
            if kind.stay == "together":
                leave_ms = together_ms + int(random.random() * MINUTE_MS)
            elif kind.stay == "natural":
                leave_ms = enter_ms + natural_stay_ms(random)
            else:
                leave_ms = plan.close_ms
            leave_ms = min(leave_ms, plan.close_ms)
            bot = _Bot(who, leave_ms, 20 + int(random.random() * 600))
            self._steps[enter_ms // MINUTE_MS].append((enter_ms, bot, "enter"))
            span(self.incident, enter_ms, leave_ms)

    def minute(self, room: Room, minute_ms: int) -> None:
        """Let the bots show themselves."""
        minute = minute_ms // MINUTE_MS
        steps = self._steps.get(minute)
        if not steps:
            return
        room.truth.note(self.incident)
        for ts_ms, bot, action in steps:  # grows while it is read: short stays end in the minute
            if ts_ms < room.plan.close_ms:
                room.schedule(ts_ms + bot.delay_ms, _view(room, ts_ms, bot, action))
                if action != "leave":
                    self._plan_step(ts_ms, bot)
        del self._steps[minute]

    def sold(self, room: Room, sale: Sale) -> bool:  # noqa: ARG002 - an overlay is asked so
        """Bots buy nothing."""
        return False

    def _plan_step(self, ts_ms: int, bot: _Bot) -> None:
        next_ms = ts_ms + int(p.STEP_SECONDS * (750 + 500 * self._random.random()))
        action: Action = "heartbeat"
        if next_ms >= bot.leave_ms:
            next_ms, action = bot.leave_ms, "leave"
        self._steps[next_ms // MINUTE_MS].append((next_ms, bot, action))


def bots_of(plan: RoomPlan, intensity: float) -> int:
    """How many bots an intensity is in a room."""
    hours = (plan.close_ms - plan.open_ms) / _HOUR_MS
    return max(1, round(intensity * max(FEWEST_BOTS, _BOTS_BY_HOURLY_VISITS * plan.visits / hours)))


def _pool(kind: BotKind, plan: RoomPlan, intensity: float) -> Pool:
    people = bots_of(plan, intensity)
    devices = max(1, people // kind.bots_by_device) if kind.bots_by_device > 1 else 0
    return Pool(people, devices=devices, ips=1 if kind.one_ip else 0)


def _view(room: Room, ts_ms: int, bot: _Bot, action: Action) -> bytes:
    entering = action == "enter"
    source: Source | None = "feed" if entering else None
    return codec.encode(
        codec.View(
            event_id=room.event_id(),
            ts_ms=ts_ms,
            room_id=room.plan.room_id,
            viewer_id=bot.who.viewer_id,
            action=action,
            device_id=bot.who.device_id if entering else None,
            ip_id=bot.who.ip_id if entering else None,
            source=source,
        )
    )
