"""`roompulse kafka`: the local Kafka of this checkout, for development and demonstrations."""

import shlex
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from deploy.kafka.broker import DEFAULT_PORT, KafkaError, LocalKafka
from deploy.kafka.jars import JarsUnavailable
from roompulse.cli.failures import told_in_one_line

app = typer.Typer(
    help="Start and stop a real Apache Kafka on this machine: no Java, Docker or Maven needed.",
    no_args_is_help=True,
)

_MEBIBYTE = 1024 * 1024

_Folder = Annotated[
    Path | None,
    typer.Option(
        "--folder", help="Where its data, settings and logs are. [default: .kafka/broker]"
    ),
]


@app.command()
def up(
    port: Annotated[
        int, typer.Option(help="Port of loopback for clients; 0 takes a free one.")
    ] = DEFAULT_PORT,
    heap_mb: Annotated[int, typer.Option(min=256, help="Java heap of the broker in MiB.")] = 512,
    folder: _Folder = None,
    secure: Annotated[
        bool,
        typer.Option(
            "--secure",
            help="With TLS and a password, made at its first start; tells what clients need.",
        ),
    ] = False,
) -> None:
    """Start Kafka and return once it answers; it goes on until `roompulse kafka down`.

    The first start fetches the jars (44 MB), checks each against the lock's SHA-256 and keeps them
    in .kafka/jars. Data of an earlier run is kept. Where it runs already, nothing happens.
    """
    with told_in_one_line(KafkaError, JarsUnavailable):
        kafka = LocalKafka(folder, port=port, heap_mb=heap_mb, secured=secure)
        kafka.start(notify=lambda line: typer.echo(line, err=True))
        typer.echo(f"Kafka runs at {kafka.bootstrap} (data in {kafka.folder}).")
    for name, value in kafka.environment.items():
        typer.echo(f"export {name}={shlex.quote(value)}")
    typer.echo("Next: roompulse topics create.  Stop it with: roompulse kafka down")


@app.command()
def down(
    folder: _Folder = None,
    delete_data: Annotated[
        bool, typer.Option("--delete-data", help="Also delete its topics and all they hold.")
    ] = False,
) -> None:
    """Stop Kafka in order; where none runs, nothing happens."""
    with told_in_one_line(KafkaError):
        kafka = LocalKafka(folder)
        stopped = kafka.stop()
    typer.echo("Kafka is stopped." if stopped else f"No Kafka runs in {kafka.folder}.")
    if delete_data and kafka.delete_data():
        typer.echo(f"Deleted what was in {kafka.folder}.")


@app.command()
def status(folder: _Folder = None) -> None:
    """Show whether Kafka runs, where, and what it uses; exit code 1 unless it is ready."""
    kafka = LocalKafka(folder)
    found = kafka.status()
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_row("state", "ready" if found.ready else "starting" if found.running else "stopped")
    if found.running:
        table.add_row("bootstrap", str(found.bootstrap))
        table.add_row("process", str(found.pid))
        table.add_row("memory", f"{found.resident_bytes / _MEBIBYTE:.0f} MiB")
    table.add_row("folder", str(found.folder))
    Console().print(table)
    raise typer.Exit(0 if found.ready else 1)
