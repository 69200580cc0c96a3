"""How do the agencies stand? Their hosts and rooms, their money three ways, and what it is worth.

`agencies.json`: `{formula, agencies}`, a row for each agency and currency. The development index
(0 to 100) is the mean by weight of four parts: size (trusted GMV) and breadth (hosts), each on a
logarithmic scale against the greatest of the currency; growth on the week before; the credit score.
A part that is not known is null, and the rest weigh more. The numbers are rules (`development`).

The week is the 168 hours that end with the one of the least watermark; orders count in the hour of
their stamp. There is no growth where the log does not reach back to the start of the week before.
"""

from collections.abc import Iterable, Mapping
from math import log1p
from typing import Any, Final

from schemas.details import SoldHour
from schemas.records import RoomFigures, RoomSummary
from schemas.score_rules import DevelopmentRules
from streams.core.dictionary import rate
from streams.core.market.credit import mean, points_between
from streams.core.market.measures import Known, Place, Report, Sections
from streams.core.market.sold_hours import HOUR_MS
from streams.core.stickiness.facts import Row

WEEK_MS: Final = 7 * 24 * HOUR_MS
_MONEY: Final = ("gross_minor", "net_minor", "trusted_minor")
PARTS: Final = ("size", "breadth", "growth", "credit")
# Agency, currency.
_Key = tuple[str, str]


class _Agency:
    """What the rooms of one agency and currency come to."""

    def __init__(self) -> None:
        self.hosts: dict[str, None] = {}
        self.rooms = 0
        self.orders = 0
        self.suspected_orders = 0
        self.suspected_minor = 0
        self.money = dict.fromkeys(_MONEY, 0)
        self.week_minor = 0
        self.week_before_minor = 0
        # of these, suspected
        self.week_suspected_minor = 0
        self.week_before_suspected_minor = 0

    def add(self, room: RoomSummary) -> None:
        if room.host_id is not None:
            self.hosts[room.host_id] = None
        self.rooms += 1
        self.orders += room.orders
        self.suspected_orders += room.suspected_orders
        self.suspected_minor += room.suspected_minor
        for name in _MONEY:
            self.money[name] += getattr(room, name)


class Weeks:
    """The last week and the one before, of a log.

    Args:
        as_of_ms: the least watermark.
        first_ms: the first hour with an order anywhere.
    """

    def __init__(self, as_of_ms: int, first_ms: int) -> None:
        self._end_ms = as_of_ms - as_of_ms % HOUR_MS + HOUR_MS
        self.has_before = first_ms <= self._end_ms - 2 * WEEK_MS

    def weeks_ago(self, hour_ms: int) -> int:
        """0 for an hour of the last week, 1 for one of the week before, and so on."""
        return (self._end_ms - HOUR_MS - hour_ms) // WEEK_MS


def agencies(
    rooms: Mapping[str, RoomFigures],
    hours: Iterable[SoldHour],
    as_of_ms: int | None,
    *,
    known: Mapping[Place, Known],
    after_sales: Report,
    credits_: Mapping[str, float | None],
    rules: DevelopmentRules,
) -> Sections:
    """What `agencies.json` holds.

    Args:
        rooms: the figures of every room by id.
        hours: what each product of each room sold by the hour.
        as_of_ms: the least watermark; None before the first event.
        known: what is known of each agency.
        after_sales: the sections of `after-sales.json`.
        credits_: the credit score of each agency.
        rules: the formula of the index.
    """
    found: dict[_Key, _Agency] = {}
    for room_id in sorted(rooms):
        room = rooms[room_id].summary
        if room.mcn_id is not None:
            found.setdefault((room.mcn_id, room.currency or ""), _Agency()).add(room)
    weeks = _add_weeks(found, rooms, list(hours), as_of_ms)
    loads = {
        (row["key"], row["currency"] or ""): row
        for row in after_sales.get("mcns", ())
        if row["party"] is None
    }
    by_currency: dict[str, list[_Key]] = {}
    for key in sorted(found):
        by_currency.setdefault(key[1], []).append(key)
    ranks = {
        name: _places(by_currency, lambda key, name=name: found[key].money[name]) for name in _MONEY
    }
    weights = _weights(rules)
    rows: dict[_Key, dict[str, Any]] = {}
    for key in sorted(found):
        rivals = [found[each] for each in by_currency[key[1]]]
        growth = _growth(found[key]) if weeks is not None and weeks.has_before else None
        points = _points(found[key], rivals, growth, credits_.get(key[0]), rules)
        parts = [{"part": part, "weight": weights[part], "points": points[part]} for part in PARTS]
        rows[key] = (
            _head(key, found[key], {name: ranks[name][key] for name in _MONEY}, growth)
            | _trust(found[key], known[("mcns", key[0])], loads.get(key))
            | {"parts": parts, "index": mean((points[each], weights[each]) for each in PARTS)}
        )
    ranked = _places(by_currency, lambda key: rows[key]["index"] or 0.0)
    return {
        "formula": formula(rules),
        "agencies": [row | {"rank_index": ranked[key]} for key, row in rows.items()],
    }


