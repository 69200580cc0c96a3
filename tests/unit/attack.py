"""A small log in which orders of one room are brushed, next to honest ones."""

from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

START_MS = 1_760_000_000_000
MINUTE_MS = 60_000
Event = dict[str, Any]


def opened(room_id: str, ts_ms: int = START_MS) -> Event:
    return {
        "type": "room_opened",
        "event_id": f"open-{room_id}",
        "ts_ms": ts_ms,
        "room_id": room_id,
        "host_id": f"host of {room_id}",
        "mode": "store",
        "category": "food",
        "currency": "CNY",
    }


def view(room_id: str, viewer_id: str, ts_ms: int, action: str = "enter") -> Event:
    return {
        "type": "view",
        "event_id": f"{action}-{room_id}-{viewer_id}-{ts_ms}",
        "ts_ms": ts_ms,
        "room_id": room_id,
        "viewer_id": viewer_id,
        "action": action,
    }


def order(room_id: str, number: int, ts_ms: int, **more: object) -> Event:
    return {
        "type": "order",
        "event_id": f"order-{room_id}-{number}",
        "ts_ms": ts_ms,
        "room_id": room_id,
        "order_id": f"{room_id}-o{number}",
        "buyer_id": f"{room_id}-b{number}",
        "product_id": "p1",
        "quantity": 1,
        "amount_minor": 1_000,
        "device_id": f"{room_id}-d{number}",
        "payment_id": f"{room_id}-pay{number}",
        "address_id": f"{room_id}-a{number}",
        "account_age_days": 400,
        **more,
    }


def honest(room_id: str, count: int, every_ms: int = MINUTE_MS) -> Iterator[Event]:
    """Buyers who enter, look around and buy, each with an identity of his own."""
    for number in range(count):
        ts_ms = START_MS + number * every_ms
        yield view(room_id, f"{room_id}-b{number}", ts_ms)
        yield view(room_id, f"{room_id}-b{number}", ts_ms + 50_000, "heartbeat")
        yield order(room_id, number, ts_ms + 55_000)


def burst(room_id: str, count: int = 30, first: int = 1_000) -> Iterator[Event]:
    """Orders within minutes, of few devices and accounts, of buyers never seen in the room."""
    for number in range(count):
        ts_ms = START_MS + 20 * MINUTE_MS + number * 10_000
        yield order(
            room_id,
            first + number,
            ts_ms,
            device_id=f"device {number % 6}",
            payment_id=f"account {number % 6}",
        )


def in_order(*parts: Iterable[Event]) -> list[Event]:
    events = [event for part in parts for event in part]
    return sorted(events, key=lambda event: event["ts_ms"])


def encoded(events: Iterable[Event]) -> list[bytes]:
    return [msgspec.json.encode(event) for event in events]


def attacked_log() -> list[Event]:
    """Two rooms; one is attacked after twenty minutes, the other is not."""
    return in_order(
        [opened("attacked"), opened("clean")],
        honest("attacked", 60),
        honest("clean", 60),
        burst("attacked"),
    )
