"""How early, how often and how falsely is found what was planted? Tables of `docs/detectors.md`.

`python -m benchmarks.detection --seeds 100-119` generates `brushing`, `viewbots` and `silence` for
each seed, and folds them as `roompulse run` does; with `--waves` it is the waves of refunds and
complaints, the hint to pay elsewhere and the frozen picture instead, each with the alerts of its
own kind. `roompulse evaluate` counts with the same code and tells more. Thresholds were chosen on
seeds 0 to 9.
"""

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import replace

from roompulse.cli.evaluate import summary_lines
from roompulse.tuning.backtesting import Candidate
from roompulse.tuning.evaluating import Plan, evaluate
from roompulse.tuning.figures import Figures, OfAdversary
from streams.collector import collect_rarely

KINDS = ("brushed_orders", "identity_ring", "fake_viewers")
# What a scenario has planted, by its name.
WAVES = {
    "refund_wave": "refund_surge",
    "complaint_wave": "complaint_surge",
    "off_platform": "off_platform_payment",
    "traffic_drop": "traffic_drop",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="100-119", help="first-last")
    parser.add_argument("--intensity", type=float, default=1.0)
    parser.add_argument("--waves", action="store_true", help="instead of brushed orders")
    asked = parser.parse_args()
    first, last = (int(part) for part in asked.seeds.split("-"))
    collect_rarely()
    plan = Plan(range(first, last + 1), intensity=asked.intensity)
    lines = waves_table(plan) if asked.waves else table(_figures(plan, KINDS))
    for line in lines:
        print(line)


def _figures(plan: Plan, kinds: Sequence[str]) -> Figures:
    """The figures under the rules of the log itself."""
    return evaluate(plan, [Candidate("log", None)], kinds, lambda done: print(done, flush=True))[
        "log"
    ]


def waves_table(plan: Plan) -> Iterator[str]:
    """The figures of each wave as a Markdown table."""
    yield "| planted | rooms | alerted | minutes (median) | again | false, in clean room-hours |"
    yield "|---|---|---|---|---|---|"
    for scenario, kind in WAVES.items():
        figures = _figures(replace(plan, scenarios=(scenario,)), (kind,))
        false = figures.false_pages + figures.false_reviews
        for each in figures.adversaries:
            delay, alerted = each.delay_median_minutes, each.alerted
            yield (
                f"| {each.adversary} | {each.rooms} "
                f"| {alerted.value:.2f} ({alerted.least:.2f} to {alerted.most:.2f}) "
                f"| {'-' if delay is None else f'{delay:.0f}'} | {each.duplicates} "
                f"| {false:,} in {figures.clean_room_hours:,.0f} |"
            )


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
