"""State stays under its caps whatever comes: it gives up what is oldest by event time, counted."""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import codec
from streams.core import limits
from streams.core.partition import Partition
from streams.core.room import Room
from tests.oracle.contract import Event
from tests.oracle.malformed import BASE_MS, encode
from tests.oracle.strategies import adversarial_logs
from tests.property.driving import Emitted, final_bytes, fold, folded, restarted
from tests.property.running import plain, run_embedded

EXAMPLES = settings(max_examples=100)
CAP: Final = 16
FLOOD: Final = 100
# The tests of stickiness, of integrity, of rings and of alerts fill these.
ELSEWHERE: Final = {
    "room_days",
    "room_day_people",
    "scored_orders",
    "suspected_orders",
    "gone",
    "evidence_queue",
    "known_alerts",
    "market_hours",
    "open_incidents",
    "delisted_products",
    "share_categories",
    "recent_complaints",
    "stocked_products",
    "awaited_complaints",
    "payment_complaints",
    "cancellations",
    "list_prices",
    "minute_visits",
    "silent_stays",
    "suspected_viewers",
    "listed_products",
    "ring_orders",
    "waiting_links",
    "identities",
    "orders_of_an_identity",
    "tied_orders",
    "same_rooms",
}


@contextmanager
def caps_of(entries: int) -> Iterator[None]:
    """All maps hold so many entries at most."""
    small = {name: (entries, meaning) for name, (_, meaning) in limits.CAPS.items()}
    with patch.dict(limits.CAPS, small):
        yield


def sizes_of(room: Room) -> dict[str, int]:
    """How many entries the maps of a room hold, by the names of their caps."""
    return {
        "visits": len(room.audience._open),
        "orders": len(room.ledger._known),
        "refunds": len(room.ledger._refund_ids),
        "refunded_orders": len(room.ledger._refunded),
        "checkouts": len(room.funnel._known),
        "unpaid": len(room.funnel._pending),
        "complaints": len(room.after_sales._known),
        "complaint_courses": len(room.after_sales._courses),
        "loads": len(room.after_sales.loads.by_place),
        "pitch_minutes": len(room.pitch.minutes),
        "sold_hours": len(room.sold_hours.by_place),
        "trials": len(room.trials.by_product),
        "products": len(room.products.pairs),
        "product_merchants": len(room.products._merchants),
    }


def assert_bounded(partition: Partition, entries: int) -> None:
    assert len(partition.rooms) <= entries
    assert len(partition.stickiness.room_days) <= entries
    assert partition.stickiness.people <= entries
    assert set(partition._with_open_minutes) <= set(partition.rooms)
    for room in partition.rooms.values():
        assert max(sizes_of(room).values()) <= entries
        assert room.products.changed.keys() <= room.products.pairs.keys()
        loads = room.after_sales.loads
        assert loads.changed.keys() <= loads.by_place.keys()
        assert room.pitch.changed.keys() <= room.pitch.minutes.keys()
        assert room.sold_hours.changed.keys() <= room.sold_hours.by_place.keys()
        assert room.trials.changed.keys() <= room.trials.by_product.keys()
        assert len(room.after_sales._deadlines) <= 2 * entries


def test_every_cap_is_looked_at_here() -> None:
    partition, _ = folded([encode({"type": "tick", "event_id": "t", "ts_ms": BASE_MS})])
    fold(partition, [b"", encode(order(1))], 1, 2)
    looked_at = {"rooms", *sizes_of(partition.rooms["r"])}
    assert looked_at == {*FLOODS, "loads"}
    assert set(limits.CAPS) - looked_at <= ELSEWHERE


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 4))
def test_full_maps_never_stop_the_fold_and_never_grow(log: list[bytes], entries: int) -> None:
    with caps_of(entries):
        partition = Partition(0)
        for at in range(len(log)):
            fold(partition, log, at, at + 1)
            assert_bounded(partition, entries)
        partition.end(BASE_MS + 1)
        assert_bounded(partition, entries)
        counts = partition.progress().counts
        assert counts.events + len(partition.clock.waiting) == counts.accepted + (
            counts.duplicate + counts.rejected
        )


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 4), st.integers(0, 60))
def test_full_maps_survive_a_restart(log: list[bytes], entries: int, cut: int) -> None:
    with caps_of(entries):
        expected, whole = folded(log)
        partition, emitted = Partition(0), Emitted()
        emitted.take(fold(partition, log, 0, cut))
        partition = restarted(partition)
        emitted.take(fold(partition, log, partition.next_offset, len(log)))
        assert emitted.minutes == whole.minutes
        assert emitted.dead_letters == whole.dead_letters
        assert final_bytes(partition) == final_bytes(expected)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 4), st.integers(1, 9))
def test_full_maps_give_the_same_files_whatever_the_batches(
    log: list[bytes], entries: int, chunk: int
) -> None:
    with caps_of(entries):
        assert plain(run_embedded(log, chunk=chunk)) == plain(run_embedded(log))


