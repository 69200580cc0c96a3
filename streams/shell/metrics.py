"""What Prometheus sees of a worker: families made from snapshots at scrape time, by one collector.

Labels come from closed sets or from the rows of bounded boards; ids of viewers, buyers and orders
never. So the number of series does not grow with rooms, people or currencies. Values are taken when
scraped, so the fold pays nothing for them. Money is in minor units of the `currency` label ("" for
rooms that were never opened).
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from schemas.records import (
    AnyBoard,
    BoardRow,
    Progress,
    RoomFigures,
    WindowRow,
    shown_currency,
)
from streams.core.after_sales_totals import AfterSalesTotals
from streams.core.integrity.alert_book import MAPS, AlertBook
from streams.core.last_marks import LastMarks
from streams.core.limits import CAPS
from streams.core.market import live
from streams.core.market.live import MarketView
from streams.core.stickiness.comeback import Comeback
from streams.core.stickiness.live import LivePeople, Stays
from streams.shell.after_sales_metrics import after_sales_families
from streams.shell.alert_metrics import alert_families
from streams.shell.mark_metrics import mark_families
from streams.shell.market_metrics import market_families
from streams.shell.people_metrics import people_families
from streams.shell.ring_metrics import RING_MAPS, FollowedView, ring_families
from streams.shell.room_stage import PartitionHealth

CONTENT_TYPE = CONTENT_TYPE_LATEST
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_BOARD_FIGURES = (
    "gross_minor",
    "net_minor",
    "trusted_minor",
    "suspected_minor",
    "orders",
    "places_lost",
    "momentum",
)
_WINDOW_FIGURES = ("gross_minor", "orders", "visits")
# Of which sums over the platform are shown. A log may name any; people sell in a few.
MOST_CURRENCIES = 8
# What the fold of a partition may give up; the others belong to the boards and to rings.
_PARTITION_MAPS = [name for name in CAPS if name not in (*MAPS, *live.MAPS, *RING_MAPS)]
_PLATFORM_FIGURES = (
    "gross_minor",
    "net_minor",
    "trusted_minor",
    "suspected_minor",
    "suspected_orders",
    "orders",
    "online",
    "visits",
)
_ROOM_FIGURES = (
    "online",
    "peak_online",
    "visits",
    "viewers",
    "watch_ms",
    "buyers",
    "refunded_minor",
    "suspected_orders",
    "comments",
    "likes",
    "clicks",
    "carts",
    "checkouts",
    "unpaid_orders",
    "complaints_opened",
    "median_watch_ms",
    "stayed_30s",
    "stayed_60s",
    "stayed_300s",
)
_platform_figures = attrgetter(*_PLATFORM_FIGURES)
AnyRow = BoardRow | WindowRow


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A moment of a worker, as a scrape sees it.

    Attributes:
        alerts: what is known of alerts; None where another worker keeps the boards.
        after_sales: who answers for what; likewise.
        marks: when something was done last with products; likewise.
        market: how all stand beside each other; likewise, and before it was looked at first.
        stays, people: of each partition of this worker.
        comeback: of all of them together.
        followed: the partitions of links and marks that it follows.
    """

    progress: dict[int, Progress]
    health: dict[int, PartitionHealth]
    lag: dict[int, int]
    boards: list[AnyBoard]
    rooms: dict[str, RoomFigures]
    leads: bool
    now: float
    epoch_ms: int
    alerts: AlertBook | None = None
    after_sales: AfterSalesTotals | None = None
    marks: LastMarks | None = None
    market: MarketView | None = None
    stays: Mapping[int, Stays] = field(default_factory=dict)
    people: Mapping[int, LivePeople] = field(default_factory=dict)
    comeback: Comeback | None = None
    followed: Sequence[FollowedView] = ()


