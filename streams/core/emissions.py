"""What does a run of records give out, besides a new state? Records for topics and files."""

from schemas.codec import Product
from schemas.details import Detail
from schemas.links import LinkRecord
from schemas.records import Alert, DeadLetter, ProductFigures, ProductMark, RoomFigures, RoomMinute


class Emissions:
    """What a run of records emits, in order.

    Attributes:
        alerts: versions of alerts, as their evidence came by event time.
        marks: what was done with products, in order of arrival.
        links: what orders say of who shares what, in the order in which it has to be written.
        evicted: last figures of rooms that had to go, with those of their products and details.
    """

    __slots__ = (
        "alerts",
        "dead_letters",
        "evicted",
        "evicted_details",
        "evicted_products",
        "links",
        "marks",
        "minutes",
    )

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.minutes: list[RoomMinute] = []
        self.marks: list[ProductMark] = []
        self.links: list[LinkRecord] = []
        self.dead_letters: list[DeadLetter] = []
        self.evicted: list[RoomFigures] = []
        self.evicted_products: list[ProductFigures] = []
        self.evicted_details: list[Detail] = []


def mark_of(event: Product) -> ProductMark:
    """What an accepted event of a product says of its room's minute."""
    return ProductMark(
        ts_ms=event.ts_ms,
        room_id=event.room_id,
        product_id=event.product_id,
        action=event.action,
        price_minor=event.price_minor,
        stock=event.stock,
    )
