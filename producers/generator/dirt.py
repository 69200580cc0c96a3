"""An overlay: everything that goes wrong on the way, planted so that its count is known.

Duplicates of each kind that is deduplicated, late events, future stamps of every type, malformed
records and refunds above what was paid. The kinds take turns, so that even a small session has each
of them. What makes the counts exact for any number of partitions:

- A late event is at least 15 minutes late, and a tick every five minutes moves every partition.
- Each future stamp lies before the one planted before it, so it refutes that one if nothing else
  did, and three that agree never exist.
- Plants that need an order make one of their own, whose after-sales the room leaves alone.
"""

from collections.abc import Callable
from typing import get_args

import msgspec

from producers.generator import records
from producers.generator.catalogue import basket
from producers.generator.draws import seeded
from producers.generator.malformed import MALFORMED, Maker
from producers.generator.rooms import MINUTE_MS, RoomPlan
from producers.generator.sales import Sale
from producers.generator.traffic import Room
from schemas import codec
from schemas.events import ComplaintStatus

PLANTED_SHARE = 0.02
# Times that the list of kinds is gone through at least, so that each is surely there.
LEAST_TURNS = 1.3
FUTURE_DAYS = 40
FUTURE_STEP_MS = 11_000  # more than the event clock's tolerance of 5 s
_SETTLED_MS = 30 * MINUTE_MS  # a late event must not lie before its room's opening
_QUIET_END_MS = 10 * MINUTE_MS

Plant = Callable[["Dirt", Room, int], None]


