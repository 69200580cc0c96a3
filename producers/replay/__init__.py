"""Replays a recorded session to Kafka, at the pace of its event time.

`replay` is the whole of it: the records of a session in order of arrival, a Kafka, a speed.
What is sent when is decided by `plan` (pure), at what wall time by `pace` (pure), and done by
`run`; the Kafka client itself is `producers.kafka`.
"""

import asyncio
import time
from collections.abc import Callable

from producers.kafka import (
    BatchSender,
    BrokerError,
    connected_producer,
    largest_record_bytes,
    partition_count,
)
from schemas.topics import LIVE_EVENTS

from .pace import MAX_SPEED
from .plan import Chunks, OpenRecords, Plan, closing_tick, is_closing_tick
from .run import PROGRESS_SECONDS, Control, Progress, ReplayReport, Runner, Waiter
from .selection import ALL, Moment, ReplayError, Selection, parse_moment, parse_time

__all__ = [
    "ALL",
    "MAX_SPEED",
    "PROGRESS_SECONDS",
    "BrokerError",
    "Chunks",
    "Control",
    "Moment",
    "OpenRecords",
    "Progress",
    "ReplayError",
    "ReplayReport",
    "Selection",
    "WallWaiter",
    "closing_tick",
    "is_closing_tick",
    "parse_moment",
    "parse_time",
    "replay",
]


class WallWaiter:
    """The machine's own time."""

    def now_seconds(self) -> float:
        """Seconds of the monotonic clock."""
        return time.monotonic()

    async def wait(self, seconds: float, wake: asyncio.Event) -> None:
        """Sleep, unless woken."""
        try:
            async with asyncio.timeout(seconds):
                await wake.wait()
        except TimeoutError:
            return


async def replay(
    records: OpenRecords,
    bootstrap: str,
    *,
    topic: str = LIVE_EVENTS,
    speed: float = MAX_SPEED,
    selection: Selection = ALL,
    passes: int | None = 1,
    rebase_ms: int | None = None,
    with_closing_tick: bool = True,
    control: Control | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    waiter: Waiter | None = None,
) -> ReplayReport:
    """Send a session to a topic and return what was done, once Kafka has acknowledged it all.

    Args:
        records: opens the session, once per pass: `lambda: read_records(path)`.
        bootstrap: `host:port` of Kafka, several with commas.
        topic: it has to exist.
        selection: which part of the session.
        speed: event time per wall time; `MAX_SPEED` for as fast as it goes. A `control` brings
            its own.
        passes: how often; None until stopped. Further passes have fresh ids and follow in time.
        rebase_ms: the event time to which the first replayed stamp is moved.
        with_closing_tick: end with the tick of the design, section 5.
        control: what a person may ask meanwhile.
        on_progress: told about ten times a second, and at the end.
        waiter: time and how it passes; the machine's by default.

    Raises:
        BrokerError: no Kafka, no such topic, or Kafka refuses or stops answering.
        ReplayError: nothing to replay, or a pass that leaves the accepted time.
    """
    control = control or Control(speed)
    waiter = waiter or WallWaiter()
    async with connected_producer(bootstrap) as producer:
        partitions = await partition_count(producer, topic, bootstrap)
        sender = BatchSender(producer, topic, partitions)
        runner = Runner(
            plan=Plan(records, partitions, selection=selection, passes=passes, rebase_ms=rebase_ms),
            sender=sender,
            partitions=partitions,
            control=control,
            waiter=waiter,
            largest_bytes=largest_record_bytes(topic),
            on_progress=on_progress,
        )
        try:
            return await runner.run(with_closing_tick=with_closing_tick)
        except BrokerError as error:
            acknowledged = sum(sender.delivered)
            raise BrokerError(f"{error}; {acknowledged:,} records had been acknowledged") from error
