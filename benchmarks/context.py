"""What benchmarks share: sizes, a scratch folder, inputs made once, brokers started on demand.

Bounds: one festival session in memory; brokers live until the end of their group.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from benchmarks import sessions
from benchmarks.logs import Log, empty_log, filled_log

Figures = dict[str, float]
_PROGRAM_SECONDS = 600.0
_ROOT = Path(__file__).resolve().parent.parent


class BenchmarkError(RuntimeError):
    """A measurement that could not be made; the text is one line that says why."""


class NotHereError(RuntimeError):
    """What a measurement needs is not on this machine; the text is one line that says what."""


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is measured.

    Attributes:
        session_events: of the festival session that is decoded and folded in memory.
        log_events: of the festival session on each of the two prefilled topics.
        scrape_seconds: how often the worker is looked at while it works them off.
        faust_records: how many of them stock Faust gets.
        scale_events: for each number of rooms.
        memory_rooms, memory_viewers: how many are in rooms at once.
        latency_seconds: how long the steady load lasts.
        rounds: how often each is measured.
    """

    session_events: int
    log_events: int
    scrape_seconds: float
    faust_records: int
    scale_events: int
    memory_rooms: int
    memory_viewers: int
    latency_seconds: float
    rounds: int


FULL = Sizes(
    session_events=300_000,
    log_events=3_000_000,
    scrape_seconds=1.0,
    faust_records=60_000,
    scale_events=200_000,
    memory_rooms=1_000,
    memory_viewers=1_000_000,
    latency_seconds=35.0,
    rounds=3,
)
# To see that everything works: figures of this size say little.
QUICK = Sizes(
    session_events=50_000,
    log_events=600_000,
    scrape_seconds=0.25,
    faust_records=6_000,
    scale_events=20_000,
    memory_rooms=100,
    memory_viewers=50_000,
    latency_seconds=6.0,
    rounds=1,
)


@dataclass(slots=True)
class Context:
    """One run of the benchmarks.

    Attributes:
        scratch: a folder that is deleted at the end.
        tell: shows what goes on.
    """

    sizes: Sizes
    scratch: Path
    tell: Callable[[str], None]
    _kept: dict[str, Any] = field(default_factory=dict)
    _logs: dict[str, Log] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=lambda: iter(range(1, 1_000_000)))

    def once(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - the caller knows
        """What `make` gives, made at the first call."""
        if name not in self._kept:
            self._kept[name] = make()
        return self._kept[name]

    def session(self) -> list[list[bytes]]:
        """The festival session in the chunks in which `roompulse run` reads it."""
        return self.once("session", self._make_session)  # type: ignore[no-any-return]

    def _make_session(self) -> list[list[bytes]]:
        self.tell("generating the festival session")
        path = sessions.festival(self.scratch / "session.ndjson", self.sizes.session_events)
        return sessions.chunks(path)

    def even_log(self) -> Log:
        """A Kafka whose `live-events` holds a festival session."""
        return self._log("even", self._even_file)

    def skewed_log(self) -> Log:
        """The same with half of all events in one room."""
        return self._log(
            "skewed",
            lambda: sessions.with_half_in_one_room(
                self._even_file(), self.scratch / "skewed.ndjson"
            ),
        )

    def empty_log(self, name: str) -> Log:
        """A Kafka with all topics and no record."""
        return self._log(name, None)

    def _even_file(self) -> Path:
        path = self.scratch / "even.ndjson"
        if not path.exists():
            self.tell(f"generating a festival session of {self.sizes.log_events:,} events")
            sessions.festival(path, self.sizes.log_events)
        return path

    def _log(self, name: str, make_file: Callable[[], Path] | None) -> Log:
        if name not in self._logs:
            path = make_file() if make_file is not None else None
            self.tell(f"starting the Kafka of the {name} topic")
            folder = self.scratch / f"kafka-{name}"
            self._logs[name] = empty_log(folder) if path is None else filled_log(folder, path)
        return self._logs[name]

    def release(self) -> None:
        """End of a group: stop the brokers, drop the inputs."""
        for log in self._logs.values():
            log.remove()
        self._logs.clear()
        self._kept.clear()

    def fresh_name(self, what: str) -> str:
        """A name not used before in this run: of a consumer group, of a folder."""
        return f"{what}-{next(self._numbers)}"

    def run_program(self, name: str, *arguments: object) -> Mapping[str, float]:
        """Run a program of `benchmarks.programs` and return what it prints.

        Raises:
            BenchmarkError: it failed.
        """
        folder = self.scratch / self.fresh_name(name)
        folder.mkdir()
        command = [sys.executable, "-m", f"benchmarks.programs.{name}", *map(str, arguments)]
        try:
            done = subprocess.run(
                command,
                cwd=folder,  # Faust makes a data folder where it starts
                env=program_environment(),
                capture_output=True,
                check=False,
                timeout=_PROGRAM_SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(f"{name} did not end in {_PROGRAM_SECONDS:.0f} s") from error
        lines = done.stdout.decode(errors="replace").splitlines()
        if done.returncode != 0 or not lines:
            said = (done.stderr.decode(errors="replace").splitlines() or ["it said nothing"])[-1]
            raise BenchmarkError(f"{name} ended with {done.returncode}: {said}")
        found: Mapping[str, float] = json.loads(lines[-1])
        return found


def program_environment() -> dict[str, str]:
    """Ours, and the checkout to import `benchmarks` from."""
    return {**os.environ, "PYTHONPATH": str(_ROOT)}


@contextmanager
def released(context: Context) -> Iterator[Context]:
    """The context of a group; its brokers end with it, however it ends."""
    try:
        yield context
    finally:
        context.release()
