"""The composition root of a worker: settings, adapters, Faust app. Only the CLI imports it.

What happens to an event here: Kafka, `batch_transport` (a fetch becomes one message), the agent
below, `room_stage` (fold, publish, flush, save, acknowledge), `streams.core.partition`.

Any unexpected error ends the process: state is in the checkpoint, the rest is in the log, and a
restart resumes exactly. The one broad `except` of the program is here.
"""

import asyncio
import gc
import logging
import os
import time
from functools import partial
from typing import Any

import faust
import mode
from aiokafka.errors import KafkaError
from faust.types import TP

from schemas.topics import LIVE_EVENTS
from streams.shell import batch_transport, liveness, metrics
from streams.shell.board_stage import LEADING_PARTITION, BoardStage
from streams.shell.checkpoints import KafkaCheckpoints
from streams.shell.live_log import LiveLog
from streams.shell.publisher import KafkaPublisher
from streams.shell.room_stage import RoomStage
from streams.shell.settings import WorkerSettings
from streams.shell.ticker import Ticker, tick_record
from streams.shell.web import WebServer

log = logging.getLogger("roompulse.worker")

# Batches that Faust may hold before a stream; a fetch is up to 20,000 records, so this bounds what
# waits in memory. Small fetches cost: 2,000 to 5,000 records gave half the rate of 20,000.
_BUFFERED_BATCHES = 16
_FETCH_RECORDS = 20_000
_EXIT_ON_ERROR = 70  # EX_SOFTWARE: a supervisor restarts it


def build_app(settings: WorkerSettings) -> faust.App:
    """The Faust app: batches of `live-events` into an agent that fails fast."""
    app = faust.App(
        settings.group,
        broker=f"kafka://{settings.kafka}",
        store="memory://",
        web_enabled=False,
        web_bind="127.0.0.1",
        topic_allow_declare=False,
        topic_disable_leader=True,
        stream_wait_empty=False,
        broker_max_poll_records=_FETCH_RECORDS,
        stream_buffer_maxsize=_BUFFERED_BATCHES,
        consumer_auto_offset_reset="earliest",
        consumer_group_instance_id=settings.instance,
        agent_supervisor=mode.supervisors.CrashingSupervisor,
        table_standby_replicas=0,
        broker_session_timeout=settings.session_timeout_seconds,
        broker_heartbeat_interval=settings.session_timeout_seconds / 4,
        broker_rebalance_timeout=max(10.0, settings.session_timeout_seconds),
        worker_redirect_stdouts=False,
    )
    limits = batch_transport.FetchLimits(settings.fetch_min_bytes, settings.fetch_wait_ms)
    app.transport = batch_transport.BatchTransport.of(app, limits)
    return app


class _GroupPosition:
    """Moves where the group's consumer reads."""

    def __init__(self, app: faust.App) -> None:
        self._app = app

    async def rewind(self, partition: int, next_offset: int, first_offset: int) -> bool:
        consumer, target = self._app.consumer, TP(LIVE_EVENTS, partition)
        earliest = (await consumer.earliest_offsets(target))[target]
        wanted: int = max(next_offset, earliest)
        if wanted >= first_offset:
            return False
        await consumer.seek(target, wanted)
        return True


