"""How much state may grow: every map of the core has its cap here, and nowhere else.

A map that is full gives up its entries with the oldest event time first (ties by id), a sixteenth
of its cap at a time, so that a hostile stream pays for one sort in thousands of entries. What was
given up is counted by the name of the cap and exported. Worst cases: what a room may hold is the
sum of its caps; a worker holds at most `rooms` times that, in practice what open rooms need.
"""

from collections.abc import Callable, Iterable
from typing import Final, TypeVar

CAPS: Final[dict[str, tuple[int, str]]] = {
    "rooms": (
        200_000,
        "rooms of a partition; one that is given up has its final summary published",
    ),
    "visits": (1_000_000, "open visits of a room; one that is given up ends when last seen"),
    "minute_visits": (
        20_000,
        "longer visits that ended in one room-minute, and viewers who came in it with a device",
    ),
    "silent_stays": (20_000, "long silent visits of a room that ended in the last hour"),
    "suspected_viewers": (
        200_000,
        "suspected viewers of a partition that trusted figures leave out",
    ),
    "orders": (1_000_000, "order ids of a room remembered for 24 h; later repeats count again"),
    "checkouts": (1_000_000, "checkout ids of a room remembered for 24 h"),
    "unpaid": (1_000_000, "checkouts of a room not paid yet; one given up is judged unpaid"),
    "refunds": (1_000_000, "refund ids of a room remembered for 24 h"),
    "refunded_orders": (1_000_000, "orders of a room with a refund, remembered for 24 h"),
    "complaints": (200_000, "complaint ids and states of a room remembered for 24 h"),
    "complaint_courses": (200_000, "complaints of a room whose reply times are measured"),
    "loads": (20_000, "merchants and responsible parties of a room with after-sales figures"),
    "sold_hours": (20_000, "products, merchants and hours of a room with an order"),
    "trials": (20_000, "products of a room whose first hour is known; one given up begins anew"),
    "pitch_minutes": (20_000, "minutes of a room with an order or a refund"),
    "gone": (400_000, "viewers of a room who left in the last half hour or hour"),
    "scored_orders": (20_000, "orders of a room looked at for evidence, of the last 24 h"),
    "suspected_orders": (200_000, "suspected orders of a partition that trusted figures leave out"),
    "ring_orders": (
        200_000,
        "orders of a partition that rings have marked and trusted figures leave out",
    ),
    "waiting_links": (
        500_000,
        "orders that a stage of rings was told while others may still precede them",
    ),
    "identities": (
        1_000_000,
        "devices, payment accounts, addresses and buyers of a partition, of the last 24 h",
    ),
    "orders_of_an_identity": (40, "orders of one identity, of the last 24 h"),
    "tied_orders": (200_000, "orders of the last 24 h under identities that several share"),
    "same_rooms": (500_000, "sets of rooms in which a buyer bought within 24 h"),
    "known_alerts": (
        20_000,
        "alerts whose newest version and verdict metrics know; they forget the longest unchanged",
    ),
    "market_hours": (
        400_000,
        "hours of products in rooms for live figures; growth is not told of weeks that are gone",
    ),
    "evidence_queue": (
        1_000_000,
        "orders, refunds and other facts of a partition that wait for their turn",
    ),
    "open_incidents": (1_000, "open incidents of one detector in a room; one given up ends early"),
    "share_categories": (1_000, "categories of a partition with shares of their own"),
    "recent_complaints": (1_000, "complaints of a room in the last hour"),
    "payment_complaints": (1_000, "complaints of a room of paying elsewhere, in the last hour"),
    "cancellations": (1_000, "cancelled orders of a room in the last hour"),
    "awaited_complaints": (200_000, "complaints of a room that wait for an answer"),
    "list_prices": (10_000, "products of a room whose list price was told"),
    "stocked_products": (10_000, "products of a room whose stock was told"),
    "listed_products": (10_000, "products of a room whose listing was told"),
    "delisted_products": (1_000, "products of a room that were taken off and not listed again"),
    "products": (20_000, "product and merchant pairs of a room with figures"),
    "product_merchants": (20_000, "products of a room whose merchant is known"),
    "room_days": (
        100_000,
        "event days of rooms of a partition; one given up is in no figure of stickiness",
    ),
    "room_day_people": (
        32_000_000,
        "people in the sets of past room-days of a partition, 8 bytes each; the oldest days go",
    ),
}

Key = TypeVar("Key")
Entry = TypeVar("Entry")
_SHARE_GIVEN_UP = 16


def cap(name: str) -> int:
    """The cap of a map by its name in `CAPS`."""
    return CAPS[name][0]


class Evictions:
    """How many entries each full map gave up."""

    __slots__ = ("counts",)

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}

    def count(self, name: str, entries: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + entries

    def give_up_oldest(
        self,
        name: str,
        entries: dict[Key, Entry],
        stamp_of: Callable[[Key], tuple[int, str]],
        limit: int | None = None,
    ) -> list[Key]:
        """Make room in a full map; the keys that went. Without `limit`, the cap of that name."""
        gone = oldest(entries, stamp_of, cap(name) if limit is None else limit)
        for key in gone:
            del entries[key]
        self.count(name, len(gone))
        return gone


def oldest(
    keys: Iterable[Key], stamp_of: Callable[[Key], tuple[int, str]], limit: int
) -> list[Key]:
    """The keys to give up from a map that is over its `limit`, oldest event time first."""
    ordered = sorted(keys, key=stamp_of)
    return ordered[: max(1, limit // _SHARE_GIVEN_UP)]
