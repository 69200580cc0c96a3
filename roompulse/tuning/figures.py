"""The figures of an evaluation: by adversary with intervals, and what was raised for nothing."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from statistics import median, quantiles

from roompulse.tuning.judging import Case, Judged

_RESAMPLES = 1_000
_CONFIDENCE = 0.95
_MINUTE_MS = 60_000
_P95 = 18  # of 19 cuts into twentieths, the last


@dataclass(frozen=True, slots=True)
class Share:
    """A share of rooms, and the 95 % interval that resampling the rooms gives it."""

    value: float
    least: float
    most: float


@dataclass(frozen=True, slots=True)
class OfAdversary:
    """What became of the incidents of one adversary; None where there is nothing to tell.

    Attributes:
        orders_before_median, orders_before_p95: planted orders taken until the alert.
        marked: share of its money that came off trusted GMV.
    """

    adversary: str
    rooms: int
    alerted: Share
    paged: Share
    delay_median_minutes: float | None
    delay_p95_minutes: float | None
    orders_before_median: float | None
    orders_before_p95: float | None
    duplicates: int
    wrong_kinds: int
    marked: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """An evaluation; None where nothing was there to divide by.

    Attributes:
        pages_an_hour_bound: 95 % upper bound of the false pages of a clean room-hour.
        recall, paged: shares of the planted incidents that were raised at all, and as pages.
        precision: share of alerts in attacked and clean rooms that name something planted.
        page_precision: the same of alerts that became a page.
        duplicates_an_incident: further alerts for each planted incident that was found.
        brushed_marked, honest_marked: share of the money that came off trusted GMV.
    """

    adversaries: list[OfAdversary]
    clean_room_hours: float
    false_pages: int
    false_reviews: int
    false_beside: int
    pages_an_hour: float | None
    pages_an_hour_bound: float | None
    reviews_an_hour: float | None
    recall: Share | None
    paged: Share | None
    precision: float | None
    page_precision: float | None
    duplicates_an_incident: float | None
    brushed_marked: float | None
    honest_marked: float | None


def figures_of(judged: Sequence[Judged]) -> Figures:
    """The figures of sessions together. The intervals are the same in every run."""
    cases = [case for each in judged for case in each.cases]
    clean = [room for each in judged for room in each.clean]
    hours = sum(room.hours for room in clean)
    pages = sum(room.false_pages for room in clean)
    reviews = sum(room.false_reviews for room in clean)
    beside = sum(each.false_beside for each in judged)
    found = [case for case in cases if case.alerted]
    duplicates = sum(case.duplicates for case in found)
    raised = len(found) + pages + reviews + beside + sum(case.wrong_kinds for case in cases)
    return Figures(
        adversaries=[
            _of_adversary(name, [case for case in cases if case.adversary == name])
            for name in sorted({case.adversary for case in cases})
        ],
        clean_room_hours=hours,
        false_pages=pages,
        false_reviews=reviews,
        false_beside=beside,
        pages_an_hour=_ratio(pages, hours),
        pages_an_hour_bound=_ratio(poisson_bound(pages), hours),
        reviews_an_hour=_ratio(reviews, hours),
        recall=share(cases, _is_alerted) if cases else None,
        paged=share(cases, _is_paged) if cases else None,
        precision=_ratio(len(found), raised),
        page_precision=_ratio(
            sum(each.true_pages for each in judged), sum(each.pages for each in judged)
        ),
        duplicates_an_incident=_ratio(duplicates, len(found)),
        brushed_marked=_marked(cases),
        honest_marked=_ratio(
            sum(each.honest_marked_minor for each in judged),
            sum(each.honest_minor for each in judged),
        ),
    )


def poisson_bound(count: int) -> float:
    """The greatest mean under which so few events still happen in 5 % of all cases."""
    least, most = float(count), 2.0 * count + 10.0
    while most - least > 1e-9 * most:
        middle = (least + most) / 2
        if _poisson_at_most(count, middle) > 1 - _CONFIDENCE:
            least = middle
        else:
            most = middle
    return most


def _poisson_at_most(count: int, mean: float) -> float:
    logs = (n * math.log(mean) - mean - math.lgamma(n + 1) for n in range(count + 1))
    return math.fsum(map(math.exp, logs)) if mean > 0 else 1.0


def share(cases: Sequence[Case], holds: Callable[[Case], bool]) -> Share:
    """The share of cases of which something holds, resampled by room."""
    held = [float(holds(case)) for case in cases]
    random = Random(len(held))  # noqa: S311 - figures that are the same in every run, no secret
    means = sorted(sum(random.choices(held, k=len(held))) / len(held) for _ in range(_RESAMPLES))
    tail = round(_RESAMPLES * (1 - _CONFIDENCE) / 2)
    return Share(sum(held) / len(held), means[tail], means[-1 - tail])


def _of_adversary(name: str, cases: Sequence[Case]) -> OfAdversary:
    delays = [case.delay_ms / _MINUTE_MS for case in cases if case.delay_ms is not None]
    orders = [float(case.orders_before) for case in cases if case.orders_before is not None]
    return OfAdversary(
        adversary=name,
        rooms=len(cases),
        alerted=share(cases, _is_alerted),
        paged=share(cases, _is_paged),
        delay_median_minutes=_median(delays),
        delay_p95_minutes=_p95(delays),
        orders_before_median=_median(orders),
        orders_before_p95=_p95(orders),
        duplicates=sum(case.duplicates for case in cases),
        wrong_kinds=sum(case.wrong_kinds for case in cases),
        marked=_marked(cases),
    )


def _is_alerted(case: Case) -> bool:
    return case.alerted


def _is_paged(case: Case) -> bool:
    return case.paged


def _marked(cases: Sequence[Case]) -> float | None:
    return _ratio(
        sum(case.marked_minor for case in cases), sum(case.planted_minor for case in cases)
    )


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _p95(values: Sequence[float]) -> float | None:
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=20, method="inclusive")[_P95] if values else None