class WorkerCollector(Collector):
    """Turns a `WorkerView` into metric families."""

    def __init__(self, view: Callable[[], WorkerView], rows: int) -> None:
        self._view = view
        self._rows = rows

    def describe(self) -> list[Metric]:
        """Nothing: the registry must not ask for a view before the worker has one."""
        return []

    def collect(self) -> Iterator[Metric]:
        view = self._view()
        yield from _events(view)
        yield from _worker(view)
        yield from ring_families(view.followed)
        yield from self._boards(view)
        yield from people_families(view.stays, view.people, view.comeback)

    def figures(self, view: WorkerView) -> Iterator[Metric]:
        """What depends on the log alone, not on the worker or the time of day."""
        yield from _events(view)
        yield from self._boards(view)
        yield from people_families(view.stays, view.people, view.comeback)

    def _boards(self, view: WorkerView) -> Iterator[Metric]:
        leads = GaugeMetricFamily(
            "roompulse_board_leader", "Whether this worker keeps the boards (1) or not (0)."
        )
        leads.add_metric([], int(view.leads))
        yield leads
        labels = ["scope", "window", "currency", "key", "name"]
        families = {
            figure: GaugeMetricFamily(
                f"roompulse_board_{figure}",
                f"{figure} of the first rows of each board.",
                labels=labels,
            )
            for figure in dict.fromkeys((*_BOARD_FIGURES, *_WINDOW_FIGURES))
        }
        alive = view.alerts.firing() if view.alerts else []
        shown = self._shown(view.boards, {alert.room_id for alert in alive[: self._gravest]})
        for board, rows in shown:
            figures = _BOARD_FIGURES if board.window == "total" else _WINDOW_FIGURES
            for row in rows:
                where = [board.scope, board.window, shown_currency(board) or "", row.key, row.name]
                for figure in figures:
                    value = getattr(row, figure)
                    if value is not None:
                        families[figure].add_metric(where, value)
        yield from families.values()
        currencies = shown_currencies(view.rooms.values())
        yield from self._totals(view, currencies)
        yield from self._top_rooms(view, shown)
        yield from alert_families(view.alerts, alive, currencies, self._gravest)
        rooms = _rooms_of(shown)
        yield from after_sales_families(view.after_sales, rooms, currencies)
        yield from mark_families(view.marks, rooms)
        yield from market_families(view.market, rooms, currencies, self._gravest)

    @property
    def _gravest(self) -> int:
        """How many of the alerts that are firing become series, each with its room."""
        return (self._rows + 1) // 2

    def _shown(
        self, boards: Sequence[AnyBoard], alerted: Collection[str | None]
    ) -> list[tuple[AnyBoard, Sequence[AnyRow]]]:
        """The rows of each board that become series: the first, and rooms of the gravest alerts."""
        places: dict[tuple[str, str], list[int]] = {}
        for board in boards:
            places.setdefault((board.scope, board.window), []).append(len(board.rows))
        shares = {
            place: iter(shared_rows(lengths, self._rows)) for place, lengths in places.items()
        }
        shown: list[tuple[AnyBoard, Sequence[AnyRow]]] = []
        for board in boards:
            rows: list[AnyRow] = list(board.rows[: next(shares[board.scope, board.window])])
            if board.scope == "room" and board.window == "total":
                rows += (row for row in board.rows[len(rows) :] if row.key in alerted)
            shown.append((board, rows))
        return shown

    def _totals(self, view: WorkerView, currencies: Collection[str]) -> Iterator[Metric]:
        """Platform sums by currency: over every room, not the first rows alone."""
        families = {
            figure: GaugeMetricFamily(
                f"roompulse_platform_{figure}", f"{figure} over all rooms.", labels=["currency"]
            )
            for figure in _PLATFORM_FIGURES
        }
        sums = {currency: [0] * len(_PLATFORM_FIGURES) for currency in sorted(currencies)}
        for each in view.rooms.values():
            total = sums.get(each.summary.currency or "")
            if total is not None:
                for at, value in enumerate(_platform_figures(each.summary)):
                    total[at] += value
        for currency, total in sums.items():
            for family, value in zip(families.values(), total, strict=True):
                family.add_metric([currency], value)
        yield from families.values()

    def _top_rooms(
        self, view: WorkerView, shown: Iterable[tuple[AnyBoard, Sequence[AnyRow]]]
    ) -> Iterator[Metric]:
        """What the summary of each leading room holds besides money."""
        families = {
            figure: GaugeMetricFamily(
                f"roompulse_room_{figure}",
                f"{figure} of the rooms that lead by gross GMV, and of the gravest alerts.",
                labels=["room_id"],
            )
            for figure in _ROOM_FIGURES
        }
        for room_id in _rooms_of(shown):
            summary = view.rooms[room_id].summary
            for figure, family in families.items():
                value = getattr(summary, figure)
                if value is not None:
                    family.add_metric([room_id], value)
        yield from families.values()


def _rooms_of(shown: Iterable[tuple[AnyBoard, Sequence[AnyRow]]]) -> list[str]:
    """The rooms that are shown."""
    return [
        row.key
        for board, rows in shown
        if board.scope == "room" and board.window == "total"
        for row in rows
    ]


def shown_currencies(rooms: Iterable[RoomFigures]) -> list[str]:
    """The currencies of most rooms, "" for rooms never opened; `MOST_CURRENCIES` at most."""
    counts = Counter(each.summary.currency or "" for each in rooms)
    return sorted(counts, key=lambda currency: (-counts[currency], currency))[:MOST_CURRENCIES]


