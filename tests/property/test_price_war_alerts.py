"""Alerts of price wars say what `supply.json` says of the same log, while it goes on."""

from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.records import Alert
from schemas.rules import DEFAULT_RULES, RuleSet
from streams.core import limits
from streams.embedded import Results
from streams.result_files import compared
from tests.property.running import run_embedded
from tests.unit.attack import Event, encoded, in_order, opened
from tests.unit.ring_logs import ROOMS, at, calm, priced, war

EXAMPLES = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
PRODUCTS = ("fought", "quiet")


def closed(room_id: str, minutes: float) -> Event:
    return {
        "type": "room_closed",
        "event_id": f"close-{room_id}",
        "ts_ms": at(minutes),
        "room_id": room_id,
    }


def tick(minutes: float) -> Event:
    return {"type": "tick", "event_id": f"tick-{minutes}", "ts_ms": at(minutes)}


@st.composite
def sessions(draw: st.DrawFn) -> list[Event]:
    """Rooms that tell prices of two products, mostly lower ones than before, for some hours."""
    random = Random(draw(st.integers(0, 10_000)))
    rooms = ROOMS[: draw(st.integers(2, 4))]
    steps = draw(st.integers(5, 60))
    pause = draw(st.sampled_from((1.0, 6.0, 25.0, 70.0)))
    events: list[Event] = []
    price_of = dict.fromkeys(PRODUCTS, 10_000)
    minutes = 1.0
    for _ in range(steps):
        minutes += random.choice((0.0, 0.01, pause / 2, pause))
        product_id = random.choice(PRODUCTS)
        action = random.choice(("listed", "priced", "priced", "priced", "delisted", "stocked"))
        price_of[product_id] = max(
            100, price_of[product_id] * random.choice((90, 94, 96, 105)) // 100
        )
        told = price_of[product_id] if action in ("listed", "priced") else None
        name = random.randrange(10**9)
        events.append(
            priced(
                random.choice(rooms),
                minutes,
                told,
                action,
                product_id=product_id,
                event_id=f"e{name}",
            )
        )
    closings = [closed(rooms[0], minutes / 2)] if draw(st.booleans()) else []
    # event time passes evenly, so that no stamp jumps
    ticks = [tick(5.0 * n) for n in range(1, int(minutes / 5) + 60)]
    return in_order([opened(each) for each in rooms], events, closings, ticks)


def wars_in_the_file(results: Results) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = compared(results)["supply.json"]["price_wars"]
    return [row for row in rows if row["price_war"]]


def alerts_of(results: Results) -> list[Alert]:
    return [each for each in results.alerts if each.kind == "price_war"]


@EXAMPLES
@given(sessions(), st.integers(1, 4))
def test_each_war_of_the_file_is_told_once_and_nothing_else_is(
    events: list[Event], partitions: int
) -> None:
    results = run_embedded(encoded(events), partitions=partitions, rules=DEFAULT_RULES)
    rows = wars_in_the_file(results)
    found = alerts_of(results)
    first = {(each.product_id, each.started_ms) for each in found if each.version == 1}
    assert first == {(row["product_id"], row["started_ms"]) for row in rows}
    last = {(each.product_id, each.started_ms): each for each in found}
    for row in rows:
        alert = last[row["product_id"], row["started_ms"]]
        assert alert.status == "resolved"
        assert alert.updated_ms == row["ended_ms"] + 60 * 60_000
        assert alert.rooms == row["rooms"]
        assert alert.currency == row["currency"]


@EXAMPLES
@given(sessions(), st.integers(1, 80))
def test_partitions_and_chunks_change_no_alert(events: list[Event], chunk: int) -> None:
    log = encoded(events)
    usual = alerts_of(run_embedded(log, partitions=1, rules=DEFAULT_RULES))
    other = alerts_of(run_embedded(log, partitions=3, chunk=chunk, rules=DEFAULT_RULES))
    assert other == usual


def test_a_war_is_told_with_the_turn_that_makes_it_one() -> None:
    ticks = [tick(5.0 * n) for n in range(1, 30)]
    results = run_embedded(encoded(in_order(calm(), war(), ticks)), rules=DEFAULT_RULES)
    first, second, last = alerts_of(results)
    # three turns of 8 % lie 22 % under the median of the four prices before
    assert first.started_ms == at(20)
    assert first.updated_ms == at(28)
    assert (first.severity, first.score, first.threshold) == ("review", 3.0, 3.0)
    assert first.rooms == ["east", "north", "south"]
    assert first.summary == (
        "Price war over product fought: rooms east, north, south undercut each other 3 times,"
        " 3 of them within an hour; the lowest price is 22% under the median of the 7 days before."
    )
    assert [each.signal for each in first.evidence] == ["undercuts_in_an_hour", "under_median"]
    assert (second.score, second.status) == (6.0, "updated")
    assert last.updated_ms == at(44) + 60 * 60_000
    assert {each.room_id for each in (first, second, last)} == {None}


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(
            [priced("north", 5 + n, 10_000 - 1_500 * n) for n in range(5)], id="one room alone"
        ),
        pytest.param(
            [priced(room, 5 + n, 5_000) for n, room in enumerate(ROOMS)], id="one price for all"
        ),
        pytest.param(
            [
                *(priced(room, 5, 10_000, "listed") for room in ROOMS[:2]),
                *(priced(ROOMS[n % 2], 10 + n, 10_000 * 96**n // 100**n) for n in range(1, 9)),
            ],
            id="small steps",
        ),
        pytest.param(
            [
                *(priced(room, 5, 10_000, "listed") for room in ROOMS[:2]),
                *(priced(ROOMS[n % 2], 65 * n, 10_000 * 90**n // 100**n) for n in range(1, 5)),
            ],
            id="hours apart",
        ),
        pytest.param(
            [
                *(priced(room, 5, 10_000, "listed") for room in ROOMS[:2]),
                closed("north", 8),
                *(priced("east", 10 + n, 10_000 * 90**n // 100**n) for n in range(1, 5)),
            ],
            id="the other has closed",
        ),
        pytest.param(
            [
                *(
                    priced(ROOMS[n % 2], 10 + n, 10_000 * 90**n // 100**n, product_id=f"p{n % 2}")
                    for n in range(9)
                )
            ],
            id="different products",
        ),
    ],
)
def test_what_only_looks_like_a_war_is_not_told(events: list[Event]) -> None:
    ticks = [tick(5.0 * n) for n in range(1, 80)]
    results = run_embedded(encoded(in_order(calm(), events, ticks)), rules=DEFAULT_RULES)
    assert alerts_of(results) == []


def test_a_detector_that_is_off_tells_nothing() -> None:
    off = RuleSet.model_validate({"price_war": {"enabled": False}})
    results = run_embedded(encoded(in_order(calm(), war())), rules=off)
    assert alerts_of(results) == []


def test_full_maps_give_up_the_oldest_and_the_rest_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("priced_goods", "closed_rooms", "exchanges", "told_prices"):
        monkeypatch.setitem(limits.CAPS, name, (16, limits.CAPS[name][1]))
    others = [
        priced("north", 6 + n / 100, 500, "listed", product_id=f"other {n}") for n in range(100)
    ]
    usual, crowded = (
        alerts_of(run_embedded(encoded(in_order(calm(), war(), more)), rules=DEFAULT_RULES))
        for more in ([], others)
    )
    assert usual
    assert crowded == usual
