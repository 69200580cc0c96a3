"""Events of a room for the detectors beside brushing, and a log in which all of them speak."""

from collections.abc import Sequence

from schemas.records import Alert
from schemas.rules import RuleSet
from tests.property.running import run_embedded
from tests.unit.attack import (
    MINUTE_MS,
    START_MS,
    Event,
    encoded,
    honest,
    in_order,
    opened,
    order,
    view,
)

SECOND_MS = 1_000
ROOM = "shop"


def at(minutes: float) -> int:
    """The stamp so many minutes after the start."""
    return START_MS + int(minutes * MINUTE_MS)


def product(product_id: str, action: str, minutes: float, **more: object) -> Event:
    return {
        "type": "product",
        "event_id": f"{action}-{product_id}-{minutes}",
        "ts_ms": at(minutes),
        "room_id": ROOM,
        "product_id": product_id,
        "action": action,
        **more,
    }


def sold(number: int, minutes: float, **more: object) -> Event:
    """An order; numbers below 1,000 belong to the honest buyers."""
    return order(ROOM, number, at(minutes), **more)


def alerts_of(events: Sequence[Event], kind: str, *, rules: RuleSet | None = None) -> list[Alert]:
    """The alerts of a kind that a session raises."""
    results = run_embedded(encoded(events), rules=rules)
    return [alert for alert in results.alerts if alert.kind == kind]


def evening(*parts: Sequence[Event]) -> list[Event]:
    """Two rooms that sell honestly for an hour and a half, and what is added."""
    calm = [opened(ROOM), opened("neighbour")]
    return in_order(calm, honest(ROOM, 90), honest("neighbour", 90), *parts)


def delisted_and_sold_on() -> list[Event]:
    """Four orders of a product that was taken off minutes ago."""
    return [
        product("p9", "listed", 10),
        product("p9", "delisted", 20),
        *(sold(2_000 + number, 22 + number, product_id="p9") for number in range(4)),
    ]


def refund(number: int, minutes: float, **more: object) -> Event:
    """The whole of an order of the room goes back."""
    return {
        "type": "refund",
        "event_id": f"refund-{number}",
        "ts_ms": at(minutes),
        "room_id": ROOM,
        "refund_id": f"refund-{number}",
        "order_id": f"{ROOM}-o{number}",
        "buyer_id": f"{ROOM}-b{number}",
        "product_id": "p1",
        "amount_minor": 1_000,
        "ordered_ts_ms": at(minutes),
        "reason": "quality",
        **more,
    }


def complaint(number: int, minutes: float, **more: object) -> Event:
    """The buyer of an order of the room complains."""
    return {
        "type": "complaint",
        "event_id": f"complaint-{number}",
        "ts_ms": at(minutes),
        "room_id": ROOM,
        "complaint_id": f"complaint-{number}",
        "buyer_id": f"{ROOM}-b{number}",
        "status": "opened",
        "kind": "quality",
        "order_id": f"{ROOM}-o{number}",
        **more,
    }


def faulty_batch(first: int = 30, count: int = 12) -> list[Event]:
    """So many orders in a row come back, each a quarter of an hour after it was paid."""
    return [refund(number, number + 15) for number in range(first, first + count)]


def complaining(first: int = 40, count: int = 10) -> list[Event]:
    """So many buyers complain within minutes."""
    return [complaint(first + n, first + 12 + n / 4) for n in range(count)]


def run_out() -> list[Event]:
    """Five pieces of a product, and six orders of it."""
    return [
        product("p5", "stocked", 25, stock=5),
        *(sold(5_000 + number, 26 + number, product_id="p5") for number in range(6)),
    ]


def great_order() -> list[Event]:
    """One order for ten million yuan."""
    return [sold(6_000, 33, product_id="p6", amount_minor=1_000_000_000)]


