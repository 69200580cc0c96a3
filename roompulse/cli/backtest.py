"""`roompulse backtest`: recorded sessions under other rules, side by side."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from producers.sessions import SessionFileError, check_arrival_order, read_records
from roompulse.cli.board_view import NOTHING, money_of, printable, time_of
from roompulse.cli.failures import fail, require_folder_of, told_in_one_line
from roompulse.cli.progress import counted
from roompulse.cli.rules import read_or_fail
from roompulse.tuning.backtesting import (
    Backtest,
    Candidate,
    Read,
    Swept,
    backtest,
    sweep,
    sweep_chart,
)
from roompulse.tuning.fired import Difference, Fired
from roompulse.tuning.folding import TruthError
from roompulse.tuning.sweeping import SweepError, settings_of
from schemas.rules import DEFAULT_RULES
from schemas.topics import DEFAULT_PARTITIONS
from streams.collector import collect_rarely

LOG = "log"
DEFAULTS = "defaults"


def backtest_command(
    sessions: Annotated[
        list[Path],
        typer.Argument(metavar="FILE...", help="Session files: .ndjson, .ndjson.zst, .parquet."),
    ],
    rules: Annotated[
        list[str] | None,
        typer.Option(
            help="A rule file; repeat it to compare. `log` stands for what the session's own log"
            " puts in force, `defaults` for the default rules.",
            show_default=LOG,
        ),
    ] = None,
    sweep: Annotated[
        str | None,
        typer.Option(help="Try a rule in many settings: brushing.page=20:60:5 or =20,30,60."),
    ] = None,
    plot: Annotated[
        Path | None, typer.Option(help="Draw the sweep to this SVG file.", show_default=False)
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all figures to this file as well.")
    ] = None,
    partitions: Annotated[
        int, typer.Option(min=1, max=1024, help="Partitions of the topic that is imitated.")
    ] = DEFAULT_PARTITIONS,
    force: Annotated[
        bool, typer.Option("--force", help="Take files even if they are not in order of arrival.")
    ] = False,
) -> None:
    """Say what rule sets would have raised in recorded sessions, and how they differ.

    Each session is folded once for each rule set, as `roompulse run` does; rules in its log are
    then not used. The first set is compared with each of the others. With --sweep, one rule is
    tried in many settings on top of the one rule set that is given; where NAME.truth.ndjson lies
    beside NAME, recall and false alarms are told too.

    Examples:
        roompulse backtest --rules log --rules strict.yaml evening.ndjson
        roompulse backtest --sweep brushing.page=20:60:5 --plot page.svg evening.ndjson
    """
    if plot is not None and sweep is None:
        fail("--plot draws a sweep: give --sweep as well")
    candidates = [_candidate(name) for name in rules or [DEFAULTS if sweep else LOG]]
    if len({each.name for each in candidates}) < len(candidates):
        fail("each of --rules may be given once")
    for path in (plot, json_file):
        require_folder_of(path)
    collect_rarely()
    read = partial(_read, force=force)
    with told_in_one_line(SessionFileError, TruthError, SweepError, OSError):
        if sweep is not None:
            plain = _sweep(sessions, candidates, sweep, plot, partitions, read)
        else:
            plain = _compare(sessions, candidates, partitions, read)
        if json_file is not None:
            json_file.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _candidate(name: str) -> Candidate:
    if name == LOG:
        return Candidate(LOG, None)
    if name == DEFAULTS:
        return Candidate(DEFAULTS, DEFAULT_RULES)
    return Candidate(name, read_or_fail(Path(name)).rules)


def _read(session: Path, name: str, *, force: bool) -> Iterable[list[bytes]]:
    chunks = read_records(session)
    if not force:
        chunks = check_arrival_order(chunks, session)
    return counted(chunks, f"{name}: folding", session)


def _compare(
    sessions: Sequence[Path], candidates: Sequence[Candidate], partitions: int, read: Read
) -> dict[str, Any]:
    plain = []
    for session in sessions:
        found = backtest(session, candidates, partitions, read)
        _show(found)
        plain.append(found.plain())
    return {"sessions": plain}


def _show(found: Backtest) -> None:
    console = Console()
    for name, incidents in found.fired.items():
        table = Table(
            "kind", "room", "severity", "fired", "paged", "score", "money",
            title=printable(f"{found.session.name} under {name}: {len(incidents)} incidents"),
        )  # fmt: skip
        for each in incidents:
            table.add_row(*_cells(each))
        console.print(table, markup=False)
    for (first, second), differing in found.differences().items():
        console.print(_difference_table(first, second, differing), markup=False)
        typer.echo(f"{differing.same} raised alike by both")


def _difference_table(first: str, second: str, found: Difference) -> Table:
    table = Table(
        "in", "kind", "room", "severity", "fired", "paged", "score", "money",
        title=printable(f"{first} against {second}"),
    )  # fmt: skip
    for each in found.only_first:
        table.add_row(printable(f"only {first}"), *_cells(each))
    for each in found.only_second:
        table.add_row(printable(f"only {second}"), *_cells(each))
    for one, other in found.changed:
        pairs = zip(_cells(one), _cells(other), strict=True)
        table.add_row("both", *(a if a == b else f"{a} > {b}" for a, b in pairs))
    return table


def _cells(each: Fired) -> tuple[str, ...]:
    return (
        each.kind,
        printable(", ".join(each.rooms)),
        each.severity,
        time_of(each.fired_ms),
        NOTHING if each.paged_ms is None else time_of(each.paged_ms),
        f"{each.score:.1f}",
        money_of(each.money_minor, each.currency),
    )


def _sweep(
    sessions: Sequence[Path],
    candidates: Sequence[Candidate],
    asked: str,
    plot: Path | None,
    partitions: int,
    read: Read,
) -> dict[str, Any]:
    base, *more = candidates
    if more or base.rules is None:
        fail("--sweep starts from one rule set: give one rule file, or none for the defaults")
    name, settings = settings_of(asked, base.rules)
    swept = sweep(sessions, settings, partitions, read)
    table = Table(
        name, "pages", "reviews", "planted: raised", "paged", "false pages", "false reviews",
        title=printable(f"{name} on top of {base.name}"),
    )  # fmt: skip
    for each in swept:
        table.add_row(f"{each.value:g}", f"{each.pages:,}", f"{each.reviews:,}", *_against(each))
    Console().print(table, markup=False)
    if all(each.figures is None for each in swept):
        typer.echo("no session has its truth beside it: recall and false alarms are not known")
    if plot is not None:
        plot.write_text(sweep_chart(name, swept), encoding="utf-8")
        typer.echo(f"plot in {plot}")
    return {
        "sessions": [str(session) for session in sessions],
        "rules": base.name,
        "sweep": name,
        "settings": [asdict(each) for each in swept],
    }


def _against(swept: Swept) -> tuple[str, ...]:
    figures = swept.figures
    if figures is None:
        return (NOTHING,) * 4
    return (
        *(
            NOTHING if each is None else f"{each.value:.2f}"
            for each in (figures.recall, figures.paged)
        ),
        f"{figures.false_pages:,}",
        f"{figures.false_reviews:,}",
    )
