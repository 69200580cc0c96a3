"""Which small logs are most likely to find a disagreement?

Few rooms, people, ids and products, so that they meet; steps of time on and beside every limit of
the definitions. `adversarial_logs` holds anything a topic may hold; `ordered_logs` holds clean
sessions for the law that arrival order inside the lateness bound does not matter, and
`shuffle_within_lateness` gives such an order.

What belongs together in life is tied together: an order id has one buyer and one product, a
refund id one order, a complaint one consumer. Amounts, stamps and merchants of repeats may differ.
"""

import json
from collections.abc import Callable, Sequence
from typing import Any, Final

from hypothesis import strategies as st

from tests.oracle.clock import OUT_OF_ORDER_MS
from tests.oracle.contract import REFUND_REASONS, VIEW_ACTIONS, Event
from tests.oracle.malformed import BASE_MS, MALFORMED, encode
from tests.oracle.rooms import UNPAID_AFTER_MS

DAY_MS: Final = 24 * 3_600_000
ROOMS: Final = ("r1", "r1", "r1", "r2", "直播间8")
VIEWERS: Final = ("v1", "v2", "v3")
BUYERS: Final = ("b1", "b2")
PRODUCTS: Final = ("p1", "p2", "p3")
MERCHANTS: Final = ("m1", "m2")
ORDERS: Final = ("o1", "o2", "o3")
REFUNDS: Final = ("f1", "f2", "f3", "f4", "f5", "f6")
COMPLAINTS: Final = ("c1", "c2")
ORDER_OF_THE_DAY: Final = "day"

_AROUND: Final = (-1, 0, 1)
_LIMITS_MS: Final = (5_000, 30_000, 60_000, 90_000, 95_000)
_FAR_LIMITS_MS: Final = (300_000, 600_000, 605_000, 1_800_000, 1_805_000)
_SMALL_STEPS_MS: Final = (0, 0, 0, 1, 400, 999, 1_500, 3_000, 7_000, 20_000, 45_000)
_BACK_MS: Final = (-1, -2_500, -4_999, -5_000, -5_001, -59_999, -60_000, -60_001, -90_000)
_FAR_BACK_MS: Final = (-600_000, -1_800_000, -DAY_MS)
_ABSURD_MS: Final = (946_684_800_000, 4_102_444_799_999, BASE_MS + 365 * DAY_MS)

_NEAR: Final = tuple(limit + d for limit in _LIMITS_MS for d in _AROUND)
_FAR: Final = tuple(limit + d for limit in _FAR_LIMITS_MS for d in _AROUND)
_A_DAY: Final = tuple(DAY_MS + d for d in (-1, 0, 1, 5_000))

Draw = Callable[..., Any]


def _nth(name: str, choices: Sequence[str]) -> str:
    """Tie a name to one of the choices for ever."""
    return choices[sum(name.encode()) % len(choices)]


def steps_ms() -> st.SearchStrategy[int]:
    """How far event time moves to the next record; mostly little, seldom an hour or a day."""
    kinds = (*6 * ("small",), *6 * ("near",), *2 * ("far",), "day")
    choices = {"small": _SMALL_STEPS_MS, "near": _NEAR, "far": _FAR, "day": _A_DAY}
    return st.sampled_from(kinds).flatmap(lambda kind: st.sampled_from(choices[kind]))


def _opened(draw: Draw) -> Event:
    host_id = draw(st.sampled_from(("h1", "h2")))
    event = {
        "type": "room_opened",
        "host_id": host_id,
        "mode": draw(st.sampled_from(("talent", "store"))),
        "category": draw(st.sampled_from(("beauty", "food"))),
        "currency": draw(st.sampled_from(("CNY", "CNY", "USD"))),
        "mcn_id": draw(st.sampled_from((None, "a1", "a2"))),
    }
    if host_id == "h1":
        event["host_name"] = "主播一"
    return event


def _closed(_: Draw) -> Event:
    return {"type": "room_closed"}


