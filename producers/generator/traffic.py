"""What happens in one room, minute by minute: arrivals, signs of life, orders, what goes back.

A room is a state machine over event minutes. It keeps open visits by the minute of their next sign
of life, and what is already decided by the minute of its arrival, so a session of any length needs
memory for what is open only. Each room has a random source of its own: an overlay on one room
leaves the others as they were.

Arrival is the stamp plus a network delay below `LONGEST_DELAY_MS`, the same for all of a visit, so
one person's events stay in order and nothing is late by itself.
"""

from bisect import bisect_left
from collections import defaultdict
from math import exp
from random import Random
from typing import Protocol

from producers.generator import parameters as p
from producers.generator import records
from producers.generator.aftersales import AfterSales
from producers.generator.catalogue import Basket, basket
from producers.generator.draws import network_delays, poisson, seeded
from producers.generator.identities import Identity, Population
from producers.generator.rooms import MINUTE_MS, ON_SALE, Listing, Regulars, RoomPlan
from producers.generator.sales import Sale
from producers.generator.signs import BUSY_MS, sign_of_life
from producers.generator.truth import RoomTruth, Truth
from schemas.events import ProductAction

Emission = tuple[int, bytes]  # when it arrives, the record

# Enter, look, check out, pay: nobody is quicker.
_QUICKEST_ORDER_MS = 4_000
_SOURCES = ("feed", "feed", "feed", "follow", "follow", "search", "share", "paid", "other")
_ON_PRODUCT = frozenset({"click", "cart"})


class Overlay(Protocol):
    """Something planted on top of normal traffic: dirt, quotas, attacks."""

    def minute(self, room: "Room", minute_ms: int) -> None:
        """Called before each minute of a room; may add visits, sales and records to it."""

    def sold(self, room: "Room", sale: Sale) -> bool:
        """Called for each sale; True claims its after-sales, and the room draws no refund."""


class _Visit:
    __slots__ = ("delay_ms", "end_ms", "key", "next_ms", "record_tail", "start_ms")

    def __init__(self, key: str, start_ms: int, end_ms: int, delay_ms: int) -> None:
        self.key = key
        self.start_ms = self.next_ms = start_ms
        self.end_ms = end_ms
        self.delay_ms = delay_ms
        self.record_tail = ""


