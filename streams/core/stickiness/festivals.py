"""What did a festival borrow from the weeks after it?

Net money of a day is its orders less the accepted part of refunds whose order was paid on it. The
figures compare mean days: of the festival window, of the 28 days before it, of the 28 after. Only
days of the log count: from its first event day to the last day that is whole at the watermark; a
day without a sale is 0. A mean without such a day is null.

- `lift = (during - before) / before`, `overdraft = (after - before) / before`; null where `before`
  is null or not positive, or the other mean is null.
- `payback_days`: the least number of days after the window, from 0 to 21, from which on seven whole
  days bring at least `before` a day; null if there is none (yet).
- `provisional` until the 28th day after is whole.

Currencies are never summed: a line each. A room that was never opened counts for the platform, with
currency null. A festival of which the log has no day in the window or the 28 around it has no line.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.calendar import Festival
from schemas.records import RoomSummary
from streams.core.dictionary import rate
from streams.core.stickiness.event_days import DAYS_A_WEEK, EventDays
from streams.core.stickiness.facts import DayFacts, Row

AROUND_DAYS = 28
LONGEST_PAYBACK_DAYS = AROUND_DAYS - DAYS_A_WEEK
Group = tuple[str, str | None, str | None]  # scope, key, currency
NetByDay = dict[int, int]


@dataclass(frozen=True, slots=True)
class Observed:
    """The days of a log: from its first event day to the last that is whole."""

    first: int
    last: int

    def within(self, days: range) -> range:
        """Those of some days that are days of the log."""
        return range(max(days.start, self.first), min(days.stop, self.last + 1))


def observed_days(days: EventDays, first_day: int, watermark_ms: int) -> Observed:
    """The days of a log that begins on a day and is complete up to a watermark."""
    last = days.day_of(watermark_ms)
    while days.end_ms(last) > watermark_ms:
        last -= 1
    return Observed(first_day, last)


def festivals(
    facts: Sequence[DayFacts],
    rooms: Mapping[str, RoomSummary],
    calendar: Iterable[Festival],
    observed: Observed,
) -> Iterator[Row]:
    """A line for each festival, scope, key and currency with a sale."""
    groups = sorted(
        _net_by_group(facts, rooms).items(),
        key=lambda item: tuple(part or "" for part in item[0]),
    )
    for festival in sorted(calendar, key=lambda each: each.festival):
        windows = Windows(festival, observed)
        if not windows.has_days:
            continue
        for (scope, key, currency), net in groups:
            yield {
                "festival": festival.festival,
                "scope": scope,
                "key": key,
                "currency": currency,
                **windows.figures(net),
            }


def _net_by_group(
    facts: Iterable[DayFacts], rooms: Mapping[str, RoomSummary]
) -> dict[Group, NetByDay]:
    groups: dict[Group, NetByDay] = {}
    for each in facts:
        if not each.has_sale:
            continue
        room = rooms.get(each.room_id)
        for group in _groups_of(room):
            net = groups.setdefault(group, {})
            net[each.day] = net.get(each.day, 0) + each.net_minor
    return groups


def _groups_of(room: RoomSummary | None) -> list[Group]:
    if room is None or room.opened_ms is None:
        return [("platform", None, None)]
    return [
        ("platform", None, room.currency),
        ("host", room.host_id, room.currency),
        ("category", room.category, room.currency),
    ]


class Windows:
    """The days before, in and after one festival."""

    def __init__(self, festival: Festival, observed: Observed) -> None:
        start, end = festival.first_day.toordinal(), festival.last_day.toordinal() + 1
        self.before = observed.within(range(start - AROUND_DAYS, start))
        self.during = observed.within(range(start, end))
        self.after = observed.within(range(end, end + AROUND_DAYS))
        self.provisional = observed.last < end + AROUND_DAYS - 1
        weeks = [
            range(end + days, end + days + DAYS_A_WEEK) for days in range(LONGEST_PAYBACK_DAYS + 1)
        ]
        self.weeks = [
            (days, week) for days, week in enumerate(weeks) if observed.within(week) == week
        ]

    @property
    def has_days(self) -> bool:
        return bool(self.before or self.during or self.after)

    def figures(self, net: NetByDay) -> Row:
        before, during, after = (_sum(net, days) for days in (self.before, self.during, self.after))
        return {
            "before_daily_net_minor": rate(before, len(self.before)),
            "during_daily_net_minor": rate(during, len(self.during)),
            "after_daily_net_minor": rate(after, len(self.after)),
            "lift": self._change(before, during, len(self.during)),
            "overdraft": self._change(before, after, len(self.after)),
            "payback_days": self._payback_days(net, before),
            "provisional": self.provisional,
        }

    def _change(self, before: int, then: int, then_days: int) -> float | None:
        """The relative change of the daily mean, in whole numbers up to the last division."""
        before_days = len(self.before)
        if not then_days or before <= 0:
            return None
        return rate(then * before_days - before * then_days, before * then_days)

    def _payback_days(self, net: NetByDay, before: int) -> int | None:
        before_days = len(self.before)
        if not before_days:
            return None
        for days, week in self.weeks:
            if _sum(net, week) * before_days >= before * DAYS_A_WEEK:
                return days
        return None


def _sum(net: NetByDay, days: range) -> int:
    return sum(net.get(day, 0) for day in days)
