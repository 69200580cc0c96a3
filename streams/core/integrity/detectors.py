"""Who decides what is suspected in a partition: facts in event-time order, to the rooms' detectors.

Facts are queued as events are applied; they are taken when the watermark has passed them, by (event
time, id), so that verdicts do not depend on arrival inside the lateness bound. Minutes close at a
watermark that has passed them, so they are taken at once. What becomes suspected comes off trusted
GMV of its room and products at once. How a detector is added is told in
`streams.core.integrity.detector`.

State: the queue, what detectors share in the partition, the rules in force, rooms with open
incidents, what was told to those who look for rings.
"""

from collections.abc import Callable
from typing import Any, Protocol

from schemas.codec import Complaint, Order, Product, Refund, RoomOpened
from schemas.links import RingMark
from schemas.records import Alert
from schemas.rules import DEFAULT_RULES, RuleSet, rule_set
from streams.core import limits
from streams.core.integrity import facts
from streams.core.integrity.audience_norms import AudienceNorms, SuspectedViewers
from streams.core.integrity.detector import MINUTE_MS, Scene, Told
from streams.core.integrity.facts import Cancelled, Fact, Minute, Waiting
from streams.core.integrity.fake_viewers import FakeViewers
from streams.core.integrity.incident import Incident
from streams.core.integrity.order_signs import ScoredOrder
from streams.core.integrity.queue import EventTimeQueue
from streams.core.integrity.stretch import Stretch, Stretches
from streams.core.integrity.suspects import SuspectedOrders
from streams.core.integrity.suspicion import DETECTORS, Suspicion, shared_of_partition
from streams.core.integrity.wording import alert_of
from streams.core.ledger import KnownOrder, TakenOff
from streams.core.pane import Pane
from streams.core.rings.linking import Linking

_LINKED = (ScoredOrder, Refund)  # what those who look for rings are told of
# Which detectors take a fact, by their place in `DETECTORS`, and how.
Takers = tuple[tuple[int, Callable[..., Told]], ...]


class SuspectRoom(Protocol):
    """What the detectors need of a room."""

    room_id: str
    opened: RoomOpened | None
    suspicion: Suspicion | None

    def suspect(self, order_id: str, ordered_ms: int, watermark_ms: int) -> KnownOrder | None:
        """Take an order off trusted GMV; what was known of it, None if nothing was taken off."""

    def take_off(self, off: TakenOff, *, again: bool) -> None:
        """Take off what a ring has marked, or give it back if it is taken off `again`."""

    def known_order(self, order_id: str, watermark_ms: int) -> KnownOrder | None:
        """What is still remembered of a paid order."""