class Room:
    """One live room. Overlays use `enter`, `buy`, `sell`, `schedule`, `note` and `after_sales`.

    Attributes:
        arrivals_share: of its usual visitors, so many come; an overlay may change it.
    """

    def __init__(
        self,
        plan: RoomPlan,
        *,
        seed: str,
        population: Population,
        truth: Truth,
        overlays: tuple[Overlay, ...],
        end_ms: int,
    ) -> None:
        self.plan = plan
        self.truth = truth
        self.figures = truth.rooms[plan.room_id] = RoomTruth(plan.currency)
        self.end_ms = end_ms
        self.random = seeded(f"{seed}:{plan.room_id}")
        self._population = population
        self._overlays = overlays
        self._delays = network_delays(self.random)
        self._events = self._orders = 0
        self._arrivals: defaultdict[int, list[int]] = defaultdict(list)
        self._steps: defaultdict[int, list[_Visit]] = defaultdict(list)
        self._decided: defaultdict[int, list[Emission]] = defaultdict(list)
        self._present: set[str] = set()
        self._out: list[Emission] = []
        self._now_minute = plan.open_ms // MINUTE_MS
        self._head = f'{{"type":"view","event_id":"{plan.room_id}-'
        first_regular = self.random.randrange(population.size)
        self._regulars = plan.regulars or Regulars(
            first_regular, max(3, int(plan.visits * 0.4)), p.REGULAR_SHARE
        )
        self._base = plan.visits * (1 - p.SELF_EXCITING_SHARE) / sum(plan.shape)
        # the pulses' share: so many of the immigrants come because something was listed
        pulses = p.PULSE_HEIGHT * p.PULSE_DECAY_SECONDS / p.LISTING_GAP_SECONDS
        self._base /= 1 + pulses
        self._rate_noise = 1.0
        self.arrivals_share = 1.0
        self.after_sales = AfterSales(self)
        self._announce()
        if plan.earlier_complaints:
            buyers = [self.someone().viewer_id for _ in range(plan.earlier_complaints)]
            product_id = plan.listings[0].goods.product_id
            self.after_sales.earlier_shows(plan.earlier_complaints, product_id, buyers)

    # --- what the timeline and overlays call -------------------------------------------------

    def advance(self, minute: int, out: list[Emission]) -> None:
        """Add what happens in one minute (and so arrives in it or shortly after) to `out`."""
        self._now_minute, self._out = minute, out
        start_ms = minute * MINUTE_MS
        for overlay in self._overlays:
            overlay.minute(self, start_ms)
        if self.plan.open_ms <= start_ms < self.plan.close_ms:
            self._draw_arrivals(minute, start_ms)
            if minute % self.plan.exposure_minutes == 0:
                self._expose(start_ms)
        arrivals = self._arrivals
        for ts_ms in arrivals[minute]:
            self._arrive(ts_ms)
        arrivals.pop(minute, None)
        steps = self._steps
        for visit in steps[minute]:  # grows while it is read: short visits end within the minute
            self._step(visit)
        steps.pop(minute, None)
        out.extend(self._decided.pop(minute, ()))

    def lose(self, share: float, minute_ms: int, random: Random) -> None:
        """Let a share of those who are here leave with their next sign of life, or in a minute."""
        for visits in self._steps.values():
            for visit in visits:
                if random.random() < share:
                    end_ms = minute_ms + int(random.random() * MINUTE_MS)
                    visit.end_ms = min(visit.end_ms, end_ms)

    def retire(self) -> dict[int, list[Emission]]:
        """Let go of a room whose show is over: what is decided to arrive later, by minute."""
        return self._decided

    def event_id(self) -> str:
        """A fresh event id."""
        self._events += 1
        return f"{self.plan.room_id}-{self._events}"

    def order_id(self) -> str:
        """A fresh order id."""
        self._orders += 1
        return f"{self.plan.room_id}-o{self._orders}"

    def can_hold(self, arrival_ms: int) -> bool:
        """Whether the session still runs when something arrives."""
        return arrival_ms < self.end_ms

    def schedule(self, arrival_ms: int, record: bytes) -> None:
        """Let a record arrive at a moment that is not past."""
        minute = arrival_ms // MINUTE_MS
        assert minute >= self._now_minute
        assert arrival_ms < self.end_ms
        self._decided[minute].append((arrival_ms, record))

    def delay_ms(self) -> int:
        """A network delay."""
        return self._delays[int(self.random.random() * len(self._delays))]

    def someone(self) -> Identity:
        """A person who comes in: a regular of this host, or anyone."""
        luck = self.random.random
        regulars = self._regulars
        if luck() < regulars.share:
            # the more regular, the more often: the square makes the first ones frequent
            person = regulars.first + int(regulars.people * luck() ** 2)
            return self._population.identity(person % self._population.size)
        return self._population.identity(int(self._population.size * luck()))

    def newcomer(self) -> Identity:
        """A person who is not in the room."""
        for _ in range(10_000):
            who = self.someone()
            if who.viewer_id not in self._present:
                return who
        raise AssertionError("everybody is in this room: the population is too small")

    def enter(self, who: Identity, start_ms: int, stay_ms: int, source: str = "") -> _Visit | None:
        """Start a visit; None if this person is in the room, or the show is over."""
        plan = self.plan
        if who.viewer_id in self._present or not plan.open_ms <= start_ms < plan.close_ms:
            return None
        self._present.add(who.viewer_id)
        visit = _Visit(who.viewer_id, start_ms, start_ms + stay_ms, self.delay_ms())
        visit.record_tail = f',"room_id":"{plan.room_id}","viewer_id":"{who.viewer_id}","action":"'
        if self.random.random() >= p.LOST_ENTER_SHARE:
            self._events += 1
            source = source or _SOURCES[int(self.random.random() * len(_SOURCES))]
            record = (
                f'{self._head}{self._events}","ts_ms":{start_ms}{visit.record_tail}enter",'
                f'"device_id":"{who.device_id}","ip_id":"{who.ip_id}","source":"{source}"}}'
            )
            self._out.append((start_ms + visit.delay_ms, record.encode()))
        self._plan_step(visit, start_ms)
        return visit

    def buy(
        self,
        who: Identity,
        visit: _Visit,
        ts_ms: int,
        listing: Listing | None = None,
        goods: Basket | None = None,
    ) -> None:
        """Let a visitor look at a product, order, and mostly pay at `ts_ms`.

        The visit is prolonged until then.

        Args:
            who: the visitor.
            visit: the visit, from `enter`.
            ts_ms: when the order is paid.
            listing: what is bought; chosen from what is on sale if None.
            goods: quantity and amounts; drawn if None. A given basket is always paid.
        """
        plan, luck = self.plan, self.random.random
        always_paid = goods is not None
        if listing is None:
            listing = plan.listing_at(ts_ms, luck())
        if listing is None or ts_ms + _QUICKEST_ORDER_MS >= plan.close_ms:
            return
        ts_ms = max(ts_ms, visit.start_ms + _QUICKEST_ORDER_MS)
        visit.end_ms = max(visit.end_ms, ts_ms + 3_000 + int(20_000 * luck()))
        if goods is None:
            price = plan.price_minor(listing, ts_ms)
            goods = basket(self.random, price, listing.goods.list_minor)
        earliest_ms = visit.start_ms + 1_000
        checkout_ms = max(earliest_ms, ts_ms - 2_000 - int(20_000 * luck()))
        click_ms = max(earliest_ms, checkout_ms - 1_000 - int(25_000 * luck()))
        self._look(visit, "click", click_ms, listing.goods.product_id)
        if luck() < 0.3:  # noqa: PLR2004 - some collect in the cart first
            self._look(visit, "cart", (click_ms + checkout_ms) // 2, listing.goods.product_id)
        order_id = self.order_id()
        self.figures.checkouts += 1
        record = records.checkout(
            plan, self.event_id(), checkout_ms, order_id, who, listing.goods, goods
        )
        self.schedule(checkout_ms + visit.delay_ms, record)
        if always_paid or luck() >= p.NO_PAYMENT_SHARE:
            self.sell(who, order_id, listing, goods, ts_ms, ts_ms + visit.delay_ms)

    def sell(
        self,
        who: Identity,
        order_id: str,
        listing: Listing,
        goods: Basket,
        ts_ms: int,
        arrival_ms: int,
    ) -> Sale:
        """Take a paid order; it counts in the truth, and may come back later."""
        record = records.order(
            self.plan, self.event_id(), ts_ms, order_id, who, listing.goods, goods
        )
        self.figures.orders += 1
        self.figures.units += goods.quantity
        self.figures.gross_minor += goods.amount_minor
        self.schedule(arrival_ms, record)
        sale = Sale(
            order_id, who.viewer_id, listing.goods, goods.amount_minor, ts_ms, arrival_ms, record
        )
        # every overlay is asked, so that none can hide a sale from another
        claims = [overlay.sold(self, sale) for overlay in self._overlays]
        if not any(claims):
            self.after_sales.follow(sale)
        return sale

    # --- the traffic -------------------------------------------------------------------------

    def _announce(self) -> None:
        """Opening, listings and closing are decided beforehand."""
        plan = self.plan
        self.schedule(plan.open_ms, records.opened(plan, self.event_id(), plan.open_ms))
        for number, listing in enumerate(plan.listings):
            self._put_on_sale(number, listing)
        self.schedule(plan.close_ms, records.closed(plan, self.event_id(), plan.close_ms))

    def _put_on_sale(self, number: int, listing: Listing) -> None:
        plan, goods, at_ms = self.plan, listing.goods, listing.ts_ms
        self.schedule(at_ms, records.listed(plan, self.event_id(), at_ms, goods, 500))
        if number % 7 == 3:  # noqa: PLR2004 - some goods sell better than thought
            self._change(listing, "stocked", at_ms + 2 * MINUTE_MS, stock=800)
        off_ms = plan.close_ms
        if number + ON_SALE < len(plan.listings):
            off_ms = plan.listed_ms[number + ON_SALE]
            self._change(listing, "delisted", off_ms)
        cut_ms = plan.price_cut_ms
        if cut_ms is not None and at_ms < cut_ms < off_ms:
            price_minor = plan.price_minor(listing, cut_ms)
            self._change(listing, "priced", cut_ms, price_minor=price_minor)

    def _change(
        self,
        listing: Listing,
        action: ProductAction,
        ts_ms: int,
        *,
        price_minor: int | None = None,
        stock: int | None = None,
    ) -> None:
        record = records.changed(
            self.plan,
            self.event_id(),
            ts_ms,
            listing.goods,
            action,
            price_minor=price_minor,
            stock=stock,
        )
        self.schedule(ts_ms, record)

    def _draw_arrivals(self, minute: int, start_ms: int) -> None:
        plan, random = self.plan, self.random
        if minute % 5 == 0:
            self._rate_noise = random.gammavariate(p.RATE_SHAPE, 1 / p.RATE_SHAPE)
        since_open = (start_ms - plan.open_ms) // MINUTE_MS
        by_minute = self._base * plan.shape[since_open] * self._rate_noise * self.arrivals_share
        for _ in range(poisson(random, by_minute)):
            self._excite(start_ms + int(random.random() * MINUTE_MS))
        following = bisect_left(plan.listed_ms, start_ms)
        ended = bisect_left(plan.listed_ms, start_ms + MINUTE_MS)
        for listed_ms in plan.listed_ms[following:ended]:
            pulse = by_minute / 60 * p.PULSE_HEIGHT * p.PULSE_DECAY_SECONDS
            for _ in range(poisson(random, pulse)):
                delay_ms = int(random.expovariate(1 / p.PULSE_DECAY_SECONDS) * 1000)
                self._excite(listed_ms + delay_ms)

    def _excite(self, ts_ms: int) -> None:
        """One arrival, and those that follow it."""
        luck = self.random.random
        self._arrivals[ts_ms // MINUTE_MS].append(ts_ms)
        while luck() < p.SELF_EXCITING_SHARE:
            ts_ms += int(self.random.expovariate(1 / p.SELF_EXCITING_DECAY_SECONDS) * 1000)
            self._arrivals[ts_ms // MINUTE_MS].append(ts_ms)

    def _expose(self, start_ms: int) -> None:
        plan = self.plan
        since_open = (start_ms - plan.open_ms) // MINUTE_MS
        mean = self._base * plan.shape[since_open] * plan.exposure_minutes * p.IMPRESSIONS_BY_ENTRY
        ts_ms = start_ms + 1_000 + int(self.random.random() * 50_000)
        current = plan.listing_at(ts_ms, 0)
        for product_id in (None, current.goods.product_id if current else None):
            impressions = 1 + poisson(self.random, mean)
            record = records.exposure(plan, self.event_id(), ts_ms, impressions, product_id)
            self._out.append((ts_ms, record))
            if current is None:
                break

    def _arrive(self, ts_ms: int) -> None:
        luck, gauss = self.random.random, self.random.gauss
        who = self.someone()
        if luck() >= p.ENGAGED_SHARE:
            stay_ms = exp(p.SHORT_STAY_LOG_SECONDS + p.SHORT_STAY_SIGMA * gauss()) * 1000
            self.enter(who, ts_ms, 200 + int(stay_ms))
            return
        stay = exp(p.ENGAGED_STAY_LOG_SECONDS + p.ENGAGED_STAY_SIGMA * gauss())
        visit = self.enter(who, ts_ms, 1_000 + int(min(stay, p.LONGEST_STAY_SECONDS) * 1000))
        if visit is not None and luck() < self.plan.conversion:
            self._shop(who, visit, ts_ms)

    def _shop(self, who: Identity, visit: _Visit, enter_ms: int) -> None:
        """A visitor who buys: after the next listing or soon, at the price cut if that is near."""
        plan, random = self.plan, self.random
        wait_ms = int(random.expovariate(1 / p.ORDER_DELAY_SECONDS) * 1000)
        ts_ms = (plan.next_listing_ms(enter_ms) or enter_ms + 15_000) + wait_ms
        cut_ms = plan.price_cut_ms
        near = cut_ms is not None and cut_ms - 30 * MINUTE_MS <= ts_ms < cut_ms
        if cut_ms is not None and near and random.random() < 0.6:  # noqa: PLR2004 - most wait
            ts_ms = cut_ms + wait_ms
        self.buy(who, visit, ts_ms)
        while random.random() < p.NEXT_ORDER_SHARE:
            ts_ms += 30_000 + int(random.expovariate(1 / 200_000))
            self.buy(who, visit, ts_ms)

    def _look(self, visit: _Visit, action: str, ts_ms: int, product_id: str) -> None:
        self._events += 1
        record = (
            f'{self._head}{self._events}","ts_ms":{ts_ms}{visit.record_tail}{action}",'
            f'"product_id":"{product_id}"}}'
        )
        self.schedule(ts_ms + visit.delay_ms, record.encode())

    def _plan_step(self, visit: _Visit, ts_ms: int) -> None:
        step_ms = int(p.STEP_SECONDS * (750 + 500 * self.random.random()))
        visit.next_ms = min(ts_ms + step_ms, visit.end_ms)
        self._steps[visit.next_ms // MINUTE_MS].append(visit)

    def _step(self, visit: _Visit) -> None:
        ts_ms = visit.next_ms
        if ts_ms >= self.plan.close_ms:
            self._present.discard(visit.key)
            return
        random = self.random.random
        if ts_ms >= visit.end_ms:
            self._present.discard(visit.key)
            if random() < p.LOST_LEAVE_SHARE:
                return
            ending = 'leave"}'
        else:
            ending = self._sign_of_life(ts_ms, random())
            self._plan_step(visit, ts_ms)
        self._events += 1
        record = f'{self._head}{self._events}","ts_ms":{ts_ms}{visit.record_tail}{ending}'
        self._out.append((ts_ms + visit.delay_ms, record.encode()))

    def _sign_of_life(self, ts_ms: int, luck: float) -> str:
        last = self.plan.listing_at(ts_ms, 0)
        busy = last is not None and ts_ms - last.ts_ms < BUSY_MS
        action = sign_of_life(luck, busy=busy)
        if last is not None and action in _ON_PRODUCT:
            return f'{action}","product_id":"{last.goods.product_id}"}}'
        return f'{action}"}}'
