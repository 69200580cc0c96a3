"""What a worker uses and what it has done: a `roompulse worker` of our own, watched from outside.

What it has done is asked of its own /metrics, so a measurement sees what Prometheus would see.
"""

import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from benchmarks.context import BenchmarkError, Context, program_environment

_START_SECONDS = 60.0
_POLL_SECONDS = 0.02


class Scrape:
    """The samples of one scrape: series with its labels to value."""

    def __init__(self, text: str) -> None:
        self._samples: dict[str, float] = {}
        for line in text.splitlines():
            if not line.startswith("#"):
                series, _, value = line.rpartition(" ")
                self._samples[series] = float(value)

    def values(self, name: str, *labels: str) -> list[float]:
        """The values of a family, of the series that have all of these `name="value"` labels."""
        return [
            value
            for series, value in self._samples.items()
            if series.partition("{")[0] == name and all(label in series for label in labels)
        ]

    @property
    def folded(self) -> int:
        """Records that this process has folded since its start."""
        return int(sum(self.values("roompulse_batch_records_total")))

    @property
    def saved_partitions(self) -> int:
        """Partitions whose state this process has saved."""
        return len(self.values("roompulse_checkpoint_bytes"))


@dataclass(frozen=True, slots=True)
class Sample:
    """Where a worker was at a moment."""

    seconds: float
    cpu_seconds: float
    scrape: Scrape


class WorkerProcess:
    """A worker; use it in a `with` statement, which kills it at the end.

    Args:
        options: further options of `roompulse worker`.
        program: what to start instead of it, with the same options.
    """

    def __init__(
        self,
        context: Context,
        bootstrap: str,
        *options: str,
        program: tuple[str, ...] = (str(Path(sys.executable).with_name("roompulse")),),
    ) -> None:
        self._folder = context.scratch / context.fresh_name("worker")
        self._folder.mkdir()
        self._address_file = self._folder / "address"
        self._address = ""
        self._command = [
            *program,
            *("worker", "--bootstrap", bootstrap, "--metrics-port", "0"),
            *("--address-file", str(self._address_file), *options),
        ]

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start the process; returns at once."""
        self._address_file.unlink(missing_ok=True)
        self._address = ""
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=self._folder,
                env=program_environment(),
                stdout=log,
                stderr=log,
            )
        self._usage = psutil.Process(self._process.pid)

    def kill(self) -> None:
        """End the process as `kill -9` does."""
        self._process.kill()
        self._process.wait()

    def terminate(self, timeout_seconds: float = 60.0) -> None:
        """End the process in order."""
        self._process.terminate()
        self._process.wait(timeout_seconds)

    @property
    def address(self) -> str:
        """Where /metrics is; the empty string as long as it does not listen."""
        if not self._address and self._address_file.exists():
            self._address = self._address_file.read_text()
        return self._address

    def scrape(self) -> Scrape | None:
        """What /metrics shows; None as long as it does not listen."""
        self.require_running()
        if not self.address:
            return None
        with urllib.request.urlopen(f"{self.address}/metrics", timeout=30) as answer:
            return Scrape(answer.read().decode())

    def is_ready(self) -> bool:
        """Whether it has partitions."""
        self.require_running()
        if not self.address:
            return False
        try:
            with urllib.request.urlopen(f"{self.address}/ready", timeout=30):
                return True
        except urllib.error.HTTPError:
            return False

    def sample(self) -> Sample | None:
        """Where it is now; None as long as /metrics does not listen."""
        scrape = self.scrape()
        if scrape is None:
            return None
        return Sample(time.perf_counter(), self.cpu_seconds(), scrape)

    def cpu_seconds(self) -> float:
        """Processor time so far, in user and system mode, of all threads."""
        times = self._usage.cpu_times()
        return times.user + times.system

    @property
    def pid(self) -> int:
        """The process that runs now."""
        return self._process.pid

    def wait_for(
        self,
        what: str,
        until: Callable[[Scrape], bool],
        *,
        poll_seconds: float = _POLL_SECONDS,
        timeout_seconds: float = _START_SECONDS,
    ) -> Scrape:
        """The first scrape that shows it.

        Raises:
            BenchmarkError: the worker ended, or the time is over.
        """
        deadline = time.monotonic() + timeout_seconds
        while True:
            scrape = self.scrape()
            if scrape is not None and until(scrape):
                return scrape
            if time.monotonic() > deadline:
                raise BenchmarkError(f"the worker did not show {what} in {timeout_seconds:.0f} s")
            time.sleep(poll_seconds)

    def require_running(self) -> None:
        """Raise `BenchmarkError` with its last words if the worker has ended."""
        code = self._process.poll()
        if code is not None:
            lines = (self._folder / "log").read_text(errors="replace").splitlines()
            said = (lines or ["it said nothing"])[-1]
            raise BenchmarkError(f"the worker ended with {code}: {said}")
