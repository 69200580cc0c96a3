"""`roompulse generate`: a session file from the seeded model, and the truth beside it."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from producers.generator import SCENARIOS, Scenario, ScenarioError, Session, Wanted
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
    *,
    events: Annotated[
        int | None, typer.Option(help="About how many events; the scenario's own size if absent.")
    ] = None,
    scale: Annotated[
        float, typer.Option(help="Times the scenario's own size; not with --events.", min=0.001)
    ] = 1.0,
    rooms: Annotated[int | None, typer.Option(help="How many rooms.")] = None,
    hours: Annotated[
        float | None, typer.Option(help="How long each room is open; a long A7 grows slowly.")
    ] = None,
    intensity: Annotated[
        float | None,
        typer.Option(help="Times the usual figures of the attacks: 0.5, 1, 2 or 4, say."),
    ] = None,
    audience: Annotated[
        float | None,
        typer.Option(
            help="Times the usual number of visits, for as many orders: 0.5 makes it small."
        ),
    ] = None,
    attacks: Annotated[
        str | None, typer.Option(help="Which attacks, as in A1,A4. [default: all]")
    ] = None,
) -> None:
    """Generate a session of live rooms, with the truth of what was planted beside it.

    The truth, NAME.truth.ndjson, holds on its first line the figures that a correct run must show
    (events, gross and refunds of each room, duplicates, late, future and rejected events), then
    the planted incidents: attacks, and innocents that must stay silent. Where something is planted
    --events counts the natural traffic only. The list of scenarios says which take which option.

    Examples:
        roompulse generate festival --seed 7 -o festival.ndjson.zst --events 1000000
        roompulse generate brushing --seed 3 --intensity 2
        roompulse generate silence --seed 3 --rooms 100 --hours 10
    """
    if name is None:
        _list_scenarios()
        return
    if events is not None and scale != 1.0:
        fail("give --events or --scale, not both")
    if scale != 1.0 and not (rooms is None and hours is None):
        fail("give --scale, or --rooms and --hours with --audience, not both")
    with told_in_one_line(ScenarioError, SessionFileError):
        if scale != 1.0 and name in SCENARIOS:
            events = round(SCENARIOS[name].events * scale)
        wanted = Wanted(events, rooms, hours, intensity, audience, _names(attacks))
        session = generate_session(name, seed, wanted=wanted)
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
    innocent = sum(incident.kind == "innocent" for incident in session.truth.incidents)
    planted = len(session.truth.incidents) - innocent
    if session.truth.incidents:
        typer.echo(f"{planted} planted incidents, {innocent} innocents that must stay silent")
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


def _names(attacks: str | None) -> tuple[str, ...] | None:
    if attacks is None:
        return None
    return tuple(name.strip() for name in attacks.split(",") if name.strip())


def _options(scenario: Scenario) -> str:
    # in the order in which the command has them
    return " ".join(f"--{option}" for option in Wanted._fields if option in scenario.options)


def _list_scenarios() -> None:
    table = Table(title="roompulse generate NAME")
    table.add_column("scenario", no_wrap=True)
    for header in ("what it is", "events", "options"):
        table.add_column(header)
    for scenario in SCENARIOS.values():
        events = f"{scenario.events:,}"
        table.add_row(scenario.name, scenario.summary, events, _options(scenario))
    Console().print(table)
