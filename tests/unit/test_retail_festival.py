"""The overdraft of a real Christmas season equals a plain computation from the source's rows.

Online Retail has two years in two files that overlap; the first is taken to the end of November
2010, the second from there. The shop is closed from Christmas Eve to 3 January: those are days
without a sale.
"""

import os
from collections import defaultdict
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Decimal
from math import isnan
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from producers.converters import convert_online_retail
from schemas.calendar import calendar_of
from streams.embedded import EmbeddedRun

BESIDE_THE_CHECKOUT = Path(__file__).parents[3] / "shared" / "data"
REAL_DATA = Path(os.environ.get("ROOMPULSE_REAL_DATA", BESIDE_THE_CHECKOUT))
RETAIL = REAL_DATA / "online_retail"
FIRST_YEAR = RETAIL / "online_retail_2009_2010.parquet"
SECOND_YEAR = RETAIL / "online_retail_2010_2011_nocodes.parquet"
PARTS = (
    (FIRST_YEAR, datetime(2010, 9, 15), datetime(2010, 12, 1)),  # noqa: DTZ001 - the shop's own
    (SECOND_YEAR, datetime(2010, 12, 1), datetime(2011, 2, 1)),  # noqa: DTZ001
)
CHRISTMAS = (date(2010, 11, 8), date(2010, 12, 23))
DAY = timedelta(days=1)

pytestmark = pytest.mark.skipif(
    not RETAIL.exists(), reason="online_retail is not here; set ROOMPULSE_REAL_DATA to its folder"
)


def part_of(path: Path, start: datetime, end: datetime) -> pa.Table:
    """The rows of a file between two moments."""
    table = pq.read_table(path)
    stamps = [_moment(stamp) for stamp in table.column("InvoiceDate").to_pylist()]
    return table.filter(pa.array([start <= stamp < end for stamp in stamps]))


def _moment(stamp: str | datetime) -> datetime:
    return datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp


def net_by_day(tables: list[pa.Table]) -> dict[date, int]:
    """Net pence of each day of sale, from the rows: returns are taken off the day of the purchase.

    A return is matched with the latest earlier purchase of the same customer and article that has
    enough left; without one it counts on its own day.
    """
    net: dict[date, int] = defaultdict(int)
    for table in tables:
        bought: dict[Any, list[list[Any]]] = defaultdict(list)
        for row in table.to_pylist():
            price = row.get("Price", row.get("UnitPrice"))
            customer = row.get("Customer ID", row.get("CustomerID"))
            article = (row.get("StockCode") or row["Description"] or "").strip()
            if price <= 0 or not row["Quantity"]:
                continue
            exact = row["Quantity"] * Decimal(repr(price)) * 100
            pence = int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
            day = _moment(row["InvoiceDate"]).date()
            if pence > 0 and customer is not None and not isnan(customer):
                bought[customer, article].append([day, pence])
            if pence < 0:
                for purchase in reversed(bought.get((customer, article), [])):
                    if purchase[1] >= -pence:
                        purchase[1] += pence
                        day = purchase[0]
                        break
            net[day] += pence
    return net


def mean(net: dict[date, int], first: date, days: int) -> float:
    return sum(net.get(first + DAY * number, 0) for number in range(days)) / days


def test_the_overdraft_of_christmas_2010_equals_a_plain_computation(tmp_path: Path) -> None:
    tables = [part_of(*part) for part in PARTS]
    run = EmbeddedRun(
        zone="Europe/London",
        calendar=calendar_of(
            [{"festival": "christmas", "first_day": CHRISTMAS[0], "last_day": CHRISTMAS[1]}]
        ),
    )
    for number, table in enumerate(tables):
        path, values = tmp_path / f"{number}.parquet", list[bytes]()
        pq.write_table(table, path)
        convert_online_retail(path, values.append)
        run.feed(values)
    report: Any = run.finish().stickiness
    rows = report["festivals"]
    (platform,) = [row for row in rows if row["scope"] == "platform"]
    (gifts,) = [row for row in rows if row["scope"] == "category"]
    assert platform["currency"] == gifts["currency"] == "GBP"

    net = net_by_day(tables)
    first, last = CHRISTMAS
    before = mean(net, first - 28 * DAY, 28)
    during = mean(net, first, (last - first).days + 1)
    after = mean(net, last + DAY, 28)
    weeks = [mean(net, last + DAY * (1 + n), 7) for n in range(22)]
    payback = next((n for n, week in enumerate(weeks) if week >= before), None)
    expected = {
        "before_daily_net_minor": pytest.approx(before, abs=1e-4),
        "during_daily_net_minor": pytest.approx(during, abs=1e-4),
        "after_daily_net_minor": pytest.approx(after, abs=1e-4),
        "lift": pytest.approx((during - before) / before, abs=1e-4),
        "overdraft": pytest.approx((after - before) / before, abs=1e-4),
        "payback_days": payback,
        "provisional": False,
    }
    for row in (platform, gifts):
        assert {name: row[name] for name in expected} == expected
    assert 0 < platform["lift"] < 1
    assert -0.8 < platform["overdraft"] < -0.2  # the season is paid for in January


@pytest.mark.parametrize("part", PARTS, ids=["first year", "second year"])
def test_the_shop_sells_on_most_days_of_each_part(part: tuple[Path, datetime, datetime]) -> None:
    """The comparison above is about something."""
    net = net_by_day([part_of(*part)])
    assert sum(minor > 0 for minor in net.values()) >= 40
