"""Who is a ring, and who only looks like one; what its alert says, and how its maps hold."""

from typing import Any

import pytest

from schemas.links import (
    Counted,
    Link,
    LinkedOrder,
    LinkRecord,
    Passed,
    RulesTold,
    link_key,
    link_targets,
)
from schemas.records import Alert
from schemas.rules import DEFAULT_RULES, RuleSet
from streams.core import limits
from streams.core.partition import Partition
from streams.core.rings.crowds import Crowds, Stop
from streams.core.rings.identities import IdentityFold
from streams.core.rings.ring_fold import RingFold
from streams.core.rings.usual import Usual
from tests.property.driving import fold, restarted
from tests.property.running import run_embedded
from tests.unit.attack import Event, encoded, in_order
from tests.unit.ring_logs import (
    ROOMS,
    at,
    bought,
    calm,
    crowd,
    refunded,
    ring,
    together,
    visited,
    visited_but_refunds,
)

RING = DEFAULT_RULES.identity_ring


def rings(*parts: list[Event], rules: RuleSet | None = None) -> list[Alert]:
    """The rings that are told of in an honest evening with these parts."""
    results = run_embedded(encoded(in_order(calm(), *parts)), rules=rules)
    return [alert for alert in results.alerts if alert.kind == "identity_ring"]


def test_a_ring_is_told_with_what_ties_it_and_with_masked_identities() -> None:
    first = rings(list(visited(ring())))[0]
    assert first.severity == "page"
    assert (first.rooms, first.room_id, first.host_id) == (["east", "north"], None, None)
    assert first.summary.startswith(
        "Suspected ring: 10 buyers who share 5 devices (…ne 0, …ne 1, …ne 2 and 2 more) and"
        " 4 payment accounts (…et 0, …et 1, …et 2 and 1 more) placed 10 orders in rooms east,"
        " north within 24 hours; of these, 10 of 10 come from accounts a few days old (normal: "
    )
    assert {each.signal for each in first.evidence} == {
        "shared_device",
        "shared_payment",
        "young_account",
    }
    assert (first.score, first.threshold, first.money_minor) == (10.0, 10.0, 10_000)
    assert first.started_ms == at(20)
    assert first.currency == "CNY"


def test_a_ring_in_one_room_has_its_room_and_host() -> None:
    first = rings(list(visited(ring(["north"]))))[0]
    assert (first.rooms, first.room_id, first.host_id) == (["north"], "north", "host of north")


def test_what_is_shared_alone_is_a_review_and_costs_no_trust() -> None:
    grown = [event | {"account_age_days": 400} for event in ring()]
    log = encoded(in_order(calm(), visited(grown)))
    results = run_embedded(log, rules=None)
    assert {each.severity for each in results.alerts if each.kind == "identity_ring"} == {"review"}
    assert all(room.trusted_minor == room.net_minor for room in results.rooms)


def test_an_ended_ring_is_not_told_again_for_what_it_did_before() -> None:
    """Its next orders come an hour later; from the tenth of them on it is another incident."""
    again = [
        event | {"order_id": f"again {n}", "event_id": f"again {n}"}
        for n, event in enumerate(ring(first_minute=110, count=12))
    ]
    early = rings(list(visited(ring())), list(visited(again[:8])), ticks(220))
    late = rings(list(visited(ring())), list(visited(again)), ticks(220))
    assert len({alert.alert_id for alert in early}) == 1
    assert len({alert.alert_id for alert in late}) == 2
    assert early[-1].status == "resolved"
    assert {alert.started_ms for alert in late} == {at(20), at(110)}


def test_later_orders_of_a_paged_ring_are_marked_even_after_it_has_ended() -> None:
    again = [
        event | {"order_id": f"again {n}", "event_id": f"again {n}"}
        for n, event in enumerate(ring(first_minute=110, count=6))
    ]
    log = in_order(calm(), visited(ring()), visited(again), ticks(180))
    results = run_embedded(encoded(log), rules=None)
    assert sum(room.suspected_orders for room in results.rooms) == 24 + 6


def ticks(minutes: int) -> list[Event]:
    return [
        {"type": "tick", "event_id": f"tick {n}", "ts_ms": at(n)} for n in range(60, minutes, 5)
    ]


@pytest.mark.parametrize("people", [8, 20, 60])
def test_a_dormitory_with_couples_on_one_phone_is_silent(people: int) -> None:
    """One address is what holds it together; without it there are pairs."""
    students = [
        bought(
            ROOMS[0],
            f"student {n}",
            10 + 60 * n / people,
            address_id="dormitory",
            device_id=f"phone {n // 2}",
            account_age_days=3,
        )
        for n in range(people)
    ]
    assert rings(list(visited(students))) == []


def test_an_office_that_pays_with_one_account_is_silent() -> None:
    colleagues = [
        bought(ROOMS[n % 2], f"colleague {n}", 10 + n, payment_id="company", address_id="office")
        for n in range(12)
    ]
    for event in colleagues[6:]:
        event["payment_id"] = "other company"
    assert rings(list(visited(colleagues[:6])), list(visited(colleagues[6:]))) == []


