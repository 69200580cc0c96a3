"""What does each derived figure mean? One table: boards are computed, pages printed from it.

A ratio is null where its base is 0 and has four decimals (design, section 6). Whose definition each
follows is in `source`.
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
