"""Where does the processor time go? A sampling profiler, for what cProfile would distort.

About each millisecond of processor time the stack of the main thread is noted, with the processor
time that the thread has used since the last note: a thread that waits, for a lock or for another
thread, weighs nothing. A call into C counts for the Python line that made it. The signal is handled
between two bytecodes, so a long call into C is noted at its end: small shares are not exact.
"""

import signal
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

_PERIOD_SECONDS = 0.001
_DEEPEST = 200


class Stacks:
    """What was noted of the main thread, in seconds of its processor time.

    Attributes:
        lines: file, function and line that ran.
        functions: functions that ran, or waited for one that they called.
    """

    def __init__(self) -> None:
        self.lines: dict[str, float] = defaultdict(float)
        self.functions: dict[str, float] = defaultdict(float)
        self._noted_seconds = time.thread_time()

    def note(self, frame: FrameType | None) -> None:
        """Note the stack that runs now."""
        if frame is None:
            return
        now = time.thread_time()
        took, self._noted_seconds = now - self._noted_seconds, now
        self.lines[f"{_place(frame)}:{frame.f_lineno}"] += took
        for place in set(map(_place, _callers(frame))):
            self.functions[place] += took

    def text(self, rows: int = 30) -> str:
        """Both tables, the largest shares first."""
        total = sum(self.lines.values()) or 1.0
        parts = []
        for title, noted in (("lines", self.lines), ("functions with callees", self.functions)):
            parts.append(f"{title} (main thread, {total:.2f} s of processor time)")
            ordered = sorted(noted.items(), key=lambda item: -item[1])[:rows]
            parts += [f"{took / total:7.1%}  {place}" for place, took in ordered]
        return "\n".join(parts) + "\n"


def _callers(frame: FrameType) -> Iterator[FrameType]:
    current: FrameType | None = frame
    for _ in range(_DEEPEST):
        if current is None:
            return
        yield current
        current = current.f_back


def _place(frame: FrameType) -> str:
    code = frame.f_code
    return f"{'/'.join(Path(code.co_filename).parts[-2:])}:{code.co_qualname}"


@contextmanager
def sampled() -> Iterator[Stacks]:
    """Sample the main thread, in which it has to be called, while the body runs."""
    assert threading.current_thread() is threading.main_thread(), "signals come to the main thread"
    stacks = Stacks()
    before = signal.signal(signal.SIGPROF, lambda _number, frame: stacks.note(frame))
    signal.setitimer(signal.ITIMER_PROF, _PERIOD_SECONDS, _PERIOD_SECONDS)
    try:
        yield stacks
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
