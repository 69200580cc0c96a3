"""What the stage needs of the world: three small protocols, without code.

The Kafka adapters are in `streams.shell.publisher` and `streams.shell.checkpoints`; the tests bring
simulated ones.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Publisher(Protocol):
    """Writes records to topics."""

    async def publish(
        self,
        topic: str,
        items: Sequence[tuple[bytes, msgspec.Struct | None]],
        partition: int = 0,
    ) -> None:
        """Hand over records with their keys, in order; they may be on their way for a while.

        None in the place of a record says that there is none of this key any more.
        """

    async def flush(self) -> None:
        """Return when all that was handed over is durable.

        Raises:
            Exception: something could not be written.
        """


class Checkpoints(Protocol):
    """Keeps the newest state of each partition."""

    async def load(self, partition: int) -> bytes | None:
        """The complete state with the greatest offsets; None if there is none."""

    async def save(self, partition: int, next_offsets: tuple[int, ...], state: bytes) -> None:
        """Return when the state is durable; it has folded each of its sources up to an offset."""


class Position(Protocol):
    """Moves where a partition is read from."""

    async def rewind(self, partition: int, next_offset: int, first_offset: int) -> bool:
        """Read again from `next_offset`, or from what is left of the log above it.

        Returns False if there is nothing to read again below `first_offset`.
        """