def unanswered() -> list[Event]:
    """A complaint that nobody answers for two hours, and event time that goes on."""
    ticks = [{"type": "tick", "event_id": f"tick-{n}", "ts_ms": at(95 + 9 * n)} for n in range(12)]
    return [complaint(7_000, 12, kind="delivery"), *ticks]


def inflated() -> list[Event]:
    """A list price that is doubled, and orders at a fifth of it."""
    return [
        product("p8", "listed", 35, list_minor=1_000),
        product("p8", "priced", 40, list_minor=2_000),
        *(sold(8_000 + n, 41 + n, product_id="p8", amount_minor=400) for n in range(4)),
    ]


def bestseller(count: int = 60, first_minute: float = 70.0) -> list[Event]:
    """So many buyers of one product in a minute, where a room sells one a minute."""
    return [sold(9_000 + n, first_minute + n / count, product_id="p4") for n in range(count)]


def deserted() -> list[Event]:
    """A room that ten enter in a minute, each for three, and from minute 18 on hardly any."""
    enters = [n / 10 for n in range(180)] + [18 + n for n in range(9)]
    visits = [(f"guest-{n}", minute) for n, minute in enumerate(enters)]
    return [
        opened("deserted"),
        *(view("deserted", name, at(minute)) for name, minute in visits),
        *(view("deserted", name, at(minute + 1), "heartbeat") for name, minute in visits),
        *(view("deserted", name, at(minute + 2), "heartbeat") for name, minute in visits),
        *(view("deserted", name, at(minute + 3), "leave") for name, minute in visits),
    ]


def led_away() -> list[Event]:
    """Two buyers of a room complain of having been asked to pay elsewhere."""
    return [complaint(n, 60 + n, kind="off_platform_payment") for n in (20, 21)]


def hands(count: int = 14) -> list[Event]:
    """Accounts of one hand that buy in two rooms in turn, with three phones and two wallets."""
    return [
        order(
            (ROOM, "neighbour")[n % 2],
            7_500 + n,
            at(48 + n),
            device_id=f"phone {n % 3}",
            payment_id=f"wallet {n % 2}",
        )
        for n in range(count)
    ]


def watched(
    viewer_id: str, minutes: float, seconds: float, action: str, device_id: str
) -> list[Event]:
    """A visit, with one thing done every 50 s."""
    enter_ms = at(minutes)
    steps = [(int(50_000 * n), action) for n in range(1, int(seconds // 50) + 1)]
    views = [
        view(ROOM, viewer_id, enter_ms + after_ms, what)
        for after_ms, what in [(0, "enter"), *steps, (int(seconds * 1_000), "leave")]
    ]
    views[0]["device_id"] = device_id
    return views


def passers_by(until_minute: int = 80, seconds: float = 130, bounces: int = 1) -> list[Event]:
    """A few visits a minute: some are over at once, one stays and talks."""
    events = []
    for n in range(until_minute):
        for bounce in range(bounces):
            who = f"{n} {bounce}"
            events += watched(f"passer {who}", n + 0.2, 2, "comment", f"phone {who}")
        events += watched(f"guest {n}", n + 0.3, seconds, "comment", f"tablet {n}")
    return events


def bought(
    count: int = 150, first_minute: float = 66.0, devices: int = 10, seconds: float = 140
) -> list[Event]:
    """So many viewers within five minutes, on few devices; they stay and do nothing."""
    events = []
    for n in range(count):
        device_id = f"rack {n % devices}"
        events += watched(f"bot {n}", first_minute + 5 * n / count, seconds, "heartbeat", device_id)
    return events


def signals_log() -> list[Event]:
    """A session in which each detector has something to say."""
    return evening(
        delisted_and_sold_on(),
        faulty_batch(),
        complaining(),
        run_out(),
        great_order(),
        unanswered(),
        inflated(),
        bestseller(),
        hands(),
        passers_by(until_minute=64, seconds=60, bounces=2),
        bought(count=180, first_minute=63, seconds=60),
        deserted(),
        led_away(),
    )
