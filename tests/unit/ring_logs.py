"""Small sessions in which people order together, or only seem to."""

from collections.abc import Iterator, Sequence

from schemas import codec
from schemas.links import LinkRecord
from schemas.partitioning import partition_of_room
from streams.core.partition import Partition
from tests.property.driving import dealt
from tests.unit.attack import MINUTE_MS, START_MS, Event, encoded, honest, in_order, opened, order
from tests.unit.attack import view as seen

ROOMS = ("north", "east", "south", "west")


def at(minutes: float) -> int:
    """The stamp so many minutes after the start."""
    return START_MS + int(minutes * MINUTE_MS)


def bought(room_id: str, buyer: str, minutes: float, **more: object) -> Event:
    """An order of a buyer with nothing shared, unless it is said."""
    ts_ms = at(minutes)
    event = order(
        room_id,
        0,
        ts_ms,
        event_id=f"{room_id}-{buyer}-{minutes}",
        order_id=f"{room_id}-{buyer}-{minutes}",
        buyer_id=buyer,
        device_id=f"device of {buyer}",
        payment_id=f"account of {buyer}",
        address_id=f"home of {buyer}",
    )
    return event | more


def refunded(sold: Event, minutes_later: float, amount_minor: int | None = None) -> Event:
    """What was paid goes back."""
    return {
        "type": "refund",
        "event_id": f"refund of {sold['order_id']} {minutes_later}",
        "ts_ms": sold["ts_ms"] + int(minutes_later * MINUTE_MS),
        "room_id": sold["room_id"],
        "refund_id": f"refund of {sold['order_id']} {minutes_later}",
        "order_id": sold["order_id"],
        "buyer_id": sold["buyer_id"],
        "product_id": sold["product_id"],
        "amount_minor": amount_minor or sold["amount_minor"],
        "ordered_ts_ms": sold["ts_ms"],
        "reason": "cancelled",
    }


def visited(sold: Sequence[Event]) -> Iterator[Event]:
    """The same orders, each after a visit of two minutes."""
    for event in sold:
        for before_ms in (120_000, 60_000, 5_000):
            yield seen(event["room_id"], event["buyer_id"], event["ts_ms"] - before_ms)
        yield event


def ring(
    rooms: Sequence[str] = ROOMS[:2], count: int = 24, first_minute: float = 20
) -> list[Event]:
    """Accounts of one hand, a few days old: in each room in turn, with few devices and accounts."""
    return [
        bought(
            rooms[n % len(rooms)],
            f"ring {n}",
            first_minute + n,
            device_id=f"phone {n % 5}",
            payment_id=f"wallet {n % 4}",
            account_age_days=2,
        )
        for n in range(count)
    ]


def crowd(
    rooms: Sequence[str] = ROOMS[:3], count: int = 12, first_minute: float = 20
) -> list[Event]:
    """Real people who buy in one room after the other and get two thirds of their money back."""
    events = []
    for step, room_id in enumerate(rooms):
        for n in range(count):
            sold = bought(room_id, f"crowd {n}", first_minute + 8 * step + n)
            events.append(sold)
            if (n + step) % 3:
                events.append(refunded(sold, 5 + n / 4))
    return events


def priced(
    room_id: str, minutes: float, price_minor: int | None, action: str = "priced", **more: object
) -> Event:
    """A room tells what its product costs from then on."""
    name = f"{more.get('product_id', 'fought')}-{room_id}-{minutes}"
    event = {
        "type": "product",
        "event_id": f"{action} {name}",
        "ts_ms": at(minutes),
        "room_id": room_id,
        "product_id": "fought",
        "action": action,
        "price_minor": price_minor,
    }
    return event | more


def war(rooms: Sequence[str] = ROOMS, first_minute: float = 20, turns: int = 7) -> list[Event]:
    """All rooms list a product at 100.00, then undercut each other by 8 %, one after the other."""
    events = [priced(room_id, 5 + n, 10_000, "listed") for n, room_id in enumerate(rooms)]
    price_minor = 10_000
    for turn in range(turns):
        price_minor = price_minor * 92 // 100
        events.append(priced(rooms[turn % len(rooms)], first_minute + 4 * turn, price_minor))
    return events


def calm(rooms: Sequence[str] = ROOMS, orders: int = 60) -> list[Event]:
    """Rooms that sell honestly."""
    return in_order(
        [opened(room_id) for room_id in rooms], *(honest(each, orders) for each in rooms)
    )


def together() -> list[Event]:
    """A ring in two rooms, a crowd in three and a price war in four, beside honest orders."""
    ticks = [{"type": "tick", "event_id": f"tick-{n}", "ts_ms": at(70 + n)} for n in range(30)]
    return in_order(
        calm(), visited(ring()), visited_but_refunds(crowd()), war(first_minute=10), ticks
    )


def visited_but_refunds(events: Sequence[Event]) -> list[Event]:
    """Visits for the orders among these events."""
    sold = [event for event in events if event["type"] == "order"]
    return [*visited(sold), *(event for event in events if event["type"] != "order")]


def told(events: Sequence[Event], partitions: int) -> list[list[LinkRecord]]:
    """What each partition tells those who look for rings, the session's end included."""
    links = []
    for number, log in enumerate(dealt(encoded(events), partitions)):
        partition = Partition(number)
        own = partition.fold(range(len(log)), log, codec.decode_all(log)).links
        own += partition.end(at(24 * 60)).links
        links.append(own)
    return links


def partition_of(room_id: str, partitions: int) -> int:
    return partition_of_room(room_id, partitions)
