"""An overlay: planted visitors who do in one room exactly what was written down for them.

Attacks and innocent gatherings are the same thing with other scripts. A script is written before
the session starts, from a random source of its own, and is played minute by minute; what was really
sold goes into the incident of the truth file. The rest of the room, and every other room, is as it
would have been.
"""

from collections import defaultdict
from random import Random
from typing import NamedTuple

from producers.generator import records
from producers.generator.catalogue import Basket, basket
from producers.generator.identities import Identity
from producers.generator.rooms import MINUTE_MS, Listing, RoomPlan
from producers.generator.sales import Sale
from producers.generator.traffic import Overlay, Room
from producers.generator.truth import Incident
from schemas.events import ComplaintKind, RefundReason

# An order without a visit is placed so long before it is paid.
CHECKOUT_MS = 2_000


class Act(NamedTuple):
    """What one planted visitor does. Moments are event time.

    Attributes:
        who: the visitor.
        enter_ms: when the visit starts; None for an order that comes without one.
        stay_ms: how long the visit lasts at least.
        pay_ms: when an order is paid; None for a mere viewer.
        hasty: orders without looking: no click, no cart, and leaves when `stay_ms` is over.
        refund_ms: how long after the payment the whole sum is asked back; None for never.
        complaint_ms: how long after the payment a complaint is opened.
        source: where the viewer comes from; as everybody's if empty.
        price_share: what is paid of the price.
    """

    who: Identity
    enter_ms: int | None
    stay_ms: int = 0
    pay_ms: int | None = None
    hasty: bool = False
    refund_ms: int | None = None
    complaint_ms: int | None = None
    source: str = ""
    price_share: float = 1.0

    @property
    def first_ms(self) -> int:
        """When the first event of the act is stamped."""
        if self.enter_ms is not None:
            return self.enter_ms
        assert self.pay_ms is not None
        return self.pay_ms - CHECKOUT_MS

    @property
    def last_ms(self) -> int:
        """When the last planted event of the act is stamped."""
        if self.pay_ms is None:
            assert self.enter_ms is not None
            return self.enter_ms + self.stay_ms
        return self.pay_ms + max(self.refund_ms or 0, self.complaint_ms or 0)


class Script:
    """Plays the acts of one room and notes what they came to.

    Args:
        random: the script's own source.
        incident: what the truth file says; orders are added as they are sold. Several scripts
            may share one: a ring is one incident in several rooms.
        acts: in any order.
        claims: whether what follows the orders is planted too; the room's own refunds and
            complaints if not.
        reason: of the refunds.
        complaint: the kind of the complaints.
    """

    def __init__(
        self,
        random: Random,
        incident: Incident,
        acts: list[Act],
        *,
        claims: bool,
        reason: RefundReason = "cancelled",
        complaint: ComplaintKind = "other",
    ) -> None:
        self.incident = incident
        self._random = random
        self._claims = claims
        self._reason: RefundReason = reason
        self._complaint: ComplaintKind = complaint
        self._complaints = 0
        self._act: Act | None = None
        self._noted = False
        self._by_minute: defaultdict[int, list[Act]] = defaultdict(list)
        for act in sorted(acts, key=lambda act: act.first_ms):
            self._by_minute[act.first_ms - act.first_ms % MINUTE_MS].append(act)
        if acts:
            span(incident, min(act.first_ms for act in acts), max(act.last_ms for act in acts))

    def minute(self, room: Room, minute_ms: int) -> None:
        """Play what starts in this minute."""
        for act in self._by_minute.pop(minute_ms, ()):
            if not self._noted:
                self._noted = True
                room.truth.note(self.incident)
            self._act = act
            self._play(room, act)
            self._act = None

    def sold(self, room: Room, sale: Sale) -> bool:
        """Note the script's own orders, and plant what follows them."""
        act = self._act
        if act is None:
            return False
        self.incident.order_ids.append(sale.order_id)
        if act.refund_ms is not None:
            ts_ms = sale.ts_ms + act.refund_ms
            arrival_ms = ts_ms + room.delay_ms()
            room.after_sales.refund(sale, sale.amount_minor, ts_ms, arrival_ms, reason=self._reason)
        if act.complaint_ms is not None:
            self._complain(room, sale, sale.ts_ms + act.complaint_ms)
        return self._claims

    def _play(self, room: Room, act: Act) -> None:
        visit = None
        if act.enter_ms is not None:
            visit = room.enter(act.who, act.enter_ms, act.stay_ms, act.source)
        if act.pay_ms is None:
            return
        listing = room.plan.listing_at(act.pay_ms, self._random.random())
        assert listing is not None
        price_minor = room.plan.price_minor(listing, act.pay_ms)
        goods = basket(self._random, price_minor, listing.goods.list_minor)
        if act.price_share != 1:
            goods = goods._replace(amount_minor=max(1, int(goods.amount_minor * act.price_share)))
        # a visitor who is in the room already orders as if from the product's page
        if visit is None or act.hasty:
            delay_ms = room.delay_ms() if visit is None else visit.delay_ms
            _order(room, act, listing, goods, delay_ms)
        else:
            room.buy(act.who, visit, act.pay_ms, listing, goods)

    def _complain(self, room: Room, sale: Sale, ts_ms: int) -> None:
        self._complaints += 1
        record = room.after_sales.complaint(
            f"{sale.order_id}-c{self._complaints}",
            sale.buyer_id,
            "opened",
            self._complaint,
            ts_ms,
            sale=sale,
        )
        room.figures.complaints_opened += 1
        room.schedule(ts_ms + room.delay_ms(), record)


