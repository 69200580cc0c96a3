"""What is one room: an object for each question, and the way of each event type to them.

State: what `room_opened` said, and the questions' own state. A room exists from its first accepted
event; the first `room_opened` stands; each accepted `room_closed` sets `closed_ms`.

Every `apply` method returns None if the event is accepted, True if it is a repeat, or why it is
refused, wholly or in part.
"""

from dataclasses import dataclass
from typing import Any

from schemas.codec import (
    Checkout,
    Complaint,
    Exposure,
    Order,
    Product,
    Refund,
    RoomClosed,
    RoomOpened,
    View,
)
from schemas.details import Detail
from schemas.records import ProductFigures, RoomFigures, RoomMinute, RoomSummary, Version
from streams.core import dictionary, limits
from streams.core.after_sales import AfterSales
from streams.core.audience import Audience
from streams.core.funnel import Funnel
from streams.core.integrity.detectors import Detectors
from streams.core.integrity.suspicion import Suspicion
from streams.core.ledger import QUALITY_REASONS, KnownOrder, Ledger, Refunded, TakenOff
from streams.core.market.sold_hours import SoldHours
from streams.core.market.trials import Trials
from streams.core.outcomes import REPEAT, Outcome, Refusal, from_the_future
from streams.core.pane import Panes
from streams.core.pitch import Pitch
from streams.core.products import Products
from streams.core.stickiness.state import RoomDays


@dataclass(slots=True)
class Moment:
    """Where the event clock of the partition stands while an event is applied.

    Attributes:
        watermark_ms: after the event's own stamp was believed.
        open_from_ms: the start of the earliest minute that is not closed.
        believed: whether the event's stamp is; a refuted one enters no pane and no visit.
    """

    watermark_ms: int
    open_from_ms: int
    believed: bool = True


