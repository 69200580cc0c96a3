"""`roompulse demo`: a festival evening through Kafka and a worker to boards, checked at the end."""

import re
import signal
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, TextColumn
from rich.progress import Progress as ProgressBars
from rich.text import Text

from deploy.kafka.admin import TopicsError
from deploy.kafka.broker import KafkaError
from deploy.kafka.jars import JarsUnavailable, kafka_home
from deploy.kafka.probe import BOOTSTRAP_VARIABLE, BrokerUnavailable, require_broker
from producers.generator import SCENARIOS, ScenarioError
from producers.kafka import BrokerError
from producers.replay import MAX_SPEED, Control, ReplayError
from producers.sessions import SessionFileError
from roompulse import interrupts
from roompulse.cli.failures import fail, told_in_one_line
from roompulse.demo import checks, embedded, on_kafka
from roompulse.demo.checks import Check
from roompulse.demo.processes import DemoError, DemoProcesses
from roompulse.demo.screen import Screen, final_picture
from roompulse.demo.session import SCENARIO, DemoSession, make_session
from roompulse.standing import Standing, standing_of
from schemas.topics import DEFAULT_PARTITIONS, LIVE_EVENTS
from streams.embedded import Results

# With starting, generating and checking, the demonstration then takes about a minute.
_REPLAY_SECONDS = 40.0
_SETTLE_SECONDS = 30.0
_PIPE_CELLS = 150
_EXIT_INTERRUPTED = 130  # as a shell says it of SIGINT
_ERRORS = (
    BrokerError,
    BrokerUnavailable,
    DemoError,
    KafkaError,
    OSError,
    ReplayError,
    ScenarioError,
    SessionFileError,
    TopicsError,
)


def _console() -> Console:
    """A terminal as it is; a pipe or a log has no width, so its tables keep all columns."""
    console = Console()
    return console if console.is_terminal else Console(width=_PIPE_CELLS)


@dataclass(slots=True)
class Demo:
    """One demonstration under way.

    Attributes:
        speed: event time per wall time; None for one that plays the evening in 40 s.
        agreed: whether a Kafka that holds events already may be written to.
    """

    folder: Path
    events: int
    seed: int
    speed: float | None
    agreed: bool
    hold: bool
    console: Console = field(default_factory=_console)
    began: float = field(default_factory=time.monotonic)

    def say(self, text: str) -> None:
        """Print one line for a person."""
        self.console.print(Text(text), soft_wrap=True)


def demo(
    events: Annotated[int, typer.Option(help="About how many events the evening has.")] = (
        SCENARIOS[SCENARIO].events
    ),
    seed: Annotated[int, typer.Option(min=0, help="Same seed and size: the same evening.")] = 1,
    speed: Annotated[
        str,
        typer.Option(help="Times real time, such as 600; max; or auto: the whole evening in 40 s."),
    ] = "auto",
    embedded_only: Annotated[
        bool, typer.Option("--embedded", help="Without Kafka: the same fold in this process.")
    ] = False,
    hold: Annotated[
        bool, typer.Option("--hold", help="Leave Kafka and /metrics up at the end, until Ctrl-C.")
    ] = False,
    bootstrap: Annotated[
        str | None,
        typer.Option(
            envvar=BOOTSTRAP_VARIABLE,
            help="Use this Kafka, host:port, instead of starting one for the demonstration.",
        ),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Also write to a Kafka that holds events already.")
    ] = False,
    folder: Annotated[
        Path | None,
        typer.Option(help="Where its Kafka, session and results are. [default: .demo]"),
    ] = None,
) -> None:
    """Play a festival evening through Kafka and a worker, watch the boards, check every figure.

    Starts a real Kafka and a worker of its own, generates the evening (with the truth of what was
    sold), replays it fast, and shows rooms, hosts, agencies and selling modes as they lead. At the
    end it checks: events sent and counted, the GMV of the platform and of each room against the
    truth, and that a run without Kafka writes the same files, byte for byte. Exit code 1 if a check
    fails.

    Ctrl-C ends it, and all that it started, at any moment. Where Kafka's jars cannot be had, the
    evening is folded in this process, with the same boards and checks.
    """
    settings = Demo(
        folder=folder or kafka_home().with_name(".demo"),
        events=events,
        seed=seed,
        speed=_speed(speed),
        agreed=yes,
        hold=hold,
    )
    try:
        with interrupts.interruptible(), told_in_one_line(*_ERRORS):
            passed = _run(settings, bootstrap, without_kafka=embedded_only)
    except KeyboardInterrupt:
        settings.say("Stopped; nothing that the demonstration started still runs.")
        raise typer.Exit(_EXIT_INTERRUPTED) from None
    raise typer.Exit(0 if passed else 1)


