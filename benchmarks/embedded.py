"""What does the whole computation cost without a broker? From lines in memory to all results."""

from collections.abc import Sequence

from benchmarks.context import Context, Figures
from benchmarks.timing import rates
from streams.embedded import EmbeddedRun, Results


def measure(context: Context) -> Figures:
    """Fold the festival session as `roompulse run` does, its end and its boards included."""
    chunks = context.session()
    return rates(sum(map(len, chunks)), lambda: folded(chunks))


def folded(chunks: Sequence[Sequence[bytes]]) -> Results:
    """The results of a session."""
    run = EmbeddedRun()
    for chunk in chunks:
        run.feed(chunk)
    return run.finish()