class Room:
    """One live session.

    Attributes:
        last_ms: the event time of its last believed event; the room with the least goes first when
            there are too many.
        changed: whether anything was applied since the last published summary.
        rested_ms: `last_ms` of when the room last freed what it no longer needed; 0 if it never
            has.
    """

    __slots__ = (
        "_detectors",
        "after_sales",
        "audience",
        "changed",
        "closed_ms",
        "days",
        "funnel",
        "last_ms",
        "ledger",
        "opened",
        "panes",
        "pitch",
        "products",
        "rested_ms",
        "room_id",
        "sold_hours",
        "suspicion",
        "trials",
    )

    def __init__(
        self,
        room_id: str,
        evictions: limits.Evictions,
        with_open_minutes: dict[str, None],
        detectors: Detectors,
        days: RoomDays,
    ) -> None:
        self.room_id = room_id
        self._detectors = detectors
        self.suspicion: Suspicion | None = None
        self.opened: RoomOpened | None = None
        self.closed_ms: int | None = None
        self.last_ms = 0
        self.rested_ms = 0
        self.changed = True
        self.panes = Panes(room_id, with_open_minutes)
        self.ledger = Ledger(evictions)
        self.days = days
        self.audience = Audience(self.panes, evictions, days)
        self.funnel = Funnel(evictions)
        self.after_sales = AfterSales(evictions)
        self.pitch = Pitch(evictions)
        self.sold_hours = SoldHours(evictions)
        self.trials = Trials(evictions)
        self.products = Products(evictions)

    def room_opened(self, event: RoomOpened, _moment: Moment) -> Outcome:
        if self.opened is None:
            self.opened = event
        return None

    def room_closed(self, event: RoomClosed, moment: Moment) -> Outcome:
        self.closed_ms = event.ts_ms
        if moment.believed:
            self.audience.close(event.ts_ms, moment.watermark_ms, moment.open_from_ms)
        return None

    def view(self, event: View, moment: Moment) -> Outcome:
        if not moment.believed:
            return from_the_future(event.ts_ms)
        self.audience.view(event, moment.watermark_ms, moment.open_from_ms)
        if event.product_id is not None:
            self.products.view(event, event.product_id)
            self.trials.view(event, event.product_id, moment.open_from_ms)
        return None

    def order(self, event: Order, moment: Moment) -> Outcome:
        if not self.ledger.order(event, moment.watermark_ms):
            return REPEAT
        self.funnel.paid(event.order_id, moment.watermark_ms)
        self.products.order(event)
        if moment.believed:
            self.days.ordered(event.buyer_id, event.amount_minor, event.ts_ms)
            self.pitch.ordered(event.ts_ms, event.amount_minor)
            self.sold_hours.ordered(event)
            self.trials.order(event, moment.open_from_ms)
        if moment.believed and event.ts_ms >= moment.open_from_ms:
            pane = self.panes.at(event.ts_ms)
            pane.orders += 1
            pane.gross_minor += event.amount_minor
        if moment.believed:
            within_ms = self._detectors.visit_ms
            visited, dwell_ms = self.audience.presence(event.buyer_id, event.ts_ms, within_ms)
            self._detectors.ordered(event, visited=visited, dwell_ms=dwell_ms)
        return None

    def suspect(self, order_id: str, ordered_ms: int, watermark_ms: int) -> KnownOrder | None:
        """Take an order off trusted GMV, of the room and of its product; what was known of it."""
        known = self.ledger.suspect(order_id, watermark_ms)
        if known is not None:
            self.products.suspect(known, self.last_ms)
            amount_minor, refunded_minor = known.amount_minor, known.refunded_minor
            goods = known.product_id, known.merchant_id
            self.sold_hours.take_off(TakenOff(*goods, ordered_ms, 1, amount_minor, refunded_minor))
            self.changed = True
        return known

    def known_order(self, order_id: str, watermark_ms: int) -> KnownOrder | None:
        """What is still remembered of a paid order."""
        return self.ledger.known(order_id, watermark_ms)

    def take_off(self, off: TakenOff, *, again: bool) -> None:
        """Take off trusted GMV what a ring has marked, or give it back where it is off `again`."""
        off = off.reversed() if again else off
        self.ledger.take_off(off)
        self.products.take_off(off)
        self.sold_hours.take_off(off)
        self.changed = True

    def refund(self, event: Refund, moment: Moment) -> Outcome:
        refunded = self.ledger.refund(event, moment.watermark_ms)
        if refunded is None:
            return REPEAT
        accepted_minor = refunded.accepted_minor
        if accepted_minor:
            self.products.refund(event, refunded)
            self.days.refunded(accepted_minor, event.ordered_ts_ms)
            self._came_back(event, refunded, believed=moment.believed)
            if moment.believed:
                self.trials.refund(event, accepted_minor, moment.open_from_ms)
                self._detectors.happened(event)
                if event.reason == "cancelled":
                    is_here = self.audience.is_here(event.buyer_id, event.ts_ms)
                    self._detectors.cancelled(event, is_here=is_here)
            if refunded.suspected:
                suspects = self._detectors.suspects
                suspects.refunded(self.room_id, event.order_id, accepted_minor)
            if moment.believed and event.ts_ms >= moment.open_from_ms:
                self.panes.at(event.ts_ms).refunded_minor += accepted_minor
        if accepted_minor == event.amount_minor:
            return None
        excess_minor = event.amount_minor - accepted_minor
        detail = f"{excess_minor} minor units above what is left of the order"
        return Refusal("over_refund", detail, wholly=not accepted_minor)

    def _came_back(self, event: Refund, refunded: Refunded, *, believed: bool) -> None:
        """Count an accepted refund for who answers for it, and for the minute that sold it."""
        merchant_id = refunded.merchant_id or self.products.merchant_of(event.product_id)
        party = getattr(self._detectors.after_sales.refund_party, event.reason)
        accepted_minor = refunded.accepted_minor
        place = (merchant_id, party)
        self.after_sales.refund(place, event.reason, accepted_minor, event.ts_ms)
        quality = event.reason in QUALITY_REASONS
        self.pitch.returned(event.ordered_ts_ms, accepted_minor, quality=quality)
        if believed:
            self.pitch.refunded(event.ts_ms, accepted_minor)

    def exposure(self, event: Exposure, moment: Moment) -> Outcome:
        if not moment.believed:
            return from_the_future(event.ts_ms)
        self.funnel.exposure(event)
        if event.product_id is not None:
            figures = self.products.touched(event.product_id, event.ts_ms)
            figures.product_impressions += event.impressions
            self.trials.exposure(event, event.product_id, moment.open_from_ms)
        return None

    def checkout(self, event: Checkout, moment: Moment) -> Outcome:
        watermark_ms = moment.watermark_ms
        if self.funnel.knows(event.order_id, watermark_ms):
            return REPEAT
        if not moment.believed:
            return from_the_future(event.ts_ms)
        paid = self.ledger.knows(event.order_id, watermark_ms)
        self.funnel.checkout(event, watermark_ms, paid=paid)
        self.products.touched(event.product_id, event.ts_ms).checkouts += 1
        return None

    def complaint(self, event: Complaint, moment: Moment) -> Outcome:
        watermark_ms = moment.watermark_ms
        if self.after_sales.knows(event, watermark_ms):
            return REPEAT
        self.after_sales.complaint(
            event,
            watermark_ms,
            self._detectors.after_sales,
            merchant_id=self._merchant_of(event, watermark_ms),
            believed=moment.believed,
        )
        if moment.believed:
            self._detectors.happened(event)
        if event.product_id is not None and event.status == "opened":
            self.products.touched(event.product_id, event.ts_ms).complaints_opened += 1
        return None

    def _merchant_of(self, event: Complaint, watermark_ms: int) -> str | None:
        """Whose sale a complaint is about: its known order's, else its product's merchant."""
        known = self.ledger.known(event.order_id, watermark_ms) if event.order_id else None
        if known is not None and known.merchant_id is not None:
            return known.merchant_id
        product_id = event.product_id or (known.product_id if known is not None else None)
        return self.products.merchant_of(product_id) if product_id is not None else None

    def product(self, event: Product, moment: Moment) -> Outcome:
        if moment.believed:
            self.trials.product(event, moment.open_from_ms)
            self._detectors.happened(event)
        if event.merchant_id is not None:
            self.products.belongs_to(event.product_id, event.merchant_id, event.ts_ms)
        return None

    def close_minutes(self, moment: Moment, before_ms: int) -> list[RoomMinute]:
        """Close the minutes before `before_ms`, at a watermark that has reached it."""
        self.audience.expire(moment.watermark_ms, moment.open_from_ms)
        self.audience.forget(moment.watermark_ms)
        lines = []
        for pane, online in self.panes.close(before_ms):
            self._detectors.minute_closed(self.room_id, pane, online)
            if self._detectors.watches_audience:
                self._detectors.audience(self.room_id, self.audience.stretches, pane, online)
            if pane.has_a_line():
                lines.append(self.panes.line(pane, online))
        return lines

    def rest(self, moment: Moment) -> None:
        """Free what a day without events has made useless; no result depends on it."""
        watermark_ms = moment.watermark_ms
        self.audience.rest(watermark_ms, moment.open_from_ms)
        self.ledger.rest(watermark_ms)
        self.funnel.rest(watermark_ms)
        self.after_sales.rest(watermark_ms)
        self.trials.rest(moment.open_from_ms)
        if self.suspicion is not None:
            self.suspicion.orders.forget(watermark_ms)
        self.rested_ms = self.last_ms

    def figures(self, moment: Moment, version: Version) -> RoomFigures:
        """The cumulative figures at the watermark, with what silence has ended by then."""
        self.audience.expire(moment.watermark_ms, moment.open_from_ms)
        self.funnel.settle(moment.watermark_ms)
        self.after_sales.settle(moment.watermark_ms)
        summary = self._summary(moment.watermark_ms)
        return RoomFigures(version, self.ledger.refunded_orders, summary)

    def _summary(self, watermark_ms: int) -> RoomSummary:
        opened, ledger, audience = self.opened, self.ledger, self.audience
        funnel, after_sales, actions = self.funnel, self.after_sales, self.audience.actions
        stayed = [dictionary.rate(count, audience.ended) for count in audience.stayed]
        stayed_30s, stayed_60s, stayed_300s, *_ = stayed
        return RoomSummary(
            room_id=self.room_id,
            host_id=opened.host_id if opened else None,
            host_name=opened.host_name if opened else None,
            mcn_id=opened.mcn_id if opened else None,
            mode=opened.mode if opened else None,
            category=opened.category if opened else None,
            currency=opened.currency if opened else None,
            opened_ms=opened.ts_ms if opened else None,
            closed_ms=self.closed_ms,
            as_of_ms=watermark_ms if watermark_ms > 0 else None,
            orders=ledger.orders,
            units=ledger.units,
            gross_minor=ledger.gross_minor,
            refunds=ledger.refunds,
            refunded_minor=ledger.refunded_minor,
            net_minor=ledger.net_minor,
            suspected_orders=ledger.suspected_orders,
            suspected_minor=ledger.suspected_minor,
            trusted_minor=ledger.trusted_minor,
            buyers=ledger.buyers.count(),
            visits=audience.visits,
            viewers=audience.viewers.count(),
            online=audience.online,
            peak_online=audience.peak_online,
            watch_ms=audience.watch_ms,
            avg_watch_ms=audience.watch_ms // audience.visits if audience.visits else None,
            median_watch_ms=audience.stays.median(),
            stayed_30s=stayed_30s,
            stayed_60s=stayed_60s,
            stayed_300s=stayed_300s,
            comments=actions["comment"],
            likes=actions["like"],
            shares=actions["share"],
            follows=actions["follow"],
            gifts=actions["gift"],
            clicks=actions["click"],
            carts=actions["cart"],
            impressions=funnel.impressions,
            product_impressions=funnel.product_impressions,
            checkouts=funnel.checkouts,
            unpaid_orders=funnel.unpaid_orders,
            complaints_opened=after_sales.opened,
            complaints_replied=after_sales.replied,
            complaints_resolved=after_sales.resolved,
            first_reply_median_ms=after_sales.first_replies.median(),
            resolution_median_ms=after_sales.resolutions.median(),
            quality_refunds=ledger.quality_refunds,
        )

    def product_figures(self, version: Version) -> list[ProductFigures]:
        """The figures of each product that changed since last asked."""
        changed, self.products.changed = self.products.changed, {}
        return [figures.shown(version, self.room_id, pair) for pair, figures in changed.items()]

    def details(self, version: Version) -> list[Detail]:
        """What else changed since last asked; figures are asked for first."""
        return [
            *self.after_sales.loads.shown(version, self.room_id),
            *self.pitch.shown(version, self.room_id),
            *self.sold_hours.shown(version, self.room_id),
            *self.trials.shown(version, self.room_id),
        ]

    def show_all_again(self) -> None:
        """Take all products and details that were shown for lost."""
        self.products.changed = dict(self.products.pairs)
        self.after_sales.loads.show_all_again()
        self.pitch.show_all_again()
        self.sold_hours.show_all_again()
        self.trials.show_all_again()

    def snapshot(self) -> list[Any]:
        opened = self.opened
        return [
            self.room_id,
            None
            if opened is None
            else [
                opened.event_id,
                opened.ts_ms,
                opened.host_id,
                opened.mode,
                opened.category,
                opened.currency,
                opened.host_name,
                opened.mcn_id,
            ],
            self.closed_ms,
            self.last_ms,
            self.panes.snapshot(),
            self.ledger.snapshot(),
            self.audience.snapshot(),
            self.funnel.snapshot(),
            self.after_sales.snapshot(),
            self.pitch.snapshot(),
            self.sold_hours.snapshot(),
            self.trials.snapshot(),
            self.products.snapshot(),
            self.suspicion.snapshot() if self.suspicion else None,
            self.rested_ms,
        ]

    def restore(self, state: list[Any]) -> None:
        _, opened, self.closed_ms, self.last_ms, panes, ledger, audience, *rest = state
        funnel, after_sales, pitch, sold_hours, trials, *rest = rest
        products, suspicion, self.rested_ms = rest
        if opened is not None:
            event_id, ts_ms, host_id, mode, category, currency, host_name, mcn_id = opened
            self.opened = RoomOpened(
                event_id=event_id,
                ts_ms=ts_ms,
                room_id=self.room_id,
                host_id=host_id,
                mode=mode,
                category=category,
                currency=currency,
                host_name=host_name,
                mcn_id=mcn_id,
            )
        self.panes.restore(panes)
        self.ledger.restore(ledger)
        self.audience.restore(audience)
        self.funnel.restore(funnel)
        self.after_sales.restore(after_sales)
        self.pitch.restore(pitch)
        self.sold_hours.restore(sold_hours)
        self.trials.restore(trials)
        self.products.restore(products)
        if suspicion is not None:
            self.suspicion = self._detectors.of_a_room()
            self.suspicion.restore(suspicion)


def _from_the_future(ts_ms: int) -> Refusal:
    return Refusal("future", f"later records refute its stamp {ts_ms}")