def event(type_: str, number: int, **fields: object) -> Event:
    head = {"type": type_, "event_id": f"e{number}", "ts_ms": BASE_MS + number, "room_id": "r"}
    return head | fields


def order(number: int, **fields: object) -> Event:
    sold = {"order_id": f"o{number}", "buyer_id": "b", "product_id": "p"}
    return event("order", number, **sold, quantity=1, amount_minor=100) | fields


def refund(number: int) -> Event:
    back = {"refund_id": f"f{number}", "order_id": f"o{number}", "buyer_id": "b", "product_id": "p"}
    return event("refund", number, **back, amount_minor=1, ordered_ts_ms=BASE_MS, reason="quality")


def checkout(number: int) -> Event:
    asked = {"order_id": f"o{number}", "buyer_id": "b", "product_id": "p"}
    return event("checkout", number, **asked, quantity=1, amount_minor=100)


def complaint(number: int) -> Event:
    said = {"complaint_id": f"c{number}", "buyer_id": "b"}
    return event("complaint", number, **said, status="opened", kind="quality")


def view(number: int, **fields: object) -> Event:
    return event("view", number, viewer_id=f"v{number}", action="enter") | fields


def listed(number: int) -> Event:
    return event("product", number, product_id=f"p{number}", action="listed", merchant_id="m")


FLOODS: Final[dict[str, Any]] = {
    "rooms": lambda number: order(number, room_id=f"r{number}"),
    "visits": view,
    "orders": order,
    "checkouts": checkout,
    "unpaid": checkout,
    "refunds": refund,
    "refunded_orders": refund,
    "complaints": complaint,
    "complaint_courses": complaint,
    "products": lambda number: order(number, product_id=f"p{number}"),
    "product_merchants": listed,
    "pitch_minutes": lambda number: order(number, ts_ms=BASE_MS + number * 60_000),
    "sold_hours": lambda number: order(number, product_id=f"p{number:02}"),
    "trials": lambda number: order(number, product_id=f"p{number:02}"),
}


@pytest.mark.parametrize("name", sorted(FLOODS))
def test_a_flood_of_ids_gives_up_the_oldest_and_counts_them(name: str) -> None:
    with caps_of(CAP):
        log = [encode(FLOODS[name](number)) for number in range(FLOOD)]
        partition, _ = folded([encode({"type": "tick", "event_id": "t", "ts_ms": BASE_MS}), *log])
        if name == "rooms":
            left = sorted(int(room_id[1:]) for room_id in partition.rooms)
        else:
            room = partition.rooms["r"]
            left = sorted(int(re.sub(r"\D", "", id_)) for id_ in _ids(room, name))
    assert left == list(range(FLOOD - len(left), FLOOD))
    assert len(left) == CAP
    assert partition.progress().evicted[name] == FLOOD - CAP


def test_a_flood_of_merchants_gives_up_their_oldest_loads() -> None:
    """A refund is its order's merchant's; two events each, unlike the floods above."""
    pairs = [(order(n, merchant_id=f"m{n}"), refund(n)) for n in range(FLOOD)]
    with caps_of(CAP):
        tick = {"type": "tick", "event_id": "t", "ts_ms": BASE_MS}
        partition, _ = folded(
            [encode(each) for each in (tick, *(e for pair in pairs for e in pair))]
        )
    loads = partition.rooms["r"].after_sales.loads
    assert {merchant for merchant, _ in loads.by_place} == {
        f"m{n}" for n in range(FLOOD - CAP, FLOOD)
    }
    assert partition.progress().evicted["loads"] == FLOOD - CAP


