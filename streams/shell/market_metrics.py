"""What Prometheus sees of the market: agencies, credit, sameness, rooms beside their like, trials.

On the worker that keeps the boards, from a view that is made anew every few seconds. Labels are
those of leading rows, so the number of series does not grow with rooms, hosts or products: so many
agencies by their index, so many of the least credit in each scope, the rooms that are shown anyway,
the newest products.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, Final

from prometheus_client.core import GaugeMetricFamily, Metric

from streams.core.market.live import MarketView
from streams.core.market.measures import SCOPES
from streams.core.market.sameness import SCOPES as CONCENTRATED

Row = Mapping[str, Any]
_AGENCY_FIGURES: Final = (
    ("hosts", "Hosts with a room."),
    ("gross_minor", "Paid orders, refunded ones too."),
    ("trusted_minor", "Net of refunds and of suspected orders."),
    ("places_lost", "Places lost from the rank by gross to that by trusted GMV."),
    ("suspected_share", "Suspected over gross GMV."),
    ("growth", "Gross of the last 168 hours over those before, less 1."),
    ("complaint_rate", "Complaints per order."),
    ("index", "Development index, 0 to 100; its formula is in docs/market.md."),
)
_TRIAL_FIGURES: Final = (
    ("impressions", "Showings of its card."),
    ("clicks", "Clicks on it."),
    ("orders", "Paid orders."),
    ("refunds", "Accepted refunds."),
)
_MISSING: Final = (
    "Live it lacks the part of stickiness, which `credit.json` has; the rest weigh more."
)


def market_families(
    view: MarketView | None, rooms: Collection[str], currencies: Collection[str], rows: int
) -> Iterator[Metric]:
    """The families of the market.

    Args:
        view: None where another worker keeps the boards, or nothing is known yet.
        rooms: those that are shown.
        currencies: of which figures are shown.
        rows: of agencies, of each scope of credit, of trials.
    """
    seen = view or MarketView()
    as_of = _gauge("market_as_of_seconds", "Event time of the figures of the market.")
    if seen.as_of_ms is not None:
        as_of.add_metric([], seen.as_of_ms / 1_000)
    yield as_of
    yield from _agencies(seen.agencies, currencies, rows)
    yield from _credit(seen.credit, rows)
    yield from _sameness(seen.hours, currencies)
    yield from _benchmark(seen.benchmark, rooms)
    yield from _trials(seen.trials, rows)


def _agencies(agencies: Iterable[Row], currencies: Collection[str], rows: int) -> Iterator[Metric]:
    shown = [row for row in agencies if (row["currency"] or "") in currencies]
    shown.sort(key=lambda row: (row["rank_index"], row["mcn_id"], row["currency"] or ""))
    for name, text in _AGENCY_FIGURES:
        family = _gauge(
            f"agency_{name}", f"{text} Agencies that lead by index.", "mcn_id", "currency"
        )
        for row in shown[:rows]:
            _add(family, row[name], row["mcn_id"], row["currency"] or "")
        yield family


def _credit(sections: Mapping[str, Any], rows: int) -> Iterator[Metric]:
    score = _gauge("credit_score", f"0 to 100, of those who have least. {_MISSING}", "scope", "key")
    part = _gauge("credit_points", "The parts of these scores, 0 to 100.", "scope", "key", "part")
    for scope in SCOPES:
        known = [row for row in sections.get(scope, ()) if row["score"] is not None]
        for row in sorted(known, key=lambda row: (row["score"], row["key"]))[:rows]:
            _add(score, row["score"], scope, row["key"])
            for each in row["parts"]:
                _add(part, each["points"], scope, row["key"], each["part"])
    yield from (score, part)


def _sameness(hours: Iterable[Row], currencies: Collection[str]) -> Iterator[Metric]:
    """Of the newest hour of each currency that has two: the running one has only begun."""
    whole: dict[str, Row] = {}
    for row in hours:  # by hour
        whole.setdefault(row["currency"] or "", row)
    hhi = _gauge(
        "sameness_hhi",
        "Herfindahl-Hirschman index over gross money, 1 where one has all, in the last full hour"
        " of event time (the running one before there is one).",
        "of",
        "currency",
    )
    shared = _gauge("sameness_shared_products", "Products sold in several rooms in it.", "currency")
    share = _gauge("sameness_shared_share", "Their share of its orders.", "currency")
    for currency in sorted(whole):
        if currency in currencies:
            row = whole[currency]
            for of in CONCENTRATED:
                _add(hhi, row[f"{of}_hhi"], of, currency)
            _add(shared, row["shared_products"], currency)
            _add(share, row["shared_share"], currency)
    yield from (hhi, shared, share)


def _benchmark(rows: Iterable[Row], rooms: Collection[str]) -> Iterator[Metric]:
    percentile = _gauge(
        "benchmark_percentile",
        "Place of the worst metric of a room's last ten minutes among rooms of its category, mode"
        " and currency: the share of them that are below.",
        "room_id",
        "metric",
    )
    against = _gauge(
        "benchmark_against_median",
        "That metric over the median of its like, less 1.",
        "room_id",
        "metric",
    )
    shown = set(rooms)
    for row in rows:
        if row["room_id"] in shown and row["worst_metric"] is not None:
            worst = next(each for each in row["metrics"] if each["metric"] == row["worst_metric"])
            _add(percentile, worst["percentile"], row["room_id"], worst["metric"])
            _add(against, worst["against_median"], row["room_id"], worst["metric"])
    yield from (percentile, against)


def _trials(trials: Iterable[Row], rows: int) -> Iterator[Metric]:
    newest = sorted(trials, key=lambda row: (-row["first_ms"], row["product_id"]))[:rows]
    for name, text in _TRIAL_FIGURES:
        family = _gauge(
            f"trial_{name}", f"{text} First hour of the newest products.", "product_id", "room_id"
        )
        for row in newest:
            _add(family, row[name], row["product_id"], row["room_id"])
        yield family


def _add(family: GaugeMetricFamily, value: float | None, *labels: str) -> None:
    if value is not None:
        family.add_metric(labels, value)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"roompulse_{name}", text, labels=labels)