def _run(settings: Demo, bootstrap: str | None, *, without_kafka: bool) -> bool:
    with DemoProcesses(settings.folder) as processes:
        if without_kafka:
            return _embedded_demo(settings)
        if bootstrap is None:
            try:
                settings.say("Starting Apache Kafka ...")
                own = processes.start_kafka(settings.say)
            except JarsUnavailable as error:
                settings.say(str(error))
                settings.say("Without them: the evening is folded in this process, without Kafka.")
                return _embedded_demo(settings)
            settings.say(f"Kafka runs at {own} (its data: {settings.folder / 'kafka'})")
            return _kafka_demo(settings, processes, own)
        require_broker(bootstrap)
        return _kafka_demo(settings, processes, bootstrap)


# --- on Kafka -------------------------------------------------------------------------------------


def _kafka_demo(settings: Demo, processes: DemoProcesses, bootstrap: str) -> bool:
    log = interrupts.run(on_kafka.look_at_log(bootstrap))
    if log.ever_written:
        _require_consent(settings, bootstrap, log)
    partitions = interrupts.run(on_kafka.prepare_topics(bootstrap, log))
    # it starts while the evening is generated
    processes.start_worker(bootstrap)
    session = _generate(settings)
    counted_before = 0
    if log.ever_written:
        _require_new_rooms(bootstrap, session)
    processes.wait_for_worker()
    settings.say(f"Worker: metrics at {processes.metrics_url} while this runs")
    if log.ever_written:
        counted_before = _fold_what_is_there(settings, processes, bootstrap)
    where = f"Kafka {bootstrap}, metrics {processes.metrics_url}"
    with Screen(settings.console, where, session.events) as screen:
        report = interrupts.run(
            on_kafka.play_on_kafka(
                session,
                bootstrap,
                Control(_pace(settings, session)),
                screen.progressed,
                screen.show,
                processes.require_worker,
            )
        )
        # what the session comes to without a broker, from the file itself
        embedded_folder = settings.folder / "embedded"
        embedded.fold_file(session.path, partitions, embedded_folder)
        kafka_folder = settings.folder / "kafka-results"

        def is_final(results: Results) -> bool:
            embedded.write(_only(results, session) if log.ever_written else results, kafka_folder)
            if log.ever_written:
                return checks.check_rooms(session.truth, results.rooms).passed
            return checks.check_files(kafka_folder, embedded_folder, "").passed

        results = interrupts.run(on_kafka.settled(bootstrap, is_final, _SETTLE_SECONDS))
    standing = standing_of(results.boards, results.progress, lag=0)
    sent = report.events + (report.closing_tick_ms is not None)
    rooms = [room for room in results.rooms if room.room_id in session.room_ids]
    made = [
        checks.check_events(sent, standing.counts.events - counted_before),
        *checks.check_platform(session.truth, rooms),
        checks.check_rooms(session.truth, rooms),
    ]
    notes = ["The events sent are those of the session and its closing tick."]
    if log.ever_written:
        notes.append(
            "Not compared with a run of the session alone: this Kafka held events before, and its"
            " event time is not that of the session alone."
        )
    else:
        made.insert(1, checks.check_planted(session.truth, standing.counts))
        name = "Kafka run = run without Kafka, byte for byte"
        made.append(checks.check_files(kafka_folder, embedded_folder, name))
    passed = _conclude(settings, standing, made, notes)
    if settings.hold:
        settings.say(f"Metrics stay at {processes.metrics_url}; Kafka at {bootstrap}. Ctrl-C ends.")
        _wait_for_interrupt()
    return passed


def _require_consent(settings: Demo, bootstrap: str, log: on_kafka.LogState) -> None:
    told = (
        f"the Kafka at {bootstrap} has had events in {LIVE_EVENTS} before (it holds {log.records:,}"
        f" now). The demonstration would add about {settings.events:,} events of made-up rooms of"
        " November 2025, which stay in its topics and on its boards, and its ticks move event time"
        " to that evening. It would use a consumer group of its own"
    )
    if not settings.agreed:
        fail(
            f"{told}. Give --yes to do so, or unset {BOOTSTRAP_VARIABLE} to use a Kafka of its own"
        )
    settings.say(f"Note: {told}.")


