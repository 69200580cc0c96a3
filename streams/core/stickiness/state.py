"""What does a partition remember of who watched and bought on which day, and of the money of a day?

For each room and event day (of the event's own stamp): the people with an accepted view, the buyers
of orders whose stamp is believed, and the net money, which is the orders of that day less the
accepted part of refunds whose order was paid on it. What a host, a category or the platform comes
to is united from these at the end (`report`), since `room_opened` may come after everything else.

State: one `RoomDay` for each room and day. It grows with rooms and days, not with events: a day's
set is sealed when the day after the next begins. Caps: `room_days`, `room_day_people`; eviction:
oldest day first. Late events count on their own day as long as it is kept.
"""

from typing import Any
from zoneinfo import ZoneInfo

from streams.core import limits
from streams.core.snapshots import wide
from streams.core.stickiness.event_days import EventDays, day_or_none
from streams.core.stickiness.people import People, count_kept

Key = tuple[int, str]  # day, room_id: sorted, the oldest day comes first

# Later than every stamp: nothing has happened.
_NEVER_MS = 2**62


class RoomDay:
    """One event day of one room.

    Attributes:
        has_sale: whether an order or an accepted refund of an order of that day was counted.
        sealed_people: how many people its sets held when they were sealed last.
    """

    __slots__ = ("buyers", "has_sale", "net_minor", "sealed_people", "viewers")

    def __init__(self) -> None:
        self.viewers = People()
        self.buyers = People()
        self.net_minor = 0
        self.has_sale = False
        self.sealed_people = 0

    def seal(self) -> int:
        """Free what only growing needs; by how many people more are kept than when sealed last."""
        before = self.sealed_people
        self.sealed_people = count_kept(self.viewers.seal()) + count_kept(self.buyers.seal())
        return self.sealed_people - before

    def snapshot(self) -> list[Any]:
        return [
            self.viewers.snapshot(),
            self.buyers.snapshot(),
            wide(self.net_minor),
            self.has_sale,
            self.sealed_people,
        ]

    def restore(self, state: list[Any]) -> None:
        viewers, buyers, net_minor, self.has_sale, self.sealed_people = state
        self.viewers.restore(viewers)
        self.buyers.restore(buyers)
        self.net_minor = int(net_minor)


class RoomDays:
    """The way of one room's events to its days; keeps the day at hand that it used last."""

    __slots__ = ("_current", "_from_ms", "_room_id", "_stickiness", "_until_ms")

    def __init__(self, room_id: str, stickiness: "Stickiness") -> None:
        self._room_id = room_id
        self._stickiness = stickiness
        self._current = RoomDay()  # none yet: no stamp lies between the bounds
        self._from_ms = self._until_ms = 0

    def seen(self, viewer_id: str, ts_ms: int) -> int:
        """Count a viewer with an accepted view.

        Returns the moment up to before which further views of this viewer lie on the same day, if
        they are not earlier than this one: they need not be told.
        """
        if not self._from_ms <= ts_ms < self._until_ms:
            self._turn_to(ts_ms)
        self._current.viewers.add(viewer_id)
        return self._until_ms

    def ordered(self, buyer_id: str, amount_minor: int, ts_ms: int) -> None:
        """Count an order that is no repeat and whose stamp is believed."""
        if not self._from_ms <= ts_ms < self._until_ms:
            self._turn_to(ts_ms)
        day = self._current
        day.buyers.add(buyer_id)
        day.net_minor += amount_minor
        day.has_sale = True

    def refunded(self, accepted_minor: int, ordered_ts_ms: int) -> None:
        """Take the accepted part of a refund off the day on which its order was paid.

        `ordered_ts_ms` is what the refund says; one that no order can have lies on no day.
        """
        day = day_or_none(self._stickiness.days, ordered_ts_ms)
        if day is None:
            return
        sold_on = self._stickiness.at(day, self._room_id)
        sold_on.net_minor -= accepted_minor
        sold_on.has_sale = True

    def forget(self) -> None:
        """Drop the day at hand: it may be one that was given up."""
        self._from_ms = self._until_ms = 0

    def _turn_to(self, ts_ms: int) -> None:
        stickiness = self._stickiness
        stickiness.happened(ts_ms)
        days = stickiness.days
        day = days.day_of(ts_ms)
        self._from_ms, self._until_ms = days.from_ms, days.until_ms
        self._current = stickiness.at(day, self._room_id, self)


