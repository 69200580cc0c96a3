"""Who came back lately, as far as the partitions of one worker know?

The rooms that were opened in the last seven days, with those of their viewers who had watched
another room of the same host in the 30 days before; and the newest weekly cohorts whose following
week is over, with those who were back in it. The figures are those of `stickiness.json`, at the
least watermark of the partitions, as far as all rooms are here: whoever watched a room of other
partitions is missed, so a worker that has not all of them counts too few who return, and takes for
new who came elsewhere first.

Bounds: about `_MOST_LOOKED_AT` people are looked at for each question, a sample by hash where there
are more, so a share errs by at most 0.5 / sqrt(people of the sample). The hosts and rooms of most
viewers are named, `MOST_KEYS` of each. A look at 10,000 rooms with a million visits takes a second
of one core, a fifth of what their checkpoint takes.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from streams.core.partition import Partition
from streams.core.stickiness import people
from streams.core.stickiness.cohorts import counted_cohorts
from streams.core.stickiness.event_days import DAYS_A_WEEK, week_of
from streams.core.stickiness.facts import DayFacts, gathered
from streams.core.stickiness.people import Sketch
from streams.core.stickiness.returning import RETURNING_MS, rooms_of_host

RECENT_MS: Final = DAYS_A_WEEK * 24 * 3_600_000
MOST_KEYS: Final = 5
_MOST_LOOKED_AT = 100_000


class Returning(NamedTuple):
    """Viewers of rooms, added up over the rooms, and how many of them had been there before."""

    viewers: int
    returning: int


class CohortBack(NamedTuple):
    """A weekly cohort, and how many of it were back in the week after."""

    size: int
    back: int


@dataclass(frozen=True, slots=True)
class Comeback:
    """Who came back.

    Attributes:
        all_rooms: the rooms that were opened in the last seven days.
        hosts, rooms: those of them with most viewers, by id.
        cohorts: by kind, the newest one whose following week is over; empty if it began earlier
            than all that is known.
    """

    all_rooms: Returning
    hosts: Mapping[str, Returning]
    rooms: Mapping[str, Returning]
    cohorts: Mapping[str, CohortBack]


class _Opened(NamedTuple):
    room_id: str
    host_id: str
    opened_ms: int


def comeback(partitions: Sequence[Partition]) -> Comeback | None:
    """Who came back, of the rooms of some partitions; None before the first event.

    It reads the sets of all days, as checkpoints do: not for each scrape.

    Args:
        partitions: in one zone.
    """
    marks = [each.watermark_ms for each in partitions if each.watermark_ms is not None]
    if not marks:
        return None
    now_ms = min(marks)
    facts = gathered(each.stickiness for each in partitions)
    rooms = _rooms(partitions, facts, now_ms)
    hosts: dict[str, Returning] = {}
    for room, figures in rooms.items():
        hosts[room.host_id] = _sum([hosts.get(room.host_id, Returning(0, 0)), figures])
    return Comeback(
        all_rooms=_sum(rooms.values()),
        hosts=_greatest(hosts),
        rooms=_greatest({room.room_id: figures for room, figures in rooms.items()}),
        cohorts=_cohorts(facts, week_of(partitions[0].stickiness.days.day_of(now_ms))),
    )


def _rooms(
    partitions: Iterable[Partition], facts: Iterable[DayFacts], now_ms: int
) -> dict[_Opened, Returning]:
    """The rooms opened lately."""
    since_ms = now_ms - RECENT_MS
    by_host = _with_recent_rooms(partitions, since_ms, now_ms)
    viewers_of = _viewers_of([room for own in by_host.values() for room in own], facts)
    kept = sum(people.count_kept(each) for each in viewers_of.values())
    limit = people.threshold_for(kept, _MOST_LOOKED_AT)
    found: dict[_Opened, Returning] = {}
    for own in by_host.values():
        recent = {room.room_id: room for room in own if room.opened_ms > since_ms}
        for row in rooms_of_host(own, viewers_of, limit):
            room = recent.get(str(row["room_id"]))
            if room is not None:
                viewers, returning = row["viewers"], row["returning_viewers"]
                assert isinstance(viewers, int)
                assert isinstance(returning, int)
                found[room] = Returning(viewers, returning)
    return found


def _with_recent_rooms(
    partitions: Iterable[Partition], since_ms: int, now_ms: int
) -> dict[str, list[_Opened]]:
    """The rooms that matter of each host who opened one lately."""
    by_host: dict[str, list[_Opened]] = {}
    for partition in partitions:
        for room in partition.rooms.values():
            opened = room.opened
            if opened is not None and since_ms - RETURNING_MS <= opened.ts_ms <= now_ms:
                own = by_host.setdefault(opened.host_id, [])
                own.append(_Opened(room.room_id, opened.host_id, opened.ts_ms))
    return {
        host: own
        for host, own in sorted(by_host.items())
        if any(room.opened_ms > since_ms for room in own)
    }


def _viewers_of(rooms: Iterable[_Opened], facts: Iterable[DayFacts]) -> dict[str, Sketch]:
    sets: dict[str, list[Sketch]] = {room.room_id: [] for room in rooms}
    for each in facts:
        if each.room_id in sets and each.viewers is not None:
            sets[each.room_id].append(each.viewers)
    # most rooms have one day, and its set is theirs
    return {
        room_id: own[0] if len(own) == 1 else people.united(own) for room_id, own in sets.items()
    }


def _cohorts(facts: Sequence[DayFacts], week: int) -> dict[str, CohortBack]:
    found = dict.fromkeys(("buyers", "viewers"), CohortBack(0, 0))
    for each in counted_cohorts(facts, _MOST_LOOKED_AT):
        if each.week == week - 2:
            back = people.estimated(each.back.get(1, 0), each.threshold)
            found[each.kind] = CohortBack(each.size, back)
    return found


def _sum(parts: Iterable[Returning]) -> Returning:
    listed = list(parts)
    return Returning(sum(each.viewers for each in listed), sum(each.returning for each in listed))


def _greatest(by_key: Mapping[str, Returning]) -> dict[str, Returning]:
    """Those with most viewers, ties by key."""
    ordered = sorted(by_key.items(), key=lambda item: (-item[1].viewers, item[0]))
    return dict(ordered[:MOST_KEYS])
