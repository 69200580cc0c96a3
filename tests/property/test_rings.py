"""Rings and crowds equal a recount of all orders: who, where, and from which moment on."""

from typing import Any
from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.detector_rules import IdentityRingRules
from schemas.rules import BrushingRules, RuleSet, SignRule
from streams.core.rings.usual import Usual, both_weights
from tests.oracle import rings as recount
from tests.property.running import run_embedded
from tests.unit.attack import Event, encoded, opened
from tests.unit.ring_logs import bought, refunded

EXAMPLES = settings(max_examples=60)
HOUR_MS = 3_600_000
ROOMS = ("r1", "r2", "r3", "r4")
BASE, ATTACK = 0.1, 0.5
QUICK = "quick_refund"
OFF = SignRule(enabled=False, base=0.03, under_attack=0.5)
# A ring never falls quiet in these logs, so that there is one incident to look at; signs of the
# orders themselves make no page, or the moments would be those of the page.
RINGS = IdentityRingRules(
    buyers=3, orders=4, rooms=2, crowd_buyers=50, page=1e9, quiet_minutes=7 * 24 * 60, crowd=1e9
)
RULES = RuleSet(brushing=BrushingRules(review=1e12, page=1e12), identity_ring=RINGS)


@st.composite
def shopping(draw: st.DrawFn) -> list[Event]:
    """Orders of few people with few things, over up to two days."""
    minute, events = 1.0, []
    for number in range(draw(st.integers(4, 24))):
        minute += draw(st.sampled_from((1, 1, 1, 7, 45, 600, 1_439, 1_440)))
        buyer = draw(st.integers(1, 7))
        shared = {
            kind: f"{kind} {draw(st.integers(1, 9))}"
            for kind in ("device_id", "payment_id", "address_id")
            if draw(st.booleans())
        }
        room_id = draw(st.sampled_from(ROOMS[:3]))
        events.append(
            bought(room_id, f"b{buyer}", minute, order_id=f"o{number}", account_age_days=None)
            | {"device_id": None, "payment_id": None, "address_id": None}
            | shared
        )
    return events


@EXAMPLES
@given(shopping(), st.integers(1, 4))
def test_the_first_ring_is_the_first_of_the_recount(events: list[Event], partitions: int) -> None:
    orders = recount.sold(events)
    moments = [each.ts_ms for each in orders]
    expected = None
    for now_ms in moments:
        found = list(recount.rings(orders, now_ms, buyers=3, least=4, rooms=2))
        if found:
            expected = (now_ms, {rooms for _, rooms in found}, {len(ids) for ids, _ in found})
            break
    first = first_ring(events, RULES, partitions)
    assert (first is None) == (expected is None)
    if first is not None and expected is not None:
        now_ms, rooms, scores = expected
        assert first.updated_ms == now_ms
        assert tuple(first.rooms) in rooms
        assert first.score in scores


def first_ring(events: list[Event], rules: RuleSet, partitions: int) -> Any:  # noqa: ANN401 - an alert or None
    log = [opened(room_id) for room_id in ROOMS]
    for number, event in enumerate(events):  # event time moves on whatever the pause
        log += [{"type": "tick", "event_id": f"t{number}", "ts_ms": event["ts_ms"]}, event]
    results = run_embedded(encoded(log), rules=rules, partitions=partitions)
    found = [alert for alert in results.alerts if alert.kind == "identity_ring"]
    return found[0] if found else None


@st.composite
def crowded(draw: st.DrawFn) -> list[Event]:
    """People who buy in several rooms, of whom some get their money back sooner or later."""
    events: list[Event] = []
    for buyer in range(draw(st.integers(3, 7))):
        rooms = draw(st.lists(st.sampled_from(ROOMS), unique=True, min_size=2))
        for step, room_id in enumerate(rooms):
            order = bought(room_id, f"b{buyer}", 1 + 3 * buyer + 50 * step, account_age_days=None)
            events.append(order)
            minutes = draw(st.sampled_from((None, 2.5, 12.5, 12.5, 29.5, 61.5)))
            if minutes is not None:
                events.append(refunded(order, minutes))
    return sorted(events, key=lambda event: event["ts_ms"])


@EXAMPLES
@given(crowded(), st.integers(1, 4), st.sampled_from((1.5, 4.0, 8.0)))
def test_the_first_crowd_is_the_first_of_the_recount(
    events: list[Event], partitions: int, least: float
) -> None:
    """What is usual is held still here; it is looked at by itself."""
    sign = SignRule(base=BASE, under_attack=ATTACK)
    brushing = BrushingRules(
        review=1e12, page=1e12, quick_refund=sign, no_visit=OFF, tiny_dwell=OFF, repeat_buyer=OFF
    )
    ring = RINGS.model_copy(
        update={"orders": 1, "crowd": least, "same_buyers": 3, "crowd_share": 0.4}
    )
    rules = RuleSet(brushing=brushing, identity_ring=ring)
    orders = recount.sold(events)
    expected = None
    for now_ms in sorted({event["ts_ms"] for event in events}):
        found = recount.crowds(
            orders, now_ms, size=3, buyers=3, base=BASE, attack=ATTACK, share=0.4
        )
        if any(score >= least for score, _ in found):
            expected = now_ms
            break
    weights = both_weights(BASE, sign)
    with patch.object(Usual, "weights", lambda _, name, __: weights if name == QUICK else None):
        first = first_ring(events, rules, partitions)
    assert (first.updated_ms if first is not None else None) == expected
