"""Converted data adds up to its source, to the penny, whatever the source holds."""

import csv
import os
from collections import Counter
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import compute, parquet
from typer.testing import CliRunner, Result

from producers.converters import (
    ConversionError,
    ConversionReport,
    convert_online_retail,
    convert_taobao,
)
from roompulse.cli.convert import convert
from schemas import codec

BESIDE_THE_CHECKOUT = Path(__file__).parents[3] / "shared" / "data"
REAL_DATA = Path(os.environ.get("ROOMPULSE_REAL_DATA", BESIDE_THE_CHECKOUT))
TAOBAO = REAL_DATA / "taobao_userbehavior_sample" / "UserBehavior_815users.csv"
RETAIL = REAL_DATA / "online_retail"


def needs(path: Path) -> pytest.MarkDecorator:
    return pytest.mark.skipif(
        not path.exists(), reason=f"{path.name} is not here; set ROOMPULSE_REAL_DATA to its folder"
    )


def taobao(path: Path, **options: int) -> tuple[list[codec.Event], ConversionReport]:
    records: list[bytes] = []
    report = convert_taobao(path, records.append, **options)
    return [codec.decode(record) for record in records], report


def retail(path: Path) -> tuple[list[codec.Event], ConversionReport]:
    records: list[bytes] = []
    report = convert_online_retail(path, records.append)
    return [codec.decode(record) for record in records], report


def of_type(events: list[codec.Event], kind: type) -> list[codec.Event]:
    return [event for event in events if isinstance(event, kind)]


def assert_rooms_frame_their_events(events: list[codec.Event]) -> None:
    """Each room opens before its first event and closes after its last order or view."""
    open_rooms: set[str] = set()
    for event in events:
        match event:
            case codec.RoomOpened():
                assert event.room_id not in open_rooms
                open_rooms.add(event.room_id)
            case codec.RoomClosed():
                open_rooms.remove(event.room_id)
            case codec.Order() | codec.View():
                assert event.room_id in open_rooms
            case _:
                pass
    assert not open_rooms


# --- taobao --------------------------------------------------------------------------------------


def taobao_file(path: Path, *rows: str, header: bool = True) -> Path:
    lines = ["user_id,item_id,category_id,behavior,ts"] * header + list(rows)
    path.write_text("\n".join(lines) + "\n")
    return path


