"""How often do strong signs meet in the same orders, and how often would they by chance?

An attack shows in two ways at once, in the same orders. Where nine of ten orders have one sign, for
whatever harmless reason, every other sign meets it sooner or later; that is no second cause. So it
is told beside how often they would meet if the other signs were as frequent as among normal orders.
"""

import math
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from streams.core.integrity.signs import FAMILIES


class Met(NamedTuple):
    """Orders in which signs met, and how many would have by chance."""

    orders: int
    by_chance: float

    def counts(self, least_orders: int, times_chance: float) -> bool:
        """Whether it is often enough to count, and more than chance explains."""
        return self.orders >= max(least_orders, times_chance * self.by_chance)


class Meeting(NamedTuple):
    """Any two signs, and signs of two families."""

    of_signs: Met
    of_families: Met


def meeting(orders: Iterable[Mapping[str, bool]], base: Mapping[str, float]) -> Meeting:
    """How often strong signs met.

    Args:
        orders: the signs of each order.
        base: the strong signs, the weightiest first, with their share among normal orders.
    """
    of_signs = of_families = carriers = 0
    for signs in orders:
        met = [sign for sign in base if signs.get(sign)]
        carriers += bool(met)
        of_signs += len(met) > 1
        of_families += len({FAMILIES[sign] for sign in met}) > 1
    first, *others = base
    apart = [sign for sign in others if FAMILIES[sign] != FAMILIES[first]]
    return Meeting(
        Met(of_signs, carriers * _any_of(others, base)),
        Met(of_families, carriers * _any_of(apart, base)),
    )


def _any_of(signs: Collection[str], base: Mapping[str, float]) -> float:
    """The share of orders that have one of the signs by chance."""
    return 1 - math.prod(1 - base[sign] for sign in signs)
