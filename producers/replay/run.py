"""How a plan is sent: at its event times, at any speed, with pause and stop.

A record is never sent before it is due, and at most `TURN_SECONDS` late while Kafka keeps up; what
comes due within that time travels in one batch per partition. A record that is behind (late, or
after Kafka was slow) goes at once. Time and waiting are handed in, so a test needs neither.

Invariants: records of a partition keep the order of the session; at the end, however it comes,
what was sent is acknowledged before `run` returns.
"""

import asyncio
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from schemas.clock import NOTHING_MS
from schemas.errors import Reason

from .pace import MAX_SPEED, Pacer, faster, slower
from .plan import EVERY_PARTITION, Plan, Step, closing_tick

# Below what a person or a board can see; at 5,000 events/s it makes batches of 50 records.
TURN_SECONDS = 0.01
PROGRESS_SECONDS = 0.1


class Waiter(Protocol):
    """Time, and how it passes."""

    def now_seconds(self) -> float:
        """Seconds of a clock that never goes back."""

    async def wait(self, seconds: float, wake: asyncio.Event) -> None:
        """Return after so many seconds, or as soon as `wake` is set."""


class Sender(Protocol):
    """Where records go; see `producers.kafka.BatchSender`."""

    delivered: list[int]

    def try_add(self, partition: int, key: bytes | None, value: bytes) -> bool:
        """Add a record to the partition's open batch; False when that is full."""

    async def ship(self, partition: int) -> None:
        """Send the partition's open batch."""

    async def ship_all(self) -> None:
        """Send all open batches."""

    async def flush(self) -> None:
        """Send all, and wait until it is acknowledged."""


