"""Where does what is shown come from? A folder, which does not move, or the topics of a Kafka.

Kafka is read without a consumer group, so that watching disturbs nobody: the compacted topics whole
and of the closed minutes the last `MOST_MINUTES`, which is an hour of thousands of rooms.
"""

from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
from aiokafka.errors import KafkaError

from deploy.kafka.admin import TopicsError, describe_topics
from producers.kafka import TopicPartition
from roompulse.standing import RunFolderError, read_run_folder
from roompulse.top.known import Known
from roompulse.watching import BoardsWatch
from schemas import topics
from schemas.records import Alert, RoomFigures, RoomMinute, RoomSummary, decode_alert
from streams.shell.reading import Record, from_start, seek_to_start

MOST_MINUTES = 200_000
_POLL_MS = 200
_ALERTS = TopicPartition(topics.ALERTS, 0)
_ROOMS = TopicPartition(topics.ROOM_SUMMARIES, 0)
_MINUTES = TopicPartition(topics.ROOM_MINUTES, 0)
_T = TypeVar("_T")


def known_of_folder(folder: Path) -> Known:
    """What `roompulse run` or `roompulse export` wrote.

    Raises:
        RunFolderError: it is not such a folder.
    """
    known = Known(read_run_folder(folder))
    for alert in _lines(folder / "alerts.ndjson", Alert):
        known.take_alert(alert)
    for summary in _lines(folder / "rooms.ndjson", RoomSummary):
        known.rooms[summary.room_id] = summary
    for minute in _lines(folder / "minutes.ndjson", RoomMinute):
        known.take_minute(minute)
    return known


class KafkaSource:
    """A running system; use it in an `async with` statement."""

    def __init__(self, bootstrap: str) -> None:
        self.known = Known()
        self._bootstrap = bootstrap
        self._boards = BoardsWatch(bootstrap)
        self._consumer: Any = None
        self._take: dict[TopicPartition, Callable[[Record], None]] = {
            _ALERTS: self._take_alert,
            _ROOMS: self._take_room,
            _MINUTES: self._take_minute,
        }

    async def __aenter__(self) -> Self:
        """Connect, and read all that is there.

        Raises:
            BrokerUnavailable: no Kafka.
            TopicsError: it has not the topics.
        """
        await self._boards.__aenter__()
        states = {state.declared.name: state for state in await describe_topics(self._bootstrap)}
        if missing := [each.topic for each in self._take if not states[each.topic].exists]:
            await self._boards.__aexit__(None, None, None)
            raise TopicsError(
                f"no topic {', '.join(missing)} at {self._bootstrap}: make them with"
                " `roompulse topics create`"
            )
        self._consumer = from_start(self._bootstrap)
        try:
            await self._consumer.start()
            await self._catch_up()
        except BaseException:
            await self.__aexit__(None, None, None)
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._consumer.stop()
        await self._boards.__aexit__(kind, error, trace)

    async def poll(self, wait_seconds: float) -> bool:
        """Wait for what is published, at most so long; False if Kafka did not answer."""
        try:
            await self._boards.poll(wait_seconds)
            await self._read(0)
        except KafkaError:
            return False
        self.known.standing = self._boards.standing
        return True

    async def _catch_up(self) -> None:
        targets = list(self._take)
        await seek_to_start(self._consumer, targets)
        ends = await self._consumer.end_offsets(targets)
        begin = (await self._consumer.beginning_offsets([_MINUTES]))[_MINUTES]
        self._consumer.seek(_MINUTES, max(begin, ends[_MINUTES] - MOST_MINUTES))
        for target in targets:
            while await self._consumer.position(target) < ends[target]:
                await self._read(_POLL_MS)
        self.known.standing = self._boards.standing

    async def _read(self, timeout_ms: int) -> None:
        batches = await self._consumer.getmany(timeout_ms=timeout_ms)
        for target, records in batches.items():
            for record in records:
                self._take[target](record)

    def _take_alert(self, record: Record) -> None:
        self.known.take_alert(decode_alert(record.key or b"", record.value or b""))

    def _take_room(self, record: Record) -> None:
        self.known.take_room(msgspec.json.decode(record.value or b"", type=RoomFigures))

    def _take_minute(self, record: Record) -> None:
        self.known.take_minute(msgspec.json.decode(record.value or b"", type=RoomMinute))


def _lines(path: Path, kind: type[_T]) -> list[_T]:
    try:
        return [msgspec.json.decode(line, type=kind) for line in path.read_bytes().splitlines()]
    except OSError as error:
        raise RunFolderError(f"{path}: {(error.strerror or 'cannot be read').lower()}") from None
    except msgspec.MsgspecError as error:
        raise RunFolderError(f"{path}: is no file of a run ({error})") from None
