"""What became of the events of a partition? Every record has one outcome.

`events = accepted + duplicate + rejected`; late, future and broadcast are parts of accepted
(design, section 7). A refund that is accepted in part is accepted. State: counters of closed sets.
"""

from typing import Any

from schemas.codec import (
    Checkout,
    Complaint,
    Exposure,
    Order,
    Product,
    Refund,
    RoomClosed,
    RoomOpened,
    Rules,
    Tick,
    View,
)
from schemas.errors import Reason
from schemas.records import Counts

_TYPE_NAMES: dict[type, str] = {
    View: "view",
    Order: "order",
    Refund: "refund",
    Exposure: "exposure",
    Checkout: "checkout",
    Complaint: "complaint",
    Product: "product",
    RoomOpened: "room_opened",
    RoomClosed: "room_closed",
    Rules: "rules",
    Tick: "tick",
}


class Tally:
    """Counts by type, reason and kind of time."""

    __slots__ = ("accepted", "broadcast", "duplicates", "future", "late", "rejected")

    def __init__(self) -> None:
        self.accepted: dict[type, int] = dict.fromkeys(_TYPE_NAMES, 0)
        self.duplicates: dict[type, int] = dict.fromkeys(_TYPE_NAMES, 0)
        self.rejected: dict[Reason, int] = {}
        self.late = 0
        self.future = 0
        self.broadcast = 0

    def reject(self, reason: Reason) -> None:
        """Count a record that is refused whole."""
        self.rejected[reason] = self.rejected.get(reason, 0) + 1

    def counts(self) -> Counts:
        """The sums."""
        accepted = sum(self.accepted.values())
        duplicate = sum(self.duplicates.values())
        rejected = sum(self.rejected.values())
        return Counts(
            events=accepted + duplicate + rejected,
            accepted=accepted,
            duplicate=duplicate,
            rejected=rejected,
            late=self.late,
            future=self.future,
            broadcast=self.broadcast,
        )

    def snapshot(self) -> list[Any]:
        return [
            {_TYPE_NAMES[kind]: count for kind, count in self.accepted.items()},
            {_TYPE_NAMES[kind]: count for kind, count in self.duplicates.items()},
            self.rejected,
            [self.late, self.future, self.broadcast],
        ]

    def restore(self, state: list[Any]) -> None:
        accepted, duplicates, self.rejected, (self.late, self.future, self.broadcast) = state
        self.accepted = {kind: accepted[name] for kind, name in _TYPE_NAMES.items()}
        self.duplicates = {kind: duplicates[name] for kind, name in _TYPE_NAMES.items()}


def by_name(counts: dict[type, int]) -> dict[str, int]:
    """Counts by the types' names, those that are not 0."""
    return {_TYPE_NAMES[kind]: count for kind, count in counts.items() if count}
