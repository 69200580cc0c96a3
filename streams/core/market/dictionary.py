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


def _with_trusted(*figures: Figure) -> tuple[Figure, ...]:
    """Each figure, and beside it the one without suspected orders."""
    text = "The same without suspected orders."
    return tuple(
        each
        for figure in figures
        for each in (figure, Figure(f"{figure.name}_trusted", figure.unit, text))
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
            *_with_trusted(
                Figure("orders", "orders", "Paid in the hour."),
                Figure("gross_minor", "minor units", "What they paid."),
                *_concentrations(),
                Figure("shared_products", "products", "Sold by two rooms or more in the hour."),
                Figure("shared_orders", "orders", "Of these products."),
                Figure("shared_share", "share of orders", "`shared_orders` / `orders`."),
            ),
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
            Figure("growth_trusted", "share", "The same without suspected orders."),
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
            Figure(
                "refunds_per_order_trusted",
                "per order",
                "The same over `orders` less `suspected_orders`.",
            ),
            Figure("complaints", "complaints", "Opened, whoever answers for them."),
            Figure("complaint_rate", "per order", "`complaints` / `orders`."),
            Figure(
                "complaint_rate_trusted",
                "per order",
                "The same over `orders` less `suspected_orders`.",
            ),
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

_PRODUCT = Figure("product_id", "id", "The product.")
_ROOM = Figure("room_id", "id", "The room.")

SUPPLY: Final = (
    Section(
        "supply.json",
        ("stock",),
        "How fast each product of each room sells, of those with a mark in `product-marks.ndjson`,"
        " in order of room and product.",
        (
            _ROOM,
            _PRODUCT,
            Figure(
                "stock", "pieces", "The most that were told of at once; null if none ever were."
            ),
            Figure("units", "pieces", "Sold, of orders whose stamp is not refuted."),
            Figure(
                "sell_through",
                "share of stock",
                "`units` / `stock`; above 1 where stock came anew.",
                "sold by stocked pieces",
            ),
            Figure("on_sale_ms", "ms", "Listed and not taken off, up to the closing of the room."),
            Figure("units_per_minute", "pieces", "Demand: `units` per minute on sale."),
            Figure("best_hour_units_per_minute", "pieces", "Of its best hour, over 60."),
            Figure(
                "stock_out_ms", "epoch ms", "When the alert `stock_out` first began; else null."
            ),
            Figure("stock_lasted_ms", "ms", "From the last stock told before to `stock_out_ms`."),
        ),
    ),
    Section(
        "supply.json",
        ("trials",),
        "The first hour of each product, in the room that had it first, for the decision to order"
        " more: sixty minutes from the minute of its first event there (something done with it, a"
        " showing, a click, a cart, an order, a refund). What came late is left out.",
        (
            _PRODUCT,
            _ROOM,
            _CURRENCY,
            Figure("first_ms", "epoch ms", "Start of the hour."),
            Figure("impressions", "showings", "Views of its card."),
            Figure("clicks", "actions", "Clicks on it."),
            Figure("click_rate", "per showing", "`clicks` / `impressions`."),
            Figure("carts", "actions", "Ways into a cart."),
            Figure("orders", "orders", "Paid in the hour."),
            Figure("order_rate", "per click", "`orders` / `clicks`.", "CTOR of TikTok Shop"),
            Figure("units", "pieces", "Of these orders."),
            Figure("gross_minor", "minor units", "What they paid."),
            Figure("refunds", "refunds", "That came in the hour."),
            Figure("refunded_minor", "minor units", "Their accepted money."),
            Figure("refunds_per_order", "per order", "`refunds` / `orders`."),
            Figure("provisional", "yes or no", "The hour is not over at the room's watermark."),
        ),
    ),
    Section(
        "supply.json",
        ("prices",),
        "What each product last cost in each room, against its own 7 days and against other rooms."
        " The 7 days end with the last price told of it in the currency; rooms that told none in"
        " them have no row.",
        (
            _PRODUCT,
            _CURRENCY,
            _ROOM,
            Figure("told_ms", "epoch ms", "When the price was told."),
            Figure("price_minor", "minor units", "The last price, of `listed` or `priced`."),
            Figure(
                "median_7d_minor", "minor units", "Lower median of the prices told in the days."
            ),
            Figure("against_median", "share", "How far above it; below 0: cheaper."),
            Figure("other_rooms", "rooms", "Others with a row."),
            Figure("others_median_minor", "minor units", "Lower median of their prices."),
            Figure("against_others", "share", "How far above it; below 0: cheaper."),
        ),
    ),
    Section(
        "supply.json",
        ("price_wars",),
        "Rooms that undercut each other over a product, of three turns or more. A turn: a room cuts"
        " its price, or tells its first, to at least 5 % under the lowest that stands in another"
        " room; the next is another room's, within 60 minutes. A price stands until it is told"
        " anew, the product is taken off, or the room closes.",
        (
            _PRODUCT,
            _CURRENCY,
            Figure("started_ms", "epoch ms", "The first turn."),
            Figure("ended_ms", "epoch ms", "The last turn."),
            Figure("rooms", "ids", "Who took turns."),
            Figure("turns", "turns", "In all."),
            Figure("most_turns_60m", "turns", "The most within 60 minutes."),
            Figure("lowest_minor", "minor units", "The lowest price of a turn."),
            Figure(
                "median_7d_minor",
                "minor units",
                "Lower median of the prices told in the 7 days before the first turn.",
            ),
            Figure("under_median", "share", "How far the lowest is under it."),
            Figure(
                "price_war",
                "yes or no",
                "Three turns within 60 minutes, and a price at least 20 % under the median.",
            ),
            Figure(
                "first_turns",
                "list",
                "The first 20: `ts_ms`, `room_id`, `price_minor`, `undercut`: how far under the"
                " lowest other price.",
            ),
        ),
    ),
)

BENCHMARK: Final = (
    Section(
        "benchmark.json",
        ("rooms",),
        "Each room's last ten minutes against the ten before, and against rooms of its kind: of the"
        " same category, mode and currency. The ten are the closed minutes before that of the least"
        " watermark, or before the one in which the room closed. Rooms that closed a day before or"
        " earlier, or had no line in the twenty minutes, have no row. In order of the room.",
        (
            _ROOM,
            Figure("category", "id", "Of the room."),
            Figure("mode", "closed set", "How it sells."),
            Figure("currency", "ISO 4217", "Of its money."),
            Figure("until_ms", "epoch ms", "End of the ten minutes."),
            Figure("rooms_of_kind", "rooms", "With a row, this one too."),
            Figure(
                "worst_metric",
                "name",
                "The metric with the least percentile (ties: furthest under the median, then in the"
                " order below); null where there is no other room of its kind.",
                "TikTok and Chanmama show the worst in red",
            ),
            Figure(
                "metrics",
                "list",
                "`gross_minor`, `orders`, `visits`, `gpm_minor`, `orders_per_visit`,"
                " `clicks_per_visit`, `interactions_per_visit` (comments and likes). Of each its"
                " `metric`, `last`, `before`, `change` (last less before, over before),"
                " `percentile` (share of the others that are lower, equal ones by half),"
                " `median_of_kind` (lower median of the others), `against_median`.",
                "WeChat Channels has the momentum with its percentile",
            ),
        ),
    ),
)

SECTIONS: Final = (*SAMENESS, *SUPPLY, *BENCHMARK, *AGENCIES, *CREDIT)
