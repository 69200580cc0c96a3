"""What does each figure mean? One table: boards are computed, pages printed from it.

`FIGURES` words every field of a room's summary, `RATIOS` computes the derived figures of a board. A
ratio is null where its base is 0 and has four decimals (design, section 6). Whose definition each
follows is in `source`; "ours" where no published one was followed.
"""

from dataclasses import dataclass
from typing import Final

DECIMALS = 4


def rate(part: int, base: int) -> float | None:
    """A ratio with four decimals; null where the base is 0."""
    return round(part / base, DECIMALS) if base else None


@dataclass(frozen=True, slots=True)
class Ratio:
    """A derived figure: the sum of `parts` times `scale`, over `base`."""

    name: str
    parts: tuple[str, ...]
    base: str
    meaning: str
    source: str
    scale: int = 1


RATIOS: Final[tuple[Ratio, ...]] = (
    Ratio(
        "gpm_minor",
        ("gross_minor",),
        "visits",
        "Gross GMV per 1,000 visits, minor units.",
        "watch GPM of Douyin and TikTok, by visits",
        1_000,
    ),
    Ratio(
        "show_gpm_minor",
        ("gross_minor",),
        "impressions",
        "Gross GMV per 1,000 impressions of the room's card, minor units.",
        "show GPM of Douyin and TikTok",
        1_000,
    ),
    Ratio(
        "entry_rate",
        ("visits",),
        "impressions",
        "Visits per impression of the room's card.",
        "Douyin",
    ),
    Ratio(
        "click_rate",
        ("clicks",),
        "product_impressions",
        "Product clicks per impression of a product's card.",
        "product CTR of TikTok Shop",
    ),
    Ratio("cart_rate", ("carts",), "clicks", "Carts per product click.", "funnel of Douyin"),
    Ratio(
        "checkout_rate",
        ("checkouts",),
        "clicks",
        "Orders placed per product click.",
        "funnel of Douyin",
    ),
    Ratio(
        "paid_rate",
        ("orders",),
        "checkouts",
        "Orders paid per order placed; above 1 where a source sends no checkouts for some.",
        "SHOPLINE Live",
    ),
    Ratio(
        "uv_value_minor",
        ("gross_minor",),
        "viewers",
        "Gross GMV per viewer, minor units.",
        "UV value as third parties define it",
    ),
    Ratio("conversion", ("buyers",), "viewers", "Buyers per viewer.", "view-to-buy, as Lazada"),
    Ratio(
        "refund_rate",
        ("refunded_orders",),
        "orders",
        "Orders with an accepted refund, per order.",
        "refund rate by orders",
    ),
    Ratio(
        "refund_value_rate",
        ("refunded_minor",),
        "gross_minor",
        "Refunded money per gross GMV.",
        "refund rate by money",
    ),
    Ratio(
        "complaint_rate",
        ("complaints_opened",),
        "orders",
        "Complaints opened, per order.",
        "Douyin, by paid orders",
    ),
    Ratio(
        "average_order_minor",
        ("gross_minor",),
        "orders",
        "Gross GMV per order, minor units.",
        "gross by orders",
    ),
    Ratio(
        "interaction_rate",
        ("comments", "likes", "shares", "follows", "gifts"),
        "visits",
        "Comments, likes, shares, follows and gifts, per visit.",
        "Lazada and Bambuser, by events",
    ),
    Ratio("follow_rate", ("follows",), "visits", "Follows per visit.", "follower conversion"),
)


@dataclass(frozen=True, slots=True)
class Figure:
    """A field of a room's summary.

    Attributes:
        unit: what it is counted in, or the base of a share.
    """

    name: str
    unit: str
    meaning: str
    source: str = "ours"


