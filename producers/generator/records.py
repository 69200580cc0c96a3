"""The rarer records of a room; views, which are nine in ten, are formatted where they happen.

Each function gives the canonical bytes (`schemas.codec.encode`) of one event.
"""

from producers.generator.catalogue import Basket, Goods
from producers.generator.identities import Identity
from producers.generator.rooms import RoomPlan
from schemas import codec
from schemas.events import ProductAction


def opened(plan: RoomPlan, event_id: str, ts_ms: int) -> bytes:
    """The room opens."""
    host = plan.host
    return codec.encode(
        codec.RoomOpened(
            event_id=event_id,
            ts_ms=ts_ms,
            room_id=plan.room_id,
            host_id=host.host_id,
            mode=host.mode,
            category=host.category,
            currency=plan.currency,
            host_name=host.host_name,
            mcn_id=host.mcn_id,
        )
    )


def closed(plan: RoomPlan, event_id: str, ts_ms: int) -> bytes:
    """The room closes."""
    return codec.encode(codec.RoomClosed(event_id=event_id, ts_ms=ts_ms, room_id=plan.room_id))


def listed(plan: RoomPlan, event_id: str, ts_ms: int, goods: Goods, stock: int) -> bytes:
    """A product is put on sale."""
    return codec.encode(
        codec.Product(
            event_id=event_id,
            ts_ms=ts_ms,
            room_id=plan.room_id,
            product_id=goods.product_id,
            action="listed",
            merchant_id=goods.merchant_id,
            category=goods.category,
            price_minor=goods.price_minor,
            list_minor=goods.list_minor,
            stock=stock,
        )
    )


def changed(
    plan: RoomPlan,
    event_id: str,
    ts_ms: int,
    goods: Goods,
    action: ProductAction,
    *,
    price_minor: int | None = None,
    stock: int | None = None,
) -> bytes:
    """A product on sale changes, or is taken off."""
    return codec.encode(
        codec.Product(
            event_id=event_id,
            ts_ms=ts_ms,
            room_id=plan.room_id,
            product_id=goods.product_id,
            action=action,
            price_minor=price_minor,
            stock=stock,
        )
    )


def exposure(
    plan: RoomPlan, event_id: str, ts_ms: int, impressions: int, product_id: str | None
) -> bytes:
    """The room's card, or a product's, was shown."""
    return codec.encode(
        codec.Exposure(
            event_id=event_id,
            ts_ms=ts_ms,
            room_id=plan.room_id,
            impressions=impressions,
            product_id=product_id,
        )
    )


def checkout(
    plan: RoomPlan,
    event_id: str,
    ts_ms: int,
    order_id: str,
    who: Identity,
    goods: Goods,
    bought: Basket,
) -> bytes:
    """An order is placed and not yet paid."""
    return codec.encode(
        codec.Checkout(
            event_id=event_id,
            ts_ms=ts_ms,
            room_id=plan.room_id,
            order_id=order_id,
            buyer_id=who.viewer_id,
            product_id=goods.product_id,
            quantity=bought.quantity,
            amount_minor=bought.amount_minor,
        )
    )


def order(
    plan: RoomPlan,
    event_id: str,
    ts_ms: int,
    order_id: str,
    who: Identity,
    goods: Goods,
    bought: Basket,
) -> bytes:
    """An order is paid."""
    return codec.encode(
        codec.Order(
            event_id=event_id,
            ts_ms=ts_ms,
            room_id=plan.room_id,
            order_id=order_id,
            buyer_id=who.viewer_id,
            product_id=goods.product_id,
            quantity=bought.quantity,
            amount_minor=bought.amount_minor,
            list_minor=bought.list_minor,
            merchant_id=goods.merchant_id,
            device_id=who.device_id,
            payment_id=who.payment_id,
            address_id=who.address_id,
            ip_id=who.ip_id,
            account_age_days=who.account_age_days,
        )
    )
