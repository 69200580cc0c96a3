"""Of those who came first in one week, how many are back in the weeks after?

Cohorts are over the platform, by the ISO week of a viewer's first view and of a buyer's first
order. `returned[0]` is the share of the cohort that is back in the first week after its own, and so
on to the last week in which anyone of it is.
"""

from collections.abc import Iterable, Iterator, Sequence

from streams.core.dictionary import rate
from streams.core.stickiness import people
from streams.core.stickiness.event_days import week_name, week_of
from streams.core.stickiness.facts import DayFacts, Row
from streams.core.stickiness.people import Sketch


def cohorts(facts: Sequence[DayFacts]) -> Iterator[Row]:
    """The lines of all cohorts, from days in order."""
    yield from _cohorts("buyers", [(each.day, each.buyers) for each in facts])
    yield from _cohorts("viewers", [(each.day, each.viewers) for each in facts])


def _cohorts(kind: str, sets: Sequence[tuple[int, Sketch | None]]) -> Iterator[Row]:
    threshold = people.united(each for _, each in sets).theta64
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
        returned = back.get(week, {})
        yield {
            "kind": kind,
            "week": week_name(week),
            "size": people.estimated(size, threshold),
            "returned": [
                rate(returned.get(since, 0), size)
                for since in range(1, max(returned, default=0) + 1)
            ],
        }


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
