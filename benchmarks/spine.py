"""What do the questions of people, market and pitch cost? The run without them and detectors.

They cannot be turned off, for their files belong to every run; so what they add to each event is
replaced by nothing while this is measured, and their reports are not made.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from benchmarks.context import Context, Figures
from benchmarks.embedded import WITHOUT_DETECTORS, folded
from benchmarks.timing import rates
from streams.core.market.sold_hours import SoldHours
from streams.core.market.trials import Trials
from streams.core.pitch import Pitch
from streams.core.stickiness.state import RoomDays, Stickiness

# What events are told to, by class; what is shown of it is nothing.
_TOLD = {
    Trials: ("product", "view", "exposure", "order", "refund", "rest"),
    SoldHours: ("ordered",),
    Pitch: ("ordered", "returned", "refunded"),
    RoomDays: ("ordered", "refunded"),
    Stickiness: ("happened",),
}
_SHOWN = (Trials, SoldHours, Pitch)
_REPORTS = ("stickiness_of", "retention_of", "audience_of")
_NEVER_MS = 2**62


def measure(context: Context) -> Figures:
    """Fold the festival session with the questions of the spine alone."""
    chunks = context.session()
    with _spine_alone():
        return rates(sum(map(len, chunks)), lambda: folded(chunks, WITHOUT_DETECTORS))


@contextmanager
def _spine_alone() -> Iterator[None]:
    with ExitStack() as stack:
        for kind, names in _TOLD.items():
            for name in names:
                stack.enter_context(patch.object(kind, name, _nothing))
        for kind in _SHOWN:
            stack.enter_context(patch.object(kind, "shown", lambda *_: []))
        # a viewer's day never ends, so views ask once a visit as they do otherwise
        stack.enter_context(patch.object(RoomDays, "seen", lambda *_: _NEVER_MS))
        for name in _REPORTS:
            stack.enter_context(patch(f"streams.embedded.{name}", _nothing))
        yield


def _nothing(*_: object, **__: object) -> None:
    """Nothing."""
