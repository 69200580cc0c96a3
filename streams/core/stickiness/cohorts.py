"""Of those who came first in one week, how many are back in the weeks after?

Cohorts are over the platform, by the ISO week of a viewer's first view and of a buyer's first
order. `returned[0]` is the share of the cohort that is back in the first week after its own, and so
on to the last week in which anyone of it is.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from streams.core.dictionary import rate
from streams.core.stickiness import people
from streams.core.stickiness.event_days import week_name, week_of
from streams.core.stickiness.facts import DayFacts, Row
from streams.core.stickiness.people import Sketch


@dataclass(frozen=True, slots=True)
class Cohort:
    """Those who came first in one week.

    Attributes:
        week: its number, as `week_of` has it.
        sampled: of them, so many were looked at: those with a hash below `threshold`.
        back: how many of these are back, by weeks since.
    """

    kind: str
    week: int
    sampled: int
    back: Mapping[int, int]
    threshold: int

    @property
    def size(self) -> int:
        """How many they are."""
        return people.estimated(self.sampled, self.threshold)

    def returned(self, since: int) -> float | None:
        """The share that is back so many weeks later."""
        return rate(self.back.get(since, 0), self.sampled)


def cohorts(facts: Sequence[DayFacts]) -> Iterator[Row]:
    """The lines of all cohorts, from days in order."""
    for each in counted_cohorts(facts):
        yield {
            "kind": each.kind,
            "week": week_name(each.week),
            "size": each.size,
            "returned": [each.returned(since) for since in range(1, max(each.back, default=0) + 1)],
        }


def counted_cohorts(facts: Sequence[DayFacts], most: int | None = None) -> Iterator[Cohort]:
    """All cohorts by kind and week, from days in order.

    Args:
        facts: of all days.
        most: about so many people and days of each kind are looked at; by default all that the
            sets hold.
    """
    yield from _counted("buyers", [(each.day, each.buyers) for each in facts], most)
    yield from _counted("viewers", [(each.day, each.viewers) for each in facts], most)


def _counted(
    kind: str, sets: Sequence[tuple[int, Sketch | None]], most: int | None
) -> Iterator[Cohort]:
    if most is None:
        threshold = people.united(each for _, each in sets).theta64
    else:
        kept = sum(people.count_kept(each) for _, each in sets)
        thetas = (each.theta64 for _, each in sets if each is not None)
        threshold = min([people.threshold_for(kept, most), *thetas])
    first_week: dict[int, int] = {}
    sizes: dict[int, int] = {}
    back: dict[int, dict[int, int]] = {}  # by cohort: how many are back, by weeks since
    for week, present in _by_week(sets, threshold):
        for person in present:
            own = first_week.setdefault(person, week)
            if own == week:
                sizes[own] = sizes.get(own, 0) + 1
            else:
                returned = back.setdefault(own, {})
                returned[week - own] = returned.get(week - own, 0) + 1
    for week, size in sorted(sizes.items()):
        yield Cohort(kind, week, size, back.get(week, {}), threshold)


def _by_week(
    sets: Iterable[tuple[int, Sketch | None]], threshold: int
) -> Iterator[tuple[int, set[int]]]:
    """Who was there in each week that had anyone, in order."""
    current, present = 0, set[int]()
    for day, sketch in sets:
        if sketch is None:
            continue
        week = week_of(day)
        if week != current:
            if present:
                yield current, present
            current, present = week, set()
        present.update(people.sample(sketch, threshold))
    if present:
        yield current, present
