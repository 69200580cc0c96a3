"""How do the rooms of a session stand beside each other? Counted naively, order by order."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from tests.oracle.outcomes import Step
from tests.oracle.rooms import Room, Row, of_kind, ratio

HOUR_MS: Final = 3_600_000
SHOWN: Final = 20


def sameness_of(rooms: list[Room]) -> dict[str, list[Row]]:
    """The sections of `sameness.json`."""
    sold = [(room, step) for room in rooms for step in of_kind(room.steps, "order")]
    sold = [(room, step) for room, step in sold if step.believed]
    keys = sorted({(step.ts_ms // HOUR_MS, _currency(room)) for room, step in sold})
    found: dict[str, list[Row]] = {"hours": [], "shared": []}
    for hour, currency in keys:
        own = [
            (room, step)
            for room, step in sold
            if (step.ts_ms // HOUR_MS, _currency(room)) == (hour, currency)
        ]
        head = {"hour_ms": hour * HOUR_MS, "currency": currency or None}
        shared = _shared(own)
        found["hours"].append(head | _hour_row(own, shared))
        by_rooms = sorted(shared, key=lambda p: (-len(shared[p]), -shared[p].total(), p))
        for product_id in by_rooms[:SHOWN]:
            of_rooms = shared[product_id]
            row = {
                "product_id": product_id,
                "orders": of_rooms.total(),
                "gross_minor": sum(_paid(s) for _, s in own if s.event["product_id"] == product_id),
                "room_count": len(of_rooms),
                "rooms": sorted(of_rooms, key=lambda r: (-of_rooms[r], r))[:SHOWN],
            }
            found["shared"].append(head | row)
    return found


def _currency(room: Room) -> str:
    return str(room.opening.get("currency", ""))


def _paid(step: Step) -> int:
    return int(step.event["amount_minor"])


def _shared(own: list[tuple[Room, Step]]) -> dict[str, Counter[str]]:
    """Orders of each product by room, of those that two rooms or more sold."""
    found: dict[str, Counter[str]] = {}
    for room, step in own:
        found.setdefault(step.event["product_id"], Counter())[room.room_id] += 1
    return {product_id: of_rooms for product_id, of_rooms in found.items() if len(of_rooms) > 1}


def _hour_row(own: list[tuple[Room, Step]], shared: dict[str, Counter[str]]) -> dict[str, Any]:
    keys_of: dict[str, Callable[[Room, Step], str | None]] = {
        "category": lambda room, _: room.opening.get("category"),
        "product": lambda _, step: step.event["product_id"],
        "merchant": lambda _, step: step.event.get("merchant_id"),
        "room": lambda room, _: room.room_id,
    }
    row: Row = {"orders": len(own), "gross_minor": sum(_paid(step) for _, step in own)}
    for scope, key_of in keys_of.items():
        keyed = [(key_of(room, step), step) for room, step in own]
        keys = {key for key, _ in keyed if key is not None}
        money = [sum(_paid(step) for each, step in keyed if each == key) for key in keys]
        counts = [sum(each == key for each, _ in keyed) for key in keys]
        row[f"{scope}_count"] = len(keys)
        row[f"{scope}_hhi"] = _hhi(money)
        row[f"{scope}_hhi_orders"] = _hhi(counts)
    orders = sum(of_rooms.total() for of_rooms in shared.values())
    row |= {"shared_products": len(shared), "shared_orders": orders}
    return row | {"shared_share": ratio(orders, len(own))}


def _hhi(amounts: list[int]) -> float | None:
    return ratio(sum(amount * amount for amount in amounts), sum(amounts) ** 2)
