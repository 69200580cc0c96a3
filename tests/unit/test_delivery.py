"""What is told of alerts: news, once, to whom it is for; nothing of a replayed past."""

import json
from collections.abc import Sequence

import msgspec
import pytest

from schemas.records import Alert, Evidence
from streams.shell import delivery
from streams.shell.alertmanager import Alertmanager, firing, resolved
from streams.shell.delivery import OF_NOW_MS, News, Outbox, ReceiverAwayError

_AT_MS = 1_700_000_000_000


def _alert(
    version: int = 1,
    *,
    status: str = "firing",
    severity: str = "review",
    alert_id: str = "a1",
    kind: str = "brushed_orders",
) -> Alert:
    return Alert(
        alert_id=alert_id,
        version=version,
        status=status,
        kind=kind,
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


def _ring(version: int = 1, **more: str) -> Alert:
    ring = _alert(version, kind="identity_ring", **more)
    return msgspec.structs.replace(ring, room_id=None, host_id=None, rooms=["r1", "r2"])


def test_a_ring_stands_in_each_of_its_rooms_to_silence_them() -> None:
    receiver = Alertmanager("http://localhost")
    ring, *parts = receiver.posts(News(_ring()))
    assert "room_id" not in ring["labels"]
    assert [(post["labels"]["room_id"], post["labels"]["part"]) for post in parts] == [
        ("r1", "room"),
        ("r2", "room"),
    ]
    assert {post["labels"]["alertname"] for post in parts} == {"identity_ring"}
    assert receiver.wording(News(_ring())).count("\n") == 0


def test_a_ring_that_gets_graver_or_ends_does_so_in_each_of_its_rooms() -> None:
    receiver = Alertmanager("http://localhost", now_ms=lambda: _AT_MS)
    graver = receiver.posts(News(_ring(2, severity="page"), _ring()))
    assert ["endsAt" in post for post in graver] == [True] * 3 + [False] * 3
    ended = receiver.posts(News(_ring(3, severity="page", status="resolved")))
    assert ["endsAt" in post for post in ended] == [True] * 3


def test_each_version_is_told_once_and_an_older_one_never_after_a_newer() -> None:
    outbox = Outbox()
    assert outbox.told_by(_alert(1), _AT_MS) == News(_alert(1))
    assert outbox.told_by(_alert(1), _AT_MS) is None
    assert outbox.told_by(_alert(3, status="resolved"), _AT_MS) is not None
    assert outbox.told_by(_alert(2, status="updated"), _AT_MS) is None
    assert outbox.firing() == []


def test_a_graver_version_ends_the_milder_one_first() -> None:
    outbox = Outbox()
    outbox.told_by(_alert(1), _AT_MS)
    news = outbox.told_by(_alert(2, severity="page"), _AT_MS)
    assert news is not None
    mild, grave = Alertmanager("http://localhost", now_ms=lambda: _AT_MS).posts(news)
    assert (mild["labels"]["severity"], "endsAt" in mild) == ("review", True)
    assert (grave["labels"]["severity"], "endsAt" in grave) == ("page", False)
    ended = outbox.told_by(_alert(3, severity="page", status="resolved"), _AT_MS)
    assert ended == News(_alert(3, severity="page", status="resolved"))


def test_a_restart_knows_what_was_told_and_repeats_what_is_firing() -> None:
    outbox = Outbox()
    outbox.note(_alert(1), _AT_MS)
    outbox.note(_alert(2, alert_id="a2", status="resolved"), _AT_MS)
    assert outbox.told_by(_alert(1), _AT_MS) is None
    assert [news.alert.alert_id for news in outbox.firing()] == ["a1"]


def test_nothing_is_told_of_a_replayed_past_unless_asked_for() -> None:
    later_ms = _AT_MS + OF_NOW_MS + 1
    outbox = Outbox()
    assert outbox.told_by(_alert(1), later_ms) is None
    assert outbox.firing() == []
    assert Outbox(replayed=True).told_by(_alert(1), later_ms) is not None


def test_who_was_told_of_an_alert_is_told_of_its_end_whatever_it_became() -> None:
    outbox = Outbox(wants=lambda alert: alert.severity == "page")
    assert outbox.told_by(_alert(1), _AT_MS) is None
    assert outbox.told_by(_alert(2, severity="page"), _AT_MS) is not None
    assert outbox.told_by(_alert(3), _AT_MS) is not None
    assert outbox.told_by(_alert(4, status="resolved"), _AT_MS) is not None
    assert outbox.told_by(_alert(5, alert_id="other", status="resolved"), _AT_MS) is None


@pytest.mark.parametrize("holds_back", [False, True])
def test_what_another_alert_speaks_for_is_held_back_while_that_fires(*, holds_back: bool) -> None:
    outbox = Outbox(holds_back=holds_back)
    hot = [_alert(version, alert_id="hot", kind="hot_item") for version in (1, 2, 3)]
    outbox.told_by(_alert(1), _AT_MS)
    assert (outbox.told_by(hot[0], _AT_MS) is None) is holds_back
    outbox.told_by(_alert(2, status="resolved"), _AT_MS)
    assert outbox.told_by(hot[1], _AT_MS) is not None
    outbox.told_by(_alert(1, alert_id="a2"), _AT_MS)
    assert outbox.told_by(hot[2], _AT_MS) is not None, "they were told of it already"


async def test_a_receiver_that_is_away_is_tried_until_it_takes_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery, "_FIRST_PAUSE_SECONDS", 0)
    tries: list[int] = []

    class Shaky(Alertmanager):
        async def take(self, news: Sequence[News]) -> None:
            tries.append(len(news))
            if len(tries) < 4:
                raise ReceiverAwayError("it is away")

    await delivery._sent(Shaky("http://localhost"), [News(_alert())])
    assert tries == [1, 1, 1, 1]
    assert caplog.messages == ["it is away: trying again"] * 3


def test_what_is_kept_is_bounded_and_the_longest_unchanged_goes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(delivery, "MOST_FIRING", 2)
    outbox = Outbox()
    for alert_id in ("a", "b", "c"):
        outbox.told_by(_alert(alert_id=alert_id), _AT_MS)
    assert [news.alert.alert_id for news in outbox.firing()] == ["b", "c"]
