"""Ranks, ties, names, currencies, windows, momentum: what a board says of known figures."""

# ruff: noqa: ANN401 - JSON values and facts of events have no common type

from typing import Any

import pytest

from schemas.records import Board, BoardRow
from streams.core.boards import BoardFold
from tests.unit.making import (
    HOUR,
    MINUTE,
    figures,
    minute,
    product_figures,
    progress,
)

NOON = 1_699_675_200_000  # 2023-11-11 12:00 in Shanghai


def board(fold: BoardFold, scope: str, window: str = "total", currency: str | None = "CNY") -> Any:
    (found,) = [
        each
        for each in fold.boards()
        if (each.scope, each.window, each.currency) == (scope, window, currency)
    ]
    return found


def rows(fold: BoardFold, scope: str, window: str = "total", currency: str | None = "CNY") -> Any:
    return board(fold, scope, window, currency).rows


def keys(fold: BoardFold, scope: str, window: str = "total", currency: str | None = "CNY") -> Any:
    return [row.key for row in rows(fold, scope, window, currency)]


def fold_of(*rooms: Any, top: int = 0) -> BoardFold:
    fold = BoardFold(top=top)
    for each in rooms:
        fold.apply_room(each)
    return fold


def test_rooms_are_ranked_by_gross_and_ties_by_key() -> None:
    fold = fold_of(
        figures("b", gross_minor=5), figures("c", gross_minor=9), figures("a", gross_minor=5)
    )
    assert [(row.rank, row.key) for row in rows(fold, "room")] == [(1, "c"), (2, "a"), (3, "b")]


def test_places_lost_are_those_between_the_ranks_by_gross_and_by_trusted() -> None:
    fold = fold_of(
        figures("a", gross_minor=100, net_minor=90, trusted_minor=10),
        figures("b", gross_minor=80, net_minor=80, trusted_minor=80),
        figures("c", gross_minor=60, net_minor=60, trusted_minor=60),
    )
    ranks = [
        (row.key, row.rank_gross, row.rank_net, row.rank_trusted, row.places_lost)
        for row in rows(fold, "room")
    ]
    assert ranks == [("a", 1, 1, 3, 2), ("b", 2, 2, 1, -1), ("c", 3, 3, 2, -1)]


def test_only_the_first_rows_are_shown_and_ranks_are_of_all() -> None:
    fold = fold_of(
        *(figures(f"r{number}", gross_minor=number, trusted_minor=-number) for number in range(9)),
        top=2,
    )
    assert keys(fold, "room") == ["r8", "r7"]
    assert rows(fold, "room")[0].rank_trusted == 9


def test_hosts_agencies_modes_and_categories_add_their_rooms_up() -> None:
    fold = fold_of(
        figures("a", gross_minor=1, host_id="h", mcn_id="m", mode="talent", category="food"),
        figures("b", gross_minor=2, host_id="h", mcn_id="m", mode="store", category="food"),
        figures("c", gross_minor=4, host_id="g", mcn_id=None, mode="store", category="toys"),
    )

    def sums(scope: str) -> list[tuple[str, int]]:
        return [(row.key, row.gross_minor) for row in rows(fold, scope)]

    assert sums("host") == [("g", 4), ("h", 3)]
    assert sums("mcn") == [("m", 3)]
    assert sums("mode") == [("store", 6), ("talent", 1)]
    assert sums("category") == [("toys", 4), ("food", 3)]


def test_a_room_whose_host_is_unknown_is_called_so_and_gives_no_host_a_row() -> None:
    fold = fold_of(figures("a", host_id=None, currency=None, mode=None))
    (row,) = rows(fold, "room", currency=None)
    assert (row.key, row.name) == ("a", "unknown")
    assert rows(fold, "host", currency=None) == []


def test_rooms_and_hosts_have_the_newest_name_of_the_host() -> None:
    fold = fold_of(
        figures("a", host_id="h", host_name="Old", opened_ms=1),
        figures("b", host_id="h", host_name="New", opened_ms=2),
        figures("c", host_id="h", host_name=None, opened_ms=3),
        figures("d", host_id="g", host_name=None, opened_ms=1),
    )
    assert {row.key: row.name for row in rows(fold, "host")} == {"h": "New", "g": "g"}
    names = {row.key: row.name for row in rows(fold, "room")}
    assert names == {"a": "Old", "b": "New", "c": "h", "d": "g"}