def formula(rules: DevelopmentRules) -> Row:
    """The formula in words and in numbers, as it stands beside what it made."""
    return {
        "formula": rules.formula,
        "index": "sum of weight x points over the parts that are known / sum of their weights",
        "size": "100 x ln(1 + trusted_minor) / ln(1 + the greatest of the currency); 0 below 0",
        "breadth": "100 x ln(1 + hosts) / ln(1 + the most of the currency)",
        "growth": "100 x (growth - worst_growth) / (best_growth - worst_growth), within 0 and 100",
        "credit": "the credit score of the agency",
        "weights": _weights(rules),
        "worst_growth": rules.worst_growth,
        "best_growth": rules.best_growth,
    }


def _add_weeks(
    found: Mapping[_Key, _Agency],
    rooms: Mapping[str, RoomFigures],
    hours: list[SoldHour],
    as_of_ms: int | None,
) -> Weeks | None:
    if as_of_ms is None or not hours:
        return None
    weeks = Weeks(as_of_ms, min(each.hour_ms for each in hours))
    for each in hours:
        room = rooms.get(each.room_id)
        if room is None or room.summary.mcn_id is None:
            continue
        agency = found[room.summary.mcn_id, room.summary.currency or ""]
        ago = weeks.weeks_ago(each.hour_ms)
        if ago == 0:
            agency.week_minor += each.gross_minor
            agency.week_suspected_minor += each.suspected_minor
        elif ago == 1:
            agency.week_before_minor += each.gross_minor
            agency.week_before_suspected_minor += each.suspected_minor
    return weeks


def _growth(agency: _Agency) -> float | None:
    return rate(agency.week_minor - agency.week_before_minor, agency.week_before_minor)


def _trusted_growth(agency: _Agency) -> float | None:
    """The same without suspected orders."""
    before_minor = agency.week_before_minor - agency.week_before_suspected_minor
    return rate(agency.week_minor - agency.week_suspected_minor - before_minor, before_minor)


def _places(by_currency: Mapping[str, list[_Key]], figure: Any) -> dict[_Key, int]:  # noqa: ANN401
    """The place of each agency among those of its currency, the greatest first, ties by id."""
    return {
        key: place
        for own in by_currency.values()
        for place, key in enumerate(sorted(own, key=lambda key: (-figure(key), key)), start=1)
    }


def _head(key: _Key, agency: _Agency, ranks: Mapping[str, int], growth: float | None) -> Row:
    mcn_id, currency = key
    return {
        "mcn_id": mcn_id,
        "currency": currency or None,
        "hosts": len(agency.hosts),
        "rooms": agency.rooms,
        "orders": agency.orders,
        **agency.money,
        "rank_gross": ranks["gross_minor"],
        "rank_net": ranks["net_minor"],
        "rank_trusted": ranks["trusted_minor"],
        "places_lost": ranks["trusted_minor"] - ranks["gross_minor"],
        "week_gross_minor": agency.week_minor,
        "week_before_gross_minor": agency.week_before_minor,
        "growth": growth,
        "growth_trusted": None if growth is None else _trusted_growth(agency),
    }


def _trust(agency: _Agency, known: Known, load: Mapping[str, Any] | None) -> Row:
    """Integrity, after-sales and stickiness, as far as they are known."""
    load = load or {}
    refunds = load.get("refunds", 0)
    complaints = load.get("complaints", 0)
    honest = max(0, agency.orders - agency.suspected_orders)
    breaches = sum(load.get(f"{level}_breaches", 0) for level in ("first_reply", "resolution"))
    return {
        "suspected_orders": agency.suspected_orders,
        "suspected_minor": agency.suspected_minor,
        "suspected_share": rate(agency.suspected_minor, agency.money["gross_minor"]),
        "integrity_alerts": known.integrity_alerts,
        "price_alerts": known.price_alerts,
        "refunds": refunds,
        "refunds_per_order": rate(refunds, agency.orders),
        "refunds_per_order_trusted": rate(refunds, honest),
        "complaints": complaints,
        "complaint_rate": rate(complaints, agency.orders),
        "complaint_rate_trusted": rate(complaints, honest),
        "breaches": breaches,
        "viewers": known.viewers,
        "returning_share": rate(known.returning_viewers, known.viewers or 0),
        "buyers": known.buyers,
        "repeat_share": rate(known.repeat_buyers, known.buyers or 0),
    }


def _weights(rules: DevelopmentRules) -> dict[str, float]:
    return {part: getattr(rules, part) for part in PARTS}


def _points(
    agency: _Agency,
    rivals: list[_Agency],
    growth: float | None,
    credit: float | None,
    rules: DevelopmentRules,
) -> dict[str, float | None]:
    """The points of each part of the index."""
    most_hosts = max(len(each.hosts) for each in rivals)
    worst, best = rules.worst_growth, rules.best_growth
    return {
        "size": _against_the_greatest(_size(agency), max(map(_size, rivals))),
        "breadth": _against_the_greatest(len(agency.hosts), most_hosts),
        "growth": None if growth is None else points_between(growth, worst, best),
        "credit": credit,
    }


def _size(agency: _Agency) -> int:
    return max(0, agency.money["trusted_minor"])


def _against_the_greatest(amount: int, greatest: int) -> float | None:
    return points_between(log1p(amount), 0.0, log1p(greatest)) if greatest else None
