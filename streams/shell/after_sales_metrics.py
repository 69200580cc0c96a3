"""What Prometheus sees of after-sales: by responsible party, on the worker that keeps the boards.

Parties, kinds, reasons and levels are closed sets; rooms are those that are shown anyway. So the
number of series does not grow with rooms or merchants.
"""

from collections.abc import Collection, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from streams.core.after_sales_totals import AfterSalesTotals
from streams.core.load import LEVELS


def after_sales_families(
    totals: AfterSalesTotals | None, rooms: Collection[str], currencies: Collection[str]
) -> Iterator[Metric]:
    """The load of the platform, and of the rooms that are shown.

    Args:
        totals: None where another worker keeps the boards.
        rooms: those that are shown.
        currencies: of which money is shown.
    """
    yield from _platform(totals or AfterSalesTotals(), currencies)
    yield from _rooms(totals or AfterSalesTotals(), rooms)


def _platform(totals: AfterSalesTotals, currencies: Collection[str]) -> Iterator[Metric]:
    complaints = _gauge(
        "complaints", "Complaints opened, of the party that answers for them.", ["party", "kind"]
    )
    refunds = _gauge(
        "refunds", "Accepted refunds, of the party to whom the rules give it.", ["party", "reason"]
    )
    money = _gauge("refunded_minor", "Money of the accepted refunds.", ["party", "currency"])
    in_time = _gauge(
        "in_time", "Complaints answered before their deadline had passed.", ["party", "level"]
    )
    breaches = _gauge("breaches", "Complaints not answered by their deadline.", ["party", "level"])
    median = _gauge(
        "median_ms", "Median from the opening to the answer, within 5 %.", ["party", "level"]
    )
    for party, load in sorted(totals.by_party.items()):
        for kind, count in sorted(load.complaints.items()):
            complaints.add_metric([party, kind], count)
        for reason, count in sorted(load.refunds.items()):
            refunds.add_metric([party, reason], count)
        for level in LEVELS:
            service = load.services[level]
            in_time.add_metric([party, level], service.in_time)
            breaches.add_metric([party, level], service.breaches)
            took_ms = service.durations.median()
            if took_ms is not None:
                median.add_metric([party, level], took_ms)
    for (currency, party), minor in sorted(totals.refunded_minor.items()):
        if currency in currencies:
            money.add_metric([party, currency], minor)
    yield from (complaints, refunds, money, in_time, breaches, median)


def _rooms(totals: AfterSalesTotals, rooms: Collection[str]) -> Iterator[Metric]:
    labels = ["room_id", "party"]
    complaints = _gauge("room_complaints", "Complaints of the rooms that are shown.", labels)
    refunds = _gauge("room_refunds", "Accepted refunds of the rooms that are shown.", labels)
    breaches = _gauge(
        "room_breaches", "Deadlines of their complaints that were missed, of both.", ["room_id"]
    )
    for room_id in sorted(rooms):
        missed = 0
        for party, load in sorted(totals.of_room(room_id).items()):
            where = [room_id, party]
            complaints.add_metric(where, sum(load.complaints.values()))
            refunds.add_metric(where, sum(load.refunds.values()))
            missed += sum(load.services[level].breaches for level in LEVELS)
        breaches.add_metric([room_id], missed)
    yield from (complaints, refunds, breaches)


def _gauge(name: str, text: str, labels: list[str]) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"roompulse_after_sales_{name}", text, labels=labels)
