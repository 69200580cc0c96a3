"""Boards over all currencies: what is turned, how it is rounded, what has no rate."""

# ruff: noqa: ANN401 - JSON values have no common type

from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roompulse.cli.board_view import board_title
from schemas.exchange import RateTable, RateTableError, rate_table_of
from schemas.records import BoardRow, board_key, decode_board, encode, shown_currency
from streams.core.boards import BoardFold, board_place
from streams.rate_tables import read_rate_table
from tests.unit.making import MINUTE, figures, minute, progress

NOON = 1_699_675_200_000
TABLE = rate_table_of(
    {"base": "CNY", "date": "2026-11-11", "rates": {"USD": 7.12, "JPY": "0.046", "KWD": 23.5}}
)


def fold_of(*rooms: Any, table: RateTable = TABLE) -> BoardFold:
    fold = BoardFold(top=0, rates=table)
    for each in rooms:
        fold.apply_room(each)
    return fold


def in_base(fold: BoardFold, scope: str, window: str = "total") -> Any:
    (found,) = [
        each
        for each in fold.boards()
        if (each.scope, each.window) == (scope, window) and each.rates_date
    ]
    return found


def sold(room_id: str, currency: str | None, gross: int, refunded: int = 0, **more: Any) -> Any:
    net = gross - refunded
    more = {"trusted_minor": net, "host_id": "one-host", **more}
    return figures(
        room_id,
        currency=currency,
        gross_minor=gross,
        refunded_minor=refunded,
        net_minor=net,
        **more,
    )


def test_without_a_table_money_never_meets() -> None:
    fold = BoardFold(top=0)
    fold.apply_room(sold("a", "USD", 1))
    assert all(each.rates_date is None for each in fold.boards())


def test_a_host_who_sells_in_three_currencies_has_one_row_in_the_base() -> None:
    fold = fold_of(
        sold("a", "CNY", 10_000), sold("b", "USD", 10_000, refunded=1_000), sold("c", "JPY", 10_000)
    )
    board = in_base(fold, "host")
    assert (board.currency, board.rates_date, board.without_rate) == ("CNY", "2026-11-11", ())
    (row,) = board.rows
    # 100.00 yuan; 100.00 dollars, 10.00 of them back; 10,000 yen, which have no smaller coin
    assert row.gross_minor == 10_000 + 71_200 + 46_000
    assert row.refunded_minor == 7_120
    assert row.net_minor == row.gross_minor - row.refunded_minor


def test_currencies_of_three_digits_are_turned_by_their_own_minor_unit() -> None:
    assert in_base(fold_of(sold("a", "KWD", 1_000)), "room").rows[0].gross_minor == 2_350


def test_what_has_no_rate_is_named_and_not_added() -> None:
    fold = fold_of(sold("a", "CNY", 5), sold("b", "EUR", 7), sold("c", None, 9))
    board = in_base(fold, "room")
    assert [row.key for row in board.rows] == ["a"]
    assert board.without_rate == (None, "EUR")


def test_the_title_tells_the_rates_and_what_is_left_out() -> None:
    fold = fold_of(sold("a", "CNY", 5), sold("b", "EUR", 7), sold("c", None, 9))
    title = board_title(in_base(fold, "room"))
    wanted = "all in CNY by the rates of 2026-11-11 (without rooms never opened, EUR)"
    assert wanted in title


def test_windows_and_momentum_are_turned_as_well() -> None:
    fold = fold_of(sold("a", "CNY", 1), sold("b", "USD", 1))
    fold.apply_minute(minute("a", NOON - 15 * MINUTE, gross_minor=712))
    fold.apply_minute(minute("b", NOON - 5 * MINUTE, gross_minor=200))
    fold.apply_progress(progress(0, NOON))
    (row,) = in_base(fold, "host").rows
    assert row.momentum == 2.0
    (row,) = in_base(fold, "host", "last_60m").rows
    assert row.gross_minor == 712 + 1_424


def test_boards_in_the_base_come_last_of_their_place_and_have_a_key_of_their_own() -> None:
    fold = fold_of(sold("a", "CNY", 5), sold("b", "USD", 7))
    boards = fold.boards()
    assert sorted(boards, key=board_place) == boards
    assert [shown_currency(board) for board in boards[:3]] == ["CNY", "USD", "all in CNY"]
    assert len({board_key(board) for board in boards}) == len(boards)
    for board in boards:
        assert decode_board(board_key(board), encode(board)) == board


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["CNY", "USD", "JPY", "KWD", "EUR", None]),
            st.sampled_from(["talent", "store"]),
            st.integers(0, 10**9),
            st.integers(0, 10**9),
            st.integers(0, 10**9),
        ),
        max_size=12,
    )
)
def test_every_row_is_the_sum_over_currencies_of_what_each_is_worth(rooms: Any) -> None:
    minor = {"CNY": Fraction(1), "USD": Fraction("7.12"), "JPY": Fraction("4.6")}
    minor["KWD"] = Fraction("2.35")
    sums: Counter[Any] = Counter()
    fold = fold_of()
    for number, (currency, mode, gross, refunded, suspected) in enumerate(rooms):
        net = gross - refunded
        trusted = net - suspected
        room = sold(f"room-{number}", currency, gross, refunded, mode=mode, trusted_minor=trusted)
        fold.apply_room(room)
        sums.update({(mode, currency, "g"): gross, (mode, currency, "r"): refunded})
        sums.update({(mode, currency, "s"): suspected})
    expected: Counter[Any] = Counter()
    for (mode, currency, figure), amount in sums.items():
        if currency in minor:
            # half up: amounts are never negative here
            expected[mode, figure] += int(amount * minor[currency] + Fraction(1, 2))
    found = {row.key: row for row in in_base(fold, "mode").rows} if rooms else {}
    assert set(found) == {mode for currency, mode, *_ in rooms if currency in minor}
    for mode, row in found.items():
        assert isinstance(row, BoardRow)
        gross, refunded, off = (expected[mode, figure] for figure in "grs")
        assert (row.gross_minor, row.net_minor) == (gross, gross - refunded)
        assert row.trusted_minor == gross - refunded - off


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("base: CNY\ndate: 2026-11-11\nrates: {}", "rates: "),
        ("base: CNY\ndate: 2026-11-11\nrates: {usd: 7}", "rates.usd: "),
        ("base: CNY\ndate: 2026-11-11\nrates: {USD: 0}", "rates.USD: "),
        ("base: CNY\ndate: 2026-11-11\nrates: {USD: true}", "is no number"),
        ("base: CNY\ndate: 2026-11-11\nrates: {USD: .inf}", "rates.USD: "),
        ("base: CNY\ndate: 2026-11-11\nrates: {CNY: 2, USD: 7}", "leave the base out"),
        ("base: CNY\ndate: 7\nrates: {USD: 7}", "date: "),
        ("base: CNY\nrates: {USD: 7}", "date: "),
        ("- 1", ""),
        ("a: [", "is no YAML"),
    ],
)
def test_a_bad_table_is_refused_with_the_file_the_field_and_the_reason(
    tmp_path: Path, text: str, reason: str
) -> None:
    path = tmp_path / "rates.yaml"
    path.write_text(text)
    with pytest.raises(RateTableError) as caught:
        read_rate_table(path)
    assert str(caught.value).startswith(str(path))
    assert reason in str(caught.value)


def test_no_file_is_no_table() -> None:
    assert read_rate_table(None) is None
