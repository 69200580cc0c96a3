"""Events of any number of rooms at any rate, where the festival session is too special.

What viewers do is drawn from the shares that the festival session shows; rooms and viewers are
drawn evenly. Seeded: the same seed gives the same events.
"""

from collections.abc import Iterator
from random import Random

from schemas.codec import (
    Checkout,
    Exposure,
    Order,
    RoomEvent,
    RoomOpened,
    View,
    encode,
)

START_MS = 1_762_774_200_000
# Per mille of the festival session at its usual size.
_SHARES = {
    "heartbeat": 429,
    "enter": 125,
    "leave": 123,
    "click": 80,
    "like": 78,
    "comment": 64,
    "exposure": 43,
    "checkout": 20,
    "order": 20,
    "cart": 8,
    "share": 5,
    "follow": 5,
}
_VIEWERS_OF_A_ROOM = 500
_PRODUCTS_OF_A_ROOM = 30


class Traffic:
    """Draws one event after another."""

    def __init__(self, rooms: int, seed: int = 1) -> None:
        self._random = Random(seed)
        self._rooms = [f"room-{number:05}" for number in range(rooms)]
        self._kinds = list(_SHARES)
        self._weights = [sum(list(_SHARES.values())[: at + 1]) for at in range(len(_SHARES))]
        self._number = 0

    def openings(self, ts_ms: int) -> list[RoomEvent]:
        """Every room opens."""
        return [opening(room_id, ts_ms) for room_id in self._rooms]

    def event(self, ts_ms: int) -> RoomEvent:
        """The next event, at a stamp."""
        random = self._random
        self._number += 1
        room_id = self._rooms[int(random.random() * len(self._rooms))]
        viewer_id = f"viewer-{int(random.random() * _VIEWERS_OF_A_ROOM)}-{room_id}"
        product_id = f"product-{int(random.random() * _PRODUCTS_OF_A_ROOM)}"
        (kind,) = random.choices(self._kinds, cum_weights=self._weights)
        common = {"event_id": f"event-{self._number}", "ts_ms": ts_ms, "room_id": room_id}
        if kind in ("order", "checkout"):
            paid = {
                "order_id": f"order-{self._number // 2}",
                "buyer_id": viewer_id,
                "product_id": product_id,
                "quantity": 1,
                "amount_minor": 9_900,
            }
            return Order(**common, **paid) if kind == "order" else Checkout(**common, **paid)
        if kind == "exposure":
            return Exposure(**common, impressions=200, product_id=product_id)
        shown = product_id if kind in ("click", "cart") else None
        return View(**common, viewer_id=viewer_id, action=kind, product_id=shown)


def opening(room_id: str, ts_ms: int) -> RoomOpened:
    """A room opens."""
    return RoomOpened(
        event_id=f"open-{room_id}",
        ts_ms=ts_ms,
        room_id=room_id,
        host_id=f"host-of-{room_id}",
        mode="store",
        category="food",
        currency="CNY",
    )


def recorded(rooms: int, events: int, events_per_second: int) -> list[bytes]:
    """A session of so many events after the openings, in memory."""
    traffic = Traffic(rooms)
    values = [encode(event) for event in traffic.openings(START_MS)]
    for number in range(events):
        values.append(encode(traffic.event(START_MS + number * 1000 // events_per_second)))
    return values


def all_present(rooms: int, viewers: int, chunk: int) -> Iterator[list[bytes]]:
    """So many viewers enter so many rooms within a minute and stay; in chunks."""
    values = [encode(opening(f"room-{number:05}", START_MS)) for number in range(rooms)]
    for number in range(viewers):
        room_id = f"room-{number % rooms:05}"
        event = View(
            event_id=f"event-{number}",
            ts_ms=START_MS + number * 60_000 // viewers,
            room_id=room_id,
            viewer_id=f"viewer-{number:07}",
            action="enter",
        )
        values.append(encode(event))
        if len(values) >= chunk:
            yield values
            values = []
    yield values
