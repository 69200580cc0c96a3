"""How the lines of an NDJSON session file become records, and records become lines.

A line is handed on as it stands, malformed or not UTF-8: bad records are judged downstream, and
never cost their neighbours. Refused is only what is no session file at all: a first block without
any JSON, a line that never ends, a last line that was cut off. Empty lines are no records.

Bounds: one block and one unfinished line are held (`BLOCK_BYTES` + `LONGEST_LINE_BYTES`).
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec
import zstandard

from producers.sessions.errors import SessionFileError

# 1 MiB holds about 6,000 records: splitting costs next to nothing, a chunk stays in the cache.
BLOCK_BYTES = 1024 * 1024
COMPRESSED_BYTES = 16 * 1024
# A record may have 64 KiB; a line of 16 MiB belongs to some other kind of file.
LONGEST_LINE_BYTES = 16 * 1024 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"

_decode_json = msgspec.json.decode


def plain_blocks(path: Path) -> Iterator[bytes]:
    """The bytes of a file, block by block."""
    with path.open("rb", buffering=0) as file:
        while block := file.read(BLOCK_BYTES):
            yield block


def zstd_blocks(path: Path) -> Iterator[bytes]:
    """The bytes inside a zstd file of any number of frames, block by block.

    Raises:
        SessionFileError: no zstd data, or a frame that is cut off.
    """
    frame = zstandard.ZstdDecompressor().decompressobj()
    inside_frame = False
    try:
        for compressed in _small_blocks(path):
            rest = compressed
            while rest:
                inside_frame = True
                if block := frame.decompress(rest):
                    yield block
                rest = b""
                if frame.eof:
                    rest = frame.unused_data
                    frame = zstandard.ZstdDecompressor().decompressobj()
                    inside_frame = False
    except zstandard.ZstdError as error:
        raise SessionFileError(
            path, f"is no intact zstd file ({error}); compress it again from the source"
        ) from None
    if inside_frame:
        raise SessionFileError(path, "is cut off in the middle of its zstd data; copy it again")


def _small_blocks(path: Path) -> Iterator[bytes]:
    # Session files shrink tenfold to sixtyfold, so these become blocks of a megabyte at most; what
    # was made to explode becomes 512 MB here, and is then refused for its endless line.
    with path.open("rb", buffering=0) as file:
        while block := file.read(COMPRESSED_BYTES):
            yield block


def split_records(blocks: Iterable[bytes], path: Path) -> Iterator[list[bytes]]:
    """The records of a file in arrival order, in chunks, without their newlines.

    Raises:
        SessionFileError: the file is empty, holds no JSON in its first block, has an endless line,
            or its last line was cut off (raised after all earlier records were handed on).
    """
    rest, ended_lines, accepted = b"", 0, False
    for number, block in enumerate(blocks):
        text = block.removeprefix(BYTE_ORDER_MARK) if number == 0 else block
        lines = (rest + text).split(b"\n")
        rest = lines.pop()
        ended_lines += len(lines)
        if len(rest) > LONGEST_LINE_BYTES:
            limit = LONGEST_LINE_BYTES // 1024 // 1024
            raise SessionFileError(
                path, f"line {ended_lines + 1} is longer than {limit} MiB; this is no session file"
            )
        if b"" in lines:
            lines = [line for line in lines if line]
        if lines:
            if not accepted:
                _require_some_json(lines, path)
                accepted = True
            yield lines
    if rest:
        if not _is_json(rest):
            if not accepted:
                _require_utf8([rest], path)
            raise SessionFileError(
                path,
                f"line {ended_lines + 1}, the last one, is cut off; remove it or copy the file"
                " again",
            )
        yield [rest]
    elif not accepted:
        raise SessionFileError(path, "is empty; a session file has at least one event")


def line_of(record: bytes, *, first: bool) -> bytes:
    """The line that reads back as this record, or as one that is judged alike.

    JSON treats a line feed and a carriage return alike in every place, so an inner line feed may
    become a carriage return: what was valid stays valid, what was not stays so, and the length
    stays. An empty record becomes a blank, which is as little JSON.

    Args:
        record: any bytes.
        first: nothing was written before; then a byte order mark must be kept from being taken for
            the file's own.
    """
    if b"\n" in record:
        record = record.replace(b"\n", b"\r")
    if first and record.startswith(BYTE_ORDER_MARK):
        return b"\n" + record
    return record or b" "


def _require_some_json(lines: list[bytes], path: Path) -> None:
    if any(_is_json(line) for line in lines):
        return
    if lines[0].startswith(ZSTD_MAGIC):
        raise SessionFileError(path, "holds zstd data; name it with the suffix .ndjson.zst")
    _require_utf8(lines, path)
    raise SessionFileError(
        path,
        f"none of its first {len(lines):,} lines is JSON; a session file has one object a line",
    )


def _require_utf8(lines: list[bytes], path: Path) -> None:
    try:
        b"\n".join(lines).decode()
    except UnicodeDecodeError:
        raise SessionFileError(
            path, "is not UTF-8 text; a session file has one JSON object a line, in UTF-8"
        ) from None


def _is_json(line: bytes) -> bool:
    try:
        line.decode()
        _decode_json(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
