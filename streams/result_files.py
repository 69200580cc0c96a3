"""The files of a run: the design, section 7. Two runs of one log write the same bytes.

Only `elapsed_seconds` in `run.json` differs from run to run.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from schemas import records
from schemas.records import Counts, Progress
from streams.core.market.measures import Sections
from streams.core.market.whole import market_files, score_files
from streams.core.stickiness.drop_off import drop_off
from streams.core.stickiness.facts import Row
from streams.embedded import Results

# Workers keep what they are made of in their state, and do not publish them.
UNPUBLISHED_FILES = frozenset(
    {"stickiness.json", "retention.json", "audience.json", "credit.json", "agencies.json"}
)


def write_results(results: Results, folder: Path, *, elapsed_seconds: float) -> None:
    """Write every file of a run into a folder, which is made if it is not there.

    Raises:
        OSError: the folder cannot be made or written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_lines(folder / "rooms.ndjson", results.rooms)
    _write_lines(folder / "minutes.ndjson", results.minutes)
    _write_lines(folder / "product-marks.ndjson", results.marks)
    _write_lines(folder / "alerts.ndjson", results.alerts)
    _write_lines(folder / "dead-letters.ndjson", results.dead_letters)
    _write_lines(folder / "after-sales-minutes.ndjson", results.pitch)
    (folder / "after-sales.json").write_bytes(_sections(results.after_sales))
    boards = b",\n".join(records.encode(board) for board in results.boards)
    (folder / "boards.json").write_bytes(b"[" + boards + b"]\n")
    if results.stickiness is not None:
        (folder / "stickiness.json").write_bytes(_sections(results.stickiness))
    if results.retention is not None:
        (folder / "retention.json").write_bytes(_sections(results.retention))
    if results.audience is not None:
        (folder / "audience.json").write_bytes(_sections(results.audience))
    losses = drop_off(results.rooms, results.minutes, results.marks)
    (folder / "drop-off.json").write_bytes(_sections(losses))
    for name, sections in compared(results).items():
        (folder / name).write_bytes(_sections(sections))
    run = run_report(results.progress, elapsed_seconds=elapsed_seconds)
    text = msgspec.json.format(records.encode(run), indent=2)
    (folder / "run.json").write_bytes(text + b"\n")


def compared(results: Results) -> dict[str, Sections]:
    """The files that compare the rooms of a run; scores where stickiness is known."""
    watermarks = (each.watermark_ms for each in results.progress)
    as_of_ms = min((mark for mark in watermarks if mark is not None), default=None)
    files = market_files(results.newest, results.minutes, results.marks, results.alerts, as_of_ms)
    if results.stickiness is not None and results.rules is not None:
        files |= score_files(
            results.newest,
            results.alerts,
            after_sales=results.after_sales,
            stickiness=results.stickiness,
            rules=results.rules,
            as_of_ms=as_of_ms,
        )
    return files


def _sections(report: Mapping[str, Row | list[Row]]) -> bytes:
    """An object of sections, each row on a line of its own."""
    sections = []
    for name, rows in report.items():
        if isinstance(rows, list):
            lines = b",\n".join(records.encode(row) for row in rows)
            value = b"[\n" + lines + b"\n]" if rows else b"[]"
        else:
            value = records.encode(rows)
        sections.append(b'"' + name.encode() + b'":' + value)
    return b"{" + b",\n".join(sections) + b"}\n"


def run_report(progress: Sequence[Progress], *, elapsed_seconds: float) -> dict[str, Any]:
    """What `run.json` holds: the counts of all partitions together."""
    counts = Counts()
    for each in progress:
        for name in Counts.__struct_fields__:
            setattr(counts, name, getattr(counts, name) + getattr(each.counts, name))
    marks = [each.watermark_ms for each in progress if each.watermark_ms is not None]
    return {
        "counts": counts,
        "rejected_by_reason": _added(each.rejected_by_reason for each in progress),
        "by_type": _added(each.by_type for each in progress),
        "watermark_ms": min(marks, default=None),
        "rules_version": progress[0].rules_version if progress else None,
        "partitions": len(progress),
        "elapsed_seconds": round(elapsed_seconds, 3),
    }


def _added(maps: Iterable[dict[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for each in maps:
        for name, count in each.items():
            total[name] = total.get(name, 0) + count
    return dict(sorted(total.items()))


def _write_lines(path: Path, lines: Iterable[msgspec.Struct | Row]) -> None:
    with path.open("wb") as file:
        for line in lines:
            file.write(records.encode(line) + b"\n")
