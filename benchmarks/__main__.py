"""`python -m benchmarks`: measure, print a table, store JSON."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Generator, Iterable
from contextlib import closing
from pathlib import Path

from rich.console import Console

from benchmarks import report
from benchmarks.catalogue import GROUPS, NAMES, Benchmark
from benchmarks.context import (
    FULL,
    QUICK,
    BenchmarkError,
    Context,
    Figures,
    NotHereError,
    Sizes,
    released,
)
from deploy.kafka.broker import KafkaError
from deploy.kafka.jars import JarsUnavailable
from producers.kafka import BrokerError
from streams.collector import collect_rarely

_EXPECTED = (BenchmarkError, KafkaError, JarsUnavailable, BrokerError, OSError)


def main(arguments: list[str] | None = None) -> int:
    """Run the benchmarks that were asked for; the exit code."""
    collect_rarely()  # as `roompulse run` does
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
    # a plain SIGTERM would leave brokers behind
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    rounds, failed = _measured(wanted, options, console)
    found = report.report(rounds, failed, _sizes(options), quick=options.quick)
    report.show(found, console)
    path = report.store(found, options.out)
    console.print(f"stored in {path}", highlight=False, soft_wrap=True)
    return 1 if failed else 0


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


def _sizes(options: argparse.Namespace) -> Sizes:
    return QUICK if options.quick else FULL


def _measured(
    wanted: list[str], options: argparse.Namespace, console: Console
) -> tuple[report.Rounds, dict[str, str]]:
    """The rounds of each group, interleaved; and why a benchmark gave nothing.

    One that fails costs its own figures, not those of the others.
    """
    sizes = _sizes(options)
    number = options.rounds or sizes.rounds
    rounds: report.Rounds = {name: [] for name in NAMES if name in wanted}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="roompulse-bench-") as scratch:
        context = Context(sizes, Path(scratch), lambda text: console.print(f"[dim]{text}[/dim]"))
        with closing(_order(context, tuple(rounds), number)) as order:
            for at, benchmark in order:
                name = benchmark.name
                if name not in rounds:
                    continue
                try:
                    figures = _round(benchmark, context, f"{at + 1}/{number}", console)
                except NotHereError as lack:
                    del rounds[name]
                    console.print(f"{name} skipped: {lack}", highlight=False)
                except _EXPECTED as error:
                    failed[name] = str(error)
                    del rounds[name]
                    console.print(f"[red]{name} failed:[/red] {error}", highlight=False)
                else:
                    rounds[name].append(figures)
    return rounds, failed


def _order(
    context: Context, wanted: Iterable[str], number: int
) -> Generator[tuple[int, Benchmark], None, None]:
    """Round and benchmark in the order in which they are measured."""
    names = frozenset(wanted)
    for group in GROUPS:
        with released(context):
            for at in range(number):
                for benchmark in group:
                    if benchmark.name in names:
                        yield at, benchmark


def _round(benchmark: Benchmark, context: Context, which: str, console: Console) -> Figures:
    began = time.monotonic()
    figures = benchmark.measure(context)
    name, value = next(iter(figures.items()))
    took = time.monotonic() - began
    console.print(f"{benchmark.name} {which}: {name} {value:,.3g} ({took:.0f} s)", highlight=False)
    return figures


if __name__ == "__main__":
    sys.exit(main())
