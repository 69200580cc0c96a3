"""Is it a ring, and how sure is that? What the orders of buyers who are tied, or of a crowd, show.

Tied buyers are a ring where 5 or more of them placed 10 or more orders in 24 h in 3 rooms at most,
and where several things still tie 5 of them if what most of them share is left out: one address is
a dormitory, one account a company's. That is one family of evidence, a review. It is a page where
the orders also carry a sign that has nothing to do with who shares what: no visit before, a young
account, money that went straight back. A crowd shares its rooms and such a sign: two families from
the start.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from schemas.rules import BrushingRules, RuleSet
from streams.core.integrity.detector import MINUTE_MS
from streams.core.integrity.incident import Severity, Sign
from streams.core.integrity.order_signs import IDENTITIES
from streams.core.rings.crowds import Crowd
from streams.core.rings.identities import Identity
from streams.core.rings.tied import Tied, TiedOrder
from streams.core.rings.usual import OWN_SIGNS, Usual, both_weights

_SHOWN_ORDERS = 20
# Beside those who bought in the same rooms: chosen, as no log is known that tells.
_SAME_ROOMS_BASE, _SAME_ROOMS_WEIGHT = 0.01, 3.9


@dataclass(frozen=True, slots=True)
class Found:
    """What looks like a ring.

    Attributes:
        orders: those that count, by event time.
        shared: what holds the buyers together, most shared first; empty for a crowd.
        rooms: where they ordered, ascending.
    """

    orders: list[TiedOrder]
    shared: list[Identity]
    rooms: list[str]
    signs: list[Sign]
    severity: Severity

    @property
    def news(self) -> list[TiedOrder]:
        """Those of the orders that no incident has told of that has ended."""
        return [tied for tied in self.orders if not tied.is_told]

    @property
    def buyers(self) -> list[str]:
        """Who placed the orders, in their order."""
        return list(dict.fromkeys(tied.order.buyer_id for tied in self.orders))


def own_signs(tied: TiedOrder, ts_ms: int, rules: BrushingRules) -> dict[str, bool]:
    """What is known at an event time of an order itself."""
    signs = tied.order.signs
    kept_ms = tied.order.ordered_ms + rules.quick_refund_minutes * MINUTE_MS
    if "quick_refund" not in signs and ts_ms >= kept_ms:
        return {**signs, "quick_refund": False}
    return signs


def ring_of(
    buyers: list[str], tied: Tied, usual: Usual, rules: RuleSet, ts_ms: int
) -> Found | None:
    """The ring that tied buyers are, if they are one."""
    ring = rules.identity_ring
    if len(buyers) < ring.buyers or not _holds(buyers, tied, ring.buyers):
        return None
    orders = [each for buyer_id in buyers for each in tied.orders_of(buyer_id) if each.identities]
    in_room = Counter(each.order.room_id for each in orders)
    rooms = sorted(in_room, key=lambda room_id: (-in_room[room_id], room_id))[: ring.rooms]
    orders = _by_time([each for each in orders if each.order.room_id in rooms])
    distinct = {each.order.buyer_id for each in orders}
    if len(orders) < ring.orders or len(distinct) < ring.buyers:
        return None
    own = [
        sign
        for sign in _own(orders, usual, rules.brushing, ts_ms)
        if sign.weight >= ring.page and sign.seen >= ring.page_orders
    ]
    users: Counter[Identity] = Counter()
    for each in orders:
        users.update(dict.fromkeys(each.identities, 1))
    shared = [each for each in users if tied.are_shared(each)]
    return Found(
        orders=orders,
        shared=sorted(shared, key=lambda each: (-users[each], each)),
        rooms=sorted({each.order.room_id for each in orders}),
        signs=_heaviest_first([*_sharing(orders, tied, rules.brushing), *own]),
        severity="page" if own else "review",
    )


def _holds(buyers: list[str], tied: Tied, least: int) -> bool:
    """Whether so many are still tied without what most of them share, and not by one thing."""
    without = tied.most_shared(buyers)
    left = dict.fromkeys(buyers)
    while len(left) >= least:
        together = tied.tied_to(next(iter(left)), without)
        if len(together) >= least and tied.users(tied.most_shared(together, without)) < len(
            together
        ):
            return True
        for buyer_id in together:
            left.pop(buyer_id, None)
    return False


def crowd_of(crowd: Crowd, tied: Tied, usual: Usual, rules: RuleSet, ts_ms: int) -> Found | None:
    """The ring that a crowd is: its orders in all rooms that enough of it have in common."""
    ring = rules.identity_ring
    of_room: dict[str, list[TiedOrder]] = {}
    for buyer_id in crowd.buyers:
        for each in tied.orders_of(buyer_id):
            if each.is_of_several_rooms:
                of_room.setdefault(each.order.room_id, []).append(each)
    least = min(ring.same_buyers, len(crowd.buyers))
    rooms = sorted(
        room_id
        for room_id, orders in of_room.items()
        if len({each.order.buyer_id for each in orders}) >= least
    )
    orders = _by_time([each for room_id in rooms for each in of_room[room_id]])
    if not orders:
        return None
    together = Sign(
        "same_rooms",
        len(crowd.buyers),
        crowd.of,
        _SAME_ROOMS_BASE,
        len(crowd.buyers) * _SAME_ROOMS_WEIGHT,
        _ids(orders),
    )
    own = [
        sign
        for sign in _own(orders, usual, rules.brushing, ts_ms)
        if sign.name == crowd.sign or (sign.weight >= ring.page and sign.seen >= ring.page_orders)
    ]
    return Found(
        orders=orders,
        shared=[],
        rooms=rooms,
        signs=[together, *_heaviest_first(own)],
        severity="page",
    )


def _own(orders: Sequence[TiedOrder], usual: Usual, rules: BrushingRules, ts_ms: int) -> list[Sign]:
    """The signs of the orders themselves, with what they weigh together."""
    found = []
    signs_of = [(each, own_signs(each, ts_ms, rules)) for each in orders]
    for name in OWN_SIGNS:
        weights, base = usual.weights(name, rules), usual.base(name, rules)
        if weights is None or base is None:
            continue
        known = [(each, signs[name]) for each, signs in signs_of if name in signs]
        having = [each for each, is_set in known if is_set]
        if having:
            weight = len(having) * weights[0] + (len(known) - len(having)) * weights[1]
            found.append(Sign(name, len(having), len(known), base, weight, _ids(having)))
    return found


def _sharing(orders: Sequence[TiedOrder], tied: Tied, rules: BrushingRules) -> list[Sign]:
    """What the orders have to do with each other, by kind of identity."""
    found = []
    for kind in IDENTITIES:
        having = [
            each
            for each in orders
            if any(of.kind == kind and tied.are_shared(of) for of in each.identities)
        ]
        if having:
            rule = getattr(rules, f"shared_{kind}")
            with_it, without = both_weights(rule.base, rule)
            weight = len(having) * with_it + (len(orders) - len(having)) * without
            name = f"shared_{kind}"
            found.append(Sign(name, len(having), len(orders), rule.base, weight, _ids(having)))
    return found


def _heaviest_first(signs: list[Sign]) -> list[Sign]:
    return sorted(signs, key=lambda sign: (-sign.weight, sign.name))


def _by_time(orders: list[TiedOrder]) -> list[TiedOrder]:
    return sorted(orders, key=lambda each: (each.order.ordered_ms, each.key))


def _ids(orders: Sequence[TiedOrder]) -> list[str]:
    return [each.order.order_id for each in orders[-_SHOWN_ORDERS:]]
