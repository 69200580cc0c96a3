"""A progress bar over the chunks of a session file; silent where nobody watches."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from producers.sessions import format_of


def counted(chunks: Iterable[list[bytes]], doing: str, session: Path) -> Iterator[list[bytes]]:
    """Pass chunks on and show how far the file is, by the bytes of its records."""
    console = Console(stderr=True)
    with Progress(
        TextColumn(f"{doing} {session.name}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[events]:,} events"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        task = bar.add_task("", total=_bytes_to_read(session), events=0)
        events = 0
        for chunk in chunks:
            yield chunk
            events += len(chunk)
            bar.update(task, advance=sum(map(len, chunk)) + len(chunk), events=events)


def _bytes_to_read(session: Path) -> int | None:
    """The bytes of a plain file's records; what packed ones come to is not known before."""
    return session.stat().st_size if format_of(session) == ".ndjson" else None
