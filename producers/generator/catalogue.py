"""What is sold: products with their prices, merchants and how often they come back."""

from random import Random
from typing import NamedTuple

from producers.generator import parameters as p

MOST_UNITS = 5


class Goods(NamedTuple):
    """One product; it is the same in every room that sells it."""

    product_id: str
    merchant_id: str
    category: str
    price_minor: int
    list_minor: int
    refund_rate: float


class Basket(NamedTuple):
    """What one order costs."""

    quantity: int
    amount_minor: int
    list_minor: int


class Catalogue:
    """The products of each category; rooms of a category draw from the same pool."""

    def __init__(self, random: Random, products_by_category: int) -> None:
        self._pools = {
            category: [_product(random, category, n) for n in range(products_by_category)]
            for category in p.CATEGORIES
        }

    def shelf(self, random: Random, category: str, count: int) -> list[Goods]:
        """`count` products for one show, without repeats as far as the pool goes."""
        pool = self._pools[category]
        return random.sample(pool, min(count, len(pool)))


def _product(random: Random, category: str, number: int) -> Goods:
    kind = p.CATEGORIES[category]
    price_minor = random.choice(kind.price_points_minor)
    # a beta with the category's mean and the correlation rho: some products are simply bad
    spread = 1 / p.REFUND_CLUSTERING - 1
    refund_rate = random.betavariate(kind.refund_rate * spread, (1 - kind.refund_rate) * spread)
    return Goods(
        product_id=f"{category}-{number}",
        merchant_id=f"merchant-{category}-{number // 6}",
        category=category,
        price_minor=price_minor,
        list_minor=price_minor * random.choice((12, 15, 18, 20)) // 10,
        refund_rate=refund_rate,
    )


def basket(random: Random, price_minor: int, list_minor: int) -> Basket:
    """A natural order of a product: few units, sometimes a coupon."""
    quantity = 1
    while quantity < MOST_UNITS and random.random() < p.SECOND_UNIT_SHARE:
        quantity += 1
    amount_minor = price_minor * quantity
    if random.random() < p.COUPON_SHARE:
        amount_minor -= min(amount_minor // 5, random.choice((500, 1_000, 3_000)))
    return Basket(quantity, amount_minor, list_minor * quantity)