class Stickiness:
    """The room-days of one partition.

    Attributes:
        days: event days of the zone.
        room_days: by day and room.
        first_ms: a stamp on the first day on which anything is known to have happened.
    """

    def __init__(self, zone: ZoneInfo, evictions: limits.Evictions) -> None:
        self.days = EventDays(zone)
        self.room_days: dict[Key, RoomDay] = {}
        self.first_ms = _NEVER_MS
        self._evictions = evictions
        self._growing: dict[Key, None] = {}  # what may have to be sealed
        self._holders: dict[str, RoomDays] = {}  # rooms that keep a day at hand
        self._newest_day = 0
        self._people = 0  # in sealed sets

    @property
    def people(self) -> int:
        """How many people the sealed sets hold; each takes 8 bytes."""
        return self._people

    @property
    def first_day(self) -> int | None:
        """The first day on which anything happened."""
        return None if self.first_ms == _NEVER_MS else self.days.day_of(self.first_ms)

    def of(self, room_id: str) -> RoomDays:
        """The days of a room. A room that is refused leaves nothing behind."""
        return RoomDays(room_id, self)

    def happened(self, ts_ms: int) -> None:
        """Event time was `ts_ms` at some moment of the log: no earlier day need be unknown."""
        if ts_ms < self.first_ms:  # noqa: PLR1730 - once an event, and cheaper than `min`
            self.first_ms = ts_ms

    def at(self, day: int, room_id: str, holder: RoomDays | None = None) -> RoomDay:
        """The room-day to change now, made if it is not there."""
        if holder is not None:
            self._holders[room_id] = holder
        if day > self._newest_day:
            self._newest_day = day
            self._seal_before(day - 1)
        key = (day, room_id)
        found = self.room_days.get(key)
        if found is None:
            found = self.room_days[key] = RoomDay()
            if len(self.room_days) > limits.cap("room_days"):
                self._give_up("room_days", limits.cap("room_days"))
                if key not in self.room_days:  # it is older than all that is kept
                    return found
        self._growing[key] = None
        return found

    def _seal_before(self, day: int) -> None:
        """Seal what grew on earlier days; a late event may open it again."""
        for key in [key for key in self._growing if key[0] < day]:
            del self._growing[key]
            self._people += self.room_days[key].seal()
            self._let_go(key[1])
        while self._people > limits.cap("room_day_people"):
            self._give_up("room_day_people", len(self.room_days))

    def _give_up(self, name: str, limit: int) -> None:
        """Give up the oldest days."""
        gone = limits.oldest(self.room_days, lambda key: key, limit)
        for key in gone:
            self._people -= self.room_days.pop(key).sealed_people
            self._growing.pop(key, None)
            self._let_go(key[1])
        self._evictions.count(name, len(gone))

    def _let_go(self, room_id: str) -> None:
        """A day of a room is to be asked for again before it is changed."""
        holder = self._holders.pop(room_id, None)
        if holder is not None:
            holder.forget()

    def snapshot(self) -> list[Any]:
        return [
            self.days.zone.key,
            self.first_ms,
            self._newest_day,
            [
                [*key, key in self._growing, *each.snapshot()]
                for key, each in self.room_days.items()
            ],
        ]

    def restore(self, state: list[Any]) -> None:
        """Continue from a snapshot, in its own zone: its days are those of no other."""
        zone, self.first_ms, self._newest_day, saved = state
        self.days = EventDays(ZoneInfo(zone))
        for day, room_id, is_growing, *room_day in saved:
            self.room_days[day, room_id] = restored = RoomDay()
            restored.restore(room_day)
            self._people += restored.sealed_people
            if is_growing:
                self._growing[day, room_id] = None
