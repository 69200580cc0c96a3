"""Who leads? Rankings over summaries and closed minutes: the board fold of stage 2.

Takes room figures, product figures, closed minutes and the progress of each partition, in any order
and as often as they come: a live view of a lesser version never replaces a greater one, a minute
counts once. `boards()` ranks what is known, at the least watermark of the partitions (design,
section 6). Money is never added across currencies: one board for each; with a rate table given,
one more over all of them in its base currency.

State: the newest figures of each room and product, sums by scope, key and currency, the minutes of
the windows. Bound: rooms and products of the topics it reads.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from zoneinfo import ZoneInfo

from schemas.exchange import RateTable
from schemas.records import (
    AnyBoard,
    Board,
    BoardRow,
    ProductFigures,
    Progress,
    RoomFigures,
    RoomMinute,
    WindowRow,
)
from streams.core import dictionary
from streams.core.exchange import Exchange, S
from streams.core.totals import Totals
from streams.core.windows import WINDOW_MINUTES, Sums, SumsByRoom, Windows

Scope = Literal["room", "host", "mcn", "mode", "category", "merchant", "product"]
ROOM_SCOPES: Final[tuple[Scope, ...]] = ("room", "host", "mcn", "mode", "category")
GOODS_SCOPES: Final[tuple[Scope, ...]] = ("merchant", "product")
WINDOWS: Final = ("total", "day", *WINDOW_MINUTES)
MOMENTUM_MINUTES = 10
UNKNOWN = "unknown"
DEFAULT_TOP = 100
DEFAULT_ZONE = "Asia/Shanghai"

Currency = str | None
Place = tuple[Scope, Currency]
Pair = tuple[str, str | None]


@dataclass(frozen=True, slots=True)
class _Unit:
    """In what the money of a board is: a currency, or the base of a rate table over all of them."""

    currency: Currency
    rates_date: str | None = None
    without_rate: tuple[Currency, ...] = ()


class BoardFold:
    """All boards of a log.

    Args:
        zone: the zone of the `day` boards.
        top: rows of a board; 0 for all.
        rates: for boards over all currencies in the base of the table; none for no such boards.
    """

    def __init__(
        self,
        zone: ZoneInfo | None = None,
        top: int = DEFAULT_TOP,
        rates: RateTable | None = None,
    ) -> None:
        self._zone = zone or ZoneInfo(DEFAULT_ZONE)
        self._top = top
        self._exchange = Exchange(rates) if rates is not None else None
        self._windows = Windows(self._zone)
        self._rooms: dict[str, RoomFigures] = {}
        self._products: dict[str, dict[Pair, ProductFigures]] = {}  # by room
        self._totals: dict[Place, dict[str, Totals]] = {}
        self.progress: dict[int, Progress] = {}

    def apply_room(self, figures: RoomFigures) -> None:
        """Take the figures of a room, unless newer ones are known."""
        room_id = figures.summary.room_id
        known = self._rooms.get(room_id)
        if known is not None and known.version >= figures.version:
            return
        currency_before = self._currency_of(room_id)
        self._rooms[room_id] = figures
        if known is not None:
            self._shift_room(known, -1)
        self._shift_room(figures, 1)
        if figures.summary.currency != currency_before:
            self._move_products(room_id, currency_before, figures.summary.currency)

    def apply_product(self, figures: ProductFigures) -> None:
        """Take the figures of a product in a room, unless newer ones are known."""
        pairs = self._products.setdefault(figures.room_id, {})
        pair = (figures.product_id, figures.merchant_id)
        known = pairs.get(pair)
        if known is not None and known.version >= figures.version:
            return
        pairs[pair] = figures
        currency = self._currency_of(figures.room_id)
        if known is not None:
            self._shift_product(known, currency, -1)
        self._shift_product(figures, currency, 1)

    def apply_minute(self, line: RoomMinute) -> None:
        """Take a closed minute."""
        self._windows.apply(line)

    def apply_progress(self, progress: Progress) -> None:
        """Take how far the fold of a partition is."""
        known = self.progress.get(progress.version.partition)
        if known is None or known.version <= progress.version:
            self.progress[progress.version.partition] = progress

    @property
    def rooms(self) -> dict[str, RoomFigures]:
        """The newest figures of each room."""
        return self._rooms

    @property
    def as_of_ms(self) -> int | None:
        """The least watermark of the partitions that have one."""
        marks = [item.watermark_ms for item in self.progress.values()]
        return min((mark for mark in marks if mark is not None), default=None)

    def boards(self) -> list[AnyBoard]:
        """Every board, ordered by scope, window and currency; over all currencies comes last."""
        as_of_ms = self.as_of_ms
        units = self._units()
        windows = self._window_sums(as_of_ms)
        last, before = self._momentum_sums(as_of_ms)
        boards: list[AnyBoard] = []
        for scope in ROOM_SCOPES:
            last_by_key, before_by_key = self._by_key(scope, last), self._by_key(scope, before)
            for unit in units:
                momentum = _momentum(
                    self._in(unit, last_by_key, Sums), self._in(unit, before_by_key, Sums)
                )
                boards.append(self._total_board(scope, unit, as_of_ms, momentum))
            for window, (day, sums) in windows.items():
                by_key = self._by_key(scope, sums)
                for unit in units:
                    keys = self._in(unit, by_key, Sums)
                    boards.append(self._window_board(scope, window, unit, as_of_ms, day, keys))
        for scope in GOODS_SCOPES:
            boards += [self._total_board(scope, unit, as_of_ms, {}) for unit in units]
        if as_of_ms is not None:
            self._windows.forget(as_of_ms)
        return boards

    # --- sums ---------------------------------------------------------------------------------

    def _units(self) -> list[_Unit]:
        """What there are boards in."""
        currencies = sorted(
            {figures.summary.currency for figures in self._rooms.values()},
            key=lambda currency: currency or "",
        )
        units = [_Unit(currency) for currency in currencies]
        exchange = self._exchange
        if exchange is not None and units:
            without = tuple(each for each in currencies if not exchange.knows(each))
            units.append(_Unit(exchange.base, exchange.date, without))
        return units

    def _in(
        self, unit: _Unit, by_currency: Mapping[Currency, Mapping[str, S]], make: Callable[[], S]
    ) -> Mapping[str, S]:
        """Sums by key, in a unit."""
        if unit.rates_date is None or self._exchange is None:
            return by_currency.get(unit.currency, {})
        return self._exchange.added_up(by_currency.items(), make)

    def _totals_by_currency(self, scope: Scope) -> dict[Currency, dict[str, Totals]]:
        return {place[1]: keys for place, keys in self._totals.items() if place[0] == scope}

    def _currency_of(self, room_id: str) -> Currency:
        figures = self._rooms.get(room_id)
        return figures.summary.currency if figures else None

    def _totals_of(self, scope: Scope, currency: Currency, key: str) -> Totals:
        keys = self._totals.setdefault((scope, currency), {})
        totals = keys.get(key)
        if totals is None:
            totals = keys[key] = Totals()
        return totals

    def _shift_room(self, figures: RoomFigures, sign: int) -> None:
        currency = figures.summary.currency
        for scope in ROOM_SCOPES:
            key = room_key(scope, figures)
            if key is not None:
                self._totals_of(scope, currency, key).shift_room(figures, sign)
                self._drop_if_empty(scope, currency, key)

    def _shift_product(self, figures: ProductFigures, currency: Currency, sign: int) -> None:
        keys: tuple[tuple[Scope, str | None], ...] = (
            ("product", figures.product_id),
            ("merchant", figures.merchant_id),
        )
        for scope, key in keys:
            if key is not None:
                self._totals_of(scope, currency, key).shift_product(figures, sign)
                self._drop_if_empty(scope, currency, key)

    def _drop_if_empty(self, scope: Scope, currency: Currency, key: str) -> None:
        """A key whose last record moved to another place has no row here."""
        keys = self._totals[scope, currency]
        if not keys[key].records:
            del keys[key]

    def _move_products(self, room_id: str, old: Currency, new: Currency) -> None:
        """The room was opened after goods were sold in it: their currency is known now."""
        for figures in self._products.get(room_id, {}).values():
            self._shift_product(figures, old, -1)
            self._shift_product(figures, new, 1)

    # --- windows ------------------------------------------------------------------------------

    def _window_sums(self, as_of_ms: int | None) -> dict[str, tuple[str | None, SumsByRoom]]:
        """The sums of each window by room, and the day of the day window."""
        if as_of_ms is None:
            return {"day": (None, {}), **{window: (None, {}) for window in WINDOW_MINUTES}}
        day, sums = self._windows.day(as_of_ms)
        lasts = {
            window: (None, self._windows.last(minutes, as_of_ms))
            for window, minutes in WINDOW_MINUTES.items()
        }
        return {"day": (day, sums), **lasts}

    def _by_key(self, scope: Scope, sums: SumsByRoom) -> dict[Currency, dict[str, Sums]]:
        """Sums by room, added up by currency and key."""
        by_key: dict[Currency, dict[str, Sums]] = {}
        for room_id, each in sums.items():
            figures = self._rooms.get(room_id)
            key = room_key(scope, figures) if figures else None
            if figures and key is not None:
                keys = by_key.setdefault(figures.summary.currency, {})
                keys.setdefault(key, Sums()).add(each)
        return by_key

    def _momentum_sums(self, as_of_ms: int | None) -> tuple[SumsByRoom, SumsByRoom]:
        """The last minutes, and as many before them."""
        if as_of_ms is None:
            return {}, {}
        minutes = MOMENTUM_MINUTES
        return (
            self._windows.last(minutes, as_of_ms),
            self._windows.last(minutes, as_of_ms, ago=minutes),
        )

    # --- rows ---------------------------------------------------------------------------------

    def _total_board(
        self,
        scope: Scope,
        unit: _Unit,
        as_of_ms: int | None,
        momentum: Mapping[str, float | None],
    ) -> Board[BoardRow]:
        keys = self._in(unit, self._totals_by_currency(scope), Totals)
        by_gross = ranked(keys, "gross_minor")
        ranks_net = _places(ranked(keys, "net_minor"))
        ranks_trusted = _places(ranked(keys, "trusted_minor"))
        names = self._names(scope, unit)
        rows = [
            _total_row(
                keys[key],
                ranks=(place, ranks_net[key], ranks_trusted[key]),
                key=key,
                name=names.get(key, key),
                momentum=momentum.get(key),
                of_rooms=scope in ROOM_SCOPES,
            )
            for place, key in enumerate(self._cut(by_gross), start=1)
        ]
        return Board(
            scope,
            "total",
            unit.currency,
            as_of_ms,
            rows,
            rates_date=unit.rates_date,
            without_rate=unit.without_rate,
        )

    def _window_board(
        self,
        scope: Scope,
        window: str,
        unit: _Unit,
        as_of_ms: int | None,
        day: str | None,
        keys: Mapping[str, Sums],
    ) -> Board[WindowRow]:
        names = self._names(scope, unit)
        rows = [
            _window_row(keys[key], place, key, names.get(key, key))
            for place, key in enumerate(self._cut(ranked(keys, "gross_minor")), start=1)
        ]
        zone = self._zone.key if window == "day" else None
        return Board(
            scope,
            window,
            unit.currency,
            as_of_ms,
            rows,
            day,
            zone,
            unit.rates_date,
            unit.without_rate,
        )

    def _cut(self, keys: list[str]) -> list[str]:
        return keys[: self._top] if self._top else keys

    def _names(self, scope: Scope, unit: _Unit) -> dict[str, str]:
        """What to call the keys of a scope: hosts and rooms by the host's name."""
        if scope not in ("room", "host"):
            return {}
        names: dict[str, tuple[bool, int, str, str]] = {}
        for room_id, figures in self._rooms.items():
            summary = figures.summary
            key = room_key(scope, figures)
            if key is None or not self._has(unit, summary.currency):
                continue
            has_name = summary.host_name is not None
            name = summary.host_name or summary.host_id or UNKNOWN
            newest = (has_name, summary.opened_ms or 0, room_id, name)
            names[key] = max(names.get(key, newest), newest)
        return {key: name for key, (*_, name) in names.items()}

    def _has(self, unit: _Unit, currency: Currency) -> bool:
        """Whether the money of a currency stands on the boards in a unit."""
        if unit.rates_date is None:
            return currency == unit.currency
        return currency not in unit.without_rate


