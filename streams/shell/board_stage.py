"""Stage 2 around the board fold: reads what stage 1 writes, from the start, and publishes boards.

It needs no checkpoint: summaries, products and progress are compacted views, alerts are kept, and
minutes are kept for 48 h. One worker of a group runs it: the one that has partition 0 of
`live-events`, so that the group's own protocol elects it. It publishes nothing before it has read
all that was there when it began, and nothing while a rebalance goes on; after one it publishes all
boards again, since another worker that took itself for the leader may have written meanwhile.

How agencies, hosts and products stand beside each other is looked at more rarely, in a thread, from
a copy of what is known, so that it holds up neither boards nor the fold.
"""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas import records, topics
from schemas.details import AfterSalesFigures, decode_detail, is_pitch_minute
from schemas.exchange import RateTable
from schemas.records import (
    AnyBoard,
    ProductFigures,
    ProductMark,
    Progress,
    RoomFigures,
    RoomMinute,
    decode_alert,
)
from schemas.rules import RuleSet
from streams.core.after_sales_totals import AfterSalesTotals
from streams.core.boards import BoardFold
from streams.core.integrity.alert_book import AlertBook
from streams.core.last_marks import LastMarks
from streams.core.market.live import LiveMarket, MarketView, market_view
from streams.shell.patience import connected, patiently
from streams.shell.ports import Publisher
from streams.shell.ranking_pace import MOST_SHARE, RankingPace
from streams.shell.reading import Record, from_start, read_to_end, seek_to_start

LEADING_PARTITION = 0
SOURCES = (
    topics.ROOM_SUMMARIES,
    topics.ROOM_PRODUCTS,
    topics.ROOM_MINUTES,
    topics.PARTITION_PROGRESS,
    topics.ALERTS,
    topics.ROOM_DETAILS,
    topics.PRODUCT_MARKS,
)
_UNRANKED = frozenset({topics.ALERTS, topics.ROOM_DETAILS, topics.PRODUCT_MARKS})  # change no board
_POLL_RECORDS = 2_000  # folded without a pause; 5 ms at most
_CATCH_UP_WAIT_MS = 100
_MARKET_VIEWS = 10  # so many views of rooms later the market is looked at again
_IDLE_WAIT_MS = 200  # how soon a new term as leader is noticed while nothing comes


class BoardReader:
    """Applies records of stage 1's topics to boards, alerts, after-sales and the market."""

    def __init__(self, fold: BoardFold) -> None:
        self.fold = fold
        self.alerts = AlertBook()
        self.after_sales = AfterSalesTotals()
        self.marks = LastMarks()
        self.market = LiveMarket()
        self._apply: dict[str, tuple[msgspec.json.Decoder[Any], Callable[..., None]]] = {
            topics.ROOM_SUMMARIES: (msgspec.json.Decoder(RoomFigures), self._apply_room),
            topics.ROOM_PRODUCTS: (msgspec.json.Decoder(ProductFigures), self._apply_product),
            topics.ROOM_MINUTES: (msgspec.json.Decoder(RoomMinute), self._apply_minute),
            topics.PARTITION_PROGRESS: (msgspec.json.Decoder(Progress), fold.apply_progress),
            topics.PRODUCT_MARKS: (msgspec.json.Decoder(ProductMark), self.marks.apply),
        }

    def apply(self, topic: str, record: Record) -> None:
        if record.value is None:
            return
        if topic == topics.ALERTS:
            self.alerts.apply(decode_alert(record.key or b"", record.value))
        elif topic == topics.ROOM_DETAILS:
            self._apply_detail(record.key or b"", record.value)
        else:
            decoder, apply = self._apply[topic]
            apply(decoder.decode(record.value))

    def _apply_room(self, figures: RoomFigures) -> None:
        self.fold.apply_room(figures)
        self.market.newest.apply_room(figures)
        self.after_sales.apply_currency(figures.summary.room_id, figures.summary.currency)

    def _apply_product(self, figures: ProductFigures) -> None:
        self.fold.apply_product(figures)
        self.market.newest.apply_product(figures)

    def _apply_minute(self, line: RoomMinute) -> None:
        self.fold.apply_minute(line)
        self.market.apply_minute(line)

    def _apply_detail(self, key: bytes, value: bytes) -> None:
        """Take what is shown live; the minutes of the pitch are not, and their keys tell."""
        if is_pitch_minute(key):
            return
        detail = decode_detail(value)
        self.market.newest.apply_detail(detail)
        if isinstance(detail, AfterSalesFigures):
            self.after_sales.apply(detail)


