"""Where is the replay that a page steers, and what does each button do?

One session file, one replay at a time. Seeking ends the replay under way and begins another at the
moment asked for, into the same log: what lies between is left out when seeking forward, and what
Kafka has already is a duplicate when seeking back, so figures stay true.
"""

import asyncio
import math
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import msgspec

from producers.replay import (
    MAX_SPEED,
    BrokerError,
    Control,
    Moment,
    Progress,
    ReplayError,
    Selection,
    replay,
)
from producers.replay.timeline import Timeline
from producers.sessions import SessionFileError, check_arrival_order, read_records
from roompulse.console.asking import AskError, decoded
from schemas.clock import NOTHING_MS

State = Literal["idle", "playing", "paused", "done", "stopped", "failed"]
Extent = tuple[int, int]
_FASTEST = 100_000.0


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    """What a page asks of the replay.

    Attributes:
        speed: of `speed`; None for as fast as it goes.
        to_ms: of `seek`, an event time of the session.
    """

    action: Literal["play", "pause", "stop", "speed", "seek"]
    speed: float | None = None
    to_ms: int | None = None


class Player:
    """Steers a replay of one file."""

    def __init__(self, file: Path, bootstrap: str, speed: float) -> None:
        self._file = file
        self._bootstrap = bootstrap
        self._speed = speed
        self._on_change: Callable[[], None] = lambda: None
        self._state: State = "idle"
        self._error = ""
        self._since_ms: int | None = None
        self._extent: Extent | None = None
        self._progress: Progress | None = None
        self._control: Control | None = None
        self._running: asyncio.Task[None] | None = None
        self._looking: asyncio.Task[None] | None = None
        self._leaving = threading.Event()
        self._turn = asyncio.Lock()

    def look(self, on_change: Callable[[], None]) -> None:
        """Begin to find out from when to when the session goes.

        Args:
            on_change: called from now on whenever `state` differs.
        """
        self._on_change = on_change
        self._looking = asyncio.get_running_loop().create_task(self._look())

    def state(self) -> dict[str, Any]:
        """What the page shows of the replay; `speed` is null for as fast as it goes."""
        progress = self._progress
        reached_ms = progress.event_ms if progress is not None else None
        return {
            "file": self._file.name,
            "state": self._state,
            "error": self._error,
            "speed": None if math.isinf(self._speed) else self._speed,
            "events": 0 if progress is None else progress.events,
            "behind_seconds": 0.0 if progress is None else round(progress.lag_seconds, 1),
            "event_ms": self._since_ms if reached_ms is None else reached_ms,
            "first_ms": None if self._extent is None else self._extent[0],
            "last_ms": None if self._extent is None else self._extent[1],
        }

    async def ask(self, body: bytes) -> None:
        """Do what a page asks.

        Raises:
            AskError: it cannot be done.
        """
        asked = decoded(body, _Asked)
        async with self._turn:
            match asked.action:
                case "play":
                    self._play()
                case "pause":
                    self._pause()
                case "stop":
                    await self._stop()
                case "speed":
                    self._go_at(asked.speed)
                case "seek":
                    await self._seek(asked.to_ms)
        self._on_change()

    async def close(self) -> None:
        """End the replay in order, and what else is under way."""
        self._leaving.set()
        async with self._turn:
            await self._stop()
        if self._looking is not None:
            await asyncio.wait([self._looking])

    def _play(self) -> None:
        if self._state == "paused" and self._control is not None:
            self._control.pause_or_resume()
            self._state = "playing"
        elif self._state != "playing":
            if self._state == "done":
                self._since_ms = None
            self._begin(paused=False)

    def _pause(self) -> None:
        if self._state == "playing" and self._control is not None:
            self._control.pause_or_resume()
            self._state = "paused"

    def _go_at(self, speed: float | None) -> None:
        if speed is not None and not 0 < speed <= _FASTEST:
            raise AskError(f"a speed is more than 0 and at most {_FASTEST:,.0f}, or null")
        self._speed = MAX_SPEED if speed is None else speed
        if self._control is not None:
            self._control.go_at(self._speed)

    async def _seek(self, to_ms: int | None) -> None:
        if self._extent is None:
            raise AskError("the session is still being read: wait a moment")
        first_ms, last_ms = self._extent
        if to_ms is None or not first_ms <= to_ms <= last_ms:
            raise AskError("this time is not in the session")
        before = self._state
        await self._stop()
        self._since_ms, self._progress = to_ms, None
        if before in ("playing", "paused"):
            self._begin(paused=before == "paused")
        else:
            self._state = "idle"

    async def _stop(self) -> None:
        if self._running is not None and self._control is not None:
            self._control.stop()
            await asyncio.wait([self._running])

    def _begin(self, *, paused: bool) -> None:
        self._control = Control(self._speed)
        if paused:
            self._control.pause_or_resume()
        self._state, self._error, self._progress = ("paused" if paused else "playing"), "", None
        self._running = asyncio.get_running_loop().create_task(self._replay(self._control))

    async def _replay(self, control: Control) -> None:
        since = None if self._since_ms is None else Moment(self._since_ms)
        try:
            report = await replay(
                lambda: check_arrival_order(read_records(self._file), self._file),
                self._bootstrap,
                selection=Selection(since=since),
                control=control,
                on_progress=self._reached,
            )
        except (BrokerError, ReplayError, SessionFileError, OSError) as error:
            self._state, self._error = "failed", str(error)
        else:
            self._state = "stopped" if report.stopped else "done"
            if report.stopped and report.last_ms is not None:
                self._since_ms = report.last_ms
        finally:
            self._running = self._control = None
            self._on_change()

    def _reached(self, progress: Progress) -> None:
        self._progress = progress
        self._on_change()

    async def _look(self) -> None:
        try:
            self._extent = await asyncio.to_thread(extent_of, self._file, self._leaving.is_set)
        except (SessionFileError, OSError) as error:
            self._state, self._error = "failed", str(error)
        self._on_change()


def extent_of(file: Path, leaving: Callable[[], bool] = lambda: False) -> Extent | None:
    """The first and the greatest believed stamp of a session; None where nothing is believed.

    `leaving` is asked between chunks; reading ends when it says so.

    Raises:
        SessionFileError, OSError: the file is no session, or cannot be read.
    """
    timeline, last_ms = Timeline(), NOTHING_MS
    for chunk in read_records(file):
        if leaving():
            return None
        last_ms = max(last_ms, max((one.due_ms for one in timeline.feed(chunk)), default=last_ms))
    last_ms = max(last_ms, max((one.due_ms for one in timeline.finish()), default=last_ms))
    return None if timeline.first_ms is None else (timeline.first_ms, last_ms)