def _view(draw: Draw) -> Event:
    return {
        "type": "view",
        "viewer_id": draw(st.sampled_from(VIEWERS)),
        "action": draw(st.sampled_from(("enter", "heartbeat", "leave", *VIEW_ACTIONS))),
        "product_id": draw(st.sampled_from((None, *PRODUCTS))),
        "source": draw(st.sampled_from((None, "feed"))),
    }


def _purchase(kind: str, order_id: str, draw: Draw) -> Event:
    return {
        "type": kind,
        "order_id": order_id,
        "buyer_id": _nth(order_id, BUYERS),
        "product_id": _nth(order_id, PRODUCTS),
        "quantity": draw(st.integers(1, 3)),
        "amount_minor": draw(st.sampled_from((0, 1, 99, 100, 250, 10_000))),
    }


def _order(draw: Draw) -> Event:
    event = _purchase("order", draw(st.sampled_from((*ORDERS, ORDER_OF_THE_DAY))), draw)
    event["merchant_id"] = draw(st.sampled_from((None, _nth(event["product_id"], MERCHANTS))))
    return event


def _checkout(draw: Draw) -> Event:
    return _purchase("checkout", draw(st.sampled_from(ORDERS)), draw)


def _refund(draw: Draw) -> Event:
    refund_id = draw(st.sampled_from(REFUNDS))
    order_id = _nth(refund_id, ORDERS)
    return {
        "type": "refund",
        "refund_id": refund_id,
        "order_id": order_id,
        "buyer_id": _nth(order_id, BUYERS),
        "product_id": _nth(order_id, PRODUCTS),
        "amount_minor": draw(st.sampled_from((1, 50, 100, 9_999))),
        "ordered_ts_ms": BASE_MS,
        "reason": draw(st.sampled_from(REFUND_REASONS)),
    }


def _exposure(draw: Draw) -> Event:
    return {
        "type": "exposure",
        "impressions": draw(st.integers(1, 500)),
        "product_id": draw(st.sampled_from((None, *PRODUCTS))),
    }


def _complaint(draw: Draw) -> Event:
    complaint_id = draw(st.sampled_from(COMPLAINTS))
    return {
        "type": "complaint",
        "complaint_id": complaint_id,
        "buyer_id": _nth(complaint_id, BUYERS),
        "status": draw(st.sampled_from(("opened", "replied", "resolved"))),
        "kind": draw(st.sampled_from(("quality", "delivery", "off_platform_payment"))),
        "party": draw(st.sampled_from((None, None, "host", "consumer"))),
        "order_id": draw(st.sampled_from((None, *ORDERS))),
        "product_id": draw(st.sampled_from((None, *PRODUCTS))),
    }


def _product(draw: Draw) -> Event:
    product_id = draw(st.sampled_from(PRODUCTS))
    return {
        "type": "product",
        "product_id": product_id,
        "action": draw(st.sampled_from(("listed", "delisted", "priced", "stocked"))),
        "merchant_id": draw(st.sampled_from((None, _nth(product_id, MERCHANTS)))),
        "stock": draw(st.sampled_from((None, 0, 10))),
        "price_minor": draw(st.sampled_from((None, 0, 100, 94, 95, 80))),
    }


def _tick(_: Draw) -> Event:
    return {"type": "tick"}


def _rules(draw: Draw) -> Event:
    return {"type": "rules", "version": draw(st.integers(1, 3)), "rules": {}}


# What is drawn more often stands more often.
_ROOM_BOUND: Final = (
    _view,
    _view,
    _view,
    _view,
    _order,
    _order,
    _order,
    _refund,
    _refund,
    _checkout,
    _exposure,
    _complaint,
    _complaint,
    _product,
    _opened,
    _closed,
)
_EVENTS: Final = (*_ROOM_BOUND, *_ROOM_BOUND, _tick, _rules)


def _event(draw: Draw, kinds: Sequence[Callable[[Draw], Event]], number: int, ts_ms: int) -> Event:
    made = draw(st.sampled_from(kinds))(draw)
    event = {"type": made.pop("type"), "event_id": f"e{number}", "ts_ms": ts_ms}
    if event["type"] not in ("tick", "rules"):
        event["room_id"] = draw(st.sampled_from(ROOMS))
    return event | {name: value for name, value in made.items() if value is not None}


