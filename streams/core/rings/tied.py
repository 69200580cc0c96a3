"""Which orders do buyers share something in, and who is tied to whom by it?

Buyers are tied who used one device, payment account or address within 24 h, and whoever is tied to
one of them. Ties are looked through from a buyer on, so that an order that is a day old, and a
house that turns out to be a dormitory, tie nobody from that moment on; a union-find cannot let go.

State: orders under shared identities, of the last 24 h. Cap: `tied_orders`, the oldest go first.
"""

from heapq import heapify, heappop, heappush
from typing import Any

from schemas.links import Link, LinkedOrder, plain
from streams.core import limits
from streams.core.rings.identities import DAY_MS, Identity, OrderKey

# So many buyers are looked through at most: a ring of more is found all the same.
_MOST_BUYERS = 200


class TiedOrder:
    """An order under what several share.

    Attributes:
        identities: the shared ones it was told under.
        is_of_several_rooms: whether its buyer bought from several hosts.
        marked_minor: what had gone back of it when it was marked last; None if it is not marked.
        is_told: whether it belongs to an incident that has ended: evidence for no other.
    """

    __slots__ = ("identities", "is_of_several_rooms", "is_told", "marked_minor", "order")

    def __init__(self, order: LinkedOrder) -> None:
        self.order = order
        self.identities: dict[Identity, None] = {}
        self.is_of_several_rooms = False
        self.is_told = False
        self.marked_minor: int | None = None

    @property
    def key(self) -> OrderKey:
        """Its room and id."""
        return self.order.room_id, self.order.order_id


class Tied:
    """The orders that several buyers share something in."""

    __slots__ = ("_evictions", "_oldest", "_people", "_ties", "orders")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.orders: dict[OrderKey, TiedOrder] = {}
        self._people: dict[str, dict[OrderKey, None]] = {}
        self._ties: dict[Identity, dict[str, int]] = {}  # buyer -> orders
        self._oldest: list[tuple[int, OrderKey]] = []

    def known(self, order: LinkedOrder) -> LinkedOrder | None:
        """The order as it was told before."""
        tied = self.orders.get((order.room_id, order.order_id))
        return tied.order if tied is not None else None

    def take(self, link: Link) -> TiedOrder:
        """Take an order under a shared identity, or under a buyer of several rooms."""
        order = link.order
        key = (order.room_id, order.order_id)
        tied = self.orders.get(key)
        if tied is None:
            tied = self.orders[key] = TiedOrder(order)
            self._people.setdefault(order.buyer_id, {})[key] = None
            heappush(self._oldest, (order.ordered_ms, key))
        tied.order = order
        if link.kind == "buyer":
            tied.is_of_several_rooms = True
            return tied
        identity = Identity(link.kind, link.identity)
        if identity not in tied.identities:
            tied.identities[identity] = None
            buyers = self._ties.setdefault(identity, {})
            buyers[order.buyer_id] = buyers.get(order.buyer_id, 0) + 1
        return tied

    def crowded(self, identity: Identity) -> None:
        """So many share an identity that it ties nobody."""
        for buyer_id in self._ties.pop(identity, {}):
            for key in self._people[buyer_id]:
                self.orders[key].identities.pop(identity, None)

    def forget(self, ts_ms: int) -> list[TiedOrder]:
        """Forget the orders that are a day old, and those that are too many; which those are."""
        gone = []
        while self._oldest and self._oldest[0][0] <= ts_ms - DAY_MS:
            gone.append(self._drop_oldest())
        while len(self.orders) > limits.cap("tied_orders"):
            gone.append(self._drop_oldest())
            self._evictions.count("tied_orders")
        return gone

    def _drop_oldest(self) -> TiedOrder:
        _, key = heappop(self._oldest)
        tied = self.orders.pop(key)
        buyer_id = tied.order.buyer_id
        people = self._people[buyer_id]
        del people[key]
        if not people:
            del self._people[buyer_id]
        for identity in tied.identities:
            buyers = self._ties[identity]
            buyers[buyer_id] -= 1
            if not buyers[buyer_id]:
                del buyers[buyer_id]
            if not buyers:
                del self._ties[identity]
        return tied

    def orders_of(self, buyer_id: str) -> list[TiedOrder]:
        """The orders of a buyer."""
        return [self.orders[key] for key in self._people.get(buyer_id, ())]

    def tied_to(self, buyer_id: str, without: Identity | None = None) -> list[str]:
        """Who is tied to a buyer, the buyer first.

        Args:
            buyer_id: from whom ties are followed.
            without: an identity that is taken to tie nobody.
        """
        found = {buyer_id: None}
        looked_at = {} if without is None else {without: None}
        waiting = [buyer_id]
        while waiting and len(found) < _MOST_BUYERS:
            for tied in self.orders_of(waiting.pop(0)):
                for identity in tied.identities:
                    if identity in looked_at:
                        continue
                    looked_at[identity] = None
                    for other in sorted(self._ties[identity]):
                        if other not in found:
                            found[other] = None
                            waiting.append(other)
        return list(found)

    def most_shared(self, buyers: list[str], without: Identity | None = None) -> Identity | None:
        """What most of these buyers share, besides `without`."""
        identities = {
            identity
            for buyer_id in buyers
            for tied in self.orders_of(buyer_id)
            for identity in tied.identities
            if identity != without
        }
        return max(sorted(identities), key=lambda each: len(self._ties[each]), default=None)

    def users(self, identity: Identity | None) -> int:
        """How many buyers use an identity."""
        return len(self._ties.get(identity, ())) if identity is not None else 0

    def are_shared(self, identity: Identity) -> bool:
        """Whether two buyers or more use an identity."""
        return self.users(identity) > 1

    def snapshot(self) -> list[Any]:
        return [
            [
                plain(tied.order),
                [list(identity) for identity in tied.identities],
                tied.is_of_several_rooms,
                tied.is_told,
                tied.marked_minor,
            ]
            for tied in self.orders.values()
        ]

    def restore(self, state: list[Any]) -> None:
        for parts, identities, *rest in state:
            tied = TiedOrder(LinkedOrder(*parts))
            order, key = tied.order, tied.key
            tied.is_of_several_rooms, tied.is_told, tied.marked_minor = rest
            self.orders[key] = tied
            self._people.setdefault(order.buyer_id, {})[key] = None
            self._oldest.append((order.ordered_ms, key))
            for kind, id_ in identities:
                identity = Identity(kind, id_)
                tied.identities[identity] = None
                buyers = self._ties.setdefault(identity, {})
                buyers[order.buyer_id] = buyers.get(order.buyer_id, 0) + 1
        heapify(self._oldest)
