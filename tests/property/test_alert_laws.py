"""Alerts obey the laws of every record: a function of the log, whatever its batches or workers."""

from hypothesis import given, settings
from hypothesis import strategies as st

from producers.generator import generate
from schemas import records
from streams.core.partition import Partition
from streams.embedded import Results
from tests.oracle.strategies import shuffle_within_lateness
from tests.property.driving import fold, restarted
from tests.property.running import run_embedded
from tests.unit.attack import attacked_log, encoded

ATTACKED = attacked_log()
FEW = settings(max_examples=25)


def alerts_of(results: Results) -> list[bytes]:
    return [records.encode(alert) for alert in results.alerts]


def run(log: list[bytes], **more: int) -> list[bytes]:
    return alerts_of(run_embedded(log, rules=None, **more))


EXPECTED = run(encoded(ATTACKED))


def test_the_attack_is_seen_at_all() -> None:
    assert EXPECTED


@FEW
@given(st.integers(1, 400))
def test_where_chunks_end_changes_no_alert(chunk: int) -> None:
    assert run(encoded(ATTACKED), chunk=chunk) == EXPECTED


@FEW
@given(st.lists(st.integers(0, 5_000), min_size=len(ATTACKED), max_size=len(ATTACKED)))
def test_arrival_inside_the_lateness_bound_changes_no_alert(delays_ms: list[int]) -> None:
    shuffled = shuffle_within_lateness(ATTACKED, delays_ms)
    assert run(encoded(shuffled)) == EXPECTED


@FEW
@given(st.integers(0, len(ATTACKED)))
def test_a_restart_anywhere_changes_no_alert(cut: int) -> None:
    log = encoded(ATTACKED)
    whole = fold(Partition(0), log, 0, len(log)).alerts
    partition = Partition(0)
    before = fold(partition, log, 0, cut).alerts
    again = restarted(partition)
    assert before + fold(again, log, max(0, cut - 20), len(log)).alerts == whole


def test_a_generated_attack_restarted_halfway_gives_the_same_alerts() -> None:
    log = list(generate("brushing", 1, events=60_000))
    whole = fold(Partition(0), log, 0, len(log)).alerts
    assert any(alert.severity == "page" for alert in whole)
    partition = Partition(0)
    half = len(log) // 2
    before = fold(partition, log, 0, half).alerts
    assert before + fold(restarted(partition), log, half, len(log)).alerts == whole
