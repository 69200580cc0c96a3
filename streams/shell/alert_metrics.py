"""What Prometheus sees of alerts: counts by closed sets of labels, and the gravest that are firing.

Bounds: kinds x severities, statuses, verdicts and shown currencies, and a few series for each of
the first rows of what is firing. Nobody is named: rooms, hosts and agencies are those of boards.
"""

from collections import Counter
from collections.abc import Collection, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from schemas.records import Alert
from streams.core.integrity.alert_book import AlertBook, kind_of

_ROW_LABELS = ("alert_id", "kind", "severity", "room_id", "host_id", "mcn_id", "currency")


def alert_families(
    book: AlertBook | None, alive: list[Alert], currencies: Collection[str], rows: int
) -> Iterator[Metric]:
    """The families of alerts.

    Args:
        book: None where another worker shows them: there are families then, and no samples.
        alive: its alerts that are firing, the gravest first.
        currencies: those that are shown.
        rows: of the alerts that are firing.
    """
    firing = GaugeMetricFamily(
        "roompulse_alerts_firing",
        "Alerts that have not ended.",
        labels=["kind", "severity"],
    )
    raised = CounterMetricFamily(
        "roompulse_alerts_raised",
        "Incidents told at a severity; one that got graver counts at both.",
        labels=["kind", "severity"],
    )
    versions = CounterMetricFamily(
        "roompulse_alerts_versions", "Told versions of alerts.", labels=["kind", "status"]
    )
    money = GaugeMetricFamily(
        "roompulse_alerts_money_minor",
        "Money at stake in alerts that have not ended.",
        labels=["kind", "currency"],
    )
    verdicts = GaugeMetricFamily(
        "roompulse_alerts_verdicts",
        "Alerts by the last verdict of a person; `none` where nobody has judged.",
        labels=["kind", "verdict"],
    )
    if book is not None:
        now = Counter((kind_of(alert), alert.severity) for alert in alive)
        for labels, count in book.raised.items():
            raised.add_metric(labels, count)
            firing.add_metric(labels, now[labels])
        for labels, count in book.versions.items():
            versions.add_metric(labels, count)
        for labels, count in book.verdicts().items():
            verdicts.add_metric(labels, count)
        for labels, amount_minor in _money_by_kind(alive, currencies).items():
            money.add_metric(labels, amount_minor)
    yield from (firing, raised, versions, money, verdicts)
    yield from _gravest(alive[:rows])


def _money_by_kind(alive: list[Alert], currencies: Collection[str]) -> dict[tuple[str, str], int]:
    sums: dict[tuple[str, str], int] = {}
    for alert in alive:
        labels = kind_of(alert), alert.currency or ""
        if labels[1] in currencies:
            sums[labels] = sums.get(labels, 0) + alert.money_minor
    return dict(sorted(sums.items()))


def _gravest(alive: list[Alert]) -> Iterator[Metric]:
    """Each of the gravest alerts that are firing, so that people find its room and its time."""

    def gauge(name: str, text: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"roompulse_firing_alert_{name}", text, labels=_ROW_LABELS)

    money = gauge("money_minor", "Money at stake in one of the gravest alerts that are firing.")
    score = gauge("score_ratio", "Its score over the threshold of its severity.")
    started = gauge("started_seconds", "Event time of its first evidence.")
    updated = gauge("updated_seconds", "Event time of its newest version.")
    for alert in alive:
        named = (alert.room_id, alert.host_id, alert.mcn_id, alert.currency)
        where = [alert.alert_id, kind_of(alert), alert.severity, *(each or "" for each in named)]
        money.add_metric(where, alert.money_minor)
        if alert.threshold:
            score.add_metric(where, alert.score / alert.threshold)
        started.add_metric(where, alert.started_ms / 1000)
        updated.add_metric(where, alert.updated_ms / 1000)
    yield from (money, score, started, updated)
