"""What does each figure of the files that compare rooms mean? `docs/market.md` is this table.

A test holds it against the fields that the files have.
"""

from dataclasses import dataclass
from typing import Final

from streams.core.dictionary import Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A list of rows in a file.

    Attributes:
        meaning: what a row is, and in which order they stand.
        figures: the fields of a row, in their order.
    """

    file: str
    name: str
    meaning: str
    figures: tuple[Figure, ...]


_CURRENCY = Figure("currency", "ISO 4217", "Of all money of the row; null for rooms never opened.")
_HOUR = Figure("hour_ms", "epoch ms", "Start of the hour; an order counts in that of its stamp.")


def _concentrations() -> tuple[Figure, ...]:
    return tuple(
        figure
        for scope, of in (
            ("category", "categories of rooms"),
            ("product", "products"),
            ("merchant", "merchants"),
            ("room", "rooms"),
        )
        for figure in (
            Figure(f"{scope}_count", of, f"Different {of} with an order."),
            Figure(
                f"{scope}_hhi",
                "0 to 1",
                f"Sum of the squared shares of {of} in gross money; unknown ones left out.",
                "Herfindahl-Hirschman index",
            ),
            Figure(
                f"{scope}_hhi_orders",
                "0 to 1",
                "The same over orders.",
                "Herfindahl-Hirschman index",
            ),
        )
    )


SAMENESS: Final = (
    Section(
        "sameness.json",
        "hours",
        "One row an hour and currency with an order, in order of both. An index of 1 means that one"
        " has all, 1/n that n have the same.",
        (
            _HOUR,
            _CURRENCY,
            Figure("orders", "orders", "Paid in the hour."),
            Figure("gross_minor", "minor units", "What they paid."),
            *_concentrations(),
            Figure("shared_products", "products", "Sold by two rooms or more in the hour."),
            Figure("shared_orders", "orders", "Of these products."),
            Figure("shared_share", "share of orders", "`shared_orders` / `orders`."),
        ),
    ),
    Section(
        "sameness.json",
        "shared",
        "Who sells the same at the same time: of each hour and currency the 20 products that most"
        " rooms sold (ties: more orders, then the id).",
        (
            _HOUR,
            _CURRENCY,
            Figure("product_id", "id", "The product."),
            Figure("orders", "orders", "Of it in all rooms."),
            Figure("gross_minor", "minor units", "What they paid."),
            Figure("room_count", "rooms", "With an order of it in the hour."),
            Figure("rooms", "ids", "The 20 of them with most orders of it."),
        ),
    ),
)

SECTIONS: Final = SAMENESS
