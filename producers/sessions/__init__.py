"""Where the records of a recorded session come from, and where they go.

A session file holds the events of `schemas.events` in order of arrival: NDJSON (`.ndjson`), NDJSON
in zstd (`.ndjson.zst`) or Parquet (`.parquet`); the suffix decides. Reading streams chunks of raw
records and judges none of them: malformed records are part of a session and are dead-lettered
downstream. A file that is no session at all raises `SessionFileError`, one clear line.

Bounds: reading holds one chunk; writing holds `BUFFERED` records (Parquet: a row group).
"""

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol, Self, TypeVar

import zstandard

from producers.sessions.arrival_order import check_arrival_order
from producers.sessions.errors import SessionFileError
from producers.sessions.ndjson import line_of, plain_blocks, split_records, zstd_blocks
from producers.sessions.parquet import ParquetSink, read_parquet
from producers.sessions.sorting import sort_by_stamp

__all__ = [
    "SUFFIXES",
    "SessionFileError",
    "SessionWriter",
    "check_arrival_order",
    "format_of",
    "read_records",
    "sort_by_stamp",
    "truth_path",
]

T = TypeVar("T")

SUFFIXES = (".ndjson", ".ndjson.zst", ".parquet")
# Records handed to the file at once: large enough that a write costs nothing per record.
BUFFERED = 4_096
ZSTD_LEVEL = 3


def format_of(path: Path) -> str:
    """The suffix of `SUFFIXES` that a path has.

    Raises:
        SessionFileError: it has none of them.
    """
    for suffix in SUFFIXES:
        if path.name.endswith(suffix):
            return suffix
    raise SessionFileError(path, f"the name must end in one of {', '.join(SUFFIXES)}")


def truth_path(path: Path) -> Path:
    """Where the truth of a generated session lies: beside it, as NAME.truth.ndjson."""
    return path.with_name(path.name.removesuffix(format_of(path)) + ".truth.ndjson")


def read_records(path: Path) -> Iterator[list[bytes]]:
    """The raw records of a session file in arrival order, in chunks, without newlines.

    Raises:
        SessionFileError: at once if the file is missing, a directory, unreadable or of an unknown
            suffix; while reading if it is empty, cut off, corrupt, or no session file at all.
    """
    if _is_folder(path):
        raise SessionFileError(path, "is a directory; name the session file itself")
    suffix = format_of(path)
    if not path.exists():
        raise SessionFileError(path, "does not exist; `roompulse generate` makes a session file")
    if not os.access(path, os.R_OK):
        raise SessionFileError(path, "may not be read; change its permissions")
    if not path.stat().st_size and path.is_file():
        raise SessionFileError(path, "is empty; a session file has at least one event")
    if suffix == ".parquet":
        return read_parquet(path)
    blocks = plain_blocks(path) if suffix == ".ndjson" else zstd_blocks(path)
    return split_records(blocks, path)


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise SessionFileError(path, f"cannot be reached ({error.strerror})") from None


class _Sink(Protocol):
    def write(self, records: list[bytes]) -> None: ...

    def close(self) -> None: ...


class _LineSink:
    """Writes records as lines, compressed or not."""

    def __init__(self, file: BinaryIO, *, compressed: bool) -> None:
        self._file = file
        self._out = (
            zstandard.ZstdCompressor(level=ZSTD_LEVEL).stream_writer(file, closefd=False)
            if compressed
            else file
        )
        self._first = True

    def write(self, records: list[bytes]) -> None:
        lines = [line_of(record, first=False) for record in records]
        if self._first and lines:
            lines[0] = line_of(records[0], first=True)
            self._first = False
        lines.append(b"")
        self._out.write(b"\n".join(lines))

    def close(self) -> None:
        if self._out is not self._file:
            self._out.close()
        self._file.close()


class SessionWriter:
    """Writes a session file; use it in a `with` statement.

    The file appears under its name only when it is complete; until then it is a `.partial` file,
    which is removed after an error.

    Raises:
        SessionFileError: the place cannot be written to.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._suffix = format_of(path)
        self._partial = path.with_name(path.name + ".partial")
        self._pending: list[bytes] = []
        self._sink: _Sink | None = None
        self.records = 0

    def __enter__(self) -> Self:
        if _is_folder(self._path):
            raise SessionFileError(self._path, "is a directory; name a file")
        if not self._path.parent.is_dir():
            raise SessionFileError(self._path, "its folder does not exist; create it first")
        self._sink = self._guarded(self._open)
        return self

    def write(self, record: bytes) -> None:
        """Append one record, valid or not."""
        self._pending.append(record)
        if len(self._pending) >= BUFFERED:
            self._flush()

    def write_all(self, records: Iterable[bytes]) -> None:
        """Append records."""
        for record in records:
            self.write(record)

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if kind is None:
                self._flush()
                self._guarded(self._close)
                self._guarded(lambda: self._partial.replace(self._path))
            else:
                self._close()
        finally:
            self._partial.unlink(missing_ok=True)

    def _open(self) -> _Sink:
        if self._suffix == ".parquet":
            return ParquetSink(self._partial)
        return _LineSink(self._partial.open("wb"), compressed=self._suffix == ".ndjson.zst")

    def _close(self) -> None:
        if self._sink is not None:
            self._sink.close()
            self._sink = None

    def _flush(self) -> None:
        sink = self._sink
        if sink is None:
            raise ValueError("a SessionWriter is used inside its with statement")
        pending, self._pending = self._pending, []
        self._guarded(lambda: sink.write(pending))
        self.records += len(pending)

    def _guarded(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except OSError as error:
            raise SessionFileError(
                self._path, f"cannot be written ({error.strerror or error})"
            ) from None
