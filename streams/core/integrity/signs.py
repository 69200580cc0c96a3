"""Which yes/no signs of an order are evidence, and how much does each weigh?

A sign weighs the logarithm of how much likelier it is under attack than among normal orders:
`ln(p1 / p0)` where it is set, `ln((1 - p1) / (1 - p0))` where it is not. p0 is the partition's own
running share, learned from rooms that are not under review, pulled to the rule's start value with
the weight of `PRIOR_ORDERS`, and clamped, so that neither a poisoned nor an empty history can turn
a sign around.

State: two counters a sign. No cap is needed.
"""

import math
from typing import Any, Final

from schemas.rules import BrushingRules, Family, SignRule

FAMILIES: Final[dict[str, Family]] = {
    "no_visit": "presence",
    "tiny_dwell": "presence",
    "shared_device": "identity",
    "shared_payment": "identity",
    "shared_address": "identity",
    "repeat_buyer": "account",
    "young_account": "account",
    "quick_refund": "money_back",
}
SIGNS: Final = tuple(FAMILIES)

PRIOR_ORDERS = 50
LEAST_BASE, GREATEST_BASE = 0.002, 0.3
# Learning halves its memory at so many orders, so that a base follows the season.
_HALVED_AT = 20_000
_MOST_UNDER_ATTACK = 0.9


class BaseRates:
    """How often each sign is set among normal orders of a partition."""

    __slots__ = ("_orders", "_set")

    def __init__(self) -> None:
        self._orders = dict.fromkeys(SIGNS, 0)
        self._set = dict.fromkeys(SIGNS, 0)

    def learn(self, sign: str, *, is_set: bool) -> None:
        """Take a sign of an order in a room that is not under review."""
        self._orders[sign] += 1
        self._set[sign] += is_set
        if self._orders[sign] >= _HALVED_AT:
            self._orders[sign] //= 2
            self._set[sign] //= 2

    def base(self, sign: str, rules: BrushingRules) -> float:
        """The share of normal orders that have the sign."""
        start: float = getattr(rules, sign).base
        share = (start * PRIOR_ORDERS + self._set[sign]) / (PRIOR_ORDERS + self._orders[sign])
        return max(LEAST_BASE, min(GREATEST_BASE, share))

    def weight(self, sign: str, rules: BrushingRules, *, is_set: bool) -> float:
        """What the sign of one order adds to the suspicion; negative where it is not set."""
        return weight(self.base(sign, rules), getattr(rules, sign), is_set=is_set)

    def snapshot(self) -> list[Any]:
        return [self._orders, self._set]

    def restore(self, state: list[Any]) -> None:
        self._orders, self._set = state


def weight(base: float, rule: SignRule, *, is_set: bool) -> float:
    """How much likelier it is under attack than at a base share that a sign is, or is not, set."""
    attack = max(rule.under_attack, min(_MOST_UNDER_ATTACK, 4 * base))
    return math.log(attack / base) if is_set else math.log((1 - attack) / (1 - base))
