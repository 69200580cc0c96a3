"""How a file that is sorted by something else becomes a session: by stamp, equal ones in order.

A record without a readable stamp goes with the one before it. Sorting by stamp gives up what the
true order of arrival was; it is the next best for data that never had one.

Bounds: runs of `RUN_RECORDS` records are sorted in memory and laid in a temporary folder, then
merged; so the memory is that of one run, and the disk holds the file once more.
"""

import heapq
import re
import tempfile
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path

from producers.sessions.ndjson import line_of

# 200,000 records of 150 bytes take about 60 MB with their stamps.
RUN_RECORDS = 200_000

_STAMP = re.compile(rb'"ts_ms"\s*:\s*(\d{1,18})')
_Stamped = tuple[int, bytes]
_stamp = itemgetter(0)


def sort_by_stamp(chunks: Iterable[list[bytes]]) -> Iterator[bytes]:
    """The records of all chunks by their stamps, equal ones in the given order."""
    with tempfile.TemporaryDirectory(prefix="roompulse-sort-") as folder:
        runs: list[Path] = []
        run: list[_Stamped] = []
        for stamped in _stamped(record for chunk in chunks for record in chunk):
            run.append(stamped)
            if len(run) >= RUN_RECORDS:
                runs.append(_lay_down(run, Path(folder) / f"{len(runs)}.ndjson"))
                run = []
        run.sort(key=_stamp)
        # the merge is stable too: among equal stamps the earlier run comes first
        for _, record in heapq.merge(*(_pick_up(path) for path in runs), run, key=_stamp):
            yield record


def _stamped(records: Iterable[bytes]) -> Iterator[_Stamped]:
    ts_ms = 0
    for record in records:
        found = _STAMP.search(record)
        if found is not None:
            ts_ms = int(found[1])
        yield ts_ms, record


def _lay_down(run: list[_Stamped], path: Path) -> Path:
    run.sort(key=_stamp)
    with path.open("wb") as file:
        # the stamp goes along, for a record without one has it from its place in the source
        file.writelines(b"%d %s\n" % (ts_ms, line_of(record, first=False)) for ts_ms, record in run)
    return path


def _pick_up(path: Path) -> Iterator[_Stamped]:
    with path.open("rb") as file:
        for line in file:
            stamp, _, record = line.removesuffix(b"\n").partition(b" ")
            yield int(stamp), record