class BoardStage:
    """Keeps the boards of one group up to date while it leads.

    Attributes:
        boards: the newest boards; empty while another worker leads.
        fold: what they are made of; None while another worker leads, or not all is read yet.
        alerts: what is known of alerts; None as for `fold`.
        after_sales: who answers for what; None as for `fold`.
        marks: when something was done last with products; None as for `fold`.
        market: how all stand beside each other; None as for `fold`.
    """

    def __init__(
        self,
        bootstrap: str,
        publisher: Publisher,
        *,
        zone: str,
        top: int,
        rules: Callable[[], RuleSet],
        rates: RateTable | None = None,
        seconds: float,
        clock: Callable[[], float],
        processor_clock: Callable[[], float] = time.thread_time,
    ) -> None:
        self._bootstrap = bootstrap
        self._publisher = publisher
        self._zone = ZoneInfo(zone)
        self._top = top
        self._rules = rules
        self._rates = rates
        self._seconds = seconds
        self._clock = clock
        self._processor_clock = processor_clock
        self._running: asyncio.Task[None] | None = None
        self._published: dict[bytes, AnyBoard | None] = {}
        self._may_publish = False
        self._publishing = asyncio.Lock()
        self.boards: list[AnyBoard] = []
        self.fold: BoardFold | None = None
        self.alerts: AlertBook | None = None
        self.after_sales: AfterSalesTotals | None = None
        self.marks: LastMarks | None = None
        self.market: MarketView | None = None

    @property
    def leads(self) -> bool:
        return self._running is not None

    def lead(self, on_failure: Callable[[BaseException], None]) -> None:
        """Start, or go on after a rebalance."""
        self._may_publish = True
        if self._running is None:
            self._running = asyncio.get_running_loop().create_task(self._run())
            self._running.add_done_callback(lambda task: _report(task, on_failure))
        else:
            self._published = dict.fromkeys(self._published)  # none of them is certain now

    async def hold(self) -> None:
        """A rebalance begins: publish nothing until `lead`. Returns when nothing is under way."""
        self._may_publish = False
        async with self._publishing:
            pass

    async def follow(self) -> None:
        """Stop: another worker leads."""
        running, self._running = self._running, None
        if running is not None:
            running.cancel()
            await asyncio.wait([running])
        self.boards, self._published = [], {}
        self.fold, self.alerts, self.after_sales = None, None, None
        self.marks, self.market = None, None

    async def _run(self) -> None:
        consumer = from_start(self._bootstrap)
        try:
            await connected(consumer.start, "boards cannot be made")
            targets = [TopicPartition(topic, 0) for topic in SOURCES]
            await seek_to_start(consumer, targets)
            reader = BoardReader(BoardFold(self._zone, self._top, self._rates))
            await self._catch_up(consumer, reader, await consumer.end_offsets(targets))
            self._published = await patiently(self._keys_on_topic, "boards cannot be read")
            self.fold, self.alerts = reader.fold, reader.alerts
            self.after_sales, self.marks = reader.after_sales, reader.marks
            watching = asyncio.ensure_future(self._watch_market(reader))
            try:
                await asyncio.gather(self._keep_up(consumer, reader), watching)
            finally:
                watching.cancel()
        finally:
            await consumer.stop()

    async def _watch_market(self, reader: BoardReader) -> None:
        """Look at the market now and then: it changes slowly, and takes long with many rooms."""
        while True:
            started = self._clock()
            stand = reader.market.stand(reader.fold.as_of_ms)
            seen = await asyncio.to_thread(market_view, stand, reader.alerts.known(), self._rules())
            self.market = seen
            took = self._clock() - started
            await asyncio.sleep(max(self._seconds * _MARKET_VIEWS, took / MOST_SHARE))

    async def _keys_on_topic(self) -> dict[bytes, AnyBoard | None]:
        """The boards that a former leader published: what is not ranked any more has to go."""
        keys: dict[bytes, AnyBoard | None] = {}
        async for record in read_to_end(self._bootstrap, topics.BOARDS, 0):
            if record.value is None:
                keys.pop(record.key or b"", None)
            else:
                keys[record.key or b""] = None
        return keys

    async def _catch_up(
        self, consumer: AIOKafkaConsumer, reader: BoardReader, ends: Mapping[TopicPartition, int]
    ) -> None:
        """Read all that was there at the start: boards of half of it would be wrong."""
        for target, end in ends.items():
            while await consumer.position(target) < end:
                await self._read(consumer, reader, _CATCH_UP_WAIT_MS)

    async def _read(self, consumer: AIOKafkaConsumer, reader: BoardReader, wait_ms: int) -> bool:
        """Apply what comes within a time; whether anything came that boards rest on."""
        batches = await consumer.getmany(timeout_ms=wait_ms, max_records=_POLL_RECORDS)
        for target, found in batches.items():
            for record in found:
                reader.apply(target.topic, record)
        return any(target.topic not in _UNRANKED for target in batches)

    async def _keep_up(self, consumer: AIOKafkaConsumer, reader: BoardReader) -> None:
        """Rank what came, at its pace."""
        pace, published = RankingPace(self._seconds, self._clock()), self._published
        while True:
            wait_seconds = pace.wait_seconds(self._clock())
            wait_ms = _IDLE_WAIT_MS if wait_seconds is None else int(wait_seconds * 1000)
            came = await self._read(consumer, reader, wait_ms)
            if came or self._published is not published:
                pace.came(self._clock())
            if pace.is_due(self._clock()):
                started, published = self._clock(), self._published
                boards, cost = self._ranked(reader.fold)
                pace.ranked(started, cost, is_done=await self._publish(boards))

    def _ranked(self, fold: BoardFold) -> tuple[list[AnyBoard], float]:
        """The boards, and the seconds of a processor that they took."""
        began = self._processor_clock()
        boards = fold.boards()
        return boards, self._processor_clock() - began

    async def _publish(self, boards: list[AnyBoard]) -> bool:
        """Publish the boards that differ from what was published last, unless on hold."""
        self.boards = boards
        async with self._publishing:
            if not self._may_publish:
                return False
            changed = changed_boards(self._published, boards)
            if changed:
                self._published.update(changed)
                await self._publisher.publish(topics.BOARDS, changed)
            for key, board in changed:
                if board is None:
                    self._published.pop(key, None)
        return True


def changed_boards(
    published: Mapping[bytes, AnyBoard | None], boards: Iterable[AnyBoard]
) -> list[tuple[bytes, AnyBoard | None]]:
    """What has to be written where `published` was: boards, and None for those that are gone.

    A board goes when no room has its currency any more, as when the first order of a room came
    before the room was opened.
    """
    found = {records.board_key(board): board for board in boards}
    gone: list[tuple[bytes, AnyBoard | None]] = [
        (key, None) for key in published if key not in found
    ]
    return gone + [(key, board) for key, board in found.items() if published.get(key) != board]


def _report(task: "asyncio.Task[None]", on_failure: Callable[[BaseException], None]) -> None:
    if not task.cancelled() and (failure := task.exception()) is not None:
        on_failure(failure)
