"""Which price wars were there? `price_wars` of `supply.json`, from what was done with products.

What a turn, an exchange and a war are is told in `exchanges`; the alert `price_war` goes by the
same (`streams.core.rings.wars`).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median_low

from schemas.records import ProductMark, RoomFigures
from streams.core.dictionary import rate
from streams.core.limits import Evictions
from streams.core.market.exchanges import MEDIAN_MS, PRICED, TURNS, Exchange, Standing, Turn

Row = dict[str, object]
# A product in a currency.
Goods = tuple[str, str]


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
    return mark.price_minor is not None and mark.action in PRICED


def price_wars(
    goods: Mapping[Goods, Sequence[ProductMark]], rooms: Mapping[str, RoomFigures]
) -> Iterator[Row]:
    """The exchanges of at least three turns, by product and time.

    Args:
        goods: what was done with each product, ordered by time.
        rooms: the figures of every room by id.
    """
    for (product_id, currency), marks in goods.items():
        for exchange in _exchanges(marks, rooms):
            if exchange.turns >= TURNS:
                head: Row = {"product_id": product_id, "currency": currency or None}
                yield head | _row(exchange, median_before(marks, exchange.first.ts_ms))


def _exchanges(
    marks: Sequence[ProductMark], rooms: Mapping[str, RoomFigures]
) -> Iterator[Exchange]:
    """The turns over one product, in exchanges."""
    exchange: Exchange | None = None
    for turn in _turns(marks, rooms):
        if exchange is None or exchange.is_over(turn.ts_ms):
            if exchange is not None:
                yield exchange
            exchange = Exchange(turn)
        else:
            exchange.take(turn)
    if exchange is not None:
        yield exchange


def _turns(marks: Sequence[ProductMark], rooms: Mapping[str, RoomFigures]) -> Iterator[Turn]:
    """Each price that undercuts what stands in other rooms."""
    standing = Standing(Evictions())
    for mark in marks:
        turn = standing.take(
            mark.ts_ms,
            mark.room_id,
            mark.action,
            mark.price_minor,
            lambda room_id, ts_ms=mark.ts_ms: _is_open(rooms.get(room_id), ts_ms),  # type: ignore[misc]
        )
        if turn is not None:
            yield turn


def _is_open(room: RoomFigures | None, ts_ms: int) -> bool:
    closed_ms = room.summary.closed_ms if room is not None else None
    return closed_ms is None or ts_ms < closed_ms


def _row(exchange: Exchange, median_minor: int | None) -> Row:
    lowest = exchange.lowest_minor
    return {
        "started_ms": exchange.first.ts_ms,
        "ended_ms": exchange.last.ts_ms,
        "rooms": sorted(exchange.rooms),
        "turns": exchange.turns,
        "most_turns_60m": exchange.most,
        "lowest_minor": lowest,
        "median_7d_minor": median_minor,
        "under_median": None if median_minor is None else rate(median_minor - lowest, median_minor),
        "price_war": exchange.is_war(median_minor),
        "first_turns": [
            {
                "ts_ms": turn.ts_ms,
                "room_id": turn.room_id,
                "price_minor": turn.price_minor,
                "undercut": rate(turn.under_minor - turn.price_minor, turn.under_minor),
            }
            for turn in exchange.shown
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
