"""What do detectors look at? Facts of a room, when the watermark has passed them.

A fact is an order with what was known when it came (`ScoredOrder`), an accepted refund, complaint
or product event as the contract has it, a cancellation with whether its buyer was there, a minute
that has closed, a stretch of them, or a moment that was waited for: when an order may be taken as
kept, when a complaint should have been answered. Those that wait become plain values for a
checkpoint and come back.
"""

from typing import Any, Final, NamedTuple

from schemas import codec
from schemas.codec import Complaint, Product, Refund
from streams.core.integrity.order_signs import ScoredOrder
from streams.core.integrity.stretch import Stretch
from streams.core.pane import Pane


class Kept(NamedTuple):
    """An order whose money has not come back for so long that it did not come back at once."""

    order_id: str


class Due(NamedTuple):
    """A complaint whose deadline on a service level has passed a millisecond ago."""

    complaint_id: str
    level: str


class Cancelled(NamedTuple):
    """An order that was cancelled before it was shipped.

    Attributes:
        is_here: whether its buyer was in the room then.
    """

    order_id: str
    buyer_id: str
    is_here: bool


class Minute(NamedTuple):
    """A closed minute of a room; its time is its end.

    Attributes:
        online: visits open at its end.
        visits: visits that started in it.
        orders: paid in it.
        left: visits that ended by `leave` in it, and `lapsed` those that ended unseen.
        actions: comments, likes and clicks in it.
        closed: whether the room closed in it.
    """

    online: int
    visits: int
    orders: int
    left: int
    lapsed: int
    actions: int
    closed: bool

    @classmethod
    def of(cls, pane: Pane, online: int) -> "Minute":
        """What a closed pane tells."""
        return cls(
            online,
            pane.visits,
            pane.orders,
            max(0, pane.visits - pane.online_change - pane.lapsed),
            pane.lapsed,
            pane.comments + pane.likes + pane.clicks,
            pane.closings > 0,
        )


# What waits in the queue, and what is taken at once.
Waiting = ScoredOrder | Refund | Complaint | Product | Kept | Due | Cancelled
Fact = Waiting | Minute | Stretch
_TUPLES: Final[dict[str, type[Kept | Due | Cancelled]]] = {
    "kept": Kept,
    "due": Due,
    "cancelled": Cancelled,
}


def plain(fact: Waiting) -> list[Any]:
    """A fact as plain values."""
    if isinstance(fact, ScoredOrder):
        return ["order", fact.snapshot()]
    if isinstance(fact, Kept | Due | Cancelled):
        return [type(fact).__name__.lower(), list(fact)]
    return ["event", codec.encode(fact)]


def restored(state: list[Any]) -> Waiting:
    """The fact that plain values stand for."""
    kind, saved = state
    if kind == "order":
        return ScoredOrder.restored(saved)
    if kind == "event":
        event = codec.decode(saved)
        assert isinstance(event, Refund | Complaint | Product)
        return event
    return _TUPLES[kind](*saved)
