"""How often has any order each sign, all over the platform? What a ring's orders are held against.

Level 1 counts the signs of all orders by minute. The base of a sign is its share in all of them, or
in the last hour where that is more (a payment channel is down, and all cancel), pulled to the
start value of the rules. A sign that is more common than `GREATEST_BASE` says nothing. Sums over
all partitions do not depend on how many there are.

State: sums, and the counts of the last hour by minute. No cap is needed.
"""

from typing import Any

from schemas.links import Counted
from schemas.rules import BrushingRules, SignRule
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

    def add(self, counted: Counted, times: int = 1) -> None:
        for sign in OWN_SIGNS:
            # nobody tells that money did not go back
            known = counted.orders if sign == "quick_refund" else counted.known.get(sign, 0)
            self.known[sign] += times * known
            self.seen[sign] += times * counted.seen.get(sign, 0)

    def halve(self) -> None:
        for counts in (self.known, self.seen):
            for sign in OWN_SIGNS:
                counts[sign] //= 2

    def share(self, sign: str, start: float) -> float:
        """The share of orders with a sign, pulled to a start value."""
        return (start * PRIOR_ORDERS + self.seen[sign]) / (PRIOR_ORDERS + self.known[sign])


class Usual:
    """What orders are like."""

    __slots__ = ("_all", "_hour", "_minutes")

    def __init__(self) -> None:
        self._all = _Counts()
        self._hour = _Counts()
        self._minutes: list[Counted] = []

    def take(self, counted: Counted) -> None:
        """Take the orders of a minute of one source; minutes come in order."""
        self._all.add(counted)
        if max(self._all.known.values()) >= _HALVED_AT:
            self._all.halve()
        self._hour.add(counted)
        self._minutes.append(counted)
        while self._minutes[0].ts_ms <= counted.ts_ms - _HOUR_MS:
            self._hour.add(self._minutes.pop(0), -1)

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
        return [
            self._all.known,
            self._all.seen,
            [
                [each.source, each.sequence, each.ts_ms, each.orders, each.known, each.seen]
                for each in self._minutes
            ],
        ]

    def restore(self, state: list[Any]) -> None:
        self._all.known, self._all.seen, minutes = state
        self._minutes = [Counted(*parts) for parts in minutes]
        for counted in self._minutes:
            self._hour.add(counted)


def both_weights(base: float, rule: SignRule) -> tuple[float, float]:
    """What an order with a sign of such a base adds, and what one without it does."""
    return weight(base, rule, is_set=True), weight(base, rule, is_set=False)