def test_families_are_silent() -> None:
    members = [
        bought(
            ROOMS[n % 4],
            f"family {n // 4} {n % 4}",
            5 + n,
            device_id=f"tablet {n // 4}",
            payment_id=f"parents {n // 4}",
            address_id=f"house {n // 4}",
            account_age_days=3,
        )
        for n in range(48)
    ]
    assert rings(list(visited(members))) == []


def test_a_festival_of_loyal_customers_who_send_back_as_everybody_does_is_silent() -> None:
    """Sixty people buy in the same three rooms; an order in ten is cancelled at once, of all."""
    events: list[Event] = []
    for step, room_id in enumerate(ROOMS[:3]):
        for n in range(60):
            sold = bought(room_id, f"fan {n}", 10 + 15 * step + n / 4)
            events.append(sold)
            if (7 * n + 3 * step) % 10 == 0:
                events.append(refunded(sold, 9))
    honest = [event for event in calm() if event["type"] == "order"]
    also = [refunded(event, 9) for event in honest if event["order_id"].endswith("5")]
    assert rings(visited_but_refunds(events), also) == []


def test_when_everybody_cancels_nobody_is_a_crowd() -> None:
    """A payment channel is down: what most orders have in common accuses none of them."""
    honest = [
        refunded(event, 6)
        for event in calm()
        if event["type"] == "order" and event["order_id"][-1] in "13579"
    ]
    assert rings(visited_but_refunds(crowd(first_minute=40)), honest) == []


def test_a_crowd_says_where_it_was_and_what_came_back() -> None:
    first = rings(visited_but_refunds(crowd()))[0]
    assert first.severity == "page"
    assert first.rooms == ["east", "north", "south"]
    assert "the same" in first.summary
    assert "of different hosts" in first.summary
    assert [each.signal for each in first.evidence] == ["same_rooms", "quick_refund"]


def test_rooms_of_one_host_make_no_crowd() -> None:
    log = in_order(calm(), visited_but_refunds(crowd()))
    for event in log:
        if event["type"] == "room_opened":
            event["host_id"] = "one host"
    results = run_embedded(encoded(log), rules=None)
    assert all(alert.kind != "identity_ring" for alert in results.alerts)


def test_an_address_of_the_network_ties_nobody() -> None:
    shared = [bought(ROOMS[0], f"b{n}", 10 + n, ip_id="carrier") for n in range(30)]
    assert rings(list(visited(shared))) == []


def test_orders_without_identities_are_silent() -> None:
    bare = [
        bought(ROOMS[0], f"b{n}", 10 + n) | dict.fromkeys(("device_id", "payment_id", "address_id"))
        for n in range(30)
    ]
    assert rings(bare) == []


def off() -> RuleSet:
    sections = ("identity_ring", "price_war")
    return RuleSet.model_validate({section: {"enabled": False} for section in sections})


def test_where_rings_are_not_looked_for_nothing_is_told_and_all_else_is_the_same() -> None:
    log = encoded(together())
    partition = Partition(0, off())
    emitted = fold(partition, log, 0, len(log))
    assert emitted.links == []
    assert partition.end(at(200)).links == []
    usual, without = run_embedded(log, rules=None), run_embedded(log, rules=off())
    assert without.alerts == [
        each for each in usual.alerts if each.kind not in ("identity_ring", "price_war")
    ]
    assert without.minutes == usual.minutes


def rules_event(version: str, minute: float, **ring_rules: Any) -> Event:  # noqa: ANN401 - JSON values
    return {
        "type": "rules",
        "event_id": f"rules {version}",
        "ts_ms": at(minute),
        "version": version,
        "rules": {"identity_ring": ring_rules},
    }


def test_rules_hold_from_their_place_in_the_log_on() -> None:
    strict = rings(list(visited(ring())), [rules_event("strict", 1, orders=20)])
    assert strict[0].score == 20.0
    assert {alert.rules_version for alert in strict} == {"strict"}
    ended = rings(list(visited(ring())), [rules_event("off", 35, enabled=False)], ticks(120))
    assert [alert.status for alert in ended] == ["firing", "resolved"]


def linked(number: int, identity: str = "d", **more: Any) -> Link:  # noqa: ANN401 - any field
    fields: dict[str, Any] = {
        "room_id": "r",
        "order_id": f"o{number}",
        "buyer_id": f"b{number}",
        "host_id": "h",
        "mcn_id": None,
        "currency": "CNY",
        "product_id": "p",
        "merchant_id": None,
        "ordered_ms": at(number),
        "amount_minor": 100,
        "refunded_minor": 0,
        "signs": {},
    }
    order = LinkedOrder(**{**fields, **more})
    return Link(0, number, order.ordered_ms, "device", identity, order)


def handed_on(links: list[Link]) -> tuple[IdentityFold, list[Any]]:
    level = IdentityFold(0, 1)
    log: list[LinkRecord] = [*links, Passed(0, links[-1].sequence + 1, links[-1].ts_ms + 1)]
    return level, level.fold(range(len(log)), log)