def test_money_is_never_added_across_currencies() -> None:
    fold = fold_of(
        figures("a", gross_minor=1, host_id="h"),
        figures("b", gross_minor=2, host_id="h", currency="USD"),
        figures("c", gross_minor=4, host_id="h", currency=None),
    )
    found = {
        each.currency: [row.gross_minor for row in each.rows]
        for each in fold.boards()
        if (each.scope, each.window) == ("host", "total")
    }
    assert found == {None: [4], "CNY": [1], "USD": [2]}


def test_boards_come_in_a_fixed_order() -> None:
    fold = fold_of(figures("a"), figures("b", currency=None))
    places = [(each.scope, each.window, each.currency) for each in fold.boards()]
    windows = ("total", "day", "last_10m", "last_60m")
    expected = [
        (scope, window, currency)
        for scope in ("room", "host", "mcn", "mode", "category")
        for window in windows
        for currency in (None, "CNY")
    ]
    expected += [
        (scope, "total", currency)
        for scope in ("merchant", "product")
        for currency in (None, "CNY")
    ]
    assert places == expected


def test_a_newer_view_replaces_an_older_one_and_never_the_other_way_round() -> None:
    fold = fold_of(figures("a", offset=2, gross_minor=7), figures("a", offset=1, gross_minor=5))
    assert rows(fold, "room")[0].gross_minor == 7
    fold.apply_room(figures("a", offset=3, gross_minor=9))
    assert [row.gross_minor for row in rows(fold, "host")] == [9]


def test_goods_take_the_currency_of_their_room_when_it_is_opened() -> None:
    fold = fold_of(figures("a", offset=1, currency=None))
    fold.apply_product(product_figures("a", "p", "m", gross_minor=5))
    assert keys(fold, "product", currency=None) == ["p"]
    fold.apply_room(figures("a", offset=2, currency="CNY"))
    assert keys(fold, "product") == ["p"]
    assert keys(fold, "merchant") == ["m"]
    fold.apply_room(figures("b", currency=None))
    assert keys(fold, "product", currency=None) == []


def test_goods_that_come_before_their_room_are_not_lost() -> None:
    fold = BoardFold(top=0)
    fold.apply_product(product_figures("a", "p", None, gross_minor=5))
    fold.apply_room(figures("a"))
    (row,) = rows(fold, "product")
    assert (row.key, row.gross_minor) == ("p", 5)
    assert rows(fold, "merchant") == []


def test_goods_are_added_over_rooms_and_know_no_audience() -> None:
    fold = fold_of(figures("a"), figures("b"))
    fold.apply_product(product_figures("a", "p", "m", gross_minor=5, orders=1, clicks=4, carts=1))
    fold.apply_product(product_figures("b", "p", "m", gross_minor=7, orders=2))
    fold.apply_product(product_figures("b", "p", "n", gross_minor=1, orders=1, refunded_orders=1))
    (row,) = rows(fold, "product")
    assert (row.gross_minor, row.orders, row.cart_rate, row.refund_rate) == (13, 4, 0.25, 0.25)
    assert (row.visits, row.viewers, row.buyers, row.gpm_minor) == (None, None, None, None)
    assert [(each.key, each.gross_minor) for each in rows(fold, "merchant")] == [
        ("m", 12),
        ("n", 1),
    ]


def test_a_stale_product_view_changes_nothing() -> None:
    fold = fold_of(figures("a"))
    fold.apply_product(product_figures("a", "p", "m", offset=2, gross_minor=5))
    fold.apply_product(product_figures("a", "p", "m", offset=1, gross_minor=3))
    fold.apply_product(product_figures("a", "p", "m", offset=2, gross_minor=3))
    assert rows(fold, "product")[0].gross_minor == 5
    fold.apply_product(product_figures("a", "p", "m", offset=3, gross_minor=6))
    assert rows(fold, "product")[0].gross_minor == 6


