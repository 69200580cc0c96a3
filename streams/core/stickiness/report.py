"""The sections of `stickiness.json`: what all partitions together say of viewers and buyers.

A pure function of the states, of the rooms as they are known at the end, of the watermark and of
the calendar. Beside each figure stands the trusted one: the same definition without the suspects.
Where the definitions leave a choice, it is this:

- `platform.rooms` counts every room with an accepted event, opened or not.
- A host without viewers or buyers has a line, as its rooms have.
- Sorted by: room, host, day; cohorts by kind and week; festivals by name, scope, key and currency.
"""

from collections.abc import Iterable, Mapping, Sequence

from schemas.calendar import Calendar
from schemas.records import RoomSummary
from streams.core.stickiness import people
from streams.core.stickiness.cohorts import cohorts
from streams.core.stickiness.facts import (
    NOBODY,
    DayFacts,
    Row,
    Suspects,
    gathered,
    trusted,
)
from streams.core.stickiness.festivals import festivals, observed_days
from streams.core.stickiness.people import Sketch
from streams.core.stickiness.returning import days, loyalty, rooms_of_host
from streams.core.stickiness.state import Stickiness

Report = dict[str, Row | list[Row]]

# What names a line of each section, and is no figure.
_NAMES: Mapping[str, tuple[str, ...]] = {
    "rooms": ("room_id", "host_id"),
    "hosts": ("host_id",),
    "days": ("day",),
    "cohorts": ("kind", "week"),
    "festivals": ("festival", "scope", "key", "currency", "provisional"),
}
# A line that only suspects gave rise to has these trusted figures.
_WITHOUT_PEOPLE: Row = {"size": 0, "returned": []}


def report(
    states: Sequence[Stickiness],
    rooms: Mapping[str, RoomSummary],
    watermark_ms: int | None,
    calendar: Calendar = (),
    suspects: Suspects = NOBODY,
) -> Report:
    """What `stickiness.json` holds.

    Args:
        states: of all partitions, in one zone.
        rooms: every room with an accepted event, by id.
        watermark_ms: up to which all partitions are complete; None before the first event.
        calendar: festivals, sorted by name.
        suspects: who is left out of the trusted figures.
    """
    facts = gathered(states)
    plain = _sections(states, facts, rooms, watermark_ms, calendar)
    if not suspects:
        return _beside(plain, plain)
    honest = trusted(facts, suspects)
    return _beside(plain, _sections(states, honest, rooms, watermark_ms, calendar))


def _sections(
    states: Sequence[Stickiness],
    facts: Sequence[DayFacts],
    rooms: Mapping[str, RoomSummary],
    watermark_ms: int | None,
    calendar: Calendar,
) -> dict[str, list[Row]]:
    by_host = _rooms_by_host(rooms)
    host_of = {room.room_id: host for host, own in by_host.items() for room in own}
    facts_of: dict[str, list[DayFacts]] = {host: [] for host in by_host}
    for each in facts:
        host = host_of.get(each.room_id)
        if host is not None:
            facts_of[host].append(each)
    watched = [each.day for each in facts if each.viewers is not None]
    return {
        "platform": [loyalty(len(rooms), facts)],
        "rooms": sorted(
            (
                row
                for host, own in by_host.items()
                for row in rooms_of_host(own, _viewers_of(own, facts_of[host]))
            ),
            key=lambda row: str(row["room_id"]),
        ),
        "hosts": [
            {"host_id": host, **loyalty(len(own), facts_of[host])} for host, own in by_host.items()
        ],
        "days": list(days(facts, min(watched), max(watched))) if watched else [],
        "cohorts": list(cohorts(facts)),
        "festivals": _festivals(states, facts, rooms, watermark_ms, calendar),
    }


def _rooms_by_host(rooms: Mapping[str, RoomSummary]) -> dict[str, list[RoomSummary]]:
    """The opened rooms of each host, hosts sorted."""
    found: dict[str, list[RoomSummary]] = {}
    for room in rooms.values():
        if room.host_id is not None:
            found.setdefault(room.host_id, []).append(room)
    return dict(sorted(found.items()))


def _viewers_of(rooms: Iterable[RoomSummary], facts: Iterable[DayFacts]) -> dict[str, Sketch]:
    sets: dict[str, list[Sketch | None]] = {room.room_id: [] for room in rooms}
    for each in facts:
        sets[each.room_id].append(each.viewers)
    return {room_id: people.united(own) for room_id, own in sets.items()}


def _festivals(
    states: Sequence[Stickiness],
    facts: Sequence[DayFacts],
    rooms: Mapping[str, RoomSummary],
    watermark_ms: int | None,
    calendar: Calendar,
) -> list[Row]:
    first_days = [state.first_day for state in states]
    known = [day for day in first_days if day is not None]
    if watermark_ms is None or not known:
        return []
    observed = observed_days(states[0].days, min(known), watermark_ms)
    return list(festivals(facts, rooms, calendar, observed))


def _beside(plain: Mapping[str, list[Row]], honest: Mapping[str, list[Row]]) -> Report:
    """Put the trusted figures beside the plain ones."""
    sections: Report = {}
    for section, rows in plain.items():
        names = _NAMES.get(section, ())
        found = {_key(row, names): row for row in honest[section]}
        whole = [
            _with_trusted(row, found.get(_key(row, names), _WITHOUT_PEOPLE), names) for row in rows
        ]
        sections[section] = whole[0] if section == "platform" else whole
    return sections


def _key(row: Row, names: Iterable[str]) -> tuple[object, ...]:
    return tuple(row[name] for name in names)


def _with_trusted(row: Row, honest: Row, names: Sequence[str]) -> Row:
    whole: Row = {}
    for name, figure in row.items():
        whole[name] = figure
        if name not in names:
            whole[f"{name}_trusted"] = honest[name]
    return whole
