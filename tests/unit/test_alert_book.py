"""What is firing, raised and judged, held against a recount of all that was ever told."""

from collections import Counter
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from schemas.records import ALERT_KINDS, Alert, Evidence, Judgement, Verdict
from streams.core import limits
from streams.core.integrity.alert_book import KINDS, AlertBook, precision

STATUSES = ("firing", "updated", "resolved")


def alert(alert_id: str, version: int = 1, **changed: Any) -> Alert:  # noqa: ANN401
    usual = Alert(
        alert_id=alert_id,
        version=version,
        status="firing",
        kind="brushed_orders",
        severity="review",
        room_id="r1",
        host_id="h1",
        mcn_id=None,
        product_id=None,
        started_ms=1_000,
        updated_ms=2_000,
        score=30.0,
        threshold=15.0,
        summary="Suspected.",
        money_minor=500,
        currency="CNY",
        evidence=[Evidence("no_visit", 0.5, 0.1, 3.0, ["o1"])],
        rooms=["r1"],
        rules_version=None,
    )
    return replace(usual, **changed)


def verdict(alert_id: str, given: Judgement) -> Verdict:
    return Verdict(alert_id, given, 5_000)


def booked(*told: Alert | Verdict) -> AlertBook:
    book = AlertBook()
    for each in told:
        book.apply(each)
    return book


@st.composite
def histories(draw: st.DrawFn) -> list[list[Alert]]:
    """The versions of some alerts, each in its order."""
    found = []
    for number in range(draw(st.integers(1, 5))):
        kind = draw(st.sampled_from((*ALERT_KINDS, "of a later version")))
        steps = draw(
            st.lists(
                st.tuples(st.sampled_from(STATUSES), st.sampled_from(("page", "review", "info"))),
                min_size=1,
                max_size=4,
            )
        )
        found.append(
            [
                alert(
                    f"a{number}",
                    at,
                    kind=kind,
                    status=status,
                    severity=severity,
                    updated_ms=1_000 * at,
                )
                for at, (status, severity) in enumerate(steps, start=1)
            ]
        )
    return found


def shown_kind(told: Alert) -> str:
    return told.kind if told.kind in ALERT_KINDS else "other"


@given(histories(), st.randoms(use_true_random=False))
def test_counts_equal_a_recount_however_alerts_are_mixed_and_repeated(
    histories: list[list[Alert]], random: Random
) -> None:
    queues = [list(versions) for versions in histories]
    told: list[Alert] = []
    while any(queues):
        queue = random.choice([each for each in queues if each])
        told.append(queue.pop(0))
        if random.random() < 0.3:
            told.append(random.choice(told))  # a worker that restarted publishes again
    book = booked(*told)
    versions = [each for history in histories for each in history]
    expected = Counter((shown_kind(each), each.status) for each in versions)
    assert {at: count for at, count in book.versions.items() if count} == expected
    raised = Counter(
        {(shown_kind(each), each.severity, each.alert_id): 1 for each in versions}.keys()
    )
    by_severity = Counter((kind, severity) for kind, severity, _ in raised)
    assert {at: count for at, count in book.raised.items() if count} == by_severity
    newest = [history[-1] for history in histories]
    alive = {each.alert_id: each for each in newest if each.status != "resolved"}
    assert {each.alert_id: each for each in book.firing()} == {
        alert_id: replace(each, evidence=[]) for alert_id, each in alive.items()
    }


def test_the_gravest_and_newest_come_first() -> None:
    book = booked(
        alert("old", severity="review", updated_ms=1),
        alert("new", severity="review", updated_ms=9),
        alert("info", severity="info", updated_ms=10),
        alert("page", severity="page", updated_ms=0),
        alert("b", severity="page", updated_ms=0),
    )
    assert [each.alert_id for each in book.firing()] == ["b", "page", "new", "old", "info"]


def test_the_last_verdict_counts_and_one_on_an_unknown_alert_does_not() -> None:
    book = booked(
        alert("a"),
        alert("b"),
        verdict("a", "confirm"),
        verdict("a", "dismiss"),
        verdict("nobody knows it", "confirm"),
        alert("a", 2),
    )
    found = {at: count for at, count in book.verdicts().items() if count}
    assert found == {("brushed_orders", "dismiss"): 1, ("brushed_orders", "none"): 1}


def test_every_kind_is_counted_from_zero_on_so_that_the_first_one_is_an_increase() -> None:
    book = AlertBook()
    assert set(book.raised.values()) == set(book.versions.values()) == {0}
    assert {kind for kind, _ in book.raised} == set(KINDS)


def test_the_longest_unchanged_alerts_are_forgotten_and_stay_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    meaning = limits.CAPS["known_alerts"][1]
    monkeypatch.setitem(limits.CAPS, "known_alerts", (16, meaning))
    book = booked(*(alert(f"a{number:02}", updated_ms=1_000 - number) for number in range(20)))
    assert [each.alert_id for each in book.firing()] == [f"a{number:02}" for number in range(16)]
    assert book.raised["brushed_orders", "review"] == 20
    assert book.evictions.counts == {"known_alerts": 4}


def test_precision_is_of_what_was_judged() -> None:
    assert precision(["confirm", "confirm", "dismiss", "confirm", "ack", "none"]) == 0.75
    assert precision(["ack", "none"]) is None
