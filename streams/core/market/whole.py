"""Which files of a run compare its rooms? All of them, by name."""

from collections.abc import Iterable, Sequence

from schemas.details import SoldHour
from schemas.records import Alert, ProductMark, RoomMinute
from schemas.rules import RuleSet
from streams.core.market import agencies, credit, measures
from streams.core.market.benchmark import benchmark
from streams.core.market.measures import Report, Sections
from streams.core.market.sameness import sameness
from streams.core.market.supply import supply
from streams.core.newest import Newest


def market_files(
    newest: Newest,
    minutes: Iterable[RoomMinute],
    marks: Sequence[ProductMark],
    alerts: Sequence[Alert],
    as_of_ms: int | None,
) -> dict[str, Sections]:
    """The sections of each file that is made of what rooms say of themselves.

    Args:
        newest: what rooms said last of themselves.
        minutes: all room-minutes.
        marks: what was done with products, ordered by time.
        alerts: every version of every alert.
        as_of_ms: the least watermark; None before the first event.
    """
    return {
        "sameness.json": sameness(newest.of_kind(SoldHour), newest.rooms),
        "supply.json": supply(newest, marks, alerts),
        "benchmark.json": benchmark(newest.rooms, minutes, as_of_ms),
    }


def score_files(
    newest: Newest,
    alerts: Iterable[Alert],
    *,
    after_sales: Report,
    stickiness: Report,
    rules: RuleSet,
    as_of_ms: int | None,
) -> dict[str, Sections]:
    """The sections of each file with a score.

    Args:
        newest: what rooms said last of themselves.
        alerts: every version of every alert.
        after_sales: the sections of `after-sales.json`.
        stickiness: those of `stickiness.json`.
        rules: in force at the end.
        as_of_ms: the least watermark; None before the first event.
    """
    known = measures.gathered(newest, alerts, after_sales, stickiness)
    scores = credit.credit(known, rules.credit)
    board = agencies.agencies(
        newest.rooms,
        newest.of_kind(SoldHour),
        as_of_ms,
        known=known,
        after_sales=after_sales,
        credits_={row["key"]: row["score"] for row in scores["mcns"]},
        rules=rules.development,
    )
    return {"credit.json": scores, "agencies.json": board}
