"""Who shares what? Level 1 of rings: one partition of identities, and what several share of it.

An order comes once under each identity that it names. As long as one buyer alone uses a device, a
payment account or an address, nothing is handed on. From the second buyer within 24 h on, all
orders under it are, the earlier ones too; from more than `crowd_buyers` on it is a dormitory, an
office or a till, and ties nobody. A buyer ties rooms: the orders of one who bought from
`same_rooms` hosts within 24 h are handed on. So level 2 gets a few per cent of the orders. Beside
them it gets, by minute, how many of all orders have each sign: what is normal. Products are shared
as well: where rooms undercut each other over one, the turn is handed on (`prices`).

State: the orders of each identity in the last 24 h, what waits to be merged. Caps: `identities`
(the one ordered under least recently goes first), `orders_of_an_identity`, `waiting_links`.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from schemas.clock import NOTHING_MS
from schemas.detector_rules import IdentityRingRules
from schemas.links import (
    Closed,
    Counted,
    Crowded,
    Link,
    LinkedOrder,
    LinkKind,
    LinkRecord,
    Passed,
    Priced,
    RulesTold,
    Undercut,
    plain,
)
from schemas.rules import DEFAULT_RULES, RuleSet, rule_set
from streams.core import limits
from streams.core.merging import Merging
from streams.core.rings.prices import Prices

DAY_MS = 24 * 3_600_000
MINUTE_MS = 60_000
_SWEEP_MS = 3_600_000  # how often what is a day old is freed; results do not depend on it
_TIED = 2  # buyers who use one identity are tied


class Identity(NamedTuple):
    """A device, payment account, address or buyer."""

    kind: LinkKind
    name: str


OrderKey = tuple[str, str]  # room and order id
Item = Link | Priced | Closed | RulesTold


class _Orders:
    """The orders of the last 24 h under one identity.

    Attributes:
        is_told: whether they were handed on.
        is_crowded: whether so many use it that it ties nobody; then no orders are kept.
    """

    __slots__ = ("by_key", "is_crowded", "is_told", "last_ms")

    def __init__(self) -> None:
        self.by_key: dict[OrderKey, LinkedOrder] = {}
        self.is_told = False
        self.is_crowded = False
        self.last_ms = 0

    def put(self, order: LinkedOrder, ts_ms: int) -> None:
        """Take an order, or what is known of it now, and forget those that are a day old."""
        orders = self.by_key
        orders[order.room_id, order.order_id] = order
        self.last_ms = max(self.last_ms, order.ordered_ms)
        old = [key for key, each in orders.items() if each.ordered_ms <= ts_ms - DAY_MS]
        for key in old:
            del orders[key]

    def hosts(self) -> int:
        """From how many hosts was bought; a room whose host is not known is one of its own."""
        return len({each.host_id or each.room_id for each in self.by_key.values()})

    def buyers(self) -> int:
        """How many buyers ordered."""
        return len({each.buyer_id for each in self.by_key.values()})


class IdentityFold:
    """The fold of one partition of `identity-links`.

    Args:
        number: of the partition.
        sources: partitions of `live-events`, each of which tells.
        rules: used instead of what the log puts in force.

    Attributes:
        next_offset: the offset that comes next; a record below it was folded before.
    """

    def __init__(self, number: int, sources: int, rules: RuleSet | None = None) -> None:
        self.number = number
        self.next_offset = 0
        self.evictions = limits.Evictions()
        self._sources = sources
        self._override = rules
        self._rules = rules or DEFAULT_RULES
        self._rules_told = [0] * sources
        self._merging: Merging[Item] = Merging(sources, "waiting_links", self.evictions)
        self._prices = Prices(self.evictions)
        # nearly all identities have one order: it stands there itself
        self._known: dict[Identity, LinkedOrder | _Orders] = {}
        self._sweep_ms = NOTHING_MS
        self._sequence = 0
        self._count = _Count()
        self._out: list[LinkRecord] = []

    def fold(self, offsets: Sequence[int], records: Sequence[LinkRecord]) -> list[LinkRecord]:
        """Fold records in offset order; what was folded before is skipped.

        Returns what `shared-identities` gets, in order.
        """
        for offset, record in zip(offsets, records, strict=True):
            if offset >= self.next_offset:
                self.next_offset = offset + 1
                if self._merging.is_new(record.source, record.sequence):
                    self._merge(record)
        out, self._out = self._out, []
        return out

    def _merge(self, record: LinkRecord) -> None:
        merging = self._merging
        if isinstance(record, Passed):
            before_ms = merging.watermark_ms
            self._take_all(merging.passed(record.source, record.watermark_ms))
            watermark_ms = merging.watermark_ms
            if watermark_ms > before_ms:
                self._reach(watermark_ms)
        elif isinstance(record, Link | Priced | Closed | RulesTold):
            self._take_all(merging.add(record.source, record.sequence, record.ts_ms, record))

    def _take_all(self, due: Sequence[tuple[int, Item]]) -> None:
        """Take what is complete, in event time."""
        prices: list[tuple[int, Priced | Closed]] = []
        for ts_ms, item in due:
            if isinstance(item, Priced | Closed):
                prices.append((ts_ms, item))
            else:
                self._take(item, ts_ms)
        if prices:
            self._take_prices(prices)

    def _take_prices(self, told: list[tuple[int, Priced | Closed]]) -> None:
        for item, turn, median_minor in self._prices.take(told):
            undercut = Undercut(
                self.number,
                self._next(),
                turn.ts_ms,
                item.room_id,
                item.host_id,
                item.mcn_id,
                item.currency,
                item.product_id,
                turn.price_minor,
                turn.under_minor,
                median_minor,
            )
            self._out.append(undercut)

    def _reach(self, watermark_ms: int) -> None:
        """All before a watermark is taken: say so, and free what is a day old."""
        if watermark_ms >= self._count.end_ms:
            self._tell_count()
        self._out.append(Passed(self.number, self._next(), watermark_ms))
        if watermark_ms >= self._sweep_ms:
            self._sweep_ms = watermark_ms + _SWEEP_MS
            old_ms = watermark_ms - DAY_MS
            self._known = {
                key: known for key, known in self._known.items() if _last_ms(known) > old_ms
            }
            self._prices.sweep(watermark_ms)

    def _take(self, item: Link | RulesTold, ts_ms: int) -> None:
        """Take the next item in event time."""
        if isinstance(item, RulesTold):
            self._put_in_force(item, ts_ms)
            return
        key, order = Identity(item.kind, item.identity), item.order
        known = self._known.get(key)
        earlier = _earlier(known, order)
        if item.kind == "buyer":
            self._learn(order, earlier, ts_ms)
        if known is None:
            self._known[key] = order
            if len(self._known) > limits.cap("identities"):
                self._make_room()
        elif isinstance(known, _Orders):
            self._put(key, known, order, ts_ms)
        elif earlier is not None or known.ordered_ms <= ts_ms - DAY_MS:
            self._known[key] = order
        else:
            orders = self._known[key] = _Orders()
            orders.put(known, ts_ms)
            self._put(key, orders, order, ts_ms)

    def _put(self, key: Identity, orders: _Orders, order: LinkedOrder, ts_ms: int) -> None:
        """Take one more order under an identity, and hand on what is shared."""
        if orders.is_crowded:
            if ts_ms - orders.last_ms < DAY_MS:
                orders.last_ms = max(orders.last_ms, order.ordered_ms)
                return
            orders.is_crowded = False
        orders.put(order, ts_ms)
        rules = self._rules.identity_ring
        if key.kind != "buyer" and orders.buyers() > rules.crowd_buyers:
            orders.is_crowded = True
            orders.by_key.clear()
            if orders.is_told:
                self._out.append(Crowded(self.number, self._next(), ts_ms, key.kind, key.name))
            orders.is_told = False
        elif not _is_shared(key, orders, rules):
            orders.is_told = False
        else:
            told = [order] if orders.is_told else list(orders.by_key.values())
            orders.is_told = True
            self._out += [
                Link(self.number, self._next(), ts_ms, key.kind, key.name, each) for each in told
            ]
        if len(orders.by_key) > limits.cap("orders_of_an_identity"):
            self._drop_oldest(orders)

    def _drop_oldest(self, orders: _Orders) -> None:
        by_key = orders.by_key
        oldest = min(by_key, key=lambda key: (by_key[key].ordered_ms, key))
        del by_key[oldest]
        self.evictions.count("orders_of_an_identity")

    def _make_room(self) -> None:
        known = self._known
        self.evictions.give_up_oldest(
            "identities", known, lambda key: (_last_ms(known[key]), "\0".join(key))
        )

    def _learn(self, order: LinkedOrder, earlier: LinkedOrder | None, ts_ms: int) -> None:
        """Count what an order is like when it is first told, and that its money went back."""
        count = self._count
        if not count.end_ms - MINUTE_MS <= ts_ms < count.end_ms:
            self._tell_count()
            count = self._count = _Count()
            count.end_ms = ts_ms - ts_ms % MINUTE_MS + MINUTE_MS
        count.take(order, earlier)

    def _tell_count(self) -> None:
        count, self._count = self._count, _Count()
        if count.orders or count.seen:
            told = Counted(
                self.number, self._next(), count.end_ms, count.orders, count.known, count.seen
            )
            self._out.append(told)

    def _put_in_force(self, told: RulesTold, ts_ms: int) -> None:
        """Use rules once every source has told of them: all tell the same ones in one order."""
        told_before = min(self._rules_told)
        self._rules_told[told.source] += 1
        if min(self._rules_told) == told_before:
            return
        if self._override is None:
            self._rules = rule_set(told.rules)
        if self.number == 0:
            self._out.append(RulesTold(self.number, self._next(), ts_ms, told.version, told.rules))

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def snapshot(self) -> list[Any]:
        """The whole state in plain values."""
        return [
            self.number,
            self._sources,
            self.next_offset,
            self.evictions.counts,
            [self._rules_told, self._rules.model_dump(mode="json")],
            self._merging.snapshot(_plain_item),
            [[*key, _plain_known(known)] for key, known in self._known.items()],
            [self._sweep_ms, self._sequence, self._count.snapshot()],
            self._prices.snapshot(),
        ]

    @classmethod
    def restored(cls, state: list[Any]) -> "IdentityFold":
        """The fold that a snapshot was taken of."""
        number, sources, next_offset, evicted, rules, merging, known, rest, prices = state
        self = cls(number, sources)
        self.next_offset = next_offset
        self.evictions.counts.update(evicted)
        self._rules_told, in_force = rules
        self._rules = rule_set(in_force)
        self._merging.restore(merging, _restored_item)
        self._known = {Identity(kind, id_): _restored_known(each) for kind, id_, each in known}
        self._sweep_ms, self._sequence, count = rest
        self._count.restore(count)
        self._prices.restore(prices)
        return self


class _Count:
    """What the orders of one minute are like."""

    __slots__ = ("end_ms", "known", "orders", "seen")

    def __init__(self) -> None:
        self.end_ms = NOTHING_MS
        self.orders = 0
        self.known: dict[str, int] = {}
        self.seen: dict[str, int] = {}

    def take(self, order: LinkedOrder, earlier: LinkedOrder | None) -> None:
        """Count the signs of an order that were not known when it was told before."""
        signs, before = order.signs, earlier.signs if earlier is not None else {}
        self.orders += earlier is None
        for sign, is_set in signs.items():
            if sign not in before:
                self.known[sign] = self.known.get(sign, 0) + 1
                if is_set:
                    self.seen[sign] = self.seen.get(sign, 0) + 1

    def snapshot(self) -> list[Any]:
        return [self.end_ms, self.orders, self.known, self.seen]

    def restore(self, state: list[Any]) -> None:
        self.end_ms, self.orders, self.known, self.seen = state


def _is_shared(key: Identity, orders: _Orders, rules: IdentityRingRules) -> bool:
    if key.kind == "buyer":
        return orders.hosts() >= rules.same_rooms
    return orders.buyers() >= _TIED


def _earlier(known: LinkedOrder | _Orders | None, order: LinkedOrder) -> LinkedOrder | None:
    """The same order as it was told before."""
    if isinstance(known, _Orders):
        return known.by_key.get((order.room_id, order.order_id))
    if known is not None and (known.room_id, known.order_id) == (order.room_id, order.order_id):
        return known
    return None


def _last_ms(known: LinkedOrder | _Orders) -> int:
    return known.last_ms if isinstance(known, _Orders) else known.ordered_ms


_ITEMS: dict[str, type[Priced | Closed | RulesTold]] = {
    "priced": Priced,
    "closed": Closed,
    "rules": RulesTold,
}


def _plain_item(item: Item) -> list[Any]:
    if isinstance(item, Link):
        *parts, order = plain(item)
        return ["link", *parts, plain(order)]
    return [item.__struct_config__.tag, *plain(item)]


def _restored_item(state: list[Any]) -> Item:
    what, *parts = state
    if what == "link":
        source, sequence, ts_ms, kind, identity, order = parts
        return Link(source, sequence, ts_ms, kind, identity, LinkedOrder(*order))
    return _ITEMS[what](*parts)


def _plain_known(known: LinkedOrder | _Orders) -> list[Any]:
    if isinstance(known, _Orders):
        orders = [plain(order) for order in known.by_key.values()]
        return [orders, known.is_told, known.is_crowded, known.last_ms]
    return [plain(known)]


def _restored_known(state: list[Any]) -> LinkedOrder | _Orders:
    if len(state) == 1:
        return LinkedOrder(*state[0])
    orders, is_told, is_crowded, last_ms = state
    known = _Orders()
    for each in orders:
        order = LinkedOrder(*each)
        known.by_key[order.room_id, order.order_id] = order
    known.is_told, known.is_crowded, known.last_ms = is_told, is_crowded, last_ms
    return known
