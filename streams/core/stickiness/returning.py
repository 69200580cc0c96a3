"""Who comes back: to a room of the same host, to buy again, day after day?

- A returning viewer of a room also watched a room of the same host that was opened in the 30 x 24 h
  before this one, whatever arrived first.
- A repeat buyer ordered on two or more event days; repurchase is the share of buyers whose second
  distinct order day is at most 7 (30) days after the first.
- Stickiness is a day's active viewers over those of the day and the 29 before.

Every figure is exact while the sets are (`people`). Beyond, counts come from the largest sample
there is and shares from the people that are in all samples concerned.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Protocol

from streams.core.dictionary import rate
from streams.core.stickiness import people
from streams.core.stickiness.event_days import day_name
from streams.core.stickiness.facts import DayFacts, Row
from streams.core.stickiness.people import Sketch

RETURNING_MS = 30 * 24 * 3_600_000
MONTH_DAYS = 30
REPURCHASE_DAYS = (7, 30)
_NEVER_MS = -(2**62)
_MOST_OF_A_HOST = 2_000_000  # viewers of rooms looked at one by one; some 200 MB if all differ
_LOG2_MONTH = 17  # for counts alone: standard error 0.28 %; 30 of them are held at once, 30 MiB


def loyalty(rooms: int, facts: Sequence[DayFacts]) -> Row:
    """The figures of a host, or of the platform: over so many rooms, and their days in order."""
    buyers = people.united(each.buyers for each in facts)
    first: dict[int, int] = {}
    second: dict[int, int] = {}
    for each in facts:
        if each.buyers is None:
            continue
        for buyer in people.sample(each.buyers, buyers.theta64):
            if first.setdefault(buyer, each.day) != each.day:
                second.setdefault(buyer, each.day)
    gaps = [day - first[buyer] for buyer, day in second.items()]
    return {
        "rooms": rooms,
        "viewers": people.count(people.united(each.viewers for each in facts)),
        "buyers": people.count(buyers),
        "repeat_buyers": people.estimated(len(second), buyers.theta64),
        **{
            f"repurchase_{limit}d": rate(sum(gap <= limit for gap in gaps), len(first))
            for limit in REPURCHASE_DAYS
        },
    }


class RoomOfHost(Protocol):
    """What is to be known of an opened room."""

    @property
    def room_id(self) -> str: ...
    @property
    def host_id(self) -> str | None: ...
    @property
    def opened_ms(self) -> int | None: ...


def rooms_of_host(
    rooms: Iterable[RoomOfHost], viewers_of: Mapping[str, Sketch], limit: int | None = None
) -> Iterator[Row]:
    """The lines of the opened rooms of one host.

    Args:
        rooms: those that were opened.
        viewers_of: the viewers of each of them.
        limit: people with a hash below it are looked at; by default so many that memory is bounded.
    """
    opened = sorted(rooms, key=_opened_ms)
    if limit is None:
        limit = _limit(viewers_of[room.room_id] for room in opened)
    last_ms: dict[int, int] = {}  # when the latest room that a person watched was opened
    thresholds: list[tuple[int, int]] = []  # opening and threshold of the rooms before
    for opened_ms, group in groupby(opened, key=_opened_ms):
        since_ms = opened_ms - RETURNING_MS
        thresholds = [each for each in thresholds if each[0] >= since_ms]
        together = [(room, viewers_of[room.room_id]) for room in group]
        before = min([limit, *(threshold for _, threshold in thresholds)])
        for room, viewers in together:
            sampled = people.sample(viewers, min(before, viewers.theta64))
            back = sum(last_ms.get(viewer, _NEVER_MS) >= since_ms for viewer in sampled)
            yield _room(room, people.count(viewers), back, len(sampled))
        for _, viewers in together:
            last_ms.update(dict.fromkeys(people.sample(viewers, limit), opened_ms))
            thresholds.append((opened_ms, viewers.theta64))


def _limit(rooms: Iterable[Sketch]) -> int:
    """Hashes below it are looked at: all, unless that would be too many of one host."""
    kept = sum(people.count_kept(viewers) for viewers in rooms)
    return people.threshold_for(kept, _MOST_OF_A_HOST)


def _opened_ms(room: RoomOfHost) -> int:
    assert room.opened_ms is not None
    return room.opened_ms


def _room(room: RoomOfHost, viewers: int, back: int, sampled: int) -> Row:
    returning = people.scaled(viewers, back, sampled)
    return {
        "room_id": room.room_id,
        "host_id": room.host_id,
        "viewers": viewers,
        "returning_viewers": returning,
        "returning_share": rate(returning, viewers),
    }


def days(facts: Sequence[DayFacts], first: int, last: int) -> Iterator[Row]:
    """A line for every day from the first to the last."""
    watched: dict[int, list[Sketch]] = {}
    for each in facts:
        if each.viewers is not None:
            watched.setdefault(each.day, []).append(each.viewers)
    of_days = [people.united(watched.get(day, ())) for day in range(first, last + 1)]
    for day, active, monthly in zip(
        range(first, last + 1), of_days, _over_last(of_days, MONTH_DAYS), strict=True
    ):
        active_viewers = people.count(active)
        # two samples of different sizes may disagree by their errors
        monthly_viewers = max(active_viewers, people.count(monthly))
        yield {
            "day": day_name(day),
            "active_viewers": active_viewers,
            "monthly_active_viewers": monthly_viewers,
            "stickiness": rate(active_viewers, monthly_viewers),
        }


def _over_last(sets: Sequence[Sketch], width: int) -> Iterator[Sketch]:
    """For each set, who is in it or in one of the `width - 1` before; three unions a set."""
    nobody = people.united([])
    ends: list[Sketch] = []  # of the block before: who is in its sets from each place to its end
    for start in range(0, len(sets), width):
        block = sets[start : start + width]
        so_far = nobody
        for at, each in enumerate(block):
            so_far = people.united([so_far, each], _LOG2_MONTH)
            reaching_back = ends[at + 1] if at + 1 < len(ends) else nobody
            yield people.united([so_far, reaching_back], _LOG2_MONTH)
        ends = _ends(block)


def _ends(block: Sequence[Sketch]) -> list[Sketch]:
    ends: list[Sketch] = []
    after = None
    for each in reversed(block):
        after = people.united([each, after], _LOG2_MONTH)
        ends.append(after)
    return ends[::-1]
