"""How often have orders each sign of which nothing is shared? What a ring is held against.

Level 1 counts the signs of all orders by minute; those that come to level 2, since they share
something, are taken off. So rings do not teach that rings are normal. The base of a sign is its
share in what is left, or in the last hour of that where it is more (a payment channel is down, and
all cancel), pulled to the start value of the rules. A sign that is more common than
`GREATEST_BASE` says nothing. Sums over all partitions do not depend on how many there are.

State: sums, and the counts of the last hour by minute. No cap is needed.
"""

from typing import Any

from schemas.links import Counted, LinkedOrder
from schemas.rules import BrushingRules, SignRule
from streams.core.integrity.detector import MINUTE_MS
from streams.core.integrity.signs import GREATEST_BASE, LEAST_BASE, PRIOR_ORDERS, weight

OWN_SIGNS = ("no_visit", "tiny_dwell", "repeat_buyer", "young_account", "quick_refund")
_HOUR_MS = 3_600_000
# Memory is halved at so many orders, so that a base follows the season.
_HALVED_AT = 20_000


class _Counts:
    """Of how many orders each sign is known, and of how many it is set."""

    __slots__ = ("known", "seen")

    def __init__(self) -> None:
        self.known = dict.fromkeys(OWN_SIGNS, 0)
        self.seen = dict.fromkeys(OWN_SIGNS, 0)

    def add(self, orders: int, known: dict[str, int], seen: dict[str, int]) -> None:
        for sign in OWN_SIGNS:
            # nobody tells that money did not go back
            self.known[sign] += orders if sign == "quick_refund" else known.get(sign, 0)
            self.seen[sign] += seen.get(sign, 0)

    def take_back(self, other: "_Counts") -> None:
        for sign in OWN_SIGNS:
            self.known[sign] -= other.known[sign]
            self.seen[sign] -= other.seen[sign]

    def halve(self) -> None:
        for counts in (self.known, self.seen):
            for sign in OWN_SIGNS:
                counts[sign] //= 2

    def share(self, sign: str, start: float) -> float:
        """The share of orders with a sign, pulled to a start value."""
        # what is shared may be taken off a moment before its minute is counted
        known, seen = max(0, self.known[sign]), max(0, self.seen[sign])
        return (start * PRIOR_ORDERS + seen) / (PRIOR_ORDERS + known)


class Usual:
    """What orders are like."""

    __slots__ = ("_all", "_hour", "_minutes")

    def __init__(self) -> None:
        self._all = _Counts()
        self._hour = _Counts()
        self._minutes: dict[int, _Counts] = {}  # by their ends, ascending

    def take(self, counted: Counted) -> None:
        """Take the orders of a minute, as one source counted them."""
        self._add(counted.ts_ms, counted.orders, counted.known, counted.seen)

    def take_off(self, order: LinkedOrder, earlier: LinkedOrder | None, ts_ms: int) -> None:
        """Take off an order that shares something, or what is known of it by now."""
        before = earlier.signs if earlier is not None else {}
        news = {sign: is_set for sign, is_set in order.signs.items() if sign not in before}
        known = dict.fromkeys(news, -1)
        seen = {sign: -1 for sign, is_set in news.items() if is_set}
        self._add(ts_ms - ts_ms % MINUTE_MS + MINUTE_MS, -1 if earlier is None else 0, known, seen)

    def _add(self, end_ms: int, orders: int, known: dict[str, int], seen: dict[str, int]) -> None:
        self._all.add(orders, known, seen)
        if max(self._all.known.values()) >= _HALVED_AT:
            self._all.halve()
        self._hour.add(orders, known, seen)
        minute = self._minutes.get(end_ms)
        if minute is None:
            minute = self._minutes[end_ms] = _Counts()
            for old_ms in [each for each in self._minutes if each <= end_ms - _HOUR_MS]:
                self._hour.take_back(self._minutes.pop(old_ms))
        minute.add(orders, known, seen)

    def base(self, sign: str, rules: BrushingRules) -> float | None:
        """The share of orders that have a sign; None if it is too common to say anything."""
        start = getattr(rules, sign).base
        share = max(self._all.share(sign, start), self._hour.share(sign, start))
        return max(LEAST_BASE, share) if share <= GREATEST_BASE else None

    def weights(self, sign: str, rules: BrushingRules) -> tuple[float, float] | None:
        """What an order with a sign, and one without it, add to the evidence."""
        base, rule = self.base(sign, rules), getattr(rules, sign)
        if base is None or not rule.enabled:
            return None
        return both_weights(base, rule)

    def snapshot(self) -> list[Any]:
        minutes = [[end_ms, each.known, each.seen] for end_ms, each in self._minutes.items()]
        return [self._all.known, self._all.seen, minutes]

    def restore(self, state: list[Any]) -> None:
        self._all.known, self._all.seen, minutes = state
        for end_ms, known, seen in minutes:
            minute = self._minutes[end_ms] = _Counts()
            minute.known, minute.seen = known, seen
            for sign in OWN_SIGNS:
                self._hour.known[sign] += known[sign]
                self._hour.seen[sign] += seen[sign]


def both_weights(base: float, rule: SignRule) -> tuple[float, float]:
    """What an order with a sign of such a base adds, and what one without it does."""
    return weight(base, rule, is_set=True), weight(base, rule, is_set=False)
