"""`roompulse topics`: the declared topics on a broker, made and compared with their declaration."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.kafka.admin import (
    TopicsError,
    TopicState,
    create_topics,
    describe_topics,
    foreign_topics,
)
from deploy.kafka.probe import BOOTSTRAP_VARIABLE, DEFAULT_BOOTSTRAP, BrokerUnavailable
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from schemas.topics import BY_NAME, DEFAULT_PARTITIONS, LIVE_EVENTS

app = typer.Typer(
    help="Make the topics that Roompulse uses, and compare a broker's with their declaration.",
    no_args_is_help=True,
)

_Bootstrap = Annotated[
    str,
    typer.Option(
        envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
    ),
]
_Partitions = Annotated[
    int,
    typer.Option(
        min=1, max=1024, help=f"Partitions of {LIVE_EVENTS} and of the topics that follow it."
    ),
]


@app.command()
def create(
    bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP, partitions: _Partitions = DEFAULT_PARTITIONS
) -> None:
    """Make the topics that are not there yet; may be run again at any time.

    A topic that exists is never altered. If one differs from its declaration, that is said and the
    exit code is 1: partitions cannot be changed without moving keys, so that is yours to decide.
    """
    with told_in_one_line(BrokerUnavailable, TopicsError):
        states = interrupts.run(create_topics(bootstrap, live_partitions=partitions))
    for state in states:
        word = "created" if state.created else "exists "
        typer.echo(f"{word}  {state.declared.name} ({state.partitions} partitions)")
    different = [state for state in states if state.differences]
    for state in different:
        typer.echo(f"differs  {state.declared.name} {', '.join(state.differences)}", err=True)
    if different:
        raise typer.Exit(1)


@app.command(name="list")
def list_(
    bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP, partitions: _Partitions = DEFAULT_PARTITIONS
) -> None:
    """Show every declared topic beside what the broker has; exit code 1 unless they agree."""
    with told_in_one_line(BrokerUnavailable, TopicsError):
        states = interrupts.run(describe_topics(bootstrap, live_partitions=partitions))
        foreign = interrupts.run(foreign_topics(bootstrap))
    table = Table("topic", "partitions", "cleanup", "key", "state")
    for state in states:
        table.add_row(
            state.declared.name,
            str(state.partitions or state.expected_partitions),
            state.declared.cleanup_policy,
            state.declared.key,
            _state_in_words(state),
        )
    console = Console()
    console.print(table)
    if foreign:
        console.print(f"Not ours: {', '.join(foreign)}")
    raise typer.Exit(0 if all(state.as_declared for state in states) else 1)


@app.command()
def describe(
    name: Annotated[str, typer.Argument(help="A declared topic, for example live-events.")],
    bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP,
    partitions: _Partitions = DEFAULT_PARTITIONS,
) -> None:
    """Show what one topic is for, its key and settings, and what the broker has of it."""
    declared = BY_NAME.get(name)
    if declared is None:
        fail(f"no topic {name!r} is declared: choose one of {', '.join(BY_NAME)}")
    with told_in_one_line(BrokerUnavailable, TopicsError):
        (state,) = interrupts.run(
            describe_topics(bootstrap, topics=(declared,), live_partitions=partitions)
        )
    typer.echo(f"{declared.name}: {declared.description}")
    typer.echo(f"key: {declared.key}")
    table = Table("setting", "declared", "on the broker")
    found = "absent" if state.partitions is None else str(state.partitions)
    table.add_row("partitions", str(state.expected_partitions), found)
    for setting, wanted in declared.settings().items():
        table.add_row(setting, wanted, state.settings.get(setting, "absent"))
    Console().print(table)
    raise typer.Exit(0 if state.as_declared else 1)


def _state_in_words(state: TopicState) -> str:
    if not state.exists:
        return "absent: roompulse topics create"
    return ", ".join(state.differences) or "as declared"
