"""What does the page show of boards? Plain values, ready for JSON, of what is known.

Money stays in minor units beside the digits of its currency, so that nothing is rounded on the way;
figures are those of the boards, never added up again.
"""

from collections.abc import Mapping
from typing import Any, Final

import msgspec

from roompulse.console.wish import Wish
from roompulse.known import Known
from roompulse.standing import Standing
from schemas.money import digits_of
from schemas.records import AnyBoard, BoardRow, WindowRow, shown_currency
from streams.core.boards import DEFAULT_ZONE, Scope, room_key
from streams.core.pane import MINUTE_MS

MOST_ROWS: Final = 100
SPARK_POINTS: Final = 30
_LOSERS: Final = 5
_DRAWN: Final[tuple[Scope, ...]] = ("room", "host", "mcn")
_SHOWN: Final = (
    "rank", "key", "name", "gross_minor", "net_minor", "trusted_minor", "refunded_minor",
    "suspected_minor", "orders", "visits", "rank_gross", "rank_net", "rank_trusted", "places_lost",
    "gpm_minor", "momentum", "refund_rate", "conversion",
)  # fmt: skip

Json = dict[str, Any]


def totals(standing: Standing) -> list[Json]:
    """The sums of the platform, one of each currency; the busiest first."""
    found = [
        {
            "currency": one.currency,
            "digits": digits_of(one.currency),
            "gross_minor": one.gross_minor,
            "net_minor": one.net_minor,
            "trusted_minor": one.trusted_minor,
            "orders": one.orders,
            "visits": one.visits,
        }
        for one in standing.platforms()
    ]
    return sorted(found, key=lambda one: (-one["orders"], one["currency"]))


def currencies(standing: Standing) -> list[str | None]:
    """The currencies of the room boards, as boards show them; the busiest first."""
    found: dict[str | None, int] = {}
    for board in standing.boards:
        if board.scope == "room" and board.window == "total":
            orders = sum(row.orders for row in board.rows if isinstance(row, BoardRow))
            found[shown_currency(board)] = orders
    return sorted(found, key=lambda one: (one is None, -found[one], one or ""))


def board(known: Known, standing: Standing, wish: Wish) -> Json | None:
    """The board that is wished for, or None where there is none yet."""
    found = _wished(standing, wish)
    if found is None:
        return None
    rows = found.rows[:MOST_ROWS]
    rooms = _rooms_by_key(known, found.scope)
    minutes = spark_minutes(known)
    return {
        "scope": found.scope,
        "window": found.window,
        "currency": shown_currency(found),
        "code": found.currency,
        "digits": digits_of(found.currency),
        "as_of_ms": found.as_of_ms,
        "day": found.day,
        "zone": found.zone or DEFAULT_ZONE,
        "rates_date": found.rates_date,
        "without_rate": list(found.without_rate),
        "all_rows": len(found.rows),
        "is_live": known.is_live,
        "rows": [_row(known, row, rooms, minutes) for row in rows],
    }


def headlines(standing: Standing, currency: str | None) -> Json | None:
    """Who leads the rooms by each kind of money, and who loses places to suspicion."""
    found = _wished(standing, Wish(currency=currency))
    rows = [row for row in found.rows if isinstance(row, BoardRow)] if found else []
    if found is None or not rows:
        return None
    losers = sorted(
        (row for row in rows if row.places_lost > 0),
        key=lambda row: (-row.places_lost, row.rank_gross),
    )
    leaders = {
        f"by_{name}": _brief(min(rows, key=lambda row: getattr(row, f"rank_{name}")))
        for name in ("gross", "net", "trusted")
    }
    return {
        "code": found.currency,
        "digits": digits_of(found.currency),
        **leaders,
        "losers": [_brief(row) for row in losers[:_LOSERS]],
        "all_losers": len(losers),
    }


def _wished(standing: Standing, wish: Wish) -> AnyBoard | None:
    known = currencies(standing)
    currency = wish.currency if wish.currency in known else next(iter(known), None)
    return standing.board(wish.scope, wish.window, currency)


def _brief(row: BoardRow) -> Json:
    names = ("key", "name", "gross_minor", "net_minor", "trusted_minor", "suspected_minor",
             "rank_gross", "rank_net", "rank_trusted", "places_lost")  # fmt: skip
    return {name: getattr(row, name) for name in names}


def _row(
    known: Known, row: BoardRow | WindowRow, rooms: Mapping[str, list[str]], minutes: list[range]
) -> Json:
    plain = msgspec.structs.asdict(row)
    shown: Json = {name: plain[name] for name in _SHOWN if name in plain}
    if row.key in rooms:
        shown["spark"] = known.minutes.gross_of(rooms[row.key], minutes)
    return shown


def _rooms_by_key(known: Known, scope: str) -> dict[str, list[str]]:
    """The rooms of each row whose minutes are drawn: those of a room, a host or an agency."""
    found: dict[str, list[str]] = {}
    for drawn in _DRAWN:
        if drawn != scope:
            continue
        for room_id, figures in known.rooms.items():
            key = room_key(drawn, figures)
            if key is not None:
                found.setdefault(key, []).append(room_id)
    return found


def spark_minutes(known: Known) -> list[range]:
    """The minutes of each point of a row's curve: the last half hour, or all of a past run."""
    newest_ms, oldest_ms = known.minutes.newest_ms, known.minutes.oldest_ms
    if newest_ms is None or oldest_ms is None:
        return []
    step_ms = MINUTE_MS
    if not known.is_live:
        all_minutes = (newest_ms - oldest_ms) // MINUTE_MS + 1
        step_ms *= max(1, -(-all_minutes // SPARK_POINTS))
    end_ms = newest_ms + MINUTE_MS
    starts = (end_ms - back * step_ms for back in range(SPARK_POINTS, 0, -1))
    return [range(start_ms, start_ms + step_ms, MINUTE_MS) for start_ms in starts]
