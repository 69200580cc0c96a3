"""A past session as time series on its own time axis: what scrapes of a worker would have found.

The records are taken as the replay sends them, in event time, and what a scrape of a worker would
have found is written as OpenMetrics, from which `promtool` makes blocks of Prometheus.
"""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from producers.replay.plan import OpenRecords, Plan
from roompulse.shown_run import ShownRun
from schemas.clock import NOTHING_MS
from schemas.records import AnyBoard, Progress, RoomFigures
from streams.core.stickiness.live import stays_of
from streams.shell.metrics import WorkerCollector, WorkerView, stamped

_PLACE = {"job": "roompulse", "instance": "backfill"}


class BackfillError(Exception):
    """The blocks cannot be made; the text is one line that says what to do."""


def moments(
    open_records: OpenRecords, run: ShownRun, interval_ms: int
) -> Iterator[tuple[int, WorkerView]]:
    """What a scrape at each full interval of event time finds; the last one finds the end.

    Raises:
        ReplayError: the session holds nothing that can be placed in time.
    """
    # one partition here, so that each record comes once; the run distributes them itself
    plan = Plan(open_records, 1)
    at_ms: int | None = None
    pending: list[bytes] = []
    for chunk in plan.steps():
        for step in chunk:
            if step.due_ms != NOTHING_MS:
                if at_ms is None:
                    at_ms = step.due_ms - step.due_ms % interval_ms + interval_ms
                while step.due_ms > at_ms:
                    _fold(run, pending)
                    yield at_ms, _view(run)
                    at_ms += interval_ms
            pending.append(step.value)
    _fold(run, pending)
    if at_ms is not None:
        yield at_ms, _view(run)
        yield at_ms + interval_ms, _end(run)


def write_openmetrics(
    out: TextIO, found: Iterator[tuple[int, WorkerView]], rows: int
) -> Iterator[int]:
    """Write what was found as OpenMetrics; yields the moment after each.

    Args:
        out: the text goes here.
        found: moments in their order.
        rows: of a board that become series, as `--metric-rows` of a worker.
    """
    for at_ms, view in found:
        collector = WorkerCollector(lambda view=view: view, rows)  # type: ignore[misc]
        out.writelines(stamped(collector.figures(view), at_ms, _PLACE))
        yield at_ms
    out.write("# EOF\n")


def make_blocks(promtool: Path, openmetrics: Path, folder: Path) -> None:
    """Make blocks of Prometheus in a folder.

    Raises:
        BackfillError: promtool refused.
    """
    made = subprocess.run(
        [
            promtool,
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "--max-block-duration=24h",
            openmetrics,
            folder,
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode:
        said = (made.stderr or made.stdout).strip().splitlines()
        raise BackfillError(f"promtool made no blocks: {said[-1] if said else 'it said nothing'}")


def _fold(run: ShownRun, pending: list[bytes]) -> None:
    if pending:
        run.feed(pending)
        pending.clear()


def _view(run: ShownRun) -> WorkerView:
    """What a scrape finds now."""
    return _seen(run, run.progress(), run.current_boards(), run.rooms)


def _end(run: ShownRun) -> WorkerView:
    """What a scrape finds after the closing tick."""
    results = run.finish()
    return _seen(run, results.progress, results.boards, run.boards.rooms)


def _seen(
    run: ShownRun,
    progress: list[Progress],
    boards: list[AnyBoard],
    rooms: dict[str, RoomFigures],
) -> WorkerView:
    return WorkerView(
        progress=dict(enumerate(progress)),
        health={},
        lag={},
        boards=boards,
        rooms=dict(rooms),
        alerts=run.alerts,
        after_sales=run.after_sales,
        marks=run.last_marks,
        market=run.market,
        stays={each.number: stays_of(each) for each in run.partitions},
        people=run.people,
        comeback=run.comeback,
        leads=True,
        now=0.0,
        epoch_ms=0,
    )
