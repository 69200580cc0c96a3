"""What does a partition tell those who look across rooms? Orders by identity, prices by product.

An order is told when its turn in event time comes, once under every device, payment account and
address that it names, and once under its buyer; never under an IP address. It is told again when
money goes back, with what is known of it then. At every closed minute the partition passes its
watermark on, so that no source stays silent. An order that comes later than late is told at the
watermark that was passed last: nothing is told before that any more.

Likewise each price of a product, that it was taken off, and that a room has closed.

State: the running sequence and the watermark passed last. No cap is needed. While neither rings nor
price wars were ever looked for, nothing is told.
"""

from typing import Any, Protocol, get_args

from schemas.clock import NOTHING_MS
from schemas.codec import Product, RoomClosed, RoomOpened
from schemas.events import LARGEST_INTEGER
from schemas.links import (
    Closed,
    Link,
    LinkedOrder,
    LinkKind,
    LinkRecord,
    Passed,
    Priced,
    RulesTold,
)
from schemas.rules import BrushingRules, RuleSet
from streams.core.integrity.order_signs import ScoredOrder, own_signs
from streams.core.ledger import KnownOrder
from streams.core.market.exchanges import PRICED

# The kinds in the order of an order's identities; its buyer is the last.
_KINDS: tuple[LinkKind, ...] = get_args(LinkKind)


class LinkedPlace(Protocol):
    """Where and when an order is told."""

    ts_ms: int
    room_id: str
    opened: RoomOpened | None
    rules: RuleSet


class Linking:
    """The links of one partition."""

    __slots__ = ("_is_on", "_number", "_out", "_passed_ms", "_sequence")

    def __init__(self, number: int) -> None:
        self._number = number
        self._sequence = 0  # of the last record
        self._passed_ms = NOTHING_MS
        self._is_on = False
        self._out: list[LinkRecord] = []

    def use(self, rules: RuleSet) -> None:
        """Rules are in force; once on, watermarks go on, so that open rings end in time."""
        self._is_on |= rules.identity_ring.enabled or rules.price_war.enabled

    def rules_told(self, version: int | str, rules: RuleSet) -> None:
        """Pass on what a `rules` event put in force."""
        if self._is_on:
            plain = rules.model_dump(mode="json")
            told = RulesTold(self._number, self._next(), self._passed_ms, version, plain)
            self._out.append(told)

    def tell(self, order: ScoredOrder, known: KnownOrder, place: LinkedPlace) -> None:
        """Tell an order as it is known now."""
        opened = place.opened
        linked = LinkedOrder(
            place.room_id,
            order.order_id,
            order.buyer_id,
            opened.host_id if opened is not None else None,
            opened.mcn_id if opened is not None else None,
            opened.currency if opened is not None else None,
            order.product_id,
            known.merchant_id,
            order.ts_ms,
            order.amount_minor,
            min(known.refunded_minor, LARGEST_INTEGER),
            _signs(order, place.rules.brushing),
        )
        ts_ms = max(place.ts_ms, self._passed_ms)
        number, sequence, out = self._number, self._sequence, self._out
        for kind, identity in zip(_KINDS, (*order.identities, order.buyer_id), strict=True):
            if identity is not None:
                sequence += 1
                out.append(Link(number, sequence, ts_ms, kind, identity, linked))
        self._sequence = sequence

    def priced(self, event: Product, place: LinkedPlace) -> None:
        """Tell what was done with the price of a product."""
        taken_off = event.action == "delisted"
        if taken_off or (event.action in PRICED and event.price_minor is not None):
            opened = place.opened
            self._out.append(
                Priced(
                    self._number,
                    self._next(),
                    max(place.ts_ms, self._passed_ms),
                    place.room_id,
                    opened.host_id if opened is not None else None,
                    opened.mcn_id if opened is not None else None,
                    opened.currency if opened is not None else None,
                    event.product_id,
                    event.action,
                    None if taken_off else event.price_minor,
                )
            )

    def closed(self, event: RoomClosed) -> None:
        """Tell that a room has closed."""
        ts_ms = max(event.ts_ms, self._passed_ms)
        self._out.append(Closed(self._number, self._next(), ts_ms, event.room_id))

    def passed(self, watermark_ms: int) -> None:
        """All orders before a watermark have been told."""
        if self._is_on and watermark_ms > self._passed_ms:
            self._passed_ms = watermark_ms
            self._out.append(Passed(self._number, self._next(), watermark_ms))

    def take(self) -> list[LinkRecord]:
        """What was told since this was last asked."""
        out, self._out = self._out, []
        return out

    def _next(self) -> int:
        self._sequence += 1
        return self._sequence

    def snapshot(self) -> list[Any]:
        return [self._sequence, self._passed_ms, self._is_on]

    def restore(self, state: list[Any]) -> None:
        self._sequence, self._passed_ms, self._is_on = state


def _signs(order: ScoredOrder, rules: BrushingRules) -> dict[str, bool]:
    """Its own signs; that money did not go straight back is told by silence."""
    signs = own_signs(order, rules)
    if not signs.get("quick_refund", True):
        del signs["quick_refund"]
    return signs
