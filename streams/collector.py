"""How often Python looks for cycles of garbage: rarely, for our state has none and is large.

With the default thresholds the collector costs 1.0 of 3.6 us an event in an embedded run: each pass
visits objects that live for hours. What a cycle holds (a traceback now and then) waits longer.
"""

import gc

_YOUNG, _MIDDLE, _OLD = 100_000, 20, 50


def collect_rarely() -> None:
    """Set the thresholds of this process; called once, by whoever owns the process."""
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
