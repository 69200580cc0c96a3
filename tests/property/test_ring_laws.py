"""Rings are a function of the log: whatever its batches, partitions, restarts and repeats."""

from collections.abc import Sequence
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas import links as contract
from schemas import records
from schemas.links import LinkRecord, RingMark, link_targets
from streams.core.rings.identities import IdentityFold
from streams.core.rings.ring_fold import RingEmissions, RingFold
from streams.core.rings.whole import Rings
from streams.embedded import Results
from tests.oracle.strategies import shuffle_within_lateness
from tests.property.running import plain, run_embedded
from tests.unit.attack import encoded
from tests.unit.ring_logs import together, told

SESSION = together()
LOG = encoded(SESSION)
PARTITIONS = 3
TOLD = told(SESSION, PARTITIONS)
FEW = settings(max_examples=12)


def rings_of(results: Results) -> list[bytes]:
    """The alerts of rings and of price wars."""
    kinds = ("identity_ring", "price_war")
    return sorted(records.encode(each) for each in results.alerts if each.kind in kinds)


def money_of(results: Results) -> list[list[object]]:
    names = ("room_id", "net_minor", "suspected_orders", "suspected_minor", "trusted_minor")
    return [[room[name] for name in names] for room in plain(results).rooms]


EXPECTED = run_embedded(LOG, rules=None, partitions=PARTITIONS)


def shown(emissions: Sequence[RingEmissions]) -> tuple[list[bytes], list[bytes]]:
    alerts = sorted(records.encode(alert) for each in emissions for alert in each.alerts)
    return alerts, [records.encode(mark) for each in emissions for mark in each.marks]


def through_topic(written: Sequence[LinkRecord]) -> list[LinkRecord]:
    """The records as a reader of their topic has them."""
    return [contract.decode_link(records.encode(record)) for record in written]


def interleaved(sources: Sequence[Sequence[LinkRecord]], random: Random) -> list[LinkRecord]:
    """One log of what several sources wrote, each in its own order."""
    turns = [number for number, own in enumerate(sources) for _ in own]
    random.shuffle(turns)
    rest = [iter(own) for own in sources]
    return [next(rest[number]) for number in turns]


def level_1(random: Random, cuts: Sequence[float] = (), overlap: int = 0) -> list[list[LinkRecord]]:
    """What each partition of identities hands on; it is restarted at these places of its log."""
    handed_on = []
    for number in range(PARTITIONS):
        log = [
            [record for record in own if number in link_targets(record, PARTITIONS)] for own in TOLD
        ]
        handed_on.append(
            driven(IdentityFold(number, PARTITIONS), interleaved(log, random), cuts, overlap)
        )
    return handed_on


def driven(
    fold: IdentityFold, log: list[LinkRecord], cuts: Sequence[float], overlap: int
) -> list[LinkRecord]:
    out: list[LinkRecord] = []
    for cut in (*sorted(cuts), 1.0):
        end = int(cut * len(log))
        first = max(0, fold.next_offset - overlap)
        out += fold.fold(range(first, end), through_topic(log[first:end]))
        fold = IdentityFold.restored(plain_again(fold.snapshot()))
    return out


def level_2(
    handed_on: Sequence[Sequence[LinkRecord]],
    random: Random,
    cuts: Sequence[float] = (),
    overlap: int = 0,
) -> list[RingEmissions]:
    """What the one partition of shared identities finds; it is restarted at these places."""
    log, fold, out = interleaved(handed_on, random), RingFold(PARTITIONS), []
    for cut in (*sorted(cuts), 1.0):
        end = int(cut * len(log))
        first = max(0, fold.next_offset - overlap)
        out.append(fold.fold(range(first, end), through_topic(log[first:end])))
        fold = RingFold.restored(plain_again(fold.snapshot()))
    return out


def plain_again(state: object) -> list[object]:
    """A snapshot after its way through a checkpoint."""
    again: list[object] = msgspec.msgpack.decode(msgspec.msgpack.encode(state))
    return again


WHOLE = shown(level_2(level_1(Random(0)), Random(0)))


