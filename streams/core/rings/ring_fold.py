"""Which rings are there, and which orders are theirs? Level 2: what several share, in one place.

Orders under shared identities come merged by event time; all of one millisecond are taken before
anything is judged, so that it does not matter over how many partitions level 1 is spread. Whoever
an order ties to its buyer is judged anew, and so are the rooms that a buyer of several bought in
(`evidence`). A ring has an incident with versions like any other (design, section 8); from its page
on its orders are marked, those of before too, and again when more of their money goes back.

Turns of price wars come the same way, and are judged beside (`wars`).

State: the orders of the last 24 h that several share something in, what is usual, open incidents.
Caps: those of `tied`, `crowds` and `wars`, `waiting_links`, `open_incidents`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from heapq import heapify, heappop, heappush
from itertools import groupby
from operator import itemgetter
from typing import Any

from schemas.links import (
    Counted,
    Crowded,
    Link,
    LinkedOrder,
    LinkRecord,
    Passed,
    RingMark,
    RulesTold,
    Undercut,
    plain,
)
from schemas.records import Alert
from schemas.rules import DEFAULT_RULES, RuleSet, rule_set
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS
from streams.core.integrity.incident import Incident, Severity
from streams.core.integrity.incidents import Finding, Incidents
from streams.core.merging import Merging
from streams.core.rings.crowds import Crowds, Rooms, Stop
from streams.core.rings.evidence import Found, crowd_of, own_signs, ring_of
from streams.core.rings.identities import Identity, OrderKey
from streams.core.rings.tied import Tied, TiedOrder
from streams.core.rings.usual import Usual
from streams.core.rings.wars import Wars
from streams.core.rings.wording import Ring, alert_of_ring, money_of, ring_sentence

Shared = Link | Crowded | Counted | Undercut | RulesTold
_KIND = "identity_ring"


class RingEmissions:
    """What a run of records emits, in order."""

    __slots__ = ("alerts", "marks")

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.marks: list[RingMark] = []


class RingFold:
    """The fold of `shared-identities`.

    Args:
        sources: partitions of level 1, each of which tells.
        rules: used instead of what the log puts in force.

    Attributes:
        next_offset: the offset that comes next; a record below it was folded before.
    """

    def __init__(self, sources: int, rules: RuleSet | None = None) -> None:
        self.next_offset = 0
        self.evictions = limits.Evictions()
        self.rules_version: int | str | None = None
        self._sources = sources
        self._override = rules
        self._rules = rules or DEFAULT_RULES
        self._merging: Merging[Shared] = Merging(sources, "waiting_links", self.evictions)
        self._usual = Usual()
        self._tied = Tied(self.evictions)
        self._crowds = Crowds(self.evictions)
        self._wars = Wars(self.evictions)
        self._undecided: list[tuple[int, OrderKey]] = []  # of crowds: may still be refunded quickly
        self._incidents = Incidents(_KIND, self.evictions)
        self._rings: dict[str, Ring] = {}
        self._ring_of: dict[str, str] = {}  # buyer -> its open ring
        self._sequence = 0  # of the last mark
        self._out = RingEmissions()

    def fold(self, offsets: Sequence[int], records: Sequence[LinkRecord]) -> RingEmissions:
        """Fold records in offset order; what was folded before is skipped."""
        for offset, record in zip(offsets, records, strict=True):
            if offset >= self.next_offset:
                self.next_offset = offset + 1
                if self._merging.is_new(record.source, record.sequence):
                    self._merge(record)
        out, self._out = self._out, RingEmissions()
        return out

    def _merge(self, record: LinkRecord) -> None:
        merging = self._merging
        if isinstance(record, Passed):
            before_ms = merging.watermark_ms
            self._take_all(merging.passed(record.source, record.watermark_ms))
            if merging.watermark_ms > before_ms:
                self._settle(merging.watermark_ms)
                self._wars.sweep(merging.watermark_ms)
        elif isinstance(record, Shared):
            self._take_all(merging.add(record.source, record.sequence, record.ts_ms, record))

    def _take_all(self, due: Sequence[tuple[int, Shared]]) -> None:
        for ts_ms, together in groupby(due, key=itemgetter(0)):
            self._settle(ts_ms)
            self._take([item for _, item in together], ts_ms)

    def _take(self, items: list[Shared], ts_ms: int) -> None:
        """Take all of one event time, then judge whom it touches."""
        self._forget(ts_ms)
        for item in items:
            if isinstance(item, RulesTold):
                self._put_in_force(item)
            elif isinstance(item, Counted):
                self._usual.take(item)
            elif isinstance(item, Crowded):
                self._tied.crowded(Identity(item.kind, item.identity))
        if self._rules.price_war.enabled:
            turns = [item for item in items if isinstance(item, Undercut)]
            self._out.alerts += self._wars.take(turns, ts_ms, self.rules_version)
        links = sorted((item for item in items if isinstance(item, Link)), key=_by_order)
        if not links or not self._rules.identity_ring.enabled:
            return
        touched: dict[Rooms, None] = {}
        for link in links:
            self._usual.take_off(link.order, self._tied.known(link.order), ts_ms)
            tied = self._tied.take(link)
            if tied.is_of_several_rooms:
                touched |= dict.fromkeys(self._bought(tied, ts_ms))
            self._mark_again(tied, ts_ms)
        self._judge_tied((link for link in links if link.kind != "buyer"), ts_ms)
        crowd = self._crowds.strongest(list(touched), self._rules.identity_ring)
        if crowd is not None:
            self._found(crowd_of(crowd, self._tied, self._usual, self._rules, ts_ms), ts_ms)

    def _judge_tied(self, links: Iterable[Link], ts_ms: int) -> None:
        """Judge those whom the buyers of these orders are tied to, each of them once."""
        judged: dict[str, None] = {}
        for link in links:
            if link.order.buyer_id not in judged:
                buyers = self._tied.tied_to(link.order.buyer_id)
                judged |= dict.fromkeys(buyers)
                found = ring_of(buyers, self._tied, self._usual, self._rules, ts_ms)
                self._found(found, ts_ms)

    def _bought(self, tied: TiedOrder, ts_ms: int) -> list[Rooms]:
        """Tell the crowds what the buyer of an order did in its room, all in all."""
        rules = self._rules
        room_id, buyer_id = tied.order.room_id, tied.order.buyer_id
        orders = [each for each in self._tied.orders_of(buyer_id) if each.order.room_id == room_id]
        stop = Stop(tied.order.host_id or room_id, len(orders), {}, {})
        for each in orders:
            for sign, is_set in own_signs(each, ts_ms, rules.brushing).items():
                weights = self._usual.weights(sign, rules.brushing)
                if weights is not None:
                    stop.seen[sign] = stop.seen.get(sign, 0) + is_set
                    stop.weights[sign] = stop.weights.get(sign, 0.0) + weights[0 if is_set else 1]
        kept_ms = tied.order.ordered_ms + rules.brushing.quick_refund_minutes * MINUTE_MS
        if "quick_refund" not in tied.order.signs and ts_ms < kept_ms:
            heappush(self._undecided, (kept_ms, tied.key))
        return self._crowds.bought(buyer_id, room_id, stop, rules.identity_ring)

    def _forget(self, ts_ms: int) -> None:
        """Let time pass: orders are a day old, money has not come back quickly."""
        while self._undecided and self._undecided[0][0] <= ts_ms:
            kept_ms, key = heappop(self._undecided)
            tied = self._tied.orders.get(key)
            if tied is not None and "quick_refund" not in tied.order.signs:
                self._bought(tied, kept_ms)
        for tied in self._tied.forget(ts_ms):
            room_id, buyer_id = tied.key[0], tied.order.buyer_id
            if tied.is_of_several_rooms and not any(
                each.order.room_id == room_id for each in self._tied.orders_of(buyer_id)
            ):
                self._crowds.left(buyer_id, room_id)

    def _found(self, found: Found | None, ts_ms: int) -> None:
        """Something looks like a ring: tell what is news of it, and mark its orders."""
        if found is None:
            return
        name = self._name_of(found)
        if name is not None:
            found = self._told(found, name, ts_ms)
        if found.severity == "page":
            for tied in found.orders:
                if tied.marked_minor is None:
                    self._mark(tied, ts_ms)

    def _name_of(self, found: Found) -> str | None:
        """Under which name the incident runs: that of its buyers, or of its first order.

        A fresh ring where all its rooms have an open one already belongs to that. None if all but
        few of its orders belong to an incident that has ended.
        """
        for buyer_id in found.buyers:
            if buyer_id in self._ring_of:
                return self._ring_of[buyer_id]
        news = found.news
        if len(news) < self._rules.identity_ring.orders:
            return None
        for name, ring in self._rings.items():
            if all(room_id in ring.rooms for room_id in found.rooms):
                return name
        return "\0".join(news[0].key)

    def _told(self, found: Found, name: str, ts_ms: int) -> Found:
        """Tell what is news of an incident; what was a page once remains one."""
        incident = self._incidents.open.get(name)
        ring = self._rings.setdefault(name, Ring())
        was = incident.severity if incident is not None else found.severity
        severity: Severity = "page" if "page" in (was, found.severity) else "review"
        if any(buyer_id in ring.paged for buyer_id in found.buyers):
            found = replace(found, severity="page")  # and so it remains for these people
        score = float(len(found.orders))
        ring.take(found)
        self._ring_of |= dict.fromkeys(found.buyers, name)
        if self._incidents.noticed(score, ts_ms, name) or severity != was:
            finding = Finding(
                score=score,
                threshold=float(self._rules.identity_ring.orders),
                since_ms=(found.news or found.orders)[0].order.ordered_ms,
                summary=ring_sentence(found),
                signs=found.signs,
                severity=severity,
                money_minor=money_of(found.orders),
            )
            for each in self._incidents.tell(finding, ts_ms, name):
                self._tell(each)
        return found

    def _mark_again(self, tied: TiedOrder, ts_ms: int) -> None:
        """Tell that more of a marked order's money went back."""
        if tied.marked_minor is not None and tied.order.refunded_minor > tied.marked_minor:
            self._mark(tied, ts_ms)

    def _mark(self, tied: TiedOrder, ts_ms: int) -> None:
        order = tied.order
        tied.marked_minor = order.refunded_minor
        self._sequence += 1
        mark = RingMark(
            sequence=self._sequence,
            ts_ms=ts_ms,
            room_id=order.room_id,
            order_id=order.order_id,
            buyer_id=order.buyer_id,
            product_id=order.product_id,
            merchant_id=order.merchant_id,
            ordered_ms=order.ordered_ms,
            amount_minor=order.amount_minor,
            refunded_minor=order.refunded_minor,
        )
        self._out.marks.append(mark)

    def _settle(self, watermark_ms: int) -> None:
        """End the incidents that have been quiet for long enough."""
        if self._incidents.open:
            quiet_ms = self._rules.identity_ring.quiet_minutes * MINUTE_MS
            for incident in self._incidents.settle(watermark_ms, quiet_ms):
                self._tell(incident)
        rules, version = self._rules.price_war, self.rules_version
        self._out.alerts += self._wars.settle(watermark_ms, rules, version)

    def _tell(self, incident: Incident) -> None:
        name = incident.product_id or ""
        ring = self._rings[name]
        self._out.alerts.append(alert_of_ring(incident, ring, self.rules_version))
        if incident.status == "resolved":
            del self._rings[name]
            for buyer_id in ring.buyers:
                if self._ring_of.get(buyer_id) == name:
                    del self._ring_of[buyer_id]
                for tied in self._tied.orders_of(buyer_id):
                    tied.is_told |= tied.order.room_id in ring.rooms

    def _put_in_force(self, told: RulesTold) -> None:
        self.rules_version = told.version
        if self._override is None:
            self._rules = rule_set(told.rules)

    def snapshot(self) -> list[Any]:
        """The whole state in plain values."""
        return [
            self._sources,
            self.next_offset,
            self.evictions.counts,
            [self.rules_version, self._rules.model_dump(mode="json")],
            self._merging.snapshot(_plain_item),
            self._usual.snapshot(),
            self._tied.snapshot(),
            self._crowds.snapshot(),
            [[kept_ms, *key] for kept_ms, key in self._undecided],
            self._incidents.snapshot(),
            [[name, ring.snapshot()] for name, ring in self._rings.items()],
            [list(of) for of in self._ring_of.items()],
            self._sequence,
            self._wars.snapshot(),
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> "RingFold":
        """The fold that a snapshot was taken of."""
        sources, next_offset, evicted, rules, merging, usual, tied, crowds, *rest = state
        undecided, incidents, rings, ring_of, sequence, wars = rest
        self = cls(sources)
        self.next_offset = next_offset
        self.evictions.counts.update(evicted)
        self.rules_version, in_force = rules
        self._rules = rule_set(in_force)
        self._merging.restore(merging, _restored_item)
        self._usual.restore(usual)
        self._tied.restore(tied)
        self._crowds.restore(crowds)
        self._undecided = [(kept_ms, (room, order)) for kept_ms, room, order in undecided]
        heapify(self._undecided)
        self._incidents.restore(incidents)
        self._rings = {name: Ring.restored(saved) for name, saved in rings}
        self._ring_of = dict(ring_of)
        self._sequence = sequence
        self._wars.restore(wars)
        return self


def _by_order(link: Link) -> tuple[str, str, str, str]:
    return link.order.room_id, link.order.order_id, link.kind, link.identity


_ITEMS: dict[str, type[Crowded | Counted | Undercut | RulesTold]] = {
    "crowded": Crowded,
    "counted": Counted,
    "undercut": Undercut,
    "rules": RulesTold,
}


def _plain_item(item: Shared) -> list[Any]:
    if isinstance(item, Link):
        *parts, order = plain(item)
        return ["link", *parts, plain(order)]
    return [item.__struct_config__.tag, *plain(item)]


def _restored_item(state: list[Any]) -> Shared:
    what, *parts = state
    if what != "link":
        return _ITEMS[what](*parts)
    source, sequence, ts_ms, kind, identity, order = parts
    return Link(source, sequence, ts_ms, kind, identity, LinkedOrder(*order))