def _require_new_rooms(bootstrap: str, session: DemoSession) -> None:
    """A room_id is never reused: the same evening twice would be counted into the same rooms."""
    if session.room_ids & interrupts.run(on_kafka.known_rooms(bootstrap)):
        raise DemoError(
            f"rooms of this evening are on the Kafka at {bootstrap} already: choose another --seed"
        )


def _fold_what_is_there(settings: Demo, processes: DemoProcesses, bootstrap: str) -> int:
    """The events counted before the evening begins, once the worker has caught up."""
    settings.say("The worker folds what is there ...")

    def show(_standing: Standing) -> None:
        """Nothing to see yet."""

    interrupts.run(on_kafka.fold_what_is_there(bootstrap, show, processes.require_worker))
    return interrupts.run(on_kafka.counted_events(bootstrap))


def _only(results: Results, session: DemoSession) -> Results:
    """The rooms and minutes of the evening."""
    ids = session.room_ids
    return replace(
        results,
        rooms=[room for room in results.rooms if room.room_id in ids],
        minutes=[line for line in results.minutes if line.room_id in ids],
    )


# --- without Kafka --------------------------------------------------------------------------------


def _embedded_demo(settings: Demo) -> bool:
    session = _generate(settings)
    where = "in this process, without Kafka: no lag, no /metrics"
    with Screen(settings.console, where, session.events) as screen:
        report, results = interrupts.run(
            embedded.play_embedded(
                session, Control(_pace(settings, session)), screen.progressed, screen.show
            )
        )
        paced_folder, whole_folder = (settings.folder / name for name in ("paced", "embedded"))
        embedded.write(results, paced_folder)
        embedded.fold_file(session.path, DEFAULT_PARTITIONS, whole_folder)
    standing = standing_of(results.boards, results.progress)
    made = [
        checks.check_events(report.events, standing.counts.events),
        checks.check_planted(session.truth, standing.counts),
        *checks.check_platform(session.truth, results.rooms),
        checks.check_rooms(session.truth, results.rooms),
        checks.check_files(
            paced_folder, whole_folder, "paced run = run at full speed, byte for byte"
        ),
    ]
    return _conclude(settings, standing, made, [])


# --- both -----------------------------------------------------------------------------------------


def _generate(settings: Demo) -> DemoSession:
    with ProgressBars(
        TextColumn("Generating the evening"),
        BarColumn(),
        TextColumn("{task.fields[events]:,} events"),
        console=settings.console,
        transient=True,
        disable=not settings.console.is_terminal,
    ) as bars:
        task = bars.add_task("", total=1.0, events=0)
        session = make_session(
            settings.folder,
            settings.events,
            settings.seed,
            lambda done, count: bars.update(task, completed=done, events=count),
        )
    rooms = len(session.truth["rooms"])
    hours = session.seconds / 3600
    settings.say(
        f"Festival evening: {session.events:,} events of {rooms} rooms in {hours:.1f} h,"
        f" seed {settings.seed} ({session.path})"
    )
    return session


def _pace(settings: Demo, session: DemoSession) -> float:
    if settings.speed is not None:
        return settings.speed
    return max(1.0, float(round(session.seconds / _REPLAY_SECONDS)))


def _conclude(
    settings: Demo,
    standing: Standing,
    made: list[Check],
    notes: list[str],
) -> bool:
    """Print the final boards, the checks and the time; whether all checks passed."""
    console = settings.console
    console.print()
    console.print(final_picture(standing, console))
    console.print()
    console.print("[bold]Checks[/]")
    for check in made:
        mark = "[green]passed[/]" if check.passed else "[bold red]FAILED[/]"
        console.print(
            f"  {mark}  {escape(check.name)}: {escape(check.found)}",
            soft_wrap=True,
            highlight=False,
        )
    for note in notes:
        settings.say(f"          {note}")
    passed = all(check.passed for check in made)
    took = time.monotonic() - settings.began
    verdict = "all passed" if passed else "SOME FAILED"
    settings.say(
        f"{len(made)} checks, {verdict}; {took:.0f} s in all. Files: {settings.folder}"
        f" (look at them with `roompulse boards {settings.folder / 'embedded'} --scope host`)"
    )
    return passed


def _speed(text: str) -> float | None:
    if text == "auto":
        return None
    if text == "max":
        return MAX_SPEED
    if not re.fullmatch(r"x?\d+(\.\d+)?", text) or not float(text.removeprefix("x")):
        fail(f"{text!r} is no speed: write --speed auto, 600 or max")
    return float(text.removeprefix("x"))


def _wait_for_interrupt() -> None:
    try:
        while True:
            signal.pause()
    except KeyboardInterrupt:
        return
