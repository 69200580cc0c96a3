"""Who leads, by every scope, window and currency?

Totals add up the rooms' figures; windows and momentum add up closed minutes. Money of different
currencies never meets. Ranks are taken over all rows before the board is cut to `top`.
"""

from collections import Counter
from typing import Final

from tests.oracle.outcomes import MINUTE_MS
from tests.oracle.rooms import (
    Room,
    Row,
    by_merchant,
    by_product,
    first_refunds,
    of_kind,
    product_sums,
    ratio,
)

# Of each scope over rooms: the field of the summary that is its key.
ROOM_SCOPES: Final = {
    "room": "room_id",
    "host": "host_id",
    "mcn": "mcn_id",
    "mode": "mode",
    "category": "category",
}
GOODS_SCOPES: Final = {"merchant": by_merchant, "product": by_product}
WINDOWS: Final = ("day", "last_10m", "last_60m")
ZONE_OFFSET_MS: Final = 8 * 3_600_000  # Asia/Shanghai, the same all year since before 2000
DAY_MS: Final = 24 * 3_600_000
SUMMED: Final = (
    "gross_minor",
    "net_minor",
    "trusted_minor",
    "refunded_minor",
    "orders",
    "buyers",
    "visits",
    "viewers",
    "impressions",
    "product_impressions",
    "clicks",
    "carts",
    "checkouts",
    "comments",
    "likes",
    "shares",
    "follows",
    "gifts",
    "complaints_opened",
)
INTERACTIONS: Final = ("comments", "likes", "shares", "follows", "gifts")


def boards_of(
    rooms: list[Room],
    summaries: dict[str, Row],
    minutes: list[Row],
    as_of_ms: int | None,
    top: int,
) -> list[Row]:
    """Return `boards.json`."""
    currencies = {row["currency"] for row in summaries.values()}
    boards = []
    for currency in sorted(currencies, key=lambda c: c or ""):
        own = {name: row for name, row in summaries.items() if row["currency"] == currency}
        own_rooms = [room for room in rooms if room.room_id in own]
        own_minutes = [line for line in minutes if line["room_id"] in own]
        for scope in ROOM_SCOPES:
            rows = _room_totals(scope, own_rooms, own, own_minutes, as_of_ms)
            boards.append(_board(scope, "total", currency, as_of_ms, rows))
            for window in WINDOWS:
                inside = [m for m in own_minutes if _is_in(window, m["minute_ms"], as_of_ms)]
                rows = _window_rows(scope, own, inside)
                boards.append(_board(scope, window, currency, as_of_ms, rows))
        for scope in GOODS_SCOPES:
            rows = _goods_totals(scope, own_rooms)
            boards.append(_board(scope, "total", currency, as_of_ms, rows))
    for board in boards:
        board["rows"] = board["rows"][:top] if top else board["rows"]
    return boards


def _board(
    scope: str, window: str, currency: str | None, as_of_ms: int | None, rows: list[Row]
) -> Row:
    return {
        "scope": scope,
        "window": window,
        "currency": currency,
        "as_of_ms": as_of_ms,
        "rows": rows,
    }


def _is_in(window: str, minute_ms: int, as_of_ms: int | None) -> bool:
    if as_of_ms is None:
        return False
    if window == "day":
        return _day(minute_ms) == _day(as_of_ms) and minute_ms < as_of_ms // MINUTE_MS * MINUTE_MS
    return _is_ago(minute_ms, as_of_ms, 10 if window == "last_10m" else 60, 0)


def _day(ts_ms: int) -> int:
    return (ts_ms + ZONE_OFFSET_MS) // DAY_MS


def _is_ago(minute_ms: int, as_of_ms: int, most: int, least: int) -> bool:
    """Whether a minute lies in [most, least) minutes before the minute of `as_of_ms`."""
    this_minute_ms = as_of_ms // MINUTE_MS * MINUTE_MS
    first_ms = this_minute_ms - most * MINUTE_MS
    return first_ms <= minute_ms < this_minute_ms - least * MINUTE_MS


def _groups(scope: str, summaries: dict[str, Row]) -> dict[str, list[str]]:
    groups: dict[str, list[str]] = {}
    for room_id, row in sorted(summaries.items()):
        key = row[ROOM_SCOPES[scope]]
        if key is not None:
            groups.setdefault(key, []).append(room_id)
    return groups


def _name(scope: str, key: str, rows: list[Row]) -> str:
    if scope == "host":
        named = [r for r in rows if r["host_name"] is not None]
        newest = sorted(named, key=lambda r: (r["opened_ms"], r["room_id"]))[-1:]
        return next((str(r["host_name"]) for r in newest), key)
    if scope == "room":
        return str(rows[0]["host_name"] or rows[0]["host_id"] or "unknown")
    return key


