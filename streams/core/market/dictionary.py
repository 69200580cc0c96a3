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
        names: of the lists; several have rows of one kind.
        meaning: what a row is, and in which order they stand.
        figures: the fields of a row, in their order.
    """

    file: str
    names: tuple[str, ...]
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
        ("hours",),
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
        ("shared",),
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

_PARTS = Figure(
    "parts", "list", "Of each part its `part`, `weight` and `points`, 0 to 100 or null."
)

CREDIT: Final = (
    Section(
        "credit.json",
        ("hosts", "mcns", "merchants"),
        "How far each can be trusted, from 0 to 100, in order of the key. Counts are of orders,"
        " rooms and people, over all currencies. Hosts and agencies answer for what"
        " `after-sales.json` lays to the host, merchants for what it lays to the merchant."
        " Suspected people are left out of stickiness, and so is the first room of a host: one show"
        " does not tell who comes back. Of merchants there is none.",
        (
            Figure("key", "id", "The host, agency or merchant."),
            Figure("score", "0 to 100", "Mean of the parts that are known, by weight."),
            Figure("missing", "names", "Parts of which nothing is known."),
            Figure(
                "parts",
                "list",
                "Of each part its `part`, `weight`, `points`, and its `measures`: of each its"
                " `measure`, `count`, `base`, `rate`, the `shrunk` rate and the `points`.",
            ),
        ),
    ),
)

AGENCIES: Final = (
    Section(
        "agencies.json",
        ("agencies",),
        "One row an agency and currency, in order of both. The index is the mean by weight of four"
        " parts: `size`, 100 x ln(1 + trusted) / ln(1 + the greatest trusted of the currency);"
        " `breadth`, the same of hosts; `growth`, from 0 points at `worst_growth` to 100 at"
        " `best_growth`; `credit`, the score in `credit.json`. A part not known is null, the rest"
        " weigh more.",
        (
            Figure("mcn_id", "id", "The agency."),
            _CURRENCY,
            Figure("hosts", "hosts", "With a room of the agency."),
            Figure("rooms", "rooms", "Of the agency."),
            Figure("orders", "orders", "Paid in them."),
            Figure("gross_minor", "minor units", "What they paid."),
            Figure("net_minor", "minor units", "Gross less refunds."),
            Figure("trusted_minor", "minor units", "Net, and without suspected orders."),
            Figure("rank_gross", "place", "Among the agencies of the currency; ties by id."),
            Figure("rank_net", "place", "The same by net."),
            Figure("rank_trusted", "place", "The same by trusted."),
            Figure("places_lost", "places", "`rank_trusted` - `rank_gross`."),
            Figure(
                "week_gross_minor",
                "minor units",
                "Gross of the 168 hours that end with the hour of the least watermark.",
            ),
            Figure("week_before_gross_minor", "minor units", "Gross of the 168 hours before."),
            Figure(
                "growth",
                "share",
                "Gross of the week less that of the week before, over it; null where the log does"
                " not reach back so far.",
            ),
            Figure("suspected_orders", "orders", "Suspected of being brushed."),
            Figure("suspected_minor", "minor units", "What they paid."),
            Figure("suspected_share", "share of gross", "`suspected_minor` / `gross_minor`."),
            Figure(
                "integrity_alerts",
                "incidents",
                "Of brushed orders, rings, fake viewers, payment off the platform and sale after"
                " delisting in its rooms, of any currency.",
            ),
            Figure("price_alerts", "incidents", "Of list prices raised to be discounted from."),
            Figure("refunds", "refunds", "Accepted, whoever answers for them."),
            Figure("refunds_per_order", "per order", "`refunds` / `orders`."),
            Figure("complaints", "complaints", "Opened, whoever answers for them."),
            Figure("complaint_rate", "per order", "`complaints` / `orders`."),
            Figure("breaches", "answers", "Not given in time, on both service levels."),
            Figure(
                "viewers",
                "persons",
                "Viewers of rooms after the first of their host, added up, without suspected ones.",
            ),
            Figure("returning_share", "share of viewers", "Who came back to the host."),
            Figure(
                "buyers",
                "persons",
                "Buyers of hosts with such rooms, added up, without suspected ones.",
            ),
            Figure("repeat_share", "share of buyers", "Who bought from the host on another day."),
            _PARTS,
            Figure("index", "0 to 100", "The development index."),
            Figure("rank_index", "place", "Among the agencies of the currency; ties by id."),
        ),
    ),
)

SECTIONS: Final = (*SAMENESS, *AGENCIES, *CREDIT)
