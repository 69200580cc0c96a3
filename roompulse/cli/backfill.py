"""`roompulse backfill`: a past session in Prometheus, on its own time axis."""

import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from producers.replay import ReplayError
from producers.sessions import SessionFileError, check_arrival_order, read_records
from roompulse.backfill import BackfillError, make_blocks, moments, write_openmetrics
from roompulse.cli.failures import fail, told_in_one_line
from roompulse.cli.progress import counted
from roompulse.shown_run import ShownRun
from schemas.calendar import CalendarError
from schemas.topics import DEFAULT_PARTITIONS
from streams.calendars import SHIPPED, read_calendar
from streams.collector import collect_rarely
from streams.core.boards import DEFAULT_TOP, DEFAULT_ZONE

_MS = 1000


def backfill(
    session: Annotated[
        Path, typer.Argument(help="A session file: .ndjson, .ndjson.zst, .parquet.")
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", "-o", help="Where the blocks go: Prometheus' own data folder, or any other."
        ),
    ],
    interval: Annotated[
        int, typer.Option(min=1, max=3600, help="Seconds of event time between two samples.")
    ] = 15,
    metric_rows: Annotated[
        int, typer.Option(min=1, max=1000, help="Rows of each board that become series.")
    ] = 20,
    openmetrics: Annotated[
        Path | None, typer.Option(help="Also keep the text that the blocks are made of.")
    ] = None,
    partitions: Annotated[
        int, typer.Option(min=1, max=1024, help="Partitions of the topic that is imitated.")
    ] = DEFAULT_PARTITIONS,
    zone: Annotated[str, typer.Option(help="Time zone whose days are event days.")] = DEFAULT_ZONE,
    calendar: Annotated[
        Path,
        typer.Option(
            help="Festivals that are looked at, as for `roompulse run`.", show_default=False
        ),
    ] = SHIPPED,
) -> None:
    """Write a past session into Prometheus as blocks, so that Grafana shows that night.

    The figures are those that scrapes of a worker find while the session is replayed at its own
    pace. Prometheus takes the blocks up within a minute, and deletes them once they are older than
    its retention time, so set that to more than the age of the session.

    Needs promtool, which comes with Prometheus (Debian: apt-get install prometheus).
    """
    promtool = shutil.which("promtool")
    if promtool is None:
        fail("promtool is not on the path: install Prometheus (Debian: apt-get install prometheus)")
    collect_rarely()
    with told_in_one_line(CalendarError, OSError):
        festivals = read_calendar(calendar)
    run = ShownRun(partitions, zone, max(DEFAULT_TOP, metric_rows), festivals)
    with (
        told_in_one_line(SessionFileError, ReplayError, BackfillError, OSError),
        tempfile.TemporaryDirectory(prefix="roompulse-backfill-") as scratch,
    ):
        text = openmetrics or Path(scratch) / "session.om"
        found = moments(
            lambda: counted(
                check_arrival_order(read_records(session), session), "sampling", session
            ),
            run,
            interval * _MS,
        )
        with text.open("w", encoding="utf-8") as file:
            samples = list(write_openmetrics(file, found, metric_rows))
        make_blocks(Path(promtool), text, out)
    typer.echo(
        f"{len(samples):,} moments of {len(run.rooms):,} rooms, every {interval} s, as blocks in"
        f" {out}: look from {samples[0] // _MS} to {samples[-1] // _MS} (epoch seconds)"
    )
