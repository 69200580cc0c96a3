"""How long do viewers stay, what do they do, and how often do they come?

`retention.json`: `{platform, hosts, mcns, categories, modes, rooms}`. A line has the curve (the
share of ended visits still there after 30 s, 1, 5, 10, 30 min), average and median stay, visits per
viewer, interaction and follow rate. A key of several rooms has the figures of all their visits
together. `viewers` are those of `stickiness.json`: distinct people with a view, over all rooms of
the key. A room that was given up for another (`rooms` is full) is in the platform no more.

Beside each figure stands the trusted one: without the viewers of fake-viewer incidents who are
known by name, and without the visits by which they became known. Nothing was done in these, so what
viewers did stays as it is. Other visits of theirs stay in: a room does not keep who made which.
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
    visits: Mapping[str, Attendance],
    rooms: Mapping[str, RoomSummary],
    facts: Sequence[DayFacts],
    honest: Sequence[DayFacts],
    suspected_stays: Mapping[str, Sequence[int]],
) -> Report:
    """What `retention.json` holds.

    Args:
        visits: of every room, by id.
        rooms: what is known of each room, by id.
        facts: who watched which room on which day.
        honest: the same without suspects.
        suspected_stays: how long the visits were by which suspects became known, by room.
    """
    plain = _by_place(visits, rooms, facts)
    trusted = _by_place(
        {
            room_id: _without(each, suspected_stays.get(room_id, ()))
            for room_id, each in visits.items()
        },
        rooms,
        honest,
    )
    sections: Report = {}
    for section, field in SCOPES.items():
        rows = [
            ({} if field is None else {field: place[1]}) | sums.row(trusted[place])
            for place, sums in sorted(plain.items(), key=lambda item: item[0][1] or "")
            if place[0] == section
        ]
        sections[section] = rows[0] if field is None else rows
    return sections


def _without(visits: Attendance, stays_ms: Sequence[int]) -> Attendance:
    if not stays_ms:
        return visits
    left = Attendance()
    left.add(visits)  # a copy: those of the room stay as they are
    for stay_ms in stays_ms:
        left.take_off(stay_ms)
    return left


def _by_place(
    visits: Mapping[str, Attendance], rooms: Mapping[str, RoomSummary], facts: Sequence[DayFacts]
) -> dict[Place, "_Sums"]:
    viewers_of: dict[str, list[Sketch]] = {}
    for each in facts:
        if each.viewers is not None:
            viewers_of.setdefault(each.room_id, []).append(each.viewers)
    by_place: dict[Place, _Sums] = {("platform", None): _Sums()}
    for room_id in sorted(visits):
        for place in places_of(rooms[room_id]):
            sums = by_place.setdefault(place, _Sums())
            sums.add(visits[room_id], viewers_of.get(room_id, []))
    return by_place


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

    def row(self, honest: "_Sums") -> Row:
        """The figures, each with the trusted one beside it."""
        row: Row = {"rooms": self._rooms}
        trusted = _figures(honest._visits, honest._viewers)  # noqa: SLF001 - of its own kind
        for name, figure in _figures(self._visits, self._viewers).items():
            row[name] = figure
            row[f"{name}_trusted"] = trusted[name]
        return row


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
