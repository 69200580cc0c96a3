"""Events of any number of rooms at any rate, where the festival session is too special.

What viewers do is drawn from the shares that the festival session shows; rooms and viewers are
drawn evenly, with as many viewers in a room as each being seen once a minute makes. Seeded: the
same seed gives the same events.
"""

from collections.abc import Iterator
from random import Random
from typing import Literal, get_args

from schemas.codec import Checkout, Exposure, Order, RoomEvent, RoomOpened, View, encode
from schemas.events import Action

START_MS = 1_762_774_200_000
# Per mille of the festival session at its usual size; what is missing to 1,000 is rare there.
_VIEW_SHARES: dict[Action, int] = {
    "heartbeat": 429,
    "enter": 125,
    "leave": 123,
    "click": 80,
    "like": 78,
    "comment": 64,
    "cart": 8,
    "share": 5,
    "follow": 5,
    "gift": 3,
}
_OTHER_SHARES: dict[Literal["exposure", "checkout", "order"], int] = {
    "exposure": 43,
    "checkout": 20,
    "order": 17,
}
_PRODUCTS_OF_A_ROOM = 30
_SEEN_EACH_SECONDS = 60
_FEWEST_VIEWERS = 10


class Traffic:
    """Draws one event after another."""

    def __init__(self, rooms: int, events_per_second: float, seed: int = 1) -> None:
        self._random = Random(seed)
        self._rooms = [f"room-{number:05}" for number in range(rooms)]
        self._viewers = max(_FEWEST_VIEWERS, round(events_per_second / rooms * _SEEN_EACH_SECONDS))
        self._kinds = (*_VIEW_SHARES, *_OTHER_SHARES)
        self._weights = (*_VIEW_SHARES.values(), *_OTHER_SHARES.values())
        self._number = 0

    def openings(self, ts_ms: int) -> list[RoomEvent]:
        """Every room opens."""
        return [opening(room_id, ts_ms) for room_id in self._rooms]

    def event(self, ts_ms: int) -> RoomEvent:
        """The next event, at a stamp."""
        random = self._random
        self._number += 1
        event_id = f"event-{self._number}"
        room_id = random.choice(self._rooms)
        viewer_id = f"viewer-{random.randrange(self._viewers)}-{room_id}"
        product_id = f"product-{random.randrange(_PRODUCTS_OF_A_ROOM)}"
        (kind,) = random.choices(self._kinds, self._weights)
        match kind:
            case "exposure":
                return Exposure(
                    event_id=event_id,
                    ts_ms=ts_ms,
                    room_id=room_id,
                    impressions=200,
                    product_id=product_id,
                )
            case "order" | "checkout":
                make = Order if kind == "order" else Checkout
                return make(
                    event_id=event_id,
                    ts_ms=ts_ms,
                    room_id=room_id,
                    order_id=event_id,
                    buyer_id=viewer_id,
                    product_id=product_id,
                    quantity=1,
                    amount_minor=9_900,
                )
            case _:
                return View(
                    event_id=event_id,
                    ts_ms=ts_ms,
                    room_id=room_id,
                    viewer_id=viewer_id,
                    action=kind,
                    product_id=product_id if kind in ("click", "cart") else None,
                )


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


def recorded(rooms: int, events: int, events_per_second: float) -> tuple[list[bytes], list[bytes]]:
    """The openings of all rooms, and so many events after them; in memory."""
    traffic = Traffic(rooms, events_per_second)
    openings = [encode(event) for event in traffic.openings(START_MS)]
    stamps = (START_MS + int(number * 1000 / events_per_second) for number in range(events))
    return openings, [encode(traffic.event(ts_ms)) for ts_ms in stamps]


def all_present(rooms: int, viewers: int, chunk: int) -> Iterator[list[bytes]]:
    """So many viewers enter so many rooms within a minute and stay; in chunks."""
    values = [encode(opening(f"room-{number:05}", START_MS)) for number in range(rooms)]
    for number in range(viewers):
        event = View(
            event_id=f"event-{number}",
            ts_ms=START_MS + number * 60_000 // viewers,
            room_id=f"room-{number % rooms:05}",
            viewer_id=f"viewer-{number:07}",
            action="enter",
        )
        values.append(encode(event))
        if len(values) >= chunk:
            yield values
            values = []
    yield values


assert set(_VIEW_SHARES) == set(get_args(Action)), "every action has a share"
