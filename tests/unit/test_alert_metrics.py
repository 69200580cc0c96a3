"""What a scrape gets of alerts and suspicion, and that its size does not grow with the night."""

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.details import AfterSalesFigures, Detail, ServiceFigures, SoldHour, TrialSale
from schemas.events import EVENT_TYPES, Complaint, Refund
from schemas.records import (
    AnyBoard,
    Counts,
    ProductMark,
    Progress,
    RoomFigures,
    RoomMinute,
    Verdict,
    Version,
)
from schemas.rules import DEFAULT_RULES
from streams.core.after_sales_totals import AfterSalesTotals
from streams.core.boards import BoardFold
from streams.core.integrity.alert_book import AlertBook
from streams.core.last_marks import LastMarks
from streams.core.limits import CAPS
from streams.core.market.live import LiveMarket, market_view
from streams.core.market.sold_hours import HOUR_MS
from streams.core.stickiness.comeback import MOST_KEYS, CohortBack, Comeback, Returning
from streams.core.stickiness.live import FestivalNet, LivePeople, Stays
from streams.shell.mark_metrics import mark_families
from streams.shell.metrics import (
    MOST_CURRENCIES,
    WorkerCollector,
    WorkerView,
    exposition,
    shared_rows,
    shown_currencies,
)
from streams.shell.ring_metrics import FollowedView
from streams.shell.room_stage import PartitionHealth
from tests.unit.making import figures, product_figures
from tests.unit.test_alert_book import alert, booked

MOST_SERIES = 5_000
MOST_SECONDS = 0.2
PARTITIONS = 16
MODES = ("talent", "store", "base_walk", "origin", "overseas", "seckill", "bargain")
WINDOWS = ("before", "during", "after")
PARTIES = ("platform", "host", "merchant", "consumer")
NOON_MS = 1_760_000_040_000 // 60_000 * 60_000


def view_of(
    book: AlertBook | None, rooms: dict[str, RoomFigures], boards: Sequence[AnyBoard] = ()
) -> WorkerView:
    return WorkerView({}, {}, {}, list(boards), rooms, leads=True, now=0.0, epoch_ms=0, alerts=book)


def load(
    room_id: str, merchant_id: str, party: str, *, offset: int = 1, causes: bool = False
) -> AfterSalesFigures:
    """What a party answers for; with all causes there are, or with one of each."""
    kinds = get_args(get_type_hints(Complaint)["kind"]) if causes else ("delivery",)
    reasons = get_args(get_type_hints(Refund)["reason"]) if causes else ("quality",)
    return AfterSalesFigures(
        version=Version(0, offset),
        room_id=room_id,
        merchant_id=merchant_id,
        party=party,
        complaints=dict.fromkeys(kinds, 2),
        refunds=dict.fromkeys(reasons, 3),
        refunded_minor=dict.fromkeys(reasons, 50),
        first_reply=ServiceFigures(1, 2, {10: 1}),
        resolution=ServiceFigures(0, 0, {}),
    )


def exposed(view: WorkerView, rows: int = 20) -> dict[str, float]:
    lines = exposition(WorkerCollector(lambda: view, rows)).decode().splitlines()
    parts = [line.rsplit(" ", 1) for line in lines if not line.startswith("#")]
    return {name: float(value) for name, value in parts}


def test_alerts_are_exposed_by_kind_and_severity_with_their_money_and_verdicts() -> None:
    book = booked(
        alert("a", severity="page", money_minor=700, score=45.0, threshold=30.0),
        alert("b", money_minor=50),
        alert("c", money_minor=9, status="resolved"),
        Verdict("a", "confirm", 1),
    )
    lines = exposed(view_of(book, {"r1": figures("r1")}))
    brushed = 'kind="brushed_orders"'
    assert lines[f'roompulse_alerts_firing{{{brushed},severity="page"}}'] == 1
    assert lines[f'roompulse_alerts_firing{{{brushed},severity="review"}}'] == 1
    assert lines[f'roompulse_alerts_raised_total{{{brushed},severity="review"}}'] == 2
    assert lines[f'roompulse_alerts_versions_total{{{brushed},status="resolved"}}'] == 1
    assert lines[f'roompulse_alerts_money_minor{{currency="CNY",{brushed}}}'] == 750
    assert lines[f'roompulse_alerts_verdicts{{{brushed},verdict="confirm"}}'] == 1
    assert lines[f'roompulse_alerts_verdicts{{{brushed},verdict="none"}}'] == 2
    where = (
        f'alert_id="a",currency="CNY",host_id="h1",{brushed},mcn_id="",room_id="r1",severity="page"'
    )
    assert lines[f"roompulse_firing_alert_money_minor{{{where}}}"] == 700
    assert lines[f"roompulse_firing_alert_score_ratio{{{where}}}"] == 1.5
    assert lines[f"roompulse_firing_alert_started_seconds{{{where}}}"] == 1
    assert lines[f"roompulse_firing_alert_updated_seconds{{{where}}}"] == 2


