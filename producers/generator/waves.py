"""Overlays: waves of refunds and complaints, and the host who hints at paying elsewhere.

`R-A`: one faulty batch; of what is sold of it in two hours, three times the category's share comes
back, soon and for its quality. `C-A`: ten complaints in 20 minutes from as many buyers, at least
five times what any room gets. `O-A`: after the hint 15 who paid within the last half hour cancel
but stay, five of them complain of being asked to pay off the platform, and fewer buy.
"""

from random import Random

from producers.generator import parameters as p
from producers.generator.adversaries import scaled
from producers.generator.catalogue import Goods
from producers.generator.identities import Identity
from producers.generator.rooms import MINUTE_MS, Listing, RoomPlan
from producers.generator.sales import Sale
from producers.generator.script import Act, span
from producers.generator.traffic import Room
from producers.generator.truth import Incident
from schemas.events import ComplaintKind, RefundReason

BATCH_MINUTES = 120
BATCH_TIMES_USUAL = 3
COMPLAINTS = 10
COMPLAINT_MINUTES = 20
HINT_REFUNDS = 15
HINT_COMPLAINTS = 5
HINT_MINUTES = 60
CONVERSION_AFTER_HINT = 0.4
_MOST_COMES_BACK = 0.95
_QUALITY: tuple[RefundReason, ...] = ("quality", "quality", "not_as_described", "wrong_item")
_KINDS: tuple[ComplaintKind, ...] = ("quality", "counterfeit", "false_advertising")
# Buyers remembered to complain later.
_REMEMBERED = 500


def flagship(plan: RoomPlan, product_number: int) -> Goods:
    """A product like the room's others, of its category's usual returns."""
    category = plan.host.category
    return plan.listings[0].goods._replace(
        product_id=f"{category}-{product_number}", refund_rate=p.CATEGORIES[category].refund_rate
    )


def sell_all_evening(plan: RoomPlan, goods: Goods) -> None:
    """Let every other listing of a room be the same product."""
    plan.listings = tuple(
        Listing(listing.ts_ms, listing.goods if n % 2 else goods)
        for n, listing in enumerate(plan.listings)
    )


class FaultyBatch:
    """`R-A` in one room; the product is the flagship of the room."""

    def __init__(
        self, random: Random, plan: RoomPlan, goods: Goods, from_ms: int, intensity: float
    ) -> None:
        self._random = random
        self._product_id = goods.product_id
        self._from_ms, self._to_ms = from_ms, from_ms + BATCH_MINUTES * MINUTE_MS
        usual = p.CATEGORIES[goods.category].refund_rate
        self.share = min(_MOST_COMES_BACK, BATCH_TIMES_USUAL * intensity * usual)
        more = {
            "adversary": "R-A",
            "intensity": intensity,
            "product_id": goods.product_id,
            "sold_from_ms": self._from_ms,
            "sold_to_ms": self._to_ms,
            "buyers": [],
        }
        self.incident = Incident("refund_surge", plan.room_id, more=more)

    def minute(self, room: Room, minute_ms: int) -> None:
        """Nothing happens by itself."""

    def sold(self, room: Room, sale: Sale) -> bool:
        """Of the faulty batch, some comes back within the hour; the rest is kept."""
        of_batch = sale.goods.product_id == self._product_id
        if not of_batch or not self._from_ms <= sale.ts_ms < self._to_ms:
            return False
        random = self._random
        if random.random() < self.share:
            ts_ms = sale.ts_ms + int((8 + 37 * random.random()) * MINUTE_MS)
            arrival_ms = ts_ms + room.delay_ms()
            reason = random.choice(_QUALITY)
            room.after_sales.refund(sale, sale.amount_minor, ts_ms, arrival_ms, reason=reason)
            room.truth.note(self.incident)
            self.incident.order_ids.append(sale.order_id)
            self.incident.more["buyers"].append(sale.buyer_id)
            span(self.incident, ts_ms, ts_ms)
        return True


