"""Which products are fought over? Level 2 of price wars: turns of all rooms, in one place.

Turns come merged by event time; what an exchange and a war are is told in
`streams.core.market.exchanges`. A war has an incident with versions like any other (design, section
8): it is told with the turn that makes it one, when it has twice as many turns, and once it was
quiet. Nobody is suspected: it is for whoever answers for prices to look at.

State: the exchange of each product, open incidents. Caps: `exchanges` (the one whose last turn is
oldest goes first), `open_incidents`.
"""

from collections.abc import Iterable
from typing import Any, Final

from schemas.detector_rules import PriceWarRules
from schemas.links import Undercut
from schemas.records import Alert
from streams.core import limits
from streams.core.integrity.detector import MINUTE_MS
from streams.core.integrity.incident import Incident, Sign
from streams.core.integrity.incidents import Finding, Incidents
from streams.core.integrity.wording import About, only, told
from streams.core.market.exchanges import (
    TURNS,
    UNDER_MEDIAN_PERCENT,
    WITHIN_MS,
    Exchange,
    Turn,
)

_KIND: Final = "price_war"
_SHOWN_ROOMS: Final = 5
_WHOLE: Final = 100


class _War:
    """An exchange over one product in one currency.

    Attributes:
        median_minor: of the prices before its first turn.
        hosts, mcns: of the rooms that took part, "" where one is not known.
    """

    __slots__ = ("exchange", "hosts", "mcns", "median_minor")

    def __init__(self, exchange: Exchange, median_minor: int | None) -> None:
        self.exchange = exchange
        self.median_minor = median_minor
        self.hosts: dict[str, None] = {}
        self.mcns: dict[str, None] = {}

    def took_part(self, undercut: Undercut) -> None:
        """Learn whose room it was; two tell that it is of nobody alone."""
        for names, name in ((self.hosts, undercut.host_id), (self.mcns, undercut.mcn_id)):
            if len(names) <= 1:
                names[name or ""] = None

    @property
    def is_on(self) -> bool:
        """Whether it is a war."""
        return self.exchange.is_war(self.median_minor)

    def snapshot(self) -> list[Any]:
        return [self.exchange.snapshot(), self.median_minor, list(self.hosts), list(self.mcns)]

    @classmethod
    def restored(cls, state: list[Any]) -> "_War":
        exchange, median_minor, hosts, mcns = state
        self = cls(Exchange.restored(exchange), median_minor)
        self.hosts, self.mcns = dict.fromkeys(hosts), dict.fromkeys(mcns)
        return self


class Wars:
    """The price wars of all rooms."""

    __slots__ = ("_evictions", "_exchanges", "_incidents")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self._exchanges: dict[str, _War] = {}  # by product and currency
        self._incidents = Incidents(_KIND, evictions)

    def take(
        self, undercuts: Iterable[Undercut], ts_ms: int, version: int | str | None
    ) -> Iterable[Alert]:
        """Take the turns of one event time; what there is to tell.

        Args:
            undercuts: in no order that counts.
            ts_ms: the event time.
            version: of the rules in force.
        """
        for undercut in sorted(undercuts, key=_order):
            name = f"{undercut.product_id}\0{undercut.currency or ''}"
            war = self._turn(name, undercut, ts_ms)
            if war is not None and war.is_on:
                score = float(war.exchange.turns)
                if self._incidents.noticed(score, ts_ms, name):
                    finding = _finding(war, undercut.product_id)
                    for incident in self._incidents.tell(finding, ts_ms, name):
                        yield self._alert(incident, version)

    def _turn(self, name: str, undercut: Undercut, ts_ms: int) -> _War | None:
        """The exchange of which it is a turn; None if it is none."""
        turn = Turn(ts_ms, undercut.room_id, undercut.price_minor, undercut.under_minor)
        war = self._exchanges.get(name)
        if war is None or war.exchange.is_over(ts_ms):
            war = self._exchanges[name] = _War(Exchange(turn), undercut.median_minor)
            self._make_room()
        elif not war.exchange.take(turn):
            return None
        war.took_part(undercut)
        return war

    def _make_room(self) -> None:
        known = self._exchanges
        if len(known) > limits.cap("exchanges"):
            self._evictions.give_up_oldest(
                "exchanges", known, lambda name: (known[name].exchange.last.ts_ms, name)
            )

    def settle(
        self, watermark_ms: int, rules: PriceWarRules, version: int | str | None
    ) -> Iterable[Alert]:
        """End the wars that were quiet for long enough."""
        if self._incidents.open:
            quiet_ms = rules.quiet_minutes * MINUTE_MS
            for incident in self._incidents.settle(watermark_ms, quiet_ms):
                yield self._alert(incident, version)

    def sweep(self, watermark_ms: int) -> None:
        """Free exchanges that are over and belong to nothing open; results do not depend on it."""
        old_ms = watermark_ms - WITHIN_MS
        self._exchanges = {
            name: war
            for name, war in self._exchanges.items()
            if war.exchange.last.ts_ms >= old_ms or name in self._incidents.open
        }

    def _alert(self, incident: Incident, version: int | str | None) -> Alert:
        name = incident.product_id or ""
        product_id, currency = name.split("\0")
        war = self._exchanges.get(name)
        about = About(
            room_id=None,
            host_id=only(war.hosts) if war is not None else None,
            mcn_id=only(war.mcns) if war is not None else None,
            product_id=product_id,
            currency=currency or None,
            rooms=sorted(war.exchange.rooms) if war is not None else [],
        )
        return told(incident, "", about, version)

    def snapshot(self) -> list[Any]:
        wars = [[name, war.snapshot()] for name, war in self._exchanges.items()]
        return [wars, self._incidents.snapshot()]

    def restore(self, state: list[Any]) -> None:
        wars, incidents = state
        self._exchanges = {name: _War.restored(saved) for name, saved in wars}
        self._incidents.restore(incidents)


def _finding(war: _War, product_id: str) -> Finding:
    exchange, median_minor = war.exchange, war.median_minor or 0
    under = median_minor - exchange.lowest_minor
    rooms = sorted(exchange.rooms)
    more = len(rooms) - _SHOWN_ROOMS
    named = ", ".join(rooms[:_SHOWN_ROOMS]) + (f" and {more} more" if more > 0 else "")
    return Finding(
        score=float(exchange.turns),
        threshold=float(TURNS),
        since_ms=exchange.first.ts_ms,
        summary=(
            f"Price war over product {product_id}: rooms {named} undercut each other"
            f" {exchange.turns} times, {exchange.most} of them within an hour; the lowest price is"
            f" {under / median_minor:.0%} under the median of the 7 days before."
        ),
        signs=[
            Sign("undercuts_in_an_hour", exchange.most, 1, TURNS, exchange.most / TURNS, []),
            Sign(
                "under_median",
                under,
                median_minor,
                UNDER_MEDIAN_PERCENT / _WHOLE,
                under * _WHOLE / (median_minor * UNDER_MEDIAN_PERCENT),
                [],
            ),
        ],
        severity="review",
    )


def _order(undercut: Undercut) -> tuple[str, str, str, int]:
    return (
        undercut.product_id,
        undercut.currency or "",
        undercut.room_id,
        undercut.price_minor,
    )
