"""What suspicion of brushed orders takes, what it costs an order, and when it ends."""

import pytest

from schemas.errors import InputError
from schemas.records import Alert, BoardRow, RoomSummary
from schemas.rules import BrushingRules, RuleSet, rule_set
from streams.core.integrity.signs import BaseRates
from streams.embedded import Results
from tests.property.running import run_embedded
from tests.unit.attack import (
    MINUTE_MS,
    START_MS,
    Event,
    attacked_log,
    burst,
    encoded,
    honest,
    in_order,
    opened,
    order,
    view,
)


def run(events: list[Event], *, rules: RuleSet | None = None) -> Results:
    return run_embedded(encoded(events), rules=rules)


def pages(results: Results) -> list[Alert]:
    return [alert for alert in results.alerts if alert.severity == "page"]


def room(results: Results, room_id: str) -> RoomSummary:
    return next(each for each in results.rooms if each.room_id == room_id)


def test_a_burst_of_orders_without_visits_on_shared_devices_is_paged() -> None:
    alerts = pages(run(attacked_log()))
    assert {alert.room_id for alert in alerts} == {"attacked"}
    assert {sign.signal for sign in alerts[0].evidence} >= {"no_visit", "shared_device"}


def test_the_alert_comes_while_the_attack_runs() -> None:
    first = run(attacked_log()).alerts[0]
    before = [event for event in burst("attacked") if event["ts_ms"] <= first.updated_ms]
    assert len(before) <= 15


def test_suspected_orders_come_off_trusted_gmv_and_nothing_else() -> None:
    attacked = room(run(attacked_log()), "attacked")
    assert attacked.orders == 90
    assert attacked.suspected_orders == 30
    assert attacked.suspected_minor == 30_000
    assert attacked.gross_minor == attacked.net_minor == 90_000
    assert attacked.trusted_minor == 60_000


def test_boards_show_the_places_that_suspicion_costs() -> None:
    results = run(attacked_log())
    board = next(each for each in results.boards if (each.scope, each.window) == ("host", "total"))
    leader = board.rows[0]
    assert isinstance(leader, BoardRow)
    assert (leader.key, leader.rank_gross, leader.rank_trusted) == ("host of attacked", 1, 1)
    products = next(each for each in results.boards if each.scope == "product")
    product = products.rows[0]
    assert isinstance(product, BoardRow)
    assert product.trusted_minor == product.gross_minor - 30_000


def test_a_suspected_order_that_is_refunded_is_taken_off_once() -> None:
    refund = {
        "type": "refund",
        "event_id": "refund-1",
        "ts_ms": START_MS + 55 * MINUTE_MS,
        "room_id": "attacked",
        "refund_id": "r1",
        "order_id": "attacked-o1005",
        "buyer_id": "attacked-b1005",
        "product_id": "p1",
        "amount_minor": 400,
        "ordered_ts_ms": START_MS,
        "reason": "other",
    }
    attacked = room(run(in_order(attacked_log(), [refund])), "attacked")
    assert attacked.net_minor == 90_000 - 400
    assert attacked.trusted_minor == 60_000


def test_the_clean_room_next_door_keeps_its_trust() -> None:
    clean = room(run(attacked_log()), "clean")
    assert clean.suspected_orders == 0
    assert clean.trusted_minor == clean.gross_minor


def test_taking_the_listed_orders_out_of_the_log_takes_the_alert_away() -> None:
    results = run(attacked_log())
    listed = {
        order_id for alert in results.alerts for sign in alert.evidence for order_id in sign.orders
    }
    rest = [event for event in attacked_log() if event.get("order_id") not in listed]
    assert run(rest).alerts == []


def test_an_incident_is_told_in_versions_and_ends_after_half_an_hour_of_quiet() -> None:
    alerts = run(attacked_log()).alerts
    assert len({alert.alert_id for alert in alerts}) == 1
    assert [alert.version for alert in alerts] == list(range(1, len(alerts) + 1))
    assert alerts[0].status == "firing"
    assert alerts[-1].status == "resolved"
    last_ms = max(event["ts_ms"] for event in burst("attacked"))
    assert alerts[-1].updated_ms == last_ms + 30 * MINUTE_MS


