"""What does decoding alone cost? The baseline that the embedded run is measured against."""

from benchmarks.context import Context, Figures
from benchmarks.timing import rates
from schemas.codec import decode


def measure(context: Context) -> Figures:
    """Decode every line of the festival session, in memory."""
    lines = [line for chunk in context.session() for line in chunk]
    return rates(len(lines), lambda: [decode(line) for line in lines])
