"""What rings mark comes off trusted GMV, once, whenever it comes: the union with brushing's own."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import records
from schemas.links import RingMark
from streams.core import limits
from streams.core.partition import Partition
from streams.core.stickiness.whole import stickiness_of
from tests.property.driving import final_bytes, final_figures, fold, restarted
from tests.unit.attack import Event, attacked_log, encoded, in_order
from tests.unit.ring_logs import at

FEW = settings(max_examples=15)
A_DAY = 24 * 60
# A day later the rooms have forgotten their orders.
TICKS = [
    {"type": "tick", "event_id": f"tick {n}", "ts_ms": at(70 + n * 9)} for n in range(A_DAY // 9)
]
SESSION = in_order(attacked_log(), TICKS)
LOG = encoded(SESSION)
ORDERS = [event for event in SESSION if event["type"] == "order"]
BRUSHED = {event["order_id"] for event in ORDERS if event["device_id"].startswith("device ")}


def mark(event: Event, sequence: int, refunded_minor: int = 0) -> RingMark:
    return RingMark(
        sequence=sequence,
        ts_ms=event["ts_ms"] + 60_000,
        room_id=event["room_id"],
        order_id=event["order_id"],
        buyer_id=event["buyer_id"],
        product_id=event["product_id"],
        merchant_id=None,
        ordered_ms=event["ts_ms"],
        amount_minor=event["amount_minor"],
        refunded_minor=refunded_minor,
    )


@st.composite
def marks(draw: st.DrawFn) -> list[RingMark]:
    """Marks of brushed and of honest orders, some of which are told again as money goes back."""
    found: list[RingMark] = []
    back: dict[str, int] = {}
    for sequence in range(1, draw(st.integers(1, 12))):
        event = draw(st.sampled_from(ORDERS))
        more = draw(st.sampled_from((0, 0, 300)))
        if more or event["order_id"] not in back:
            back[event["order_id"]] = min(1_000, back.get(event["order_id"], 0) + more)
            found.append(mark(event, sequence, back[event["order_id"]]))
    return found


def driven(told: Sequence[RingMark], places: Sequence[int], *, restart: bool = False) -> Partition:
    """A partition that gets each mark at a place of its log; the last may come twice."""
    partition, at_offset = Partition(0), 0
    for offset, (each, place) in enumerate(zip(told, sorted(places), strict=True)):
        if place > at_offset:
            fold(partition, LOG, at_offset, place)
            at_offset = place
        partition.mark([offset], [each])
        if restart:
            partition = restarted(partition)
            first = max(0, offset - 2)
            partition.mark(list(range(first, offset + 1)), told[first : offset + 1])
    fold(partition, LOG, at_offset, len(LOG))
    return partition


def figures(partition: Partition) -> list[bytes]:
    report = stickiness_of([partition], {})
    return [*final_bytes(partition), records.encode({"stickiness": report})]


@FEW
@given(marks(), st.data())
def test_when_a_mark_comes_changes_nothing(told: list[RingMark], data: st.DataObject) -> None:
    """Not even when its room has forgotten the order, or brushing has suspected it before."""
    places = [data.draw(st.integers(0, len(LOG))) for _ in told]
    at_the_end = figures(driven(told, [len(LOG)] * len(told)))
    assert figures(driven(told, places)) == at_the_end
    assert figures(driven(told, places, restart=True)) == at_the_end


@FEW
@given(marks())
def test_trusted_money_is_net_without_each_suspected_order_once(told: list[RingMark]) -> None:
    partition = driven(told, [0] * len(told))
    last = {each.order_id: each for each in told}
    off_minor = dict.fromkeys(BRUSHED, 1000)
    for order_id, each in last.items():
        off_minor.setdefault(order_id, each.amount_minor - each.refunded_minor)
    rooms, products = final_figures(partition)
    for summary in (each.summary for each in rooms):
        own = {event["order_id"] for event in ORDERS if event["room_id"] == summary.room_id}
        mine = {order_id: minor for order_id, minor in off_minor.items() if order_id in own}
        assert summary.suspected_orders == len(mine)
        assert summary.suspected_minor == 1_000 * len(mine)
        assert summary.trusted_minor == summary.net_minor - sum(mine.values())
    assert sum(each.trusted_minor for each in products) == sum(
        each.summary.trusted_minor for each in rooms
    )


@FEW
@given(marks())
def test_marks_change_no_record_and_no_alert(told: list[RingMark]) -> None:
    plain, marked = Partition(0), Partition(0)
    marked.mark(range(len(told)), told)
    expected, out = fold(plain, LOG, 0, len(LOG)), fold(marked, LOG, 0, len(LOG))
    for name in ("alerts", "minutes", "links", "dead_letters"):
        assert getattr(out, name) == getattr(expected, name)


def test_a_view_tells_up_to_which_mark_it_has_seen() -> None:
    partition = driven([mark(ORDERS[0], 1), mark(ORDERS[1], 2)], [5, 9])
    assert partition.version.marks_offset == partition.next_marks_offset == 2


def test_a_mark_of_a_room_that_is_not_here_any_more_changes_no_figure() -> None:
    partition = driven([], [])
    before = final_bytes(partition)
    partition.mark([0], [mark(ORDERS[0] | {"room_id": "gone"}, 1)])
    partition.next_marks_offset = 0
    assert final_bytes(partition) == before


def test_marked_orders_are_capped_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "ring_orders", (16, ""))
    honest = [event for event in ORDERS if event["order_id"] not in BRUSHED]
    told = [mark(event, n + 1) for n, event in enumerate(honest[:40])]
    partition = driven(told, [len(LOG)] * len(told))
    kept: dict[Any, Any] = partition.detectors.suspects._marked
    assert len(kept) == 16
    assert min(each.ordered_ms for each in kept.values()) == sorted(e["ts_ms"] for e in honest)[24]
    assert partition.evictions.counts["ring_orders"] == 24
    rooms, _ = final_figures(partition)
    assert sum(each.summary.suspected_orders for each in rooms) == 40 + len(BRUSHED)
