"""What suspicion takes off the figures of people and days, and how the caps of evidence hold."""

from typing import Any

import pytest

from streams.core import limits
from streams.core.gone import Gone
from streams.core.integrity.queue import EventTimeQueue
from streams.embedded import EmbeddedRun, Results
from tests.property.running import run_embedded
from tests.unit.attack import START_MS, attacked_log, encoded, honest, in_order, opened, order

HALF_AN_HOUR_MS = 30 * 60_000


def capped(monkeypatch: pytest.MonkeyPatch, name: str, limit: int) -> None:
    monkeypatch.setitem(limits.CAPS, name, (limit, limits.CAPS[name][1]))


def report(results: Results) -> dict[str, Any]:
    assert results.stickiness is not None
    return dict(results.stickiness)


def test_buyers_of_suspected_orders_are_left_out_of_trusted_figures() -> None:
    hosts = {
        row["host_id"]: row
        for row in report(run_embedded(encoded(attacked_log()), rules=None))["hosts"]
    }
    attacked, clean = hosts["host of attacked"], hosts["host of clean"]
    assert (attacked["buyers"], attacked["buyers_trusted"]) == (90, 60)
    assert clean["buyers"] == clean["buyers_trusted"] == 60


def test_a_refund_of_a_suspected_order_lowers_what_it_still_adds() -> None:
    run = EmbeddedRun(1)
    run.feed(encoded(attacked_log()))
    run.finish()
    suspects = run.partitions[0].detectors.suspects
    assert {each.net_minor for each in suspects.by_order.values()} == {1_000}
    suspects.refunded("attacked", "attacked-o1005", 400)
    suspects.refunded("attacked", "never suspected", 400)
    assert suspects.by_order["attacked", "attacked-o1005"].net_minor == 600


def test_suspected_orders_are_capped_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    capped(monkeypatch, "suspected_orders", 16)
    run = EmbeddedRun(1)
    run.feed(encoded(attacked_log()))
    run.finish()
    partition = run.partitions[0]
    kept = partition.detectors.suspects.by_order
    assert len(kept) == 16
    assert min(each.ts_ms for each in kept.values()) > START_MS + 20 * 60_000
    assert partition.evictions.counts["suspected_orders"] == 14


def test_scored_orders_are_capped_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    capped(monkeypatch, "scored_orders", 10)
    run = EmbeddedRun(1)
    run.feed(encoded(in_order([opened("a"), opened("b")], honest("a", 40))))
    run.finish()
    suspicion = run.partitions[0].rooms["a"].suspicion
    assert suspicion is not None
    assert [each.order_id for each in suspicion.orders.recent] == [f"a-o{n}" for n in range(30, 40)]
    assert run.partitions[0].evictions.counts["scored_orders"] == 30


def test_evidence_over_its_cap_is_taken_early_oldest_first(monkeypatch: pytest.MonkeyPatch) -> None:
    capped(monkeypatch, "evidence_queue", 2)
    evictions = limits.Evictions()
    queue: EventTimeQueue[str] = EventTimeQueue(evictions)
    for ts_ms in (30, 10, 20):
        queue.push(ts_ms, "", f"at {ts_ms}")
    assert queue.next_ms < 0
    assert queue.pop() == (10, "at 10")
    assert queue.next_ms == 20
    assert evictions.counts == {"evidence_queue": 1}


def test_who_left_is_known_for_half_an_hour_and_forgotten_within_an_hour() -> None:
    gone = Gone(limits.Evictions())
    gone.forget(0)
    gone.put("v", 1_000)
    gone.forget(HALF_AN_HOUR_MS)
    assert gone.last_seen_ms("v") == 1_000
    gone.forget(2 * HALF_AN_HOUR_MS)
    assert gone.last_seen_ms("v") is None


def test_who_left_is_capped_by_forgetting_the_older_half(monkeypatch: pytest.MonkeyPatch) -> None:
    capped(monkeypatch, "gone", 4)
    evictions = limits.Evictions()
    gone = Gone(evictions)
    for number in range(9):
        gone.put(f"v{number}", number)
    assert gone.last_seen_ms("v8") == 8
    assert gone.last_seen_ms("v0") is None
    assert evictions.counts["gone"] == 6


def test_a_buyer_who_left_lately_was_there_and_one_never_seen_was_not() -> None:
    run = EmbeddedRun(1)
    log = in_order(
        [opened("a"), opened("b")],
        honest("a", 20),
        [
            order("a", 999, START_MS + 20 * 60_000),
            order("a", 5, START_MS + 20 * 60_000, order_id="x"),
        ],
    )
    run.feed(encoded(log))
    run.finish()
    suspicion = run.partitions[0].rooms["a"].suspicion
    assert suspicion is not None
    assert suspicion.orders.by_id["a-o999"].visited is False
    assert suspicion.orders.by_id["x"].visited is True
