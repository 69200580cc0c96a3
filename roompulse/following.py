"""How is a Kafka kept up with by whoever looks at it? Topics from their start, and as they grow.

Without a consumer group, so that watching disturbs nobody: the compacted topics whole, and of the
closed minutes as many as are kept. A Kafka that goes away is waited for without end; whoever shows
what is known says since when nothing came.
"""

import asyncio
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, Final, Self

from aiokafka.errors import KafkaError

from deploy.kafka.admin import TopicsError, describe_topics
from producers.kafka import TopicPartition
from roompulse.known import MOST_MINUTES, SOURCES, Known, apply_record
from schemas import topics
from streams.shell.reading import from_start, seek_to_start

# What boards alone need; with the progress of each partition they tell how far the fold is.
BOARD_SOURCES: Final = (topics.PARTITION_PROGRESS, topics.BOARDS)
_POLL_SECONDS = 0.2
_POLL_RECORDS = 2_000  # applied without a pause; 20 ms at most
_LAG_SECONDS = 1.0
_MINUTES = TopicPartition(topics.ROOM_MINUTES, 0)


class Following:
    """Applies what comes to what is known; use it in an `async with` statement.

    Args:
        bootstrap: address of the Kafka.
        sources: the topics that are read, of `known.SOURCES`.

    Attributes:
        known: the newest of what was read.
        heard_ms: wall time at which something came last, epoch milliseconds; None before.
        kafka_answers: whether Kafka told the end of the log when it was asked last.
    """

    def __init__(self, bootstrap: str, sources: Sequence[str] = SOURCES) -> None:
        self.known = Known()
        self.heard_ms: int | None = None
        self.kafka_answers = True
        self._bootstrap = bootstrap
        self._consumer: Any = None
        self._targets = [TopicPartition(topic, 0) for topic in sources]
        self._live: list[TopicPartition] = []
        self._begins: dict[TopicPartition, int] = {}

    async def __aenter__(self) -> Self:
        """Connect, and read all that is there.

        Raises:
            BrokerUnavailable: no Kafka.
            TopicsError: it has not the topics.
        """
        states = {state.declared.name: state for state in await describe_topics(self._bootstrap)}
        wanted = (topics.LIVE_EVENTS, *(target.topic for target in self._targets))
        if missing := [name for name in wanted if not states[name].exists]:
            raise TopicsError(
                f"no topic {', '.join(missing)} at {self._bootstrap}: make them with"
                " `roompulse topics create`"
            )
        live = range(states[topics.LIVE_EVENTS].partitions or 0)
        self._live = [TopicPartition(topics.LIVE_EVENTS, number) for number in live]
        self._consumer = from_start(self._bootstrap)
        try:
            await self._consumer.start()
            # what retention has deleted is no lag
            self._begins = await self._consumer.beginning_offsets(self._live)
            await self._catch_up()
        except BaseException:
            await self._consumer.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._consumer.stop()

    async def run(self, on_news: Callable[[], None]) -> None:
        """Keep up until cancelled, and say so when something came."""
        measuring = asyncio.create_task(self._measure_again_and_again())
        try:
            while True:
                if await self._read(_POLL_SECONDS):
                    on_news()
        finally:
            measuring.cancel()
            await asyncio.wait([measuring])

    async def poll(self, wait_seconds: float) -> bool:
        """Take what came, waiting for it up to so long; False if Kafka did not answer."""
        await self._read(wait_seconds)
        await self._measure()
        return self.kafka_answers

    async def _catch_up(self) -> None:
        await seek_to_start(self._consumer, self._targets)
        ends = await self._consumer.end_offsets(self._targets)
        if _MINUTES in ends:
            begin = await self._consumer.position(_MINUTES)
            self._consumer.seek(_MINUTES, max(begin, ends[_MINUTES] - MOST_MINUTES))
        for target in self._targets:
            while await self._consumer.position(target) < ends[target]:
                await self._read(_POLL_SECONDS)

    async def _read(self, wait_seconds: float) -> bool:
        """Apply what comes within a time; whether anything came."""
        batches = await self._consumer.getmany(
            timeout_ms=int(wait_seconds * 1000), max_records=_POLL_RECORDS
        )
        for target, records in batches.items():
            for record in records:
                apply_record(self.known, target.topic, record.key or b"", record.value)
        if batches:
            self.known.version += 1
            self.heard_ms = time.time_ns() // 1_000_000
        return bool(batches)

    async def _measure(self) -> None:
        """Ask how long the log is, and so how much of it is not folded yet."""
        try:
            ends = await self._consumer.end_offsets(self._live)
        except KafkaError:
            self.kafka_answers = False
            return
        self.kafka_answers = True
        folded = {one: progress.version.offset for one, progress in self.known.progress.items()}
        self.known.lag = sum(
            max(0, end - max(folded.get(target.partition, 0), self._begins[target]))
            for target, end in ends.items()
        )

    async def _measure_again_and_again(self) -> None:
        while True:
            await self._measure()
            await asyncio.sleep(_LAG_SECONDS)
