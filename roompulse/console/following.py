"""How does the console keep up with a Kafka? It reads topics from their start and as they grow.

Without a consumer group, so that watching disturbs nobody. A Kafka that goes away is waited for
without end: the page says since when nothing came, and goes on when it is back.
"""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from aiokafka.errors import KafkaError

from deploy.kafka.admin import TopicsError, describe_topics
from producers.kafka import TopicPartition
from roompulse.console.known import SOURCES, Known, apply_record
from schemas import topics
from streams.shell.reading import from_start, seek_to_start

_POLL_MS = 200
_POLL_RECORDS = 2_000  # applied without a pause; 20 ms at most
_LAG_SECONDS = 1.0


class Following:
    """Applies what comes to what is known.

    Attributes:
        heard_ms: wall time at which something came last, epoch milliseconds; None before.
        kafka_answers: whether Kafka told the end of the log when it was asked last.
    """

    def __init__(self, bootstrap: str, known: Known) -> None:
        self._bootstrap = bootstrap
        self._known = known
        self._consumer: Any = None
        self._targets = [TopicPartition(topic, 0) for topic in SOURCES]
        self._live: list[TopicPartition] = []
        self._begins: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self.heard_ms: int | None = None
        self.kafka_answers = True

    async def start(self) -> None:
        """Connect, and read all that is there.

        Raises:
            BrokerUnavailable: no Kafka.
            TopicsError: it has not the topics.
        """
        states = {state.declared.name: state for state in await describe_topics(self._bootstrap)}
        wanted = (topics.LIVE_EVENTS, *SOURCES)
        if missing := [name for name in wanted if not states[name].exists]:
            raise TopicsError(
                f"no topic {', '.join(missing)} at {self._bootstrap}: make them with"
                " `roompulse topics create`"
            )
        live = range(states[topics.LIVE_EVENTS].partitions or 0)
        self._live = [TopicPartition(topics.LIVE_EVENTS, number) for number in live]
        self._consumer = from_start(self._bootstrap)
        await self._consumer.start()
        # what retention has deleted is no lag
        self._begins = await self._consumer.beginning_offsets(self._live)
        await seek_to_start(self._consumer, self._targets)
        ends = await self._consumer.end_offsets(self._targets)
        for target in self._targets:
            while await self._consumer.position(target) < ends[target]:
                await self._read()

    async def run(self, on_news: Callable[[], None]) -> None:
        """Keep up until cancelled, and say so when something came."""
        measuring = asyncio.create_task(self._measure())
        try:
            while True:
                if await self._read():
                    on_news()
        finally:
            measuring.cancel()
            await asyncio.wait([measuring])

    async def stop(self) -> None:
        """Let the connection go."""
        if self._consumer is not None:
            await self._consumer.stop()

    @property
    def lag(self) -> int:
        """Records of `live-events` that are not folded yet, as far as is known."""
        folded = {one: progress.version.offset for one, progress in self._known.progress.items()}
        return sum(
            max(0, end - max(folded.get(target.partition, 0), self._begins[target]))
            for target, end in self._ends.items()
        )

    async def _read(self) -> bool:
        """Apply what comes within a moment; whether anything came."""
        batches = await self._consumer.getmany(timeout_ms=_POLL_MS, max_records=_POLL_RECORDS)
        for target, records in batches.items():
            for record in records:
                apply_record(self._known, target.topic, record.key or b"", record.value)
        if batches:
            self._known.version += 1
            self.heard_ms = time.time_ns() // 1_000_000
        return bool(batches)

    async def _measure(self) -> None:
        """Ask how long the log is, again and again."""
        while True:
            try:
                self._ends = await self._consumer.end_offsets(self._live)
                self.kafka_answers = True
            except KafkaError:
                self.kafka_answers = False
            await asyncio.sleep(_LAG_SECONDS)