def board_place(board: AnyBoard) -> tuple[int, int, bool, str]:
    """The order of boards, for those who have them one by one."""
    scope = (*ROOM_SCOPES, *GOODS_SCOPES).index(board.scope)
    return scope, WINDOWS.index(board.window), bool(board.rates_date), board.currency or ""


def room_key(scope: Scope, figures: RoomFigures) -> str | None:
    """Under which key a room counts in a scope; None where it has none."""
    summary = figures.summary
    match scope:
        case "room":
            return summary.room_id
        case "host":
            return summary.host_id
        case "mcn":
            return summary.mcn_id
        case "mode":
            return summary.mode
        case _:
            return summary.category


def _momentum(last: Mapping[str, Sums], before: Mapping[str, Sums]) -> dict[str, float | None]:
    """Gross of the last 10 minutes over that of the 10 before; null without sales before."""
    return {
        key: dictionary.rate(last[key].gross_minor if key in last else 0, sums.gross_minor)
        for key, sums in before.items()
    }


def ranked(keys: Mapping[str, Totals] | Mapping[str, Sums], figure: str) -> list[str]:
    """Keys by a figure, the greatest first, ties by key."""
    return sorted(keys, key=lambda key: (-getattr(keys[key], figure), key))


def _places(keys: Iterable[str]) -> dict[str, int]:
    return {key: place for place, key in enumerate(keys, start=1)}


