"""`roompulse deliver`: alerts reach people, through Alertmanager or through routes of our own."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from streams.shell.alertmanager import Alertmanager
from streams.shell.channels import Channel, ChannelsFileError, read_channels
from streams.shell.delivery import News, Receiver, ReceiverAwayError, ReceiverRefusedError
from streams.shell.delivery import deliver as deliver_alerts

_STOPPED = 130
_DEFAULT_ALERTMANAGER = "http://127.0.0.1:9093"


def deliver(
    alertmanager: Annotated[
        str | None,
        typer.Option(
            envvar="ROOMPULSE_ALERTMANAGER",
            help=f"Alertmanager's address; {_DEFAULT_ALERTMANAGER} where no --channels are given.",
        ),
    ] = None,
    *,
    channels: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Routes to DingTalk, Feishu, WeCom, Slack, mail and webhooks, in YAML.",
        ),
    ] = None,
    bootstrap: Annotated[
        str,
        typer.Option(
            envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
        ),
    ] = DEFAULT_BOOTSTRAP,
    group: Annotated[
        str,
        typer.Option(
            help="Consumer group: where it is, each version is delivered once; that of a route has"
            " the route's name after it."
        ),
    ] = "roompulse-deliver",
    room_url: Annotated[
        str | None,
        typer.Option(help="Page of a room, such as Grafana's; room and time are added to it."),
    ] = None,
    replayed: Annotated[
        bool,
        typer.Option(
            "--replayed",
            help="Also tell of alerts of the past: published over an hour after their event time.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print what would be sent and where; send and commit nothing."
        ),
    ] = False,
    test: Annotated[
        bool,
        typer.Option("--test", help="Send one test message to each route of --channels, and end."),
    ] = False,
) -> None:
    """Deliver alerts to people until Ctrl-C: each version in order, at least once.

    To an Alertmanager, which decides whom it calls (see deploy/alertmanager), or by the routes of
    a file, chosen by severity, agency and kind (see docs/guides/channels.md), or both. A receiver
    that is away is tried again until it takes them and holds up no other; a restart goes on where
    each of them was. Nothing is told of a replay of the past unless --replayed is given.

    Example: roompulse deliver --channels channels.yaml --dry-run
    """
    with told_in_one_line(BrokerUnavailable, ChannelsFileError, ReceiverRefusedError):
        routes = read_channels(channels, room_url) if channels is not None else []
        try:
            if test:
                interrupts.run(_try_out(routes))
                return
            receivers: list[Receiver] = [*routes, *_alertmanagers(alertmanager, routes, room_url)]
            require_broker(bootstrap)
            delivery = deliver_alerts(
                bootstrap, group, receivers, replayed=replayed, is_dry=dry_run, tell=_tell
            )
            interrupts.run(delivery)
        except KeyboardInterrupt:
            raise typer.Exit(_STOPPED) from None


def _alertmanagers(
    url: str | None, routes: list[Channel], room_url: str | None
) -> list[Alertmanager]:
    """The Alertmanager, unless only routes are wanted."""
    if url is None and routes:
        return []
    url = url or _DEFAULT_ALERTMANAGER
    if not url.startswith(("http://", "https://")):
        fail(f"{url!r} is no address: write --alertmanager http://host:port")
    return [Alertmanager(url, room_url)]


async def _try_out(routes: list[Channel]) -> None:
    """Send a test to each route; the command fails where one does not take it."""
    if not routes:
        fail("--test is for the routes of a file: add --channels FILE")
    failed = 0
    for route in routes:
        try:
            await route.try_out()
            typer.echo(f"{route.name}: taken")
        except ReceiverAwayError:
            failed += 1
            typer.echo(f"{route.name}: NOT taken: wrong address, or its receiver is away")
    if failed:
        raise typer.Exit(1)


def _tell(receiver: Receiver, news: News) -> None:
    typer.echo(receiver.wording(news))