def test_the_session_has_a_ring_and_a_crowd_that_are_marked_and_a_price_war() -> None:
    found = [alert for alert in EXPECTED.alerts if alert.kind == "identity_ring"]
    paged = {tuple(alert.rooms) for alert in found if alert.severity == "page"}
    assert paged == {("east", "north"), ("east", "north", "south")}
    assert {alert.status for alert in found} == {"firing", "updated", "resolved"}
    assert sum(room.suspected_orders for room in EXPECTED.rooms) == 24 + 36
    wars = [alert for alert in EXPECTED.alerts if alert.kind == "price_war"]
    assert [alert.status for alert in wars] == ["firing", "updated", "resolved"]
    assert WHOLE[0] == rings_of(EXPECTED)


@FEW
@given(chunk=st.integers(1, 300))
def test_where_chunks_end_changes_no_ring_and_no_mark(chunk: int) -> None:
    results = run_embedded(LOG, rules=None, partitions=PARTITIONS, chunk=chunk)
    assert rings_of(results) == rings_of(EXPECTED)
    assert plain(results).rooms == plain(EXPECTED).rooms
    assert plain(results).boards == plain(EXPECTED).boards
    assert results.stickiness == EXPECTED.stickiness


@FEW
@given(seed=st.randoms(use_true_random=False))
def test_arrival_inside_the_lateness_bound_changes_no_ring(seed: Random) -> None:
    shuffled = shuffle_within_lateness(SESSION, [seed.randint(0, 5_000) for _ in SESSION])
    results = run_embedded(encoded(shuffled), rules=None, partitions=PARTITIONS)
    assert rings_of(results) == rings_of(EXPECTED)
    assert money_of(results) == money_of(EXPECTED)


@pytest.mark.parametrize("partitions", [1, 2, 4, 7])
def test_the_number_of_partitions_changes_no_ring_and_no_mark(partitions: int) -> None:
    results = run_embedded(LOG, rules=None, partitions=partitions)
    assert rings_of(results) == rings_of(EXPECTED)
    assert money_of(results) == money_of(EXPECTED)


@FEW
@given(seed=st.integers(0, 2**32))
def test_how_the_records_of_sources_meet_changes_no_ring_and_no_mark(seed: int) -> None:
    random = Random(seed)
    assert shown(level_2(level_1(random), random)) == WHOLE


@FEW
@given(
    seed=st.integers(0, 2**32),
    cuts=st.lists(st.floats(0, 1), min_size=1, max_size=3),
    overlap=st.integers(0, 40),
)
def test_restarts_of_both_levels_and_redelivery_change_no_ring_and_no_mark(
    seed: int, cuts: list[float], overlap: int
) -> None:
    random = Random(seed)
    handed_on = level_1(random, cuts, overlap)
    assert shown(level_2(handed_on, random, cuts, overlap)) == WHOLE


@FEW
@given(seed=st.integers(0, 2**32), at=st.floats(0, 1), back=st.integers(1, 60))
def test_what_a_writer_wrote_again_after_a_crash_changes_no_ring_and_no_mark(
    seed: int, at: float, back: int
) -> None:
    again, random = [], Random(seed)
    for own in level_1(random):
        end = int(at * len(own))
        again.append([*own[:end], *own[max(0, end - back) :]])
    assert shown(level_2(again, random)) == WHOLE


def test_marks_come_to_their_topic_and_back_as_they_were() -> None:
    (emissions,) = level_2(level_1(Random(1)), Random(1))
    assert [
        contract.decode_mark(records.encode(mark)) for mark in emissions.marks
    ] == emissions.marks
    assert [mark.sequence for mark in emissions.marks] == list(range(1, len(emissions.marks) + 1))
    assert all(isinstance(mark, RingMark) for mark in emissions.marks)


def test_both_levels_in_one_process_find_the_same() -> None:
    rings, out = Rings(PARTITIONS), []
    for at in range(0, max(map(len, TOLD)), 50):
        out += [rings.take(own[at : at + 50]) for own in TOLD]
    assert shown(out) == WHOLE
