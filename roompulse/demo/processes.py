"""What the demonstration starts, and that it ends with it: a Kafka and a worker.

Both run in sessions of their own, so a Ctrl-C in the terminal reaches the demonstration alone,
which then ends them, first the worker. What a demonstration left behind that was itself killed
(SIGKILL, power) is found by its command line and ended when the next one starts.

Bounds: one worker, one broker of 512 MB heap; each wait has a limit.
"""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from deploy.kafka.broker import LocalKafka, is_free
from deploy.kafka.process import command_line, signal_group, wait_until_gone
from roompulse.interrupts import uninterrupted
from schemas import kafka_access

_METRICS_PORT = 6067
_READY_SECONDS = 60.0
_POLL_SECONDS = 0.2
# A worker ends within some 3 s of SIGTERM; there is nothing in it that the next start would miss.
_WORKER_STOP_SECONDS = 8.0
_KILL_SECONDS = 10.0


class DemoError(Exception):
    """The demonstration cannot go on; the text is one line that says why and what to do."""


class DemoProcesses:
    """The processes of one demonstration; use it in a `with` statement.

    Args:
        folder: holds everything of a demonstration; one at a time uses it.

    Attributes:
        kafka: the broker of its own, fresh at each start; not started where another Kafka is used.
        metrics_url: where the worker's metrics are, once it is ready.
        group: the worker's consumer group, another one each time.

    Raises:
        DemoError: another demonstration uses the folder, or it cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.kafka = LocalKafka(folder / "kafka", port=0)
        self.metrics_url = ""
        self.group = f"roompulse-demo-{uuid.uuid4().hex[:8]}"
        self._worker: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None

    def __enter__(self) -> Self:
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self.folder / ".lock", os.O_WRONLY | os.O_CREAT, 0o644)
        except OSError as error:
            raise DemoError(f"{self.folder} cannot be written ({error.strerror})") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise DemoError(
                f"a demonstration already runs in {self.folder}: end it with Ctrl-C there, or name"
                " another folder with --folder"
            ) from None
        self._end_left_over()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with uninterrupted():
            self._stop_worker()
            if kind is None:
                self.kafka.stop()
            else:
                self.kafka.kill()
            if self._lock is not None:
                os.close(self._lock)

    def start_kafka(self, notify: Callable[[str], None]) -> str:
        """Start a Kafka without data; its address. It wants neither TLS nor a password.

        Raises:
            JarsUnavailable: its jars are not here and cannot be had.
            KafkaError: it does not start.
        """
        for name in kafka_access.VARIABLES:
            os.environ.pop(name, None)
        self.kafka.delete_data()
        self.kafka.start(notify=notify)
        return self.kafka.bootstrap

    def start_worker(self, bootstrap: str) -> None:
        """Start a worker; `wait_for_worker` says when it is ready."""
        self._address_file.unlink(missing_ok=True)
        port = _METRICS_PORT if is_free(_METRICS_PORT) else 0
        command = [sys.executable, "-m", "roompulse.cli.app", "worker"]
        command += ["--bootstrap", bootstrap, "--group", self.group]
        command += ["--metrics-port", str(port), "--address-file", str(self._address_file)]
        with self.worker_log.open("wb") as log, uninterrupted():
            self._worker = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,
            )
            self._record.write_text(json.dumps({"pid": self._worker.pid}), encoding="utf-8")

    def wait_for_worker(self) -> None:
        """Return once the worker has its partitions and its metrics can be read.

        Raises:
            DemoError: it ended, or is not ready in time.
        """
        deadline = time.monotonic() + _READY_SECONDS
        while not self._is_ready():
            self.require_worker()
            if time.monotonic() > deadline:
                raise DemoError(
                    f"the worker was not ready within {_READY_SECONDS:g} s: see {self.worker_log}"
                )
            time.sleep(_POLL_SECONDS)
        self.metrics_url = f"{self._address()}/metrics"

    def require_worker(self) -> None:
        """Raise `DemoError` with the worker's last words if it has ended."""
        if self._worker is not None and self._worker.poll() is not None:
            lines = self.worker_log.read_text(errors="replace").strip().splitlines()
            said = lines[-1].strip()[:300] if lines else "it said nothing"
            raise DemoError(
                f"the worker ended with code {self._worker.returncode}: {said}"
                f" (see {self.worker_log})"
            )

    @property
    def worker_log(self) -> Path:
        """What the worker printed."""
        return self.folder / "worker.log"

    @property
    def _address_file(self) -> Path:
        return self.folder / "worker-address"

    @property
    def _record(self) -> Path:
        return self.folder / "worker.json"

    def _address(self) -> str:
        try:
            return self._address_file.read_text(encoding="utf-8")
        except FileNotFoundError:
            return ""

    def _is_ready(self) -> bool:
        address = self._address()
        if not address.startswith("http://"):
            return False
        try:
            with urllib.request.urlopen(f"{address}/ready", timeout=5) as answer:  # noqa: S310 - as checked
                return bool(answer.status == 200)  # noqa: PLR2004
        except (urllib.error.URLError, OSError):
            return False

    def _stop_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            if worker.poll() is None:
                signal_group(worker.pid, signal.SIGTERM)
                try:
                    worker.wait(_WORKER_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    signal_group(worker.pid, signal.SIGKILL)
                    worker.wait(_KILL_SECONDS)
            self._record.unlink(missing_ok=True)

    def _end_left_over(self) -> None:
        """End what a demonstration in this folder left behind that could not end it."""
        try:
            pid = int(json.loads(self._record.read_text(encoding="utf-8"))["pid"])
        except (OSError, ValueError, TypeError, KeyError):
            pid = 0
        if pid > 0 and str(self._address_file) in command_line(pid):
            signal_group(pid, signal.SIGKILL)
            wait_until_gone(pid, _KILL_SECONDS)
        self._record.unlink(missing_ok=True)
        self.kafka.kill()


def _environment() -> dict[str, str]:
    """Ours, without settings of other workers, which would give other boards; the way in stays.

    The session has ticks of its own every five minutes of event time. Those that a worker writes
    for silent partitions would be further records of the log, and the log is to hold the session
    and nothing else: it is compared with a run of the session file.
    """
    kept = {
        name: value
        for name, value in os.environ.items()
        if name in kafka_access.VARIABLES or not name.startswith("ROOMPULSE_")
    }
    return {**kept, "ROOMPULSE_TICK_SECONDS": "0"}
