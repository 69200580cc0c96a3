"""Random draws that the standard library lacks; each from the given source only."""

from math import exp, sqrt
from random import Random

# Below the 5 s that the event clock waits: no natural event is ever late.
LONGEST_DELAY_MS = 4_000
_TABLE = 512


def seeded(text: str) -> Random:
    """A random source of its own for each purpose, so that one does not disturb another.

    Seeding with text is stable over processes and versions: the text is hashed by SHA-512.
    """
    return Random(text)  # noqa: S311 - a model, not cryptography


def poisson(random: Random, mean: float) -> int:
    """A Poisson count; by the normal approximation from 30 on, where it differs by under 2 %."""
    if mean <= 0:
        return 0
    if mean >= 30:  # noqa: PLR2004 - read above
        return max(0, round(random.gauss(mean, sqrt(mean))))
    limit, product, count = exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count


def network_delays(random: Random) -> list[int]:
    """A table of network delays in ms to draw from: exponential, mean 300, capped."""
    return [min(LONGEST_DELAY_MS, 20 + int(random.expovariate(1 / 300))) for _ in range(_TABLE)]
