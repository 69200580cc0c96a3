"""How are the folds of rings? What a scrape sees of the partitions that a worker follows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric


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
    """Lag of each followed partition, and what its state gave up."""
    lag = GaugeMetricFamily(
        "roompulse_followed_lag_records",
        "Records of links and marks of rings not taken yet.",
        labels=["topic", "partition"],
    )
    evicted = CounterMetricFamily(
        "roompulse_followed_evicted",
        "Entries that full maps of the folds of rings gave up.",
        labels=["topic", "partition", "map"],
    )
    for each in followed:
        where = [each.topic, str(each.number)]
        lag.add_metric(where, each.lag)
        for name, count in sorted(each.evicted.items()):
            evicted.add_metric([*where, name], count)
    yield from (lag, evicted)
