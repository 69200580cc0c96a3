"""`roompulse alerts`: what is suspected, and what people say of it."""

import json
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.console import Console
from rich.table import Table

from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from producers.kafka import BrokerError
from roompulse import interrupts
from roompulse.cli.board_view import NOTHING, money_of, printable, time_of
from roompulse.cli.failures import fail, told_in_one_line
from roompulse.verdicts import LONGEST_NOTE, give
from schemas.records import Alert, Judgement, Verdict, encode
from streams.core.integrity.alert_book import SEVERITIES, UNJUDGED, precision
from streams.shell.collecting import alerts_and_verdicts

app = typer.Typer(
    help="List what is suspected, and record what people say of it.", no_args_is_help=True
)
_ALL_KINDS = "all"

_Bootstrap = Annotated[
    str,
    typer.Option(
        envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
    ),
]
_AlertId = Annotated[str, typer.Argument(metavar="ALERT_ID", help="As `alerts list` shows it.")]
_Note = Annotated[str, typer.Option(help="Why, in your words.")]


class AlertsFileError(Exception):
    """A folder that holds no alerts; the text is one line that says what to do."""


@app.command("list")
def list_alerts(
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="DIR", help="A folder of `roompulse run --out`; without one, Kafka."
        ),
    ] = None,
    bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP,
    *,
    unjudged: Annotated[
        bool, typer.Option("--unjudged", help="Only those of which nobody has said anything.")
    ] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line, with all evidence.")
    ] = False,
) -> None:
    """Show the newest version of each alert, in order of event time, with its verdict.

    Verdicts stand in Kafka; the alerts of a folder have none.
    """
    with told_in_one_line(BrokerUnavailable, BrokerError, AlertsFileError):
        alerts, verdicts = _read(folder, bootstrap)
    shown = [
        alert for alert in newest_versions(alerts) if not (unjudged and alert.alert_id in verdicts)
    ]
    if as_json:
        for alert in shown:
            typer.echo(json.dumps(_plain(alert, verdicts), ensure_ascii=False))
        return
    table = Table(
        "alert", "kind", "room", "severity", "status", "time", "score", "money", "verdict"
    )
    for alert in shown:
        table.add_row(*_cells(alert, verdicts.get(alert.alert_id)))
    Console().print(table, markup=False)
    typer.echo(f"{len(shown):,} alerts; {precision_line(verdicts)}")


@app.command()
def ack(alert_id: _AlertId, bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP, note: _Note = "") -> None:
    """Say that an alert was seen and is being looked into."""
    _give(alert_id, "ack", note, bootstrap)


@app.command()
def dismiss(
    alert_id: _AlertId, bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP, note: _Note = ""
) -> None:
    """Say that an alert is a false alarm. No figure changes by that."""
    _give(alert_id, "dismiss", note, bootstrap)


@app.command()
def confirm(
    alert_id: _AlertId, bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP, note: _Note = ""
) -> None:
    """Say that an alert is a true one. No figure changes by that."""
    _give(alert_id, "confirm", note, bootstrap)


@app.command("precision")
def show_precision(
    bootstrap: _Bootstrap = DEFAULT_BOOTSTRAP,
    *,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object a line for each kind and severity.")
    ] = False,
) -> None:
    """Show how often alerts were right, by what people said of them.

    Precision is confirmed over confirmed and dismissed. Those acknowledged or left alone are in
    neither, so it speaks of what people chose to judge: judge pages and reviews as they come, not
    only the striking ones. `roompulse evaluate` measures detection where the truth is known.
    """
    with told_in_one_line(BrokerUnavailable, BrokerError):
        require_broker(bootstrap)
        alerts, verdicts = interrupts.run(alerts_and_verdicts(bootstrap))
    lines = judged(alerts, verdicts)
    if as_json:
        for line in lines:
            typer.echo(encode(line).decode())
        return
    table = Table("severity", "kind")
    for head in ("alerts", "confirmed", "dismissed", "looked into", "not judged", "precision"):
        table.add_column(head, justify="right")
    for line in lines:
        counts = (line.alerts, line.confirm, line.dismiss, line.ack, line.none)
        share = NOTHING if line.precision is None else f"{line.precision:.1%}"
        table.add_row(line.severity, line.kind, *(f"{count:,}" for count in counts), share)
    Console().print(table, markup=False)


