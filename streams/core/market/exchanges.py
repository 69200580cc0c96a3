"""When do rooms undercut each other over a product, and when is that a war? By event time.

A price that is told (`listed` or `priced`) stands in its room until it is told anew, the product is
taken off, or the room closes. A turn: a room that tells a price below its own last one, or its
first, at least 5 % under the lowest that stands in another room. Turns of different rooms, one
within 60 minutes of the other, are one exchange; a room that cuts again without an answer takes no
turn. It is a war with three turns within 60 minutes, and a price at least 20 % under the median of
the prices told of the product in the 7 days before the first turn. Only facts: nobody is suspected.

State: the price of each room, an exchange. Caps: `standing_prices`, `exchange_rooms`; the room
whose price was told first goes, and rooms beyond are counted but not named.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from streams.core import limits
from streams.core.pane import MINUTE_MS

UNDERCUT_PERCENT: Final = 5
TURNS: Final = 3
WITHIN_MS: Final = 60 * MINUTE_MS
UNDER_MEDIAN_PERCENT: Final = 20
MEDIAN_MS: Final = 7 * 24 * 60 * MINUTE_MS
SHOWN_TURNS: Final = 20
_WHOLE: Final = 100
PRICED: Final = ("listed", "priced")


class Turn(NamedTuple):
    """A room undercuts the others.

    Attributes:
        under_minor: the lowest price that stood in another room.
    """

    ts_ms: int
    room_id: str
    price_minor: int
    under_minor: int


class Standing:
    """What one product costs in each room now, and what it cost there last."""

    __slots__ = ("_evictions", "_last", "_standing")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self._standing: dict[str, int] = {}
        self._last: dict[str, int] = {}

    def take(
        self,
        ts_ms: int,
        room_id: str,
        action: str,
        price_minor: int | None,
        is_open: Callable[[str], bool],
    ) -> Turn | None:
        """Take what a room did with the product; the turn that it takes.

        Args:
            ts_ms: the event time.
            room_id: the room.
            action: as `action` of a product event.
            price_minor: the price that it told; None if none.
            is_open: whether a room is not closed yet.
        """
        if action == "delisted":
            self._standing.pop(room_id, None)
            return None
        if price_minor is None or action not in PRICED:
            return None
        turn = None
        if price_minor < self._last.get(room_id, price_minor + 1):
            lowest = min(
                (
                    price
                    for other, price in self._standing.items()
                    if other != room_id and is_open(other)
                ),
                default=None,
            )
            if lowest is not None and price_minor * _WHOLE <= lowest * (_WHOLE - UNDERCUT_PERCENT):
                turn = Turn(ts_ms, room_id, price_minor, lowest)
        for prices in (self._standing, self._last):
            prices.pop(room_id, None)  # the one told last stands last
            prices[room_id] = price_minor
            if len(prices) > limits.cap("standing_prices"):
                del prices[next(iter(prices))]
                self._evictions.count("standing_prices")
        return turn

    def snapshot(self) -> list[Any]:
        return [list(map(list, prices.items())) for prices in (self._standing, self._last)]

    def restore(self, state: list[Any]) -> None:
        self._standing, self._last = (dict(map(tuple, prices)) for prices in state)


class Exchange:
    """Turns over one product that answer each other.

    Attributes:
        first, last: its first turn, and its last one.
        turns: how many it has.
        most: the most of them within 60 minutes.
        lowest_minor: the lowest price.
        rooms: who took part.
        shown: its first turns.
    """

    __slots__ = ("_lately", "first", "last", "lowest_minor", "most", "rooms", "shown", "turns")

    def __init__(self, first: Turn) -> None:
        self.first = self.last = first
        self.turns = 0
        self.most = 0
        self.lowest_minor = first.price_minor
        self.rooms: dict[str, None] = {}
        self.shown: list[Turn] = []
        self._lately: deque[int] = deque()
        self._add(first)

    def is_over(self, ts_ms: int) -> bool:
        """Whether a turn of this moment would begin another one."""
        return ts_ms - self.last.ts_ms > WITHIN_MS

    def take(self, turn: Turn) -> bool:
        """Take the next turn; whether it is one, for nobody answers himself."""
        if turn.room_id == self.last.room_id:
            return False
        self._add(turn)
        return True

    def _add(self, turn: Turn) -> None:
        self.last = turn
        self.turns += 1
        self.lowest_minor = min(self.lowest_minor, turn.price_minor)
        if len(self.rooms) < limits.cap("exchange_rooms"):
            self.rooms[turn.room_id] = None
        if len(self.shown) < SHOWN_TURNS:
            self.shown.append(turn)
        self._lately.append(turn.ts_ms)
        while turn.ts_ms - self._lately[0] > WITHIN_MS:
            self._lately.popleft()
        self.most = max(self.most, len(self._lately))

    def is_war(self, median_minor: int | None) -> bool:
        """Whether it is a war, with the median of the prices before it."""
        return (
            self.most >= TURNS
            and median_minor is not None
            and (median_minor - self.lowest_minor) * _WHOLE >= median_minor * UNDER_MEDIAN_PERCENT
        )

    def snapshot(self) -> list[Any]:
        turns = [list(turn) for turn in (self.first, self.last, *self.shown)]
        numbers = [self.turns, self.most, self.lowest_minor]
        return [turns, numbers, list(self.rooms), list(self._lately)]

    @classmethod
    def restored(cls, state: list[Any]) -> "Exchange":
        """The exchange that a snapshot was taken of."""
        turns, numbers, rooms, lately = state
        first, last, *shown = (Turn(*turn) for turn in turns)
        self = cls(first)
        self.last, self.shown = last, shown
        self.turns, self.most, self.lowest_minor = numbers
        self.rooms = dict.fromkeys(rooms)
        self._lately = deque(lately)
        return self