def test_only_what_several_share_is_handed_on_the_earlier_orders_too() -> None:
    _, out = handed_on([linked(1, buyer_id="b"), linked(2, buyer_id="b"), linked(3)])
    assert [each.order.order_id for each in out if isinstance(each, Link)] == ["o1", "o2", "o3"]
    _, out = handed_on([linked(1, buyer_id="b"), linked(2, buyer_id="b")])
    assert [type(each) for each in out] == [Passed]


def test_what_more_than_a_crowd_uses_is_taken_back_and_left_alone() -> None:
    level, out = handed_on([linked(n) for n in range(1, 40)])
    names = [type(each).__name__ for each in out]
    assert names.count("Link") == RING.crowd_buyers
    assert names.count("Crowded") == 1
    fold_2 = RingFold(1)
    fold_2.fold(range(len(out)), out)
    assert all(not tied.identities for tied in fold_2._tied.orders.values())
    assert level.evictions.counts == {}


def test_identities_are_forgotten_after_a_day() -> None:
    level, out = handed_on([linked(1), linked(1_441)])
    assert not any(isinstance(each, Link) for each in out)
    assert len(level._known) == 1


def test_the_maps_of_rings_hold_their_caps_and_give_up_the_oldest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("identities", "orders_of_an_identity", "tied_orders", "same_rooms"):
        monkeypatch.setitem(limits.CAPS, name, (16, ""))
    level, _ = handed_on([linked(n, identity=f"d{n}") for n in range(1, 60)])
    assert len(level._known) <= 16
    assert level.evictions.counts["identities"] == 43
    level, out = handed_on([linked(n, buyer_id=f"b{n % 2}") for n in range(1, 60)])
    (known,) = level._known.values()
    assert not isinstance(known, LinkedOrder)
    assert len(known.by_key) == 16
    assert level.evictions.counts["orders_of_an_identity"] == 43
    level_2 = RingFold(1)
    level_2.fold(range(len(out)), out)
    assert len(level_2._tied.orders) <= 16 + 1
    assert level_2.evictions.counts["tied_orders"] >= 42
    evictions = limits.Evictions()
    crowds = Crowds(evictions)
    for n in range(60):
        crowds.bought("b", f"r{n:02}", Stop(f"h{n}", 1, {}, {}), RING)
        assert len(crowds._stops["b"]) <= 8
        assert len(crowds._sets) <= 16
    assert evictions.counts["same_rooms"] > 0


def test_a_partition_says_again_what_it_said_before_a_crash() -> None:
    log = encoded(together())
    partition = Partition(0)
    half = fold(partition, log, 0, len(log) // 2).links
    again = restarted(partition)
    assert (
        fold(partition, log, len(log) // 2, len(log)).links
        == fold(again, log, len(log) // 2, len(log)).links
    )
    assert [each.sequence for each in half] == list(range(1, len(half) + 1))


def test_nothing_is_told_before_a_watermark_that_was_passed() -> None:
    late = bought(ROOMS[0], "late", 1)
    partition = Partition(0)
    log = encoded([*calm(), late, *ticks(90)])
    passed_ms = 0
    for record in fold(partition, log, 0, len(log)).links:
        if isinstance(record, Passed):
            passed_ms = record.watermark_ms
        elif isinstance(record, Link):
            assert record.ts_ms >= passed_ms
    assert passed_ms > at(60)


def test_records_go_where_their_identity_lies_or_everywhere() -> None:
    link = linked(1)
    assert link_key(link) == b"device d"
    assert len(link_targets(link, 5)) == 1
    told = RulesTold(0, 1, 0, "v", {})
    for record in (Passed(3, 1, 0), told):
        assert list(link_targets(record, 3)) == [0, 1, 2]
    assert link_key(told) == b"source 0"


def test_what_is_usual_is_the_share_of_all_orders_but_those_that_share_something() -> None:
    usual, rules = Usual(), DEFAULT_RULES.brushing
    assert usual.base("no_visit", rules) == pytest.approx(0.03)
    usual.take(Counted(0, 1, at(1), 150, {"no_visit": 150}, {"no_visit": 30}))
    assert usual.base("no_visit", rules) == pytest.approx((1.5 + 30) / 200)
    shared = linked(0, signs={"no_visit": True}).order
    for _ in range(30):
        usual.take_off(shared, None, at(1))
    assert usual.base("no_visit", rules) == pytest.approx(1.5 / 170)


def test_what_has_become_usual_in_the_last_hour_counts_and_what_is_too_usual_says_nothing() -> None:
    usual, rules = Usual(), DEFAULT_RULES.brushing
    for minute in range(1, 60):
        usual.take(Counted(0, minute, at(minute), 100, {}, {}))
    assert usual.base("quick_refund", rules) == pytest.approx(0.002)
    for minute in range(70, 130):
        usual.take(Counted(0, minute, at(minute), 10, {}, {"quick_refund": 2}))
    assert usual.base("quick_refund", rules) == pytest.approx((0.75 + 120) / 650, rel=0.05)
    for minute in range(130, 190):
        usual.take(Counted(0, minute, at(minute), 10, {}, {"quick_refund": 9}))
    assert usual.weights("quick_refund", rules) is None