class Control:
    """What a person asks of a running replay; every method returns at once."""

    def __init__(self, speed: float = MAX_SPEED) -> None:
        self.speed = speed
        self.paused = False
        self.stopped = False
        self.wake = asyncio.Event()

    def pause_or_resume(self) -> None:
        """Let event time stand still, or go on."""
        self.paused = not self.paused
        self.wake.set()

    def faster(self) -> None:
        """Go on at the next speed above."""
        self.speed = faster(self.speed)
        self.wake.set()

    def slower(self) -> None:
        """Go on at the next speed below."""
        self.speed = slower(self.speed)
        self.wake.set()

    def go_at(self, speed: float) -> None:
        """Go on at this speed; `MAX_SPEED` for as fast as it goes."""
        self.speed = speed
        self.wake.set()

    def stop(self) -> None:
        """Send nothing more, wait for what is under way, and report."""
        self.stopped = True
        self.wake.set()


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a replay is.

    Attributes:
        events: records sent so far; a tick or rule set counts once.
        event_ms: the event time reached; None before the first stamp.
        lag_seconds: wall time behind schedule; 0 at full speed.
    """

    events: int
    event_ms: int | None
    lag_seconds: float
    speed: float
    paused: bool
    pass_number: int


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """What a replay did.

    Attributes:
        events: records of the session that were sent, in all passes; a tick or rule set counts
            once, the closing tick not.
        by_partition: records that Kafka acknowledged, ticks and rule sets in each.
        refused: how many of `events` the contract refuses, by reason; they were sent untouched.
        too_large: records that the topic does not take at all; they were not sent.
        first_ms: event time of the first record, and `last_ms` the greatest reached.
        closing_tick_ms: stamp of the closing tick, None where none was written.
        stopped: whether it was stopped before its end.
    """

    events: int
    by_partition: tuple[int, ...]
    refused: Mapping[Reason, int]
    too_large: int
    first_ms: int | None
    last_ms: int | None
    closing_tick_ms: int | None
    passes: int
    elapsed_seconds: float
    max_lag_seconds: float
    stopped: bool


@dataclass(slots=True)
class Runner:
    """Sends the steps of a plan when they are due.

    Attributes:
        largest_bytes: the largest record that the topic takes.
    """

    plan: Plan
    sender: Sender
    partitions: int
    control: Control
    waiter: Waiter
    largest_bytes: int
    on_progress: Callable[[Progress], None] | None = None
    _pacer: Pacer = field(init=False)
    # steps up to this event time are due; anything later asks the clock
    _horizon_ms: float = -math.inf
    _events: int = 0
    _too_large: int = 0
    _reached_ms: int = NOTHING_MS
    _lag_seconds: float = 0.0
    _max_lag_seconds: float = 0.0
    _told_seconds: float = -math.inf

    def __post_init__(self) -> None:
        self._pacer = Pacer(self.control.speed)

    async def run(self, *, with_closing_tick: bool) -> ReplayReport:
        """Send everything, then the closing tick; return once all is acknowledged."""
        began_seconds = self.waiter.now_seconds()
        stopped = not await self._send_steps()
        closing_ms = None
        if with_closing_tick and not stopped:
            closing_ms = self.plan.closing_tick_ms()
            if closing_ms is not None:
                tick = Step(closing_ms, EVERY_PARTITION, None, closing_tick(closing_ms))
                await self._add(tick)
        await self.sender.flush()
        self._tell(self.waiter.now_seconds(), always=True)
        return ReplayReport(
            events=self._events,
            by_partition=tuple(self.sender.delivered),
            refused=dict(sorted(self.plan.refused.items())),
            too_large=self._too_large,
            first_ms=self.plan.first_ms,
            last_ms=None if self._reached_ms == NOTHING_MS else self._reached_ms,
            closing_tick_ms=closing_ms,
            passes=self.plan.pass_number,
            elapsed_seconds=self.waiter.now_seconds() - began_seconds,
            max_lag_seconds=self._max_lag_seconds,
            stopped=stopped,
        )

    async def _send_steps(self) -> bool:
        """Whether it came to the end."""
        for steps in self.plan.steps():
            for step in steps:
                due_ms, partition, key, value = step
                if due_ms > self._horizon_ms and not await self._wait_until(due_ms):
                    return False
                if len(value) > self.largest_bytes:
                    self._too_large += 1
                    continue
                # the common case without a coroutine
                if partition < 0 or not self.sender.try_add(partition, key, value):
                    await self._add(step)
                self._events += 1
                self._reached_ms = max(self._reached_ms, due_ms)
        return True

    async def _add(self, step: Step) -> None:
        """Add a step to its partition or to all, shipping what is full."""
        everywhere = step.partition == EVERY_PARTITION
        for partition in range(self.partitions) if everywhere else (step.partition,):
            while not self.sender.try_add(partition, step.key, step.value):
                await self.sender.ship(partition)
        now_seconds = self.waiter.now_seconds()
        self._obey(now_seconds)
        self._tell(now_seconds)

    async def _wait_until(self, due_ms: int) -> bool:
        """Wait until an event time is due; False when the replay is to stop."""
        is_shipped = False
        while True:
            now_seconds = self.waiter.now_seconds()
            self._obey(now_seconds)
            if self.control.stopped:
                return False
            wait_seconds = self._pacer.wait_seconds(due_ms, now_seconds)
            if wait_seconds <= 0:
                self._go_on(due_ms, now_seconds)
                return True
            if not is_shipped:
                # sending takes time, so look at the clock again before waiting
                await self.sender.ship_all()
                is_shipped = True
                continue
            self._tell(now_seconds)
            wait_seconds = min(max(wait_seconds, TURN_SECONDS), PROGRESS_SECONDS)
            await self.waiter.wait(wait_seconds, self.control.wake)

    def _go_on(self, due_ms: int, now_seconds: float) -> None:
        if due_ms != NOTHING_MS:
            self._pacer.start(due_ms, now_seconds)
            self._lag_seconds = self._pacer.lag_seconds(due_ms, now_seconds)
            self._max_lag_seconds = max(self._max_lag_seconds, self._lag_seconds)
            self._horizon_ms = self._pacer.position_ms(now_seconds)
        self._tell(now_seconds)

    def _obey(self, now_seconds: float) -> None:
        """Do what was asked since the last look."""
        control, pacer = self.control, self._pacer
        if not control.wake.is_set():
            return
        control.wake.clear()
        self._horizon_ms = -math.inf
        if control.speed != pacer.speed:
            pacer.set_speed(control.speed, self._reached_ms, now_seconds)
        if control.paused and not pacer.paused:
            pacer.pause(self._reached_ms, now_seconds)
        elif pacer.paused and not control.paused:
            pacer.resume(now_seconds)

    def _tell(self, now_seconds: float, *, always: bool = False) -> None:
        if self.on_progress is None:
            return
        if not always and now_seconds - self._told_seconds < PROGRESS_SECONDS:
            return
        self._told_seconds = now_seconds
        self.on_progress(
            Progress(
                events=self._events,
                event_ms=None if self._reached_ms == NOTHING_MS else self._reached_ms,
                lag_seconds=self._lag_seconds,
                speed=self._pacer.speed,
                paused=self._pacer.paused,
                pass_number=self.plan.pass_number,
            )
        )
