"""`roompulse rules`: the rule sets of detection, checked, shown and put in force."""

import time
from pathlib import Path
from typing import Annotated
from uuid import uuid4

import typer

from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from producers.kafka import BrokerError, largest_record_bytes
from producers.single_records import broadcast
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from roompulse.rule_files import RuleFile, RuleFileError, event_of, read_rule_file
from schemas.rules import DEFAULT_RULES
from schemas.topics import LIVE_EVENTS
from streams.shell.collecting import newest_progress
from streams.yaml_files import YamlFileError, yaml_text

app = typer.Typer(
    help="Check, show and put in force what is called suspicious.", no_args_is_help=True
)

_File = Annotated[
    Path, typer.Argument(metavar="FILE", help="A YAML file: `version: ...` and `rules: ...`.")
]
_Bootstrap = Annotated[
    str,
    typer.Option(
        envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
    ),
]


@app.command()
def validate(file: _File) -> None:
    """Say everything that is wrong with a rule file; exit code 1 if anything is.

    Names that are not known are wrong here: in the log they would be ignored without a word.
    """
    read = read_or_fail(file)
    typer.echo(f"{file}: version {read.version}, nothing wrong")


@app.command()
def show(
    rules: Annotated[
        Path | None, typer.Option(help="A rule file.", show_default="the defaults")
    ] = None,
    bootstrap: Annotated[
        str | None,
        typer.Option(help="A Kafka whose version in force is told as well: host:port."),
    ] = None,
) -> None:
    """Print a rule set as YAML, with all that it leaves out; the output is a rule file again.

    With --bootstrap, comment lines first say which version each partition of that Kafka has in
    force, as its workers last reported it.
    """
    read = read_or_fail(rules) if rules is not None else RuleFile("defaults", DEFAULT_RULES, {})
    if bootstrap is not None:
        with told_in_one_line(BrokerUnavailable, BrokerError):
            require_broker(bootstrap)
            reported = interrupts.run(newest_progress(bootstrap))
        for progress in reported:
            version = "the defaults" if progress.rules_version is None else progress.rules_version
            typer.echo(f"# in force in partition {progress.version.partition}: {version}")
        if not reported:
            typer.echo("# no worker of this Kafka has reported yet")
    content = {"version": read.version, "rules": read.rules.model_dump()}
    typer.echo(yaml_text(content), nl=False)


@app.command()
def push(file: _File, bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP) -> None:
    """Put a rule file in force: write it as a `rules` event to every partition of live-events.

    A file with anything wrong in it is not written. What the file leaves out is at its default
    from then on, not as it was before.
    """
    read = read_or_fail(file)
    now_ms = time.time_ns() // 1_000_000
    event = event_of(read.version, read.given, f"rules-{uuid4().hex}", now_ms)
    value = event.model_dump_json().encode()
    if len(value) > largest_record_bytes(LIVE_EVENTS):
        fail(f"{file}: is too large for a record of {LIVE_EVENTS}")
    with told_in_one_line(BrokerUnavailable, BrokerError):
        require_broker(bootstrap)
        partitions = interrupts.run(broadcast(bootstrap, value))
    typer.echo(f"version {read.version} written to {partitions} partitions of {LIVE_EVENTS}")


def read_or_fail(file: Path) -> RuleFile:
    """The rule set of a file; or a line for each wrong field, and the end with exit code 1."""
    try:
        with told_in_one_line(YamlFileError, OSError):
            return read_rule_file(file)
    except RuleFileError as error:
        for fault in error.faults:
            typer.echo(f"{file}: {fault.field}: {fault.reason}", err=True)
        raise typer.Exit(1) from None
