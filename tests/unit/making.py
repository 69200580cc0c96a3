"""Short ways to make the events and records that the examples are about."""

# ruff: noqa: ANN401 - JSON values and facts of events have no common type

from typing import Any

import msgspec

from schemas.codec import Checkout, Complaint, Exposure, Order, Product, Refund, RoomOpened, View
from schemas.records import Counts, ProductFigures, Progress, RoomFigures, RoomMinute, Version
from streams.core.partition import Partition
from streams.core.room import Moment, Room

Fields = dict[str, Any]

MINUTE = 60_000
HOUR = 60 * MINUTE
DAY = 24 * HOUR


def view(viewer_id: str, ts_ms: int, action: Any = "enter", **fields: Any) -> View:
    return View(
        event_id="e", ts_ms=ts_ms, room_id="r", viewer_id=viewer_id, action=action, **fields
    )


def order(order_id: str, ts_ms: int, amount_minor: int = 100, **fields: Any) -> Order:
    usual: Fields = {"buyer_id": f"buyer of {order_id}", "product_id": "p", "quantity": 1}
    return Order(
        event_id="e",
        ts_ms=ts_ms,
        room_id="r",
        order_id=order_id,
        amount_minor=amount_minor,
        **(usual | fields),
    )


def refund(refund_id: str, order_id: str, ts_ms: int, amount_minor: int, **fields: Any) -> Refund:
    usual: Fields = {"buyer_id": "b", "product_id": "p", "ordered_ts_ms": 0}
    usual["reason"] = "changed_mind"
    return Refund(
        event_id="e",
        ts_ms=ts_ms,
        room_id="r",
        refund_id=refund_id,
        order_id=order_id,
        amount_minor=amount_minor,
        **(usual | fields),
    )


def checkout(order_id: str, ts_ms: int) -> Checkout:
    return Checkout(
        event_id="e",
        ts_ms=ts_ms,
        room_id="r",
        order_id=order_id,
        buyer_id="b",
        product_id="p",
        quantity=1,
        amount_minor=100,
    )


def exposure(impressions: int, product_id: str | None = None) -> Exposure:
    return Exposure(
        event_id="e", ts_ms=0, room_id="r", impressions=impressions, product_id=product_id
    )


def complaint(complaint_id: str, status: Any, ts_ms: int, **fields: Any) -> Complaint:
    return Complaint(
        event_id="e",
        ts_ms=ts_ms,
        room_id="r",
        complaint_id=complaint_id,
        buyer_id="b",
        status=status,
        kind="quality",
        **fields,
    )


def listed(product_id: str, merchant_id: str | None, ts_ms: int = 0) -> Product:
    return Product(
        event_id="e",
        ts_ms=ts_ms,
        room_id="r",
        product_id=product_id,
        action="listed",
        merchant_id=merchant_id,
    )


def opened(room_id: str = "r", **fields: Any) -> RoomOpened:
    usual: Fields = {"host_id": "h", "mode": "talent", "category": "food", "currency": "CNY"}
    usual["ts_ms"] = 0
    return RoomOpened(event_id="e", room_id=room_id, **(usual | fields))


def room() -> Room:
    """A room of which nothing is known but that a product was listed, without a merchant."""
    partition = Partition(0)
    partition.fold([0], [b""], [listed("nothing", None)])
    partition.end(0)
    return partition.rooms["r"]


def moment(watermark_ms: int = 0, *, believed: bool = True) -> Moment:
    return Moment(watermark_ms, watermark_ms - watermark_ms % MINUTE, believed)


def figures(room_id: str, offset: int = 1, partition: int = 0, **changed: Any) -> RoomFigures:
    """The figures of a room in which nothing happened, but for what is given."""
    empty = room().figures(moment(), Version(0, 0))
    facts = {
        "room_id": room_id,
        "host_id": f"host of {room_id}",
        "currency": "CNY",
        "mode": "talent",
    }
    refunded_orders = changed.pop("refunded_orders", 0)
    changed.setdefault("net_minor", changed.get("gross_minor", 0))
    changed.setdefault("trusted_minor", changed["net_minor"])
    summary = msgspec.structs.replace(empty.summary, **(facts | changed))
    return RoomFigures(Version(partition, offset), refunded_orders, summary)


def product_figures(
    room_id: str, product_id: str, merchant_id: str | None, offset: int = 1, **changed: int
) -> ProductFigures:
    names = [name for name in ProductFigures.__struct_fields__ if name not in _PRODUCT_KEYS]
    changed.setdefault("net_minor", changed.get("gross_minor", 0))
    changed.setdefault("trusted_minor", changed["net_minor"])
    return ProductFigures(
        Version(0, offset), room_id, product_id, merchant_id, **(dict.fromkeys(names, 0) | changed)
    )


_PRODUCT_KEYS = ("version", "room_id", "product_id", "merchant_id")


def minute(room_id: str, minute_ms: int, gross_minor: int = 0, **changed: int) -> RoomMinute:
    names = [name for name in RoomMinute.__struct_fields__ if name not in ("room_id", "minute_ms")]
    values = dict.fromkeys(names, 0) | {"gross_minor": gross_minor} | changed
    return RoomMinute(room_id, minute_ms, **values)


def progress(partition: int, watermark_ms: int | None, offset: int = 1) -> Progress:
    return Progress(
        version=Version(partition, offset),
        watermark_ms=watermark_ms,
        counts=Counts(),
        rejected_by_reason={},
        by_type={},
        duplicate_by_type={},
        evicted={},
        rules_version=None,
        rooms=0,
        waiting=0,
    )
