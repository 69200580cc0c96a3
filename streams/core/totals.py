"""What do the rooms, or the products, of one board key add up to?

Sums are moved by differences: the old figures of a record are taken off, the new ones added.
Figures that a kind of record does not carry stay 0, so the ratios over them are null.
"""

from schemas.records import ProductFigures, RoomFigures, RoomSummary
from streams.core import dictionary
from streams.core.exchange import Turn

_ROOM_FIGURES = (
    "orders",
    "gross_minor",
    "refunded_minor",
    "net_minor",
    "suspected_minor",
    "trusted_minor",
    "buyers",
    "visits",
    "viewers",
    "comments",
    "likes",
    "shares",
    "follows",
    "gifts",
    "clicks",
    "carts",
    "impressions",
    "product_impressions",
    "checkouts",
    "complaints_opened",
)
_PRODUCT_FIGURES = (
    "orders",
    "gross_minor",
    "refunded_minor",
    "net_minor",
    "refunded_orders",
    "suspected_minor",
    "trusted_minor",
    "clicks",
    "carts",
    "product_impressions",
    "checkouts",
    "complaints_opened",
)
_MONEY = (
    "gross_minor",
    "refunded_minor",
    "net_minor",
    "suspected_minor",
    "trusted_minor",
)


class Totals:
    """Sums over the records of one key; `records` is their number."""

    __slots__ = (*_ROOM_FIGURES, "records", "refunded_orders")

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    buyers: int
    carts: int
    checkouts: int
    clicks: int
    gross_minor: int
    net_minor: int
    orders: int
    product_impressions: int
    records: int
    refunded_minor: int
    refunded_orders: int
    suspected_minor: int
    trusted_minor: int
    viewers: int
    visits: int

    def shift_room(self, figures: RoomFigures, sign: int) -> None:
        """Add (sign 1) or take off (sign -1) a room."""
        self._shift(figures.summary, _ROOM_FIGURES, sign)
        self.refunded_orders += sign * figures.refunded_orders

    def shift_product(self, figures: ProductFigures, sign: int) -> None:
        """Add or take off a product of a room."""
        self._shift(figures, _PRODUCT_FIGURES, sign)

    def add_turned(self, other: "Totals", turn: Turn) -> None:
        """Add sums of another currency; net and trusted follow from what was turned."""
        for name in self.__slots__:
            if name not in _MONEY:
                setattr(self, name, getattr(self, name) + getattr(other, name))
        gross_minor, refunded_minor = turn(other.gross_minor), turn(other.refunded_minor)
        net_minor = gross_minor - refunded_minor
        self.gross_minor += gross_minor
        self.refunded_minor += refunded_minor
        self.net_minor += net_minor
        self.suspected_minor += turn(other.suspected_minor)
        self.trusted_minor += net_minor - turn(other.net_minor - other.trusted_minor)

    def _shift(
        self, record: RoomSummary | ProductFigures, names: tuple[str, ...], sign: int
    ) -> None:
        self.records += sign
        for name in names:
            setattr(self, name, getattr(self, name) + sign * getattr(record, name))

    def ratios(self) -> dict[str, float | None]:
        """Every derived figure of the dictionary."""
        return {
            ratio.name: dictionary.rate(
                sum(getattr(self, part) for part in ratio.parts) * ratio.scale,
                getattr(self, ratio.base),
            )
            for ratio in dictionary.RATIOS
        }
