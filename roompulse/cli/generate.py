"""`roompulse generate`: a session file from the seeded model, and the truth beside it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from producers.generator import SCENARIOS, ScenarioError, Session
from producers.generator import generate as generate_session
from producers.sessions import SessionFileError, SessionWriter, truth_path
from roompulse.cli.failures import fail, told_in_one_line

_EVENTS_BY_REFRESH = 5_000


def generate(
    name: Annotated[
        str | None, typer.Argument(help="The scenario; without one, all are listed.")
    ] = None,
    seed: Annotated[
        int, typer.Option(help="Same scenario, seed and size: the same bytes.", min=0)
    ] = 1,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="The session file: .ndjson, .ndjson.zst or .parquet. [default: NAME.ndjson]",
        ),
    ] = None,
    events: Annotated[
        int | None, typer.Option(help="About how many events; the scenario's own size if absent.")
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Times the scenario's own size; not with --events.", min=0.001)
    ] = 1.0,
) -> None:
    """Generate a session of live rooms, with the truth of what was planted beside it.

    The truth, NAME.truth.ndjson, holds on its first line the figures that a correct run must show
    (events, gross and refunds of each room, duplicates, late, future and rejected events), then
    the planted incidents.

    Example: roompulse generate festival --seed 7 -o festival.ndjson.zst --events 1000000
    """
    if name is None:
        _list_scenarios()
        return
    if events is not None and scale != 1.0:
        fail("give --events or --scale, not both")
    with told_in_one_line(ScenarioError, SessionFileError):
        if events is None and name in SCENARIOS:
            events = round(SCENARIOS[name].events * scale)
        session = generate_session(name, seed, events=events)
        path = Path(f"{name}.ndjson") if output is None else output
        truth = truth_path(path)
        with SessionWriter(path) as writer:
            _write(session, writer)
        session.truth.write(truth)
    totals = session.truth.totals()
    size_mb = path.stat().st_size / 1e6
    typer.echo(f"{totals['counts']['events']:,} events of {len(totals['rooms'])} rooms")
    for currency, sums in totals["currencies"].items():
        typer.echo(
            f"{sums['orders']:,} orders for {sums['gross_minor'] / 100:,.2f} {currency},"
            f" {sums['refunds']:,} refunds of {sums['refunded_minor'] / 100:,.2f}"
        )
    typer.echo(f"session  {path} ({size_mb:,.1f} MB)")
    typer.echo(f"truth    {truth}")


def _write(session: Session, writer: SessionWriter) -> None:
    console = Console(stderr=True)
    with Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as progress:
        task = progress.add_task("generating", total=1.0, events=0)
        for number, record in enumerate(session, start=1):
            writer.write(record)
            if number % _EVENTS_BY_REFRESH == 0:
                progress.update(task, completed=session.done, events=number)


def _list_scenarios() -> None:
    table = Table("scenario", "what it is", "events", title="roompulse generate NAME")
    for scenario in SCENARIOS.values():
        table.add_row(scenario.name, scenario.summary, f"{scenario.events:,}")
    Console().print(table)
