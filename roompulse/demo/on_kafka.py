"""The evening on a Kafka: sent at its pace, watched through the boards that a worker publishes."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from deploy.kafka.admin import create_topics, describe_topics, verify_topics
from producers.kafka import TopicPartition, connected_consumer
from producers.replay import Control, Progress, ReplayReport, replay
from producers.sessions import read_records
from roompulse.demo.session import DemoSession
from roompulse.following import BOARD_SOURCES, Following
from roompulse.standing import Standing
from schemas.topics import DEFAULT_PARTITIONS, LIVE_EVENTS
from streams.embedded import Results
from streams.shell.collecting import collect, newest_progress

_SHOW_SECONDS = 0.25
_SETTLE_SECONDS = 0.3


@dataclass(frozen=True, slots=True)
class LogState:
    """What `live-events` of a Kafka holds before anything is sent.

    Attributes:
        partitions: None where there is no such topic.
        records: how many it holds.
        ever_written: whether there ever was one, though it may be gone by now.
    """

    partitions: int | None
    records: int
    ever_written: bool


async def look_at_log(bootstrap: str) -> LogState:
    """What is there; changes nothing.

    Raises:
        BrokerUnavailable, TopicsError, BrokerError: there is no usable Kafka.
    """
    states = await describe_topics(bootstrap)
    live = next(state for state in states if state.declared.name == LIVE_EVENTS)
    if live.partitions is None:
        return LogState(None, 0, ever_written=False)
    targets = [TopicPartition(LIVE_EVENTS, number) for number in range(live.partitions)]
    async with connected_consumer(bootstrap) as consumer:
        first = await consumer.beginning_offsets(targets)
        last = await consumer.end_offsets(targets)
    records = sum(last[target] - first[target] for target in targets)
    return LogState(live.partitions, records, ever_written=any(last.values()))


async def prepare_topics(bootstrap: str, log: LogState) -> int:
    """Make the topics that are not there; the partitions of `live-events`.

    Raises:
        TopicsError: topics are there and are not as declared.
    """
    partitions = log.partitions or DEFAULT_PARTITIONS
    await create_topics(bootstrap, live_partitions=partitions)
    await verify_topics(bootstrap)
    return partitions


async def known_rooms(bootstrap: str) -> frozenset[str]:
    """The rooms that workers have published on this Kafka."""
    results = await collect(bootstrap)
    return frozenset(room.room_id for room in results.rooms)


async def counted_events(bootstrap: str) -> int:
    """The events that workers have counted on this Kafka."""
    return sum(each.counts.events for each in await newest_progress(bootstrap))


async def fold_what_is_there(
    bootstrap: str, show: Callable[[Standing], None], require_worker: Callable[[], None]
) -> None:
    """Return once the worker has folded all that `live-events` holds now."""
    async with Following(bootstrap, BOARD_SOURCES) as watch:
        await watch.poll(0)
        while watch.known.lag != 0:
            await watch.poll(_SHOW_SECONDS)
            require_worker()
            show(watch.known.standing())


async def play_on_kafka(
    session: DemoSession,
    bootstrap: str,
    control: Control,
    on_progress: Callable[[Progress], None],
    show: Callable[[Standing], None],
    require_worker: Callable[[], None],
) -> ReplayReport:
    """Send the evening and its closing tick, and return once the worker has folded all of it.

    Raises:
        BrokerError, ReplayError: it could not be sent.
        DemoError: from `require_worker`, when the worker has ended.
    """
    async with Following(bootstrap, BOARD_SOURCES) as watch:
        sending = asyncio.create_task(
            replay(
                lambda: read_records(session.path),
                bootstrap,
                control=control,
                on_progress=on_progress,
            )
        )
        try:
            while not (sending.done() and (sending.exception() or watch.known.lag == 0)):
                await watch.poll(_SHOW_SECONDS)
                require_worker()
                show(watch.known.standing())
        finally:
            sending.cancel()
            await asyncio.wait([sending])
        return sending.result()


async def settled(
    bootstrap: str, is_final: Callable[[Results], bool], timeout_seconds: float
) -> Results:
    """What the worker published, once it is final or the time is up.

    Views are refreshed about once a second, so the last ones stand a few seconds after the last
    record was folded.
    """
    deadline = time.monotonic() + timeout_seconds
    while True:
        results = await collect(bootstrap)
        if is_final(results) or time.monotonic() > deadline:
            return results
        await asyncio.sleep(_SETTLE_SECONDS)