class Noted:
    """An incident that lies in how a room is and not in what is done: it lasts the whole show."""

    def __init__(self, incident: Incident, plan: RoomPlan) -> None:
        self._incident: Incident | None = incident
        span(incident, plan.open_ms, plan.close_ms)

    def minute(self, room: Room, minute_ms: int) -> None:  # noqa: ARG002 - an overlay is asked so
        """Note it when the room opens."""
        if self._incident is not None:
            room.truth.note(self._incident)
            self._incident = None

    def sold(self, room: Room, sale: Sale) -> bool:  # noqa: ARG002 - an overlay is asked so
        """What follows is the room's affair."""
        return False


class ByRoom:
    """Overlays of single rooms as one overlay of a session; other rooms cost one look-up."""

    def __init__(self) -> None:
        self._overlays: dict[str, list[Overlay]] = {}

    def add(self, room_id: str, overlay: Overlay) -> None:
        """Plant something into a room; what was planted first acts first."""
        self._overlays.setdefault(room_id, []).append(overlay)

    def minute(self, room: Room, minute_ms: int) -> None:
        """Pass it on."""
        for overlay in self._overlays.get(room.plan.room_id, ()):
            overlay.minute(room, minute_ms)

    def sold(self, room: Room, sale: Sale) -> bool:
        """Pass it on to each, so that none can hide a sale from another."""
        claims = [overlay.sold(room, sale) for overlay in self._overlays.get(room.plan.room_id, ())]
        return any(claims)


def span(incident: Incident, first_ms: int, last_ms: int) -> None:
    """Let an incident cover a further stretch of time."""
    if not incident.started_ms or first_ms < incident.started_ms:
        incident.started_ms = first_ms
    incident.ended_ms = max(incident.ended_ms, last_ms)


def _order(room: Room, act: Act, listing: Listing, goods: Basket, delay_ms: int) -> None:
    assert act.pay_ms is not None
    order_id = room.order_id()
    checkout_ms = act.pay_ms - CHECKOUT_MS
    room.figures.checkouts += 1
    record = records.checkout(
        room.plan, room.event_id(), checkout_ms, order_id, act.who, listing.goods, goods
    )
    room.schedule(checkout_ms + delay_ms, record)
    room.sell(act.who, order_id, listing, goods, act.pay_ms, act.pay_ms + delay_ms)
