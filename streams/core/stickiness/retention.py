"""How long do viewers stay, what do they do, and how often do they come?

`retention.json`: `{platform, hosts, mcns, categories, modes, rooms}`. A line has the curve (the
share of ended visits still there after 30 s, 1, 5, 10, 30 min), average and median stay, visits per
viewer, interaction and follow rate. A key of several rooms has the figures of all their visits
together. `viewers` are those of `stickiness.json`: distinct people with a view, over all rooms of
the key. A room that was given up for another (`rooms` is full) is in the platform no more.
"""

from collections.abc import Mapping, Sequence

from schemas.records import RoomSummary
from streams.core.attendance import STAYS_MS, Attendance
from streams.core.dictionary import rate
from streams.core.stickiness import people
from streams.core.stickiness.facts import DayFacts, Row
from streams.core.stickiness.people import Sketch
from streams.core.stickiness.scopes import SCOPES, Place, places_of

Report = dict[str, Row | list[Row]]


def retention(
    visits: Mapping[str, Attendance], rooms: Mapping[str, RoomSummary], facts: Sequence[DayFacts]
) -> Report:
    """What `retention.json` holds.

    Args:
        visits: of every room, by id.
        rooms: what is known of each room, by id.
        facts: who watched which room on which day.
    """
    viewers_of: dict[str, list[Sketch]] = {}
    for each in facts:
        if each.viewers is not None:
            viewers_of.setdefault(each.room_id, []).append(each.viewers)
    by_place: dict[Place, _Sums] = {("platform", None): _Sums()}
    for room_id in sorted(visits):
        for place in places_of(rooms[room_id]):
            sums = by_place.setdefault(place, _Sums())
            sums.add(visits[room_id], viewers_of.get(room_id, []))
    sections: Report = {}
    for section, field in SCOPES.items():
        rows = [
            ({} if field is None else {field: key}) | sums.row()
            for (of, key), sums in sorted(by_place.items(), key=lambda item: item[0][1] or "")
            if of == section
        ]
        sections[section] = rows[0] if field is None else rows
    return sections


class _Sums:
    """What the rooms of one key come to."""

    def __init__(self) -> None:
        self._rooms = 0
        self._visits = Attendance()
        self._viewers: list[Sketch] = []

    def add(self, visits: Attendance, viewers: Sequence[Sketch]) -> None:
        self._rooms += 1
        self._visits.add(visits)
        self._viewers += viewers

    def row(self) -> Row:
        return {"rooms": self._rooms, **_figures(self._visits, self._viewers)}


def _figures(visits: Attendance, sets: Sequence[Sketch]) -> Row:
    viewers = people.count(people.united(sets))
    stayed = {
        f"stayed_{least_ms // 1_000}s": rate(count, visits.ended)
        for least_ms, count in zip(STAYS_MS, visits.stayed, strict=True)
    }
    return {
        "visits": visits.visits,
        "viewers": viewers,
        "visits_per_viewer": rate(visits.visits, viewers),
        "ended_visits": visits.ended,
        **stayed,
        "watch_ms": visits.watch_ms,
        "avg_watch_ms": visits.watch_ms // visits.visits if visits.visits else None,
        "median_watch_ms": visits.stays.median(),
        "interactions": visits.interactions,
        "interaction_rate": rate(visits.interactions, visits.visits),
        "follows": visits.follows,
        "follow_rate": rate(visits.follows, visits.visits),
    }
