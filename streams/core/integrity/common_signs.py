"""Which signs are so common in the rooms of a partition that they say nothing there?

A source may tell of few visits, or know addresses by city only; then most honest orders have the
sign, in nearly every room, and rooms that look attacked for it would never teach otherwise. So each
room tells the share of its last orders that have each sign; a sign that more than the rule's share
of the orders have in three quarters of the rooms is common, and counts neither way. An attack would
have to run in as many rooms.

State: what the `_ROOMS` rooms that told last have told. Evicted: who told first.
"""

from typing import Any

from streams.core.integrity.signs import SIGNS

_ROOMS = 32
_LEAST_ROOMS = 4
_LEAST_ORDERS = 10  # a room tells after so many; older orders count half, then a quarter


class RoomShares:
    """How many of the last orders of one room have each sign."""

    __slots__ = ("of", "orders", "seen")

    def __init__(self) -> None:
        self.orders = 0
        self.of = dict.fromkeys(SIGNS, 0)
        self.seen = dict.fromkeys(SIGNS, 0)

    def take(self, signs: dict[str, bool]) -> None:
        """Count the signs of one order."""
        for sign, is_set in signs.items():
            self.of[sign] += 1
            self.seen[sign] += is_set

    def told(self) -> list[float]:
        """The share of each sign in the order of `SIGNS`; older orders weigh less from now on."""
        shares = [self.seen[sign] / self.of[sign] if self.of[sign] else 0.0 for sign in SIGNS]
        self.orders = 0
        for counts in (self.of, self.seen):
            for sign in SIGNS:
                counts[sign] //= 2
        return shares

    def snapshot(self) -> list[Any]:
        return [self.orders, self.of, self.seen]

    def restore(self, state: list[Any]) -> None:
        self.orders, self.of, self.seen = state


class CommonSigns:
    """The signs that are common in a partition.

    Attributes:
        signs: those that say nothing now.
    """

    __slots__ = ("_told", "signs")

    def __init__(self) -> None:
        self._told: dict[str, list[float]] = {}  # room -> shares, who told last at the end
        self.signs: frozenset[str] = frozenset()

    def ordered(self, room_id: str, shares: RoomShares, common_share: float) -> None:
        """Learn from a room in which one more order was taken."""
        shares.orders += 1
        if shares.orders < _LEAST_ORDERS:
            return
        self._told.pop(room_id, None)
        self._told[room_id] = shares.told()
        if len(self._told) > _ROOMS:
            del self._told[next(iter(self._told))]
        self._judge(common_share)

    def _judge(self, common_share: float) -> None:
        if len(self._told) < _LEAST_ROOMS:
            return
        lower_quarter = len(self._told) // 4
        of_sign = zip(*self._told.values(), strict=True)
        self.signs = frozenset(
            sign
            for sign, shares in zip(SIGNS, of_sign, strict=True)
            if sorted(shares)[lower_quarter] > common_share
        )

    def snapshot(self) -> list[Any]:
        told = [[room_id, shares] for room_id, shares in self._told.items()]
        return [told, sorted(self.signs)]

    def restore(self, state: list[Any]) -> None:
        told, signs = state
        self._told = dict(told)
        self.signs = frozenset(signs)
