"""How early, how often and how falsely are brushed orders found? Counted by incident.

`python -m benchmarks.detection --seeds 100-119` generates `brushing` and `silence` for each seed,
and folds them as `roompulse run` does. Thresholds were chosen on seeds 0 to 9. A hit is an alert in
the attacked room; an alert in any other room is false. Money is compared with the planted truth.
"""

import argparse
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from producers.generator import generate
from producers.generator.wanted import Wanted
from schemas.records import Alert, RoomSummary
from streams.collector import collect_rarely
from streams.core.integrity.order_signs import ScoredOrder
from streams.embedded import EmbeddedRun, Results

CHUNK = 10_000
ATTACKS = ("brushed_orders", "identity_ring")
Planted = dict[str, Any]  # a line of the truth file


@dataclass
class Found:
    """What became of the incidents of one adversary."""

    incidents: int = 0
    alerted: int = 0
    paged: int = 0
    orders_before: list[int] = field(default_factory=list)
    planted_minor: int = 0
    marked_minor: int = 0


@dataclass
class Tally:
    """All figures of an evaluation."""

    by_adversary: dict[str, Found] = field(default_factory=lambda: defaultdict(Found))
    clean_room_hours: float = 0.0
    false_pages: int = 0
    false_reviews: int = 0
    honest_minor: int = 0
    honest_marked_minor: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="100-119", help="first-last")
    parser.add_argument("--intensity", type=float, default=1.0)
    asked = parser.parse_args()
    first, last = (int(part) for part in asked.seeds.split("-"))
    collect_rarely()
    tally = Tally()
    for seed in range(first, last + 1):
        for name, wanted in (
            ("brushing", Wanted(intensity=asked.intensity)),
            ("silence", Wanted()),
        ):
            count(tally, *folded(name, seed, wanted))
            print(f"{name} {seed} done", flush=True)
    for line in table(tally):
        print(line)


def folded(name: str, seed: int, wanted: Wanted) -> tuple[EmbeddedRun, Results, list[Planted]]:
    """A generated session, folded; and what was planted in it."""
    session = generate(name, seed, wanted=wanted)
    run = EmbeddedRun()
    chunk: list[bytes] = []
    for record in session:
        chunk.append(record)
        if len(chunk) == CHUNK:
            run.feed(chunk)
            chunk = []
    run.feed(chunk)
    planted = [line for line in session.truth.lines() if line["kind"] in ATTACKS]
    return run, run.finish(), planted


def count(tally: Tally, run: EmbeddedRun, results: Results, planted: list[Planted]) -> None:
    """Add the figures of one session."""
    alerts: dict[str, list[Alert]] = defaultdict(list)
    for alert in results.alerts:
        alerts[str(alert.room_id)].append(alert)
    orders = {
        room.room_id: list(room.brushing.orders.recent)
        for partition in run.partitions
        for room in partition.rooms.values()
        if room.brushing is not None
    }
    attacked: dict[str, set[str]] = defaultdict(set)
    for attack in planted:
        ids = set(attack["order_ids"])
        for room_id in attack.get("rooms") or [attack["room_id"]]:
            attacked[room_id] |= ids
            found = tally.by_adversary[attack["adversary"]]
            brushed = [order for order in orders.get(room_id, ()) if order.order_id in ids]
            count_attack(found, brushed, alerts[room_id])
    for room in results.rooms:
        ids = attacked.get(room.room_id, set())
        honest = [each for each in orders.get(room.room_id, ()) if each.order_id not in ids]
        tally.honest_minor += sum(order.amount_minor for order in honest)
        tally.honest_marked_minor += sum(each.amount_minor for each in honest if each.suspected)
        if not ids:
            count_clean(tally, room, alerts[room.room_id])


def count_attack(found: Found, brushed: list[ScoredOrder], alerts: list[Alert]) -> None:
    """Add one attacked room."""
    told = [alert for alert in alerts if alert.status != "resolved"]
    found.incidents += 1
    found.alerted += bool(told)
    found.paged += any(alert.severity == "page" for alert in told)
    found.planted_minor += sum(order.amount_minor for order in brushed)
    found.marked_minor += sum(order.amount_minor for order in brushed if order.suspected)
    if told:
        first_ms = told[0].updated_ms
        found.orders_before.append(sum(order.ts_ms <= first_ms for order in brushed))


def count_clean(tally: Tally, room: RoomSummary, alerts: list[Alert]) -> None:
    """Add a room in which nothing was planted that should be alerted."""
    closed_ms, opened_ms = room.closed_ms or room.as_of_ms or 0, room.opened_ms or 0
    tally.clean_room_hours += (closed_ms - opened_ms) / 3_600_000
    by_alert: dict[str, set[str]] = defaultdict(set)
    for alert in alerts:
        by_alert[alert.alert_id].add(alert.severity)
    tally.false_pages += sum("page" in each for each in by_alert.values())
    tally.false_reviews += sum("page" not in each for each in by_alert.values())


def table(tally: Tally) -> Iterator[str]:
    """The figures as a Markdown table."""
    yield "| adversary | rooms | alerted | paged | orders before (median) | money marked |"
    yield "|---|---|---|---|---|---|"
    for name in sorted(tally.by_adversary):
        found = tally.by_adversary[name]
        before = f"{median(found.orders_before):.0f}" if found.orders_before else "-"
        yield (
            f"| {name} | {found.incidents} | {found.alerted / found.incidents:.2f} "
            f"| {found.paged / found.incidents:.2f} | {before} "
            f"| {found.marked_minor / found.planted_minor:.2f} |"
        )
    hours = tally.clean_room_hours
    marked = sum(each.marked_minor for each in tally.by_adversary.values())
    planted = sum(each.planted_minor for each in tally.by_adversary.values())
    yield ""
    yield f"- False pages: {tally.false_pages} in {hours:,.0f} clean room-hours."
    yield f"- False reviews: {tally.false_reviews}, {tally.false_reviews / hours:.4f} a room-hour."
    yield f"- Brushed money marked: {marked / planted:.3f}."
    yield f"- Honest money marked: {tally.honest_marked_minor / tally.honest_minor:.5f}."


if __name__ == "__main__":
    main()
