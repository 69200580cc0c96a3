"""What is told of alerts: news, once, in the words of Alertmanager; nothing of a replayed past."""

import json

import pytest

from schemas.records import Alert, Evidence
from streams.shell import delivery
from streams.shell.alertmanager import firing, resolved
from streams.shell.delivery import OF_NOW_MS, Outbox

_AT_MS = 1_700_000_000_000


def _alert(
    version: int = 1, *, status: str = "firing", severity: str = "review", alert_id: str = "a1"
) -> Alert:
    return Alert(
        alert_id=alert_id,
        version=version,
        status=status,
        kind="brushed_orders",
        severity=severity,
        room_id="r1",
        host_id="h1",
        mcn_id=None,
        product_id=None,
        started_ms=_AT_MS - 60_000,
        updated_ms=_AT_MS,
        score=31.4,
        threshold=30.0,
        summary="Suspected brushed orders in room r1.",
        money_minor=12_345,
        currency="CNY",
        evidence=[Evidence("shared_device", 0.5, 0.015, 12.3, [f"o{n}" for n in range(7)])],
        rooms=["r1"],
        rules_version=None,
    )


def test_a_firing_alert_has_no_end_and_a_resolved_one_ends_now() -> None:
    post = firing(_alert())
    assert post["labels"] == {
        "alertname": "brushed_orders",
        "severity": "review",
        "alert_id": "a1",
        "room_id": "r1",
        "host_id": "h1",
    }
    assert post["startsAt"] == "2023-11-14T22:12:20.000Z"
    assert "endsAt" not in post
    assert "generatorURL" not in post
    ended = resolved(_alert(), _AT_MS + 5_000)
    assert ended["endsAt"] == "2023-11-14T22:13:25.000Z"
    assert {**ended, "endsAt": None} == {**post, "endsAt": None}
    assert json.loads(json.dumps(ended)) == ended


def test_its_annotations_explain_it_and_its_link_leads_to_the_room_at_that_time() -> None:
    post = firing(_alert(), "http://grafana/d/room?orgId=1")
    notes = post["annotations"]
    assert notes["summary"] == "Suspected brushed orders in room r1."
    assert notes["evidence"] == (
        "shared_device: 50.0% seen, 1.5% normal, weight 12.3; orders o0, o1, o2, o3, o4 and 2 more"
    )
    assert notes["runbook_url"] == "docs/runbook.md#brushed_orders"
    assert (notes["money_minor"], notes["currency"], notes["version"]) == ("12345", "CNY", "1")
    assert post["generatorURL"] == (
        f"http://grafana/d/room?orgId=1&var-room=r1&from={_AT_MS - 60_000}&to={_AT_MS}"
    )


def test_each_version_is_told_once_and_an_older_one_never_after_a_newer() -> None:
    outbox = Outbox()
    assert len(outbox.told_by(_alert(1), _AT_MS, _AT_MS)) == 1
    assert outbox.told_by(_alert(1), _AT_MS, _AT_MS) == []
    assert len(outbox.told_by(_alert(3, status="resolved"), _AT_MS, _AT_MS)) == 1
    assert outbox.told_by(_alert(2, status="updated"), _AT_MS, _AT_MS) == []
    assert outbox.repeated(_AT_MS) == []


def test_a_graver_version_ends_the_milder_one_first() -> None:
    outbox = Outbox()
    outbox.told_by(_alert(1), _AT_MS, _AT_MS)
    mild, grave = outbox.told_by(_alert(2, severity="page"), _AT_MS, _AT_MS)
    assert (mild["labels"]["severity"], "endsAt" in mild) == ("review", True)
    assert (grave["labels"]["severity"], "endsAt" in grave) == ("page", False)


def test_a_restart_knows_what_was_told_and_repeats_what_is_firing() -> None:
    outbox = Outbox()
    outbox.note(_alert(1), _AT_MS)
    outbox.note(_alert(2, alert_id="a2", status="resolved"), _AT_MS)
    assert outbox.told_by(_alert(1), _AT_MS, _AT_MS) == []
    assert [post["labels"]["alert_id"] for post in outbox.repeated(_AT_MS)] == ["a1"]


def test_nothing_is_told_of_a_replayed_past_unless_asked_for() -> None:
    later_ms = _AT_MS + OF_NOW_MS + 1
    outbox = Outbox()
    assert outbox.told_by(_alert(1), later_ms, later_ms) == []
    assert outbox.repeated(later_ms) == []
    assert len(Outbox(replayed=True).told_by(_alert(1), later_ms, later_ms)) == 1


def test_what_waited_for_its_receiver_is_told_however_late() -> None:
    assert len(Outbox().told_by(_alert(1), _AT_MS, _AT_MS + 10 * OF_NOW_MS)) == 1


def test_what_is_kept_is_bounded_and_the_longest_unchanged_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "MOST_FIRING", 2)
    outbox = Outbox()
    for alert_id in ("a", "b", "c"):
        outbox.told_by(_alert(alert_id=alert_id), _AT_MS, _AT_MS)
    assert [post["labels"]["alert_id"] for post in outbox.repeated(_AT_MS)] == ["b", "c"]
