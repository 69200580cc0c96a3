"""How fast does each product sell, when does it run out, and what does it cost beside others?

`supply.json`: `{stock, trials, prices, price_wars}`. A pure function of what was done with products
(`product-marks.ndjson`), of what each sold by the hour and did in its first, of the rooms' figures
and of the `stock_out` alerts.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from schemas.details import SoldHour, TrialSale
from schemas.records import Alert, ProductMark, RoomSummary
from streams.core.dictionary import rate
from streams.core.market.among import median_of_others
from streams.core.market.price_wars import (
    MEDIAN_MS,
    Goods,
    by_goods,
    is_price,
    median_before,
    price_wars,
)
from streams.core.market.sold_hours import HOUR_MS
from streams.core.newest import Newest
from streams.core.pane import MINUTE_MS

Row = dict[str, object]
# Room and product.
_Place = tuple[str, str]
_HOUR_MINUTES = HOUR_MS // MINUTE_MS


def supply(
    newest: Newest, marks: Sequence[ProductMark], alerts: Iterable[Alert]
) -> dict[str, list[Row]]:
    """What `supply.json` holds.

    Args:
        newest: what rooms said last of themselves.
        marks: what was done with products, ordered by time.
        alerts: every version of every alert.
    """
    rooms = newest.rooms
    goods = by_goods(marks, rooms)
    return {
        "stock": list(_stock(newest, marks, _stock_outs(alerts))),
        "trials": list(trial_rows(newest)),
        "prices": [row for each in goods.items() for row in _prices(*each)],
        "price_wars": list(price_wars(goods, rooms)),
    }


# --- stock ------------------------------------------------------------------------------------


def _stock_outs(alerts: Iterable[Alert]) -> dict[_Place, int]:
    """When each product first ran out."""
    found: dict[_Place, int] = {}
    for alert in alerts:
        if alert.kind == "stock_out" and alert.room_id is not None and alert.product_id is not None:
            place = alert.room_id, alert.product_id
            found[place] = min(found.get(place, alert.started_ms), alert.started_ms)
    return found


def _stock(
    newest: Newest, marks: Iterable[ProductMark], stock_outs: Mapping[_Place, int]
) -> Iterator[Row]:
    """A row for each product of each room that was listed, or of whose stock something was told."""
    by_place: dict[_Place, list[ProductMark]] = {}
    for mark in marks:
        by_place.setdefault((mark.room_id, mark.product_id), []).append(mark)
    units: dict[_Place, dict[int, int]] = {}
    for hour in newest.of_kind(SoldHour):
        own = units.setdefault((hour.room_id, hour.product_id), {})
        own[hour.hour_ms] = own.get(hour.hour_ms, 0) + hour.units
    for place in sorted(by_place):
        room = newest.rooms.get(place[0])
        if room is not None:
            of_hours = units.get(place, {})
            row = _stock_row(room.summary, by_place[place], of_hours, stock_outs.get(place))
            yield {"room_id": place[0], "product_id": place[1]} | row


def _stock_row(
    room: RoomSummary,
    marks: Sequence[ProductMark],
    units_by_hour: Mapping[int, int],
    stock_out_ms: int | None,
) -> Row:
    told = [mark for mark in marks if mark.stock is not None and mark.action != "delisted"]
    stock = max((mark.stock or 0 for mark in told), default=None)
    units = sum(units_by_hour.values())
    on_sale_ms = _on_sale_ms(marks, room)
    best = max(units_by_hour.values(), default=0)
    return {
        "stock": stock,
        "units": units,
        "sell_through": rate(units, stock or 0),
        "on_sale_ms": on_sale_ms,
        "units_per_minute": rate(units * MINUTE_MS, on_sale_ms),
        "best_hour_units_per_minute": rate(best, _HOUR_MINUTES),
        "stock_out_ms": stock_out_ms,
        "stock_lasted_ms": _lasted_ms(told, stock_out_ms),
    }


def _lasted_ms(told: Iterable[ProductMark], stock_out_ms: int | None) -> int | None:
    """How long what was told last had lasted when it ran out."""
    if stock_out_ms is None:
        return None
    since = [mark.ts_ms for mark in told if mark.ts_ms <= stock_out_ms]
    return stock_out_ms - since[-1] if since else None


def _on_sale_ms(marks: Iterable[ProductMark], room: RoomSummary) -> int:
    """For how long a product was listed, up to the closing of its room or the watermark."""
    end_ms = room.as_of_ms if room.closed_ms is None else room.closed_ms
    total_ms, since_ms = 0, None
    for mark in marks:
        if mark.action == "listed" and since_ms is None:
            since_ms = mark.ts_ms
        elif mark.action == "delisted" and since_ms is not None:
            total_ms += max(0, min(mark.ts_ms, end_ms or 0) - since_ms)
            since_ms = None
    if since_ms is not None:
        total_ms += max(0, (end_ms or 0) - since_ms)
    return total_ms


# --- trial sales ------------------------------------------------------------------------------


def trial_rows(newest: Newest) -> Iterator[Row]:
    """The first hour of each product, in the room that had it first."""
    rooms = newest.rooms
    first: dict[str, TrialSale] = {}
    for each in newest.of_kind(TrialSale):
        known = first.get(each.product_id)
        if known is None or (each.first_ms, each.room_id) < (known.first_ms, known.room_id):
            first[each.product_id] = each
    for product_id in sorted(first):
        each = first[product_id]
        room = rooms.get(each.room_id)
        as_of_ms = room.summary.as_of_ms if room is not None else None
        yield {
            "product_id": product_id,
            "room_id": each.room_id,
            "currency": room.summary.currency if room is not None else None,
            "first_ms": each.first_ms,
            "impressions": each.impressions,
            "clicks": each.clicks,
            "click_rate": rate(each.clicks, each.impressions),
            "carts": each.carts,
            "orders": each.orders,
            "order_rate": rate(each.orders, each.clicks),
            "units": each.units,
            "gross_minor": each.gross_minor,
            "refunds": each.refunds,
            "refunded_minor": each.refunded_minor,
            "refunds_per_order": rate(each.refunds, each.orders),
            "provisional": as_of_ms is None or as_of_ms < each.first_ms + HOUR_MS,
        }


# --- prices -----------------------------------------------------------------------------------


def _prices(goods: Goods, marks: Sequence[ProductMark]) -> Iterator[Row]:
    """What a product last cost in each room, of those that told it in its last 7 days."""
    last: dict[str, ProductMark] = {}
    for mark in marks:
        if is_price(mark):
            last[mark.room_id] = mark
    if not last:
        return
    end_ms = max(mark.ts_ms for mark in last.values()) + 1
    median_minor = median_before(marks, end_ms)
    recent = {
        room_id: mark.price_minor or 0
        for room_id, mark in last.items()
        if mark.ts_ms >= end_ms - MEDIAN_MS
    }
    ordered = sorted(recent.values())
    for room_id in sorted(recent):
        price_minor = recent[room_id]
        others_minor = median_of_others(ordered, price_minor)
        yield {
            "product_id": goods[0],
            "currency": goods[1] or None,
            "room_id": room_id,
            "told_ms": last[room_id].ts_ms,
            "price_minor": price_minor,
            "median_7d_minor": median_minor,
            "against_median": _against(price_minor, median_minor),
            "other_rooms": len(ordered) - 1,
            "others_median_minor": others_minor,
            "against_others": _against(price_minor, others_minor),
        }


def _against(price_minor: int, other_minor: int | None) -> float | None:
    return None if other_minor is None else rate(price_minor - other_minor, other_minor)
