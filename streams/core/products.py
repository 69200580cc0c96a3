"""What does each product of one room sell, and for whom?

Figures are kept for each pair of product and merchant, so that the boards of products and of
merchants are sums of the same records. An order belongs to its own merchant; a refund to its
order's, else to its product's as last known in the room, else to none; what has no merchant of its
own (clicks, carts, impressions, checkouts, complaints) goes with the product's (design, section 6).

State: figures of each pair, the merchant last known of each product. Caps: `products` (the pair
touched least recently by event time goes first), `product_merchants`.
"""

from typing import Any

from schemas.codec import Order, Refund, View
from schemas.records import ProductFigures, Version
from streams.core import limits
from streams.core.ledger import QUALITY_REASONS, KnownOrder, Refunded, TakenOff
from streams.core.snapshots import Sums

Pair = tuple[str, str | None]


class ProductLedger(Sums):
    """The cumulative figures of one product of one merchant in one room.

    Attributes:
        last_ms: the greatest event time that touched it.
    """

    __slots__ = (
        "carts",
        "checkouts",
        "clicks",
        "complaints_opened",
        "gross_minor",
        "last_ms",
        "orders",
        "product_impressions",
        "quality_refunds",
        "refunded_minor",
        "refunded_orders",
        "refunds",
        "suspected_minor",
        "suspected_orders",
        "suspected_refunded_minor",
        "units",
    )

    def __init__(self) -> None:
        for name in self.__slots__:
            setattr(self, name, 0)

    carts: int
    checkouts: int
    clicks: int
    complaints_opened: int
    gross_minor: int
    last_ms: int
    orders: int
    product_impressions: int
    quality_refunds: int
    refunded_minor: int
    refunded_orders: int
    refunds: int
    suspected_minor: int
    suspected_orders: int
    suspected_refunded_minor: int
    units: int

    @property
    def net_minor(self) -> int:
        """Gross less accepted refunds."""
        return self.gross_minor - self.refunded_minor

    @property
    def trusted_minor(self) -> int:
        """Net less what suspected orders still add to it."""
        return self.net_minor - (self.suspected_minor - self.suspected_refunded_minor)

    def shown(self, version: Version, room_id: str, pair: Pair) -> ProductFigures:
        """The figures as a record."""
        product_id, merchant_id = pair
        return ProductFigures(
            version=version,
            room_id=room_id,
            product_id=product_id,
            merchant_id=merchant_id,
            orders=self.orders,
            units=self.units,
            gross_minor=self.gross_minor,
            refunds=self.refunds,
            refunded_minor=self.refunded_minor,
            net_minor=self.net_minor,
            refunded_orders=self.refunded_orders,
            suspected_orders=self.suspected_orders,
            suspected_minor=self.suspected_minor,
            trusted_minor=self.trusted_minor,
            product_impressions=self.product_impressions,
            clicks=self.clicks,
            carts=self.carts,
            checkouts=self.checkouts,
            complaints_opened=self.complaints_opened,
            quality_refunds=self.quality_refunds,
        )


class Products:
    """The products of one room."""

    __slots__ = ("_evictions", "_merchants", "changed", "pairs")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self._merchants: dict[str, tuple[int, str]] = {}
        self.pairs: dict[Pair, ProductLedger] = {}
        self.changed: dict[Pair, ProductLedger] = {}

    def belongs_to(self, product_id: str, merchant_id: str, ts_ms: int) -> None:
        """Learn whose a product is."""
        self._merchants[product_id] = (ts_ms, merchant_id)
        if len(self._merchants) > limits.cap("product_merchants"):
            known = self._merchants
            self._evictions.give_up_oldest(
                "product_merchants", known, lambda id_: (known[id_][0], id_)
            )

    def merchant_of(self, product_id: str) -> str | None:
        """The merchant last known of a product."""
        known = self._merchants.get(product_id)
        return known[1] if known else None

    def touched(self, product_id: str, ts_ms: int) -> ProductLedger:
        """The figures of a product, for an event that names no merchant of its own."""
        known = self._merchants.get(product_id)
        return self._at(product_id, known[1] if known else None, ts_ms)

    def view(self, event: View, product_id: str) -> None:
        """Count a click on a product, or its way into a cart."""
        if event.action == "click":
            self.touched(product_id, event.ts_ms).clicks += 1
        elif event.action == "cart":
            self.touched(product_id, event.ts_ms).carts += 1

    def order(self, event: Order) -> None:
        if event.merchant_id is not None:
            self.belongs_to(event.product_id, event.merchant_id, event.ts_ms)
        figures = self._at(event.product_id, event.merchant_id, event.ts_ms)
        figures.orders += 1
        figures.units += event.quantity
        figures.gross_minor += event.amount_minor

    def refund(self, event: Refund, refunded: Refunded) -> None:
        merchant_id = refunded.merchant_id or self.merchant_of(event.product_id)
        figures = self._at(event.product_id, merchant_id, event.ts_ms)
        figures.refunds += 1
        figures.refunded_minor += refunded.accepted_minor
        figures.refunded_orders += refunded.first_of_order
        figures.quality_refunds += event.reason in QUALITY_REASONS
        if refunded.suspected:
            figures.suspected_refunded_minor += refunded.accepted_minor

    def suspect(self, known: KnownOrder, ts_ms: int) -> None:
        """Take a suspected order off what is trusted of its product."""
        figures = self._at(known.product_id, known.merchant_id, ts_ms)
        figures.suspected_orders += 1
        figures.suspected_minor += known.amount_minor
        figures.suspected_refunded_minor += known.refunded_minor

    def take_off(self, off: TakenOff) -> None:
        """Take off, or give back, what a ring has marked."""
        figures = self._at(off.product_id, off.merchant_id, off.ordered_ms)
        figures.suspected_orders += off.orders
        figures.suspected_minor += off.amount_minor
        figures.suspected_refunded_minor += off.refunded_minor

    def _at(self, product_id: str, merchant_id: str | None, ts_ms: int) -> ProductLedger:
        pair = (product_id, merchant_id)
        figures = self.pairs.get(pair)
        if figures is None:
            figures = self.pairs[pair] = self.changed[pair] = ProductLedger()
            figures.last_ms = ts_ms
            if len(self.pairs) > limits.cap("products"):
                self._evict()  # of what has changed too, and the new pair itself if it is oldest
            return figures
        self.changed[pair] = figures
        if ts_ms > figures.last_ms:  # noqa: PLR1730 - `max` takes six times as long
            figures.last_ms = ts_ms
        return figures

    def _evict(self) -> None:
        pairs = self.pairs
        gone = self._evictions.give_up_oldest(
            "products", pairs, lambda pair: (pairs[pair].last_ms, f"{pair[0]}\0{pair[1] or ''}")
        )
        for pair in gone:
            self.changed.pop(pair, None)

    def snapshot(self) -> list[Any]:
        return [
            [[id_, ts_ms, merchant] for id_, (ts_ms, merchant) in self._merchants.items()],
            [[*pair, figures.snapshot()] for pair, figures in self.pairs.items()],
        ]

    def restore(self, state: list[Any]) -> None:
        merchants, pairs = state
        self._merchants = {id_: (ts_ms, merchant) for id_, ts_ms, merchant in merchants}
        for product_id, merchant_id, saved in pairs:
            figures = ProductLedger()
            figures.restore(saved)
            self.pairs[product_id, merchant_id] = figures
        # what was published before the snapshot may be lost with the worker: publish all again
        self.changed = dict(self.pairs)
