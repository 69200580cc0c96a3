"""Has a product that sells run out?

What is left of a product is what was last told of its stock, less what was sold since. Nothing is
known of a product whose stock was never told. Once nothing is left, further orders (of pieces that
are not there) are the evidence; a new stock starts the count again. State: what is left of each
product with a stock. Cap: `stocked_products`; the one told of first goes.
"""

from typing import Any, ClassVar

from schemas.codec import Product
from streams.core import limits
from streams.core.integrity.detector import NOTHING, Detector, Scene, Told
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns, ScoredOrder

_SHOWN_ORDERS = 20


class _Stock:
    """A product whose stock was told.

    Attributes:
        told_ms: when; `pieces` is how many there were then.
        sold: pieces since.
        order_ids: the last few orders since nothing was left.
    """

    __slots__ = ("order_ids", "pieces", "sold", "told_ms")

    def __init__(self, told_ms: int, pieces: int, sold: int = 0) -> None:
        self.told_ms = told_ms
        self.pieces = pieces
        self.sold = sold
        self.order_ids: list[str] = []

    def snapshot(self) -> list[Any]:
        return [self.told_ms, self.pieces, self.sold, self.order_ids]


class StockOut(Detector):
    """The products of one room that have run out."""

    section = alert_kind = "stock_out"
    __slots__ = ("_stocks",)

    def __init__(self, shared: None, orders: OrderSigns, evictions: limits.Evictions) -> None:
        super().__init__(shared, orders, evictions)
        self._stocks: dict[str, _Stock] = {}

    def product(self, product: Product, scene: Scene) -> Told:
        """Take what is told of a stock; a product that was taken off has none."""
        stocks = self._stocks
        if product.action == "delisted":
            stocks.pop(product.product_id, None)
        elif product.stock is not None:
            stocks.pop(product.product_id, None)
            stocks[product.product_id] = _Stock(scene.ts_ms, product.stock)
            if len(stocks) > limits.cap("stocked_products"):
                self.evictions.give_up_oldest(
                    "stocked_products", stocks, lambda id_: (stocks[id_].told_ms, id_)
                )
        return NOTHING

    def order(self, order: ScoredOrder, scene: Scene) -> Told:
        """Take an order off the stock, and look whether anything is left."""
        product_id = order.product_id
        stock = self._stocks.get(product_id)
        if stock is None:
            return NOTHING
        stock.sold += order.quantity
        if stock.sold < stock.pieces:
            return NOTHING
        stock.order_ids = [*stock.order_ids, order.order_id][-_SHOWN_ORDERS:]
        if not self.incidents.noticed(stock.sold, scene.ts_ms, product_id):
            return NOTHING
        sign = Sign("pieces_sold", stock.sold, stock.pieces, 1.0, stock.sold, stock.order_ids)
        finding = Finding(
            score=stock.sold,
            threshold=stock.pieces,
            since_ms=scene.ts_ms,
            summary=(
                f"Product {product_id} has run out in room {scene.room_id}: {stock.sold} pieces"
                f" were sold of the {stock.pieces} that were there."
            ),
            signs=[sign],
            severity="info",
        )
        return self.incidents.tell(finding, scene.ts_ms, product_id)

    def snapshot(self) -> list[Any]:
        stocks = [[id_, each.snapshot()] for id_, each in self._stocks.items()]
        return [*super().snapshot(), stocks]

    def restore(self, state: list[Any]) -> None:
        *general, stocks = state
        super().restore(general)
        for id_, (told_ms, pieces, sold, order_ids) in stocks:
            stock = self._stocks[id_] = _Stock(told_ms, pieces, sold)
            stock.order_ids = order_ids

    takes: ClassVar = {Product: product, ScoredOrder: order}
