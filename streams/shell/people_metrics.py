"""What Prometheus sees of viewers and buyers: how long they stay, who is active, what festivals do.

Visits and money of all partitions of this worker are added, and those of all workers add up. People
do not, for one may be in rooms of several partitions, so they are shown by partition. Each family
says which it is. Who came back is told of all partitions of this worker together. Further labels:
the hosts and rooms of most viewers, five of each, two kinds of cohorts, the five lengths of the
curve, the nearest festivals with their three windows, the currencies of most rooms.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric

from streams.core.attendance import STAYS_MS
from streams.core.stickiness.comeback import Comeback, Returning
from streams.core.stickiness.live import LivePeople, Stays

_ADDS_UP: Final = "Over the partitions of this worker; workers add up."
_OF_THIS_WORKER: Final = (
    "Of the rooms of this worker's partitions: a worker that has all of them shows the figures of"
    " `stickiness.json`, one that has not misses who watched elsewhere."
)
_TWICE: Final = (
    "Distinct in the partition: a sum over partitions counts who was in rooms of several once for"
    " each, so it is an upper bound; `stickiness.json` counts them once."
)


def people_families(
    stays: Mapping[int, Stays], people: Mapping[int, LivePeople], comeback: Comeback | None = None
) -> Iterator[Metric]:
    """The families of the partitions of one worker.

    Args:
        stays: the visits of each, as of now.
        people: of each, as of a checkpoint lately.
        comeback: of all of them together, likewise.
    """
    yield from _stays(stays)
    yield from _people(people)
    yield from _comeback(comeback)
    yield from _festivals(people)


def _stays(stays: Mapping[int, Stays]) -> Iterator[Metric]:
    for name, figure, text in (
        ("visits_started", "visits", "Stays begun in the rooms with state."),
        ("visits_ended", "ended", "Those that have ended: the base of the curve."),
        ("visits_watch_ms", "watch_ms", "Time in the room, of open visits up to last seen."),
    ):
        family = _gauge(name, f"{text} {_ADDS_UP}")
        if stays:
            family.add_metric([], sum(getattr(each, figure) for each in stays.values()))
        yield family
    stayed = _gauge(
        "visits_stayed", f"Ended visits that lasted at least so many seconds. {_ADDS_UP}", "seconds"
    )
    for at, least_ms in enumerate(STAYS_MS if stays else ()):
        count = sum(each.stayed[at] for each in stays.values())
        stayed.add_metric([str(least_ms // 1_000)], count)
    yield stayed


def _people(people: Mapping[int, LivePeople]) -> Iterator[Metric]:
    for name, text in (
        ("active_viewers", "People with a view on the event day of the watermark."),
        ("active_buyers", "People with an order on the event day of the watermark."),
        ("month_active_viewers", "People with a view on that day or the 29 before."),
        ("month_buyers", "People with an order on that day or the 29 before."),
        ("repeat_buyers", "Of these, people who ordered on two or more of the days."),
    ):
        family = _gauge(f"people_{name}", f"{text} {_TWICE}", "partition")
        for number, each in sorted(people.items()):
            family.add_metric([str(number)], getattr(each, name))
        yield family


def _comeback(comeback: Comeback | None) -> Iterator[Metric]:
    size = _gauge(
        "people_cohort",
        "People who came first (bought first) in the newest week whose following week is over."
        f" {_OF_THIS_WORKER}",
        "kind",
    )
    back = _gauge(
        "people_cohort_back",
        f"Of these, people who were back in the week after. {_OF_THIS_WORKER}",
        "kind",
    )
    for kind, cohort in sorted(comeback.cohorts.items()) if comeback else ():
        size.add_metric([kind], cohort.size)
        back.add_metric([kind], cohort.back)
    yield from (size, back)
    whole = {"": comeback.all_rooms} if comeback else {}
    yield from _returning("", "all of them together", whole)
    yield from _returning("host", "those of a host", comeback.hosts if comeback else {})
    yield from _returning("room", "each", comeback.rooms if comeback else {})


def _returning(scope: str, which: str, by_key: Mapping[str, Returning]) -> Iterator[Metric]:
    prefix, labels = (f"people_{scope}", [f"{scope}_id"]) if scope else ("people", [])
    viewers = _gauge(
        f"{prefix}_recent_viewers",
        f"Viewers of rooms opened in the last seven days, added up over rooms: {which}."
        f" {_OF_THIS_WORKER}",
        *labels,
    )
    returning = _gauge(
        f"{prefix}_returning_viewers",
        "Of these, viewers who had watched a room of the same host that was opened in the 30 days"
        f" before theirs: {which}. {_OF_THIS_WORKER}",
        *labels,
    )
    for key, figures in sorted(by_key.items()):
        viewers.add_metric([key] if scope else [], figures.viewers)
        returning.add_metric([key] if scope else [], figures.returning)
    yield from (viewers, returning)


def _festivals(people: Mapping[int, LivePeople]) -> Iterator[Metric]:
    net = _gauge(
        "festival_net_minor",
        "Net money of the days before (28), during and after (28) a near festival, of rooms with"
        f" state. {_ADDS_UP}",
        "festival",
        "window",
        "currency",
    )
    days = _gauge(
        "festival_days",
        "How many days of the log lie in that window, by the partition that knows most; the"
        " festival is provisional until there are 28 after it.",
        "festival",
        "window",
    )
    minor: Counter[tuple[str, str, str]] = Counter()
    most: dict[tuple[str, str], int] = {}
    for each in people.values():
        for festival in each.festivals:
            for window, count in festival.days.items():
                where = festival.festival, window
                minor[*where, festival.currency] += festival.net_minor[window]
                most[where] = max(most.get(where, 0), count)
    for key, sum_minor in sorted(minor.items()):
        net.add_metric(key, sum_minor)
    for where, count in sorted(most.items()):
        days.add_metric(where, count)
    yield from (net, days)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"roompulse_{name}", text, labels=labels)
