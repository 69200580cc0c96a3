"""How a command tells a person that it could not do its work: one line, exit code 1, no trace."""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import typer


def fail(message: str) -> NoReturn:
    """Say on standard error why the command ends, and end it with exit code 1."""
    typer.echo(f"roompulse: {message}", err=True)
    raise typer.Exit(1)


def require_folder_of(path: Path | None) -> None:
    """End the command before long work whose result could not be written to a file."""
    if path is not None and not path.absolute().parent.is_dir():
        fail(f"{path}: its folder does not exist; create it first")


@contextlib.contextmanager
def told_in_one_line(*kinds: type[Exception]) -> Iterator[None]:
    """Errors of these kinds, whose text is meant for people, end the command through `fail`."""
    try:
        yield
    except kinds as error:
        fail(str(error))