def test_a_worker_that_does_not_keep_the_boards_counts_no_alerts() -> None:
    lines = exposed(view_of(None, {}))
    assert not [name for name in lines if re.match("roompulse_(alerts|firing_alert)_", name)]


def test_an_alert_of_which_nothing_is_known_but_its_ring_is_shown_all_the_same() -> None:
    ring = alert("ring", kind="identity_ring", room_id=None, host_id=None, currency=None)
    odd = alert("odd", kind="of a later version", threshold=0.0)
    lines = exposed(view_of(booked(ring, odd), {"r": figures("r", currency=None)}))
    assert lines['roompulse_alerts_firing{kind="other",severity="review"}'] == 1
    assert lines['roompulse_alerts_money_minor{currency="",kind="identity_ring"}'] == 500
    scores = [name for name in lines if name.startswith("roompulse_firing_alert_score_ratio")]
    assert len(scores) == 1


def test_suspected_money_is_on_every_board_of_rooms_and_goods_beside_all_money() -> None:
    fold = BoardFold()
    mine: dict[str, Any] = {"mcn_id": "m", "suspected_minor": 300, "suspected_orders": 2}
    fold.apply_room(figures("r1", gross_minor=1_000, trusted_minor=700, **mine))
    fold.apply_room(figures("r2", gross_minor=1_000, mcn_id="m"))
    fold.apply_room(figures("r3", mcn_id="m"))
    fold.apply_product(product_figures("r1", "p", "shop", gross_minor=1_000, suspected_minor=300))
    lines = exposed(view_of(None, fold.rooms, fold.boards()))

    def asked(figure: str, scope: str, key: str) -> list[float]:
        pattern = rf'roompulse_board_{figure}{{.*key="{key}".*scope="{scope}",window="total"}}'
        return [value for name, value in lines.items() if re.fullmatch(pattern, name)]

    for scope, key, share in (
        ("room", "r1", 0.3),
        ("host", "host of r1", 0.3),
        ("mcn", "m", 0.15),
        ("mode", "talent", 0.15),
        ("merchant", "shop", 0.3),
        ("room", "r2", 0.0),
    ):
        (suspected,), (gross,) = (
            asked(f"{money}_minor", scope, key) for money in ("suspected", "gross")
        )
        assert suspected == (300 if share else 0)
        assert suspected / gross == share
    assert lines['roompulse_platform_suspected_minor{currency="CNY"}'] == 300
    assert lines['roompulse_platform_suspected_orders{currency="CNY"}'] == 2
    assert lines['roompulse_room_suspected_orders{room_id="r1"}'] == 2


def test_rooms_of_the_gravest_alerts_are_shown_whatever_their_rank() -> None:
    fold = BoardFold()
    for number in range(9):
        fold.apply_room(figures(f"r{number}", gross_minor=1_000 - number))
    book = booked(
        alert("a", room_id="r7", severity="page"),
        alert("b", room_id="r6"),
        alert("c", room_id="r8", severity="page", status="resolved"),
    )
    lines = exposed(view_of(book, fold.rooms, fold.boards()), rows=2)
    for name in ("roompulse_room_online", 'roompulse_board_gross_minor{.*scope="room"'):
        shown = {
            key for line in lines if re.match(name, line) for key in re.findall("r[0-9]", line)
        }
        assert shown == {"r0", "r1", "r7"}


@pytest.mark.parametrize(
    ("lengths", "rows", "shown"),
    [
        ([100], 20, [20]),
        ([100, 2], 20, [20, 2]),
        ([100, 100], 20, [12, 13]),
        ([3, 100, 100], 20, [3, 11, 11]),
        ([100] * 3, 2, [1, 1, 1]),
        ([100] * 5, 2, [0, 0, 1, 1, 1]),
        ([1, 1], 1, [1, 1]),
        ([5], 0, [0]),
        ([], 20, []),
    ],
)
def test_boards_of_several_currencies_share_their_rows(
    lengths: list[int], rows: int, shown: list[int]
) -> None:
    assert shared_rows(lengths, rows) == shown


def test_the_currencies_of_most_rooms_are_shown() -> None:
    rooms = [figures(f"r{number}", currency=f"C{number % 30:02}") for number in range(31)]
    found = shown_currencies([*rooms, figures("x", currency=None), figures("y", currency=None)])
    assert len(found) == MOST_CURRENCIES
    assert found[:3] == ["", "C00", "C01"]