def _room_totals(
    scope: str,
    rooms: list[Room],
    summaries: dict[str, Row],
    minutes: list[Row],
    as_of_ms: int | None,
) -> list[Row]:
    rows = []
    for key, room_ids in _groups(scope, summaries).items():
        members = [summaries[room_id] for room_id in room_ids]
        sums = Counter({name: sum(int(r[name]) for r in members) for name in SUMMED})
        sums["refunded_orders"] = sum(
            len(first_refunds(of_kind(room.steps, "refund")))
            for room in rooms
            if room.room_id in room_ids
        )
        row = _identity(key, _name(scope, key, members), sums) | _goods_derived(sums)
        row |= _audience_derived(sums)
        row["momentum"] = _momentum([m for m in minutes if m["room_id"] in room_ids], as_of_ms)
        rows.append(row)
    return _ranked(rows)


def _goods_totals(scope: str, rooms: list[Room]) -> list[Row]:
    sums: dict[str, Counter[str]] = {}
    for room in rooms:
        for key, steps in GOODS_SCOPES[scope](room).items():
            sums.setdefault(key, Counter()).update(
                product_sums(steps, of_kind(room.steps, "refund"))
            )
    rows = []
    for key, figures in sums.items():
        row = _identity(key, key, figures) | _goods_derived(figures)
        row |= dict.fromkeys([*_audience_derived(Counter()), "momentum"])
        rows.append(row)
    return _ranked(rows)


def _window_rows(scope: str, summaries: dict[str, Row], minutes: list[Row]) -> list[Row]:
    rows = []
    for key, room_ids in _groups(scope, summaries).items():
        own = [m for m in minutes if m["room_id"] in room_ids]
        if not own:
            continue
        gross_minor = sum(m["gross_minor"] for m in own)
        visits = sum(m["visits"] for m in own)
        rows.append(
            {
                "key": key,
                "name": _name(scope, key, [summaries[room_id] for room_id in room_ids]),
                "gross_minor": gross_minor,
                "net_minor": gross_minor - sum(m["refunded_minor"] for m in own),
                "orders": sum(m["orders"] for m in own),
                "visits": visits,
                "gpm_minor": ratio(gross_minor * 1000, visits),
            }
        )
    ranks = _positions(rows, "gross_minor")
    for row in rows:
        row["rank"] = ranks[row["key"]]
    return sorted(rows, key=_rank)


def _identity(key: str, name: str, sums: Counter[str]) -> Row:
    money = ("gross_minor", "net_minor", "trusted_minor", "orders")
    return {"key": key, "name": name, **{figure: sums[figure] for figure in money}}


def _goods_derived(sums: Counter[str]) -> Row:
    funnel = ("product_impressions", "clicks", "carts", "checkouts")
    return {figure: sums[figure] for figure in funnel} | {
        "click_rate": ratio(sums["clicks"], sums["product_impressions"]),
        "cart_rate": ratio(sums["carts"], sums["clicks"]),
        "checkout_rate": ratio(sums["checkouts"], sums["clicks"]),
        "paid_rate": ratio(sums["orders"], sums["checkouts"]),
        "refund_rate": ratio(sums["refunded_orders"], sums["orders"]),
        "refund_value_rate": ratio(sums["refunded_minor"], sums["gross_minor"]),
        "complaint_rate": ratio(sums["complaints_opened"], sums["orders"]),
        "average_order_minor": ratio(sums["gross_minor"], sums["orders"]),
    }


def _audience_derived(sums: Counter[str]) -> Row:
    return {
        "gpm_minor": ratio(sums["gross_minor"] * 1000, sums["visits"]),
        "show_gpm_minor": ratio(sums["gross_minor"] * 1000, sums["impressions"]),
        "entry_rate": ratio(sums["visits"], sums["impressions"]),
        "uv_value_minor": ratio(sums["gross_minor"], sums["viewers"]),
        "conversion": ratio(sums["buyers"], sums["viewers"]),
        "interaction_rate": ratio(sum(sums[name] for name in INTERACTIONS), sums["visits"]),
        "follow_rate": ratio(sums["follows"], sums["visits"]),
    }


def _momentum(minutes: list[Row], as_of_ms: int | None) -> float | None:
    if as_of_ms is None:
        return None
    last = sum(m["gross_minor"] for m in minutes if _is_ago(m["minute_ms"], as_of_ms, 10, 0))
    before = sum(m["gross_minor"] for m in minutes if _is_ago(m["minute_ms"], as_of_ms, 20, 10))
    return ratio(last, before)


def _positions(rows: list[Row], figure: str) -> dict[str, int]:
    ordered = sorted((-row[figure], row["key"]) for row in rows)
    return {key: place for place, (_, key) in enumerate(ordered, start=1)}


def _ranked(rows: list[Row]) -> list[Row]:
    for money in ("gross", "net", "trusted"):
        positions = _positions(rows, f"{money}_minor")
        for row in rows:
            row[f"rank_{money}"] = positions[row["key"]]
    for row in rows:
        row["rank"] = row["rank_gross"]
        row["places_lost"] = row["rank_trusted"] - row["rank_gross"]
    return sorted(rows, key=_rank)


def _rank(row: Row) -> int:
    return int(row["rank"])
