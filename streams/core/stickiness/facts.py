"""What do the states of all partitions come to, and who is left out of the trusted figures?

A `DayFacts` is one event day of one room with its finished sets; the sections of the report are
pure functions of a list of them, sorted by day and room, and of what became known of the rooms.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from streams.core.stickiness import people
from streams.core.stickiness.people import Sketch
from streams.core.stickiness.state import Key, Stickiness

# A line of a section; the figures of each are named in the function that makes it.
Row = dict[str, object]


@dataclass(frozen=True, slots=True)
class DayFacts:
    """One event day of one room; an empty set is None."""

    day: int
    room_id: str
    viewers: Sketch | None
    buyers: Sketch | None
    net_minor: int
    has_sale: bool


@dataclass(frozen=True, slots=True)
class Suspects:
    """Who and what is left out of the trusted figures.

    Attributes:
        viewers: viewers of fake-viewer incidents whose ids are known.
        buyers: buyers of suspected orders.
        net_minor: by event day and room, what the suspected orders add to the net money.
    """

    viewers: frozenset[str] = frozenset()
    buyers: frozenset[str] = frozenset()
    net_minor: Mapping[Key, int] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.viewers or self.buyers or self.net_minor)


NOBODY = Suspects()


def gathered(states: Iterable[Stickiness]) -> list[DayFacts]:
    """The room-days of all partitions, sorted by day and room."""
    found = {key: room_day for state in states for key, room_day in state.room_days.items()}
    return [
        DayFacts(*key, each.viewers.read(), each.buyers.read(), each.net_minor, each.has_sale)
        for key, each in sorted(found.items(), key=lambda item: item[0])
    ]


def trusted(facts: Sequence[DayFacts], suspects: Suspects) -> list[DayFacts]:
    """The same days without the suspects."""
    viewers, buyers = people.set_of(suspects.viewers), people.set_of(suspects.buyers)
    return [
        DayFacts(
            each.day,
            each.room_id,
            None if each.viewers is None else people.without(each.viewers, viewers),
            None if each.buyers is None else people.without(each.buyers, buyers),
            each.net_minor - suspects.net_minor.get((each.day, each.room_id), 0),
            each.has_sale,
        )
        for each in facts
    ]
