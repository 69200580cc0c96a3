"""`roompulse export`: what the workers have published, as the files of a run."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from roompulse import interrupts
from roompulse.cli.failures import told_in_one_line
from schemas.calendar import Calendar, CalendarError
from streams.calendars import SHIPPED, read_calendar
from streams.embedded import Results
from streams.result_files import write_results
from streams.shell.collecting import collect, with_stickiness


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")],
    bootstrap: Annotated[
        str, typer.Option(envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port.")
    ] = DEFAULT_BOOTSTRAP,
    calendar: Annotated[
        Path,
        typer.Option(
            help="Festivals whose overdraft is looked at, as for `roompulse run`.",
            show_default=False,
        ),
    ] = SHIPPED,
) -> None:
    """Write what Kafka's topics hold, as the files that `roompulse run` writes.

    Once a session has been replayed to its closing tick and the workers are idle, the files equal
    those of `roompulse run` on the same session. Stickiness is that of the last checkpoints, which
    workers save every ten seconds and when they stop.
    """
    with told_in_one_line(BrokerUnavailable, CalendarError, OSError):
        require_broker(bootstrap)
        results = interrupts.run(_collected(bootstrap, read_calendar(calendar)))
        write_results(results, out, elapsed_seconds=0)
    if results.stickiness is None:
        typer.echo("no stickiness yet: a partition has no checkpoint; ask again in ten seconds")
    typer.echo(
        f"{len(results.rooms):,} rooms, {len(results.minutes):,} minutes, "
        f"{len(results.boards):,} boards, {len(results.dead_letters):,} dead letters in {out}"
    )


async def _collected(bootstrap: str, festivals: Calendar) -> Results:
    return await with_stickiness(bootstrap, await collect(bootstrap), festivals)
