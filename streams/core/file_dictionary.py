"""What does each figure of the files of a run mean, besides the figures of a room?

By the group in which a figure stands: one name may be counted over different things in two files.
Wording as in `streams.core.dictionary`, which has the figures of rooms and the derived ones of
boards. Figures whose name ends in `_trusted` are the figure of the name before it without suspected
people; they have no row of their own.
"""

from collections.abc import Mapping
from typing import Final

from streams.core.dictionary import Figure

_MINOR = "minor units"
_A_DAY = "minor units a day"

FILE_FIGURES: Final[Mapping[str, tuple[Figure, ...]]] = {
    "boards": (
        Figure("rank_gross", "place", "Place by gross GMV; ties by key."),
        Figure("rank_net", "place", "Place by net GMV; ties by key."),
        Figure("rank_trusted", "place", "Place by trusted GMV; ties by key."),
        Figure(
            "places_lost",
            "places",
            "`rank_trusted` less `rank_gross`: what suspicion and refunds cost.",
        ),
        Figure("momentum", "ratio", "Gross of the last ten minutes over the ten before."),
    ),
    "minutes": (
        Figure("orders", "orders", "Orders paid in the minute; late ones are in no minute."),
        Figure("gross_minor", _MINOR, "What these orders paid."),
        Figure("refunded_minor", _MINOR, "Accepted refunds that came in the minute."),
        Figure("visits", "visits", "Stays that began in the minute."),
        Figure("online", "visits", "Visits open at the end of the minute."),
    ),
    "alerts": (
        Figure("score", "score", "How strong the evidence is, by the rule of its kind."),
        Figure("threshold", "score", "The score from which on its severity is raised."),
        Figure("money_minor", _MINOR, "Money at stake: of the suspected orders or refunds."),
        Figure("observed", "share or count", "What was seen, of what was looked at."),
        Figure("expected", "share or count", "What is normal there."),
        Figure("weight", "score", "How much the sign weighs."),
    ),
    "retention": (
        Figure("visits", "visits", "Continuous stays that began; 90 s unseen end a visit."),
        Figure("viewers", "persons", "Distinct people with a view, over all rooms of the key."),
        Figure("visits_per_viewer", "ratio", "Visits over viewers."),
        Figure("ended_visits", "visits", "Visits that have ended: the base of the curve."),
        Figure("stayed_30s", "share of ended visits", "At least 30 s long."),
        Figure("stayed_60s", "share of ended visits", "At least 1 min long."),
        Figure("stayed_300s", "share of ended visits", "At least 5 min long."),
        Figure("stayed_600s", "share of ended visits", "At least 10 min long."),
        Figure("stayed_1800s", "share of ended visits", "At least 30 min long."),
        Figure("avg_watch_ms", "ms", "Time in the room over visits, open ones up to last seen."),
        Figure("median_watch_ms", "ms", "Of ended visits, within 5 %."),
        Figure("interaction_rate", "per visit", "Comments, likes, shares, follows and gifts."),
        Figure("follow_rate", "per visit", "Follows."),
    ),
    "audience": (
        Figure("viewers", "persons", "Distinct people with a view, over all rooms of the key."),
        Figure("buyers", "persons", "Distinct people with an order, over all rooms of the key."),
        Figure("conversion", "share of viewers", "Buyers over viewers."),
        Figure("uv_value_minor", _MINOR, "Gross GMV of the room over its viewers."),
    ),
    "drop_off": (
        Figure("minutes", "minutes", "Minutes that count: the one before is known."),
        Figure("present", "persons", "Online at the end of the minute before, or came in it."),
        Figure("lost", "persons", "Of those present, not online at the end of the minute."),
        Figure("loss_rate", "share of present", "Lost over present."),
        Figure("excess", "persons", "Lost beyond what the room's own loss rate would have cost."),
        Figure("price_minor", _MINOR, "Price of the product listed last that was on sale."),
        Figure(
            "unchanged_minutes", "minutes", "Whole minutes in which nothing was done with products."
        ),
    ),
    "after_sales": (
        Figure("orders", "orders", "Paid orders of the key, whoever answers for them."),
        Figure("complaints", "complaints", "Opened; of the party named last, else by kind."),
        Figure("complaint_rate", "share of orders", "Complaints over orders."),
        Figure("refunds", "refunds", "Accepted; of the party to whom the rules give the reason."),
        Figure("refunded_minor", _MINOR, "Money of the accepted refunds."),
        Figure(
            "quality_refunds",
            "refunds",
            "With the reason `quality`, `not_as_described` or `wrong_item`.",
        ),
        Figure("quality_refund_rate", "share of orders", "Quality refunds over orders."),
        Figure(
            "first_reply_median_ms", "ms", "Median from the opening to the first reply, within 5 %."
        ),
        Figure("first_reply_breaches", "complaints", "Not answered by their deadline (2 h)."),
        Figure("first_reply_attainment", "share of judged", "In time over in time and breaches."),
        Figure(
            "resolution_median_ms", "ms", "Median from the opening to the resolution, within 5 %."
        ),
        Figure("resolution_breaches", "complaints", "Not resolved by their deadline (48 h)."),
        Figure("resolution_attainment", "share of judged", "In time over in time and breaches."),
    ),
    "pitch": (
        Figure("gross_minor", _MINOR, "Paid in the minute, late orders too."),
        Figure(
            "returned_minor",
            _MINOR,
            "Refunds of orders that were paid in the minute, whenever they came.",
        ),
        Figure("refunded_minor", _MINOR, "Refunds that came in the minute, whatever they are of."),
    ),
    "stickiness": (
        Figure("rooms", "rooms", "Rooms with an accepted event."),
        Figure("viewers", "persons", "Distinct people with a view."),
        Figure("buyers", "persons", "Distinct people with an order."),
        Figure("repeat_buyers", "persons", "Ordered on two or more event days."),
        Figure(
            "repurchase_7d",
            "share of buyers",
            "Second distinct order day at most 7 days after the first.",
        ),
        Figure(
            "repurchase_30d",
            "share of buyers",
            "Second distinct order day at most 30 days after the first.",
        ),
        Figure(
            "returning_viewers",
            "persons",
            "Viewers of the room who also watched a room of the same host opened in the 30 days"
            " before it.",
        ),
        Figure("returning_share", "share of viewers", "Returning viewers over viewers."),
    ),
    "days": (
        Figure("active_viewers", "persons", "Distinct people with a view on the event day."),
        Figure(
            "monthly_active_viewers",
            "persons",
            "Distinct people with a view on the day or the 29 before.",
        ),
        Figure("stickiness", "ratio", "Active viewers of the day over those of the month."),
    ),
    "cohorts": (
        Figure("size", "persons", "First seen (first order) in the ISO week."),
        Figure(
            "returned",
            "share of the cohort",
            "Back in the first week after, the second, and so on.",
        ),
    ),
    "festivals": (
        Figure("before_daily_net_minor", _A_DAY, "Mean daily net of the 28 days before."),
        Figure("during_daily_net_minor", _A_DAY, "Mean daily net of the festival's days."),
        Figure("after_daily_net_minor", _A_DAY, "Mean daily net of the 28 days after."),
        Figure("lift", "share of before", "(during - before) / before."),
        Figure("overdraft", "share of before", "(after - before) / before: what was borrowed."),
        Figure(
            "payback_days",
            "days",
            "Least number of days after the window, up to 21, from which on seven days bring at"
            " least `before` a day; null if there is none.",
        ),
    ),
}