def _disguised(draw: Draw, event: Event) -> bytes:
    """The same event in other clothes: unknown and null fields, white space, escapes."""
    how = draw(st.integers(0, 11))
    if how == 0:
        return encode(event | {"note": {"deep": [1.5, None, True]}, "device_id": None})
    if how == 1:
        return b" \n" + json.dumps(event, indent=1).encode() + b"\n"
    if how == 2:
        return encode(dict(reversed(event.items())))
    return encode(event)


def _stamp(draw: Draw, now_ms: int) -> int:
    """Stamp a record: mostly now, at times out of order, late, or absurd."""
    kind = draw(st.integers(0, 39))
    if kind < 6:
        return now_ms + int(draw(st.sampled_from(_BACK_MS)))
    if kind == 6:
        return now_ms + int(draw(st.sampled_from(_FAR_BACK_MS)))
    if kind == 7:
        return int(draw(st.sampled_from(_ABSURD_MS)))
    if kind == 8:
        return now_ms + int(draw(st.sampled_from(_FAR)))
    return now_ms


@st.composite
def adversarial_logs(draw: Draw, max_records: int = 60) -> list[bytes]:
    """Any small log: all types, malformed bytes, repeats, absurd stamps, ticks, rule sets."""
    records: list[bytes] = []
    events: list[Event] = []
    now_ms = BASE_MS
    for number in range(draw(st.integers(0, max_records))):
        kind = draw(st.integers(0, 19))
        if kind == 0:
            records.append(draw(st.sampled_from(MALFORMED)))
        elif kind == 1 and records:
            records.append(draw(st.sampled_from(records)))
        else:
            now_ms += draw(steps_ms())
            event = _of_its_day(_event(draw, _EVENTS, number, _stamp(draw, now_ms)))
            if kind < 6 and events:
                event = _answer(draw, draw(st.sampled_from(events)), event)
            events.append(event)
            records.append(_disguised(draw, event))
    return records


def _answer(draw: Draw, earlier: Event, event: Event) -> Event:
    """Turn an event into what may follow an earlier one: payment, refund, reply, sign of life."""
    kept = ("room_id", "order_id", "buyer_id", "product_id", "complaint_id", "kind", "viewer_id")
    follower: Event = {name: earlier[name] for name in kept if name in earlier}
    match earlier["type"]:
        case "checkout":
            follower |= {"type": "order", "quantity": 1, "amount_minor": 100}
        case "order":
            refund_ids = [f for f in REFUNDS if _nth(f, ORDERS) == earlier["order_id"]]
            amount_minor = max(1, earlier["amount_minor"] + draw(st.sampled_from((-50, 0, 1))))
            follower |= {
                "type": "refund",
                "refund_id": draw(st.sampled_from(refund_ids or [f"of {earlier['order_id']}"])),
                "amount_minor": amount_minor,
                "ordered_ts_ms": earlier["ts_ms"],
                "reason": draw(st.sampled_from(REFUND_REASONS)),
            }
        case "complaint":
            follower |= {"type": "complaint"}
            follower["status"] = draw(st.sampled_from(("replied", "resolved")))
        case "view":
            follower |= {"type": "view", "action": draw(st.sampled_from(VIEW_ACTIONS))}
        case _:
            return event
    return {"event_id": event["event_id"], "ts_ms": event["ts_ms"]} | follower


