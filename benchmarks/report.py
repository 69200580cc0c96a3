"""What came out: medians of samples, ratios of neighbours, a table, and the JSON that is kept."""

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks import machine
from benchmarks.catalogue import GROUPS, RATIOS, TARGETS
from benchmarks.context import Figures, Sizes

FORMAT = 1
RESULTS = Path(__file__).resolve().parent / "results"
# Benchmark to the figures of each round.
Rounds = dict[str, list[Figures]]


def report(
    rounds: Rounds, failed: Mapping[str, str], sizes: Sizes, *, quick: bool
) -> dict[str, Any]:
    """Everything about a run, as it is stored; `failed` says why a benchmark gave no figures."""
    return {
        "format": FORMAT,
        "taken_at": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "commit": machine.commit(),
        "quick": quick,
        "machine": machine.machine(),
        "versions": machine.versions(),
        "sizes": asdict(sizes),
        "figures": {name: _measured(name, samples) for name, samples in _series(rounds).items()},
        "failed": dict(failed),
        "ratios": {name: _measured(name, samples) for name, samples in _ratios(rounds).items()},
    }


def _series(rounds: Rounds) -> dict[str, list[float]]:
    """`benchmark.figure` to its samples."""
    found: dict[str, list[float]] = {}
    for benchmark, figures in rounds.items():
        for each in figures:
            for name, value in each.items():
                found.setdefault(f"{benchmark}.{name}", []).append(value)
    return found


def _ratios(rounds: Rounds) -> dict[str, list[float]]:
    """Ratios of figures of the same round, where both were measured."""
    series = _series(rounds)
    return {
        ratio.name: [
            above / below
            for above, below in zip(series[ratio.numerator], series[ratio.denominator], strict=True)
        ]
        for ratio in RATIOS
        if ratio.numerator in series and ratio.denominator in series
    }


def _measured(name: str, samples: Sequence[float]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "median": _rounded(statistics.median(samples)),
        "samples": [_rounded(sample) for sample in samples],
    }
    target = TARGETS.get(name)
    if target is not None:
        found |= {"target": str(target), "met": target.is_met(found["median"])}
    return found


def _rounded(value: float) -> float:
    """Five digits: more is noise."""
    return float(f"{value:.5g}")


def store(found: Mapping[str, Any], folder: Path = RESULTS) -> Path:
    """Write a run to its file: date, time and commit."""
    folder.mkdir(parents=True, exist_ok=True)
    stamp = str(found["taken_at"]).replace(":", "").replace("-", "")
    path = folder / f"{stamp}-{found['commit']}{'-quick' if found['quick'] else ''}.json"
    path.write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")
    return path


def show(found: Mapping[str, Any], console: Console) -> None:
    """The table."""
    summaries = {each.name: each.summary for group in GROUPS for each in group}
    table = Table("figure", "median", "lowest", "highest", "target")
    for column in table.columns[1:4]:
        column.justify = "right"
    shown = ""
    for name, measured in found["figures"].items():
        benchmark, _, figure = name.partition(".")
        if benchmark != shown:
            shown = benchmark
            table.add_section()
            table.add_row(f"[bold]{benchmark}[/bold]: {summaries[benchmark]}")
        table.add_row(f"  {figure}", *_cells(measured))
    table.add_section()
    for name, measured in found["ratios"].items():
        table.add_row(name, *_cells(measured))
    console.print(table)


def _cells(measured: Mapping[str, Any]) -> list[str]:
    samples = measured["samples"]
    cells = [_text(value) for value in (measured["median"], min(samples), max(samples))]
    if "target" in measured:
        cells.append(f"{measured['target']} {'met' if measured['met'] else '[red]missed[/red]'}")
    return cells


def _text(value: float) -> str:
    if abs(value) >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) < 1 else f"{value:.2f}"
