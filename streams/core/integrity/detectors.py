"""Who decides what is suspected in a partition: evidence in event-time order, to the rooms' cells.

Orders and refunds come in as they are applied; their evidence is taken when the watermark has
passed them, by (event time, id), so that verdicts do not depend on arrival inside the lateness
bound. What becomes suspected comes off trusted GMV of its room and products at once.

State: the queue, the base rates of the partition, the rules in force, rooms with open incidents.
"""

from typing import Any, Protocol

from schemas.codec import Order, Refund, RoomOpened
from schemas.records import Alert
from schemas.rules import DEFAULT_RULES, RuleSet, rule_set
from streams.core import limits
from streams.core.integrity.brushing import Brushing
from streams.core.integrity.common_signs import CommonSigns
from streams.core.integrity.incident import Incident
from streams.core.integrity.order_signs import ScoredOrder
from streams.core.integrity.queue import EventTimeQueue
from streams.core.integrity.signs import BaseRates
from streams.core.integrity.suspects import SuspectedOrders
from streams.core.integrity.wording import alert_of
from streams.core.ledger import KnownOrder

_MINUTE_MS = 60_000
# What waits for its turn: room, what it is ("order", "refund", "kept"), the order or its id.
Pending = tuple[str, str, Any]


class SuspectRoom(Protocol):
    """What the detectors need of a room."""

    room_id: str
    opened: RoomOpened | None
    brushing: Brushing | None

    def suspect(self, order_id: str, watermark_ms: int) -> KnownOrder | None:
        """Take an order off trusted GMV; what was known of it, None if nothing was taken off."""


class Detectors:
    """The detectors of one partition."""

    __slots__ = (
        "_base",
        "_common",
        "_evictions",
        "_incidents",
        "_override",
        "_queue",
        "_rules",
        "rules_version",
        "suspects",
        "visit_ms",
    )

    def __init__(self, evictions: limits.Evictions, override: RuleSet | None = None) -> None:
        self._evictions = evictions
        self._override = override
        self._base = BaseRates()
        self._common = CommonSigns()
        self.suspects = SuspectedOrders(evictions)
        self._queue: EventTimeQueue[Pending] = EventTimeQueue(evictions)
        self._use(override or DEFAULT_RULES)
        self._incidents: dict[str, None] = {}  # rooms with an open one
        self.rules_version: int | str | None = None

    @property
    def next_ms(self) -> int:
        """The watermark at which the next evidence is due."""
        return self._queue.next_ms

    def put_in_force(self, version: int | str, rules: object) -> None:
        """Use a rule set from here on.

        Raises:
            InputError: it does not validate; nothing has changed.
        """
        validated = rule_set(rules)
        self.rules_version = version
        if self._override is None:
            self._use(validated)

    def _use(self, rules: RuleSet) -> None:
        self._rules = rules
        self.visit_ms = rules.brushing.visit_minutes * _MINUTE_MS

    def of_a_room(self) -> Brushing:
        """The suspicion of brushed orders of one more room."""
        return Brushing(self._base, self._common, self._evictions)

    def ordered(self, event: Order, *, visited: bool | None, dwell_ms: int | None) -> None:
        """Queue the evidence of an accepted order with a believed stamp."""
        scored = ScoredOrder(event, visited=visited, dwell_ms=dwell_ms)
        self._queue.push(event.ts_ms, event.event_id, (event.room_id, "order", scored))

    def refunded(self, event: Refund) -> None:
        """Queue the evidence of an accepted refund with a believed stamp."""
        self._queue.push(event.ts_ms, event.event_id, (event.room_id, "refund", event.order_id))

    def advance(self, rooms: dict[str, Any], watermark_ms: int) -> list[Alert]:
        """Take all evidence up to the watermark; the alerts that have something to say."""
        alerts: list[Alert] = []
        while self._queue.next_ms <= watermark_ms:
            ts_ms, (room_id, what, of) = self._queue.pop()
            room: SuspectRoom | None = rooms.get(room_id)
            if room is not None:
                self._settle(room, ts_ms, alerts)
                self._take(room, ts_ms, what, of, alerts)
                self._mark(room, watermark_ms)
        return alerts

    def settle(self, rooms: dict[str, Any], watermark_ms: int) -> list[Alert]:
        """End the incidents that have been quiet for long enough; asked once a minute."""
        alerts: list[Alert] = []
        for room_id in sorted(self._incidents):
            room: SuspectRoom | None = rooms.get(room_id)
            if room is None:
                del self._incidents[room_id]
            else:
                self._settle(room, watermark_ms, alerts)
                self._mark(room, watermark_ms)
        return alerts

    def _take(
        self,
        room: SuspectRoom,
        ts_ms: int,
        what: str,
        of: Any,  # noqa: ANN401 - an order or its id, as `what` tells
        alerts: list[Alert],
    ) -> None:
        rules = self._rules.brushing
        brushing = room.brushing
        if brushing is None:
            brushing = room.brushing = self.of_a_room()
        quick_ms = rules.quick_refund_minutes * _MINUTE_MS
        if what == "order":
            self._common.ordered(room.room_id, brushing.shares)
            incident = brushing.order(of, rules)
            self._queue.push(ts_ms + quick_ms, of.order_id, (room.room_id, "kept", of.order_id))
        else:
            order = brushing.orders.by_id.get(of)
            quick = what == "refund" and order is not None and ts_ms - order.ts_ms < quick_ms
            if what == "refund" and not quick:
                return
            incident = brushing.refund_decided(of, ts_ms, rules, quick=quick)
        if incident is not None:
            self._incidents[room.room_id] = None
            alerts.append(self._alert(room, incident))

    def _settle(self, room: SuspectRoom, watermark_ms: int, alerts: list[Alert]) -> None:
        if room.brushing is not None:
            ended = room.brushing.settle(watermark_ms, self._rules.brushing)
            if ended is not None:
                self._incidents.pop(room.room_id, None)
                alerts.append(self._alert(room, ended))

    def _mark(self, room: SuspectRoom, watermark_ms: int) -> None:
        """Take what has become suspected off trusted GMV."""
        brushing = room.brushing
        if brushing is not None and brushing.suspected:
            suspected, brushing.suspected = brushing.suspected, []
            for order in suspected:
                known = room.suspect(order.order_id, watermark_ms)
                if known is not None:
                    net_minor = known.amount_minor - known.refunded_minor
                    self.suspects.add(room.room_id, order, net_minor)

    def snapshot(self) -> list[Any]:
        queue = self._queue.snapshot()
        queue[1] = [[*item[:3], _plain(item[3])] for item in queue[1]]
        return [
            self._base.snapshot(),
            queue,
            self._rules.model_dump(),
            list(self._incidents),
            self.rules_version,
            self.suspects.snapshot(),
        ]

    def restore(self, state: list[Any]) -> None:
        base, queue, rules, incidents, self.rules_version, suspects = state
        self.suspects.restore(suspects)
        self._base.restore(base)
        queue[1] = [[*item[:3], _pending(item[3])] for item in queue[1]]
        self._queue.restore(queue)
        self._use(self._override or rule_set(rules))
        self._incidents = dict.fromkeys(incidents)

    def _alert(self, room: SuspectRoom, incident: Incident) -> Alert:
        return alert_of(incident, room.room_id, room.opened, self.rules_version)


def _plain(pending: Pending) -> list[Any]:
    room_id, what, of = pending
    return [room_id, what, of.snapshot() if isinstance(of, ScoredOrder) else of]


def _pending(state: list[Any]) -> Pending:
    room_id, what, of = state
    return room_id, what, ScoredOrder.restored(of) if what == "order" else of
