"""Stage 2 around the board fold: reads what stage 1 writes, from the start, and publishes boards.

It needs no checkpoint: summaries, products and progress are compacted views, and minutes are kept
for 48 h. One worker of a group runs it: the one that has partition 0 of `live-events`, so that the
group's own protocol elects it. Two at once, for the moments of a rebalance, do no harm: boards are
views, and both write the same.
"""

import asyncio
from collections.abc import Callable
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas import records, topics
from schemas.records import AnyBoard, ProductFigures, Progress, RoomFigures, RoomMinute
from streams.core.boards import BoardFold
from streams.shell.ports import Publisher
from streams.shell.reading import Record, from_start, seek_to_start

LEADING_PARTITION = 0
SOURCES = (
    topics.ROOM_SUMMARIES,
    topics.ROOM_PRODUCTS,
    topics.ROOM_MINUTES,
    topics.PARTITION_PROGRESS,
)
_POLL_RECORDS = 2_000  # folded without a pause; 5 ms at most
# Ranking may take no more than this share of the worker's time, however many rooms there are.
_RANKING_SHARE = 0.05


class BoardReader:
    """Applies records of stage 1's topics to a board fold."""

    def __init__(self, fold: BoardFold) -> None:
        self.fold = fold
        self._apply: dict[str, tuple[msgspec.json.Decoder[Any], Callable[..., None]]] = {
            topics.ROOM_SUMMARIES: (msgspec.json.Decoder(RoomFigures), fold.apply_room),
            topics.ROOM_PRODUCTS: (msgspec.json.Decoder(ProductFigures), fold.apply_product),
            topics.ROOM_MINUTES: (msgspec.json.Decoder(RoomMinute), fold.apply_minute),
            topics.PARTITION_PROGRESS: (msgspec.json.Decoder(Progress), fold.apply_progress),
        }

    def apply(self, topic: str, record: Record) -> None:
        if record.value is not None:
            decoder, apply = self._apply[topic]
            apply(decoder.decode(record.value))


class BoardStage:
    """Keeps the boards of one group up to date while it leads.

    Attributes:
        boards: the newest boards; empty while another worker leads.
        fold: what they are made of; None while another worker leads.
    """

    def __init__(
        self,
        bootstrap: str,
        publisher: Publisher,
        *,
        zone: str,
        top: int,
        seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._bootstrap = bootstrap
        self._publisher = publisher
        self._zone = ZoneInfo(zone)
        self._top = top
        self._seconds = seconds
        self._clock = clock
        self._running: asyncio.Task[None] | None = None
        self._published: dict[bytes, AnyBoard] = {}
        self.boards: list[AnyBoard] = []
        self.fold: BoardFold | None = None

    @property
    def leads(self) -> bool:
        return self._running is not None

    def lead(self, on_failure: Callable[[BaseException], None]) -> None:
        """Start, unless it runs already."""
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())
            self._running.add_done_callback(lambda task: _report(task, on_failure))

    async def follow(self) -> None:
        """Stop: another worker leads."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        self.boards, self.fold, self._published = [], None, {}

    async def _run(self) -> None:
        consumer = from_start(self._bootstrap)
        await consumer.start()
        try:
            await seek_to_start(consumer, [TopicPartition(topic, 0) for topic in SOURCES])
            reader = BoardReader(BoardFold(self._zone, self._top))
            self.fold = reader.fold
            await self._keep_up(consumer, reader)
        finally:
            await consumer.stop()

    async def _keep_up(self, consumer: AIOKafkaConsumer, reader: BoardReader) -> None:
        due, changed = self._clock() + self._seconds, False
        while True:
            wait_ms = max(0, int((due - self._clock()) * 1000))
            batches = await consumer.getmany(timeout_ms=wait_ms, max_records=_POLL_RECORDS)
            for target, found in batches.items():
                changed = True
                for record in found:
                    reader.apply(target.topic, record)
            if self._clock() >= due:
                started = self._clock()
                if changed:
                    await self._publish(reader.fold.boards())
                    changed = False
                took = self._clock() - started
                due = started + max(self._seconds, took / _RANKING_SHARE)

    async def _publish(self, boards: list[AnyBoard]) -> None:
        """Publish the boards that differ from what was published last."""
        self.boards = boards
        changed = []
        for board in boards:
            key = records.board_key(board)
            if self._published.get(key) != board:
                self._published[key] = board
                changed.append((key, board))
        if changed:
            await self._publisher.publish(topics.BOARDS, changed)


def _report(task: "asyncio.Task[None]", on_failure: Callable[[BaseException], None]) -> None:
    if not task.cancelled() and (failure := task.exception()) is not None:
        on_failure(failure)
