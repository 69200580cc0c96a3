"""What does a run of records give out, besides a new state? Records for topics and files."""

from schemas.details import Detail
from schemas.records import Alert, DeadLetter, ProductFigures, RoomFigures, RoomMinute


class Emissions:
    """What a run of records emits, in order.

    Attributes:
        alerts: versions of alerts, as their evidence came by event time.
        evicted: last figures of rooms that had to go, with those of their products and details.
    """

    __slots__ = (
        "alerts",
        "dead_letters",
        "evicted",
        "evicted_details",
        "evicted_products",
        "minutes",
    )

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.minutes: list[RoomMinute] = []
        self.dead_letters: list[DeadLetter] = []
        self.evicted: list[RoomFigures] = []
        self.evicted_products: list[ProductFigures] = []
        self.evicted_details: list[Detail] = []
