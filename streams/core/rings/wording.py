"""What does the alert of a ring say? One sentence; whom and what it names is masked."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from schemas.records import Alert
from streams.core.integrity.incident import Incident
from streams.core.integrity.wording import SAYS, About, only, told
from streams.core.rings.evidence import Found
from streams.core.rings.identities import Identity
from streams.core.rings.tied import TiedOrder

_PLURALS = {"device": "devices", "payment": "payment accounts", "address": "addresses"}
_SINGULARS = {"device": "device", "payment": "payment account", "address": "address"}
_SHOWN_ROOMS, _SHOWN_IDENTITIES = 5, 3


class Ring:
    """What is remembered of a ring while its incident is open.

    Attributes:
        buyers: who belongs to it.
        paged: those of them whose orders are marked.
        rooms: where they ordered.
        hosts, mcns: of these rooms, those that are known.
        currency: of most of the orders.
    """

    __slots__ = ("buyers", "currency", "hosts", "mcns", "paged", "rooms")

    def __init__(self) -> None:
        self.buyers: dict[str, None] = {}
        self.paged: dict[str, None] = {}
        self.rooms: dict[str, None] = {}
        self.hosts: dict[str, None] = {}
        self.mcns: dict[str, None] = {}
        self.currency: str | None = None

    def take(self, found: Found) -> None:
        """Learn who and what belongs to it now."""
        self.buyers |= dict.fromkeys(found.buyers)
        if found.severity == "page":
            self.paged |= dict.fromkeys(found.buyers)
        self.rooms |= dict.fromkeys(found.rooms)
        for tied in found.orders:
            self.hosts[tied.order.host_id or ""] = None
            self.mcns[tied.order.mcn_id or ""] = None
        self.currency = main_currency(found.orders)

    def snapshot(self) -> list[Any]:
        names = (self.buyers, self.paged, self.rooms, self.hosts, self.mcns)
        return [self.currency, *map(list, names)]

    @classmethod
    def restored(cls, state: list[Any]) -> "Ring":
        self = cls()
        self.currency, *names = state
        self.buyers, self.paged, self.rooms, self.hosts, self.mcns = map(dict.fromkeys, names)
        return self


def alert_of_ring(incident: Incident, ring: Ring, rules_version: int | str | None) -> Alert:
    """The alert that tells the newest version of a ring."""
    about = About(
        room_id=only(ring.rooms),
        host_id=only(ring.hosts),
        mcn_id=only(ring.mcns),
        product_id=None,
        currency=ring.currency,
        rooms=sorted(ring.rooms),
    )
    return told(incident, "", about, rules_version)


def main_currency(orders: Sequence[TiedOrder]) -> str | None:
    """The currency of most of the orders; sums of several would say nothing."""
    counts = Counter(tied.order.currency or "" for tied in orders)
    currency = min(counts, key=lambda each: (-counts[each], each), default="")
    return currency or None


def money_of(orders: Sequence[TiedOrder]) -> int:
    """What the orders in their main currency paid."""
    currency = main_currency(orders)
    return sum(tied.order.amount_minor for tied in orders if tied.order.currency == currency)


def ring_sentence(found: Found) -> str:
    """What holds a ring together, and what else its orders have in common."""
    buyers, orders = len(found.buyers), len(found.orders)
    rooms = _listed(found.rooms, _SHOWN_ROOMS, len(found.rooms))
    where = f"in {'rooms' if len(found.rooms) > 1 else 'room'} {rooms}"
    if found.shared:
        what = (
            f"Suspected ring: {buyers} buyers who share {_shared(found.shared)} placed"
            f" {orders} orders {where} within 24 hours"
        )
    else:
        what = (
            f"Suspected ring: the same {buyers} buyers placed {orders} orders {where}, of"
            " different hosts, within 24 hours"
        )
    also = [
        f"{sign.seen} of {sign.of} {SAYS[sign.name]} (normal: {sign.base:.1%})"
        for sign in found.signs
        if sign.name in SAYS and not sign.name.startswith("shared_")
    ]
    return f"{what}; of these, {'; '.join(also)}." if also else f"{what}."


def _shared(identities: list[Identity]) -> str:
    parts = []
    for kind, plural in _PLURALS.items():
        ids = [f"…{each.name[-4:]}" for each in identities if each.kind == kind]
        if ids:
            noun = plural if len(ids) > 1 else _SINGULARS[kind]
            parts.append(f"{len(ids)} {noun} ({_listed(ids, _SHOWN_IDENTITIES, len(ids))})")
    return " and ".join(parts)


def _listed(names: list[str], most: int, of: int) -> str:
    shown = ", ".join(names[:most])
    return f"{shown} and {of - most} more" if of > most else shown
