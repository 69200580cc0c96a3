"""One paid order as the generator knows it."""

from typing import NamedTuple

from producers.generator.catalogue import Goods


class Sale(NamedTuple):
    """A paid order: enough to send it again, to pay it back or to complain about it."""

    order_id: str
    buyer_id: str
    goods: Goods
    amount_minor: int
    ts_ms: int
    arrival_ms: int
    record: bytes
