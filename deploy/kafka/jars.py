"""Which jars make up the local Kafka, and whether they are here, whole and unchanged.

`jgo.toml` names what is wanted, `jgo.lock.toml` the exact result: group, artifact, version and
SHA-256 of every jar, no address. Installing reads the lock alone; jgo fetches each jar from the
repositories of its own settings (Maven Central unless the user configured a mirror).

Invariants: a jar whose hash differs from the lock is never put on a class path; a jar is moved to
its place whole or not at all; the class path holds the locked jars and nothing else, whatever lies
in the folder. Bounds: some fifty jars, 45 MB; the first failure ends the fetching.
"""

import configparser
import contextlib
import fcntl
import hashlib
import logging
import sys
import tempfile
import tomllib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import MavenContext

_HERE = Path(__file__).resolve().parent
ENVIRONMENT_FILE = _HERE / "jgo.toml"
LOCK_FILE = _HERE / "jgo.lock.toml"
_CHECKOUT = _HERE.parents[1]

# Fetching is latency, not bandwidth; more would be rude to a repository.
_FETCHERS = 6
# Seconds without an answer after which a repository counts as absent.
_SILENCE_SECONDS = 10


class JarsUnavailable(RuntimeError):  # noqa: N818 - named for what the caller has to handle
    """The jars of Kafka are not here and cannot be had; the text says why and what to do."""


@dataclass(frozen=True, slots=True, order=True)
class LockedJar:
    """One jar of the lock; `sha256` is the hash of its bytes in lower-case hex."""

    group_id: str
    artifact_id: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact_id}-{self.version}.jar"

    def is_whole_at(self, path: Path) -> bool:
        return path.is_file() and _sha256(path) == self.sha256


def kafka_home() -> Path:
    """The folder of everything local Kafka keeps: `.kafka` of the checkout.

    Where the package runs outside a checkout, that of the current directory.
    """
    inside_checkout = (_CHECKOUT / "pyproject.toml").is_file()
    return (_CHECKOUT if inside_checkout else Path.cwd()) / ".kafka"


def jars_folder() -> Path:
    """Where the jars are kept between starts."""
    return kafka_home() / "jars"


def locked_jars(lock_file: Path = LOCK_FILE) -> tuple[LockedJar, ...]:
    """Every jar of the lock, in its order (that of the class path)."""
    entries = tomllib.loads(lock_file.read_text(encoding="utf-8"))["dependencies"]
    return tuple(
        LockedJar(entry["groupId"], entry["artifactId"], entry["version"], entry["sha256"])
        for entry in entries
    )


def missing_jars(
    folder: Path | None = None, jars: Iterable[LockedJar] | None = None
) -> tuple[LockedJar, ...]:
    """Those of `jars` (the lock's by default) that are absent from `folder` or differ."""
    folder = folder or jars_folder()
    wanted = locked_jars() if jars is None else jars
    return tuple(jar for jar in wanted if not jar.is_whole_at(folder / jar.file_name))


def ensure_jars(
    folder: Path | None = None, notify: Callable[[str], None] | None = None
) -> tuple[Path, ...]:
    """Paths of all locked jars in `folder`, fetched where missing, each verified by its hash.

    `notify` gets one line before anything is fetched. Raises `JarsUnavailable`.
    """
    folder = folder or jars_folder()
    jars = locked_jars()
    with _exclusive(folder):
        missing = missing_jars(folder, jars)
        if missing:
            if notify is not None:
                notify(f"Fetching {len(missing)} jars of Apache Kafka into {folder}")
            _fetch_all(missing, folder)
    return tuple(folder / jar.file_name for jar in jars)


def require_repository() -> None:
    """Fetch one small jar of the lock and throw it away; raises `JarsUnavailable`."""
    smallest = next(jar for jar in locked_jars() if jar.artifact_id == "jspecify")
    with tempfile.TemporaryDirectory() as scratch:
        _fetch_all((smallest,), Path(scratch))


