"""Nothing but orders: what one costs to fold, and what remembering it for a day takes.

Usage: order_rush ROOMS ORDERS. Every order is of another buyer, which is the dearest case.
"""

import json
import os
import sys
from collections.abc import Iterator

from benchmarks.timing import rates
from benchmarks.traffic import START_MS, opening
from benchmarks.usage import resident_mb
from schemas.codec import Order, encode
from streams.collector import collect_rarely
from streams.embedded import EmbeddedRun

_CHUNK = 6_000
_ORDERS_PER_SECOND = 5_000


def main(rooms: int, orders: int) -> None:
    """Fold the orders of so many rooms."""
    collect_rarely()
    run = EmbeddedRun()
    run.feed([encode(opening(f"room-{number:05}", START_MS)) for number in range(rooms)])
    chunks = list(_chunks(rooms, orders))
    empty_mb = resident_mb(os.getpid())

    def fold() -> None:
        for chunk in chunks:
            run.feed(chunk)

    found = rates(orders, fold)
    taken = sum(room.ledger.orders for each in run.partitions for room in each.rooms.values())
    assert taken == orders, "every order counts"
    used_mb = resident_mb(os.getpid()) - empty_mb
    print(json.dumps({**found, "bytes_per_order": used_mb * 1e6 / orders}))


def _chunks(rooms: int, orders: int) -> Iterator[list[bytes]]:
    for first in range(0, orders, _CHUNK):
        yield [_order(rooms, number) for number in range(first, min(first + _CHUNK, orders))]


def _order(rooms: int, number: int) -> bytes:
    return encode(
        Order(
            event_id=f"event-{number}",
            ts_ms=START_MS + number * 1_000 // _ORDERS_PER_SECOND,
            room_id=f"room-{number % rooms:05}",
            order_id=f"order-{number}",
            buyer_id=f"buyer-{number}",
            product_id=f"product-{number % 30}",
            quantity=1,
            amount_minor=9_900,
        )
    )


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
