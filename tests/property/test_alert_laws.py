"""Alerts obey the laws of every record: a function of the log, whatever its batches or workers."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producers.generator import generate
from schemas import records
from streams.core.integrity.suspicion import DETECTORS
from streams.core.partition import Partition
from streams.embedded import Results
from tests.oracle.strategies import shuffle_within_lateness
from tests.property.driving import fold, restarted
from tests.property.running import run_embedded
from tests.unit.attack import attacked_log, encoded
from tests.unit.signals import signals_log

ATTACKED = attacked_log()
LOGS = {"brushing": ATTACKED, "signals": signals_log()}
LONGEST = max(map(len, LOGS.values()))
each_log = pytest.mark.parametrize("name", sorted(LOGS))
FEW = settings(max_examples=25)


def alerts_of(results: Results) -> list[bytes]:
    return [records.encode(alert) for alert in results.alerts]


def run(log: list[bytes], **more: int) -> list[bytes]:
    return alerts_of(run_embedded(log, rules=None, **more))


EXPECTED = {name: run(encoded(log)) for name, log in LOGS.items()}


@each_log
def test_something_is_seen_at_all(name: str) -> None:
    assert EXPECTED[name]


def test_each_detector_of_a_room_has_something_to_say() -> None:
    kinds = {alert.kind for alert in run_embedded(encoded(LOGS["signals"]), rules=None).alerts}
    assert kinds >= {each.alert_kind for each in DETECTORS} - {"brushed_orders"} | {"identity_ring"}


@each_log
@FEW
@given(chunk=st.integers(1, 400))
def test_where_chunks_end_changes_no_alert(name: str, chunk: int) -> None:
    assert run(encoded(LOGS[name]), chunk=chunk) == EXPECTED[name]


@each_log
@FEW
@given(seed=st.integers(0, 2**32))
def test_arrival_inside_the_lateness_bound_changes_no_alert(name: str, seed: int) -> None:
    log, random = LOGS[name], Random(seed)
    shuffled = shuffle_within_lateness(log, [random.randint(0, 5_000) for _ in log])
    assert run(encoded(shuffled)) == EXPECTED[name]


@each_log
@FEW
@given(cut=st.integers(0, LONGEST))
def test_a_restart_anywhere_changes_no_alert(name: str, cut: int) -> None:
    log = encoded(LOGS[name])
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
