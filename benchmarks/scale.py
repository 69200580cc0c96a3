"""Does the cost of an event depend on the number of rooms? The embedded run at 10 to 10,000 rooms.

Every room has the same traffic, as dense as in the festival session, so more rooms are less event
time. Rooms are open before the measurement: what a room costs once is not what an event costs. What
the end of the session costs, boards included, is reported apart.
"""

import time

from benchmarks.context import Context, Figures
from benchmarks.timing import rates
from benchmarks.traffic import recorded
from streams.embedded import EmbeddedRun

ROOMS = (10, 100, 1_000, 10_000)
_EVENTS_PER_SECOND_OF_A_ROOM = 0.25
_CHUNK = 6_000  # as many lines as a block of a session file holds


def measure(context: Context) -> Figures:
    """Fold as many events spread over each number of rooms."""
    figures: Figures = {}
    for rooms in ROOMS:
        found = _measure(context, rooms)
        figures |= {f"rooms_{rooms}_{name}": value for name, value in found.items()}
    return figures


def _measure(context: Context, rooms: int) -> Figures:
    openings, chunks = _session(context, rooms)
    run = EmbeddedRun()
    run.feed(openings)

    def fold() -> None:
        for chunk in chunks:
            run.feed(chunk)

    found = rates(sum(map(len, chunks)), fold)
    began = time.perf_counter()
    run.finish()
    return {**found, "finish_seconds": time.perf_counter() - began}


def _session(context: Context, rooms: int) -> tuple[list[bytes], list[list[bytes]]]:
    def make() -> tuple[list[bytes], list[list[bytes]]]:
        context.tell(f"making the traffic of {rooms:,} rooms")
        rate = rooms * _EVENTS_PER_SECOND_OF_A_ROOM
        openings, values = recorded(rooms, context.sizes.scale_events, rate)
        return openings, [values[at : at + _CHUNK] for at in range(0, len(values), _CHUNK)]

    return context.once(f"scale-{rooms}", make)  # type: ignore[no-any-return]