def sold(room_id: str, number: int) -> list[Detail]:
    """A product that a room sold, in its first hour."""
    goods = (Version(0, 1), room_id, f"p{number}")
    hour_ms = NOON_MS - NOON_MS % HOUR_MS
    return [
        SoldHour(*goods, f"s{number}", hour_ms, 1, 1, 100),
        TrialSale(*goods, NOON_MS, 9, 5, 2, 1, 1, 100, 1, 100),
    ]


def festival(name: str, currency: str) -> FestivalNet:
    return FestivalNet(name, currency, dict.fromkeys(WINDOWS, 28), dict.fromkeys(WINDOWS, 7))


@pytest.fixture(scope="module")
def sale_night() -> WorkerView:
    """A worker that has all of 10,000 rooms, in more currencies than anybody sells in.

    In each of them every party answers for complaints and refunds of every kind, and it is a day
    between two festivals.
    """
    fold, totals, marks = BoardFold(), AfterSalesTotals(), LastMarks()
    market = LiveMarket()
    for number in range(10_000):
        currency = f"Q{chr(65 + number % 9)}{chr(65 + number % 7)}"
        facts: dict[str, Any] = {
            "currency": currency if number % 3 else "CNY",
            "host_name": f"主播 {number}",
            "mcn_id": f"m{number % 300}",
            "category": f"c{number % 40}",
            "mode": MODES[number % len(MODES)],
            "suspected_minor": number % 90,
        }
        room_id = f"room-{number:05}"
        facts |= {"host_id": f"h{number}", "opened_ms": NOON_MS - 60_000}
        room = figures(room_id, gross_minor=number * 1_000 + 500, orders=9, **facts)
        minute = RoomMinute(room_id, NOON_MS, 1, number + 1, 0, 5, 5, 1, 1, 1)
        fold.apply_room(room)
        fold.apply_minute(minute)
        market.newest.apply_room(room)
        market.apply_minute(minute)
        for detail in sold(room_id, number):
            market.newest.apply_detail(detail)
        fold.apply_product(product_figures(room_id, f"p{number}", f"s{number}", gross_minor=number))
        totals.apply_currency(room_id, facts["currency"])
        marks.apply(ProductMark(number, room_id, "p", "listed", None, None))
        for party in PARTIES:
            totals.apply(load(room_id, "s", party, causes=number > 9_900))
    book = AlertBook()
    for number in range(CAPS["known_alerts"][0]):
        book.apply(alert(f"a{number}", currency="CNY", room_id=f"room-{number % 10_000:05}"))
    progress = {
        number: Progress(
            version=Version(number, 1),
            watermark_ms=NOON_MS + 60_000,
            counts=Counts(),
            rejected_by_reason=dict.fromkeys(("not_json", "unknown_type", "future"), 1),
            by_type=dict.fromkeys(EVENT_TYPES, 1),
            duplicate_by_type={},
            evicted={},
            rules_version=None,
            rooms=1,
            waiting=0,
        )
        for number in range(PARTITIONS)
    }
    for each in progress.values():
        fold.apply_progress(each)
    health = {number: PartitionHealth(saved_at=1.0, saved_bytes=1) for number in progress}
    return WorkerView(
        progress,
        health,
        {},
        fold.boards(),
        fold.rooms,
        leads=True,
        now=2.0,
        epoch_ms=3,
        alerts=book,
        after_sales=totals,
        marks=marks,
        market=market_view(market.stand(fold.as_of_ms), book.known(), DEFAULT_RULES),
        stays={number: Stays(9, 8, 7, [6, 5, 4, 3, 2]) for number in progress},
        followed=[
            FollowedView(topic, number, 1)
            for topic in ("identity-links", "ring-marks")
            for number in progress
        ],
        people=dict.fromkeys(
            progress,
            LivePeople(5, 4, 9, 8, 2, [festival(name, c) for name in "fg" for c in "XY"]),
        ),
        comeback=came_back([f"key {n}" for n in range(MOST_KEYS)]),
    )


def test_after_sales_are_shown_by_party_and_money_by_currency() -> None:
    fold, totals = BoardFold(), AfterSalesTotals()
    for room_id, currency in (("r1", "CNY"), ("r2", "USD")):
        fold.apply_room(figures(room_id, gross_minor=9, currency=currency))
        totals.apply(load(room_id, "s", "host", offset=1, causes=True))
        totals.apply(load(room_id, "s", "host", offset=3))
        totals.apply(load(room_id, "s", "host", offset=2, causes=True))  # an older view
        totals.apply_currency(room_id, currency)
    lines = exposed(replace(view_of(None, fold.rooms, fold.boards()), after_sales=totals))
    shown = {name: value for name, value in lines.items() if "after_sales" in name}
    assert shown == {
        'roompulse_after_sales_complaints{kind="delivery",party="host"}': 4,
        'roompulse_after_sales_refunds{party="host",reason="quality"}': 6,
        'roompulse_after_sales_refunded_minor{currency="CNY",party="host"}': 50,
        'roompulse_after_sales_refunded_minor{currency="USD",party="host"}': 50,
        'roompulse_after_sales_in_time{level="first_reply",party="host"}': 2,
        'roompulse_after_sales_breaches{level="first_reply",party="host"}': 4,
        'roompulse_after_sales_median_ms{level="first_reply",party="host"}': 10,
        'roompulse_after_sales_in_time{level="resolution",party="host"}': 0,
        'roompulse_after_sales_breaches{level="resolution",party="host"}': 0,
        **{
            f'roompulse_after_sales_room_{name}{{party="host",room_id="{room_id}"}}': value
            for room_id in ("r1", "r2")
            for name, value in (("complaints", 2), ("refunds", 3))
        },
        'roompulse_after_sales_room_breaches{room_id="r1"}': 2,
        'roompulse_after_sales_room_breaches{room_id="r2"}': 2,
    }


