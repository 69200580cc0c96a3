"""Which figures are the newest? Views of rooms, products and details, whatever order they come in.

A live view of a lesser version never replaces a greater one. State: the newest of each key. Bound:
the keys of the topics that are read.
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import TypeVar

from schemas.details import AfterSalesFigures, Detail, SoldHour, TrialSale
from schemas.records import ProductFigures, RoomFigures

_DetailKey = tuple[str | int | None, ...]
Kind = TypeVar("Kind", bound=Detail)


class Newest:
    """The newest view of everything that rooms say of themselves."""

    __slots__ = ("_details", "_products", "rooms")

    def __init__(self) -> None:
        self.rooms: dict[str, RoomFigures] = {}
        self._products: dict[tuple[str, str, str | None], ProductFigures] = {}
        self._details: dict[_DetailKey, Detail] = {}

    @property
    def products(self) -> Iterable[ProductFigures]:
        """Every product of every merchant in every room."""
        return self._products.values()

    @property
    def details(self) -> Iterable[Detail]:
        """Every detail of every room."""
        return self._details.values()

    def of_kind(self, kind: type[Kind]) -> Iterator[Kind]:
        """The details of one kind."""
        return (detail for detail in self._details.values() if isinstance(detail, kind))

    def copy(self) -> "Newest":
        """What is known now; later views do not change it."""
        found = Newest()
        found.rooms = dict(self.rooms)
        found._products = dict(self._products)
        found._details = dict(self._details)
        return found

    def drop_hours(self, before_ms: int) -> None:
        """Drop what was sold in earlier hours, but for one of the first hour of all."""
        old = [
            (each.hour_ms, key)
            for key, each in self._details.items()
            if isinstance(each, SoldHour) and each.hour_ms < before_ms
        ]
        first = min(old, key=lambda each: each[0], default=None)
        for each in old:
            if each is not first:
                del self._details[each[1]]

    def keep_hours(self, limit: int) -> int:
        """Give up whole hours, the oldest first, until so many views of sold hours are left.

        Returns how many were given up.
        """
        counts = Counter(each.hour_ms for each in self.of_kind(SoldHour))
        over = counts.total() - limit
        gone = set()
        for hour_ms in sorted(counts):
            if over <= 0:
                break
            gone.add(hour_ms)
            over -= counts[hour_ms]
        given_up = sum(counts[hour_ms] for hour_ms in gone)
        if given_up:
            self._details = {
                key: each
                for key, each in self._details.items()
                if not (isinstance(each, SoldHour) and each.hour_ms in gone)
            }
        return given_up

    def apply_room(self, figures: RoomFigures) -> None:
        """Take the figures of a room, unless newer ones are known."""
        room_id = figures.summary.room_id
        known = self.rooms.get(room_id)
        if known is None or known.version <= figures.version:
            self.rooms[room_id] = figures

    def apply_product(self, figures: ProductFigures) -> None:
        """Take the figures of a product in a room, unless newer ones are known."""
        key = (figures.room_id, figures.product_id, figures.merchant_id)
        known = self._products.get(key)
        if known is None or known.version <= figures.version:
            self._products[key] = figures

    def apply_detail(self, detail: Detail) -> None:
        """Take a detail of a room, unless a newer one is known."""
        key = _key(detail)
        known = self._details.get(key)
        if known is None or known.version <= detail.version:
            self._details[key] = detail


def _key(detail: Detail) -> _DetailKey:
    if isinstance(detail, AfterSalesFigures):
        return detail.room_id, detail.merchant_id, detail.party
    if isinstance(detail, SoldHour):
        return detail.room_id, detail.product_id, detail.merchant_id, detail.hour_ms
    if isinstance(detail, TrialSale):
        return detail.room_id, detail.product_id
    return detail.room_id, detail.minute_ms
