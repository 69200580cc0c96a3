"""What becomes of a record that is not plainly accepted? It is counted; what is refused is kept.

A repeat is counted as duplicate. A record that is refused, wholly or in part, becomes a dead letter
with its bytes and its place. State: the tally; dead letters are emitted at once.
"""

from base64 import b64encode
from dataclasses import dataclass
from typing import Literal

from schemas.codec import RoomEvent
from schemas.errors import Reason
from schemas.records import DeadLetter
from schemas.topics import LIVE_EVENTS
from streams.core.tally import Tally


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why an event is refused; `wholly` unless a part of it was accepted."""

    reason: Reason
    detail: str
    wholly: bool = True


Outcome = Refusal | Literal[True] | None
REPEAT: Literal[True] = True


def is_accepted(outcome: Outcome) -> bool:
    """Whether an event counts, at least in part."""
    return outcome is None or (outcome is not REPEAT and not outcome.wholly)


def from_the_future(ts_ms: int) -> Refusal:
    """Why an event is refused whose stamp is not believed, and which is good for nothing else."""
    return Refusal("future", f"later records refute its stamp {ts_ms}")


class Outcomes:
    """The outcomes of the records of one partition.

    Attributes:
        dead_letters: where those of the records that are being folded go.
    """

    __slots__ = ("_number", "dead_letters", "tally")

    def __init__(self, number: int) -> None:
        self._number = number
        self.tally = Tally()
        self.dead_letters: list[DeadLetter] = []

    def tell(
        self, offset: int, value: bytes, event: RoomEvent, outcome: Refusal | Literal[True]
    ) -> None:
        """Count and keep what was not accepted, or not wholly."""
        if outcome is REPEAT:
            self.tally.duplicates[type(event)] += 1
        elif outcome.wholly:
            self.reject(offset, value, outcome.reason, outcome.detail)
        else:
            self._keep(offset, value, outcome.reason, outcome.detail)

    def reject(self, offset: int, value: bytes, reason: Reason, detail: str) -> None:
        """Count and keep a record that is refused whole."""
        self.tally.reject(reason)
        self._keep(offset, value, reason, detail)

    def broadcast(self, kind: type) -> None:
        """Count a record that every partition has; the first one counts it."""
        if self._number == 0:
            self.tally.accepted[kind] += 1
            self.tally.broadcast += 1

    def _keep(self, offset: int, value: bytes, reason: Reason, detail: str) -> None:
        record = b64encode(value).decode()
        self.dead_letters.append(
            DeadLetter(reason, detail, LIVE_EVENTS, self._number, offset, record)
        )