class Detectors:
    """The detectors of one partition."""

    __slots__ = (
        "_closed",
        "_evictions",
        "_incidents",
        "_override",
        "_queue",
        "_scene",
        "_shared",
        "_takers",
        "after_sales",
        "linking",
        "rules",
        "rules_version",
        "suspects",
        "visit_ms",
        "watches_audience",
    )

    def __init__(
        self, number: int, evictions: limits.Evictions, override: RuleSet | None = None
    ) -> None:
        self._evictions = evictions
        self._override = override
        self._shared = shared_of_partition()
        self.suspects = SuspectedOrders(evictions)
        self.linking = Linking(number)
        self._queue: EventTimeQueue[tuple[str, Waiting]] = EventTimeQueue(evictions)
        # by the end of a minute, until they are taken a moment after: what rooms tell of it
        self._closed: dict[int, list[tuple[str, Minute | Stretch]]] = {}
        self._use(override or DEFAULT_RULES)
        self._incidents: dict[str, None] = {}  # rooms with an open one
        self.rules_version: int | str | None = None

    @property
    def next_ms(self) -> int:
        """The watermark at which the next fact is due."""
        return self._queue.next_ms

    @property
    def suspected_viewers(self) -> SuspectedViewers:
        """The viewers of fake-viewer incidents whose ids are known."""
        norms = self._shared[DETECTORS.index(FakeViewers)]
        assert isinstance(norms, AudienceNorms)
        return norms.suspects

    def put_in_force(self, version: int | str, rules: object) -> None:
        """Use a rule set from here on.

        Raises:
            InputError: it does not validate; nothing has changed.
        """
        validated = rule_set(rules)
        self.rules_version = version
        if self._override is None:
            self._use(validated)
        self.linking.rules_told(version, validated)

    def _use(self, rules: RuleSet) -> None:
        self.rules = rules
        self._scene = Scene(rules, self._push)
        self.visit_ms = rules.brushing.visit_minutes * MINUTE_MS
        takers: dict[type, Takers] = {}
        for at, detector in enumerate(DETECTORS):
            if getattr(rules, detector.section).enabled:
                for kind, take in detector.takes.items():
                    takers[kind] = (*takers.get(kind, ()), (at, take))
        self.linking.use(rules)
        if rules.identity_ring.enabled:
            for kind in _LINKED:
                takers.setdefault(kind, ())
        self._takers = takers
        self.watches_audience = Stretch in takers
        self.after_sales = rules.after_sales

    def of_a_room(self) -> Suspicion:
        """The suspicion of one more room."""
        return Suspicion(self._shared, self._evictions)

    def ordered(self, event: Order, *, visited: bool | None, dwell_ms: int | None) -> None:
        """Queue an accepted order with a believed stamp."""
        if ScoredOrder in self._takers:
            scored = ScoredOrder(event, visited=visited, dwell_ms=dwell_ms)
            self._push(event.room_id, event.ts_ms, event.event_id, scored)

    def happened(self, event: Refund | Complaint | Product) -> None:
        """Queue another accepted event with a believed stamp."""
        if type(event) in self._takers:
            self._push(event.room_id, event.ts_ms, event.event_id, event)

    def cancelled(self, refund: Refund, *, is_here: bool) -> None:
        """Queue a cancellation, accepted with a believed stamp, which is a refund as well."""
        if Cancelled in self._takers:
            fact = Cancelled(refund.order_id, refund.buyer_id, is_here)
            self._push(refund.room_id, refund.ts_ms, refund.event_id, fact)

    def minute_closed(self, room_id: str, pane: Pane, online: int) -> None:
        """Take a minute of a room; it comes before the facts at its end."""
        if Minute in self._takers:
            self._told_of_minute(room_id, pane, Minute.of(pane, online))

    def audience(self, room_id: str, stretches: Stretches, pane: Pane, online: int) -> None:
        """Take the stretch of a room that is over with a minute; before the facts at its end."""
        stretch = stretches.take(pane, online)
        if stretch is not None:
            self._told_of_minute(room_id, pane, stretch)

    def _told_of_minute(self, room_id: str, pane: Pane, fact: Minute | Stretch) -> None:
        self._closed.setdefault(pane.minute_ms + MINUTE_MS, []).append((room_id, fact))

    def _push(self, room_id: str, ts_ms: int, tie: str, fact: Waiting) -> None:
        self._queue.push(ts_ms, tie, (room_id, fact))

    def advance(self, rooms: dict[str, Any], watermark_ms: int) -> list[Alert]:
        """Take all facts up to the watermark; the alerts that have something to say."""
        alerts: list[Alert] = []
        closed = self._closed
        for end_ms in sorted(closed):
            self._take_queued(rooms, end_ms - 1, watermark_ms, alerts)
            for room_id, fact in closed.pop(end_ms):
                self._take(rooms.get(room_id), end_ms, fact, watermark_ms, alerts)
        self._take_queued(rooms, watermark_ms, watermark_ms, alerts)
        return alerts

    def _take_queued(
        self, rooms: dict[str, Any], up_to_ms: int, watermark_ms: int, alerts: list[Alert]
    ) -> None:
        queue = self._queue
        while queue.next_ms <= up_to_ms:
            ts_ms, (room_id, fact) = queue.pop()
            self._take(rooms.get(room_id), ts_ms, fact, watermark_ms, alerts)

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
        room: SuspectRoom | None,
        ts_ms: int,
        fact: Fact,
        watermark_ms: int,
        alerts: list[Alert],
    ) -> None:
        """Take the next fact; of a room that is gone there is nothing to say."""
        if room is None:
            return
        if room.room_id in self._incidents:
            self._settle(room, ts_ms, alerts)
        suspicion = room.suspicion
        if suspicion is None:
            suspicion = room.suspicion = self.of_a_room()
        scene, kind = self._scene, type(fact)
        scene.move(room.room_id, room.opened, ts_ms)
        if isinstance(fact, ScoredOrder):
            suspicion.orders.add(fact)
        detectors = suspicion.detectors
        for at, take in self._takers.get(kind, ()):
            for incident in take(detectors[at], fact, scene):
                self._incidents[room.room_id] = None
                alerts.append(self._alert(room, incident))
        if kind in _LINKED and self.rules.identity_ring.enabled:
            self._link(room, fact, suspicion)
        if suspicion.brushing.suspected:
            self._mark(room, watermark_ms)

    def _link(self, room: SuspectRoom, fact: Fact, suspicion: Suspicion) -> None:
        """Tell who looks for rings of an order, or that money of one went back."""
        scene = self._scene
        if isinstance(fact, Refund):
            order = suspicion.orders.by_id.get(fact.order_id)
            quick_ms = self.rules.brushing.quick_refund_minutes * MINUTE_MS
            if order is not None and order.quick_refund is None:
                # brushing has not decided it, so it does not look at it
                order.quick_refund = fact.ts_ms - order.ts_ms < quick_ms
        elif isinstance(fact, ScoredOrder):
            order = fact
        else:
            return
        known = room.known_order(order.order_id, scene.ts_ms) if order is not None else None
        if order is not None and known is not None:
            self.linking.tell(order, known, scene)

    def _settle(self, room: SuspectRoom, watermark_ms: int, alerts: list[Alert]) -> None:
        suspicion = room.suspicion
        if suspicion is not None:
            ended = suspicion.settle(watermark_ms, self.rules)
            alerts += [self._alert(room, incident) for incident in ended]
            if ended and not suspicion.is_open:
                del self._incidents[room.room_id]

    def _mark(self, room: SuspectRoom, watermark_ms: int) -> None:
        """Take what has become suspected off trusted GMV."""
        suspicion = room.suspicion
        if suspicion is not None and suspicion.brushing.suspected:
            for order in suspicion.brushing.take_suspected():
                known = room.suspect(order.order_id, order.ts_ms, watermark_ms)
                if known is not None:
                    net_minor = known.amount_minor - known.refunded_minor
                    twice = self.suspects.add(room.room_id, order, net_minor)
                    if twice is not None:
                        room.take_off(twice, again=True)

    def mark(self, rooms: dict[str, Any], mark: RingMark) -> None:
        """Take an order that a ring has marked off trusted GMV."""
        off = self.suspects.mark(mark)
        room: SuspectRoom | None = rooms.get(mark.room_id)
        if off is not None and room is not None:
            room.take_off(off, again=False)

    def room_came(self, room: SuspectRoom) -> None:
        """Take off a new room what was marked of it before: its log is folded once more."""
        for off in self.suspects.marked_in(room.room_id):
            room.take_off(off, again=False)

    def snapshot(self) -> list[Any]:
        queue = self._queue.snapshot()
        queue[1] = [[*item[:3], [item[3][0], facts.plain(item[3][1])]] for item in queue[1]]
        return [
            [each.snapshot() if each is not None else None for each in self._shared],
            queue,
            self.rules.model_dump(),
            list(self._incidents),
            self.rules_version,
            self.suspects.snapshot(),
            self.linking.snapshot(),
        ]

    def restore(self, state: list[Any]) -> None:
        shared, queue, rules, incidents, self.rules_version, suspects, linking = state
        self.suspects.restore(suspects)
        self.linking.restore(linking)
        for each, saved in zip(self._shared, shared, strict=True):
            if each is not None:
                each.restore(saved)
        queue[1] = [[*item[:3], (item[3][0], facts.restored(item[3][1]))] for item in queue[1]]
        self._queue.restore(queue)
        self._use(self._override or rule_set(rules))
        self._incidents = dict.fromkeys(incidents)

    def _alert(self, room: SuspectRoom, incident: Incident) -> Alert:
        return alert_of(incident, room.room_id, room.opened, self.rules_version)
