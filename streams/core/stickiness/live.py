"""What does one partition know of viewers and buyers by now, so that sums over partitions help?

Rooms are whole in a partition, so money and visits of all partitions add up exactly. People do not:
who was in rooms of two partitions is counted in both, so a sum is an upper bound. `retention.json`
and `stickiness.json` count them once. With one partition the figures here are those of the files,
up to the watermark.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.calendar import Calendar, Festival
from streams.core.attendance import STAYS_MS
from streams.core.partition import Partition
from streams.core.stickiness import people
from streams.core.stickiness.facts import DayFacts, gathered
from streams.core.stickiness.festivals import AROUND_DAYS, Observed, Windows, observed_days
from streams.core.stickiness.returning import MONTH_DAYS, loyalty

# So many festivals are looked at: those nearest to the watermark.
MOST_FESTIVALS: Final = 2
# And so many currencies: those of most opened rooms of the partition.
MOST_CURRENCIES: Final = 2
_LOG2_KEPT = 17  # as the month of `stickiness.json`


@dataclass(frozen=True, slots=True)
class Stays:
    """The visits of a partition's rooms.

    Attributes:
        stayed: how many ended visits were at least as long as each of `STAYS_MS`.
    """

    visits: int
    ended: int
    watch_ms: int
    stayed: Sequence[int]


@dataclass(frozen=True, slots=True)
class FestivalNet:
    """The net money of one festival's windows in one currency, minor units.

    Attributes:
        days, net_minor: by window (`before`, `during`, `after`): days of the log in it, and their
            money.
    """

    festival: str
    currency: str
    days: Mapping[str, int]
    net_minor: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LivePeople:
    """The people of a partition on the event day of its watermark, and in its month.

    Attributes:
        month_buyers, repeat_buyers: of the last 30 event days; on two or more of them.
    """

    active_viewers: int
    active_buyers: int
    month_active_viewers: int
    month_buyers: int
    repeat_buyers: int
    festivals: Sequence[FestivalNet]


def stays_of(partition: Partition) -> Stays:
    """The visits of all rooms of a partition; a few milliseconds for 10,000 rooms."""
    audiences = [room.audience for room in partition.rooms.values()]
    stayed = [0] * len(STAYS_MS)
    reached = [sum(counts) for counts in zip(*(each.stays_to for each in audiences), strict=True)]
    for at in range(len(stayed)):
        stayed[at] = sum(reached[at + 1 :])
    return Stays(
        visits=sum(each.visits for each in audiences),
        ended=sum(each.ended for each in audiences),
        watch_ms=sum(each.watch_ms for each in audiences),
        stayed=stayed,
    )


def live_people(partition: Partition, calendar: Calendar) -> LivePeople | None:
    """What a partition knows of people and of festivals; None before its first event.

    It reads every set of the last 30 event days, as a checkpoint does: not for each scrape.

    Args:
        partition: whose rooms are looked at.
        calendar: festivals, sorted by name.
    """
    state, watermark_ms = partition.stickiness, partition.watermark_ms
    if watermark_ms is None or state.first_day is None:
        return None
    today = state.days.day_of(watermark_ms)
    facts = [each for each in gathered([state]) if today - MONTH_DAYS < each.day <= today]
    now = [each for each in facts if each.day == today]
    month = loyalty(0, facts)
    observed = observed_days(state.days, state.first_day, watermark_ms)
    currencies = _currencies(partition)
    return LivePeople(
        active_viewers=_viewers(now),
        active_buyers=people.count(people.united(each.buyers for each in now)),
        month_active_viewers=_viewers(facts),
        month_buyers=_int(month["buyers"]),
        repeat_buyers=_int(month["repeat_buyers"]),
        festivals=[
            net
            for festival in nearest(calendar, today)
            for net in _festival(partition, festival, observed, currencies)
        ],
    )


def nearest(calendar: Calendar, day: int) -> list[Festival]:
    """The festivals whose windows hold a day, the nearest first."""
    near = [each for each in calendar if _distance(each, day) <= AROUND_DAYS]
    return sorted(near, key=lambda each: (_distance(each, day), each.festival))[:MOST_FESTIVALS]


def _currencies(partition: Partition) -> list[str]:
    """Those of most opened rooms."""
    counts: dict[str, int] = {}
    for room in partition.rooms.values():
        if room.opened is not None:
            currency = room.opened.currency
            counts[currency] = counts.get(currency, 0) + 1
    return sorted(counts, key=lambda each: (-counts[each], each))[:MOST_CURRENCIES]


def _distance(festival: Festival, day: int) -> int:
    first, last = festival.first_day.toordinal(), festival.last_day.toordinal()
    return max(0, first - day, day - last)


def _viewers(facts: Iterable[DayFacts]) -> int:
    return people.count(people.united((each.viewers for each in facts), _LOG2_KEPT))


def _festival(
    partition: Partition, festival: Festival, observed: Observed, currencies: Sequence[str]
) -> Iterable[FestivalNet]:
    windows = Windows(festival, observed)
    spans = {"before": windows.before, "during": windows.during, "after": windows.after}
    sums = {currency: dict.fromkeys(spans, 0) for currency in currencies}
    for (day, room_id), room_day in partition.stickiness.room_days.items():
        room = partition.rooms.get(room_id)
        if room is None or room.opened is None:
            continue
        own = sums.get(room.opened.currency)
        if own is not None:
            for name, days in spans.items():
                if day in days:
                    own[name] += room_day.net_minor
    days_of = {name: len(days) for name, days in spans.items()}
    for currency, net_minor in sums.items():
        yield FestivalNet(festival.festival, currency, days_of, net_minor)


def _int(figure: object) -> int:
    assert isinstance(figure, int)
    return figure
