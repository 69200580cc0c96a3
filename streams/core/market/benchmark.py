"""How does each room do now, against ten minutes ago and against rooms of its kind?

`benchmark.json`: `{rooms}`. A pure function of room-minutes and of the rooms' figures. A room's
last ten minutes are the closed ones before the minute of the least watermark, or before the one in
which the room closed. Rooms that closed a day before the watermark or earlier, or had no line in
these ten minutes and the ten before, have no row. Of its kind are rooms of the same category, mode
and currency with a row.
"""

from collections.abc import Iterable, Mapping
from typing import Final

from schemas.records import RoomFigures, RoomMinute, RoomSummary
from streams.core.dictionary import rate
from streams.core.market.among import median_of_others, percentile
from streams.core.pane import MINUTE_MS

Row = dict[str, object]
# Category, mode, currency.
_Kind = tuple[str, str, str]

WINDOW_MS: Final = 10 * MINUTE_MS
LIVE_MS: Final = 24 * 60 * MINUTE_MS
METRICS: Final = (
    "gross_minor",
    "orders",
    "visits",
    "gpm_minor",
    "orders_per_visit",
    "clicks_per_visit",
    "interactions_per_visit",
)


class _Window:
    """What ten minutes of a room come to."""

    __slots__ = ("clicks", "gross_minor", "interactions", "lines", "orders", "visits")

    def __init__(self) -> None:
        self.lines = 0
        self.gross_minor = 0
        self.orders = 0
        self.visits = 0
        self.clicks = 0
        self.interactions = 0

    def add(self, line: RoomMinute) -> None:
        self.lines += 1
        self.gross_minor += line.gross_minor
        self.orders += line.orders
        self.visits += line.visits
        self.clicks += line.clicks
        self.interactions += line.comments + line.likes

    def figures(self) -> dict[str, float | None]:
        visits = self.visits
        return {
            "gross_minor": self.gross_minor,
            "orders": self.orders,
            "visits": visits,
            "gpm_minor": rate(self.gross_minor * 1_000, visits),
            "orders_per_visit": rate(self.orders, visits),
            "clicks_per_visit": rate(self.clicks, visits),
            "interactions_per_visit": rate(self.interactions, visits),
        }


class _Show:
    """A room with its last ten minutes and those before."""

    __slots__ = ("before", "kind", "last", "room_id", "until_ms")

    def __init__(self, room: RoomSummary, until_ms: int) -> None:
        self.room_id = room.room_id
        self.kind: _Kind = (room.category or "", room.mode or "", room.currency or "")
        self.until_ms = until_ms
        self.last = _Window()
        self.before = _Window()

    def add(self, line: RoomMinute) -> None:
        ago_ms = self.until_ms - line.minute_ms
        if 0 < ago_ms <= WINDOW_MS:
            self.last.add(line)
        elif WINDOW_MS < ago_ms <= 2 * WINDOW_MS:
            self.before.add(line)


def benchmark(
    rooms: Mapping[str, RoomFigures], minutes: Iterable[RoomMinute], as_of_ms: int | None
) -> dict[str, list[Row]]:
    """What `benchmark.json` holds.

    Args:
        rooms: the figures of every room by id.
        minutes: all room-minutes.
        as_of_ms: the least watermark; None before the first event.
    """
    shows = _shows(rooms, as_of_ms)
    for line in minutes:
        show = shows.get(line.room_id)
        if show is not None:
            show.add(line)
    found = {
        room_id: show for room_id, show in shows.items() if show.last.lines or show.before.lines
    }
    figures = {room_id: show.last.figures() for room_id, show in found.items()}
    peers: dict[_Kind, dict[str, list[float]]] = {}
    counts: dict[_Kind, int] = {}
    for room_id, show in found.items():
        counts[show.kind] = counts.get(show.kind, 0) + 1
        own = peers.setdefault(show.kind, {metric: [] for metric in METRICS})
        for metric, value in figures[room_id].items():
            if value is not None:
                own[metric].append(value)
    for by_metric in peers.values():
        for values in by_metric.values():
            values.sort()
    return {
        "rooms": [
            _row(show, figures[room_id], peers[show.kind], counts[show.kind])
            for room_id, show in found.items()
        ]
    }


def _shows(rooms: Mapping[str, RoomFigures], as_of_ms: int | None) -> dict[str, _Show]:
    """The rooms that were live in the last day, sorted."""
    shows: dict[str, _Show] = {}
    for room_id in sorted(rooms):
        room = rooms[room_id].summary
        if as_of_ms is None or room.opened_ms is None:
            continue
        end_ms = until_ms(room, as_of_ms)
        if end_ms is not None:
            shows[room_id] = _Show(room, end_ms)
    return shows


def until_ms(room: RoomSummary, as_of_ms: int) -> int | None:
    """Up to which minute a room is looked at; None of one that closed a day ago or earlier."""
    end_ms = as_of_ms if room.closed_ms is None else min(as_of_ms, room.closed_ms)
    return end_ms - end_ms % MINUTE_MS if end_ms > as_of_ms - LIVE_MS else None


def _row(
    show: _Show,
    figures: Mapping[str, float | None],
    peers: Mapping[str, list[float]],
    count: int,
) -> Row:
    category, mode, currency = show.kind
    before = show.before.figures()
    metrics = [_metric(name, figures[name], before[name], peers[name]) for name in METRICS]
    worst_at = min(range(len(metrics)), key=lambda at: (*_badness(metrics[at]), at))
    worst = metrics[worst_at]
    return {
        "room_id": show.room_id,
        "category": category,
        "mode": mode,
        "currency": currency,
        "until_ms": show.until_ms,
        "rooms_of_kind": count,
        "worst_metric": None if worst["percentile"] is None else worst["metric"],
        "metrics": metrics,
    }


def _metric(
    name: str, last: float | None, before: float | None, peers: list[float]
) -> dict[str, float | str | None]:
    change = None if last is None or before is None else _share(last - before, before)
    median = None if last is None else median_of_others(peers, last)
    return {
        "metric": name,
        "last": last,
        "before": before,
        "change": change,
        "percentile": None if last is None else percentile(peers, last),
        "median_of_kind": median,
        "against_median": None if last is None or median is None else _share(last - median, median),
    }


def _share(part: float, base: float) -> float | None:
    return round(part / base, 4) if base else None


def _badness(metric: Mapping[str, float | str | None]) -> tuple[float, float]:
    """What sorts the worst first: the least percentile, then the furthest under the median."""
    place, against = metric["percentile"], metric["against_median"]
    return (
        place if isinstance(place, float) else 2.0,
        against if isinstance(against, float) else 0.0,
    )