def _of_its_day(event: Event) -> Event:
    """Give checkouts, and the orders meant for them, ids of their own on each other day.

    Whether an order of the day before pays a checkout of the same id is a question that no shop
    asks; that an id may come again after a day is asked with `ORDERS`.
    """
    day = (event["ts_ms"] - BASE_MS + DAY_MS // 2) // DAY_MS
    is_apart = {
        "checkout": day != 0,
        "order": day < 0 or event.get("order_id") == ORDER_OF_THE_DAY,
    }
    if not is_apart.get(event["type"]):
        return event
    order_id = f"{ORDER_OF_THE_DAY}{day}"
    return event | {
        "order_id": order_id,
        "buyer_id": _nth(order_id, BUYERS),
        "product_id": _nth(order_id, PRODUCTS),
    }


@st.composite
def ordered_logs(draw: Draw, max_events: int = 40) -> list[Event]:
    """Return clean events in order of time, under 24 h in all, for `shuffle_within_lateness`.

    Left out is what no arrival order can leave alone: a product whose merchant becomes known on
    the way, and a payment within the lateness bound of the moment that its checkout is judged.
    """
    gaps = st.one_of(st.sampled_from(_SMALL_STEPS_MS), st.sampled_from(_NEAR))
    wide = st.one_of(gaps, gaps, gaps, st.sampled_from(_FAR))
    events: list[Event] = []
    now_ms = BASE_MS
    for number in range(draw(st.integers(0, max_events))):
        now_ms += draw(wide)
        event = _event(draw, _ROOM_BOUND, number, now_ms)
        if event["type"] in ("order", "product"):
            event["merchant_id"] = _nth(event["product_id"], MERCHANTS)
        events.append(event)
    opened = [_first_listing(number, room, p) for number, (room, p) in enumerate(_GOODS)]
    return [*opened, *(e for e in events if not _is_paid_at_the_limit(e, events))]


_GOODS: Final = tuple((room, product) for room in sorted(set(ROOMS)) for product in PRODUCTS)


def _first_listing(number: int, room_id: str, product_id: str) -> Event:
    return {
        "type": "product",
        "event_id": f"l{number}",
        "ts_ms": BASE_MS - 60_000,
        "room_id": room_id,
        "product_id": product_id,
        "action": "listed",
        "merchant_id": _nth(product_id, MERCHANTS),
    }


def _is_paid_at_the_limit(event: Event, events: list[Event]) -> bool:
    return event["type"] == "order" and any(
        checkout["type"] == "checkout"
        and checkout["order_id"] == event["order_id"]
        and abs(event["ts_ms"] - checkout["ts_ms"] - UNPAID_AFTER_MS) <= 2 * OUT_OF_ORDER_MS
        for checkout in events
    )


def shuffle_within_lateness(events: list[Event], delays_ms: list[int]) -> list[Event]:
    """Give another arrival order of a log that is in order of time.

    Each event arrives up to 5 s (`delays_ms`, one an event, taken modulo) after its stamp, so none
    overtakes another that is more than 5 s older. Each person's own events stay in order, and no
    event of a room passes the room's opening or closing.
    """
    arrivals: list[int] = []
    of_person: dict[str, int] = {}
    of_room: dict[str, int] = {}
    barrier: dict[str, int] = {}
    for event, delay_ms in zip(events, delays_ms, strict=True):
        room_id = event.get("room_id", "")
        person = event.get("viewer_id") or event.get("buyer_id") or event["event_id"]
        arrival = event["ts_ms"] + delay_ms % (OUT_OF_ORDER_MS + 1)
        arrival = max(arrival, of_person.get(person, 0), barrier.get(room_id, 0))
        if event["type"] in ("room_opened", "room_closed"):
            arrival = max(arrival, of_room.get(room_id, 0))
            barrier[room_id] = arrival
        of_person[person] = arrival
        of_room[room_id] = max(arrival, of_room.get(room_id, 0))
        arrivals.append(arrival)
    order = sorted(range(len(events)), key=lambda index: (arrivals[index], index))
    return [events[index] for index in order]


@st.composite
def shuffled_logs(draw: Draw, max_events: int = 40) -> tuple[list[Event], list[Event]]:
    """Return a log in order of time and another arrival order of it inside the bound."""
    events = draw(ordered_logs(max_events))
    delays_ms = draw(
        st.lists(
            st.sampled_from((0, 1, 2_500, 4_999, 5_000)),
            min_size=len(events),
            max_size=len(events),
        )
    )
    return events, shuffle_within_lateness(events, delays_ms)
