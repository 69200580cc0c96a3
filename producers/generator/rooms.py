"""What is decided about a room before it opens: its host, size, hours, and what it lists when."""

from bisect import bisect_right
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

from producers.generator import parameters as p
from producers.generator.catalogue import Goods
from schemas.events import Mode

MINUTE_MS = 60_000
# Products listed before this many newer ones are taken off.
ON_SALE = 4
LARGEST_SHARE = 0.25
# Of engaged visits: no room sells to everybody, none to nobody.
LARGEST_CONVERSION = 0.5
LEAST_CONVERSION = 0.01


class Host(NamedTuple):
    """Who sells."""

    host_id: str
    host_name: str
    mcn_id: str | None
    mode: Mode
    category: str


class Listing(NamedTuple):
    """A product put on sale at a moment of the show."""

    ts_ms: int
    goods: Goods


class Regulars(NamedTuple):
    """Who comes back to a host: people from number `first` on, and their share of visits."""

    first: int
    people: int
    share: float


@dataclass(slots=True)
class RoomPlan:
    """One show. `shape` is the relative number of arrivals in each minute that it is open."""

    room_id: str
    host: Host
    currency: str
    open_ms: int
    close_ms: int
    visits: float
    conversion: float
    shape: tuple[float, ...]
    listings: tuple[Listing, ...]
    price_cut_ms: int | None = None
    exposure_minutes: int = 1
    earlier_complaints: int = 0
    regulars: Regulars | None = None  # drawn for the room alone if None
    # Planted prices by product: (from when, what one unit costs), in order of time.
    price_steps: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    listed_ms: tuple[int, ...] = field(init=False)

    def __post_init__(self) -> None:
        self.listed_ms = tuple(listing.ts_ms for listing in self.listings)

    def listing_at(self, ts_ms: int, luck: float) -> Listing | None:
        """What a buyer at `ts_ms` takes: mostly what was listed last; None before the first."""
        last = bisect_right(self.listed_ms, ts_ms) - 1
        if last < 0:
            return None
        # luck below .7: the last; then evenly one of the two before it, which are still on sale
        back = 0 if luck < 0.7 else 1 if luck < 0.85 else 2  # noqa: PLR2004 - read above
        return self.listings[max(0, last - back)]

    def next_listing_ms(self, ts_ms: int) -> int | None:
        """When the next product comes on; None after the last."""
        following = bisect_right(self.listed_ms, ts_ms)
        return self.listed_ms[following] if following < len(self.listed_ms) else None

    def price_minor(self, listing: Listing, ts_ms: int) -> int:
        """What one unit costs at a moment: a tenth less once prices were cut."""
        if self.price_steps:
            steps = self.price_steps.get(listing.goods.product_id, [])
            passed = [price_minor for step_ms, price_minor in steps if step_ms <= ts_ms]
            if passed:
                return passed[-1]
        cut_ms = self.price_cut_ms
        if cut_ms is not None and listing.ts_ms < cut_ms <= ts_ms:
            return listing.goods.price_minor * 9 // 10
        return listing.goods.price_minor


def listing_times(random: Random, open_ms: int, close_ms: int) -> list[int]:
    """When a show puts products on sale: the first within two minutes, then every 8 or so."""
    times: list[int] = []
    ts_ms = open_ms + 20_000 + int(random.random() * 60_000)
    while ts_ms < close_ms - 4 * MINUTE_MS:
        times.append(ts_ms)
        ts_ms += int(p.LISTING_GAP_SECONDS * (500 + 1_000 * random.random()))
    return times


def room_weights(random: Random, count: int) -> list[float]:
    """The relative sizes of rooms: lognormal, with a Pareto tail; they add up to 1.

    No room has more than `LARGEST_SHARE` of a session unless there are too few rooms for that.
    """
    weights = []
    for _ in range(count):
        weight = random.lognormvariate(0, p.ROOM_SIZE_SIGMA)
        if random.random() < p.ROOM_TAIL_SHARE:
            weight *= random.paretovariate(p.ROOM_TAIL_ALPHA)
        weights.append(weight)
    largest = LARGEST_SHARE * sum(weights)
    weights = [min(weight, largest) for weight in weights]
    total = sum(weights)
    return [weight / total for weight in weights]


def conversion(random: Random, boost: float) -> float:
    """How likely an engaged visit of one room buys; the others are too short to."""
    by_visit = random.betavariate(p.CONVERSION_ALPHA, p.CONVERSION_BETA) * boost
    return min(LARGEST_CONVERSION, max(LEAST_CONVERSION, by_visit / p.ENGAGED_SHARE))
