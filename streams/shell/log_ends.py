"""How long is the log, and does Kafka answer at all?

Asked with a consumer of its own, so that the answer does not depend on whether the group's consumer
still works: what is stuck cannot vouch for itself.
"""

import logging
import time
from collections.abc import Callable

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from schemas.topics import LIVE_EVENTS
from streams.shell.patience import GIVE_UP_SECONDS, KafkaSilentError, may_pass
from streams.shell.reading import from_start

log = logging.getLogger("roompulse.worker")

_REQUEST_TIMEOUT_MS = 3_000
# A rebalance or a slow disk takes a second or two; what takes longer is worth a line.
_TELL_SECONDS = 5.0


class LogEnds:
    """The end offset of each partition of `live-events`, as of the last `poll`.

    Attributes:
        ends: partition to end offset; empty before the first answer.
    """

    def __init__(
        self, bootstrap: str, partitions: int, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._targets = [TopicPartition(LIVE_EVENTS, number) for number in range(partitions)]
        self._consumer = from_start(bootstrap, _REQUEST_TIMEOUT_MS)
        self._clock = clock
        self._heard_seconds = clock()
        self._told = False
        self.ends: dict[int, int] = {}

    async def start(self) -> None:
        await self._consumer.start()
        self._heard_seconds = self._clock()
        await self.poll()

    async def stop(self) -> None:
        await self._consumer.stop()

    async def poll(self) -> bool:
        """Ask, and return whether Kafka answered. A silence is told once, and so is its end.

        Raises:
            KafkaSilentError: no answer for so long that the worker has to end.
        """
        try:
            found = await self._consumer.end_offsets(self._targets)
        except KafkaError as error:
            if not may_pass(error):
                raise
            self._silent()
            return False
        self.ends = {target.partition: offset for target, offset in found.items()}
        self._answered()
        return True

    def _silent(self) -> None:
        seconds = self._clock() - self._heard_seconds
        if seconds > GIVE_UP_SECONDS:
            raise KafkaSilentError("its log cannot be read")
        if seconds > _TELL_SECONDS and not self._told:
            self._told = True
            log.warning(
                "Kafka does not answer; waiting for it, for %.0f s at most", GIVE_UP_SECONDS
            )

    def _answered(self) -> None:
        now = self._clock()
        if self._told:
            self._told = False
            log.warning("Kafka answers again after %.0f s", now - self._heard_seconds)
        self._heard_seconds = now