def _ids(room: Room, name: str) -> list[str]:
    maps: dict[str, Any] = {
        "visits": room.audience._open,
        "orders": room.ledger._known._entries,
        "refunds": room.ledger._refund_ids._entries,
        "refunded_orders": room.ledger._refunded._entries,
        "checkouts": room.funnel._known._entries,
        "unpaid": room.funnel._pending,
        "complaints": room.after_sales._known._entries,
        "complaint_courses": room.after_sales._courses,
        "products": {product_id: None for product_id, _ in room.products.pairs},
        "product_merchants": room.products._merchants,
        "sold_hours": [product_id for product_id, _, _ in room.sold_hours.by_place],
        "trials": room.trials.by_product,
        "pitch_minutes": [str((minute_ms - BASE_MS) // 60_000) for minute_ms in room.pitch.minutes],
    }
    return list(maps[name])


def test_what_was_given_up_is_still_counted_in_the_figures_of_its_room() -> None:
    log = [encode(make(n)) for n in range(FLOOD) for make in (order, refund, checkout, complaint)]
    log += [encode(view(number)) for number in range(FLOOD)]
    with caps_of(CAP):
        (room,) = plain(run_embedded(log)).rooms
    assert room["orders"] == room["refunds"] == room["checkouts"] == FLOOD
    assert room["gross_minor"] == FLOOD * 100
    assert room["net_minor"] == FLOOD * 99
    assert room["complaints_opened"] == room["visits"] == room["viewers"] == FLOOD
    assert room["peak_online"] == CAP


def test_a_room_that_is_given_up_has_its_final_figures_and_minutes_emitted() -> None:
    with caps_of(2):
        log = [order(0, room_id="r0"), view(1, room_id="r0"), order(2, room_id="r1")]
        log += [order(3, room_id="r2")]
        partition, emitted = folded([encode(each) for each in log])
        emitted.take(partition.end(BASE_MS))
    assert b'"room_id":"r0"' in emitted.minutes[0]
    assert b'"room_id":"r0"' in emitted.evicted[0]
    assert b'"gross_minor":100' in emitted.evicted[0]
    assert b'"product_id":"p"' in emitted.evicted[1]


def test_a_room_given_up_with_visits_that_have_fallen_silent_leaves_nothing_behind() -> None:
    """Its silent visits end while it goes, which opens a minute of a room that is gone."""
    log = [
        {"type": "tick", "event_id": "t", "ts_ms": BASE_MS},
        view(0, room_id="r0"),
        order(1, room_id="r1", ts_ms=BASE_MS + 66_000),  # closes the only minute of r0
        order(2, room_id="r2", ts_ms=BASE_MS + 96_000),  # r0 goes, silent for 90 s by now
        order(3, room_id="r2", ts_ms=BASE_MS + 180_000),
    ]
    with caps_of(2):
        partition, _ = folded([encode(each) for each in log])
        assert_bounded(partition, 2)
    assert list(partition.rooms) == ["r1", "r2"]


def test_viewers_who_come_and_go_at_once_leave_nothing_behind() -> None:
    with caps_of(CAP):
        partition = Partition(0)
        log = [encode({"type": "tick", "event_id": "t", "ts_ms": BASE_MS})]
        for number in range(20 * CAP):
            log += [encode(view(number, ts_ms=BASE_MS))]
            log += [encode(view(number, ts_ms=BASE_MS, action="leave"))]
        fold(partition, log, 0, len(log))
        audience = partition.rooms["r"].audience
        assert audience.online == 0
        assert len(audience._silent) <= 2 * CAP


def test_late_viewers_who_come_and_go_leave_nothing_behind() -> None:
    """They are about to fall silent when they come."""
    with caps_of(CAP):
        partition = Partition(0)
        log = [encode({"type": "tick", "event_id": "t", "ts_ms": BASE_MS})]
        log += [encode(view(0, ts_ms=BASE_MS + 75_000)), encode(view(1, ts_ms=BASE_MS + 75_000))]
        for number in range(2, 20 * CAP):
            log += [encode(view(number, ts_ms=BASE_MS))]
            log += [encode(view(number, ts_ms=BASE_MS, action="leave"))]
        fold(partition, log, 0, len(log))
        audience = partition.rooms["r"].audience
        assert audience.online == 2
        assert len(audience._silent) <= 2 * CAP + 1


def test_a_product_older_than_all_that_are_kept_is_not_kept_to_be_shown_either() -> None:
    with caps_of(CAP):
        log = [encode(FLOODS["products"](number)) for number in range(CAP, 0, -1)]
        log += [encode(FLOODS["products"](-number)) for number in range(1, 4 * CAP)]
        partition, _ = folded([encode({"type": "tick", "event_id": "t", "ts_ms": BASE_MS}), *log])
        assert_bounded(partition, CAP)


def test_refunds_of_more_than_64_bits_before_their_order_survive_a_restart() -> None:
    large = 2**63 - 1
    log = [refund(number) | {"order_id": "o9", "amount_minor": large} for number in range(3)]
    log += [order(9, amount_minor=5), refund(10) | {"order_id": "o9"}]
    values = [encode(each) for each in log]
    partition, _ = folded(values)
    partition.end(BASE_MS)
    again = restarted(partition)
    assert final_bytes(again) == final_bytes(partition)
    (known,) = again.rooms["r"].ledger._known._entries.values()
    assert known[1].refunded_minor == 3 * large


def test_counts_of_any_width_survive_a_restart() -> None:
    large = 2**63 - 1
    log = [order(number, quantity=large, amount_minor=large) for number in range(3)]
    log += [event("exposure", number, impressions=large) for number in range(3)]
    log += [event("exposure", number, impressions=large, product_id="p") for number in range(3)]
    log += [refund(number) | {"amount_minor": large} for number in range(3)]
    partition, _ = folded([encode(each) for each in log])
    partition.end(BASE_MS)
    shown = final_bytes(partition)
    assert final_bytes(restarted(partition)) == shown
    assert f'"gross_minor":{3 * large}'.encode() in shown[0]
    counted: Counter[str] = Counter()
    for value in codec.decode_all([encode(each) for each in log]):
        counted[type(value).__name__] += 1
    assert counted == {"Order": 3, "Exposure": 6, "Refund": 3}
