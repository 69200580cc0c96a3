"""Both levels of rings in one process: of identities, one partition is as good as several."""

from collections.abc import Sequence

from schemas.links import LinkRecord
from schemas.rules import RuleSet
from streams.core.rings.identities import IdentityFold
from streams.core.rings.ring_fold import RingEmissions, RingFold


class Rings:
    """The rings of a log.

    Args:
        partitions: of `live-events`.
        rules: used instead of what the log puts in force.
    """

    def __init__(self, partitions: int, rules: RuleSet | None = None) -> None:
        self._identities = IdentityFold(0, partitions, rules)
        self._rings = RingFold(1, rules)

    def take(self, links: Sequence[LinkRecord]) -> RingEmissions:
        """Take what partitions have told, each in its own order; what it comes to."""
        first = self._identities.next_offset
        shared = self._identities.fold(range(first, first + len(links)), links)
        first = self._rings.next_offset
        return self._rings.fold(range(first, first + len(shared)), shared)