def test_visits_people_and_festivals_are_shown_by_partition() -> None:
    people = LivePeople(5, 4, 9, 8, 2, [festival("f", "CNY"), festival("f", "USD")])
    view = replace(
        view_of(None, {}),
        stays={1: Stays(1, 1, 1, [0] * 5), 3: Stays(9, 7, 7_000, [6, 5, 4, 3, 2])},
        people={3: people},
    )
    lines = exposed(view)
    assert lines["roompulse_visits_ended"] == 8
    assert lines['roompulse_visits_stayed{seconds="30"}'] == 6
    assert lines['roompulse_visits_stayed{seconds="1800"}'] == 2
    assert lines['roompulse_people_month_active_viewers{partition="3"}'] == 9
    assert lines['roompulse_people_repeat_buyers{partition="3"}'] == 2
    where = 'festival="f",window="after"'
    assert lines[f"roompulse_festival_days{{{where}}}"] == 28
    assert lines[f'roompulse_festival_net_minor{{currency="USD",{where}}}'] == 7
    assert not [name for name in exposed(view_of(None, {})) if "_visits_" in name]


def came_back(keys: list[str]) -> Comeback:
    return Comeback(
        Returning(50, 9),
        {key: Returning(5, 2) for key in keys},
        {key: Returning(4, 1) for key in keys},
        {"buyers": CohortBack(7, 3), "viewers": CohortBack(70, 31)},
    )


def test_who_came_back_is_shown_of_a_worker_with_its_greatest_hosts_and_rooms() -> None:
    lines = exposed(replace(view_of(None, {}), comeback=came_back(["a"])))
    assert {name: value for name, value in lines.items() if "_people_" in name} == {
        "roompulse_people_recent_viewers": 50,
        "roompulse_people_returning_viewers": 9,
        'roompulse_people_host_recent_viewers{host_id="a"}': 5,
        'roompulse_people_host_returning_viewers{host_id="a"}': 2,
        'roompulse_people_room_recent_viewers{room_id="a"}': 4,
        'roompulse_people_room_returning_viewers{room_id="a"}': 1,
        'roompulse_people_cohort{kind="buyers"}': 7,
        'roompulse_people_cohort{kind="viewers"}': 70,
        'roompulse_people_cohort_back{kind="buyers"}': 3,
        'roompulse_people_cohort_back{kind="viewers"}': 31,
    }
    assert not [name for name in exposed(view_of(None, {})) if "_people_" in name]


def test_a_scrape_of_ten_thousand_rooms_is_small(sale_night: WorkerView) -> None:
    lines = exposed(sale_night)
    windows = {re.findall(r'window="(\w+)"', name)[0] for name in lines if 'scope="host"' in name}
    assert windows == {"total", "day", "last_10m", "last_60m"}
    assert len(lines) <= MOST_SERIES


def test_a_scrape_of_ten_thousand_rooms_is_quick(sale_night: WorkerView) -> None:
    """By processor time of this thread, the best of some, so that a busy machine says nothing."""
    collector = WorkerCollector(lambda: sale_night, 20)
    took = []
    for _ in range(5):
        started = time.thread_time()
        exposition(collector)
        took.append(time.thread_time() - started)
    assert min(took) <= MOST_SECONDS


@given(st.permutations([(room, at) for room in "rs" for at in (5, 9)]))
def test_the_last_mark_is_shown_of_rooms_that_are_shown(order: list[tuple[str, int]]) -> None:
    marks = LastMarks()
    for room_id, at in [*order, *order]:
        marks.apply(ProductMark(at * 1_000, room_id, "p", "priced", None, None))
    (family,) = mark_families(marks, ["s", "of no mark"])
    assert [(one.labels, one.value) for one in family.samples] == [({"room_id": "s"}, 9.0)]
    (nothing,) = mark_families(None, ["s"])
    assert nothing.samples == []