def test_every_derived_figure_is_what_its_name_says() -> None:
    facts = {
        "gross_minor": 900, "refunded_minor": 90, "orders": 9, "buyers": 6, "visits": 300,
        "viewers": 200, "impressions": 1_000, "product_impressions": 500, "clicks": 50,
        "carts": 20, "checkouts": 10, "complaints_opened": 3, "comments": 5, "likes": 4,
        "shares": 3, "follows": 2, "gifts": 1, "refunded_orders": 2,
    }  # fmt: skip
    (row,) = rows(fold_of(figures("a", **facts)), "room")
    expected = {
        "gpm_minor": 3_000.0, "show_gpm_minor": 900.0, "entry_rate": 0.3, "click_rate": 0.1,
        "cart_rate": 0.4, "checkout_rate": 0.2, "paid_rate": 0.9, "uv_value_minor": 4.5,
        "conversion": 0.03, "refund_rate": 0.2222, "refund_value_rate": 0.1,
        "complaint_rate": 0.3333, "average_order_minor": 100.0, "interaction_rate": 0.05,
        "follow_rate": 0.0067,
    }  # fmt: skip
    assert {name: getattr(row, name) for name in expected} == expected
    nothing = rows(fold_of(figures("a")), "room")[0]
    assert {getattr(nothing, name) for name in expected} == {None}


# --- windows ----------------------------------------------------------------------------------


@pytest.fixture
def selling() -> BoardFold:
    """A room that sells 1 in each minute of the hours before noon."""
    fold = fold_of(figures("a", gross_minor=500))
    fold.apply_progress(progress(0, NOON))
    for number in range(1, 121):
        fold.apply_minute(minute("a", NOON - number * MINUTE, 1, orders=2, visits=10))
    return fold


def test_a_window_row_has_what_minutes_carry(selling: BoardFold) -> None:
    selling.apply_minute(minute("b", NOON - MINUTE, 7))  # a room of which nothing else is known
    (row,) = rows(selling, "host", "last_10m")
    assert (row.key, row.gross_minor, row.net_minor, row.orders) == ("host of a", 10, 10, 20)
    assert (row.visits, row.gpm_minor) == (100, 100.0)
    assert rows(selling, "room", "last_60m")[0].gross_minor == 60
    assert rows(selling, "room", "day")[0].gross_minor == 120


def test_the_day_and_its_zone_are_printed_on_day_boards_alone(selling: BoardFold) -> None:
    day = board(selling, "room", "day")
    assert (day.day, day.zone) == ("2023-11-11", "Asia/Shanghai")
    other = board(selling, "room", "last_60m")
    assert (other.day, other.zone) == (None, None)


def test_a_key_with_nothing_in_the_window_has_no_row(selling: BoardFold) -> None:
    selling.apply_room(figures("b", gross_minor=9))
    assert keys(selling, "room", "last_10m") == ["a"]
    assert keys(selling, "room") == ["a", "b"]


def test_a_board_stands_at_the_least_watermark_of_the_partitions(selling: BoardFold) -> None:
    selling.apply_progress(progress(1, NOON - 30 * MINUTE))
    selling.apply_progress(progress(2, None))
    assert board(selling, "room").as_of_ms == NOON - 30 * MINUTE
    selling.apply_progress(progress(1, NOON + HOUR, offset=9))
    selling.apply_progress(progress(1, NOON - HOUR, offset=8))
    assert selling.as_of_ms == NOON


def test_momentum_is_the_last_ten_minutes_over_the_ten_before() -> None:
    fold = fold_of(figures("a", gross_minor=9), figures("b"), figures("c"), figures("d"))
    fold.apply_progress(progress(0, NOON))
    for room_id, now, before in (("a", 30, 20), ("b", 5, 0), ("c", 0, 4)):
        fold.apply_minute(minute(room_id, NOON - MINUTE, now))
        fold.apply_minute(minute(room_id, NOON - 11 * MINUTE, before))
    found = {row.key: row.momentum for row in rows(fold, "room")}
    assert found == {"a": 1.5, "b": None, "c": 0.0, "d": None}


def test_boards_of_nothing_are_empty() -> None:
    assert BoardFold().boards() == []
    fold = fold_of(figures("a"))
    assert board(fold, "room", "day").day is None
    assert isinstance(rows(fold, "room")[0], BoardRow)
    assert isinstance(board(fold, "room", "last_10m"), Board)
