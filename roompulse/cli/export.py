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
from streams.result_files import write_results
from streams.shell.collecting import collect


def export(
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the files.")],
    bootstrap: Annotated[
        str, typer.Option(envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port.")
    ] = DEFAULT_BOOTSTRAP,
) -> None:
    """Write rooms, minutes, boards and dead letters from Kafka's topics, as `roompulse run` does.

    Once a session has been replayed to its closing tick and the workers are idle, the files equal
    those of `roompulse run` on the same session.
    """
    with told_in_one_line(BrokerUnavailable, OSError):
        require_broker(bootstrap)
        results = interrupts.run(collect(bootstrap))
        write_results(results, out, elapsed_seconds=0)
    typer.echo(
        f"{len(results.rooms):,} rooms, {len(results.minutes):,} minutes, "
        f"{len(results.boards):,} boards, {len(results.dead_letters):,} dead letters in {out}"
    )
