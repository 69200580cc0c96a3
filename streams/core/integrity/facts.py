"""What do detectors look at? Facts of a room, queued until the watermark has passed them.

A fact is an order with what was known when it came (`ScoredOrder`), an accepted refund, complaint
or product event as the contract has it, a minute that has closed, or the moment at which an order
may be taken as kept. Facts become plain values for a checkpoint and come back.
"""

from typing import Any, Final, NamedTuple

from schemas import codec
from schemas.codec import Complaint, Product, Refund
from streams.core.integrity.order_signs import ScoredOrder


class Kept(NamedTuple):
    """An order whose money has not come back for so long that it did not come back at once."""

    order_id: str


class Minute(NamedTuple):
    """A closed minute of a room; its time in the queue is its end.

    Attributes:
        online: visits open at its end.
        visits: visits that started in it.
        orders: paid in it.
    """

    online: int
    visits: int
    orders: int


Fact = ScoredOrder | Refund | Complaint | Product | Kept | Minute
_TUPLES: Final[dict[str, type[Kept | Minute]]] = {"kept": Kept, "minute": Minute}


def plain(fact: Fact) -> list[Any]:
    """A fact as plain values."""
    if isinstance(fact, ScoredOrder):
        return ["order", fact.snapshot()]
    if isinstance(fact, Kept | Minute):
        return [type(fact).__name__.lower(), list(fact)]
    return ["event", codec.encode(fact)]


def restored(state: list[Any]) -> Fact:
    """The fact that plain values stand for."""
    kind, saved = state
    if kind == "order":
        return ScoredOrder.restored(saved)
    if kind == "event":
        event = codec.decode(saved)
        assert isinstance(event, Refund | Complaint | Product)
        return event
    return _TUPLES[kind](*saved)
