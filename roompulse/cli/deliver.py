"""`roompulse deliver`: alerts reach Alertmanager, which calls people."""

from datetime import datetime
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
from streams.shell.alertmanager import Alertmanager, AlertmanagerRefusedError, Post
from streams.shell.delivery import Outbox
from streams.shell.delivery import deliver as deliver_alerts

_STOPPED = 130


def deliver(
    alertmanager: Annotated[
        str,
        typer.Option(envvar="ROOMPULSE_ALERTMANAGER", help="Alertmanager's address."),
    ] = "http://127.0.0.1:9093",
    *,
    bootstrap: Annotated[
        str,
        typer.Option(
            envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
        ),
    ] = DEFAULT_BOOTSTRAP,
    group: Annotated[
        str, typer.Option(help="Consumer group: where it is, each version is delivered once.")
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
        bool, typer.Option("--dry-run", help="Print what would be sent; send and commit nothing.")
    ] = False,
) -> None:
    """Deliver alerts to Alertmanager until Ctrl-C: each version in order, at least once.

    A receiver that is away is tried again until it takes them, and a restart goes on where the
    last one was. Whom Alertmanager calls, and what it holds back, is set there: see
    deploy/alertmanager. Nothing is told of a replay of the past unless --replayed is given.
    """
    if not alertmanager.startswith(("http://", "https://")):
        fail(f"{alertmanager!r} is no address: write --alertmanager http://host:port")
    with told_in_one_line(BrokerUnavailable, AlertmanagerRefusedError):
        require_broker(bootstrap)
        try:
            interrupts.run(
                deliver_alerts(
                    bootstrap,
                    group,
                    Outbox(replayed=replayed, room_url=room_url),
                    _tell,
                    None if dry_run else Alertmanager(alertmanager),
                )
            )
        except KeyboardInterrupt:
            raise typer.Exit(_STOPPED) from None


def _tell(posts: list[Post]) -> None:
    for post in posts:
        labels, notes = post["labels"], post["annotations"]
        state = "resolved" if "endsAt" in post else "firing"
        named = f"{state:8} {labels['severity']:6} {labels['alert_id']} v{notes['version']}"
        at = datetime.fromisoformat(post["startsAt"]).strftime("%Y-%m-%d %H:%M:%S")
        typer.echo(f"{named} since {at} UTC: {notes['summary']}")
