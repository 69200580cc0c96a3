"""The composition root of a worker: settings, adapters, Faust app. Only the CLI imports it.

What happens to an event here: Kafka, `batch_transport` (a fetch becomes one message), the agent
below, `room_stage` (fold, publish, flush, save, acknowledge), `streams.core.partition`.

Any unexpected error ends the process: state is in the checkpoint, the rest is in the log, and a
restart resumes exactly. The one broad `except` of the program is here. A signal ends it in order:
state is saved, the group is left, what was opened is closed.
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any

import faust
from aiokafka.errors import KafkaError
from faust.types import TP

from schemas.calendar import Calendar
from schemas.exchange import RateTable
from schemas.topics import CHECKPOINTS, IDENTITY_CHECKPOINTS, LIVE_EVENTS, RING_CHECKPOINTS
from streams.collector import collect_rarely
from streams.core.stickiness.live import stays_of
from streams.shell import batch_transport, liveness, logs, metrics
from streams.shell.board_stage import LEADING_PARTITION, BoardStage
from streams.shell.checkpoints import ForeignStateError, KafkaCheckpoints
from streams.shell.faust_app import GroupPosition, build_app
from streams.shell.following import Followed, Follower
from streams.shell.live_log import LiveLog
from streams.shell.log_ends import LogEnds
from streams.shell.patience import KafkaSilentError, connected
from streams.shell.publisher import KafkaPublisher
from streams.shell.ring_stages import MarksIn, identity_stage, ring_stage
from streams.shell.room_stage import RoomStage
from streams.shell.settings import WorkerSettings
from streams.shell.ticker import Ticker, tick_record
from streams.shell.web import WebServer

log = logging.getLogger("roompulse.worker")

_EXIT_ON_ERROR = 70  # EX_SOFTWARE: a supervisor restarts it
# How long a rebalance waits for what is still being written; the group waits as long for us.
_HAND_OVER_SECONDS = 5.0
# A clean stop takes 1 to 2 s; each step gets so much where Kafka does not answer.
_STEP_SECONDS = 2.0
_STOP_SECONDS = 10.0
# Errors whose text says all: where in the code they were raised helps nobody.
_TOLD_IN_ONE_LINE = (KafkaError, KafkaSilentError, ForeignStateError, OSError)


class Worker:
    """Everything one worker process runs. Made inside the event loop that it uses.

    Args:
        partitions: how many `live-events` has.
        rates: for boards over all currencies.
    """

    def __init__(
        self,
        settings: WorkerSettings,
        partitions: int,
        rates: RateTable | None = None,
        calendar: Calendar = (),
    ) -> None:
        self._settings = settings
        self.app = build_app(settings)
        self._publisher = KafkaPublisher(settings.kafka)
        self._partitions = partitions
        self._checkpoints = KafkaCheckpoints(settings.kafka)
        self._identity_checkpoints = KafkaCheckpoints(settings.kafka, IDENTITY_CHECKPOINTS)
        self._ring_checkpoints = KafkaCheckpoints(settings.kafka, RING_CHECKPOINTS)
        self._follower = Follower(settings.kafka)
        self._live_log = LiveLog(settings.kafka)
        self._log_ends = LogEnds(settings.kafka, partitions)
        self._stage = RoomStage(
            self._publisher,
            self._checkpoints,
            GroupPosition(self.app),
            time.monotonic,
            settings.zone,
            calendar,
            partitions,
        )
        self._boards = BoardStage(
            settings.kafka,
            self._publisher,
            zone=settings.zone,
            top=settings.top,
            rules=lambda: self._stage.rules,
            rates=rates,
            seconds=settings.view_seconds,
            clock=time.monotonic,
        )
        self._ticker = Ticker(partitions, settings.tick_seconds, time.monotonic)
        collector = metrics.WorkerCollector(self.view, settings.metric_rows)
        self._web = WebServer(
            lambda: metrics.exposition(collector), self._trouble, self._what_is_missing
        )
        self._is_member = False
        self._is_stopping = False
        self._opening: asyncio.Task[None] | None = None
        self._declare()

    def _declare(self) -> None:
        """Hang the agent, the timers and the signals on the app."""
        app, settings = self.app, self._settings
        live = app.topic(LIVE_EVENTS, key_serializer="raw", value_serializer="raw")
        app.agent(live, name="rooms")(self._fold)
        for name, seconds, act in (
            ("views", settings.view_seconds, self._stage.refresh),
            ("checkpoints", settings.checkpoint_seconds, self._stage.save),
            ("checkpoints of rings", settings.checkpoint_seconds, self._follower.save),
            ("log ends", settings.view_seconds, self._measure),
            ("ticks", settings.view_seconds if settings.tick_seconds else 0, self._tick),
        ):
            if seconds:
                app.timer(seconds, name=name)(self._guarded(act, name))
        app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        app.on_partitions_assigned.connect(self._on_assigned, weak=False)
        app.on_before_shutdown.connect(self._on_shutdown, weak=False)

    # --- the course of a worker ---------------------------------------------------------------

    async def run(self) -> None:
        """Work until a signal, then stop in order.

        Raises:
            ListenError: /metrics cannot be served.
            KafkaError: no connection.
        """
        signalled = asyncio.create_task(_signalled().wait())
        preparing = asyncio.create_task(self._prepare())
        try:
            await asyncio.wait([signalled, preparing], return_when=asyncio.FIRST_COMPLETED)
            if preparing.done():
                await preparing
                await self._work_until(signalled)
        finally:
            self._is_stopping = True
            preparing.cancel()
            await asyncio.wait([preparing])
            await self._close()

    async def _prepare(self) -> None:
        """Connect everything, before any partition can come."""
        settings = self._settings
        await self._web.start(settings.metrics_host, settings.metrics_port, settings.address_file)
        for adapter in (*self._writers, self._live_log, self._log_ends):
            await connected(adapter.start, "the worker cannot start", _STOP_SECONDS)

    async def _work_until(self, signalled: "asyncio.Task[bool]") -> None:
        # returns only once partitions were assigned: a signal may come before
        running = asyncio.create_task(self.app.start())
        crashed = asyncio.create_task(self.app._crashed.wait())  # noqa: SLF001 - no public way
        running.add_done_callback(lambda task: crashed.cancel() if _failed(task) else None)
        await asyncio.wait([signalled, crashed], return_when=asyncio.FIRST_COMPLETED)
        if not signalled.done():
            reason = self.app.crash_reason or _failed(running) or RuntimeError("Faust stopped")
            self._die(reason, "Faust")
        self._is_stopping = True
        crashed.cancel()
        try:
            async with asyncio.timeout(_STOP_SECONDS):
                await self.app.stop()
        except TimeoutError:
            self._give_up("Kafka did not answer while the worker stopped; a restart resumes")
        running.cancel()
        await asyncio.wait([running])

    async def _on_shutdown(self, _app: faust.App, **_: object) -> None:
        """Save what was folded, so that whoever comes next begins where this ends."""
        await _within(_STEP_SECONDS, self._stage.save())
        await _within(_STEP_SECONDS, self._follower.save())
        await _within(_STEP_SECONDS, self._follower.leave())
        await _within(_STEP_SECONDS, self._boards.follow())

    async def _close(self) -> None:
        if self._opening is not None:
            self._opening.cancel()
        await _within(_STEP_SECONDS, self._follower.leave())
        await _within(_STEP_SECONDS, self._boards.follow())
        for adapter in (self._web, self._log_ends, self._live_log, *reversed(self._writers)):
            await _within(_STEP_SECONDS, adapter.stop())

    @property
    def _writers(self) -> tuple[KafkaPublisher | KafkaCheckpoints, ...]:
        """Whatever writes results and states."""
        states = (self._checkpoints, self._identity_checkpoints, self._ring_checkpoints)
        return (self._publisher, *states)

    # --- what Faust calls -----------------------------------------------------------------------

    async def _fold(self, stream: Any) -> None:  # noqa: ANN401 - Faust's stream has no types
        """The agent: every batch of every partition that is ours."""
        async for event in stream.noack().events():
            message = event.message
            batch = message.value
            # the batch is held until its checkpoint is durable: keep the message, not the records
            message.value = event.value = None
            try:
                await self._stage.take(
                    message.partition,
                    batch.offsets,
                    batch.values,
                    partial(message.ack, self.app.consumer),
                    batch.newest_ms,
                )
            except Exception as error:  # noqa: BLE001 - the one place: log where, and end
                where = f"{LIVE_EVENTS}[{message.partition}]"
                self._die(error, f"{where} offsets {batch.offsets[0]} to {batch.offsets[-1]}")

    def _guarded(
        self, act: Callable[[], Awaitable[None]], where: str
    ) -> Callable[[], Coroutine[Any, Any, None]]:
        """Ends the process when a task of the worker fails: none may die unseen."""

        async def guarded() -> None:
            try:
                await act()
            except Exception as error:  # noqa: BLE001 - the same place as the agent's
                self._die(error, where)

        return guarded

    def _die(self, error: BaseException, where: str) -> None:
        """Say why, and end at once; what fails while the worker stops anyway is not looked at."""
        if self._is_stopping:
            return
        told_in_one_line = isinstance(error, _TOLD_IN_ONE_LINE)
        message = str(error) or type(error).__name__
        log.critical("stopped at %s: %s", where, message, exc_info=not told_in_one_line and error)
        self._give_up()

    def _give_up(self, why: str | None = None) -> None:
        if why is not None:
            log.critical("%s", why)
        logging.shutdown()
        os._exit(_EXIT_ON_ERROR)

    async def _on_revoked(self, _app: faust.App, _revoked: set[TP], **_: object) -> None:
        """What is still to be written is written before the group goes on without us."""
        self._is_member = False
        if self._opening is not None:
            self._opening.cancel()

        async def hand_over() -> None:
            await self._follower.leave()
            await self._boards.hold()
            await self._stage.leave()

        await _within(_HAND_OVER_SECONDS, hand_over())

    async def _on_assigned(self, _app: faust.App, assigned: set[TP], **_: object) -> None:
        await self._follower.leave()
        self._stage.expect(target.partition for target in assigned)
        self._opening = asyncio.create_task(self._open_all(sorted(assigned)))
        self._is_member = True
        if TP(LIVE_EVENTS, LEADING_PARTITION) in assigned:
            self._boards.lead(lambda error: self._die(error, "boards"))
        else:
            await self._boards.follow()

    def _followed(self, numbers: Sequence[int]) -> list[Followed]:
        """What goes with the partitions that are ours: links and marks of each, and all rings."""
        followed: list[Followed] = []
        for number in numbers:
            links = identity_stage(
                number, self._partitions, self._publisher, self._identity_checkpoints
            )
            followed += (links, MarksIn(number, self._stage))
        if LEADING_PARTITION in numbers:
            followed.append(ring_stage(self._partitions, self._publisher, self._ring_checkpoints))
        return followed

    async def _open_all(self, assigned: Sequence[TP]) -> None:
        """Load the state of what is ours, whether records come or not; then follow its rings."""
        for target in assigned:
            number = target.partition
            await self._guarded(partial(self._stage.open, number), f"{CHECKPOINTS}[{number}]")()
        followed = self._followed([target.partition for target in assigned])
        self._follower.follow(followed, lambda error: self._die(error, "rings"))

    # --- timers ---------------------------------------------------------------------------------

    async def _measure(self) -> None:
        """Ask where the log ends, and whether Kafka answers."""
        folded = {number: each.next_offset for number, each in self._stage.partitions.items()}
        if await self._log_ends.poll():
            self._stage.compare(folded, self._log_ends.ends)

    async def _tick(self) -> None:
        """Write the ticks that silent partitions need."""
        if self._boards.fold is None:
            return
        due = self._ticker.due(self._boards.fold.progress, self._log_ends.ends)
        for number, stamp_ms in due.items():
            await self._live_log.append(number, tick_record(stamp_ms))

    # --- what a scrape sees -----------------------------------------------------------------------

    def view(self) -> metrics.WorkerView:
        """The present moment, for a scrape."""
        partitions = self._stage.partitions
        fold, ends = self._boards.fold, self._log_ends.ends
        return metrics.WorkerView(
            progress={number: each.progress() for number, each in partitions.items()},
            health=self._stage.health,
            lag={
                number: max(0, ends.get(number, 0) - each.next_offset)
                for number, each in partitions.items()
            },
            boards=self._boards.boards,
            rooms=fold.rooms if fold else {},
            alerts=self._boards.alerts,
            after_sales=self._boards.after_sales,
            marks=self._boards.marks,
            market=self._boards.market,
            stays={number: stays_of(each) for number, each in partitions.items()},
            people={
                number: health.people
                for number, health in self._stage.health.items()
                if health.people is not None
            },
            comeback=self._stage.comeback,
            leads=self._boards.leads,
            now=time.monotonic(),
            epoch_ms=time.time_ns() // 1_000_000,
            followed=self._follower.view(),
        )

    def _trouble(self) -> str:
        stuck = liveness.stuck_partitions(self.view(), self._settings.stuck_seconds)
        if not stuck:
            return ""
        return f"partitions {stuck} have records left and made no progress"

    def _what_is_missing(self) -> str:
        if not self._is_member:
            return "no partition is assigned yet"
        loading = [number for number in self._stage.health if number not in self._stage.partitions]
        return f"the state of partitions {loading} is not loaded yet" if loading else ""


def run_worker(
    settings: WorkerSettings,
    partitions: int,
    rates: RateTable | None = None,
    calendar: Calendar = (),
) -> None:
    """Run until a signal; returns after a clean stop, ends the process with 70 on any error.

    Raises:
        ListenError: /metrics cannot be served.
        KafkaSilentError, KafkaError: no connection.
    """
    batch_transport.require_compiled_stream_loop()
    batch_transport.skip_consumer_records()
    logs.set_up(settings.log_level)
    collect_rarely()

    async def run() -> None:
        await Worker(settings, partitions, rates, calendar).run()

    asyncio.run(run())


def _signalled() -> asyncio.Event:
    """Set by the first Ctrl-C or SIGTERM; the next one ends the process as it always does."""
    event, loop = asyncio.Event(), asyncio.get_running_loop()

    def on_signal() -> None:
        event.set()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, on_signal)
    return event


def _failed(task: "asyncio.Task[Any]") -> BaseException | None:
    """Why a task ended, if it failed."""
    return task.exception() if task.done() and not task.cancelled() else None


async def _within(seconds: float, act: Awaitable[None]) -> None:
    """Await, but not for longer; a Kafka that does not answer must not keep a worker."""
    with contextlib.suppress(TimeoutError, KafkaError, KafkaSilentError):
        await asyncio.wait_for(act, seconds)
