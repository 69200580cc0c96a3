"""`roompulse worker`: folds `live-events` until it is told to stop."""

from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError

from deploy.kafka.admin import TopicsError, describe_topics
from deploy.kafka.probe import BOOTSTRAP_VARIABLE, BrokerUnavailable, require_broker
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from schemas.calendar import CalendarError
from schemas.exchange import RateTableError
from schemas.topics import LIVE_EVENTS
from streams.calendars import SHIPPED, read_calendar
from streams.rate_tables import read_rate_table
from streams.shell.settings import WorkerSettings
from streams.shell.worker import run_worker

# With the time to load Faust and Kafka's client, an answer comes within 10 s.
_BROKER_SECONDS = 6.0


def worker(
    *,
    bootstrap: Annotated[
        str | None, typer.Option(envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port.")
    ] = None,
    group: Annotated[
        str | None, typer.Option(help="Consumer group; its workers share the rooms. [roompulse]")
    ] = None,
    instance: Annotated[
        str | None,
        typer.Option(
            help="A name that stays across restarts: the worker has its partitions back at once."
        ),
    ] = None,
    metrics_host: Annotated[
        str | None, typer.Option(help="Where /metrics, /live and /ready listen. [127.0.0.1]")
    ] = None,
    metrics_port: Annotated[
        int | None, typer.Option(help="Their port; 0 for a free one. [6067]")
    ] = None,
    top: Annotated[
        int | None, typer.Option(help="Rows of a published board, up to 5,000. [100]")
    ] = None,
    metric_rows: Annotated[
        int | None, typer.Option(help="Rows of a board that are metrics. [20]")
    ] = None,
    zone: Annotated[
        str | None, typer.Option(help="Time zone of the day boards. [Asia/Shanghai]")
    ] = None,
    rates_file: Annotated[
        Path | None,
        typer.Option(
            "--rates", help="A rate table: boards over all currencies, as for `roompulse run`."
        ),
    ] = None,
    calendar_file: Annotated[
        Path | None,
        typer.Option("--calendar", help="Festivals that are looked at, as for `roompulse run`."),
    ] = None,
    checkpoint_seconds: Annotated[
        float | None, typer.Option(help="How often state is saved. [10]")
    ] = None,
    session_timeout_seconds: Annotated[
        float | None,
        typer.Option(help="Silent for so long, a worker loses its partitions. [6]"),
    ] = None,
    address_file: Annotated[
        Path | None, typer.Option(help="Write the address of /metrics here once it listens.")
    ] = None,
) -> None:
    """Fold live events into boards, summaries and metrics; start as many as there is work for.

    Every option is also an environment variable ROOMPULSE_<NAME>. Ctrl-C or SIGTERM stops it
    cleanly; after a crash or kill -9 a restart resumes exactly.
    """
    given: dict[str, Any] = {
        "kafka": bootstrap,
        "group": group,
        "instance": instance,
        "metrics_host": metrics_host,
        "metrics_port": metrics_port,
        "top": top,
        "metric_rows": metric_rows,
        "zone": zone,
        "rates_file": rates_file,
        "calendar_file": calendar_file,
        "checkpoint_seconds": checkpoint_seconds,
        "session_timeout_seconds": session_timeout_seconds,
        "address_file": address_file,
    }
    settings = _settings({name: value for name, value in given.items() if value is not None})
    with told_in_one_line(RateTableError, CalendarError, OSError):
        rates = read_rate_table(settings.rates_file)
        calendar = read_calendar(settings.calendar_file or SHIPPED)
    with told_in_one_line(BrokerUnavailable, TopicsError):
        require_broker(settings.kafka, _BROKER_SECONDS)
        partitions = _partitions(settings.kafka)
    with told_in_one_line(RuntimeError):
        run_worker(settings, partitions, rates, calendar)


def _settings(given: dict[str, Any]) -> WorkerSettings:
    try:
        return WorkerSettings(**given)
    except (ValidationError, SettingsError) as error:
        first = error.errors()[0] if isinstance(error, ValidationError) else {"msg": str(error)}
        name = ".".join(str(part) for part in first.get("loc", ()))
        fail(f"setting {name or '?'}: {first['msg']}")


def _partitions(bootstrap: str) -> int:
    """How many partitions `live-events` has."""
    states = interrupts.run(describe_topics(bootstrap))
    missing = [state.declared.name for state in states if not state.exists]
    if missing:
        fail(f"topics are missing ({', '.join(missing)}): run `roompulse topics create`")
    live = next(state for state in states if state.declared.name == LIVE_EVENTS)
    return int(live.partitions or 0)
