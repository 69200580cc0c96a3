"""`roompulse replay`: a session file goes to Kafka, at the pace of its event time."""

import asyncio
import contextlib
import math
import os
import signal
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from deploy.kafka.probe import (
    BOOTSTRAP_VARIABLE,
    DEFAULT_BOOTSTRAP,
    BrokerUnavailable,
    require_broker,
)
from producers import replay as replaying
from producers.pseudonyms import PseudonymError, Pseudonyms, read_key
from producers.replay.keys import HELP, keys_of_terminal
from producers.sessions import SessionFileError, check_arrival_order, read_records
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from schemas.topics import LIVE_EVENTS

PSEUDONYM_KEY_VARIABLE = "ROOMPULSE_PSEUDONYM_KEY"
# Counting the records first gives the bar its end; above this size that would take too long.
_COUNTED_BYTES = 256 * 1024 * 1024


def replay(
    file: Annotated[Path, typer.Argument(help="Session file: .ndjson, .ndjson.zst or .parquet.")],
    *,
    bootstrap: Annotated[
        str,
        typer.Option(
            envvar=BOOTSTRAP_VARIABLE, help="Kafka's address: host:port, or several with commas."
        ),
    ] = DEFAULT_BOOTSTRAP,
    topic: Annotated[str, typer.Option(help="Where the events go; it has to exist.")] = LIVE_EVENTS,
    speed: Annotated[
        str, typer.Option(help="Times real time, such as 1, 0.5 or 100; or max.")
    ] = "1",
    since: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="Begin here: ISO time (UTC unless it says otherwise), or an offset from the"
            " session's first believed stamp such as +10m or +1h30m.",
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--to", help="End before here; written like --from.")
    ] = None,
    rooms: Annotated[str | None, typer.Option(help="Only these rooms: ids with commas.")] = None,
    loop: Annotated[
        str,
        typer.Option(
            help="How often, or forever. Each further pass follows in time and has fresh ids."
        ),
    ] = "1",
    rebase: Annotated[
        str | None,
        typer.Option(help="Move the first event to this time: now, or an ISO time."),
    ] = None,
    closing_tick: Annotated[
        bool,
        typer.Option(
            help="End with a tick two minutes after the last event, which closes all minutes."
        ),
    ] = True,
    pseudonymise: Annotated[
        bool,
        typer.Option(
            "--pseudonymise",
            help="Send keyed digests instead of the ids of people, devices, networks, payment"
            " accounts and addresses; the key is ROOMPULSE_PSEUDONYM_KEY, or stands in a file.",
        ),
    ] = False,
    pseudonym_key_file: Annotated[
        Path | None, typer.Option(help="A file that holds the key, 16 bytes or more.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Also a file that is not ordered by arrival.")
    ] = False,
) -> None:
    """Replay a session file to Kafka, each event when it is due.

    Events are sent byte for byte (but for --rebase and --loop), malformed ones too, each to its
    room's partition, in the order of the file; ticks and rule sets go to every partition. A stamp
    that the event clock does not believe moves nothing and delays nothing.

    While it runs in a terminal: space pauses and resumes, + and - change the speed, q stops.
    Stopped by q or Ctrl-C, it waits for what is under way and says where it stopped; then there is
    no closing tick.
    """
    with told_in_one_line(
        SessionFileError,
        BrokerUnavailable,
        replaying.BrokerError,
        replaying.ReplayError,
        PseudonymError,
        OSError,
    ):
        selection = replaying.Selection(
            since=replaying.parse_moment(since) if since else None,
            until=replaying.parse_moment(until) if until else None,
            rooms=_room_ids(rooms),
        )
        control = replaying.Control(speed_of(speed))
        passes = _passes(loop)
        rebase_ms = _rebase_ms(rebase)
        pseudonyms = _pseudonyms(pseudonym_key_file) if pseudonymise else None

        def open_records() -> replaying.Chunks:
            records = read_records(file)
            if not force:
                records = check_arrival_order(records, file)
            return pseudonyms.of_chunks(records) if pseudonyms else records

        total = _count(file, passes, selection)
        require_broker(bootstrap)
        report = interrupts.run(
            _replay(
                open_records,
                bootstrap,
                topic=topic,
                control=control,
                total=total,
                selection=selection,
                passes=passes,
                rebase_ms=rebase_ms,
                with_closing_tick=closing_tick,
            )
        )
    _tell(report)
    if pseudonyms is not None and pseudonyms.withheld:
        typer.echo(f"withheld, for nobody can read who is in them: {pseudonyms.withheld:,} records")


def _pseudonyms(key_file: Path | None) -> Pseudonyms:
    return Pseudonyms(read_key(os.environ.get(PSEUDONYM_KEY_VARIABLE), key_file))


