"""What Prometheus sees of what is done with products: when it was done last, in the leading rooms.

A stamp, not a count: a mark that is written twice leaves it as it is, and where it changes a curve
gets its mark. One series a room, for they are shown anyway; what was done stands in the records.
"""

from collections.abc import Collection, Iterator

from prometheus_client.core import GaugeMetricFamily, Metric

from streams.core.last_marks import LastMarks

_MS_BY_SECOND = 1000


def mark_families(marks: LastMarks | None, rooms: Collection[str]) -> Iterator[Metric]:
    """The last marks of the rooms that are shown.

    Args:
        marks: None where another worker keeps the boards.
        rooms: those that are shown.
    """
    family = GaugeMetricFamily(
        "roompulse_room_product_mark_seconds",
        "When a product of the room was last listed, priced, delisted or stocked, event time.",
        labels=["room_id"],
    )
    known = marks or LastMarks()
    for room_id in rooms:
        ts_ms = known.of_room(room_id)
        if ts_ms is not None:
            family.add_metric([room_id], ts_ms / _MS_BY_SECOND)
    yield family
