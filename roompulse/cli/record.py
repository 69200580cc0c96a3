"""`roompulse record`: a topic becomes a session file."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from producers.kafka import BrokerError
from producers.recorder import RecordReport
from producers.recorder import record as record_topic
from producers.sessions import SessionFileError, SessionWriter, format_of
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from schemas.topics import LIVE_EVENTS


def record(
    output: Annotated[
        Path,
        typer.Option("-o", "--output", help="Session file: .ndjson, .ndjson.zst or .parquet."),
    ],
    *,
    bootstrap: Annotated[
        str,
        typer.Option(
            envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
        ),
    ] = DEFAULT_BOOTSTRAP,
    topic: Annotated[str, typer.Option(help="What is recorded.")] = LIVE_EVENTS,
    until_end: Annotated[
        bool, typer.Option("--until-end", help="Stop at what is the end of the topic now.")
    ] = False,
    seconds: Annotated[
        float | None, typer.Option(min=0.1, help="Stop after so many seconds.")
    ] = None,
    from_now: Annotated[
        bool, typer.Option("--from-now", help="Leave out what the topic holds already.")
    ] = False,
    closing_ticks: Annotated[
        bool,
        typer.Option(help="Keep the ticks that replays wrote at their end."),
    ] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file.")] = False,
) -> None:
    """Record a topic to a session file, until Ctrl-C, --until-end or --seconds.

    Partitions are merged by arrival as far as Kafka tells; within a partition the order is kept
    exactly, and so are the bytes. A tick or rule set that stands in every partition is written
    once. Without the closing ticks, a recording of a replay replays to the same topic again.
    """
    with told_in_one_line(SessionFileError, BrokerUnavailable, BrokerError):
        format_of(output)
        if output.exists() and not overwrite:
            fail(f"{output} exists: choose another name, or replace it with --overwrite")
        if until_end and from_now:
            fail("--until-end and --from-now together record nothing: give one of them")
        require_broker(bootstrap)
        with SessionWriter(output) as writer:
            report = interrupts.run(
                _record(
                    writer,
                    bootstrap,
                    topic,
                    until_end=until_end,
                    seconds=seconds,
                    from_start=not from_now,
                    with_closing_ticks=closing_ticks,
                )
            )
            if report.records == 0:
                fail(f"topic {topic!r} held no record: nothing was written")
    counts = ", ".join(f"{at}: {count:,}" for at, count in enumerate(report.by_partition))
    typer.echo(f"recorded: {report.records:,} records to {output} (read by partition: {counts})")
    if report.closing_ticks_dropped:
        typer.echo(f"closing ticks left out: {report.closing_ticks_dropped}")


async def _record(
    writer: SessionWriter,
    bootstrap: str,
    topic: str,
    *,
    until_end: bool,
    seconds: float | None,
    from_start: bool,
    with_closing_ticks: bool,
) -> RecordReport:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    console = Console(stderr=True)
    with console.status("recording; Ctrl-C ends it") as status:
        return await record_topic(
            bootstrap,
            writer.write_all,
            topic=topic,
            from_start=from_start,
            until_end=until_end,
            seconds=seconds,
            with_closing_ticks=with_closing_ticks,
            stop=stop,
            on_progress=lambda records: status.update(f"{records:,} records; Ctrl-C ends it"),
        )
