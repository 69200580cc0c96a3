"""How many of the people who watch buy, and how many without those who are suspected?

`audience.json`: `{platform, hosts, mcns, categories, modes, rooms}`. A line has distinct viewers
and buyers, as in `stickiness.json`, and the share of viewers who buy; of a room also what a viewer
is worth. Beside each stands the same without suspects: viewers of fake-viewer incidents who are
known by name, buyers of suspected orders, and for the money trusted GMV in place of gross. A key of
several rooms counts a person once.
"""

from collections.abc import Mapping, Sequence

from schemas.records import RoomSummary
from streams.core.dictionary import rate
from streams.core.stickiness import people
from streams.core.stickiness.facts import DayFacts, Row
from streams.core.stickiness.people import Sketch
from streams.core.stickiness.scopes import SCOPES, Place, places_of

Report = dict[str, Row | list[Row]]


class _People:
    """Who was in the rooms of one key."""

    def __init__(self) -> None:
        self.viewers: list[Sketch | None] = []
        self.buyers: list[Sketch | None] = []

    def count(self) -> tuple[int, int]:
        """Distinct viewers and buyers."""
        return (
            people.count(people.united(self.viewers)),
            people.count(people.united(self.buyers)),
        )


def conversion(
    rooms: Mapping[str, RoomSummary], facts: Sequence[DayFacts], honest: Sequence[DayFacts]
) -> Report:
    """What `audience.json` holds.

    Args:
        rooms: what is known of each room, by id.
        facts: who watched and bought in which room on which day.
        honest: the same without suspects.
    """
    plain, trusted = _by_place(rooms, facts), _by_place(rooms, honest)
    sections: Report = {}
    for section, field in SCOPES.items():
        rows = []
        for place in sorted(plain, key=lambda place: place[1] or ""):
            if place[0] == section:
                name: Row = {} if field is None else {field: place[1]}
                room = rooms.get(place[1] or "") if section == "rooms" else None
                rows.append(name | _figures(plain[place], trusted[place], room))
        sections[section] = rows[0] if field is None and rows else rows
    return sections


def _by_place(rooms: Mapping[str, RoomSummary], facts: Sequence[DayFacts]) -> dict[Place, _People]:
    found: dict[Place, _People] = {("platform", None): _People()}
    for room_id in sorted(rooms):
        for place in places_of(rooms[room_id]):
            found.setdefault(place, _People())
    for each in facts:
        room = rooms.get(each.room_id)
        for place in () if room is None else places_of(room):
            found[place].viewers.append(each.viewers)
            found[place].buyers.append(each.buyers)
    return found


def _figures(plain: _People, trusted: _People, room: RoomSummary | None) -> Row:
    viewers, buyers = plain.count()
    honest_viewers, honest_buyers = trusted.count()
    row: Row = {
        "viewers": viewers,
        "viewers_trusted": honest_viewers,
        "buyers": buyers,
        "buyers_trusted": honest_buyers,
        "conversion": rate(buyers, viewers),
        "conversion_trusted": rate(honest_buyers, honest_viewers),
    }
    if room is not None:
        row["uv_value_minor"] = rate(room.gross_minor, viewers)
        row["uv_value_minor_trusted"] = rate(room.trusted_minor, honest_viewers)
    return row
