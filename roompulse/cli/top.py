"""`roompulse top`: boards and alerts in the terminal, to move about in."""

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from deploy.kafka.admin import TopicsError
from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from roompulse import interrupts
from roompulse.cli.failures import told_in_one_line
from roompulse.following import Following
from roompulse.run_folder import known_of_folder
from roompulse.standing import RunFolderError
from roompulse.top.app import MOST_ROWS, SOURCES, Top

_DEFAULT_ROWS = 100


def top(
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of a run or an export; without it, Kafka is watched."
        ),
    ] = None,
    *,
    rows: Annotated[
        int, typer.Option(min=1, max=MOST_ROWS, help="Rows of a board, from the top.")
    ] = _DEFAULT_ROWS,
    bootstrap: Annotated[
        str, typer.Option(envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port.")
    ] = DEFAULT_BOOTSTRAP,
) -> None:
    """Watch boards and alerts, sort by any column, open a room; ? tells the keys, q leaves.

    The first word says whether figures can be believed: live, quiet, NO DATA YET, STALE (events
    wait and no worker folds them) or KAFKA SILENT. Watching takes part in no consumer group and
    changes nothing.

    Examples:
        roompulse top
        roompulse top --results out
    """
    # a terminal that is ended from outside is given back as it was, too
    with (
        told_in_one_line(BrokerUnavailable, TopicsError, RunFolderError),
        interrupts.interruptible(),
        contextlib.suppress(KeyboardInterrupt),
    ):
        if results is not None:
            known = known_of_folder(results)
            interrupts.run(Top(f"folder {results}", known, top=rows).run_async())
        else:
            require_broker(bootstrap)
            interrupts.run(_watch(bootstrap, rows))


async def _watch(bootstrap: str, rows: int) -> None:
    async with Following(bootstrap, SOURCES) as source:
        await Top(f"Kafka {bootstrap}", source.known, source.poll, top=rows).run_async()