def _total_row(
    totals: Totals,
    *,
    ranks: tuple[int, int, int],
    key: str,
    name: str,
    momentum: float | None,
    of_rooms: bool,
) -> BoardRow:
    rank_gross, rank_net, rank_trusted = ranks
    return BoardRow(
        rank=rank_gross,
        key=key,
        name=name,
        gross_minor=totals.gross_minor,
        net_minor=totals.net_minor,
        trusted_minor=totals.trusted_minor,
        orders=totals.orders,
        rank_gross=rank_gross,
        rank_net=rank_net,
        rank_trusted=rank_trusted,
        places_lost=rank_trusted - rank_gross,
        visits=totals.visits if of_rooms else None,
        viewers=totals.viewers if of_rooms else None,
        buyers=totals.buyers if of_rooms else None,
        refunded_minor=totals.refunded_minor,
        suspected_minor=totals.suspected_minor,
        product_impressions=totals.product_impressions,
        clicks=totals.clicks,
        carts=totals.carts,
        checkouts=totals.checkouts,
        **totals.ratios(),
        momentum=momentum,
    )


def _window_row(sums: Sums, rank: int, key: str, name: str) -> WindowRow:
    return WindowRow(
        rank=rank,
        key=key,
        name=name,
        gross_minor=sums.gross_minor,
        net_minor=sums.gross_minor - sums.refunded_minor,
        orders=sums.orders,
        visits=sums.visits,
        gpm_minor=dictionary.rate(sums.gross_minor * 1_000, sums.visits),
    )
