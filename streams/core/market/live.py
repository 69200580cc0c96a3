"""How do the rooms, those who sell in them and what they sell stand beside each other, by now?

The figures of `agencies.json`, `credit.json`, `sameness.json`, `benchmark.json` and the trials of
`supply.json` while the night goes on, made by the same functions from what rooms said last. Who
came back and who bought again is known to the states of the partitions alone, so live scores lack
the part of stickiness: it is named among what is `missing`, and the rest weigh more, as where a
base is 0. Everything else equals the files of the same log.

State: what rooms said last, and the minutes of each that a benchmark may ask for. Bound: the keys
of the topics that are read; of what products sold by the hour the two weeks that growth looks at,
and the first hour. Cap: `market_hours`; the oldest hours go first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from schemas.details import SoldHour
from schemas.records import Alert, RoomMinute
from schemas.rules import RuleSet
from streams.core import limits
from streams.core.after_sales_report import after_sales_report
from streams.core.market import agencies, benchmark, measures, supply
from streams.core.market.sameness import sameness
from streams.core.market.sold_hours import HOUR_MS
from streams.core.market.whole import score_files
from streams.core.newest import Newest

MAPS: Final = ("market_hours",)
Row = dict[str, Any]
# Nobody is known to have come back.
_NO_STICKINESS: Final[measures.Report] = {"rooms": (), "hosts": ()}


@dataclass(frozen=True, slots=True)
class MarketView:
    """How all stand beside each other at one moment.

    Attributes:
        as_of_ms: the least watermark; None before the first event.
        agencies: the rows of `agencies.json`.
        credit: the sections of `credit.json`.
        hours: the rows of `sameness.json` of the hour of the least watermark and the one before.
        benchmark: the rows of `benchmark.json`.
        trials: the rows of `trials` of `supply.json`.
        evicted: what full maps gave up, by the name of their cap.
    """

    as_of_ms: int | None = None
    agencies: list[Row] = field(default_factory=list)
    credit: Mapping[str, Any] = field(default_factory=dict)
    hours: list[Row] = field(default_factory=list)
    benchmark: list[Row] = field(default_factory=list)
    trials: list[Row] = field(default_factory=list)
    evicted: Mapping[str, int] = field(default_factory=dict)


class Stand(NamedTuple):
    """What a view is made of, at one moment; later records do not change it."""

    newest: Newest
    minutes: list[RoomMinute]
    as_of_ms: int | None
    evicted: Mapping[str, int]


class LiveMarket:
    """What rooms said last, as far as a view needs it.

    Attributes:
        newest: figures of rooms and products, and their details.
    """

    __slots__ = ("_evictions", "_minutes", "newest")

    def __init__(self) -> None:
        self._evictions = limits.Evictions()
        self.newest = Newest()
        self._minutes: dict[str, dict[int, RoomMinute]] = {}

    def apply_minute(self, line: RoomMinute) -> None:
        """Take a closed minute of a room."""
        self._minutes.setdefault(line.room_id, {})[line.minute_ms] = line

    def stand(self, as_of_ms: int | None) -> Stand:
        """What is known now; drops what no view at or after `as_of_ms` needs."""
        if as_of_ms is not None:
            self._drop_minutes(as_of_ms)
            hour_ms = as_of_ms - as_of_ms % HOUR_MS + HOUR_MS
            self.newest.drop_hours(hour_ms - 2 * agencies.WEEK_MS)
        (name,) = MAPS
        given_up = self.newest.keep_hours(limits.cap(name))
        if given_up:
            self._evictions.count(name, given_up)
        minutes = [line for lines in self._minutes.values() for line in lines.values()]
        return Stand(self.newest.copy(), minutes, as_of_ms, dict(self._evictions.counts))

    def _drop_minutes(self, as_of_ms: int) -> None:
        for room_id in list(self._minutes):
            figures = self.newest.rooms.get(room_id)
            if figures is None:
                continue
            until_ms = benchmark.until_ms(figures.summary, as_of_ms)
            if until_ms is None:
                del self._minutes[room_id]
                continue
            from_ms = until_ms - 2 * benchmark.WINDOW_MS
            lines = self._minutes[room_id]
            for minute_ms in [each for each in lines if each < from_ms]:
                del lines[minute_ms]


def market_view(stand: Stand, alerts: Iterable[Alert], rules: RuleSet) -> MarketView:
    """How all stand beside each other.

    Args:
        stand: what rooms said last.
        alerts: a version of each alert.
        rules: those in force.
    """
    newest, as_of_ms = stand.newest, stand.as_of_ms
    rooms = newest.rooms
    scores = score_files(
        newest,
        alerts,
        after_sales=after_sales_report(newest.details, rooms, newest.products),
        stickiness=_NO_STICKINESS,
        rules=rules,
        as_of_ms=as_of_ms,
    )
    since_ms = 0 if as_of_ms is None else as_of_ms - as_of_ms % HOUR_MS - HOUR_MS
    lately = [each for each in newest.of_kind(SoldHour) if each.hour_ms >= since_ms]
    return MarketView(
        as_of_ms=as_of_ms,
        agencies=scores["agencies.json"]["agencies"],
        credit=scores["credit.json"],
        hours=sameness(lately, rooms)["hours"],
        benchmark=benchmark.benchmark(rooms, stand.minutes, as_of_ms)["rooms"],
        trials=list(supply.trial_rows(newest)),
        evicted=stand.evicted,
    )
