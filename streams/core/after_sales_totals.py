"""What does each party answer for on the whole platform, as the details of rooms come in?

The sums of the newest load of every room, merchant and party, kept as they change: a live reader
need not add up all of them for each look. Complaints and times are added over currencies, money is
not: a room's money moves when its currency becomes known.

State: the newest load of each place. Bound: the keys of the topic that is read.
"""

from collections.abc import Iterable

from schemas.details import AfterSalesFigures
from streams.core.load import Load

_Place = tuple[str | None, str]  # merchant and party


class AfterSalesTotals:
    """The loads of all rooms together.

    Attributes:
        by_party: what each party answers for; its `refunded_minor` mixes currencies: take
            `refunded_minor` below.
        refunded_minor: accepted money by currency ("" for rooms never opened) and party.
    """

    __slots__ = ("_currency_of", "_of_room", "by_party", "refunded_minor")

    def __init__(self) -> None:
        self._of_room: dict[str, dict[_Place, AfterSalesFigures]] = {}
        self._currency_of: dict[str, str] = {}
        self.by_party: dict[str, Load] = {}
        self.refunded_minor: dict[tuple[str, str], int] = {}

    def apply(self, figures: AfterSalesFigures) -> None:
        """Take the load of a place, unless a newer one is known."""
        places = self._of_room.setdefault(figures.room_id, {})
        place = figures.merchant_id, figures.party
        known = places.get(place)
        if known is not None:
            if known.version > figures.version:
                return
            self._add(known, -1)
        places[place] = figures
        self._add(figures, 1)

    def apply_currency(self, room_id: str, currency: str | None) -> None:
        """Learn in which currency a room sells."""
        if self._currency_of.get(room_id, "") == (currency or ""):
            return
        own = self._of_room.get(room_id, {}).values()
        for figures in own:
            self._add_money(figures, -1)
        self._currency_of[room_id] = currency or ""
        for figures in own:
            self._add_money(figures, 1)

    def of_room(self, room_id: str) -> dict[str, Load]:
        """What each party answers for in one room, over its merchants."""
        found: dict[str, Load] = {}
        for figures in self._of_room.get(room_id, {}).values():
            found.setdefault(figures.party, Load()).add(figures)
        return found

    def _add(self, figures: AfterSalesFigures, sign: int) -> None:
        self.by_party.setdefault(figures.party, Load()).add(figures, sign)
        self._add_money(figures, sign)

    def _add_money(self, figures: AfterSalesFigures, sign: int) -> None:
        key = self._currency_of.get(figures.room_id, ""), figures.party
        minor = self.refunded_minor.get(key, 0) + sign * sum(figures.refunded_minor.values())
        self.refunded_minor[key] = minor


def totals_of(
    details: Iterable[object], currencies: Iterable[tuple[str, str | None]]
) -> AfterSalesTotals:
    """The totals of details and of the currency of each room; other kinds are not looked at."""
    totals = AfterSalesTotals()
    for room_id, currency in currencies:
        totals.apply_currency(room_id, currency)
    for each in details:
        if isinstance(each, AfterSalesFigures):
            totals.apply(each)
    return totals
