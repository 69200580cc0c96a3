"""How Faust hands an agent whole fetches instead of single records.

Stock Faust handles each record at a cost of hundreds of microseconds. Here a stream's message is
one fetch of one partition: a `Batch` of the records as the C parser of aiokafka left them. This is
the only file that relies on the inside of Faust and aiokafka; `tests/broker/test_upstream.py` pins
each behaviour it relies on:

- `Consumer.getmany` may yield any message whose `generation_id` is the current one;
- aiokafka's fetcher builds a `ConsumerRecord` for each record in `_consumer_record` alone;
- the aiokafka consumer of a worker is made in `_create_worker_consumer` alone;
- a seek to the group's offsets goes through `seek_to_committed` of the consumer's thread alone, and
  aiokafka refuses it where nothing is assigned;
- offsets to commit come from `_new_offset` alone, gaps between them from `_add_gap` alone.
"""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any

import aiokafka
import aiokafka.consumer.fetcher as aiokafka_fetcher
import faust
from faust.transport.drivers import aiokafka as faust_driver
from faust.types import TP, ConsumerMessage


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """When a fetch returns: after so many bytes, or so long.

    Without a minimum each fetch carries a handful of records and costs more than they do.
    """

    min_bytes: int
    wait_ms: int


@dataclass(slots=True)
class Batch:
    """The records of one fetch of one partition, in offset order."""

    offsets: list[int]
    values: list[bytes]
    newest_ms: int  # Kafka's stamp of the last record: when it was written


class _ConsumerThread(faust_driver.AIOKafkaConsumerThread):  # type: ignore[misc]
    """Faust hard-codes a fetch wait of 1,500 ms and no minimum; these are set on the consumer."""

    def _create_worker_consumer(self, transport: "BatchTransport") -> aiokafka.AIOKafkaConsumer:
        consumer = super()._create_worker_consumer(transport)
        limits = transport.limits
        # read by the fetcher that `start` makes
        consumer._fetch_min_bytes = limits.min_bytes  # noqa: SLF001
        consumer._fetch_max_wait_ms = limits.wait_ms  # noqa: SLF001
        return consumer

    async def seek_to_committed(self) -> Mapping[Any, int | None]:
        """Go on where the group is; nowhere where a rebalance has just taken everything away.

        aiokafka asserts that something is assigned. Whether it is can change until its own thread
        is asked, so the question and the seek stand together there.
        """
        return await self.call_thread(self._seek_what_is_assigned)  # type: ignore[no-any-return]

    async def _seek_what_is_assigned(self) -> Mapping[Any, int | None]:
        consumer = self._ensure_consumer()
        if not consumer.assignment():
            return {}
        return await consumer.seek_to_committed()  # type: ignore[no-any-return]


class _BatchConsumer(faust_driver.Consumer):  # type: ignore[misc]
    """Delivers one message for each partition and fetch."""

    def _new_consumer_thread(self) -> _ConsumerThread:
        return _ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    async def getmany(  # the signature is upstream's
        self,
        timeout: float,  # noqa: ASYNC109
    ) -> AsyncIterator[tuple[TP, ConsumerMessage]]:
        records, active = await self._wait_next_records(timeout)
        generation = self.app.consumer_generation_id
        if records is None or self.should_stop:
            return
        if not self.flow_active:
            await self.perform_seek()
            return
        for tp, batch in records.items():
            if not self.flow_active or self.app.consumer_generation_id != generation:
                break
            if batch and (active is None or tp in active or tp in self._buffered_partitions):
                yield tp, self._message(tp, batch, generation)

    def _message(self, tp: TP, records: list[Any], generation: int) -> ConsumerMessage:
        last = records[-1]
        batch = Batch(
            [record.offset for record in records],
            [record.value or b"" for record in records],
            last.timestamp,
        )
        return ConsumerMessage(
            topic=tp.topic,
            partition=tp.partition,
            offset=last.offset,
            timestamp=last.timestamp / 1000.0,
            timestamp_type=0,
            headers=(),
            key=None,
            value=batch,
            checksum=None,
            tp=tp,
            # a message without its generation is dropped without a word
            generation_id=generation,
        )

    def _new_offset(self, tp: TP) -> int | None:
        """The offset to commit: batches are acknowledged in offset order, so the greatest."""
        acked = self._acked[tp]
        if not acked:
            return None
        offset: int = max(acked) + 1
        acked.clear()
        self._acked_index[tp].clear()
        return offset

    async def _add_gap(self, tp: TP, offset_from: int, offset_to: int) -> None:
        """Offsets inside a batch are no gap; upstream would keep a number for each."""


class BatchTransport(faust_driver.Transport):  # type: ignore[misc]
    """Set it with `app.transport = BatchTransport.of(app, limits)`, before the app starts."""

    Consumer = _BatchConsumer
    limits = FetchLimits(1, 500)

    @classmethod
    def of(cls, app: faust.App, limits: FetchLimits) -> "BatchTransport":
        transport = cls(app.conf.broker_consumer, app)
        transport.limits = limits
        return transport


def skip_consumer_records() -> None:
    """Hand on records as the C parser made them: a dataclass for each costs 0.75 us an event.

    Holds for every aiokafka consumer of the process; all of ours read `offset`, `key`, `value` and
    `timestamp` only, which both have.
    """
    aiokafka_fetcher.PartitionRecords._consumer_record = (  # noqa: SLF001
        lambda _self, _tp, record: record
    )


def require_compiled_stream_loop() -> None:
    """Refuse Faust's pure-Python stream loop: it acknowledges messages of a past generation.

    Raises:
        RuntimeError: the compiled loop is not there.
    """
    if faust.streams._CStreamIterator is None:  # noqa: SLF001
        raise RuntimeError(
            "Faust's compiled stream loop is missing: install faust-streaming from its wheel, "
            "and leave NO_CYTHON unset"
        )
