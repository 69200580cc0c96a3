"""`roompulse dead-letters`: what was refused and why, and sending it again."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from producers import dead_letters
from producers.dead_letters import DeadLettersError, Filter, Letters
from producers.kafka import BrokerError
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from schemas.errors import REASONS
from schemas.records import DeadLetter
from schemas.topics import DEAD_LETTERS

app = typer.Typer(
    help="List the records that were refused, and send them again.", no_args_is_help=True
)

_Bootstrap = Annotated[
    str,
    typer.Option(
        envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
    ),
]
_File = Annotated[
    Path | None,
    typer.Option(
        "--file", help="Read the dead-letters.ndjson of an embedded run instead of the topic."
    ),
]
_Topic = Annotated[str, typer.Option(help="The topic that holds them.")]
_Reasons = Annotated[
    list[str] | None,
    typer.Option("--reason", help=f"Only this reason; may be repeated: {', '.join(REASONS)}."),
]
_Rooms = Annotated[
    list[str] | None, typer.Option("--room", help="Only this room; may be repeated.")
]


@app.command(name="list")
def list_(
    file: _File = None,
    bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP,
    topic: _Topic = DEAD_LETTERS,
    reason: _Reasons = None,
    room: _Rooms = None,
    limit: Annotated[int, typer.Option(min=0, help="Rows shown; 0 shows all.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show refused records: reason, place, room and a preview without personal ids.

    Ids of persons, devices and accounts are masked to their last four characters. The counts by
    reason below the table are of all letters that match, whatever the limit.
    """
    chosen = _chosen(file, bootstrap, topic, reason, room)
    shown = chosen[:limit] if limit else chosen
    if as_json:
        for letter in shown:
            typer.echo(json.dumps(_row(letter), ensure_ascii=False))
        return
    table = Table("reason", "topic", "partition", "offset", "room", "detail", "preview")
    for letter in shown:
        table.add_row(*(escape(str(cell)) for cell in _row(letter).values()))
    Console().print(table)
    if len(shown) < len(chosen):
        typer.echo(f"{len(shown)} of {len(chosen):,} shown; --limit 0 shows all")
    typer.echo(_counts(dead_letters.count_by_reason(chosen)))


@app.command()
def resend(
    file: _File = None,
    bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP,
    topic: _Topic = DEAD_LETTERS,
    reason: _Reasons = None,
    room: _Rooms = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be sent.")
    ] = False,
) -> None:
    """Send refused records again, byte for byte, each to the topic it came from.

    Useful once the reason is gone: a room was opened, a newer version knows the type. What is
    refused again becomes a new dead letter. The letters stay listed.
    """
    chosen = _chosen(file, bootstrap, topic, reason, room)
    if dry_run:
        typer.echo(f"would send: {_counts(dead_letters.count_by_reason(chosen))}")
        return
    if not chosen:
        typer.echo("sent: nothing matches")
        return
    with told_in_one_line(BrokerUnavailable, BrokerError):
        require_broker(bootstrap)
        report = interrupts.run(dead_letters.resend(bootstrap, chosen))
    typer.echo(f"sent: {_counts(report.by_reason)}")
    if report.too_large:
        fail(f"{report.too_large:,} records are larger than their topic takes; they were not sent")


def _chosen(
    file: Path | None,
    bootstrap: str,
    topic: str,
    reasons: list[str] | None,
    rooms: list[str] | None,
) -> list[DeadLetter]:
    for reason in reasons or ():
        if reason not in REASONS:
            fail(f"{reason!r} is no reason: choose one of {', '.join(REASONS)}")
    wanted = Filter(
        reasons=frozenset(reasons) if reasons else None,
        rooms=frozenset(rooms) if rooms else None,
    )
    with told_in_one_line(BrokerUnavailable, BrokerError, DeadLettersError):
        letters = _read(file, bootstrap, topic)
    if letters.unreadable:
        typer.echo(
            f"roompulse: {letters.unreadable:,} entries of topic {topic!r} are no dead letters;"
            " they are left out",
            err=True,
        )
    return [letter for letter in letters.letters if wanted.picks(letter)]


def _read(file: Path | None, bootstrap: str, topic: str) -> Letters:
    if file is not None:
        return dead_letters.read_file(file)
    require_broker(bootstrap)
    return interrupts.run(dead_letters.read_topic(bootstrap, topic=topic))


def _row(letter: DeadLetter) -> dict[str, Any]:
    return {
        "reason": letter.reason,
        "topic": letter.topic,
        "partition": letter.partition,
        "offset": letter.offset,
        "room_id": dead_letters.room_of(letter),
        "detail": letter.detail,
        "preview": dead_letters.preview(letter),
    }


def _counts(by_reason: dict[str, int]) -> str:
    total = sum(by_reason.values())
    parts = ", ".join(f"{reason}: {count:,}" for reason, count in by_reason.items())
    return f"{total:,} dead letters" + (f" ({parts})" if parts else "")
