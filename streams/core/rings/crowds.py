"""Who buys in the same rooms, and is there more to it? Crowds that share nothing but their rooms.

Loyal customers buy in the same rooms as well, so that alone says nothing. But where many of those
who bought in the same three rooms of different hosts also sent their money straight back, or had
not looked before they bought, they were sent. For each set of rooms and each sign, a buyer's
evidence is the weight of the sign there. Money that went straight back counts by order; the others
are habits of a buyer, and count once, if they hold in each of the rooms. Of the `n` buyers of the
set, the `k` with evidence are taken together; what choosing `k` of `n` could show by chance,
`k * (1 + ln(n / k))`, is taken off. And a good part of all orders of these buyers there must have
the sign: customers of one trade may send back more than others, and are no crowd for that.

State: the evidence of each buyer by room, the buyers of each set of rooms. Caps: `same_rooms`, the
set that was bought in least recently goes first; the eight newest rooms of a buyer.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any, NamedTuple

from schemas.detector_rules import IdentityRingRules
from streams.core import limits
from streams.core.rings.usual import OWN_SIGNS

_ROOMS_OF_A_BUYER = 8
_LEAST_WITH_EVIDENCE = 3  # fewer are no crowd, whatever they did

Rooms = tuple[str, ...]


class Stop(NamedTuple):
    """What a buyer did in one room, all in all.

    Attributes:
        orders: how many.
        seen: how many of them have each sign.
        weights: what each sign that is known of them weighs.
    """

    host_id: str
    orders: int
    seen: dict[str, int]
    weights: dict[str, float]


class _Set:
    """The buyers of a set of rooms, and by sign those with evidence and how much."""

    __slots__ = ("buyers", "evidence", "turn")

    def __init__(self) -> None:
        self.buyers: dict[str, None] = {}
        self.evidence: dict[str, dict[str, float]] = {sign: {} for sign in OWN_SIGNS}
        self.turn = 0


class Crowd(NamedTuple):
    """A set of rooms in which buyers show one sign beyond chance.

    Attributes:
        buyers: those who belong to it, ascending.
        of: all who bought in these rooms.
    """

    score: float
    rooms: Rooms
    sign: str
    buyers: list[str]
    of: int


class Crowds:
    """The buyers of several rooms."""

    __slots__ = ("_evictions", "_sets", "_stops", "_turn")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self._stops: dict[str, dict[str, Stop]] = {}  # of a buyer by room, the newest at the end
        self._sets: dict[Rooms, _Set] = {}
        self._turn = 0

    def bought(
        self, buyer_id: str, room_id: str, stop: Stop, rules: IdentityRingRules
    ) -> list[Rooms]:
        """Take what a buyer did in a room; the sets of rooms in which that counts."""
        self._turn += 1
        stops = self._stops.setdefault(buyer_id, {})
        if room_id not in stops and len(stops) >= _ROOMS_OF_A_BUYER:
            self.left(buyer_id, next(iter(stops)))
        stops.pop(room_id, None)
        stops[room_id] = stop
        touched = list(_sets_with(stops, room_id, rules.same_rooms))
        for rooms in touched:
            self._put(rooms, buyer_id, stops)
        sets = self._sets
        while len(sets) > limits.cap("same_rooms"):
            self._evictions.give_up_oldest(
                "same_rooms", sets, lambda rooms: (sets[rooms].turn, "\0".join(rooms))
            )
        return touched

    def _put(self, rooms: Rooms, buyer_id: str, stops: dict[str, Stop]) -> None:
        found = self._sets.get(rooms)
        if found is None:
            found = self._sets[rooms] = _Set()
        found.turn = self._turn
        found.buyers[buyer_id] = None
        for sign, evidence in found.evidence.items():
            weight = _weight(stops, rooms, sign)
            if weight > 0:
                evidence[buyer_id] = weight
            else:
                evidence.pop(buyer_id, None)

    def left(self, buyer_id: str, room_id: str) -> None:
        """Forget that a buyer bought in a room."""
        stops = self._stops.get(buyer_id)
        if stops is None or stops.pop(room_id, None) is None:
            return
        if not stops:
            del self._stops[buyer_id]
        others = sorted(stops)
        for size in range(1, len(others) + 1):
            for chosen in combinations(others, size):
                self._leave(tuple(sorted((*chosen, room_id))), buyer_id)

    def _leave(self, rooms: Rooms, buyer_id: str) -> None:
        found = self._sets.get(rooms)
        if found is None or buyer_id not in found.buyers:
            return
        del found.buyers[buyer_id]
        for evidence in found.evidence.values():
            evidence.pop(buyer_id, None)
        if not found.buyers:
            del self._sets[rooms]

    def strongest(self, touched: Sequence[Rooms], rules: IdentityRingRules) -> Crowd | None:
        """The crowd with the most evidence in one of these sets of rooms; None without any."""
        best: tuple[float, str, Rooms] | None = None
        for rooms in touched:
            known = self._sets.get(rooms)
            if known is None or len(known.buyers) < rules.same_buyers:
                continue
            for sign in OWN_SIGNS:
                score = _score(known.evidence[sign], len(known.buyers))
                if score < rules.crowd or self._share(rooms, sign) < rules.crowd_share:
                    continue
                if best is None or (score, sign, rooms) > best:
                    best = (score, sign, rooms)
        return None if best is None else self._crowd(*best)

    def _crowd(self, score: float, sign: str, rooms: Rooms) -> Crowd:
        known = self._sets[rooms]
        evidence = known.evidence[sign]
        of, count = len(known.buyers), len(evidence)
        # who belongs to it at even odds, given how many of the others seem to
        least = math.log((of - count + 1) / count)
        buyers = [
            buyer_id
            for buyer_id in sorted(known.buyers)
            if _weight(self._stops[buyer_id], rooms, sign) > least
        ]
        return Crowd(score, rooms, sign, buyers, of)

    def _share(self, rooms: Rooms, sign: str) -> float:
        """How many of all orders of the buyers of a set have a sign."""
        stops = [
            self._stops[buyer_id][room_id]
            for buyer_id in self._sets[rooms].buyers
            for room_id in rooms
        ]
        return sum(stop.seen.get(sign, 0) for stop in stops) / sum(stop.orders for stop in stops)

    def snapshot(self) -> list[Any]:
        return [
            self._turn,
            [
                [buyer_id, [[room_id, *stop] for room_id, stop in stops.items()]]
                for buyer_id, stops in self._stops.items()
            ],
            [
                [list(rooms), each.turn, list(each.buyers), each.evidence]
                for rooms, each in self._sets.items()
            ],
        ]

    def restore(self, state: list[Any]) -> None:
        self._turn, people, sets = state
        for buyer_id, stops in people:
            self._stops[buyer_id] = {room_id: Stop(*parts) for room_id, *parts in stops}
        for rooms, turn, buyers, evidence in sets:
            known = self._sets[tuple(rooms)] = _Set()
            known.turn = turn
            known.buyers = dict.fromkeys(buyers)
            known.evidence = evidence


def _sets_with(stops: dict[str, Stop], room_id: str, size: int) -> Iterator[Rooms]:
    """The sets of so many rooms of different hosts, one of which is this room."""
    others = sorted(each for each in stops if each != room_id)
    for chosen in combinations(others, size - 1):
        rooms = tuple(sorted((*chosen, room_id)))
        if len({stops[each].host_id for each in rooms}) == size:
            yield rooms


def _weight(stops: dict[str, Stop], rooms: Rooms, sign: str) -> float:
    """The evidence that one sign is against a buyer in these rooms."""
    weights = [stops[room_id].weights.get(sign, 0.0) for room_id in rooms]
    return math.fsum(weights) if sign == "quick_refund" else min(weights)


def _score(evidence: dict[str, float], of: int) -> float:
    """How much evidence there is beyond what the choice of those who have it could show."""
    count = len(evidence)
    if count < _LEAST_WITH_EVIDENCE:
        return -math.inf
    return math.fsum(evidence.values()) - count * (1 + math.log(of / count))