FIGURES: Final[tuple[Figure, ...]] = (
    Figure("room_id", "id", "One live session of one host; never reused.", "event contract"),
    Figure("host_id", "id", "Who sells; null until `room_opened` came.", "`room_opened`"),
    Figure("host_name", "text", "What the host is called.", "`room_opened`"),
    Figure("mcn_id", "id", "The host's agency; null for an independent.", "`room_opened`"),
    Figure("mode", "closed set", "How the room sells.", "`room_opened`"),
    Figure("category", "id", "What the room sells.", "`room_opened`"),
    Figure("currency", "ISO 4217", "Of all money of the room.", "`room_opened`"),
    Figure("opened_ms", "epoch ms", "Stamp of the first `room_opened`.", "`room_opened`"),
    Figure("closed_ms", "epoch ms", "Stamp of the last `room_closed`.", "`room_closed`"),
    Figure("as_of_ms", "epoch ms", "The watermark at which the figures stand."),
    Figure(
        "orders",
        "orders",
        "Paid orders, by distinct `order_id`; what is refunded later stays in.",
        "Douyin Compass and TikTok Shop keep refunded orders; Compass counts by SKU, we by order",
    ),
    Figure("units", "pieces", "Sum of `quantity` over these orders."),
    Figure(
        "gross_minor",
        "minor units",
        "Gross GMV: sum of `amount_minor` over these orders, by payment.",
        "GMV of Douyin Compass and TikTok Shop: refunds stay in; we sum what was paid",
    ),
    Figure("refunds", "refunds", "Accepted refunds, by distinct `refund_id`."),
    Figure(
        "refunded_minor",
        "minor units",
        "Sum of the accepted refund amounts, at the room that sold.",
    ),
    Figure(
        "net_minor",
        "minor units",
        "`gross_minor` less `refunded_minor`.",
        "net sales, as third parties define them: paid less refunds",
    ),
    Figure("suspected_orders", "orders", "Orders suspected of being brushed; 0 without detector."),
    Figure("suspected_minor", "minor units", "Sum of `amount_minor` of the suspected orders."),
    Figure(
        "trusted_minor",
        "minor units",
        "`net_minor` less, for each suspected order, its amount after its refunds: what is refunded"
        " and suspected is taken off once.",
    ),
    Figure(
        "buyers", "persons", "Distinct `buyer_id` of paid orders; exact to 1,000, then a sketch."
    ),
    Figure(
        "visits",
        "visits",
        "Stays begun: at `enter`, or at another action but `leave` of one who is not in the room;"
        " 90 s unseen end a visit.",
        "ours; Bambuser begins a new session after 30 idle minutes",
    ),
    Figure(
        "viewers",
        "persons",
        "Distinct `viewer_id` of visits; exact to 1,000, then a sketch.",
        "unique viewers, as Bambuser by device, here by id",
    ),
    Figure(
        "online",
        "visits",
        "Open visits at the watermark.",
        "ours; Shopify calls a visitor live for 5 min",
    ),
    Figure(
        "peak_online",
        "visits",
        "Most visits open at once, as known at each moment.",
        "PCU of Volcengine, which takes the maximum of samples; this one is of all moments",
    ),
    Figure("watch_ms", "ms", "Total length of ended visits, and of open ones up to last seen."),
    Figure(
        "avg_watch_ms",
        "ms per visit",
        "`watch_ms` / `visits`, rounded down.",
        "Volcengine divides by unique viewers, we by visits",
    ),
    Figure(
        "median_watch_ms",
        "ms",
        "Median length of ended visits; from a histogram, at most 1.6 % off.",
    ),
    Figure("stayed_30s", "share of ended visits", "At least 30 s long."),
    Figure("stayed_60s", "share of ended visits", "At least 60 s long."),
    Figure("stayed_300s", "share of ended visits", "At least 300 s long."),
    Figure("comments", "actions", "Views with the action `comment`."),
    Figure("likes", "actions", "Views with the action `like`."),
    Figure("shares", "actions", "Views with the action `share`."),
    Figure("follows", "actions", "Views with the action `follow`."),
    Figure("gifts", "actions", "Views with the action `gift`."),
    Figure("clicks", "actions", "Views with the action `click`."),
    Figure("carts", "actions", "Views with the action `cart`."),
    Figure("impressions", "showings", "How often the room's card was shown.", "`exposure`"),
    Figure(
        "product_impressions",
        "showings",
        "How often cards of its products were shown.",
        "`exposure` with `product_id`",
    ),
    Figure("checkouts", "orders", "Orders placed, by distinct `order_id`, paid or not."),
    Figure(
        "unpaid_orders",
        "orders",
        "Checkouts not paid when the watermark passed 30 min after them; a later payment takes"
        " nothing back.",
        "SHOPLINE Live has the figure, the 30 min are ours",
    ),
    Figure("complaints_opened", "complaints", "Complaints with the status `opened`."),
    Figure("complaints_replied", "complaints", "Complaints with the status `replied`."),
    Figure("complaints_resolved", "complaints", "Complaints with the status `resolved`."),
    Figure(
        "first_reply_median_ms",
        "ms",
        "Median from `opened` to the first `replied`, where both are known.",
    ),
    Figure(
        "resolution_median_ms",
        "ms",
        "Median from `opened` to the first `resolved`, where both are known.",
    ),
    Figure(
        "quality_refunds",
        "refunds",
        "Accepted refunds with the reason `quality`, `not_as_described` or `wrong_item`.",
        "Douyin's and TikTok Shop's quality returns, by reason",
    ),
)