async def _replay(
    records: replaying.OpenRecords,
    bootstrap: str,
    *,
    topic: str,
    control: replaying.Control,
    total: int | None,
    selection: replaying.Selection,
    passes: int | None,
    rebase_ms: int | None,
    with_closing_tick: bool,
) -> replaying.ReplayReport:
    _stop_on_signals(control)
    console = Console(stderr=True)
    with contextlib.ExitStack() as stack:
        has_keys = stack.enter_context(keys_of_terminal(control))
        bar = stack.enter_context(_bar(console))
        task = bar.add_task("", total=total, text="connecting")
        keys = f"  [{HELP}]" if has_keys else ""

        def show(progress: replaying.Progress) -> None:
            bar.update(task, completed=progress.events, text=_line(progress, bar, keys))

        return await replaying.replay(
            records,
            bootstrap,
            topic=topic,
            control=control,
            selection=selection,
            passes=passes,
            rebase_ms=rebase_ms,
            with_closing_tick=with_closing_tick,
            on_progress=show,
        )


def _stop_on_signals(control: replaying.Control) -> None:
    """The first Ctrl-C stops in order; a second one ends the program."""
    loop = asyncio.get_running_loop()

    def stop() -> None:
        control.stop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)


def _bar(console: Console) -> Progress:
    # a disabled bar prints nothing: a log gets the last line only
    return Progress(
        BarColumn(bar_width=24),
        TextColumn("{task.fields[text]}", markup=False),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )


def _line(progress: replaying.Progress, bar: Progress, keys: str) -> str:
    elapsed = bar.tasks[0].elapsed or 0.0
    rate = progress.events / elapsed if elapsed > 0 else 0.0
    speed = "max" if math.isinf(progress.speed) else f"x{progress.speed:g}"
    parts = [
        f"{progress.events:,} events",
        f"{rate:,.0f}/s",
        _time(progress.event_ms),
        "paused" if progress.paused else speed,
    ]
    if not math.isinf(progress.speed):
        parts.append(f"{progress.lag_seconds:.1f} s behind")
    return "  ".join(parts) + keys


def _tell(report: replaying.ReplayReport) -> None:
    """The last lines: what was sent, and what was not."""
    rate = report.events / report.elapsed_seconds if report.elapsed_seconds else 0.0
    verb = "stopped" if report.stopped else "sent"
    typer.echo(
        f"{verb}: {report.events:,} events in {report.elapsed_seconds:.1f} s ({rate:,.0f}/s),"
        f" event time {_time(report.first_ms)} to {_time(report.last_ms)}"
    )
    counts = ", ".join(f"{at}: {count:,}" for at, count in enumerate(report.by_partition))
    typer.echo(f"records by partition: {counts}")
    if report.max_lag_seconds >= replaying.PROGRESS_SECONDS:
        typer.echo(f"at most {report.max_lag_seconds:.1f} s behind schedule")
    if report.closing_tick_ms is not None:
        typer.echo(f"closing tick: {_time(report.closing_tick_ms)}")
    if report.refused:
        refused = ", ".join(f"{reason}: {count:,}" for reason, count in report.refused.items())
        typer.echo(f"sent untouched, though the contract refuses them: {refused}")
    if report.too_large:
        fail(f"{report.too_large:,} records are larger than the topic takes; they were not sent")


def _time(ms: int | None) -> str:
    if ms is None:
        return "unknown"
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _count(file: Path, passes: int | None, selection: replaying.Selection) -> int | None:
    """How many events will be sent, where that is soon known and somebody sees the bar."""
    records = read_records(file)
    if passes is None or selection != replaying.ALL or not Console(stderr=True).is_terminal:
        return None
    if file.stat().st_size > _COUNTED_BYTES:
        return None
    return passes * sum(len(chunk) for chunk in records)


def _room_ids(rooms: str | None) -> frozenset[str] | None:
    if rooms is None:
        return None
    found = frozenset(room.strip() for room in rooms.split(",") if room.strip())
    if not found:
        raise replaying.ReplayError("--rooms names no room: write --rooms room-1,room-2")
    return found


def speed_of(text: str) -> float:
    """The speed that a person means: a number, perhaps with an x before it, or max.

    Raises:
        ReplayError: it is neither.
    """
    if text == "max":
        return replaying.MAX_SPEED
    try:
        speed = float(text.removeprefix("x"))
    except ValueError:
        speed = math.nan
    if not 0 < speed < math.inf:
        raise replaying.ReplayError(f"{text!r} is no speed: write --speed 1, 0.5, 100 or max")
    return speed


def _passes(text: str) -> int | None:
    if text == "forever":
        return None
    if not (text.isascii() and text.isdigit() and int(text) >= 1):
        raise replaying.ReplayError(f"{text!r} is no number of passes: write --loop 3 or forever")
    return int(text)


def _rebase_ms(text: str | None) -> int | None:
    if text is None:
        return None
    return int(time.time() * 1000) if text == "now" else replaying.parse_time(text)
