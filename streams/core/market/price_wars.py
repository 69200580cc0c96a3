"""Do rooms undercut each other? Turns over the price of one product, by event time.

A price that is told (`listed` or `priced`) stands in its room until it is told anew, the product is
taken off, or the room closes. A turn: a room that tells a price below its own last one, or its
first, at least 5 % under the lowest that stands in another room. Turns of different rooms, one
within 60 minutes of the other, are one exchange; a room that cuts again without an answer takes no
turn. It is a war with three turns within 60 minutes, and a price at least 20 % under the median of
the prices told of the product in the 7 days before the first turn. Only facts: nobody is suspected.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median_low
from typing import Final, NamedTuple

from schemas.records import ProductMark, RoomFigures
from streams.core.dictionary import rate
from streams.core.pane import MINUTE_MS

Row = dict[str, object]

UNDERCUT_PERCENT: Final = 5
TURNS: Final = 3
WITHIN_MS: Final = 60 * MINUTE_MS
UNDER_MEDIAN_PERCENT: Final = 20
MEDIAN_MS: Final = 7 * 24 * 60 * MINUTE_MS
SHOWN_TURNS: Final = 20
_WHOLE: Final = 100
# A product in a currency.
Goods = tuple[str, str]


class Turn(NamedTuple):
    """A room undercuts the others.

    Attributes:
        under_minor: the lowest price that stood in another room.
    """

    ts_ms: int
    room_id: str
    price_minor: int
    under_minor: int


def by_goods(
    marks: Iterable[ProductMark], rooms: Mapping[str, RoomFigures]
) -> dict[Goods, list[ProductMark]]:
    """What was done with each product, by product and currency of the room.

    Args:
        marks: ordered by time.
        rooms: the figures of every room by id.
    """
    found: dict[Goods, list[ProductMark]] = {}
    for mark in marks:
        room = rooms.get(mark.room_id)
        currency = (room.summary.currency if room is not None else None) or ""
        found.setdefault((mark.product_id, currency), []).append(mark)
    return dict(sorted(found.items()))


def is_price(mark: ProductMark) -> bool:
    """Whether a mark tells what a product costs from then on."""
    return mark.price_minor is not None and mark.action in ("listed", "priced")


def price_wars(
    goods: Mapping[Goods, Sequence[ProductMark]], rooms: Mapping[str, RoomFigures]
) -> Iterator[Row]:
    """The exchanges of at least three turns, by product and time.

    Args:
        goods: what was done with each product, ordered by time.
        rooms: the figures of every room by id.
    """
    for (product_id, currency), marks in goods.items():
        for turns in _exchanges(marks, rooms):
            if len(turns) >= TURNS:
                head: Row = {"product_id": product_id, "currency": currency or None}
                yield head | _row(turns, marks)


def _exchanges(
    marks: Sequence[ProductMark], rooms: Mapping[str, RoomFigures]
) -> Iterator[list[Turn]]:
    """The turns over one product, in exchanges."""
    turns: list[Turn] = []
    for turn in _turns(marks, rooms):
        if turns and turn.ts_ms - turns[-1].ts_ms > WITHIN_MS:
            yield turns
            turns = []
        if not turns or turn.room_id != turns[-1].room_id:
            turns.append(turn)
    yield turns


def _turns(marks: Sequence[ProductMark], rooms: Mapping[str, RoomFigures]) -> Iterator[Turn]:
    """Each price that undercuts what stands in other rooms."""
    standing: dict[str, int] = {}
    last: dict[str, int] = {}
    for mark in marks:
        room_id, price_minor = mark.room_id, mark.price_minor
        if mark.action == "delisted":
            standing.pop(room_id, None)
        elif price_minor is not None and is_price(mark):
            if price_minor < last.get(room_id, price_minor + 1):
                lowest = _lowest_of_others(standing, mark, rooms)
                if lowest is not None and price_minor * _WHOLE <= lowest * (
                    _WHOLE - UNDERCUT_PERCENT
                ):
                    yield Turn(mark.ts_ms, room_id, price_minor, lowest)
            standing[room_id] = last[room_id] = price_minor


def _lowest_of_others(
    standing: Mapping[str, int], mark: ProductMark, rooms: Mapping[str, RoomFigures]
) -> int | None:
    prices = [
        price_minor
        for room_id, price_minor in standing.items()
        if room_id != mark.room_id and _is_open(rooms.get(room_id), mark.ts_ms)
    ]
    return min(prices, default=None)


def _is_open(room: RoomFigures | None, ts_ms: int) -> bool:
    closed_ms = room.summary.closed_ms if room is not None else None
    return closed_ms is None or ts_ms < closed_ms


def _row(turns: Sequence[Turn], marks: Sequence[ProductMark]) -> Row:
    first_ms, last_ms = turns[0].ts_ms, turns[-1].ts_ms
    most = max(sum(0 <= other.ts_ms - turn.ts_ms <= WITHIN_MS for other in turns) for turn in turns)
    median_minor = median_before(marks, first_ms)
    lowest = min(turn.price_minor for turn in turns)
    under = None if median_minor is None else rate(median_minor - lowest, median_minor)
    is_deep = median_minor is not None and (median_minor - lowest) * _WHOLE >= (
        median_minor * UNDER_MEDIAN_PERCENT
    )
    return {
        "started_ms": first_ms,
        "ended_ms": last_ms,
        "rooms": sorted({turn.room_id: None for turn in turns}),
        "turns": len(turns),
        "most_turns_60m": most,
        "lowest_minor": lowest,
        "median_7d_minor": median_minor,
        "under_median": under,
        "price_war": most >= TURNS and is_deep,
        "first_turns": [
            {
                "ts_ms": turn.ts_ms,
                "room_id": turn.room_id,
                "price_minor": turn.price_minor,
                "undercut": rate(turn.under_minor - turn.price_minor, turn.under_minor),
            }
            for turn in turns[:SHOWN_TURNS]
        ],
    }


def median_before(marks: Sequence[ProductMark], before_ms: int) -> int | None:
    """The lower median of the prices told in the 7 days before a moment; None without any."""
    prices = [
        mark.price_minor
        for mark in marks
        if before_ms - MEDIAN_MS <= mark.ts_ms < before_ms
        and is_price(mark)
        and mark.price_minor is not None
    ]
    return median_low(prices) if prices else None
