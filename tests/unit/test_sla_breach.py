"""When is a complaint left without an answer beyond its service level?"""

import pytest

from schemas.rules import RuleSet
from streams.core import limits
from streams.embedded import EmbeddedRun, Results
from tests.unit.attack import MINUTE_MS, Event, encoded, in_order, opened
from tests.unit.signals import ROOM, at, complaint, evening, unanswered

KIND = "sla_breach"
HOUR = 60


def tick(minutes: float) -> Event:
    return {"type": "tick", "event_id": f"tick-{minutes}", "ts_ms": at(minutes)}


def run(*events: Event, until: int, rules: RuleSet | None = None) -> Results:
    ticks = [tick(9 * number) for number in range(1, until // 9 + 1)]
    whole = EmbeddedRun(rules=rules)
    whole.feed(encoded(in_order([opened(ROOM), opened("neighbour")], ticks, events)))
    return whole.finish()


def breaches(results: Results) -> list[tuple[str, float, str]]:
    return [
        (each.status, (each.updated_ms - at(0)) / MINUTE_MS, each.summary)
        for each in results.alerts
        if each.kind == KIND
    ]


def test_the_deadline_without_a_first_reply_raises_it() -> None:
    first, *_ = breaches(run(complaint(1, 10), until=200))
    status, minute, summary = first
    assert status == "firing"
    assert minute == pytest.approx(130, abs=1e-4)
    assert "1 without a first reply" in summary
    assert "Who answers: merchant 1." in summary


@pytest.mark.parametrize("minutes", [11.0, 130.0])
def test_an_answer_up_to_the_deadline_is_in_time(minutes: float) -> None:
    reply = complaint(1, minutes, status="replied", event_id="reply")
    assert breaches(run(complaint(1, 10), reply, until=300)) == []


def test_an_answer_a_millisecond_late_is_late_whatever_its_id() -> None:
    for event_id in ("a", "zzz"):
        reply = complaint(1, 130, status="replied", event_id=event_id)
        reply["ts_ms"] += 1
        assert breaches(run(complaint(1, 10), reply, until=300))


def test_a_solution_has_a_deadline_of_its_own() -> None:
    reply = complaint(1, 20, status="replied", event_id="reply")
    first, *_ = breaches(run(complaint(1, 10), reply, until=49 * HOUR))
    assert first[1] == pytest.approx(10 + 48 * HOUR, abs=1e-4)
    assert "1 without a solution" in first[2]


def test_a_party_that_an_event_names_answers_for_it() -> None:
    solved = complaint(1, 20, status="resolved", party="platform", event_id="solved")
    ((_, _, summary), *_) = breaches(run(complaint(1, 10), solved, until=200))
    assert "Who answers: platform 1." in summary


def test_it_is_told_again_when_twice_as_many_are_late_and_ends_in_the_quiet() -> None:
    found = breaches(run(*(complaint(n, 10 + n) for n in range(4)), until=300))
    assert [status for status, *_ in found] == ["firing", "updated", "updated", "resolved"]
    assert "4 without a first reply" in found[2][2]
    assert found[3][1] == pytest.approx(133 + 30, abs=1e-3)


def test_service_levels_are_rules() -> None:
    rules = RuleSet.model_validate({"after_sales": {"first_reply_minutes": 5}})
    ((_, minute, _), *_) = breaches(run(complaint(1, 10), until=60, rules=rules))
    assert minute == pytest.approx(15, abs=1e-4)


def test_what_is_counted_in_the_files_is_what_is_told() -> None:
    late = [complaint(n, 10 + 40 * n) for n in range(6)]
    in_time = [complaint(9, 30), complaint(9, 40, status="replied", event_id="reply")]
    results = run(*late, *in_time, until=8 * HOUR)
    rows = results.after_sales["rooms"]
    assert isinstance(rows, list)
    (whole,) = [row for row in rows if row["party"] is None]
    told = [each for each in results.alerts if each.kind == KIND and each.status != "resolved"]
    by_incident = {each.alert_id: each.score for each in told}
    assert sum(by_incident.values()) == whole["first_reply_breaches"] == 6


def test_complaints_waited_for_are_capped_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "awaited_complaints", (16, ""))
    many = [complaint(1_000 + n, 10 + n / 100) for n in range(100)]
    whole = EmbeddedRun(1)
    whole.feed(encoded(evening(many, unanswered())))
    whole.finish()
    # the one of `unanswered` is the last of 101
    assert whole.partitions[0].evictions.counts["awaited_complaints"] == 101 - 16
