"""What several sources tell is taken by event time, whoever was faster, and never twice."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.clock import NOTHING_MS
from streams.core import limits
from streams.core.merging import Merging

EXAMPLES = settings(max_examples=60)
CAP = "waiting_links"


class Told(NamedTuple):
    """A record of a source: an item at a stamp, or a watermark that has passed."""

    source: int
    sequence: int
    ts_ms: int
    passes: bool


def merging(sources: int) -> Merging[str]:
    return Merging(sources, CAP, limits.Evictions())


def taken(merged: Merging[str], log: Sequence[Told]) -> list[tuple[int, str]]:
    """What comes out of a log, in order."""
    out: list[tuple[int, str]] = []
    for told in log:
        if not merged.is_new(told.source, told.sequence):
            continue
        if told.passes:
            out += merged.passed(told.source, told.ts_ms)
        else:
            name = f"{told.source}/{told.sequence}"
            out += merged.add(told.source, told.sequence, told.ts_ms, name)
    return out


@st.composite
def sources(draw: st.DrawFn) -> list[list[Told]]:
    """What each source tells: nothing before a watermark that it has passed."""
    told = []
    for source in range(draw(st.integers(1, 4))):
        own: list[Told] = []
        passed_ms = 0
        for sequence in range(1, draw(st.integers(1, 12))):
            step_ms = draw(st.integers(0, 5))
            passes = draw(st.booleans())
            passed_ms += step_ms if passes else 0
            own.append(Told(source, sequence, passed_ms + (0 if passes else step_ms), passes))
        told.append(own)
    return told


def interleaved(draw: st.DrawFn, told: list[list[Told]]) -> list[Told]:
    """The records of all sources in some order that keeps each source's own."""
    turns = [source for source, own in enumerate(told) for _ in own]
    rest = [iter(own) for own in told]
    return [next(rest[source]) for source in draw(st.permutations(turns))]


@EXAMPLES
@given(sources(), st.data())
def test_who_was_faster_changes_nothing(told: list[list[Told]], data: st.DataObject) -> None:
    plain = taken(merging(len(told)), [each for own in told for each in own])
    log = data.draw(st.composite(interleaved)(told))
    assert taken(merging(len(told)), log) == plain


@EXAMPLES
@given(sources(), st.data())
def test_all_before_the_least_watermark_comes_out_once_and_by_event_time(
    told: list[list[Told]], data: st.DataObject
) -> None:
    merged = merging(len(told))
    out = taken(merged, data.draw(st.composite(interleaved)(told)))
    passed = [max((each.ts_ms for each in own if each.passes), default=None) for own in told]
    least_ms = min(passed, key=lambda each: NOTHING_MS if each is None else each)
    expected = sorted(
        (each.ts_ms, each.source, each.sequence)
        for own in told
        for each in own
        if not each.passes and least_ms is not None and each.ts_ms < least_ms
    )
    assert out == [(ts_ms, f"{source}/{sequence}") for ts_ms, source, sequence in expected]
    assert merged.watermark_ms == (NOTHING_MS if least_ms is None else max(least_ms, 0))


@EXAMPLES
@given(sources(), st.data())
def test_a_writer_that_begins_again_below_what_was_durable_changes_nothing(
    told: list[list[Told]], data: st.DataObject
) -> None:
    """Its first records, and those of the one it replaced, meet in any order."""
    log = data.draw(st.composite(interleaved)(told))
    at = data.draw(st.integers(0, len(log)))
    source = data.draw(st.integers(0, len(told) - 1))
    own = [each for each in log[:at] if each.source == source]
    again = own[data.draw(st.integers(0, len(own))) :]
    rest = iter(again)
    mixed = list(log[:at])
    for each in log[at:]:
        mixed += [late for late in [next(rest, None)] if late is not None]
        mixed.append(each)
    assert taken(merging(len(told)), mixed) == taken(merging(len(told)), log)


@EXAMPLES
@given(sources(), st.data())
def test_a_restored_merging_goes_on_as_if_nothing_had_happened(
    told: list[list[Told]], data: st.DataObject
) -> None:
    log = data.draw(st.composite(interleaved)(told))
    cut = data.draw(st.integers(0, len(log)))
    before = merging(len(told))
    first = taken(before, log[:cut])
    after = merging(len(told))
    after.restore(before.snapshot(str.encode), bytes.decode)
    assert first + taken(after, log[cut:]) == taken(merging(len(told)), log)


def test_what_is_too_much_comes_out_early_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, CAP, (16, ""))
    evictions = limits.Evictions()
    merged: Merging[str] = Merging(2, CAP, evictions)
    out: list[tuple[int, str]] = []
    for number in range(40):
        out += merged.add(0, number, 1_000 - number, str(number))
        assert len(merged) <= 16
    assert out[0] == (1_000 - 16, "16")
    assert evictions.counts == {CAP: len(out)}
