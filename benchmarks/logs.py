"""Which Kafka a benchmark reads: one broker in a scratch folder, its topics emptied between rounds.

A worker that finds the checkpoint of an earlier round would skip what it is to fold, so all topics
but `live-events` are deleted and made anew before each round.
"""

import asyncio
import shutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient

from deploy.kafka.admin import create_topics
from deploy.kafka.broker import LocalKafka
from producers.replay import ReplayReport, replay
from producers.sessions import read_records
from schemas.kafka_access import client_options
from schemas.topics import DEFAULT_PARTITIONS, LIVE_EVENTS, Topic

_POLL_SECONDS = 0.05
_DELETE_SECONDS = 30.0


@dataclass(slots=True)
class Log:
    """A running Kafka.

    Attributes:
        records: in `live-events`, over all partitions.
    """

    kafka: LocalKafka
    records: int = 0

    @property
    def bootstrap(self) -> str:
        return self.kafka.bootstrap

    def forget_results(self) -> None:
        """Empty every topic but `live-events`."""
        asyncio.run(_empty(self.bootstrap, keep=frozenset({LIVE_EVENTS})))

    def forget_all(self) -> None:
        """Empty every topic."""
        asyncio.run(_empty(self.bootstrap, keep=frozenset()))
        self.records = 0

    def append(self, chunks: Iterable[Sequence[bytes]]) -> ReplayReport:
        """Send records to `live-events` at full speed, without a closing tick."""
        report = asyncio.run(replay(lambda: chunks, self.bootstrap, with_closing_tick=False))
        self.records = asyncio.run(_count(self.bootstrap))
        return report

    def append_to(self, topic: str, chunks: Iterable[Sequence[bytes]]) -> ReplayReport:
        """The same to a topic that is made for it and deleted after."""
        return asyncio.run(_replay_aside(self.bootstrap, topic, chunks))

    def remove(self) -> None:
        """End the broker and delete what it kept."""
        self.kafka.kill()
        shutil.rmtree(self.kafka.folder, ignore_errors=True)


def empty_log(folder: Path) -> Log:
    """Start a Kafka with every topic."""
    kafka = LocalKafka(folder, port=0)
    kafka.start()
    try:
        asyncio.run(create_topics(kafka.bootstrap))
    except BaseException:
        kafka.kill()
        raise
    return Log(kafka)


def filled_log(folder: Path, session: Path) -> Log:
    """Start a Kafka whose `live-events` holds a session."""
    log = empty_log(folder)
    try:
        log.append(read_records(session))
    except BaseException:
        log.remove()
        raise
    return log


async def _empty(bootstrap: str, *, keep: frozenset[str]) -> None:
    admin = AIOKafkaAdminClient(**client_options(bootstrap))
    await admin.start()
    try:
        await _delete(admin, keep)
    finally:
        await admin.close()
    await create_topics(bootstrap)


async def _delete(admin: AIOKafkaAdminClient, keep: frozenset[str]) -> None:
    """Delete topics, those of stock Faust too, and return when they are gone."""
    async with asyncio.timeout(_DELETE_SECONDS):
        while gone := _ours(await admin.list_topics()) - keep:
            await admin.delete_topics(sorted(gone))
            await asyncio.sleep(_POLL_SECONDS)


def _ours(names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if not name.startswith("__"))


async def _count(bootstrap: str) -> int:
    consumer = AIOKafkaConsumer(**client_options(bootstrap))
    await consumer.start()
    try:
        targets = [TopicPartition(LIVE_EVENTS, number) for number in range(DEFAULT_PARTITIONS)]
        return sum((await consumer.end_offsets(targets)).values())
    finally:
        await consumer.stop()


async def _replay_aside(
    bootstrap: str, name: str, chunks: Iterable[Sequence[bytes]]
) -> ReplayReport:
    topic = Topic(name, DEFAULT_PARTITIONS, "room_id", "delete", "of a benchmark")
    await create_topics(bootstrap, topics=(topic,))
    report = await replay(lambda: chunks, bootstrap, topic=name, with_closing_tick=False)
    admin = AIOKafkaAdminClient(**client_options(bootstrap))
    await admin.start()
    try:
        await admin.delete_topics([name])
    finally:
        await admin.close()
    return report
