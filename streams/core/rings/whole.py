"""Both levels of rings in one process, with the records that topics of as many partitions carry."""

from collections.abc import Sequence

from schemas.links import LinkRecord, link_targets
from schemas.rules import RuleSet
from streams.core.rings.identities import IdentityFold
from streams.core.rings.ring_fold import RingEmissions, RingFold


class Rings:
    """The rings of a log.

    Args:
        partitions: of `live-events`, and so of identities.
        rules: used instead of what the log puts in force.
    """

    def __init__(self, partitions: int, rules: RuleSet | None = None) -> None:
        self.identities = [IdentityFold(number, partitions, rules) for number in range(partitions)]
        self.fold = RingFold(partitions, rules)
        self._queues: list[list[LinkRecord]] = [[] for _ in self.identities]

    def take(self, links: Sequence[LinkRecord]) -> RingEmissions:
        """Take what partitions have told, each in its own order; what it comes to."""
        queues = self._queues
        for link in links:
            for number in link_targets(link, len(queues)):
                queues[number].append(link)
        shared: list[LinkRecord] = []
        for level, queue in zip(self.identities, queues, strict=True):
            shared += level.fold(range(level.next_offset, level.next_offset + len(queue)), queue)
            queue.clear()
        first = self.fold.next_offset
        return self.fold.fold(range(first, first + len(shared)), shared)
