"""What does a season take: 75 days of ten hosts, generated and folded in one process?

`python -m benchmarks.season --events 2000000,5000000,10000000` runs each size in a process of its
own and prints, about every fifth of the season, how large the state is and how much memory the
process has and had at most. The days, hosts and rooms are the same at every size: what grows with
events shows. The state is counted as it stands in checkpoints before compression; `people` is the
part that holds who was in which room on which day: 8 bytes each, up to 65,536 a room and day. At
the end the lift and the
overdraft of every host are held against what was planted.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import msgspec

from benchmarks.context import program_environment
from benchmarks.usage import peak_mb, resident_mb
from producers.generator import Session, generate
from producers.generator.season import FESTIVAL
from streams.calendars import read_calendar
from streams.collector import collect_rarely
from streams.embedded import EmbeddedRun

_CHUNK = 6_000  # as many lines as a block of a session file holds
_SHOWN = 5
_SEED = 1
_ALLOWED = 2e-4  # lift and overdraft have four decimals, and what was planted whole minor units
_LINE = "{:>11} {:>7} {:>6} {:>8} {:>9} {:>10} {:>12} {:>8} {:>8}"
_HEAD = _LINE.format(
    "events",
    "season",
    "rooms",
    "minutes",
    "state MB",
    "people MB",
    "resident MB",
    "peak MB",
    "us/ev",
)


def main(arguments: list[str] | None = None) -> int:
    """Run each size; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.season", description=__doc__)
    parser.add_argument("--events", default="2000000,5000000,10000000", help="sizes with commas")
    sizes = [int(size) for size in parser.parse_args(arguments).events.split(",")]
    if len(sizes) == 1:
        return _run(sizes[0])
    codes = [
        subprocess.run(
            [sys.executable, "-m", "benchmarks.season", "--events", str(size)],
            env=program_environment(),
            check=False,
        ).returncode
        for size in sizes
    ]
    return max(codes)


def _run(events: int) -> int:
    collect_rarely()  # as `roompulse run` does
    session = generate("season", _SEED, events=events)
    run = EmbeddedRun(calendar=read_calendar())
    print(f"\nseason of about {events:,} events\n{_HEAD}", flush=True)
    folded, fold_seconds, next_share = 0, 0.0, 1 / _SHOWN
    for chunk in _chunks(session):
        began = time.process_time()
        run.feed(chunk)
        fold_seconds += time.process_time() - began
        folded += len(chunk)
        if session.done >= next_share:
            next_share += 1 / _SHOWN
            _show(run, session, folded, fold_seconds)
    began = time.process_time()
    report: Any = run.finish().stickiness
    ending = time.process_time() - began
    pid = os.getpid()
    print(
        f"finished in {ending:.1f} s of processor time; resident {resident_mb(pid):,.0f} MB,"
        f" peak {peak_mb(pid):,.0f} MB"
    )
    return _held_against_the_truth(report, session)


def _chunks(session: Session) -> Iterator[list[bytes]]:
    chunk: list[bytes] = []
    for record in session:
        chunk.append(record)
        if len(chunk) == _CHUNK:
            yield chunk
            chunk = []
    yield chunk


def _show(run: EmbeddedRun, session: Session, folded: int, fold_seconds: float) -> None:
    pid = os.getpid()
    resident, peak = resident_mb(pid), peak_mb(pid)  # before the state is copied to be measured
    state = people = rooms = 0
    for partition in run.partitions:
        rooms += len(partition.rooms)
        state += len(msgspec.msgpack.encode(partition.snapshot()))
        people += len(msgspec.msgpack.encode(partition.stickiness.snapshot()))
    print(
        _LINE.format(
            f"{folded:,}",
            f"{session.done:.0%}",
            f"{rooms:,}",
            f"{run.minutes:,}",
            f"{state / 1e6:,.2f}",
            f"{people / 1e6:,.2f}",
            f"{resident:,.0f}",
            f"{peak:,.0f}",
            f"{fold_seconds / folded * 1e6:.1f}",
        ),
        flush=True,
    )


def _held_against_the_truth(report: Any, session: Session) -> int:  # noqa: ANN401 - JSON values
    rows = {
        row["key"]: row
        for row in report["festivals"]
        if row["festival"] == FESTIVAL and row["scope"] == "host"
    }
    worst = 0.0
    for planted in session.truth.totals()["festival"]["hosts"]:
        row = rows[planted["host_id"]]
        for name in ("lift", "overdraft"):
            worst = max(worst, abs(row[name] - planted[f"planted_{name}"]))
    print(f"lift and overdraft of {len(rows)} hosts: at most {worst:.4f} from what was planted")
    return 0 if worst <= _ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
