"""How are the folds of rings? What a scrape sees of the partitions that a worker follows."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

# The maps that folds of rings alone have, besides those of partitions.
RING_MAPS = (
    "waiting_links",
    "identities",
    "orders_of_an_identity",
    "tied_orders",
    "same_rooms",
    "standing_prices",
    "exchange_rooms",
    "priced_goods",
    "told_prices",
    "closed_rooms",
    "exchanges",
)


@dataclass(frozen=True, slots=True)
class FollowedView:
    """A moment of one partition that is followed.

    Attributes:
        lag: records that are not taken yet, as known from the last fetch.
        evicted: what full maps gave up, by the names of the caps.
    """

    topic: str
    number: int
    lag: int
    evicted: Mapping[str, int] = field(default_factory=dict)


def ring_families(followed: Sequence[FollowedView]) -> Iterator[Metric]:
    """Lag of each followed topic, and what the folds of it gave up.

    Over the partitions of this worker: a series for each would take what boards need.
    """
    lag = GaugeMetricFamily(
        "roompulse_followed_lag_records",
        "Records of links and marks of rings not taken yet.",
        labels=["topic"],
    )
    evicted = CounterMetricFamily(
        "roompulse_followed_evicted",
        "Entries that full maps of the folds of rings gave up.",
        labels=["map"],
    )
    behind: Counter[str] = Counter()
    given_up: Counter[str] = Counter(dict.fromkeys(RING_MAPS if followed else (), 0))
    for each in followed:
        behind[each.topic] += each.lag
        given_up.update(each.evicted)
    for topic, records in sorted(behind.items()):
        lag.add_metric([topic], records)
    for name, count in sorted(given_up.items()):
        evicted.add_metric([name], count)
    yield from (lag, evicted)