class Worker:
    """Everything one worker process runs.

    Args:
        partitions: how many `live-events` has.
    """

    def __init__(self, settings: WorkerSettings, partitions: int) -> None:
        self._settings = settings
        self._partitions = partitions
        self.app = build_app(settings)
        self._publisher = KafkaPublisher(settings.kafka)
        self._checkpoints = KafkaCheckpoints(settings.kafka)
        self._live_log = LiveLog(settings.kafka)
        self._stage = RoomStage(
            self._publisher, self._checkpoints, _GroupPosition(self.app), time.monotonic
        )
        self._boards = BoardStage(
            settings.kafka,
            self._publisher,
            zone=settings.zone,
            top=settings.top,
            seconds=settings.view_seconds,
            clock=time.monotonic,
        )
        self._ticker = Ticker(partitions, settings.tick_seconds, time.monotonic)
        collector = metrics.WorkerCollector(self.view, settings.metric_rows)
        self._web = WebServer(
            lambda: metrics.exposition(collector), self._trouble, self._what_is_missing
        )
        self._declare()

    def _declare(self) -> None:
        """Hang the agent, the timers and the signals on the app."""
        app, settings = self.app, self._settings
        live = app.topic(LIVE_EVENTS, key_serializer="raw", value_serializer="raw")
        app.agent(live, name="rooms")(self._fold)
        app.timer(settings.view_seconds, name="views")(self._guarded(self._stage.refresh))
        app.timer(settings.checkpoint_seconds, name="save")(self._guarded(self._stage.save))
        if settings.tick_seconds:
            app.timer(settings.view_seconds, name="ticks")(self._guarded(self._tick))
        app.on_partitions_revoked.connect(self._on_revoked, weak=False)
        app.on_partitions_assigned.connect(self._on_assigned, weak=False)
        app.task(self._guarded(self._start))

    async def _start(self) -> None:
        settings = self._settings
        await self._web.start(settings.metrics_host, settings.metrics_port, settings.address_file)

    async def prepare(self) -> None:
        """Connect the adapters, before any partition can come."""
        await self._publisher.start()
        await self._checkpoints.start()
        await self._live_log.start()

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

    def _guarded(self, act: Any) -> Any:  # noqa: ANN401 - coroutine functions of no arguments
        """Ends the process when a task of the worker fails: none may die unseen."""

        async def guarded() -> None:
            try:
                await act()
            except Exception as error:  # noqa: BLE001 - the same place as the agent's
                self._die(error, act.__qualname__)

        return guarded

    def _die(self, error: BaseException, where: str) -> None:
        if self.app.should_stop:
            return
        if isinstance(error, KafkaError | OSError):
            log.critical("stopped at %s: %s", where, error)
        else:
            log.critical("stopped at %s", where, exc_info=error)
        logging.shutdown()
        os._exit(_EXIT_ON_ERROR)

    async def _on_revoked(self, _app: faust.App, _revoked: set[TP], **_: object) -> None:
        self._stage.forget()
        await self._boards.follow()

    async def _on_assigned(self, _app: faust.App, assigned: set[TP], **_: object) -> None:
        self._stage.forget()
        if TP(LIVE_EVENTS, LEADING_PARTITION) in assigned:
            self._boards.lead(lambda error: self._die(error, "boards"))
        else:
            await self._boards.follow()

    async def _tick(self) -> None:
        """Write the ticks that silent partitions need."""
        if self._boards.fold is None:
            return
        for number, stamp_ms in self._ticker.due(self._boards.fold.progress).items():
            await self._live_log.append(number, tick_record(stamp_ms))

    def view(self) -> metrics.WorkerView:
        """The present moment, for a scrape."""
        partitions = self._stage.partitions
        fold = self._boards.fold
        return metrics.WorkerView(
            progress={number: each.progress() for number, each in partitions.items()},
            health=self._stage.health,
            lag={
                number: self._lag(number, each.next_offset) for number, each in partitions.items()
            },
            boards=self._boards.boards,
            rooms=fold.rooms if fold else {},
            leads=self._boards.leads,
            now=time.monotonic(),
            epoch_ms=time.time_ns() // 1_000_000,
        )

    def _lag(self, number: int, next_offset: int) -> int:
        target = TP(LIVE_EVENTS, number)
        consumer = self.app.consumer
        if target not in consumer.assignment():
            return 0
        return max(0, (consumer.highwater(target) or 0) - next_offset)

    def _trouble(self) -> str:
        stuck = liveness.stuck_partitions(self.view(), self._settings.stuck_seconds)
        if not stuck:
            return ""
        return f"partitions {stuck} have records left and made no progress"

    def _what_is_missing(self) -> str:
        return "" if self.app.consumer.assignment() else "no partition is assigned yet"


def run_worker(settings: WorkerSettings, partitions: int) -> None:
    """Run until a signal; returns after a clean stop, ends the process with 70 on any error."""
    batch_transport.require_compiled_stream_loop()
    batch_transport.skip_consumer_records()
    # state is long-lived and free of cycles: let the collector look at it rarely
    gc.set_threshold(100_000, 20, 50)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    worker = loop.run_until_complete(_prepared(settings, partitions))
    faust.Worker(
        worker.app, loglevel="WARN", loop=loop, redirect_stdouts=False
    ).execute_from_commandline()


async def _prepared(settings: WorkerSettings, partitions: int) -> Worker:
    """A worker whose adapters are connected; they are made inside the loop that they use."""
    worker = Worker(settings, partitions)
    await worker.prepare()
    return worker
