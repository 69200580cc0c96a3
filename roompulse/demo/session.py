"""What is played: a generated festival evening in a session file, and the truth about it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from producers.generator import generate
from producers.sessions import SessionWriter, read_records, truth_path
from schemas import codec

SCENARIO = "festival"
_EVENTS_BY_REPORT = 5_000


@dataclass(frozen=True, slots=True)
class DemoSession:
    """A session file and what a correct run of it must show.

    Attributes:
        truth: the generator's totals, see `producers.generator.truth`.
        first_ms: event time of its first record, and `last_ms` of its last.
    """

    path: Path
    truth: dict[str, Any]
    first_ms: int
    last_ms: int

    @property
    def events(self) -> int:
        """How many events it has."""
        count: int = self.truth["counts"]["events"]
        return count

    @property
    def room_ids(self) -> frozenset[str]:
        """The rooms of the evening."""
        return frozenset(self.truth["rooms"])

    @property
    def seconds(self) -> float:
        """How long the evening is, in event time."""
        return (self.last_ms - self.first_ms) / 1000


def make_session(
    folder: Path, events: int, seed: int, on_progress: Callable[[float, int], None]
) -> DemoSession:
    """Generate the evening into `folder`; `on_progress` gets the share done and the events so far.

    Raises:
        ScenarioError: too few events.
        SessionFileError: the folder cannot be written.
    """
    generated = generate(SCENARIO, seed, events=events)
    path = folder / f"{SCENARIO}.ndjson"
    with SessionWriter(path) as writer:
        for number, record in enumerate(generated, start=1):
            writer.write(record)
            if number % _EVENTS_BY_REPORT == 0:
                on_progress(generated.done, number)
    generated.truth.write(truth_path(path))
    first, last = _ends(path)
    return DemoSession(path, generated.truth.totals(), first, last)


def _ends(path: Path) -> tuple[int, int]:
    """Event time of the first and of the last record; a generated session has no malformed ones."""
    first = last = b""
    for chunk in read_records(path):
        first = first or chunk[0]
        last = chunk[-1]
    return codec.decode(first).ts_ms, codec.decode(last).ts_ms
