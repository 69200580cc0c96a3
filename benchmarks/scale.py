"""Does the cost of an event depend on how many rooms there are? The embedded run at 10 to 10,000."""

from benchmarks.context import Context, Figures
from benchmarks.embedded import folded
from benchmarks.timing import rates
from benchmarks.traffic import recorded

ROOMS = (10, 100, 1_000, 10_000)
_EVENTS_PER_SECOND = 500  # event time moves at the pace of a festival evening
_CHUNK = 6_000  # as many lines as a block of a session file holds


def measure(context: Context) -> Figures:
    """Fold as many events spread over each number of rooms."""
    figures = {}
    for rooms in ROOMS:
        chunks = context.once(f"scale-{rooms}", lambda rooms=rooms: _chunks(context, rooms))
        found = rates(sum(map(len, chunks)), lambda chunks=chunks: folded(chunks))
        figures |= {f"rooms_{rooms}_{name}": value for name, value in found.items()}
    return figures


def _chunks(context: Context, rooms: int) -> list[list[bytes]]:
    context.tell(f"making the traffic of {rooms:,} rooms")
    values = recorded(rooms, context.sizes.scale_events, _EVENTS_PER_SECOND)
    return [values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK)]