def test_a_dormitory_that_orders_together_is_not_paged() -> None:
    together = (
        event | {"address_id": "dormitory"} if event["type"] == "order" else event
        for event in honest("attacked", 60)
    )
    assert pages(run(in_order([opened("attacked"), opened("clean")], together))) == []


def test_orders_without_identities_lose_that_evidence_only() -> None:
    nameless = [
        {name: value for name, value in event.items() if name not in ("device_id", "payment_id")}
        for event in burst("attacked")
    ]
    log = in_order([opened("attacked"), opened("clean")], honest("attacked", 60), nameless)
    results = run(log)
    assert pages(results) == []
    assert results.progress[0].rejected_by_reason == {}


def test_one_family_of_evidence_is_reviewed_and_costs_no_trust() -> None:
    shared = [
        event
        for number in range(30)
        for event in (
            view("attacked", f"attacked-b{2_000 + number}", START_MS + number * 20_000),
            order(
                "attacked",
                2_000 + number,
                START_MS + number * 20_000 + 15_000,
                device_id=f"device {number % 6}",
                payment_id=f"account {number % 6}",
            ),
        )
    ]
    results = run(in_order([opened("attacked"), opened("clean")], honest("clean", 40), shared))
    assert {alert.severity for alert in results.alerts} == {"review"}
    assert room(results, "attacked").trusted_minor == room(results, "attacked").net_minor


def test_rules_of_the_log_are_in_force_from_their_place_on() -> None:
    lenient = {
        "type": "rules",
        "event_id": "rules-1",
        "ts_ms": START_MS,
        "version": "lenient",
        "rules": {"brushing": {"review": 1e9, "page": 1e9}},
    }
    results = run([lenient, *attacked_log()])
    assert results.alerts == []
    assert {progress.rules_version for progress in results.progress} == {"lenient"}


def test_rules_that_do_not_validate_change_nothing_and_are_kept_once() -> None:
    broken = {
        "type": "rules",
        "event_id": "rules-1",
        "ts_ms": START_MS,
        "version": "broken",
        "rules": {"brushing": {"page": "high"}},
    }
    results = run([broken, *attacked_log()])
    assert pages(results)
    assert [letter.reason for letter in results.dead_letters] == ["invalid_field"]
    assert "$.rules.brushing.page" in results.dead_letters[0].detail
    assert {progress.rules_version for progress in results.progress} == {None}


def test_given_rules_override_those_of_the_log() -> None:
    strict = RuleSet(brushing=BrushingRules(review=1e9, page=1e9))
    assert run(attacked_log(), rules=strict).alerts == []


def test_a_rule_out_of_range_is_named() -> None:
    with pytest.raises(InputError, match=r"\$\.rules\.brushing\.no_visit\.base"):
        rule_set({"brushing": {"no_visit": {"base": 2, "under_attack": 0.5}}})


def test_a_base_rate_starts_at_its_rule_and_follows_what_is_normal() -> None:
    rates, rules = BaseRates(), BrushingRules()
    assert rates.base("no_visit", rules) == pytest.approx(0.03)
    for number in range(1_000):
        rates.learn("no_visit", is_set=number % 10 == 0)
    assert rates.base("no_visit", rules) == pytest.approx(0.0967, abs=0.001)


def test_a_base_rate_is_clamped_so_that_poison_cannot_turn_a_sign_around() -> None:
    rates, rules = BaseRates(), BrushingRules()
    for _ in range(10_000):
        rates.learn("no_visit", is_set=True)
    assert rates.base("no_visit", rules) == 0.3
    assert (
        rates.weight("no_visit", rules, is_set=True)
        > 0
        > rates.weight("no_visit", rules, is_set=False)
    )
