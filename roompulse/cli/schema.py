"""`roompulse schema`: the contract as JSON Schema, AsyncAPI and a page for people."""

from pathlib import Path
from typing import Annotated

import typer

from roompulse.cli.failures import fail
from schemas import export as exports

app = typer.Typer(help="The event contract in the forms other tools read.", no_args_is_help=True)


@app.command()
def export(
    directory: Annotated[
        Path,
        typer.Argument(metavar="DIR", help="Root of the checkout, below which the files stand."),
    ] = Path(),
    check: Annotated[
        bool,
        typer.Option("--check", help="Write nothing; exit code 1 if a file is not current."),
    ] = False,
) -> None:
    """Write JSON Schema, AsyncAPI 3 and the field tables, derived from the schemas in code.

    The files are schemas/generated/events.schema.json, schemas/generated/asyncapi.yaml and
    docs/events.md below DIR.
    """
    if not directory.is_dir():
        fail(f"{directory} is no directory: name the root of the checkout")
    if check:
        outdated = exports.outdated(directory)
        if outdated:
            names = ", ".join(str(path) for path in outdated)
            fail(f"not current: {names}; write them with `roompulse schema export`")
        typer.echo("all exported files are current")
        return
    try:
        changed = exports.export(directory)
    except OSError as error:
        fail(f"{error.filename or directory} cannot be written: {error.strerror}")
    for path in changed:
        typer.echo(f"written  {path}")
    if not changed:
        typer.echo("all exported files were current")


@app.callback()
def _group() -> None:
    """Keep `export` a subcommand, though it is the only one."""