def write_lock(
    environment_file: Path = ENVIRONMENT_FILE, lock_file: Path = LOCK_FILE
) -> tuple[LockedJar, ...]:
    """Resolve `environment_file` anew and write the lock; same resolution, same bytes.

    Raises `JarsUnavailable` when a repository cannot be reached or lacks something.
    """
    with tempfile.TemporaryDirectory() as cache, _as_unavailable("the coordinates"):
        jars = _resolve(environment_file, Path(cache))
    head = (
        "# Written by `python -m deploy.kafka.jars lock` from jgo.toml. Do not edit.\n\n"
        "[environment]\n"
        'name = "kafka"\njava_minimum = "17"\n'
    )
    entries = (
        f'\n[[dependencies]]\ngroupId = "{jar.group_id}"\nartifactId = "{jar.artifact_id}"\n'
        f'version = "{jar.version}"\npackaging = "jar"\nsha256 = "{jar.sha256}"\n'
        for jar in jars
    )
    lock_file.write_text(head + "".join(entries), encoding="utf-8")
    return jars


def _resolve(environment_file: Path, cache: Path) -> tuple[LockedJar, ...]:
    coordinates = tomllib.loads(environment_file.read_text(encoding="utf-8"))["dependencies"][
        "coordinates"
    ]
    context = _context(cache)
    wanted = [context.create_dependency(coordinate) for coordinate in coordinates]
    for dependency in wanted:
        dependency.scope = "compile"
    named, transitive = context.resolver.resolve(wanted)
    runtime = [one for one in transitive if one.scope in ("compile", "runtime")]
    return tuple(
        sorted(
            LockedJar(one.groupId, one.artifactId, one.version, _sha256(one.artifact.resolve()))
            for one in [*named, *runtime]
        )
    )


def _fetch_all(jars: tuple[LockedJar, ...], folder: Path) -> None:
    # jgo leaves a partial file in its cache when it is cut off, so the cache lives for one call.
    with tempfile.TemporaryDirectory(dir=folder, prefix=".fetch-") as cache:
        context = _context(Path(cache))
        with ThreadPoolExecutor(_FETCHERS) as fetchers:
            futures = [fetchers.submit(_fetch, context, jar, folder) for jar in jars]
            try:
                for future in as_completed(futures):
                    future.result()
            finally:
                fetchers.shutdown(wait=True, cancel_futures=True)


def _fetch(context: MavenContext, jar: LockedJar, folder: Path) -> None:
    with _as_unavailable(jar.file_name):
        component = context.project(jar.group_id, jar.artifact_id).at_version(jar.version)
        fetched = component.artifact().resolve()
    found = _sha256(fetched)
    if found != jar.sha256:
        raise JarsUnavailable(
            f"{jar.file_name} is not the file of the lock (SHA-256 {found}, expected {jar.sha256}):"
            " check the Maven repository or mirror that jgo is set to use"
        )
    fetched.replace(folder / jar.file_name)


def _context(cache: Path) -> MavenContext:
    # jgo logs each refusal itself; what matters is raised.
    logging.getLogger("jgo").setLevel(logging.CRITICAL)
    repositories = {"central": MAVEN_CENTRAL_URL, **GlobalSettings.load().repositories}
    return MavenContext(repo_cache=cache, remote_repos=repositories, timeout=_SILENCE_SECONDS)


@contextlib.contextmanager
def _as_unavailable(what: str) -> Iterator[None]:
    try:
        yield
    except (OSError, RuntimeError, configparser.Error) as error:
        # What `requests` raises is an OSError too; its text is a page, its name says enough.
        from_requests = type(error).__module__.startswith("requests.")
        reason = type(error).__name__ if from_requests else str(error)
        raise JarsUnavailable(
            f"the jars of Apache Kafka cannot be had ({what}: {reason}): check the network, or copy"
            f" a filled {jars_folder()} from another machine, or set ROOMPULSE_KAFKA=host:port"
        ) from error


@contextlib.contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """One process at a time fills `folder`; the others wait and find it filled."""
    with _as_unavailable(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / ".lock").open("w")
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main(arguments: list[str]) -> int:
    """`lock` resolves anew and writes the lock; `fetch` brings what the lock names."""
    try:
        match arguments:
            case ["lock"]:
                count = len(write_lock())
            case ["fetch"]:
                count = len(ensure_jars(notify=lambda line: print(line, file=sys.stderr)))  # noqa: T201
            case _:
                sys.stderr.write("usage: python -m deploy.kafka.jars lock|fetch\n")
                return 2
    except JarsUnavailable as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{count} jars\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