def test_each_behaviour_becomes_its_event_in_order_of_time(tmp_path: Path) -> None:
    path = taobao_file(
        tmp_path / "t.csv",
        "1,10,7,buy,1511600003",
        "1,10,7,pv,1511600001",
        "2,11,7,fav,1511600002",
        "2,11,8,cart,1511600002",
    )
    events, report = taobao(path, hosts=1)
    seen = [
        (type(e).__name__, getattr(e, "action", None), e.ts_ms // 1000)
        for e in events
        if isinstance(e, codec.View | codec.Order)
    ]
    assert seen == [
        ("View", "click", 1511600001),
        ("View", "like", 1511600002),
        ("View", "cart", 1511600002),
        ("Order", None, 1511600003),
    ]
    rooms = {e.room_id for e in events if isinstance(e, codec.RoomOpened)}
    assert rooms == {"taobao-2017-11-25-category-7", "taobao-2017-11-25-category-other"}
    assert (report.rows, report.gross_minor) == (4, 100)
    assert_rooms_frame_their_events(events)


def test_the_published_file_has_no_header(tmp_path: Path) -> None:
    events, report = taobao(taobao_file(tmp_path / "t.csv", "1,2,3,buy,1511600000", header=False))
    assert report.rows == len(of_type(events, codec.Order)) == 1


def test_rows_that_are_no_event_are_counted_by_reason(tmp_path: Path) -> None:
    path = taobao_file(
        tmp_path / "t.csv",
        "1,2,3,pv,1511600000",
        "1,2,3",
        ",2,3,pv,1511600000",
        "1,2,3,stare,1511600000",
        "1,2,3,pv,soon",
        "1,2,3,pv,-1511600000",
        "1,2,3,pv,99999999999999",
    )
    _, report = taobao(path)
    assert report.rows == 7
    assert report.skipped == Counter(columns=1, id=1, behavior=1, stamp=3)
    assert report.events["view"] == 1


def test_other_files_are_refused_in_one_line(tmp_path: Path) -> None:
    binary = tmp_path / "b.csv"
    binary.write_bytes(b"\xff\xfe\x00")
    for path, wanted in (
        (tmp_path / "absent.csv", "cannot be read"),
        (tmp_path, "cannot be read"),
        (binary, "not UTF-8"),
        (taobao_file(tmp_path / "o.csv", "a,b", header=False), "has no row"),
    ):
        with pytest.raises(ConversionError, match=wanted):
            taobao(path)


@needs(TAOBAO)
def test_the_real_taobao_sample_adds_up() -> None:
    with TAOBAO.open(newline="") as file:
        rows = list(csv.DictReader(file))
    behaviours = Counter(row["behavior"] for row in rows)
    events, report = taobao(TAOBAO, price_minor=250)
    actions = Counter(e.action for e in events if isinstance(e, codec.View))
    assert actions == Counter(
        click=behaviours["pv"], cart=behaviours["cart"], like=behaviours["fav"]
    )
    orders = [e for e in events if isinstance(e, codec.Order)]
    assert len(orders) == behaviours["buy"] == 1_750
    assert report.gross_minor == sum(order.amount_minor for order in orders) == 1_750 * 250
    assert not report.skipped
    assert len(rows) == report.rows == 84_475
    stamps = [event.ts_ms for event in events]
    assert stamps == sorted(stamps)
    wanted = Counter(int(row["ts"]) * 1000 for row in rows)
    assert Counter(e.ts_ms for e in events if isinstance(e, codec.View | codec.Order)) == wanted
    assert_rooms_frame_their_events(events)


# --- online retail -------------------------------------------------------------------------------

Line = tuple[str, str, int, str, float, float | None, str]


def retail_file(path: Path, lines: list[Line]) -> Path:
    names = ["Invoice", "StockCode", "Quantity", "InvoiceDate", "Price", "Customer ID", "Country"]
    columns = list(zip(*lines, strict=True)) or [()] * len(names)
    types = [pa.string(), pa.string(), pa.int64(), pa.string()]
    types += [pa.float64(), pa.float64(), pa.string()]
    arrays = [pa.array(column, kind) for column, kind in zip(columns, types, strict=True)]
    parquet.write_table(pa.table(dict(zip(names, arrays, strict=True))), path)
    return path


def test_a_line_is_an_order_or_a_refund_of_the_order_that_it_returns(tmp_path: Path) -> None:
    noon, uk = "2010-07-01 12:00:00", "United Kingdom"
    path = retail_file(
        tmp_path / "r.parquet",
        [
            ("1", "A", 3, noon, 2.55, 17.0, uk),
            ("1", "B", 1, noon, 0.85, None, uk),
            ("C2", "A", -1, "2010-07-02 12:00:00", 2.55, 17.0, uk),
            ("C2", "A", -3, "2010-07-02 12:00:00", 2.55, 17.0, uk),
        ],
    )
    events, report = retail(path)
    first, second = (e for e in events if isinstance(e, codec.Order))
    assert (first.amount_minor, first.quantity, first.buyer_id) == (765, 3, "17")
    assert (second.amount_minor, second.buyer_id) == (85, "guest-1")
    assert first.ts_ms == 1_277_982_000_000  # noon of British summer time is 11:00 UTC
    matched, unmatched = (e for e in events if isinstance(e, codec.Refund))
    assert matched.order_id == first.order_id
    assert matched.room_id == first.room_id == "uci-a-2010-07-01-united-kingdom"
    assert matched.ordered_ts_ms == first.ts_ms
    assert unmatched.order_id.startswith("unknown-")
    assert unmatched.room_id == "uci-a-2010-07-02-united-kingdom"
    assert (report.gross_minor, report.refunded_minor) == (850, 1_020)
    assert_rooms_frame_their_events(events)


def test_lines_without_money_and_tenths_of_a_penny_are_stated(tmp_path: Path) -> None:
    day = "2010-07-01 12:00:00"
    path = retail_file(
        tmp_path / "r.parquet",
        [
            ("1", "A", 1, day, 0.001, 17.0, "EIRE"),
            ("1", "B", 5, day, 0.0, 17.0, "EIRE"),
            ("A3", "B", 1, day, -53594.36, None, "EIRE"),
            ("C4", "C", -1, day, 0.001, 17.0, "EIRE"),
            ("5", "C", 1, "no date", 1.0, 17.0, "EIRE"),
            ("5", "C", 1, day, float("nan"), 17.0, "EIRE"),
            ("6", "C", 1, day, 1.25, float("nan"), "EIRE"),
        ],
    )
    events, report = retail(path)
    assert report.skipped == Counter(
        no_money=1, negative_price=1, under_a_penny=1, stamp=1, missing_value=1
    )
    assert [e.amount_minor for e in events if isinstance(e, codec.Order)] == [0, 125]
    assert "2 lines with parts of a penny" in report.remarks[1]
    assert report.rows == 7


money = st.integers(1, 99_999).map(lambda pence: pence / 100)


@settings(deadline=None, max_examples=60)
@given(
    lines=st.lists(
        st.tuples(
            st.sampled_from(["A", "B"]),
            st.integers(-6, 6),
            st.integers(0, 4_000),
            st.sampled_from([0.0, 1.25]) | money,
            st.sampled_from([None, 17.0, 18.0]),
            st.sampled_from(["EIRE", "France"]),
        ),
        min_size=1,
        max_size=30,
    )
)
def test_sums_are_those_of_the_source_and_no_order_is_paid_back_twice(
    lines: list[tuple[str, int, int, float, float | None, str]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    lines.sort(key=lambda line: line[2])
    path = retail_file(
        tmp_path_factory.mktemp("retail") / "r.parquet",
        [
            (
                *("7", code, quantity),
                f"2010-03-{27 + minute // 1440:02} {minute // 60 % 24:02}:{minute % 60:02}:00",
                *(price, customer, country),
            )
            for code, quantity, minute, price, customer, country in lines
        ],
    )
    events, report = retail(path)
    exact = [Decimal(repr(price)) * quantity * 100 for _, quantity, _, price, _, _ in lines]
    orders = [e for e in events if isinstance(e, codec.Order)]
    refunds = [e for e in events if isinstance(e, codec.Refund)]
    assert (
        report.gross_minor
        == sum(o.amount_minor for o in orders)
        == sum(amount for amount in exact if amount > 0)
    )
    assert (
        report.refunded_minor
        == sum(r.amount_minor for r in refunds)
        == -sum(amount for amount in exact if amount < 0)
    )
    assert len(orders) + len(refunds) + report.skipped.total() == report.rows == len(lines)
    left = Counter({order.order_id: order.amount_minor for order in orders})
    for refund in refunds:
        if not refund.order_id.startswith("unknown-"):
            left[refund.order_id] -= refund.amount_minor
    assert all(amount >= 0 for amount in left.values())
    assert_rooms_frame_their_events(events)


def test_ticks_bridge_every_quiet_time(tmp_path: Path) -> None:
    path = retail_file(
        tmp_path / "r.parquet",
        [
            ("1", "A", 1, f"2010-07-01 {time}:00", 1.0, 17.0, "EIRE")
            for time in ("09:00", "09:05", "09:11", "17:00")
        ],
    )
    events, _ = retail(path)
    ticks = [datetime.fromtimestamp(e.ts_ms / 1000, UTC) for e in of_type(events, codec.Tick)]
    assert [f"{tick:%H:%M}" for tick in ticks] == ["08:00", "08:11", "16:00"]
    assert [e.ts_ms for e in events] == sorted(e.ts_ms for e in events)


def test_what_is_no_retail_file_gets_one_line(tmp_path: Path) -> None:
    text = tmp_path / "t.parquet"
    text.write_text("nothing")
    other = tmp_path / "o.parquet"
    parquet.write_table(pa.table({"a": [1]}), other)
    day = "2010-07-01 12:00:00"
    nameless = tmp_path / "n.parquet"
    columns = {"Quantity": [1], "InvoiceDate": [day], "Price": [1.0]}
    parquet.write_table(pa.table({**columns, "CustomerID": [1.0], "Country": ["X"]}), nameless)
    unsorted = retail_file(
        tmp_path / "u.parquet",
        [
            ("1", "A", 1, day, 1.0, None, "EIRE"),
            ("1", "A", 1, "2010-07-01 11:59:00", 1.0, None, "EIRE"),
        ],
    )
    for path, wanted in (
        (tmp_path, "is no file"),
        (text, "no intact Parquet"),
        (other, "no column Quantity"),
        (nameless, "neither StockCode nor Description"),
        (unsorted, "row 2 is older"),
        (retail_file(tmp_path / "e.parquet", []), "has no rows"),
    ):
        with pytest.raises(ConversionError, match=wanted) as caught:
            retail(path)
        assert "\n" not in str(caught.value)


# --- the command ---------------------------------------------------------------------------------


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(convert)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_shows_the_sums_and_changes_formats(tmp_path: Path) -> None:
    source = taobao_file(tmp_path / "t.csv", "1,2,3,buy,1511600009", "2,2,3,pv,1511600000", "x")
    plain, packed, back = (tmp_path / name for name in ("a.ndjson", "b.parquet", "c.ndjson"))
    result = run("taobao", source, "-o", plain)
    assert result.exit_code == 0, result.output
    assert "skipped    1 (columns)" in result.output
    assert "gross      1.00 CNY" in result.output
    assert run("session", plain, "-o", packed).exit_code == 0
    assert run("session", packed, "-o", back).exit_code == 0
    assert back.read_bytes() == plain.read_bytes()


def test_the_command_sorts_a_session(tmp_path: Path) -> None:
    ticks = [codec.encode(codec.Tick(event_id=f"t{n}", ts_ms=10**12 + n)) for n in (3, 1, 2)]
    source, sorted_ = tmp_path / "a.ndjson", tmp_path / "b.ndjson"
    source.write_bytes(b"\n".join(ticks) + b"\n")
    assert run("session", source, "-o", sorted_, "--sort").exit_code == 0
    assert sorted_.read_bytes().splitlines() == [ticks[1], ticks[2], ticks[0]]


def test_the_command_says_in_one_line_what_is_wrong_and_leaves_no_file(tmp_path: Path) -> None:
    source = taobao_file(tmp_path / "t.csv", "1,2,3,buy,1511600009")
    out = tmp_path / "out.ndjson"
    for arguments, wanted in (
        (("taobao", tmp_path / "absent.csv", "-o", out), "cannot be read"),
        (("online-retail", source, "-o", out), "no intact Parquet"),
        (("session", source, "-o", out), "must end in one of"),
        (("taobao", source, "-o", tmp_path / "out.txt"), "must end in one of"),
        (("taobao", source, "-o", out, "--sort"), "--sort is for sessions"),
        (("taobao", source, "-o", source), "is the source itself"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert wanted in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == [source]


@needs(RETAIL)
@pytest.mark.parametrize(
    ("name", "price", "orders", "refunds"),
    [
        ("online_retail_2009_2010.parquet", "Price", 511_566, 10_205),
        ("online_retail_2010_2011_nocodes.parquet", "UnitPrice", 530_104, 9_288),
    ],
)
def test_the_real_retail_years_add_up(name: str, price: str, orders: int, refunds: int) -> None:
    counts: Counter[str] = Counter()

    def count(record: bytes) -> None:
        event = codec.decode(record)
        counts[type(event).__name__] += 1
        if isinstance(event, codec.Order | codec.Refund):
            counts[f"{type(event).__name__} pence"] += event.amount_minor

    report = convert_online_retail(RETAIL / name, count)
    table = parquet.read_table(RETAIL / name, columns=["Quantity", price])
    # in thousandths of a pound, which are whole numbers: Arrow's sum is exact then
    thousandths = compute.cast(compute.round(compute.multiply(table[price], 1000)), pa.int64())
    sums = compute.multiply(thousandths, table["Quantity"])
    priced = compute.greater(table[price], 0)
    gained = compute.sum(compute.filter(sums, compute.and_(priced, compute.greater(sums, 0))))
    lost = compute.sum(compute.filter(sums, compute.and_(priced, compute.less(sums, 0))))
    tenths = gained.as_py() - 10 * counts["Order pence"]
    assert 0 <= tenths < 15  # the lines at a tenth of a penny, all among the orders
    assert -lost.as_py() == 10 * counts["Refund pence"]
    assert (counts["Order"], counts["Refund"]) == (orders, refunds)
    assert report.gross_minor == counts["Order pence"]
    assert report.refunded_minor == counts["Refund pence"]
    assert report.rows == table.num_rows
