"""Follows the boards of workers: what they publish, and how far behind the log they are.

Reads the compacted topics `boards` and `partition-progress` from their start and then as they grow,
without a consumer group, so that watching disturbs nobody. Bounds: the newest record of each key.
"""

from types import TracebackType
from typing import Any, Self

import msgspec

from deploy.kafka.admin import TopicsError, describe_topics
from producers.kafka import TopicPartition
from roompulse.standing import Standing, standing_of
from schemas import topics
from schemas.records import AnyBoard, Progress, decode_board
from streams.core.boards import board_place
from streams.shell.reading import from_start, seek_to_start

_WATCHED = (
    TopicPartition(topics.BOARDS, 0),
    TopicPartition(topics.PARTITION_PROGRESS, 0),
)
_POLL_MS = 200


class BoardsWatch:
    """The newest boards of one Kafka; use it in an `async with` statement."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._consumer: Any = None
        self._live: list[TopicPartition] = []
        self._begins: dict[TopicPartition, int] = {}
        self._ends: dict[TopicPartition, int] = {}
        self._boards: dict[bytes, AnyBoard] = {}
        self._progress: dict[int, Progress] = {}

    async def __aenter__(self) -> Self:
        """Connect, and read all that is there.

        Raises:
            BrokerUnavailable: no Kafka.
            TopicsError: it has not the topics.
        """
        states = {state.declared.name: state for state in await describe_topics(self._bootstrap)}
        wanted = (topics.LIVE_EVENTS, topics.BOARDS, topics.PARTITION_PROGRESS)
        if missing := [name for name in wanted if not states[name].exists]:
            raise TopicsError(
                f"no topic {', '.join(missing)} at {self._bootstrap}: make them with"
                " `roompulse topics create`"
            )
        live = range(states[topics.LIVE_EVENTS].partitions or 0)
        self._live = [TopicPartition(topics.LIVE_EVENTS, number) for number in live]
        self._consumer = from_start(self._bootstrap)
        await self._consumer.start()
        try:
            # what retention has deleted is no lag
            self._begins = await self._consumer.beginning_offsets(self._live)
            await seek_to_start(self._consumer, list(_WATCHED))
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

    async def poll(self, wait_seconds: float) -> bool:
        """Take what came, waiting for it up to so long; whether anything changed."""
        batches = await self._consumer.getmany(timeout_ms=int(wait_seconds * 1000))
        for target, records in batches.items():
            for record in records:
                if target.topic == topics.PARTITION_PROGRESS:
                    self._take(msgspec.json.decode(record.value, type=Progress))
                elif record.value is None:  # nobody is on it any more
                    self._boards.pop(record.key, None)
                else:
                    self._boards[record.key] = decode_board(record.key, record.value)
        before = self._ends
        self._ends = await self._consumer.end_offsets(self._live)
        return bool(batches) or self._ends != before

    @property
    def standing(self) -> Standing:
        """What is known now."""
        boards = sorted(self._boards.values(), key=board_place)
        progress = [self._progress[number] for number in sorted(self._progress)]
        folded = {each.version.partition: each.version.offset for each in progress}
        lag = sum(
            max(0, end - max(folded.get(target.partition, 0), self._begins[target]))
            for target, end in self._ends.items()
        )
        return standing_of(boards, progress, lag)

    def _take(self, progress: Progress) -> None:
        known = self._progress.get(progress.version.partition)
        if known is None or known.version <= progress.version:
            self._progress[progress.version.partition] = progress

    async def _catch_up(self) -> None:
        ends = await self._consumer.end_offsets(list(_WATCHED))
        await self.poll(0)
        for target in _WATCHED:
            while await self._consumer.position(target) < ends[target]:
                await self.poll(_POLL_MS / 1000)
