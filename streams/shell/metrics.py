"""What Prometheus sees of a worker: families made from snapshots at scrape time, by one collector.

Labels come from closed sets or from the rows of bounded boards; ids of viewers, buyers and orders
never. Values are taken when scraped, so the fold pays nothing for them. Money is in minor units of
the `currency` label ("" where a room was never opened).
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.registry import Collector

from schemas.records import AnyBoard, BoardRow, Progress, RoomFigures
from streams.core.limits import CAPS
from streams.shell.room_stage import PartitionHealth

CONTENT_TYPE = CONTENT_TYPE_LATEST
_ESCAPED = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_BOARD_FIGURES = ("gross_minor", "net_minor", "trusted_minor", "orders", "places_lost", "momentum")
_WINDOW_FIGURES = ("gross_minor", "net_minor", "orders", "visits")
_ROOM_FIGURES = (
    "online",
    "peak_online",
    "visits",
    "viewers",
    "watch_ms",
    "buyers",
    "refunded_minor",
    "comments",
    "likes",
    "clicks",
    "carts",
    "checkouts",
    "unpaid_orders",
    "complaints_opened",
)


@dataclass(frozen=True, slots=True)
class WorkerView:
    """A moment of a worker, as a scrape sees it."""

    progress: dict[int, Progress]
    health: dict[int, PartitionHealth]
    lag: dict[int, int]
    boards: list[AnyBoard]
    rooms: dict[str, RoomFigures]
    leads: bool
    now: float
    epoch_ms: int


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
        yield from self._boards(view)

    def figures(self, view: WorkerView) -> Iterator[Metric]:
        """What depends on the log alone, not on the worker or the time of day."""
        yield from _events(view)
        yield from self._boards(view)

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
        for board in view.boards:
            figures = _BOARD_FIGURES if board.window == "total" else _WINDOW_FIGURES
            for row in board.rows[: self._rows]:
                where = [board.scope, board.window, board.currency or "", row.key, row.name]
                for figure in figures:
                    value = getattr(row, figure)
                    if value is not None:
                        families[figure].add_metric(where, value)
        yield from families.values()
        yield from self._totals(view)
        yield from self._top_rooms(view)

    def _totals(self, view: WorkerView) -> Iterator[Metric]:
        """Platform sums by currency: over every room, not the first rows alone."""
        families = {
            figure: GaugeMetricFamily(
                f"roompulse_platform_{figure}", f"{figure} over all rooms.", labels=["currency"]
            )
            for figure in (
                "gross_minor",
                "net_minor",
                "trusted_minor",
                "orders",
                "online",
                "visits",
            )
        }
        sums: dict[str, dict[str, int]] = {}
        for figures in view.rooms.values():
            total = sums.setdefault(figures.summary.currency or "", dict.fromkeys(families, 0))
            for figure in families:
                total[figure] += getattr(figures.summary, figure)
        for currency, total in sorted(sums.items()):
            for figure, value in total.items():
                families[figure].add_metric([currency], value)
        yield from families.values()

    def _top_rooms(self, view: WorkerView) -> Iterator[Metric]:
        """What the summary of each leading room holds besides money."""
        families = {
            figure: GaugeMetricFamily(
                f"roompulse_room_{figure}",
                f"{figure} of the rooms that lead by gross GMV.",
                labels=["room_id"],
            )
            for figure in _ROOM_FIGURES
        }
        for row in self._leading_rooms(view.boards):
            summary = view.rooms[row.key].summary
            for figure, family in families.items():
                family.add_metric([row.key], getattr(summary, figure))
        yield from families.values()

    def _leading_rooms(self, boards: list[AnyBoard]) -> Iterator[BoardRow]:
        for board in boards:
            if board.scope == "room" and board.window == "total":
                for row in board.rows[: self._rows]:
                    if isinstance(row, BoardRow):
                        yield row


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
        for name in CAPS:
            evicted.add_metric([where, name], progress.evicted.get(name, 0))
    yield from families.values()
    yield from (reasons, types, evicted, caps)


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
