"""`roompulse run`: a session file to the files of a run, without a broker."""

import time
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from producers.sessions import SessionFileError, check_arrival_order, read_records
from roompulse.cli.failures import fail, told_in_one_line
from roompulse.cli.progress import counted
from schemas.calendar import CalendarError
from schemas.exchange import RateTableError
from schemas.topics import DEFAULT_PARTITIONS
from streams.calendars import SHIPPED, read_calendar
from streams.collector import collect_rarely
from streams.core.boards import DEFAULT_TOP, DEFAULT_ZONE
from streams.embedded import EmbeddedRun
from streams.rate_tables import read_rate_table
from streams.result_files import run_report, write_results


def run(
    session: Annotated[
        Path, typer.Argument(help="A session file: .ndjson, .ndjson.zst, .parquet.")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files of the run.")],
    partitions: Annotated[
        int, typer.Option(min=1, max=1024, help="Partitions of the topic that is imitated.")
    ] = DEFAULT_PARTITIONS,
    zone: Annotated[str, typer.Option(help="Time zone whose days are event days.")] = DEFAULT_ZONE,
    top: Annotated[int, typer.Option(min=0, help="Rows of a board; 0 for all.")] = DEFAULT_TOP,
    calendar: Annotated[
        Path,
        typer.Option(
            help="Festivals whose overdraft is looked at: a YAML list of {festival, first_day,"
            " last_day}. By default those shipped: 618, Double 11, 12.12, Spring Festival.",
            show_default=False,
        ),
    ] = SHIPPED,
    rates: Annotated[
        Path | None,
        typer.Option(
            help="A rate table, YAML {base: CNY, date: 2026-11-11, rates: {USD: 7.12}}: boards over"
            " all currencies in the base, beside those of each currency.",
            show_default=False,
        ),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Take a file even if it is not in order of arrival.")
    ] = False,
) -> None:
    """Fold a session in this process; write rooms, minutes, boards, stickiness and dead letters.

    The records are those that Kafka and a worker give, byte for byte.
    """
    if not _is_zone(zone):
        fail(f"{zone!r} is no time zone; give one like Asia/Shanghai or UTC")
    collect_rarely()
    started = time.monotonic()
    with told_in_one_line(SessionFileError, CalendarError, RateTableError, OSError):
        festivals = read_calendar(calendar)
        table = read_rate_table(rates)
        chunks = read_records(session)
        if not force:
            chunks = check_arrival_order(chunks, session)
        fold = EmbeddedRun(partitions, zone, top, calendar=festivals, rates=table)
        for chunk in counted(chunks, "folding", session):
            fold.feed(chunk)
        results = fold.finish()
        elapsed = time.monotonic() - started
        write_results(results, out, elapsed_seconds=elapsed)
    counts = run_report(results.progress, elapsed_seconds=elapsed)["counts"]
    typer.echo(
        f"{counts.events:,} events: {counts.accepted:,} accepted, {counts.duplicate:,} duplicate, "
        f"{counts.rejected:,} rejected; {len(results.rooms):,} rooms; "
        f"{counts.events / max(elapsed, 1e-9):,.0f} events/s; files in {out}"
    )


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return False
    return True
