"""`roompulse report`: a session as one page for people."""

from pathlib import Path
from typing import Annotated

import typer

from roompulse.cli.failures import require_folder_of, told_in_one_line
from roompulse.report.files import read_files
from roompulse.report.page import page
from roompulse.report.words import Language
from roompulse.standing import RunFolderError

PAGE = "report.html"


def report(
    folder: Annotated[
        Path, typer.Argument(help="Folder of `roompulse run --out` or `roompulse export --out`.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", help="The page to write.", show_default=f"{PAGE} in the folder"
        ),
    ] = None,
    language: Annotated[Language, typer.Option(help="Of the page.")] = Language.EN,
    top: Annotated[
        int, typer.Option(min=1, max=1_000, help="Rows of a table, and alerts, at most.")
    ] = 20,
    rooms: Annotated[
        int, typer.Option(min=0, max=100, help="Rooms that have curves, at most.")
    ] = 6,
) -> None:
    """Write a report of a session: one HTML file with charts, to read, print and send.

    Boards, alerts with their evidence, curves, retention, after-sales, stickiness and festivals,
    each figure with its meaning. The file needs no network and no script. Equal files give an
    equal page, byte for byte.
    """
    target = folder / PAGE if out is None else out
    require_folder_of(target)
    with told_in_one_line(RunFolderError, OSError):
        found = read_files(folder, rooms=rooms, alerts=top)
        text = page(found, language, top=top)
        target.write_text(text, encoding="utf-8")
    typer.echo(f"{len(text.encode()):,} bytes in {target}")
