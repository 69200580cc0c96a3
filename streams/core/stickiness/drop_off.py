"""In which minutes did a room lose people, and what was on?

`drop-off.json`: `{what_was_on, minutes}`. A pure function of what every reader has: room-minutes
(`minutes.ndjson`) and what was done with products (`product-marks.ndjson`).

- Present in a minute: who was online at the end of the minute before and who came in it. Lost: of
  those, who was not online at its end; a visit that falls silent is lost 90 s after it was last
  seen. The loss rate is lost over present.
- A minute counts if the minute before has a line too, or nobody was online then (else it cannot be
  told when those who left did), and if it ended before the room closed.
- What was on, the first that fits: `listed` (a product was put on sale in the minute), `priced` (a
  price was changed), `delisted` (one was taken off), `silence` (nothing was done with products in
  it and in the ten minutes before), `selling` (else).

`what_was_on` has a line for each scope, key and what was on: how fast people leave while it is.
`minutes` has up to five of each room: those in which most people were lost beyond the room's own
loss rate (`excess`), with the product listed last that is still on sale, its price, and for how
many whole minutes nothing was done with products. People are not known by minute: there are no
trusted figures here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from schemas.records import ProductMark, RoomMinute, RoomSummary
from streams.core.dictionary import rate
from streams.core.pane import MINUTE_MS
from streams.core.stickiness.facts import Row
from streams.core.stickiness.scopes import SCOPES, Place, places_of

WORST: Final = 5
SILENT_MS: Final = 10 * MINUTE_MS
_CHANGES: Final = ("listed", "priced", "delisted")
_ON: Final = (*_CHANGES, "selling", "silence")
OfARoom = TypeVar("OfARoom", RoomMinute, ProductMark)


@dataclass(frozen=True, slots=True)
class _Minute:
    """A minute that counts."""

    minute_ms: int
    present: int
    lost: int
    on: str
    product_id: str | None
    price_minor: int | None
    unchanged_minutes: int | None


def drop_off(
    rooms: Iterable[RoomSummary], lines: Iterable[RoomMinute], marks: Iterable[ProductMark]
) -> dict[str, list[Row]]:
    """What `drop-off.json` holds.

    Args:
        rooms: their final summaries, sorted.
        lines: all room-minutes, ordered by minute.
        marks: what was done with products, ordered by time.
    """
    lines_of, marks_of = _by_room(lines), _by_room(marks)
    sums: dict[tuple[Place, str], list[int]] = {}
    worst: list[Row] = []
    for room in rooms:
        own = lines_of.get(room.room_id, [])
        minutes = list(_minutes(own, _Showcase(marks_of.get(room.room_id, [])), room.closed_ms))
        for place in places_of(room):
            for minute in minutes:
                counts = sums.setdefault((place, minute.on), [0, 0, 0])
                counts[0] += 1
                counts[1] += minute.present
                counts[2] += minute.lost
        worst += _worst(room.room_id, minutes)
    return {"what_was_on": _what_was_on(sums), "minutes": worst}


def _by_room(records: Iterable[OfARoom]) -> dict[str, list[OfARoom]]:
    found: dict[str, list[OfARoom]] = {}
    for each in records:
        found.setdefault(each.room_id, []).append(each)
    return found


def _minutes(
    lines: Iterable[RoomMinute], showcase: "_Showcase", closed_ms: int | None
) -> Iterator[_Minute]:
    """The minutes of one room that count."""
    online, next_ms = 0, None
    for line in lines:
        is_known = line.minute_ms == next_ms or not online
        present = online + line.visits
        online, next_ms = line.online, line.minute_ms + MINUTE_MS
        showcase.move_to(line.minute_ms)
        if is_known and present and (closed_ms is None or next_ms <= closed_ms):
            yield _Minute(
                minute_ms=line.minute_ms,
                present=present,
                # who came too late for a pane is online, and not among its visits
                lost=max(0, present - line.online),
                on=showcase.on,
                product_id=next(reversed(showcase.prices), None),
                price_minor=next(reversed(showcase.prices.values()), None),
                unchanged_minutes=showcase.unchanged_minutes,
            )


class _Showcase:
    """What is on sale in a room, minute by minute.

    Attributes:
        on: what was on in the minute at hand.
        prices: of the products on sale at its end, by id; the one listed last comes last.
        unchanged_minutes: for how long nothing was done before it; 0 if something was done in it.
    """

    def __init__(self, marks: Sequence[ProductMark]) -> None:
        self._marks = marks
        self._at = 0
        self._last_ms: int | None = None
        self.on = "silence"
        self.prices: dict[str, int | None] = {}
        self.unchanged_minutes: int | None = None

    def move_to(self, minute_ms: int) -> None:
        """Go on to a later minute."""
        self._take(minute_ms)
        before_ms = self._last_ms
        actions = self._take(minute_ms + MINUTE_MS)
        if actions:
            self.unchanged_minutes = 0
        elif before_ms is not None:
            self.unchanged_minutes = (minute_ms - before_ms) // MINUTE_MS
        is_silent = not actions and (before_ms is None or minute_ms - before_ms >= SILENT_MS)
        usual = "silence" if is_silent else "selling"
        self.on = next((action for action in _CHANGES if action in actions), usual)

    def _take(self, before_ms: int) -> set[str]:
        """Take what was done before a moment; which actions."""
        actions = set()
        while self._at < len(self._marks) and self._marks[self._at].ts_ms < before_ms:
            mark = self._marks[self._at]
            self._at += 1
            self._last_ms = mark.ts_ms
            actions.add(mark.action)
            if mark.action == "listed":
                self.prices.pop(mark.product_id, None)
                self.prices[mark.product_id] = mark.price_minor
            elif mark.action == "delisted":
                self.prices.pop(mark.product_id, None)
            elif mark.action == "priced" and mark.product_id in self.prices:
                self.prices[mark.product_id] = mark.price_minor
        return actions


def _worst(room_id: str, minutes: Sequence[_Minute]) -> list[Row]:
    """The minutes in which a room lost most, in order of time."""
    present = sum(each.present for each in minutes)
    lost = sum(each.lost for each in minutes)
    # in whole numbers: how many more were lost than at the room's own rate, times all present
    excess = {each.minute_ms: each.lost * present - each.present * lost for each in minutes}
    ordered = sorted(minutes, key=lambda each: (-excess[each.minute_ms], each.minute_ms))
    found = [each for each in ordered[:WORST] if excess[each.minute_ms] > 0]
    return [
        {
            "room_id": room_id,
            "minute_ms": each.minute_ms,
            "present": each.present,
            "lost": each.lost,
            "loss_rate": rate(each.lost, each.present),
            "excess": rate(excess[each.minute_ms], present),
            "on": each.on,
            "product_id": each.product_id,
            "price_minor": each.price_minor,
            "unchanged_minutes": each.unchanged_minutes,
        }
        for each in sorted(found, key=lambda each: each.minute_ms)
    ]


def _what_was_on(sums: Mapping[tuple[Place, str], Sequence[int]]) -> list[Row]:
    sections = list(SCOPES)
    ordered = sorted(
        sums.items(),
        key=lambda item: (
            sections.index(item[0][0][0]),
            item[0][0][1] or "",
            _ON.index(item[0][1]),
        ),
    )
    return [
        {
            "scope": section,
            "key": key,
            "on": on,
            "minutes": minutes,
            "present": present,
            "lost": lost,
            "loss_rate": rate(lost, present),
        }
        for ((section, key), on), (minutes, present, lost) in ordered
    ]
