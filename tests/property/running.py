"""Drives the embedded run in tests and shows its results as plain values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas import records
from schemas.detector_rules import IdentityRingRules
from schemas.rules import AfterSalesRules, BrushingRules, RuleSet
from streams.embedded import EmbeddedRun, Results
from streams.result_files import run_report


@dataclass(frozen=True)
class Plain:
    """Results as the JSON of their files says them."""

    rooms: list[dict[str, Any]]
    minutes: list[dict[str, Any]]
    marks: list[dict[str, Any]]
    boards: list[dict[str, Any]]
    dead_letters: list[dict[str, Any]]
    run: dict[str, Any]
    after_sales: dict[str, list[dict[str, Any]]]
    pitch: list[dict[str, Any]]


# The recount has no detectors: it is compared with a run that suspects nobody. Service levels are
# so short that the steps of small logs lie around them.
NO_SUSPICION = RuleSet(
    brushing=BrushingRules(review=1e12, page=1e12),
    identity_ring=IdentityRingRules(enabled=False),
    after_sales=AfterSalesRules(first_reply_minutes=1, resolution_minutes=5),
)


def run_embedded(
    values: Sequence[bytes],
    *,
    partitions: int = 4,
    chunk: int = 10_000,
    top: int = 0,
    rules: RuleSet | None = NO_SUSPICION,
) -> Results:
    """The results of a session that is fed in chunks."""
    run = EmbeddedRun(partitions, top=top, rules=rules)
    for at in range(0, len(values), chunk):
        run.feed(values[at : at + chunk])
    return run.finish()


def plain(results: Results) -> Plain:
    def lines(items: Sequence[msgspec.Struct]) -> list[dict[str, Any]]:
        return [msgspec.json.decode(records.encode(item)) for item in items]

    report = run_report(results.progress, elapsed_seconds=0)
    return Plain(
        lines(results.rooms),
        lines(results.minutes),
        lines(results.marks),
        lines(results.boards),
        lines(results.dead_letters),
        msgspec.json.decode(records.encode(report)),
        msgspec.json.decode(records.encode(results.after_sales)),
        msgspec.json.decode(records.encode(results.pitch)),
    )