class Dirt:
    """Plants dirt into every room while it is open."""

    def __init__(self, seed: int, events: int, rooms: list[RoomPlan], end_ms: int) -> None:
        self.random = seeded(f"dirt:{seed}")
        self._turn = 0
        self._owed = 0.0  # carried over, so that the number of plants is not left to chance
        self._planting = False
        self._made = 0
        self._next_future_ms = end_ms + FUTURE_DAYS * 24 * 60 * MINUTE_MS
        self._closed_early = False
        minutes = sum(
            (plan.close_ms - plan.open_ms - _SETTLED_MS - _QUIET_END_MS) / MINUTE_MS
            for plan in rooms
        )
        self._by_minute = max(PLANTED_SHARE * events, LEAST_TURNS * len(PLANTS)) / minutes

    def minute(self, room: Room, minute_ms: int) -> None:
        """Plant what is due, at moments within the minute."""
        plan = room.plan
        if not plan.open_ms + _SETTLED_MS <= minute_ms < plan.close_ms - _QUIET_END_MS:
            return
        self._owed += self._by_minute
        due = int(self._owed)
        self._owed -= due
        self._planting = True
        for _ in range(due):
            plant = PLANTS[self._turn % len(PLANTS)]
            self._turn += 1
            plant(self, room, minute_ms + int(self.random.random() * MINUTE_MS))
        self._planting = False

    def sold(self, room: Room, sale: Sale) -> bool:  # noqa: ARG002 - an overlay is asked so
        """The overlay's own orders are its own affair afterwards."""
        return self._planting

    # --- duplicates --------------------------------------------------------------------------

    def order_again(self, room: Room, now_ms: int) -> None:
        """The same bytes twice, as after a producer's retry."""
        sale = self._sale(room, now_ms)
        room.schedule(now_ms + self._soon_ms(), sale.record)
        room.truth.duplicates["order"] += 1

    def order_retried(self, room: Room, now_ms: int) -> None:
        """The same order in a new event with a new stamp, as after a shop's retry."""
        sale = self._sale(room, now_ms)
        ts_ms = now_ms + self._soon_ms()
        fields = msgspec.json.decode(sale.record)
        fields |= {"event_id": room.event_id(), "ts_ms": ts_ms}
        room.schedule(ts_ms, msgspec.json.encode(fields))
        room.truth.duplicates["order"] += 1

    def checkout_again(self, room: Room, now_ms: int) -> None:
        record = self._checkout(room, now_ms)
        room.figures.checkouts += 1
        room.schedule(now_ms, record)
        room.schedule(now_ms + self._soon_ms(), record)
        room.truth.duplicates["checkout"] += 1

    def refund_again(self, room: Room, now_ms: int) -> None:
        sale = self._sale(room, now_ms)
        ts_ms = now_ms + self._soon_ms()
        record = room.after_sales.refund(
            sale, sale.amount_minor, ts_ms, ts_ms, reason="changed_mind"
        )
        room.schedule(ts_ms + self._soon_ms(), record)
        room.truth.duplicates["refund"] += 1

    def complaint_again(self, room: Room, now_ms: int) -> None:
        """Each step of a complaint comes twice."""
        complaint_id = self._id(room, "c")
        sale = self._sale(room, now_ms)
        ts_ms = now_ms
        for status in get_args(ComplaintStatus):
            ts_ms += self._soon_ms()
            record = room.after_sales.complaint(
                complaint_id, sale.buyer_id, status, "quality", ts_ms, sale=sale
            )
            room.figures.complaints_opened += status == "opened"
            room.schedule(ts_ms, record)
            room.schedule(ts_ms + 2_000, record)
            room.truth.duplicates["complaint"] += 1

    # --- late --------------------------------------------------------------------------------

    def late_view(self, room: Room, now_ms: int) -> None:
        room.schedule(now_ms, self._view(room, self._late(room, "view", now_ms)))

    def late_exposure(self, room: Room, now_ms: int) -> None:
        room.schedule(now_ms, self._exposure(room, self._late(room, "exposure", now_ms)))

    def late_checkout(self, room: Room, now_ms: int) -> None:
        record = self._checkout(room, self._late(room, "checkout", now_ms))
        room.figures.checkouts += 1
        room.schedule(now_ms, record)

    def late_order(self, room: Room, now_ms: int) -> None:
        self._sale(room, self._late(room, "order", now_ms), arrival_ms=now_ms)

    def late_refund(self, room: Room, now_ms: int) -> None:
        """The order comes in time, its refund is held up."""
        sale = self._sale(room, now_ms)
        room.truth.late["refund"] += 1
        room.after_sales.refund(
            sale,
            sale.amount_minor,
            now_ms + MINUTE_MS,
            now_ms + MINUTE_MS + self._delay_ms(),
            reason="cancelled",
        )

    def late_complaint(self, room: Room, now_ms: int) -> None:
        self._complain(room, self._late(room, "complaint", now_ms), now_ms)

    def late_product(self, room: Room, now_ms: int) -> None:
        room.schedule(now_ms, self._stocked(room, self._late(room, "product", now_ms)))

    # --- future ------------------------------------------------------------------------------

    def future_view(self, room: Room, now_ms: int) -> None:
        self._refuse_future(room, now_ms, self._view(room, self._future_ms()))

    def future_exposure(self, room: Room, now_ms: int) -> None:
        self._refuse_future(room, now_ms, self._exposure(room, self._future_ms()))

    def future_checkout(self, room: Room, now_ms: int) -> None:
        self._refuse_future(room, now_ms, self._checkout(room, self._future_ms()))

    def future_order(self, room: Room, now_ms: int) -> None:
        """Money is never dropped: it counts, and is counted as future."""
        self._sale(room, self._future_ms(), arrival_ms=now_ms)
        room.truth.future["order"] += 1

    def future_refund(self, room: Room, now_ms: int) -> None:
        sale = self._sale(room, now_ms)
        room.after_sales.refund(
            sale, sale.amount_minor, self._future_ms(), now_ms + self._soon_ms(), reason="price"
        )
        room.truth.future["refund"] += 1

    def future_complaint(self, room: Room, now_ms: int) -> None:
        self._complain(room, self._future_ms(), now_ms)
        room.truth.future["complaint"] += 1

    def future_product(self, room: Room, now_ms: int) -> None:
        room.schedule(now_ms, self._stocked(room, self._future_ms()))
        room.truth.future["product"] += 1

    def future_opening(self, room: Room, now_ms: int) -> None:
        """A second opening: the first one stands."""
        record = records.opened(room.plan, room.event_id(), self._future_ms())
        room.schedule(now_ms, record)
        room.truth.future["room_opened"] += 1

    def future_closing(self, room: Room, now_ms: int) -> None:
        """Once a session, for it leaves a closing time that lies far ahead."""
        if self._closed_early:
            return
        self._closed_early = True
        record = records.closed(room.plan, room.event_id(), self._future_ms())
        room.schedule(now_ms, record)
        room.truth.future["room_closed"] += 1

    # --- refunds above what was paid ---------------------------------------------------------

    def refund_too_much(self, room: Room, now_ms: int) -> None:
        """What was paid is accepted, the rest is not."""
        sale, ts_ms = self._sale(room, now_ms), now_ms + self._soon_ms()
        excess_minor = 100 + int(self.random.random() * 5_000)
        room.after_sales.refund(
            sale,
            sale.amount_minor + excess_minor,
            ts_ms,
            ts_ms,
            reason="quality",
            counted_minor=sale.amount_minor,
        )
        room.truth.over_refund_partial += 1
        room.truth.over_refund_excess_minor += excess_minor

    def refund_once_more(self, room: Room, now_ms: int) -> None:
        """Nothing is left to pay back: refused whole."""
        sale, ts_ms = self._sale(room, now_ms), now_ms + self._soon_ms()
        refund, paid_minor = room.after_sales.refund, sale.amount_minor
        refund(sale, paid_minor, ts_ms, ts_ms, reason="quality")
        again_ms = ts_ms + self._soon_ms()
        refund(sale, paid_minor, again_ms, again_ms, reason="quality", counted_minor=0)
        room.truth.rejected["over_refund"] += 1
        room.truth.over_refund_excess_minor += paid_minor

    # --- helpers -----------------------------------------------------------------------------

    def _soon_ms(self) -> int:
        return 5_000 + int(self.random.random() * 4 * MINUTE_MS)

    def _delay_ms(self) -> int:
        return int((15 + 10 * self.random.random()) * MINUTE_MS)

    def _late(self, room: Room, kind: str, now_ms: int) -> int:
        room.truth.late[kind] += 1
        return now_ms - self._delay_ms()

    def _future_ms(self) -> int:
        self._next_future_ms -= FUTURE_STEP_MS
        return self._next_future_ms

    def _id(self, room: Room, kind: str) -> str:
        self._made += 1
        return f"{room.plan.room_id}-dirt-{kind}{self._made}"

    def _refuse_future(self, room: Room, now_ms: int, record: bytes) -> None:
        room.schedule(now_ms, record)
        room.truth.rejected["future"] += 1

    def _sale(self, room: Room, ts_ms: int, arrival_ms: int | None = None) -> Sale:
        listing = room.plan.listing_at(ts_ms, 0)
        assert listing is not None
        price_minor = room.plan.price_minor(listing, ts_ms)
        goods = basket(self.random, price_minor, listing.goods.list_minor)
        arrives_ms = ts_ms if arrival_ms is None else arrival_ms
        return room.sell(room.someone(), room.order_id(), listing, goods, ts_ms, arrives_ms)

    def _checkout(self, room: Room, ts_ms: int) -> bytes:
        listing = room.plan.listing_at(ts_ms, 0)
        assert listing is not None
        goods = basket(self.random, listing.goods.price_minor, listing.goods.list_minor)
        return records.checkout(
            room.plan,
            room.event_id(),
            ts_ms,
            room.order_id(),
            room.someone(),
            listing.goods,
            goods,
        )

    def _view(self, room: Room, ts_ms: int) -> bytes:
        view = codec.View(
            event_id=room.event_id(),
            ts_ms=ts_ms,
            room_id=room.plan.room_id,
            viewer_id=room.someone().viewer_id,
            action="comment",
        )
        return codec.encode(view)

    def _exposure(self, room: Room, ts_ms: int) -> bytes:
        return records.exposure(room.plan, room.event_id(), ts_ms, 3, None)

    def _stocked(self, room: Room, ts_ms: int) -> bytes:
        goods = room.plan.listings[0].goods
        return records.changed(room.plan, room.event_id(), ts_ms, goods, "stocked", stock=100)

    def _complain(self, room: Room, ts_ms: int, arrival_ms: int) -> None:
        who = room.someone()
        record = room.after_sales.complaint(
            self._id(room, "c"), who.viewer_id, "opened", "delivery", ts_ms
        )
        room.figures.complaints_opened += 1
        room.schedule(arrival_ms, record)


def _malformed(reason: str, maker: Maker) -> Plant:
    def plant(dirt: Dirt, room: Room, now_ms: int) -> None:
        record = maker(dirt.random, room.plan.room_id, now_ms, room.event_id())
        room.schedule(now_ms, record)
        room.truth.rejected[reason] += 1

    return plant


PLANTS: tuple[Plant, ...] = (
    Dirt.order_again,
    Dirt.order_retried,
    Dirt.checkout_again,
    Dirt.refund_again,
    Dirt.complaint_again,
    Dirt.late_view,
    Dirt.late_exposure,
    Dirt.late_checkout,
    Dirt.late_order,
    Dirt.late_refund,
    Dirt.late_complaint,
    Dirt.late_product,
    Dirt.future_view,
    Dirt.future_exposure,
    Dirt.future_checkout,
    Dirt.future_order,
    Dirt.future_refund,
    Dirt.future_complaint,
    Dirt.future_product,
    Dirt.future_opening,
    Dirt.future_closing,
    Dirt.refund_too_much,
    Dirt.refund_once_more,
    *(_malformed(reason, maker) for reason, maker in MALFORMED),
)
