"""What is known of each host, agency and merchant, to score them? Counts, with their bases.

A pure function of the rooms' figures, of the products', of alerts and of the reports on after-sales
and stickiness. Counts are of orders, rooms and people, so those of several currencies add up. A
complaint or a refund counts for whom it is laid to: of hosts and agencies what `after-sales.json`
lays to the host, of merchants what it lays to the merchant. People are those of `stickiness.json`
without the suspected ones: viewers of rooms that were opened after another of their host, buyers of
hosts with such a room.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from schemas.records import Alert, RoomSummary
from streams.core.newest import Newest

INTEGRITY_KINDS: Final = (
    "brushed_orders",
    "identity_ring",
    "fake_viewers",
    "off_platform_payment",
    "sale_after_delisting",
)
PRICE_KINDS: Final = ("list_price_inflation",)
SCOPES: Final = ("hosts", "mcns", "merchants")
_PARTY: Final = {"hosts": "host", "mcns": "host", "merchants": "merchant"}
# Scope and key.
Place = tuple[str, str]
Report = Mapping[str, Any]
# What a file of a score holds.
Sections = dict[str, Any]


@dataclass(slots=True)
class Known:
    """What is known of one key.

    Attributes:
        shows: rooms; of a merchant, products in rooms.
        judged: answers on both service levels that were in time or are a breach.
        viewers, buyers: None where stickiness is not known of such a key.
    """

    orders: int = 0
    suspected_orders: int = 0
    shows: int = 0
    integrity_alerts: int = 0
    price_alerts: int = 0
    complaints: int = 0
    price_complaints: int = 0
    quality_refunds: int = 0
    judged: int = 0
    breaches: int = 0
    viewers: int | None = None
    returning_viewers: int = 0
    buyers: int | None = None
    repeat_buyers: int = 0


class _Gathering:
    """The knowledge of all keys, as it is gathered."""

    def __init__(self, newest: Newest) -> None:
        self.known: dict[Place, Known] = {}
        self._rooms = {room_id: figures.summary for room_id, figures in newest.rooms.items()}
        self._merchants: dict[tuple[str, str], list[str]] = {}
        for room_id in sorted(self._rooms):
            self._room(self._rooms[room_id])
        for each in newest.products:
            if each.merchant_id is not None:
                goods = self._merchants.setdefault((each.room_id, each.product_id), [])
                goods.append(each.merchant_id)
                known = self.at(("merchants", each.merchant_id))
                known.shows += 1
                known.orders += each.orders
                known.suspected_orders += each.suspected_orders

    def at(self, place: Place) -> Known:
        return self.known.setdefault(place, Known())

    def _room(self, room: RoomSummary) -> None:
        for place in _places(room):
            known = self.at(place)
            known.shows += 1
            known.orders += room.orders
            known.suspected_orders += room.suspected_orders

    def alerts(self, alerts: Iterable[Alert]) -> None:
        """Count each incident once for each key that it is about."""
        about: dict[str, Alert] = {}
        for each in alerts:
            about[each.alert_id] = each
        for alert_id in sorted(about):
            alert = about[alert_id]
            for place in self._places_of(alert):
                self.at(place).integrity_alerts += alert.kind in INTEGRITY_KINDS
                self.at(place).price_alerts += alert.kind in PRICE_KINDS

    def _places_of(self, alert: Alert) -> list[Place]:
        places: dict[Place, None] = {}
        for room_id in alert.rooms:
            room = self._rooms.get(room_id)
            if room is not None:
                places.update(dict.fromkeys(_places(room)))
            if alert.product_id is not None:
                merchants = self._merchants.get((room_id, alert.product_id), [])
                places.update({("merchants", merchant_id): None for merchant_id in merchants})
        return list(places)

    def after_sales(self, report: Report) -> None:
        """Take what each answers for."""
        for section, party in _PARTY.items():
            for row in report.get(section, ()):
                if row["party"] != party:
                    continue
                known = self.at((section, row["key"]))
                known.complaints += row["complaints"]
                known.price_complaints += row["complaints_by_kind"].get("price_fraud", 0)
                known.quality_refunds += row["quality_refunds"]
                for level in ("first_reply", "resolution"):
                    known.breaches += row[f"{level}_breaches"]
                    known.judged += row[f"{level}_breaches"] + row[f"{level}_in_time"]

    def stickiness(self, report: Report) -> None:
        """Take who came back to hosts with more than one room: one show says nothing of that."""
        first_ms: dict[str, int] = {}
        for room in self._rooms.values():
            if room.host_id is not None and room.opened_ms is not None:
                earliest_ms = first_ms.get(room.host_id, room.opened_ms)
                first_ms[room.host_id] = min(earliest_ms, room.opened_ms)
        hosts_of: dict[Place, dict[str, None]] = {}
        for row in report["rooms"]:
            room = self._rooms[row["room_id"]]
            if (room.opened_ms or 0) > first_ms[row["host_id"]]:
                for place in _places(room):
                    hosts_of.setdefault(place, {})[row["host_id"]] = None
                    known = self.at(place)
                    known.viewers = (known.viewers or 0) + row["viewers_trusted"]
                    known.returning_viewers += row["returning_viewers_trusted"]
        hosts = {row["host_id"]: row for row in report["hosts"]}
        for place, own in hosts_of.items():
            known = self.at(place)
            known.buyers = sum(hosts[host_id]["buyers_trusted"] for host_id in own)
            known.repeat_buyers = sum(hosts[host_id]["repeat_buyers_trusted"] for host_id in own)


def gathered(
    newest: Newest, alerts: Iterable[Alert], after_sales: Report, stickiness: Report
) -> dict[Place, Known]:
    """What is known of every host, agency and merchant.

    Args:
        newest: what rooms said last of themselves.
        alerts: every version of every alert.
        after_sales: the sections of `after-sales.json`.
        stickiness: those of `stickiness.json`.
    """
    gathering = _Gathering(newest)
    gathering.alerts(alerts)
    gathering.after_sales(after_sales)
    gathering.stickiness(stickiness)
    return dict(sorted(gathering.known.items()))


def _places(room: RoomSummary) -> list[Place]:
    places: list[Place] = []
    if room.host_id is not None:
        places.append(("hosts", room.host_id))
    if room.mcn_id is not None:
        places.append(("mcns", room.mcn_id))
    return places
