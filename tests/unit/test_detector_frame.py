"""What holds for every detector: order of facts, life of incidents, rules that turn it off."""

from typing import Any

import pytest

from schemas.rules import DEFAULT_RULES, RuleSet
from streams.core import limits
from streams.core.integrity.detector import Detector
from streams.core.integrity.facts import Kept, Minute
from streams.core.integrity.incidents import Finding, Incidents
from streams.core.integrity.suspicion import DETECTORS
from streams.embedded import EmbeddedRun
from tests.property.running import run_embedded
from tests.unit.attack import START_MS, attacked_log, encoded, order, view
from tests.unit.signals import signals_log

MINUTE_MS = 60_000


def finding(score: float, since_ms: int = 0) -> Finding:
    return Finding(score, 1.0, since_ms, "said", [])


def test_every_detector_has_rules_of_its_name_that_can_turn_it_off() -> None:
    for detector in DETECTORS:
        assert getattr(DEFAULT_RULES, detector.section).enabled is True


def without(section: str) -> RuleSet:
    return RuleSet.model_validate({section: {"enabled": False}})


@pytest.mark.parametrize("detector", DETECTORS, ids=lambda each: each.section)
def test_a_detector_that_is_off_raises_nothing_and_the_others_go_on(
    detector: type[Detector],
) -> None:
    kind = detector.alert_kind
    log = attacked_log() if kind == "brushed_orders" else signals_log()
    usual = run_embedded(encoded(log), rules=None).alerts
    off = run_embedded(encoded(log), rules=without(detector.section)).alerts
    assert any(alert.kind == kind for alert in usual)
    assert off == [alert for alert in usual if alert.kind != kind]


def test_with_all_detectors_off_nothing_waits_for_its_turn() -> None:
    sections = [*(each.section for each in DETECTORS), "identity_ring", "price_war"]
    off = RuleSet.model_validate({section: {"enabled": False} for section in sections})
    run = EmbeddedRun(1, rules=off)
    run.feed(encoded(signals_log()))
    assert len(run.partitions[0].detectors._queue._items) == 0
    assert run.finish().alerts == []


@pytest.mark.parametrize("sign", ["no_visit", "shared_device", "shared_payment"])
def test_a_sign_that_is_off_is_in_no_alert(sign: str) -> None:
    rules = RuleSet.model_validate(
        {"brushing": {sign: {"enabled": False, "base": 0.03, "under_attack": 0.5}}}
    )
    usual = run_embedded(encoded(attacked_log()), rules=None).alerts
    off = run_embedded(encoded(attacked_log()), rules=rules).alerts
    assert sign in {each.signal for alert in usual for each in alert.evidence}
    assert off
    assert sign not in {each.signal for alert in off for each in alert.evidence}


def test_a_minute_comes_after_all_facts_before_its_end_and_before_those_at_it() -> None:
    run = EmbeddedRun(1)
    detectors = run.partitions[0].detectors
    taken: list[Any] = []

    def take(_: object, fact: Any, scene: Any) -> tuple[()]:  # noqa: ANN401 - any fact
        taken.append((scene.ts_ms - START_MS, type(fact).__name__))
        return ()

    for kind in (*detectors._takers, Minute):
        if kind is not Kept:
            detectors._takers[kind] = ((0, take),)
    start_ms = START_MS - START_MS % MINUTE_MS + MINUTE_MS
    stamps = [start_ms + 59_999, start_ms + MINUTE_MS, start_ms + MINUTE_MS + 500]
    log = [view("a", "v", start_ms), view("b", "v", start_ms)]
    log += [order("a", number, ts_ms) for number, ts_ms in enumerate(stamps)]
    # one that closes the minute only once all orders are due
    log += [view("a", "v", start_ms + 3 * MINUTE_MS), view("b", "v", start_ms + 3 * MINUTE_MS)]
    run.feed(encoded(log))
    here = [name for ms, name in taken if ms <= start_ms + MINUTE_MS + 500 - START_MS]
    assert here == ["ScoredOrder", "Minute", "Minute", "ScoredOrder", "ScoredOrder"]


def test_an_incident_is_told_when_new_and_when_its_evidence_has_doubled() -> None:
    incidents = Incidents("hot_item", limits.Evictions())
    assert incidents.noticed(3, 10)
    (first,) = incidents.tell(finding(3), 10)
    assert (first.status, first.version) == ("firing", 1)
    assert not incidents.noticed(5.9, 20)
    assert incidents.noticed(6, 30)
    (second,) = incidents.tell(finding(6), 30)
    assert second is first
    assert (first.status, first.version, first.told_score) == ("updated", 2, 6)


def test_an_incident_ends_by_its_last_evidence_whenever_that_is_found_out() -> None:
    incidents = Incidents("hot_item", limits.Evictions())
    incidents.tell(finding(3), 10, "p1")
    incidents.noticed(3, 50, "p1")
    incidents.noticed(3, 40, "p1")
    assert incidents.settle(149, quiet_ms=100) == []
    (ended,) = incidents.settle(9_999, quiet_ms=100)
    assert (ended.status, ended.updated_ms, ended.product_id) == ("resolved", 150, "p1")
    assert incidents.open == {}


def test_too_many_open_incidents_end_early_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.CAPS, "open_incidents", (16, ""))
    evictions = limits.Evictions()
    incidents = Incidents("hot_item", evictions)
    told = [incidents.tell(finding(3, n), n, f"p{n:02}") for n in range(17)]
    assert [each.status for each in told[-1]] == ["resolved", "firing"]
    assert sorted(incidents.open) == [f"p{n:02}" for n in range(1, 17)]
    assert evictions.counts == {"open_incidents": 1}


def test_incidents_come_back_from_a_checkpoint_as_they_were() -> None:
    incidents = Incidents("hot_item", limits.Evictions())
    incidents.tell(finding(3, 5), 10, "p1")
    incidents.tell(finding(2**70, 5), 11)
    again = Incidents("hot_item", limits.Evictions())
    again.restore(incidents.snapshot())
    assert again.snapshot() == incidents.snapshot()
    assert again.open.keys() == incidents.open.keys()
