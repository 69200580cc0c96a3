"""`roompulse evaluate`: how well does detection work against what was planted?"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table

from producers.generator import ScenarioError
from roompulse.cli.board_view import NOTHING, printable
from roompulse.cli.failures import fail, require_folder_of, told_in_one_line
from roompulse.cli.rules import read_or_fail
from roompulse.tuning.backtesting import Candidate
from roompulse.tuning.evaluating import (
    USUAL_SCENARIOS,
    Plan,
    ablations,
    evaluate,
    recall_chart,
)
from roompulse.tuning.figures import Figures, Share
from schemas.rules import DEFAULT_RULES
from streams.collector import collect_rarely


def evaluate_command(
    seeds: Annotated[str, typer.Option(help="Seeds of the sessions: first-last.")] = "100-119",
    scenario: Annotated[
        list[str] | None,
        typer.Option(
            help="A scenario of `roompulse generate`; may be repeated.",
            show_default=" and ".join(USUAL_SCENARIOS),
        ),
    ] = None,
    rules: Annotated[
        Path | None, typer.Option(help="A rule file.", show_default="the defaults")
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Look at alerts of this kind only; may be repeated.", show_default="all"),
    ] = None,
    intensity: Annotated[
        float | None, typer.Option(help="Times the usual figures of the attacks.")
    ] = None,
    audience: Annotated[
        float | None, typer.Option(help="Times the usual number of visits: 0.5 is faster.")
    ] = None,
    *,
    ablate: Annotated[
        bool, typer.Option("--ablate", help="Also without each sign in turn; takes nine times.")
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw recall by adversary to this SVG file.")
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", help="Write all figures to this file as well.")
    ] = None,
) -> None:
    """Generate attacks and innocents, fold them, and count by incident what was found.

    A hit is an alert of the right kind in the attacked room while the attack runs or shortly
    after. Intervals are 95 %, of rooms drawn again and again.

    Examples:
        roompulse evaluate --seeds 100-119 --plot recall.svg
        roompulse evaluate --seeds 100-104 --audience 0.3 --ablate
    """
    base = DEFAULT_RULES if rules is None else read_or_fail(rules).rules
    name = "the defaults" if rules is None else str(rules)
    candidates = [Candidate(name, base), *(ablations(base) if ablate else ())]
    plan = Plan(_seeds(seeds), tuple(scenario or USUAL_SCENARIOS), intensity, audience)
    for path in (plot, json_file):
        require_folder_of(path)
    collect_rarely()
    with told_in_one_line(ScenarioError, OSError):
        figures = _evaluated(plan, candidates, kind or ())
        _show(name, figures[name])
        if ablate:
            Console().print(_ablation_table(figures), markup=False)
        if plot is not None:
            plot.write_text(recall_chart(name, figures[name]), encoding="utf-8")
            typer.echo(f"plot in {plot}")
        if json_file is not None:
            plain = {
                "seeds": seeds,
                "scenarios": list(plan.scenarios),
                "figures": {each: asdict(found) for each, found in figures.items()},
            }
            json_file.write_text(json.dumps(plain, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _seeds(text: str) -> range:
    first, _, last = text.partition("-")
    try:
        found = range(int(first), int(last or first) + 1)
    except ValueError:
        fail(f"{text!r} are no seeds: write first-last, as 100-119")
    if not found:
        fail(f"{text!r} holds no seed: write first-last, as 100-119")
    return found


def _evaluated(
    plan: Plan, candidates: Sequence[Candidate], kinds: Sequence[str]
) -> dict[str, Figures]:
    console = Console(stderr=True)
    with Progress(
        TextColumn("evaluating"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[done]}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bar:
        total = len(plan.scenarios) * len(plan.seeds) * len(candidates)
        task = bar.add_task("", total=total, done="")
        return evaluate(
            plan, candidates, kinds, step=lambda done: bar.update(task, advance=1, done=done)
        )


def _show(name: str, figures: Figures) -> None:
    table = Table(
        "", "rooms", "raised", "paged", "minutes", "orders before", "money", "twice", "wrong",
        title=printable(f"planted incidents under {name}"),
        caption="share of rooms, with its 95 % interval; median (P95) from the start to the alert; "
        "money of planted orders that was marked; alerts again, and of a wrong kind",
    )  # fmt: skip
    for each in figures.adversaries:
        table.add_row(
            printable(each.adversary),
            f"{each.rooms:,}",
            _share(each.alerted),
            _share(each.paged),
            _with_p95(each.delay_median_minutes, each.delay_p95_minutes),
            _with_p95(each.orders_before_median, each.orders_before_p95),
            _number(each.marked, 2),
            f"{each.duplicates:,}",
            f"{each.wrong_kinds:,}",
        )
    Console().print(table, markup=False)
    for line in summary_lines(figures):
        typer.echo(line)


def summary_lines(figures: Figures) -> list[str]:
    """What is told of all rooms together, a figure a line."""
    return [
        (
            f"false pages: {figures.false_pages:,} in {figures.clean_room_hours:,.0f} clean"
            f" room-hours, {_number(figures.pages_an_hour, 5)} a room-hour, at most"
            f" {_number(figures.pages_an_hour_bound, 5)} (95 %)"
        ),
        (
            f"false reviews: {figures.false_reviews:,}, {_number(figures.reviews_an_hour, 4)} a"
            f" room-hour; raised in attacked rooms at another time: {figures.false_beside:,}"
        ),
        (
            f"precision: {_number(figures.page_precision, 3)} of pages,"
            f" {_number(figures.precision, 3)} of all alerts; duplicates an incident:"
            f" {_number(figures.duplicates_an_incident, 3)}"
        ),
        (
            f"brushed money marked: {_number(figures.brushed_marked, 3)}; honest money marked:"
            f" {_number(figures.honest_marked, 5)}"
        ),
    ]


def _ablation_table(figures: dict[str, Figures]) -> Table:
    (_, base), *others = figures.items()
    table = Table(
        "sign", "raised", "paged", "money marked", "false pages", "false reviews",
        title="what each sign is worth: all rules, then the change without it",
    )  # fmt: skip
    table.add_row("all", *_worth(base))
    for name, found in others:
        table.add_row(name, *_worth(found, base))
    return table


def _worth(figures: Figures, base: Figures | None = None) -> list[str]:
    shares = [_value(figures.recall), _value(figures.paged), figures.brushed_marked or 0.0]
    counts = [figures.false_pages, figures.false_reviews]
    if base is None:
        return [*(f"{each:.3f}" for each in shares), *(f"{each:,}" for each in counts)]
    base_shares = [_value(base.recall), _value(base.paged), base.brushed_marked or 0.0]
    base_counts = [base.false_pages, base.false_reviews]
    return [
        *(f"{a - b:+.3f}" for a, b in zip(shares, base_shares, strict=True)),
        *(f"{a - b:+,}" for a, b in zip(counts, base_counts, strict=True)),
    ]


def _value(share: Share | None) -> float:
    return 0.0 if share is None else share.value


def _share(share: Share) -> str:
    return f"{share.value:.2f} {share.least:.2f}-{share.most:.2f}"


def _with_p95(middle: float | None, p95: float | None) -> str:
    return NOTHING if middle is None else f"{middle:.0f} ({p95:.0f})"


def _number(value: float | None, digits: int) -> str:
    return NOTHING if value is None else f"{value:.{digits}f}"
