"""The UCI Online Retail data as a session: a trading day of a country is a room.

Source: Parquet with the columns of either published file; the second year has no invoice numbers
and no stock codes. This mapping is chosen:

- Each country is a host in mode `store` and has one room a day; it opens with the day's first line
  and closes with its last. Ids begin with `uci-a` or, without invoices, `uci-b`: the two files
  overlap in December 2010 and can be replayed together without taking one for the other.
- Money is quantity x price, in pence, of a line. A line above zero is an `order` (also the one
  positive line on a cancelling invoice), a line below zero by its quantity (a cancelling "C"
  invoice, or a negative quantity) is a `refund`. Gross and refunded are plain sums of the source.
- A line of price 0 moves stock, not money; one of negative price writes off bad debt. Both are
  skipped and counted.
- A refund names the latest earlier order of the same customer and product that has enough left, and
  its room; with none, it is a refund of its own day's room for an order from before the data, its
  `ordered_ts_ms` is its own stamp, and it is accepted whole. The source gives no reasons: `other`.
- A line without a customer is bought by a guest of its invoice (without invoices: of its minute).
- Products are stock codes, without these descriptions.
- Stamps are local minutes of the shop and are turned into UTC by the rules of Europe/London.
- A tick stands wherever event time moves on by more than five minutes, as a live cluster has it for
  quiet partitions; the shop is closed at night.

Bounds: one day of events, and an entry for each order of a known customer, about 200 bytes.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from functools import lru_cache
from math import isnan
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

from producers.arrow import arrow, parquet
from producers.converters.report import ConversionError, ConversionReport
from schemas import codec

QUIET_MS = 5 * 60_000
_LONDON = ZoneInfo("Europe/London")
_PENCE = Decimal(100)
_BATCH = 65_536
_NAMES: dict[str, tuple[str, ...]] = {
    "invoice": ("Invoice", "InvoiceNo"),
    "stock_code": ("StockCode",),
    "description": ("Description",),
    "quantity": ("Quantity",),
    "stamp": ("InvoiceDate",),
    "price": ("Price", "UnitPrice"),
    "customer": ("Customer ID", "CustomerID"),
    "country": ("Country",),
}
_REQUIRED = ("quantity", "stamp", "price", "customer", "country")


class _Line(NamedTuple):
    number: int
    local: datetime
    ts_ms: int
    invoice: str | None
    product_id: str
    quantity: int
    pence: Decimal  # exact: a few prices have tenths of a penny
    buyer_id: str
    is_guest: bool
    country: str


class _Bought:
    """An order that may still be paid back."""

    __slots__ = ("left_minor", "order_id", "room_id", "ts_ms")

    def __init__(self, order_id: str, room_id: str, ts_ms: int, left_minor: int) -> None:
        self.order_id = order_id
        self.room_id = room_id
        self.ts_ms = ts_ms
        self.left_minor = left_minor


def convert_online_retail(source: Path, write: Callable[[bytes], object]) -> ConversionReport:
    """Write the session of an Online Retail file.

    Args:
        source: the Parquet file.
        write: takes each record, in order.

    Raises:
        ConversionError: the file cannot be read, is no such file, or is not sorted by date.
    """
    if not source.is_file():
        raise ConversionError(f"{source}: is no file; name the Parquet file itself")
    try:
        with parquet.ParquetFile(source) as file:
            return _Conversion(source, file.schema_arrow.names, write).run(file)
    except (arrow.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0]
        raise ConversionError(f"{source}: is no intact Parquet file ({reason})") from None


class _Conversion:
    def __init__(self, source: Path, columns: list[str], write: Callable[[bytes], object]) -> None:
        self._source = source
        self._columns = {
            meaning: name for meaning, names in _NAMES.items() for name in names if name in columns
        }
        for meaning in _REQUIRED:
            if meaning not in self._columns:
                wanted = " or ".join(_NAMES[meaning])
                raise ConversionError(f"{source}: has no column {wanted}; this is other data")
        if "stock_code" not in self._columns and "description" not in self._columns:
            raise ConversionError(f"{source}: has neither StockCode nor Description")
        self._prefix = "uci-a" if "invoice" in self._columns else "uci-b"
        self._write = write
        self._report = ConversionReport("GBP")
        self._bought: defaultdict[tuple[str, str], list[_Bought]] = defaultdict(list)
        self._exact_pence = Decimal(0)
        self._rounded_lines = 0
        self._matched = 0
        self._clock_ms: int | None = None

    def run(self, file: object) -> ConversionReport:
        """Convert day by day."""
        report, day = self._report, list[_Line]()
        for line in self._lines(file):
            if day and line.local.date() != day[-1].local.date():
                self._trade(day)
                day = []
            day.append(line)
        if not report.rows:
            raise ConversionError(f"{self._source}: has no rows")
        self._trade(day)
        refunds = report.events["refund"]
        report.remarks.append(f"{self._matched:,} of {refunds:,} refunds name an earlier order")
        net_minor = report.gross_minor - report.refunded_minor
        report.remarks.append(
            f"{self._rounded_lines} lines with parts of a penny were rounded to whole pence, by"
            f" {net_minor - self._exact_pence} pence in all"
        )
        return report

    def _lines(self, file: object) -> Iterator[_Line]:
        """The lines that are events, in order; the others are counted as skipped."""
        report, last_ms = self._report, 0
        names = list(self._columns.values())
        for batch in file.iter_batches(batch_size=_BATCH, columns=names):  # type: ignore[attr-defined]
            cells = {
                meaning: batch.column(name).to_pylist() for meaning, name in self._columns.items()
            }
            absent = [None] * batch.num_rows
            rows = zip(*(cells.get(meaning, absent) for meaning in _NAMES), strict=True)
            for invoice, code, description, quantity, stamp, price, customer, country in rows:
                report.rows += 1
                reason = _problem(quantity, stamp, price, country)
                if reason:
                    report.skipped[reason] += 1
                    continue
                local, ts_ms = _instant(stamp)
                if ts_ms < last_ms:
                    raise ConversionError(
                        f"{self._source}: row {report.rows} is older than the one before; sort the"
                        " rows by InvoiceDate"
                    )
                last_ms = ts_ms
                is_guest = customer is None or isnan(customer)
                guest_of = invoice or f"{ts_ms // 60_000}"
                yield _Line(
                    number=report.rows,
                    local=local,
                    ts_ms=ts_ms,
                    invoice=invoice,
                    product_id=((code or description or "").strip() or "no description")[:64],
                    quantity=quantity,
                    pence=quantity * Decimal(repr(price)) * _PENCE,
                    buyer_id=f"guest-{guest_of}" if is_guest else f"{customer:.0f}",
                    is_guest=is_guest,
                    country=country,
                )

    def _trade(self, day: list[_Line]) -> None:
        """Write a day: rooms open with their first line and close with their last."""
        last = {line.country: at for at, line in enumerate(day)}
        opened: set[str] = set()
        for at, line in enumerate(day):
            self._move_on(line.ts_ms)
            room_id = f"{self._prefix}-{line.local:%Y-%m-%d}-{_slug(line.country)}"
            if line.country not in opened:
                opened.add(line.country)
                self._emit(self._opening(line, room_id), "room_opened")
            if line.pence > 0:
                self._emit(self._order(line, room_id), "order")
            elif event := self._refund(line, room_id):
                self._emit(event, "refund")
            if last[line.country] == at:
                closed = codec.RoomClosed(
                    event_id=f"{room_id}-closed", ts_ms=line.ts_ms, room_id=room_id
                )
                self._emit(closed, "room_closed")

    def _emit(self, event: codec.Event, kind: str) -> None:
        self._write(codec.encode(event))
        self._report.events[kind] += 1

    def _move_on(self, ts_ms: int) -> None:
        if self._clock_ms is None or ts_ms > self._clock_ms + QUIET_MS:
            event_id = f"{self._prefix}-tick-{ts_ms // 60_000}"
            self._emit(codec.Tick(event_id=event_id, ts_ms=ts_ms), "tick")
        self._clock_ms = ts_ms

    def _opening(self, line: _Line, room_id: str) -> codec.RoomOpened:
        return codec.RoomOpened(
            event_id=f"{room_id}-opened",
            ts_ms=line.ts_ms,
            room_id=room_id,
            host_id=f"{self._prefix}-{_slug(line.country)}",
            host_name=line.country,
            mode="store",
            category="gifts",
            currency="GBP",
        )

    def _minor(self, pence: Decimal) -> int:
        """Whole pence of an exact sum, above zero."""
        whole = int(pence.quantize(Decimal(1), ROUND_HALF_EVEN))
        self._rounded_lines += whole != pence
        return whole

    def _order(self, line: _Line, room_id: str) -> codec.Order:
        amount_minor = self._minor(line.pence)
        self._report.gross_minor += amount_minor
        self._exact_pence += line.pence
        order_id = f"{line.invoice or self._prefix}-{line.number}"
        if not line.is_guest:
            self._bought[line.buyer_id, line.product_id].append(
                _Bought(order_id, room_id, line.ts_ms, amount_minor)
            )
        return codec.Order(
            event_id=f"{self._prefix}-{line.number}",
            ts_ms=line.ts_ms,
            room_id=room_id,
            order_id=order_id,
            buyer_id=line.buyer_id,
            product_id=line.product_id,
            quantity=abs(line.quantity),
            amount_minor=amount_minor,
        )

    def _refund(self, line: _Line, room_id: str) -> codec.Refund | None:
        amount_minor = self._minor(-line.pence)
        if not amount_minor:
            self._report.skipped["under_a_penny"] += 1
            return None
        self._report.refunded_minor += amount_minor
        self._exact_pence += line.pence
        bought = self._take_back(line, amount_minor)
        if bought is None:
            bought = _Bought(f"unknown-{self._prefix}-{line.number}", room_id, line.ts_ms, 0)
        return codec.Refund(
            event_id=f"{self._prefix}-{line.number}",
            ts_ms=line.ts_ms,
            room_id=bought.room_id,
            refund_id=f"{line.invoice or self._prefix}-{line.number}",
            order_id=bought.order_id,
            buyer_id=line.buyer_id,
            product_id=line.product_id,
            amount_minor=amount_minor,
            ordered_ts_ms=bought.ts_ms,
            reason="other",
        )

    def _take_back(self, line: _Line, amount_minor: int) -> _Bought | None:
        """The latest earlier order with so much left; it has less left afterwards."""
        for bought in reversed(self._bought.get((line.buyer_id, line.product_id), ())):
            if bought.left_minor >= amount_minor:
                bought.left_minor -= amount_minor
                self._matched += 1
                return bought
        return None


def _problem(
    quantity: int | None, stamp: str | datetime | None, price: float | None, country: str | None
) -> str | None:
    """Why a line is no event."""
    if quantity is None or stamp is None or price is None or country is None or isnan(price):
        return "missing_value"
    if price <= 0 or not quantity:
        return "negative_price" if price < 0 else "no_money"
    try:
        _instant(stamp)
    except ValueError:
        return "stamp"
    return None


@lru_cache(maxsize=1024)
def _instant(stamp: str | datetime) -> tuple[datetime, int]:
    """Local time of the shop, and its epoch milliseconds."""
    local = datetime.fromisoformat(stamp) if isinstance(stamp, str) else stamp
    utc = local.replace(tzinfo=_LONDON).astimezone(UTC)
    return local, int(utc.timestamp()) * 1000


@lru_cache(maxsize=256)
def _slug(country: str) -> str:
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in country.lower())
    return "-".join(words.split())[:40] or "unknown"