class ComplaintWave:
    """`C-A` in one room: people who bought there complain, each once."""

    def __init__(self, random: Random, plan: RoomPlan, from_ms: int, intensity: float) -> None:
        self._random = random
        self._from_ms = from_ms
        self._left = scaled(COMPLAINTS, intensity)
        self._step_ms = COMPLAINT_MINUTES * MINUTE_MS / self._left
        self._made = 0
        self._sales: list[Sale] = []
        more = {"adversary": "C-A", "intensity": intensity, "complaint_ids": [], "buyers": []}
        self.incident = Incident("complaint_surge", plan.room_id, more=more)

    def minute(self, room: Room, minute_ms: int) -> None:
        """Open the complaints of this minute."""
        while self._left:
            due_ms = self._from_ms + int(self._step_ms * self._made)
            if due_ms >= minute_ms + MINUTE_MS:
                return
            sale = self._someone(minute_ms)
            if sale is None:
                return  # nobody has bought yet who has not complained: it waits for one
            self._left -= 1
            self._made += 1
            self._complain(room, sale, max(due_ms, minute_ms))

    def sold(self, room: Room, sale: Sale) -> bool:  # noqa: ARG002 - an overlay is asked so
        """Remember who could complain; what they return is their own affair."""
        if self._left:
            self._sales.append(sale)
            del self._sales[:-_REMEMBERED]
        return False

    def _someone(self, minute_ms: int) -> Sale | None:
        buyers = self.incident.more["buyers"]
        able = [s for s in self._sales if s.ts_ms < minute_ms and s.buyer_id not in buyers]
        return self._random.choice(able) if able else None

    def _complain(self, room: Room, sale: Sale, ts_ms: int) -> None:
        random = self._random
        complaint_id = f"{room.plan.room_id}-w{self._made}"
        kind = random.choice(_KINDS)
        make = room.after_sales.complaint
        room.schedule(
            ts_ms + room.delay_ms(),
            make(complaint_id, sale.buyer_id, "opened", kind, ts_ms, sale=sale),
        )
        room.figures.complaints_opened += 1
        replied_ms = ts_ms + int((10 + 40 * random.random()) * MINUTE_MS)
        arrival_ms = replied_ms + room.delay_ms()
        if room.can_hold(arrival_ms):
            reply = make(complaint_id, sale.buyer_id, "replied", kind, replied_ms, sale=sale)
            room.schedule(arrival_ms, reply)
        incident = self.incident
        room.truth.note(incident)
        incident.order_ids.append(sale.order_id)
        incident.more["complaint_ids"].append(complaint_id)
        incident.more["buyers"].append(sale.buyer_id)
        span(incident, ts_ms, ts_ms)


def hint_script(
    random: Random, people: list[Identity], hint_ms: int, intensity: float
) -> list[Act]:
    """`O-A`: who paid before the hint cancels after it, and stays to be served elsewhere."""
    acts = []
    complaints = scaled(HINT_COMPLAINTS, intensity)
    for n, who in enumerate(people):
        pay_ms = hint_ms - 20_000 - int(random.random() * 25 * MINUTE_MS)
        enter_ms = pay_ms - 20_000 - int(random.expovariate(1 / 120_000))
        refund_at_ms = hint_ms + 30_000 + int(random.random() * 15 * MINUTE_MS)
        complaint_ms = None
        if n < complaints:
            complaint_ms = refund_at_ms - pay_ms + int(random.random() * 10 * MINUTE_MS)
        stay_ms = refund_at_ms - enter_ms + int((2 + 10 * random.random()) * MINUTE_MS)
        refund_ms = refund_at_ms - pay_ms
        acts.append(
            Act(who, enter_ms, stay_ms, pay_ms, refund_ms=refund_ms, complaint_ms=complaint_ms)
        )
    return acts


class Slump:
    """From a moment on for an hour, fewer of a room's natural visitors buy."""

    def __init__(self, from_ms: int) -> None:
        self._from_ms, self._to_ms = from_ms, from_ms + HINT_MINUTES * MINUTE_MS
        self._usual: float | None = None

    def minute(self, room: Room, minute_ms: int) -> None:
        """Turn the room's conversion down, and up again."""
        if self._usual is None and self._from_ms <= minute_ms < self._to_ms:
            self._usual = room.plan.conversion
            room.plan.conversion *= CONVERSION_AFTER_HINT
        elif self._usual is not None and minute_ms >= self._to_ms:
            room.plan.conversion, self._usual = self._usual, None

    def sold(self, room: Room, sale: Sale) -> bool:  # noqa: ARG002 - an overlay is asked so
        """Sales are as ever."""
        return False
