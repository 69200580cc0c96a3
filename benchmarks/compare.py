"""`python -m benchmarks.compare BASE NEW`: did a change make it slower?

Compares the ratios of two stored runs, which are fair between machines and busy moments; figures
with units are shown beside them and judge nothing. Ends with 1 if a ratio that has a target got
worse by more than the tolerance, however good it still is.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.catalogue import TARGETS
from benchmarks.report import FORMAT


def main(arguments: list[str] | None = None) -> int:
    """Compare two runs; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument(
        "base", type=Path, help="a stored run, as benchmarks/results/reference.json"
    )
    parser.add_argument("new", type=Path, help="the run to judge")
    parser.add_argument("--tolerance", type=float, default=1.25, help="how much worse is allowed")
    options = parser.parse_args(arguments)
    try:
        base, new = _read(options.base), _read(options.new)
    except (OSError, ValueError) as error:
        print(error)
        return 2
    worse = worse_ratios(base, new, options.tolerance)
    _show(base, new, worse)
    return 1 if worse else 0


def worse_ratios(
    base: Mapping[str, Any], new: Mapping[str, Any], tolerance: float
) -> dict[str, float]:
    """Ratios that both runs have and that got worse beyond the tolerance: by which factor."""
    found = {}
    for name in base["ratios"].keys() & new["ratios"].keys() & TARGETS.keys():
        before, after = base["ratios"][name]["median"], new["ratios"][name]["median"]
        factor = before / after if TARGETS[name].at_least is not None else after / before
        if factor > tolerance:
            found[name] = factor
    return dict(sorted(found.items()))


def _read(path: Path) -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if found.get("format") != FORMAT:
        raise ValueError(f"{path} is no run of this version of the benchmarks: measure it anew")
    return found


def _show(base: Mapping[str, Any], new: Mapping[str, Any], worse: Mapping[str, float]) -> None:
    table = Table("", str(base["commit"]), str(new["commit"]), "new / base", "")
    for kind in ("ratios", "figures"):
        table.add_section()
        for name, measured in new[kind].items():
            if name not in base[kind]:
                continue
            before, after = base[kind][name]["median"], measured["median"]
            change = f"{after / before:.2f}" if before else ""
            verdict = "[red]worse[/red]" if name in worse else ""
            table.add_row(name, f"{before:,.4g}", f"{after:,.4g}", change, verdict)
    Console().print(table)


if __name__ == "__main__":
    sys.exit(main())
