"""Ctrl-C, SIGTERM and a closed terminal: obeyed at any moment, with nothing half made.

Python raises KeyboardInterrupt between any two bytecodes, also while an event loop is being made or
closed, which then ends in tracebacks of objects that were never whole. So these moments only note
the signal and obey it at the next safe place.
"""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Coroutine, Iterator
from types import FrameType
from typing import Any, TypeVar

_T = TypeVar("_T")
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Make SIGTERM and SIGHUP (a closed terminal) end what runs here as Ctrl-C does.

    The first process of a container ignores a signal that it has no handler for. What is ignored
    on purpose, as `nohup` does, stays so.
    """

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # so in the background of a shell
            signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.raise_signal(signal.SIGINT)

    heard = [each for each in _SIGNALS[1:] if signal.getsignal(each) is not signal.SIG_IGN]
    before = {number: signal.signal(number, interrupt) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Hold these signals back for a moment, then obey the last of them.

    They are not blocked but noted: a process that is started meanwhile would inherit a block.
    """
    noted: list[int] = []
    before = {
        number: signal.signal(number, lambda got, _frame: noted.append(got)) for number in _SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if noted:
            signal.raise_signal(noted[-1])


def run(main: Coroutine[Any, Any, _T]) -> _T:
    """`asyncio.run`, where Ctrl-C cancels `main` and never meets a loop half made or half closed.

    A second Ctrl-C while the first is being obeyed ends at once.

    Raises:
        KeyboardInterrupt: Ctrl-C came; `main` has ended and the loop is closed.
    """
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return asyncio.run(main)
    interrupt = _Interrupt()
    signal.signal(signal.SIGINT, interrupt)
    try:
        result = asyncio.run(interrupt.obeyed_by(main))
    except asyncio.CancelledError:
        if not interrupt.came:
            raise
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if interrupt.came:
        raise KeyboardInterrupt
    return result


class _Interrupt:
    """A handler of SIGINT that cancels one task, as soon as there is one."""

    def __init__(self) -> None:
        self.came = False
        self._task: asyncio.Task[Any] | None = None

    def __call__(self, _number: int, _frame: FrameType | None) -> None:
        if self.came:
            raise KeyboardInterrupt
        self.came = True
        if self._task is not None:
            # wakes the loop, which a handler that does not raise leaves asleep
            self._task.get_loop().call_soon_threadsafe(self._task.cancel)

    async def obeyed_by(self, main: Coroutine[Any, Any, _T]) -> _T:
        self._task = asyncio.current_task()
        try:
            if self.came:
                raise asyncio.CancelledError
            return await main
        finally:
            self._task = None
            main.close()
