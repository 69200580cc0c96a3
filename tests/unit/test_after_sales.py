"""Who answers for what came back, how soon people were answered, and which minute sold it."""

# ruff: noqa: ANN401 - rows of a report have no common type

import re
from pathlib import Path
from typing import Any

import pytest

from schemas.rules import RuleSet
from streams.embedded import EmbeddedRun, Results
from tests.unit.attack import (
    MINUTE_MS,
    START_MS,
    Event,
    attacked_log,
    encoded,
    in_order,
    opened,
    order,
)
from tests.unit.signals import ROOM, at, complaint, product, refund

PAGE = Path(__file__).parents[2] / "docs/after-sales.md"


def results(*events: Event, until: int = 0, rules: RuleSet | None = None) -> Results:
    """What a session comes to in which event time goes on in steps that are believed."""
    minutes = max(until, *((each["ts_ms"] - START_MS) // MINUTE_MS for each in events))
    ticks = [tick(9 * number) for number in range(1, minutes // 9 + 1)]
    run = EmbeddedRun(rules=rules)
    run.feed(encoded(in_order([opened(ROOM)], ticks, events)))
    return run.finish()


def row(found: Results, section: str, key: str, party: str | None = None) -> Any:
    rows: Any = found.after_sales[section]
    (one,) = [each for each in rows if (each["key"], each["party"]) == (key, party)]
    return one


def tick(minutes: float) -> Event:
    return {"type": "tick", "event_id": f"tick-{minutes}", "ts_ms": at(minutes)}


@pytest.mark.parametrize(
    ("kind", "party"),
    [
        ("quality", "merchant"),
        ("counterfeit", "merchant"),
        ("after_sales_refused", "merchant"),
        ("false_advertising", "host"),
        ("price_fraud", "host"),
        ("off_platform_payment", "host"),
        ("delivery", "platform"),
        ("other", "platform"),
    ],
)
def test_where_no_event_names_a_party_it_follows_from_the_kind(kind: str, party: str) -> None:
    found = results(complaint(1, 5, kind=kind))
    assert row(found, "rooms", ROOM, party)["complaints_by_kind"] == {kind: 1}
    assert row(found, "platform", "platform")["complaints"] == 1


def test_a_party_that_an_event_names_answers_with_all_that_was_said_before() -> None:
    found = results(
        complaint(1, 5, kind="quality"),
        complaint(1, 8, status="replied", party="consumer", event_id="reply"),
    )
    parties = {each["party"] for each in found.after_sales["rooms"]}
    assert parties == {None, "consumer"}
    consumer = row(found, "rooms", ROOM, "consumer")
    assert (consumer["complaints"], consumer["first_reply_in_time"]) == (1, 1)
    assert consumer["first_reply_median_ms"] == pytest.approx(3 * MINUTE_MS, rel=0.05)


def test_refunds_are_counted_by_reason_and_by_who_answers_for_it() -> None:
    sold = [order(ROOM, n, at(n)) for n in range(1, 5)]
    back = [
        refund(n, 20, reason=reason)
        for n, reason in ((1, "quality"), (2, "changed_mind"), (3, "not_received"))
    ]
    found = results(*sold, *back)
    whole = row(found, "rooms", ROOM)
    assert (whole["orders"], whole["refunds"], whole["refunded_minor"]) == (4, 3, 3_000)
    assert (whole["quality_refunds"], whole["quality_refund_rate"]) == (1, 0.25)
    assert row(found, "rooms", ROOM, "merchant")["refunds_by_reason"] == {"quality": 1}
    assert row(found, "rooms", ROOM, "consumer")["refunds_by_reason"] == {"changed_mind": 1}
    assert row(found, "rooms", ROOM, "platform")["refunds_by_reason"] == {"not_received": 1}
    assert row(found, "hosts", f"host of {ROOM}")["refunds"] == 3


def test_what_came_back_is_the_merchants_of_the_order_or_of_the_product() -> None:
    found = results(
        product("p1", "listed", 0, merchant_id="of the product"),
        order(ROOM, 1, at(1), product_id="p2", merchant_id="of the order"),
        order(ROOM, 2, at(2)),
        refund(1, 10, product_id="p2"),
        refund(2, 10),
        complaint(3, 11, order_id="unknown", product_id="p1"),
        complaint(4, 12, order_id="unknown"),
    )
    assert row(found, "merchants", "of the order")["refunds"] == 1
    of_product = row(found, "merchants", "of the product")
    assert (of_product["refunds"], of_product["complaints"]) == (1, 1)
    assert row(found, "rooms", ROOM)["complaints"] == 2, "one of them is of nobody's goods"


@pytest.mark.parametrize(
    ("minutes", "judged"),
    [(119, (1, 0)), (120, (1, 0)), (120.001, (0, 1)), (200, (0, 1))],
)
def test_a_reply_up_to_its_deadline_is_in_time_and_later_takes_no_breach_back(
    minutes: float, judged: tuple[int, int]
) -> None:
    reply = complaint(1, minutes, status="replied", event_id="reply")
    found = results(complaint(1, 0), reply, until=240)
    whole = row(found, "rooms", ROOM)
    assert (whole["first_reply_in_time"], whole["first_reply_breaches"]) == judged
    assert whole["first_reply_median_ms"] is not None, "it is measured all the same"


def test_what_is_still_open_at_the_end_is_not_judged() -> None:
    whole = row(results(complaint(1, 5)), "rooms", ROOM)
    assert (whole["first_reply_in_time"], whole["first_reply_breaches"]) == (0, 0)
    assert whole["first_reply_attainment"] is None


def test_service_levels_and_parties_are_rules() -> None:
    rules = RuleSet.model_validate(
        {
            "after_sales": {
                "first_reply_minutes": 1,
                "complaint_party": {"quality": "platform"},
                "refund_party": {"quality": "host"},
            }
        }
    )
    found = results(complaint(1, 5), order(ROOM, 1, at(6)), refund(1, 7), until=20, rules=rules)
    assert row(found, "rooms", ROOM, "platform")["first_reply_breaches"] == 1
    assert row(found, "rooms", ROOM, "host")["refunds"] == 1


def test_returns_stand_at_the_minute_that_sold_them_and_refunds_at_theirs() -> None:
    found = results(
        order(ROOM, 1, at(3)),
        order(ROOM, 2, at(3)),
        refund(1, 30, ordered_ts_ms=at(3)),
    )
    lines: list[Any] = found.pitch
    sold, came_back = lines
    start_ms = at(3) - at(3) % MINUTE_MS
    assert (sold["minute_ms"], sold["orders"], sold["gross_minor"]) == (start_ms, 2, 2_000)
    assert (sold["returns"], sold["returned_minor"], sold["quality_returns"]) == (1, 1_000, 1)
    assert (sold["return_rate"], sold["refunds"]) == (0.5, 0)
    assert (came_back["orders"], came_back["returns"], came_back["refunds"]) == (0, 0, 1)
    assert came_back["return_rate"] is None


def test_every_field_has_its_row_in_the_page() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = set(re.findall(r"`(\w+)`", "".join(re.findall(r"(?m)^\| `.*?\|", page))))
    found = results(order(ROOM, 1, at(3)), refund(1, 30), complaint(1, 5))
    for each in (*found.after_sales["rooms"], *found.pitch):
        assert set(each) <= rows


def test_service_levels_are_those_of_the_design_by_default() -> None:
    rules = RuleSet().after_sales
    assert (rules.first_reply_minutes, rules.resolution_minutes) == (2 * 60, 48 * 60)


def test_rates_over_the_orders_that_nobody_suspects() -> None:
    log = attacked_log()
    last_ms = log[-1]["ts_ms"]
    told = [
        {**complaint(n, 0), "room_id": room_id, "event_id": f"{room_id} {n}", "ts_ms": last_ms}
        for room_id in ("attacked", "clean")
        for n in range(3)
    ]
    run = EmbeddedRun()
    run.feed(encoded(in_order(log, told)))
    found = run.finish()
    attacked, clean = row(found, "rooms", "attacked"), row(found, "rooms", "clean")
    assert (attacked["orders"], attacked["orders_trusted"]) == (90, 60)
    assert attacked["complaint_rate"] == round(3 / 90, 4)
    assert attacked["complaint_rate_trusted"] == clean["complaint_rate"] == round(3 / 60, 4)
    assert clean["complaint_rate_trusted"] == clean["complaint_rate"]
    platform = row(found, "platform", "platform")
    assert (platform["orders"], platform["orders_trusted"]) == (150, 120)
    hosts = row(found, "hosts", "host of attacked")
    assert (hosts["orders_trusted"], hosts["quality_refund_rate_trusted"]) == (60, 0)
