"""What normal traffic looks like: every figure of the model, with its source.

A figure stands here once, under the name the code uses; `FIGURES` is the same as a table, for the
documentation. Marks: *measured* on the data named, *published* by the source named, *chosen* where
nothing is known and the figure waits for calibration.
"""

from typing import Literal, NamedTuple

Mark = Literal["measured", "published", "chosen"]


class Figure(NamedTuple):
    """One parameter of the traffic model."""

    name: str
    value: float
    mark: Mark
    source: str


FIGURES: list[Figure] = []


def _figure(name: str, value: float, mark: Mark, source: str) -> float:
    FIGURES.append(Figure(name, value, mark, source))
    return value


_KUAILIVE = "KuaiLive aggregates: stay P50 4.9 s, P90 1,026 s, mean 514 s"

# How long a visit lasts: two lognormal components, short looks and engaged stays.
ENGAGED_SHARE = _figure(
    "engaged share of visits", 0.4, "chosen", f"fit of two components to {_KUAILIVE}"
)
SHORT_STAY_LOG_SECONDS = _figure(
    "short stay, mean of log seconds", 0.6931, "measured", f"fit to {_KUAILIVE}"
)
SHORT_STAY_SIGMA = _figure("short stay, sigma", 0.94, "measured", f"fit to {_KUAILIVE}")
ENGAGED_STAY_LOG_SECONDS = _figure(
    "engaged stay, mean of log seconds", 5.78, "measured", f"fit to {_KUAILIVE}"
)
ENGAGED_STAY_SIGMA = _figure("engaged stay, sigma", 1.71, "measured", f"fit to {_KUAILIVE}")
LONGEST_STAY_SECONDS = _figure(
    "longest stay, seconds",
    2_700,
    "chosen",
    "people move between shop rooms; mean stays of 119 to 746 s in Bilibili rooms",
)

# When viewers come: Poisson, times day shape, listing pulses and self-excitement.
PULSE_HEIGHT = _figure(
    "arrivals after a listing, times the usual, at once", 4, "chosen", "decays with the next row"
)
PULSE_DECAY_SECONDS = _figure("decay of the listing pulse, seconds", 60, "chosen", "")
LISTING_GAP_SECONDS = _figure("mean time between listings, seconds", 480, "chosen", "")
SELF_EXCITING_SHARE = _figure(
    "share of arrivals that follow another", 0.4, "chosen", "within .3 to .6"
)
SELF_EXCITING_DECAY_SECONDS = _figure(
    "delay of a following arrival, seconds", 60, "chosen", "within 30 to 120 s"
)
RATE_SHAPE = _figure(
    "gamma shape of the five-minute arrival rate",
    12,
    "measured",
    "counts are over-dispersed: Fano 1.5 to 8 per 5 min (UCI orders 1.7)",
)
LOST_ENTER_SHARE = _figure("share of enter events that are lost", 0.03, "chosen", "")
LOST_LEAVE_SHARE = _figure("share of leave events that are lost", 0.03, "chosen", "as enters")

# What a viewer does about once a minute; a heartbeat if nothing else.
STEP_SECONDS = _figure(
    "mean time between signs of life, seconds",
    60,
    "chosen",
    "below the 90 s after which a silent visit ends",
)
COMMENT_SHARE = _figure(
    "share of signs of life that are comments",
    0.08,
    "chosen",
    "tripled within 60 s of a listing; Bilibili comments: Fano 2.5 to 8 per 3 s in busy rooms",
)
LIKE_SHARE = _figure("the same for likes", 0.12, "chosen", "")
CLICK_SHARE = _figure(
    "the same for product clicks", 0.10, "chosen", "Taobao: 75,872 views, 4,497 carts"
)
CART_SHARE = _figure(
    "the same for carts", 0.006, "measured", "Taobao: carts / views = 5.9 %, of the clicks above"
)
SHARE_SHARE = _figure("the same for shares", 0.006, "chosen", "")
FOLLOW_SHARE = _figure("the same for follows", 0.006, "chosen", "")
GIFT_SHARE = _figure("the same for gifts", 0.004, "published", "KuaiLive: gifts in 1.6 % of visits")

