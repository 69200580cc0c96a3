"""`roompulse console`: one page for people without Grafana."""

import contextlib
import os
from pathlib import Path
from typing import Annotated

import typer

from deploy.kafka.admin import TopicsError
from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from roompulse.console.guard import SHORTEST_TOKEN, is_loopback
from roompulse.console.serving import Place, serve_folder, serve_kafka
from roompulse.console.web import ListenError
from roompulse.standing import RunFolderError

TOKEN_VARIABLE = "ROOMPULSE_CONSOLE_TOKEN"  # noqa: S105 - the name of a variable
DEFAULT_PORT = 6070


def console(
    *,
    results: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Show a folder of `roompulse run --out` or `roompulse export --out`, to be read"
            " only; without it, what the workers of a Kafka publish.",
        ),
    ] = None,
    bootstrap: Annotated[
        str,
        typer.Option(
            envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
        ),
    ] = DEFAULT_BOOTSTRAP,
    host: Annotated[
        str,
        typer.Option(help="Where it listens; another address than loopback needs a token."),
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="0 picks a free one.")
    ] = DEFAULT_PORT,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="A file that holds the token, 16 characters or more; or ROOMPULSE_CONSOLE_TOKEN"
            " in the environment. People log in with it."
        ),
    ] = None,
    address_file: Annotated[
        Path | None, typer.Option(help="Write its address here once it listens.")
    ] = None,
) -> None:
    """Show boards, rooms and alerts in a browser, live, until Ctrl-C.

    Gross, net and trusted money side by side with the rank by each, what suspicion costs, the
    curve and funnel of a room, alerts with their evidence. English and Chinese.

    Example: roompulse console --results out
    """
    with told_in_one_line(BrokerUnavailable, TopicsError, RunFolderError, ListenError):
        place = Place(host, port, _token(host, token_file), address_file)
        if results is None:
            require_broker(bootstrap)
        with contextlib.suppress(KeyboardInterrupt):
            if results is not None:
                interrupts.run(serve_folder(results, place, _tell))
            else:
                interrupts.run(serve_kafka(bootstrap, place, _tell))


def _tell(address: str) -> None:
    typer.echo(f"console: {address}  (Ctrl-C ends it)")


def _token(host: str, file: Path | None) -> str | None:
    """The token of the console; None where it needs none."""
    text = os.environ.get(TOKEN_VARIABLE, "")
    if file is not None:
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            fail(f"{file}: the token cannot be read ({type(error).__name__})")
    token = text.strip()
    if token and len(token) < SHORTEST_TOKEN:
        fail(f"the token is too short: take {SHORTEST_TOKEN} characters or more")
    if not token and not is_loopback(host):
        fail(
            f"{host} can be reached by others: set a token with {TOKEN_VARIABLE} or --token-file,"
            " or listen on 127.0.0.1"
        )
    return token or None
