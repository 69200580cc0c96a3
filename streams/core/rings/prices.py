"""Where do rooms undercut each other? Level 1 of price wars: what one partition's products cost.

Prices come under their product, merged by event time; those of one millisecond are taken in the
order of their content, so that it does not matter which source told them. What undercuts others is
handed on as a turn; whether turns make a war is judged in one place (`wars`). What is told twice at
one moment counts once.

State: what each product costs in each room, the prices told of it in 7 days, which rooms have
closed. Caps: `priced_goods` (the one told of least recently goes first), `told_prices`,
`closed_rooms`. A product of which nothing was told for 8 days is known no more.
"""

from collections import deque
from collections.abc import Iterable, Iterator
from statistics import median_low
from typing import Any, Final

from schemas.links import Closed, Priced
from streams.core import limits
from streams.core.market.exchanges import MEDIAN_MS, Standing, Turn

Told = tuple[int, Priced | Closed]
# A product in a currency.
_Key = tuple[str, str]
_FORGOTTEN_MS: Final = 8 * 24 * 3_600_000


class _Goods:
    """One product in one currency.

    Attributes:
        told: when each price of the last 7 days was told, and which.
    """

    __slots__ = ("last_ms", "standing", "told")

    def __init__(self, evictions: limits.Evictions) -> None:
        self.last_ms = 0
        self.standing = Standing(evictions)
        self.told: deque[tuple[int, int]] = deque()

    def median_before(self, ts_ms: int) -> int | None:
        """The lower median of the prices told in the 7 days before a moment."""
        prices = [price for told_ms, price in self.told if ts_ms - MEDIAN_MS <= told_ms < ts_ms]
        return median_low(prices) if prices else None

    def tell(self, ts_ms: int, price_minor: int, evictions: limits.Evictions) -> None:
        """Remember a price that was told."""
        told = self.told
        told.append((ts_ms, price_minor))
        while told[0][0] < ts_ms - MEDIAN_MS:
            told.popleft()
        if len(told) > limits.cap("told_prices"):
            told.popleft()
            evictions.count("told_prices")

    def snapshot(self) -> list[Any]:
        return [self.last_ms, self.standing.snapshot(), [list(each) for each in self.told]]

    def restore(self, state: list[Any]) -> None:
        self.last_ms, standing, told = state
        self.standing.restore(standing)
        self.told = deque((ts_ms, price_minor) for ts_ms, price_minor in told)


class Prices:
    """The prices of one partition's products."""

    __slots__ = ("_closed", "_evictions", "_goods")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self._goods: dict[_Key, _Goods] = {}
        self._closed: dict[str, int] = {}

    def take(self, told: Iterable[Told]) -> Iterator[tuple[Priced, Turn, int | None]]:
        """Take what is complete; each turn, with what told it and the median of the prices before.

        Args:
            told: with the event time of each, in no order that counts.
        """
        for ts_ms, item in _once(told):
            if isinstance(item, Closed):
                self._close(item.room_id, ts_ms)
            else:
                found = self._price(item, ts_ms)
                if found is not None:
                    yield item, *found

    def _close(self, room_id: str, ts_ms: int) -> None:
        self._closed.setdefault(room_id, ts_ms)
        if len(self._closed) > limits.cap("closed_rooms"):
            closed = self._closed
            self._evictions.give_up_oldest("closed_rooms", closed, lambda key: (closed[key], key))

    def _price(self, item: Priced, ts_ms: int) -> tuple[Turn, int | None] | None:
        goods = self._of((item.product_id, item.currency or ""), ts_ms)
        turn = goods.standing.take(
            ts_ms, item.room_id, item.action, item.price_minor, self._is_open
        )
        found = None if turn is None else (turn, goods.median_before(ts_ms))
        if item.price_minor is not None:
            goods.tell(ts_ms, item.price_minor, self._evictions)
        return found

    def _is_open(self, room_id: str) -> bool:
        return room_id not in self._closed

    def _of(self, key: _Key, ts_ms: int) -> _Goods:
        goods = self._goods.get(key)
        if goods is None or goods.last_ms < ts_ms - _FORGOTTEN_MS:
            goods = self._goods[key] = _Goods(self._evictions)
        goods.last_ms = max(goods.last_ms, ts_ms)
        if len(self._goods) > limits.cap("priced_goods"):
            known = self._goods
            self._evictions.give_up_oldest(
                "priced_goods", known, lambda key: (known[key].last_ms, "\0".join(key))
            )
        return goods

    def sweep(self, watermark_ms: int) -> None:
        """Free what is known no more; results do not depend on it."""
        old_ms = watermark_ms - _FORGOTTEN_MS
        self._goods = {key: each for key, each in self._goods.items() if each.last_ms >= old_ms}

    def snapshot(self) -> list[Any]:
        goods = [[*key, each.snapshot()] for key, each in self._goods.items()]
        return [goods, [list(each) for each in self._closed.items()]]

    def restore(self, state: list[Any]) -> None:
        goods, closed = state
        self._closed = {room_id: ts_ms for room_id, ts_ms in closed}  # noqa: C416 - pairs are lists
        for product_id, currency, saved in goods:
            each = self._goods[product_id, currency] = _Goods(self._evictions)
            each.restore(saved)


def _once(told: Iterable[Told]) -> Iterable[Told]:
    """In order, what is told twice at one moment once."""
    return {_order(each): each for each in sorted(told, key=_order)}.values()


def _order(told: Told) -> tuple[int, bool, str, str, str, str, int]:
    """By event time, closings first; then by content."""
    ts_ms, item = told
    if isinstance(item, Closed):
        return ts_ms, False, item.room_id, "", "", "", 0
    price_minor = -1 if item.price_minor is None else item.price_minor
    goods = item.room_id, item.product_id, item.action, item.currency or ""
    return ts_ms, True, *goods, price_minor
