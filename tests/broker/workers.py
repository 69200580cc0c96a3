"""Real workers for the tests: started as a person starts them, asked over HTTP, killed by the id.

Nothing here waits a fixed time: `until` asks again until what is waited for is there, or fails with
what is there instead.
"""

import asyncio
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from aiokafka.admin import AIOKafkaAdminClient
from prometheus_client.parser import text_string_to_metric_families

from deploy.kafka.admin import create_topics
from producers.generator import generate
from producers.replay import MAX_SPEED, ReplayReport, replay
from schemas.topics import DEFAULT_PARTITIONS, TOPICS
from streams.embedded import EmbeddedRun, Results
from streams.result_files import write_results
from streams.shell.collecting import collect
from streams.shell.log_ends import LogEnds

FILES = (
    "rooms.ndjson",
    "minutes.ndjson",
    "product-marks.ndjson",
    "boards.json",
    "dead-letters.ndjson",
    "alerts.ndjson",
    "after-sales.json",
    "after-sales-minutes.ndjson",
    "drop-off.json",
)
START_SECONDS = 40.0  # imports alone take 2 s on an idle machine, and several start at once
_POLL_SECONDS = 0.05
_CHUNK = 1_000
_MAIN = "from roompulse.cli.app import main; main()"

Found = TypeVar("Found")


def until(ask: Callable[[], Found], seconds: float, what: str) -> Found:
    """The first true answer of `ask`; fails the test when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        found = ask()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:g} s: {what}")
        time.sleep(_POLL_SECONDS)


class WorkerProcess:
    """One `roompulse worker` with the settings of a test; ended when its `with` block ends.

    Args:
        bootstrap: its Kafka.
        folder: where its log and the address of its metrics go.
        name: tells it from the others.
        is_static: whether `name` is also its name in the group.
        patch: what its Python does before it starts the command.
        settings: further settings by their names in `WorkerSettings`.
    """

    def __init__(
        self,
        bootstrap: str,
        folder: Path,
        name: str = "worker",
        *,
        is_static: bool = False,
        patch: str = "",
        **settings: object,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.patch = patch
        self._address = folder / f"{name}.address"
        self._log = folder / f"{name}.log"
        # ticks are records of the log: a run that is compared with a file must not write any
        given = {"kafka": bootstrap, "tick_seconds": 0, **settings}
        if is_static:
            given["instance"] = name
        self._environment = {
            **{key: value for key, value in os.environ.items() if not key.startswith("ROOMPULSE_")},
            **{f"ROOMPULSE_{key.upper()}": str(value) for key, value in given.items()},
            "PYTHONWARNINGS": "default",  # whatever is left open shows in the log
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it, also after it ended; its log goes on where it was."""
        self._address.unlink(missing_ok=True)
        python = [sys.executable, "-c", f"{self.patch}\n{_MAIN}"]
        options = ["--metrics-port", "0", "--address-file", str(self._address)]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [*python, "worker", *options],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self._environment,
            )
        return self

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None, "not started"
        return self._process

    @property
    def log(self) -> str:
        """All that it said."""
        return self._log.read_text(errors="replace")

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def get(self, page: str) -> tuple[int, str]:
        """Status and text of a page; 0 while nobody answers."""
        if not self._address.exists():
            return 0, ""
        try:
            with urllib.request.urlopen(self._address.read_text() + page, timeout=5) as answer:
                return int(answer.status), answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            return 0, ""

    @property
    def address(self) -> str:
        return self._address.read_text()

    def wait_ready(self, seconds: float = START_SECONDS) -> Self:
        """Return once it is a member of its group and has the state of its partitions."""

        def is_ready() -> bool:
            assert self.is_running, f"{self.name} ended:\n{self.log}"
            return self.get("/ready")[0] == 200

        until(is_ready, seconds, f"{self.name} is ready; it said:\n{self.log}")
        return self

    def metrics(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Samples by name and the values of their labels, in order of the labels' names."""
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in text_string_to_metric_families(self.get("/metrics")[1]):
            for sample in family.samples:
                found.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
        return found

    def offsets(self) -> dict[int, int]:
        """The next offset of each partition whose state it has."""
        samples = self.metrics().get("roompulse_consumer_next_offset", {})
        return {int(labels[0]): int(value) for labels, value in samples.items()}

    def send(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def kill(self) -> None:
        """`kill -9`, and wait until it is gone."""
        self.process.kill()
        self.process.wait(10)

    def wait(self, seconds: float) -> int:
        """The exit code, once it ended."""
        return self.process.wait(seconds)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None:
            self.process.kill()
            self.process.wait(10)


def session(scenario: str, events: int, seed: int = 1) -> list[bytes]:
    """A generated session."""
    return list(generate(scenario, seed, events=events))


def chunks(records: Sequence[bytes]) -> Iterator[list[bytes]]:
    """A session as its file is read."""
    for at in range(0, len(records), _CHUNK):
        yield list(records[at : at + _CHUNK])


def embedded(records: Sequence[bytes]) -> Results:
    """What the undisturbed run without a broker comes to."""
    run = EmbeddedRun(DEFAULT_PARTITIONS)
    for chunk in chunks(records):
        run.feed(chunk)
    return run.finish()


async def send(
    bootstrap: str,
    records: Sequence[bytes],
    *,
    speed: float = MAX_SPEED,
    with_closing_tick: bool = True,
) -> ReplayReport:
    """Replay a session."""
    return await replay(
        lambda: chunks(records), bootstrap, speed=speed, with_closing_tick=with_closing_tick
    )


def log_ends(bootstrap: str, partitions: int = DEFAULT_PARTITIONS) -> dict[int, int]:
    """Where each partition of the log ends."""

    async def ask() -> dict[int, int]:
        ends = LogEnds(bootstrap, partitions)
        await ends.start()
        try:
            assert await ends.poll()
        finally:
            await ends.stop()
        return ends.ends

    return asyncio.run(ask())


async def delete_topic(bootstrap: str, *names: str) -> None:
    """Delete topics, and return once they are gone."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        old = sorted(set(names) & set(await admin.list_topics()))
        if old:
            await admin.delete_topics(old)
        while set(names) & set(await admin.list_topics()):  # noqa: ASYNC110 - Kafka tells nobody
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        await admin.close()


def files(results: Results, folder: Path) -> dict[str, bytes]:
    """The bytes of the files of a run."""
    write_results(results, folder, elapsed_seconds=0)
    return {name: (folder / name).read_bytes() for name in FILES}


def wait_for_results(
    bootstrap: str, expected: Results, folder: Path, seconds: float
) -> dict[str, bytes]:
    """Wait until what the workers published is what is expected, to the byte.

    Fails with the names of the files that differ.
    """
    wanted = files(expected, folder / "expected")
    deadline = time.monotonic() + seconds
    while True:
        found = files(asyncio.run(collect(bootstrap)), folder / "found")
        if found == wanted:
            return found
        if time.monotonic() > deadline:
            different = [name for name in FILES if found[name] != wanted[name]]
            raise AssertionError(f"{different} differ after {seconds:g} s, see {folder}")
        time.sleep(_POLL_SECONDS)


async def make_topics(bootstrap: str, *, partitions: int = DEFAULT_PARTITIONS) -> None:
    """All topics, empty: those that are there are deleted first."""
    await delete_topic(bootstrap, *(topic.name for topic in TOPICS))
    await create_topics(bootstrap, live_partitions=partitions)
