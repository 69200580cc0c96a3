"""Does everybody sell the same? Concentration by hour, and which rooms share a product.

`sameness.json`: `{hours, shared}`. A pure function of what each product of each room sold by hour
(orders at their own stamps). The concentration is the Herfindahl-Hirschman index: the sum of the
squares of the shares, 1 where one has all, 1/n where n are equal; over gross money, and over
orders. A sale whose category or merchant is not known is in the base of neither. A row for each
currency; money is never added across. Beside each figure of an hour stands the one without the
orders that are suspected.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from schemas.details import SoldHour
from schemas.records import RoomFigures
from streams.core.dictionary import rate

Row = dict[str, object]
Report = dict[str, list[Row]]
# Start of the hour, currency ("" for rooms never opened).
_Key = tuple[int, str]

# So many products of an hour, and so many rooms of each, are named.
SHARED_PRODUCTS: Final = 20
SHARED_ROOMS: Final = 20
SCOPES: Final = ("category", "product", "merchant", "room")


class _Sums:
    """Orders and money of one who sells, or of one thing sold."""

    __slots__ = ("gross_minor", "orders")

    def __init__(self) -> None:
        self.orders = 0
        self.gross_minor = 0

    def add(self, orders: int, gross_minor: int) -> None:
        self.orders += orders
        self.gross_minor += gross_minor


class _Hour:
    """All that was sold in one hour and currency.

    Attributes:
        by_scope: sums by category, product, merchant and room.
        by_product: sums by product and room.
    """

    __slots__ = ("by_product", "by_scope", "whole")

    def __init__(self) -> None:
        self.whole = _Sums()
        self.by_scope: dict[str, dict[str, _Sums]] = {scope: {} for scope in SCOPES}
        self.by_product: dict[str, dict[str, _Sums]] = {}

    def add(self, sold: SoldHour, category: str | None, *, trusted: bool) -> None:
        """Add what was sold, or where there is any left, what of it nobody suspects."""
        orders, gross_minor = sold.orders, sold.gross_minor
        if trusted:
            orders -= sold.suspected_orders
            gross_minor -= sold.suspected_minor
        if orders <= 0:
            return
        keys = (category, sold.product_id, sold.merchant_id, sold.room_id)
        self.whole.add(orders, gross_minor)
        for scope, key in zip(SCOPES, keys, strict=True):
            if key is not None:
                self.by_scope[scope].setdefault(key, _Sums()).add(orders, gross_minor)
        rooms = self.by_product.setdefault(sold.product_id, {})
        rooms.setdefault(sold.room_id, _Sums()).add(orders, gross_minor)


def sameness(hours: Iterable[SoldHour], rooms: Mapping[str, RoomFigures]) -> Report:
    """What `sameness.json` holds.

    Args:
        hours: the newest figures of each product, merchant and hour of each room.
        rooms: the figures of every room by id.
    """
    by_key: dict[_Key, tuple[_Hour, _Hour]] = {}
    for each in hours:
        if not each.orders:
            continue  # a mark was here before its order
        room = rooms.get(each.room_id)
        currency = room.summary.currency if room is not None else None
        category = room.summary.category if room is not None else None
        key = each.hour_ms, currency or ""
        plain, honest = by_key.setdefault(key, (_Hour(), _Hour()))
        plain.add(each, category, trusted=False)
        honest.add(each, category, trusted=True)
    ordered = sorted(by_key.items())
    return {
        "hours": [_hour_row(key, *both) for key, both in ordered],
        "shared": [row for key, (plain, _) in ordered for row in _shared_rows(key, plain)],
    }


def _hour_row(key: _Key, plain: _Hour, honest: _Hour) -> Row:
    row, trusted = _head(key), _figures(honest)
    for name, figure in _figures(plain).items():
        row[name] = figure
        row[f"{name}_trusted"] = trusted[name]
    return row


def _figures(hour: _Hour) -> Row:
    shared = [rooms for rooms in hour.by_product.values() if len(rooms) > 1]
    shared_orders = sum(sums.orders for rooms in shared for sums in rooms.values())
    row: Row = {"orders": hour.whole.orders, "gross_minor": hour.whole.gross_minor}
    for scope in SCOPES:
        sums = list(hour.by_scope[scope].values())
        row[f"{scope}_count"] = len(sums)
        row[f"{scope}_hhi"] = concentration([each.gross_minor for each in sums])
        row[f"{scope}_hhi_orders"] = concentration([each.orders for each in sums])
    return row | {
        "shared_products": len(shared),
        "shared_orders": shared_orders,
        "shared_share": rate(shared_orders, hour.whole.orders),
    }


def _shared_rows(key: _Key, hour: _Hour) -> Iterator[Row]:
    """The products that most rooms sold in one hour."""
    shared = {id_: rooms for id_, rooms in hour.by_product.items() if len(rooms) > 1}
    of_all = hour.by_scope["product"]
    ordered = sorted(shared, key=lambda id_: (-len(shared[id_]), -of_all[id_].orders, id_))
    for product_id in ordered[:SHARED_PRODUCTS]:
        rooms = shared[product_id]
        by_orders = sorted(rooms, key=lambda room_id: (-rooms[room_id].orders, room_id))
        yield _head(key) | {
            "product_id": product_id,
            "orders": of_all[product_id].orders,
            "gross_minor": of_all[product_id].gross_minor,
            "room_count": len(rooms),
            "rooms": by_orders[:SHARED_ROOMS],
        }


def _head(key: _Key) -> Row:
    hour_ms, currency = key
    return {"hour_ms": hour_ms, "currency": currency or None}


def concentration(amounts: Iterable[int]) -> float | None:
    """The Herfindahl-Hirschman index of shares; null where there is nothing to share."""
    known = list(amounts)
    return rate(sum(amount**2 for amount in known), sum(known) ** 2)
