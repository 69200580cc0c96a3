"""How did each product of one room do in its first hour?

The hour is the sixty minutes from the minute of the first event of the product in the room: what
is done with it, a showing of its card, a click, a cart, an order, a refund. Each counts by its own
stamp; a late one, or one whose stamp is refuted, counts in no trial.

State: the minutes of the hour while it lasts, then their sum. Cap: `trials`; the one that began
first goes.
"""

from typing import Any

from schemas.codec import Exposure, Order, Product, Refund, View
from schemas.details import TrialSale
from schemas.records import Version
from streams.core import limits
from streams.core.market.sold_hours import HOUR_MS
from streams.core.pane import MINUTE_MS
from streams.core.snapshots import Sums


class Counts(Sums):
    """What happened to one product in some time."""

    __slots__ = (
        "carts",
        "clicks",
        "gross_minor",
        "impressions",
        "orders",
        "refunded_minor",
        "refunds",
        "units",
    )

    def __init__(self) -> None:
        self.carts = 0
        self.clicks = 0
        self.gross_minor = 0
        self.impressions = 0
        self.orders = 0
        self.refunded_minor = 0
        self.refunds = 0
        self.units = 0

    def add(self, other: "Counts") -> None:
        self.carts += other.carts
        self.clicks += other.clicks
        self.gross_minor += other.gross_minor
        self.impressions += other.impressions
        self.orders += other.orders
        self.refunded_minor += other.refunded_minor
        self.refunds += other.refunds
        self.units += other.units


class _Trial:
    """One product.

    Attributes:
        first_ms: start of its first minute, as far as it is known.
        minutes: what happened in each; one entry once the hour is over.
        is_over: whether no event can come any more that counts.
    """

    __slots__ = ("first_ms", "is_over", "minutes")

    def __init__(self, first_ms: int) -> None:
        self.first_ms = first_ms
        self.is_over = False
        self.minutes: dict[int, Counts] = {}

    def whole(self) -> Counts:
        """The sum of the hour."""
        counts = Counts()
        for minute_ms, each in self.minutes.items():
            if minute_ms < self.first_ms + HOUR_MS:
                counts.add(each)
        return counts

    def end(self) -> None:
        self.minutes = {self.first_ms: self.whole()}
        self.is_over = True


class Trials:
    """The products of one room.

    Attributes:
        by_product: the trial of each.
        changed: those that changed since they were last shown.
    """

    __slots__ = ("_evictions", "by_product", "changed")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.by_product: dict[str, _Trial] = {}
        self.changed: dict[str, _Trial] = {}

    def product(self, event: Product, open_from_ms: int) -> None:
        """Note that something was done with a product."""
        self._at(event.product_id, event.ts_ms, open_from_ms)

    def view(self, event: View, product_id: str, open_from_ms: int) -> None:
        """Count a click on a product, or its way into a cart."""
        if event.action == "click":
            counts = self._at(product_id, event.ts_ms, open_from_ms)
            if counts is not None:
                counts.clicks += 1
        elif event.action == "cart":
            counts = self._at(product_id, event.ts_ms, open_from_ms)
            if counts is not None:
                counts.carts += 1

    def exposure(self, event: Exposure, product_id: str, open_from_ms: int) -> None:
        """Count how often the card of a product was shown."""
        counts = self._at(product_id, event.ts_ms, open_from_ms)
        if counts is not None:
            counts.impressions += event.impressions

    def order(self, event: Order, open_from_ms: int) -> None:
        """Count a paid order."""
        counts = self._at(event.product_id, event.ts_ms, open_from_ms)
        if counts is not None:
            counts.orders += 1
            counts.units += event.quantity
            counts.gross_minor += event.amount_minor

    def refund(self, event: Refund, accepted_minor: int, open_from_ms: int) -> None:
        """Count an accepted refund."""
        counts = self._at(event.product_id, event.ts_ms, open_from_ms)
        if counts is not None:
            counts.refunds += 1
            counts.refunded_minor += accepted_minor

    def rest(self, open_from_ms: int) -> None:
        """Add up the hours that are over; no result depends on it."""
        for trial in self.by_product.values():
            if not trial.is_over and trial.first_ms + HOUR_MS <= open_from_ms:
                trial.end()

    def _at(self, product_id: str, ts_ms: int, open_from_ms: int) -> Counts | None:
        """Where an event of a product counts; None where it is late or the hour is over."""
        if ts_ms < open_from_ms:
            return None
        trial = self.by_product.get(product_id)
        if trial is None:
            return self._begin(product_id, ts_ms - ts_ms % MINUTE_MS)
        if ts_ms >= trial.first_ms + HOUR_MS:
            if not trial.is_over and trial.first_ms + HOUR_MS <= open_from_ms:
                trial.end()
            return None
        minute_ms = ts_ms - ts_ms % MINUTE_MS
        self.changed[product_id] = trial
        counts = trial.minutes.get(minute_ms)
        if counts is None:
            counts = trial.minutes[minute_ms] = Counts()
            trial.first_ms = min(trial.first_ms, minute_ms)
        return counts

    def _begin(self, product_id: str, minute_ms: int) -> Counts:
        trial = self.by_product[product_id] = self.changed[product_id] = _Trial(minute_ms)
        counts = trial.minutes[minute_ms] = Counts()
        if len(self.by_product) > limits.cap("trials"):
            self._evict()  # of what has changed too, and the new one itself if it is oldest
        return counts

    def _evict(self) -> None:
        trials = self.by_product
        gone = self._evictions.give_up_oldest(
            "trials", trials, lambda product_id: (trials[product_id].first_ms, product_id)
        )
        for product_id in gone:
            self.changed.pop(product_id, None)

    def shown(self, version: Version, room_id: str) -> list[TrialSale]:
        """What changed since last asked."""
        changed, self.changed = self.changed, {}
        return [
            _trial_sale(version, room_id, product_id, trial)
            for product_id, trial in changed.items()
        ]

    def show_all_again(self) -> None:
        """Take what was shown for lost."""
        self.changed = dict(self.by_product)

    def snapshot(self) -> list[Any]:
        return [
            [
                product_id,
                trial.first_ms,
                trial.is_over,
                [[minute_ms, each.snapshot()] for minute_ms, each in trial.minutes.items()],
            ]
            for product_id, trial in self.by_product.items()
        ]

    def restore(self, state: list[Any]) -> None:
        for product_id, first_ms, is_over, minutes in state:
            trial = self.by_product[product_id] = _Trial(first_ms)
            trial.is_over = is_over
            for minute_ms, saved in minutes:
                counts = trial.minutes[minute_ms] = Counts()
                counts.restore(saved)
        self.show_all_again()


def _trial_sale(version: Version, room_id: str, product_id: str, trial: _Trial) -> TrialSale:
    counts = trial.whole()
    return TrialSale(
        version=version,
        room_id=room_id,
        product_id=product_id,
        first_ms=trial.first_ms,
        impressions=counts.impressions,
        clicks=counts.clicks,
        carts=counts.carts,
        orders=counts.orders,
        units=counts.units,
        gross_minor=counts.gross_minor,
        refunds=counts.refunds,
        refunded_minor=counts.refunded_minor,
    )
