"""The sections of `after-sales.json`, and the lines of `after-sales-minutes.ndjson`.

A pure function of the newest details, of the figures of rooms and of products. Each section has a
row for each key, currency and party, and first one for all parties together (`party` null). A key
without complaints and refunds has no row; rates are null where the base is 0. Money is never added
across currencies; complaints count in the currency of their room. Brushed orders dilute the rates:
beside each stands the one over the orders that nobody suspects.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.details import AfterSalesFigures, Detail, PitchMinute
from schemas.records import ProductFigures, RoomFigures, RoomSummary
from streams.core.dictionary import rate
from streams.core.ledger import QUALITY_REASONS
from streams.core.load import LEVELS, Load

Row = dict[str, object]
Report = dict[str, list[Row]]
# Section, key, currency.
_Key = tuple[str, str, str]

SECTIONS: Final = ("platform", "rooms", "hosts", "mcns", "merchants")
PLATFORM: Final = "platform"


def after_sales_report(
    details: Iterable[Detail],
    rooms: Mapping[str, RoomFigures],
    products: Iterable[ProductFigures],
) -> Report:
    """What `after-sales.json` holds.

    Args:
        details: the newest of each place in each room; those of other kinds are not looked at.
        rooms: the figures of every room by id.
        products: the newest figures of every product of every room.
    """
    loads: dict[_Key, dict[str | None, Load]] = {}
    for each in details:
        # a load that all complaints have left, for another party answers for them, is none
        if isinstance(each, AfterSalesFigures) and (each.complaints or each.refunds):
            for key in _keys(rooms.get(each.room_id), each.room_id, each.merchant_id):
                parties = loads.setdefault(key, {})
                for party in (None, each.party):
                    parties.setdefault(party, Load()).add(each)
    orders = _orders(rooms, products)
    sections: Report = {section: [] for section in SECTIONS}
    for key in sorted(loads):
        section, name, currency = key
        for party in sorted(loads[key], key=lambda party: party or ""):
            head: Row = {"key": name, "currency": currency or None, "party": party}
            row = head | figures_of(loads[key][party], *orders.get(key, (0, 0)))
            sections[section].append(row)
    return sections


def figures_of(load: Load, orders: int, suspected: int) -> Row:
    """The figures of one row.

    Args:
        load: what the party, or all of them, answer for.
        orders: of the key, whoever answers: the base of the rates.
        suspected: of these orders, how many are suspected.
    """
    complaints, refunds = sum(load.complaints.values()), sum(load.refunds.values())
    quality = sum(load.refunds.get(reason, 0) for reason in QUALITY_REASONS)
    honest = max(0, orders - suspected)
    row: Row = {
        "orders": orders,
        "orders_trusted": honest,
        "complaints": complaints,
        "complaint_rate": rate(complaints, orders),
        "complaint_rate_trusted": rate(complaints, honest),
        "complaints_by_kind": dict(sorted(load.complaints.items())),
        "refunds": refunds,
        "refunds_by_reason": dict(sorted(load.refunds.items())),
        "refunded_minor": sum(load.refunded_minor.values()),
        "refunded_minor_by_reason": dict(sorted(load.refunded_minor.items())),
        "quality_refunds": quality,
        "quality_refund_rate": rate(quality, orders),
        "quality_refund_rate_trusted": rate(quality, honest),
    }
    for level in LEVELS:
        service = load.services[level]
        judged = service.in_time + service.breaches
        row[f"{level}_median_ms"] = service.durations.median()
        row[f"{level}_in_time"] = service.in_time
        row[f"{level}_breaches"] = service.breaches
        row[f"{level}_attainment"] = rate(service.in_time, judged)
    return row


def pitch_lines(details: Iterable[Detail]) -> Iterator[Row]:
    """The lines of `after-sales-minutes.ndjson`, sorted by room and minute."""
    minutes = [each for each in details if isinstance(each, PitchMinute)]
    for each in sorted(minutes, key=lambda minute: (minute.room_id, minute.minute_ms)):
        yield {
            "room_id": each.room_id,
            "minute_ms": each.minute_ms,
            "orders": each.orders,
            "gross_minor": each.gross_minor,
            "returns": each.returns,
            "returned_minor": each.returned_minor,
            "quality_returns": each.quality_returns,
            "return_rate": rate(each.returns, each.orders),
            "return_value_rate": rate(each.returned_minor, each.gross_minor),
            "refunds": each.refunds,
            "refunded_minor": each.refunded_minor,
        }


def _keys(room: RoomFigures | None, room_id: str, merchant_id: str | None) -> Iterator[_Key]:
    """Where the load of a room counts; hosts, agencies and merchants that are null nowhere."""
    summary = room.summary if room is not None else None
    currency = (summary.currency if summary is not None else None) or ""
    yield PLATFORM, PLATFORM, currency
    yield "rooms", room_id, currency
    if summary is not None and summary.host_id is not None:
        yield "hosts", summary.host_id, currency
    if summary is not None and summary.mcn_id is not None:
        yield "mcns", summary.mcn_id, currency
    if merchant_id is not None:
        yield "merchants", merchant_id, currency


def _orders(
    rooms: Mapping[str, RoomFigures], products: Iterable[ProductFigures]
) -> dict[_Key, tuple[int, int]]:
    """The orders of each key, and how many of them are suspected."""
    orders: dict[_Key, tuple[int, int]] = {}

    def add(key: _Key, figures: RoomSummary | ProductFigures) -> None:
        known, suspected = orders.get(key, (0, 0))
        orders[key] = known + figures.orders, suspected + figures.suspected_orders

    for room_id, figures in rooms.items():
        for key in _keys(figures, room_id, None):
            add(key, figures.summary)
    for product in products:
        room = rooms.get(product.room_id)
        for key in _keys(room, product.room_id, product.merchant_id):
            if key[0] == "merchants":
                add(key, product)
    return orders