def newest_versions(alerts: Iterable[Alert]) -> list[Alert]:
    """The newest version of each alert, in the order in which these came."""
    newest: dict[str, Alert] = {}
    for alert in alerts:
        known = newest.get(alert.alert_id)
        if known is None or known.version <= alert.version:
            newest.pop(alert.alert_id, None)
            newest[alert.alert_id] = alert
    return list(newest.values())


def precision_line(verdicts: Mapping[str, Verdict]) -> str:
    """What the verdicts come to: how many of the judged alerts are true."""
    given = [verdict.verdict for verdict in verdicts.values()]
    share = precision(given)
    shown = "" if share is None else f", precision {share:.2f}"
    return f"{given.count('confirm'):,} confirmed, {given.count('dismiss'):,} dismissed{shown}"


class Judged(msgspec.Struct, frozen=True):
    """What people said of the alerts of one kind and severity.

    Attributes:
        ack: looked into, and not judged yet.
        none: nobody has said anything.
        precision: `confirm` over `confirm` and `dismiss`; None where nothing was judged.
    """

    kind: str
    severity: str
    alerts: int
    confirm: int
    dismiss: int
    ack: int
    none: int
    precision: float | None


def judged(alerts: Iterable[Alert], verdicts: Mapping[str, Verdict]) -> list[Judged]:
    """Verdicts by kind and severity, the gravest first; a sum over all kinds ends each severity."""
    said: dict[tuple[int, str], list[str]] = {}
    for alert in newest_versions(alerts):
        verdict = verdicts.get(alert.alert_id)
        gravity = SEVERITIES.index(alert.severity)
        for kind in (alert.kind, _ALL_KINDS):
            given = said.setdefault((gravity, kind), [])
            given.append(UNJUDGED if verdict is None else verdict.verdict)
    found = []
    for gravity, kind in sorted(said, key=lambda place: (place[0], place[1] == _ALL_KINDS, place)):
        given = said[gravity, kind]
        found.append(
            Judged(
                kind=kind,
                severity=SEVERITIES[gravity],
                alerts=len(given),
                confirm=given.count("confirm"),
                dismiss=given.count("dismiss"),
                ack=given.count("ack"),
                none=given.count(UNJUDGED),
                precision=precision(given),
            )
        )
    return found


def _read(folder: Path | None, bootstrap: str) -> tuple[list[Alert], dict[str, Verdict]]:
    if folder is not None:
        return _read_folder(folder), {}
    require_broker(bootstrap)
    return interrupts.run(alerts_and_verdicts(bootstrap))


def _read_folder(folder: Path) -> list[Alert]:
    path = folder / "alerts.ndjson"
    try:
        return [msgspec.json.decode(line, type=Alert) for line in path.read_bytes().splitlines()]
    except OSError as error:
        raise AlertsFileError(
            f"{path}: {(error.strerror or 'cannot be read').lower()}; name the folder of"
            " `roompulse run --out` or `roompulse export --out`"
        ) from None
    except msgspec.MsgspecError as error:
        raise AlertsFileError(f"{path}: holds no alerts ({error})") from None


def _give(alert_id: str, judgement: Judgement, note: str, bootstrap: str) -> None:
    if len(note) > LONGEST_NOTE:
        fail(f"a note has at most {LONGEST_NOTE} characters")
    with told_in_one_line(BrokerUnavailable, BrokerError):
        require_broker(bootstrap)
        alerts, _ = interrupts.run(alerts_and_verdicts(bootstrap))
        if all(alert.alert_id != alert_id for alert in alerts):
            fail(f"no alert is called {alert_id!r}; `roompulse alerts list` shows all")
        verdict = Verdict(alert_id, judgement, time.time_ns() // 1_000_000, note)
        interrupts.run(give(bootstrap, verdict))
    typer.echo(f"{alert_id}: {judgement}")


def _plain(alert: Alert, verdicts: Mapping[str, Verdict]) -> dict[str, Any]:
    verdict = verdicts.get(alert.alert_id)
    plain: dict[str, Any] = msgspec.to_builtins(alert)
    return plain | {"verdict": None if verdict is None else msgspec.to_builtins(verdict)}


def _cells(alert: Alert, verdict: Verdict | None) -> tuple[str, ...]:
    said = NOTHING
    if verdict is not None:
        said = verdict.verdict + (f": {verdict.note}" if verdict.note else "")
    return (
        printable(alert.alert_id),
        alert.kind,
        printable(", ".join(alert.rooms) or alert.room_id or NOTHING),
        alert.severity,
        alert.status,
        time_of(alert.updated_ms),
        f"{alert.score:.1f}",
        money_of(alert.money_minor, alert.currency),
        printable(said),
    )
