"""`python -m benchmarks`: measure, print a table, store JSON."""

import argparse
import sys
import tempfile
import time
from pathlib import Path

from rich.console import Console

from benchmarks import report
from benchmarks.catalogue import GROUPS, NAMES, Benchmark
from benchmarks.context import FULL, QUICK, BenchmarkError, Context, Figures, released
from deploy.kafka.broker import KafkaError
from deploy.kafka.jars import JarsUnavailable


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks that were asked for; the exit code."""
    options = _options(arguments)
    console = Console()
    if options.list:
        for benchmark in (each for group in GROUPS for each in group):
            console.print(f"{benchmark.name:14} {benchmark.summary}")
        return 0
    wanted = options.only.split(",") if options.only else list(NAMES)
    unknown = [name for name in wanted if name not in NAMES]
    if unknown:
        print(f"no benchmark is called {unknown[0]!r}; there are {', '.join(NAMES)}")
        return 2
    try:
        rounds = _measured(wanted, options, console)
    except (BenchmarkError, KafkaError, JarsUnavailable) as error:
        console.print(f"[red]stopped:[/red] {error}", highlight=False)
        return 1
    found = report.report(rounds, _sizes(options), quick=options.quick)
    report.show(found, console)
    path = report.store(found, options.out)
    console.print(f"stored in {path}", highlight=False, soft_wrap=True)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", help="names of benchmarks with commas; see --list")
    parser.add_argument("--quick", action="store_true", help="small and once, to try them out")
    parser.add_argument("--rounds", type=int, help="how often each is measured")
    parser.add_argument("--list", action="store_true", help="list the benchmarks and end")
    parser.add_argument(
        "--out", type=Path, default=report.RESULTS, help="folder for the JSON of the run"
    )
    return parser.parse_args(arguments)


def _sizes(options: argparse.Namespace):  # type: ignore[no-untyped-def]
    return QUICK if options.quick else FULL


def _measured(wanted: list[str], options: argparse.Namespace, console: Console) -> report.Rounds:
    """The rounds of each group, interleaved."""
    sizes = _sizes(options)
    number = options.rounds or sizes.rounds
    rounds: report.Rounds = {name: [] for name in NAMES if name in wanted}
    with tempfile.TemporaryDirectory(prefix="roompulse-bench-") as scratch:
        context = Context(sizes, Path(scratch), lambda text: console.print(f"[dim]{text}[/dim]"))
        for group in GROUPS:
            chosen = [benchmark for benchmark in group if benchmark.name in wanted]
            with released(context):
                for at in range(number):
                    for benchmark in chosen:
                        figures = _round(benchmark, context, f"{at + 1}/{number}", console)
                        rounds[benchmark.name].append(figures)
    return rounds


def _round(benchmark: Benchmark, context: Context, which: str, console: Console) -> Figures:
    began = time.monotonic()
    figures = benchmark.measure(context)
    name, value = next(iter(figures.items()))
    took = time.monotonic() - began
    console.print(f"{benchmark.name} {which}: {name} {value:,.3g} ({took:.0f} s)", highlight=False)
    return figures


if __name__ == "__main__":
    sys.exit(main())