def shared_rows(lengths: Sequence[int], rows: int) -> list[int]:
    """How many rows of each board of one scope and window are shown, one board a currency.

    No board shows more than `rows`, all of them together no more than a quarter on top: what a
    short board leaves goes to the longer ones (max-min fair shares), so that a currency with a few
    rooms takes little from the one that most rooms sell in.
    """
    left, waiting = rows + (rows + 3) // 4, len(lengths)
    shares = [0] * waiting
    for at in sorted(range(waiting), key=lambda at: (lengths[at], at)):
        shares[at] = min(lengths[at], rows, left // waiting)
        left -= shares[at]
        waiting -= 1
    return shares


def _events(view: WorkerView) -> Iterator[Metric]:
    """What became of the events: counters that a recount of the log must give."""
    outcomes = ("accepted", "duplicate", "rejected", "late", "future", "broadcast")
    families = {
        outcome: CounterMetricFamily(
            f"roompulse_events_{outcome}", f"Events {outcome}.", labels=["partition"]
        )
        for outcome in outcomes
    }
    reasons = CounterMetricFamily(
        "roompulse_events_rejected_by_reason", "Refused events.", labels=["partition", "reason"]
    )
    types = CounterMetricFamily(
        "roompulse_events_by_type", "Accepted events.", labels=["partition", "type"]
    )
    evicted = CounterMetricFamily(
        "roompulse_state_evicted", "Entries that full maps gave up.", labels=["partition", "map"]
    )
    caps = GaugeMetricFamily("roompulse_state_cap", "How large a map may grow.", labels=["map"])
    for name, (limit, _) in CAPS.items():
        caps.add_metric([name], limit)
    for number, progress in sorted(view.progress.items()):
        where = str(number)
        for outcome, family in families.items():
            family.add_metric([where], getattr(progress.counts, outcome))
        for reason, count in progress.rejected_by_reason.items():
            reasons.add_metric([where, reason], count)
        for kind, count in progress.by_type.items():
            types.add_metric([where, kind], count)
        for name in _PARTITION_MAPS:
            evicted.add_metric([where, name], progress.evicted.get(name, 0))
    for name, count in _evicted_by_leader(view):
        evicted.add_metric(["", name], count)
    yield from families.values()
    yield from (reasons, types, evicted, caps)


def _evicted_by_leader(view: WorkerView) -> Iterator[tuple[str, int]]:
    """What the leader keeps belongs to no partition."""
    if view.alerts is not None:
        yield from ((name, view.alerts.evictions.counts.get(name, 0)) for name in MAPS)
    if view.market is not None:
        yield from ((name, view.market.evicted.get(name, 0)) for name in live.MAPS)


def _worker(view: WorkerView) -> Iterator[Metric]:
    """How the worker is: lag, ages, speed."""

    def gauge(name: str, text: str) -> GaugeMetricFamily:
        return GaugeMetricFamily(f"roompulse_{name}", text, labels=["partition"])

    def counter(name: str, text: str) -> CounterMetricFamily:
        return CounterMetricFamily(f"roompulse_{name}", text, labels=["partition"])

    lag = gauge("consumer_lag_records", "Records of the log not folded yet.")
    offset = gauge("consumer_next_offset", "The offset that is folded next.")
    watermark = gauge("watermark_seconds", "Event time up to which the log is believed complete.")
    delay = gauge("watermark_delay_seconds", "How far the watermark lies behind the time of day.")
    rooms = gauge("rooms", "Rooms with state.")
    waiting = gauge("clock_waiting_records", "Records whose stamps are not decided yet.")
    age = gauge("checkpoint_age_seconds", "Since the state was saved last.")
    size = gauge("checkpoint_bytes", "Size of the state saved last.")
    largest = gauge("batch_records_max", "Records of the largest fetch.")
    batches = counter("batches", "Fetches folded.")
    records = counter("batch_records", "Records folded.")
    seconds = counter("fold_seconds", "Time spent decoding and folding.")
    for number, progress in sorted(view.progress.items()):
        where = [str(number)]
        health = view.health[number]
        offset.add_metric(where, progress.version.offset)
        rooms.add_metric(where, progress.rooms)
        waiting.add_metric(where, progress.waiting)
        lag.add_metric(where, view.lag.get(number, 0))
        if progress.watermark_ms is not None:
            watermark.add_metric(where, progress.watermark_ms / 1000)
            delay.add_metric(where, (view.epoch_ms - progress.watermark_ms) / 1000)
        if health.saved_at is not None:
            age.add_metric(where, view.now - health.saved_at)
            size.add_metric(where, health.saved_bytes)
        largest.add_metric(where, health.largest_batch)
        batches.add_metric(where, health.batches)
        records.add_metric(where, health.records)
        seconds.add_metric(where, health.fold_seconds)
    yield from (lag, offset, watermark, delay, rooms, waiting, age, size)
    yield from (largest, batches, records, seconds)


def exposition(collector: WorkerCollector) -> bytes:
    """The text that a scrape gets."""
    registry = CollectorRegistry()
    registry.register(collector)
    return generate_latest(registry)


def stamped(families: Iterable[Metric], at_ms: int, place: dict[str, str]) -> Iterator[str]:
    """The lines of OpenMetrics that say what was found at a moment.

    Args:
        families: from one view.
        at_ms: epoch milliseconds of the moment.
        place: labels that a scrape adds: `job` and `instance`.
    """
    seconds = f"{at_ms // 1000}.{at_ms % 1000:03d}"
    for family in families:
        for sample in family.samples:
            labels = {**place, **sample.labels}
            shown = ",".join(
                f'{name}="{text.translate(_ESCAPED)}"' for name, text in labels.items()
            )
            yield f"{sample.name}{{{shown}}} {sample.value} {seconds}\n"
