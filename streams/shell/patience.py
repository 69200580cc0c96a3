"""How long is a silent Kafka waited for? One limit, for every adapter of a worker.

A broker that restarts is away for seconds, so what fails in the meantime is tried again. Nothing is
lost by giving up either: the process ends, and a restart resumes at the checkpoints.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

from aiokafka.errors import KafkaError, KafkaTimeoutError

GIVE_UP_SECONDS = 120.0
# One request; a broker that hangs is asked again after it, well within the limit.
REQUEST_TIMEOUT_MS = 15_000
_PAUSE_SECONDS = 0.5
_FINISH_SECONDS = 2.0  # a Kafka that answers has connected long before

Found = TypeVar("Found")


class KafkaSilentError(RuntimeError):
    """Kafka did not do in time what was asked; the text is one line."""

    def __init__(self, what: str) -> None:
        super().__init__(f"Kafka has not answered for {GIVE_UP_SECONDS:.0f} s: {what}")


def may_pass(error: KafkaError) -> bool:
    """Whether the same request may succeed a little later."""
    return isinstance(error, KafkaTimeoutError) or bool(error.retriable)


async def patiently(
    ask: Callable[[], Awaitable[Found]], what: str, seconds: float = GIVE_UP_SECONDS
) -> Found:
    """The answer to `ask`, which is asked again while Kafka cannot be reached.

    Raises:
        KafkaSilentError: it could not for `seconds`.
        KafkaError: it refused.
    """
    deadline = time.monotonic() + seconds
    try:
        async with asyncio.timeout(seconds):
            while True:
                try:
                    return await ask()
                except KafkaError as error:
                    if not may_pass(error) or time.monotonic() > deadline:
                        raise
                await asyncio.sleep(_PAUSE_SECONDS)
    except TimeoutError as error:
        raise KafkaSilentError(what) from error


async def connected(
    start: Callable[[], Awaitable[Found]], what: str, seconds: float = GIVE_UP_SECONDS
) -> Found:
    """Start a client patiently; whoever cancels it waits for what is under way.

    Kafka's client leaves a connection open that is cancelled while it is made, and warns of it in
    the last lines of the log.

    Raises:
        KafkaSilentError, KafkaError: as `patiently`.
    """
    starting = asyncio.ensure_future(patiently(start, what, seconds))
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await asyncio.wait([starting], timeout=_FINISH_SECONDS)
        if not starting.cancel() and not starting.cancelled():
            starting.exception()  # nobody asks any more
        raise
