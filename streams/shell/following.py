"""How are partitions followed whose state is kept here, besides those that the group hands out?

One consumer without a group reads them all, each from where its own state wants it. Nothing is
acknowledged: a state carries its offset. Who follows what is decided by who has which partitions of
`live-events`, so a rebalance stops all, and what comes after it starts from saved states anew.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.shell.checkpoints import ForeignStateError
from streams.shell.patience import connected
from streams.shell.reading import from_start
from streams.shell.ring_metrics import FollowedView

log = logging.getLogger("roompulse.following")

_POLL_RECORDS = 2_000  # folded without a pause
_IDLE_WAIT_MS = 200


class Followed(Protocol):
    """One partition of a topic, and whoever takes its records."""

    topic: str
    number: int

    async def open(self) -> int | None:
        """Load its state: the offset to read from; None if it is not ours any more."""

    async def take(self, offsets: Sequence[int], values: Sequence[bytes]) -> None:
        """Take the next records, in the order of their offsets."""

    async def save(self) -> None:
        """Save the state, if it keeps its own and has changed."""

    @property
    def evicted(self) -> dict[str, int]:
        """What full maps of its state gave up."""


class Follower:
    """Follows some partitions at a time."""

    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._running: asyncio.Task[None] | None = None
        self._followed: Sequence[Followed] = ()
        self._lag: dict[TopicPartition, int] = {}

    def follow(
        self, followed: Sequence[Followed], on_failure: Callable[[BaseException], None]
    ) -> None:
        """Start with these; `leave` must have ended what was followed before."""
        assert self._running is None
        if not followed:
            return
        self._followed = followed
        self._running = asyncio.get_running_loop().create_task(self._run(followed))
        self._running.add_done_callback(lambda task: _report(task, on_failure))

    async def leave(self) -> None:
        """Stop: what was not saved is read again by whoever is next."""
        running, self._running = self._running, None
        self._followed, self._lag = (), {}
        if running is not None:
            running.cancel()
            await asyncio.wait([running])

    def view(self) -> list[FollowedView]:
        """The present moment, for a scrape."""
        return [
            FollowedView(
                each.topic,
                each.number,
                self._lag.get(TopicPartition(each.topic, each.number), 0),
                each.evicted,
            )
            for each in self._followed
        ]

    async def save(self) -> None:
        """Save every state that has changed; about every ten seconds."""
        for each in self._followed:
            await each.save()

    async def _run(self, followed: Sequence[Followed]) -> None:
        consumer = from_start(self._bootstrap)
        try:
            await connected(consumer.start, "rings cannot be followed")
            takers = {TopicPartition(each.topic, each.number): each for each in followed}
            await _seek(consumer, takers)
            while True:
                await self._read(consumer, takers)
        finally:
            await consumer.stop()

    async def _read(
        self, consumer: AIOKafkaConsumer, takers: dict[TopicPartition, Followed]
    ) -> None:
        batches = await consumer.getmany(timeout_ms=_IDLE_WAIT_MS, max_records=_POLL_RECORDS)
        for target, found in batches.items():
            await takers[target].take(
                [record.offset for record in found], [record.value or b"" for record in found]
            )
            end = consumer.highwater(target)
            if end is not None:
                self._lag[target] = max(0, end - found[-1].offset - 1)


async def _seek(consumer: AIOKafkaConsumer, takers: dict[TopicPartition, Followed]) -> None:
    """Assign what is ours, each partition from where its state wants it.

    Raises:
        ForeignStateError: a state knows more records than its topic has.
    """
    wanted = {target: await taker.open() for target, taker in takers.items()}
    ours = {target: offset for target, offset in wanted.items() if offset is not None}
    consumer.assign(list(ours))
    ends = await consumer.end_offsets(list(ours))
    for target, earliest in (await consumer.beginning_offsets(list(ours))).items():
        offset, end = ours[target], ends[target]
        if offset > end:
            raise ForeignStateError(target.topic, target.partition, offset, end)
        if offset < earliest:
            log.warning(
                "%s[%d]: offsets %d to %d are deleted already: what they said is not taken",
                *(target.topic, target.partition, offset, earliest - 1),
            )
        consumer.seek(target, max(offset, earliest))


def _report(task: "asyncio.Task[None]", on_failure: Callable[[BaseException], None]) -> None:
    if not task.cancelled() and (failure := task.exception()) is not None:
        on_failure(failure)