# Who buys, when and how much.
CONVERSION_ALPHA = _figure("conversion of a visit, beta a", 2, "chosen", "mean 3.2 %")
CONVERSION_BETA = _figure(
    "conversion of a visit, beta b", 60, "chosen", "Taobao buys / views = 2.3 %, measured"
)
ORDER_DELAY_SECONDS = _figure("from the listing to the order, mean seconds", 40, "chosen", "")
NO_PAYMENT_SHARE = _figure("share of checkouts that are never paid", 0.15, "chosen", "")
NEXT_ORDER_SHARE = _figure(
    "chance of one more order by the same buyer", 0.15, "chosen", "85 % buy once, P99 is 4"
)
SECOND_UNIT_SHARE = _figure("chance of one more unit in an order", 0.2, "chosen", "")
COUPON_SHARE = _figure("share of orders with a coupon", 0.3, "chosen", "")

# What goes back, and what is complained about.
REFUND_CLUSTERING = _figure(
    "intra-product correlation of refunds (beta-binomial rho)",
    0.10,
    "measured",
    "UCI: variance 5.7 x binomial in windows of 50",
)
REFUND_FIRST_HOUR_SHARE = _figure(
    "share of refunds within an hour", 0.10, "measured", "UCI: 9.6 % of matched returns"
)
REFUND_FIRST_DAY_SHARE = _figure(
    "share of refunds within 24 hours", 0.125, "measured", "UCI; the median is 9 days"
)
COMPLAINT_SHARE = _figure("complaints by order", 0.004, "chosen", "within .2 to .5 %")
COMPLAINT_REPLY_MINUTES = _figure("median time to the first reply, minutes", 25, "chosen", "")
COMPLAINT_SOLVED_MINUTES = _figure("median time to the resolution, minutes", 80, "chosen", "")

# Who people are.
HOUSEHOLD_SHARE = _figure("share of people who share an address", 0.25, "chosen", "")
SHARED_DEVICE_SHARE = _figure("share of people who share a device", 0.05, "chosen", "")
SHARED_PAYMENT_SHARE = _figure("share of people who share a payment account", 0.03, "chosen", "")
DORMITORY_SHARE = _figure(
    "share of people in dormitories", 0.03, "chosen", "20 to 200 people at one address"
)
YOUNG_ACCOUNT_SHARE = _figure("share of accounts under 7 days old", 0.04, "chosen", "")
MOBILE_SHARE = _figure(
    "share of people behind a carrier gateway", 0.5, "chosen", "hundreds of people at one IP"
)
OFFICE_SHARE = _figure("share of people in offices", 0.1, "chosen", "20 to 500 people at one IP")
REGULAR_SHARE = _figure(
    "share of visits by regulars of the host", 0.3, "chosen", "they come back from show to show"
)

# How rooms differ.
ROOM_SIZE_SIGMA = _figure(
    "sigma of the log of room size",
    1.2,
    "published",
    "KuaiLive: watch time per streamer P50 24 s, P90 1,206 s, P99 13,387 s; shop rooms are nearer",
)
ROOM_TAIL_SHARE = _figure(
    "share of rooms in the Pareto tail", 0.05, "published", "KuaiLive: 4.6 % over 40 interactions"
)
ROOM_TAIL_ALPHA = _figure("Pareto exponent of the tail", 1.2, "chosen", "")
IMPRESSIONS_BY_ENTRY = _figure("impressions by entry", 8, "chosen", "")


class Category(NamedTuple):
    """What is sold in a category: how much comes back, and the few prices of live selling."""

    refund_rate: float
    price_points_minor: tuple[int, ...]
    source: str


CATEGORIES: dict[str, Category] = {
    "womens_wear": Category(0.55, (5_990, 7_990, 9_990, 12_900, 19_900), "press: 50 to 60 %"),
    "clothing": Category(0.30, (3_990, 5_990, 8_990, 15_900), "clothing online: 30 %"),
    "home": Category(0.13, (1_990, 2_990, 4_990, 9_900), "e-commerce in general: 10 to 15 %"),
    "beauty": Category(0.12, (4_900, 9_900, 15_900, 29_900), "chosen"),
    "electronics": Category(0.08, (9_900, 29_900, 79_900, 199_900), "chosen"),
    "jewellery": Category(0.35, (19_900, 39_900, 99_900), "live selling in general: 30 to 50 %"),
    "food": Category(0.03, (990, 1_990, 2_990, 4_990), "chosen"),
}
