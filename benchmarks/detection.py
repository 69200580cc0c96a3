"""How early, how often and how falsely is fraud found? The table of `docs/detectors.md`.

`python -m benchmarks.detection --seeds 100-119` generates `brushing`, `viewbots` and `silence` for
each seed, and folds them as `roompulse run` does; `roompulse evaluate` counts with the same code
and tells more. Thresholds were chosen on seeds 0 to 9.
"""

import argparse
from collections.abc import Iterator

from roompulse.cli.evaluate import summary_lines
from roompulse.tuning.backtesting import Candidate
from roompulse.tuning.evaluating import Plan, evaluate
from roompulse.tuning.figures import Figures, OfAdversary
from streams.collector import collect_rarely

KINDS = ("brushed_orders", "identity_ring", "fake_viewers")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="100-119", help="first-last")
    parser.add_argument("--intensity", type=float, default=1.0)
    asked = parser.parse_args()
    first, last = (int(part) for part in asked.seeds.split("-"))
    collect_rarely()
    plan = Plan(range(first, last + 1), intensity=asked.intensity)
    figures = evaluate(plan, [Candidate("log", None)], KINDS, lambda done: print(done, flush=True))
    for line in table(figures["log"]):
        print(line)


def table(figures: Figures) -> Iterator[str]:
    """The figures as a Markdown table."""
    yield "| adversary | rooms | alerted | paged | orders before (median) | money marked |"
    yield "|---|---|---|---|---|---|"
    yield from map(row, figures.adversaries)
    yield ""
    for line in summary_lines(figures):
        yield f"- {line[0].upper()}{line[1:]}."


def row(each: OfAdversary) -> str:
    """One adversary."""
    before, marked = each.orders_before_median, each.marked
    return (
        f"| {each.adversary} | {each.rooms} | {each.alerted.value:.2f} | {each.paged.value:.2f} "
        f"| {'-' if before is None else f'{before:.0f}'} "
        f"| {'-' if marked is None else f'{marked:.2f}'} |"
    )


if __name__ == "__main__":
    main()
