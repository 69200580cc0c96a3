"""Laws that the fold obeys for every log: the guarantees of the design, each as a property."""

# ruff: noqa: ANN401 - JSON values and facts of events have no common type

import json
from base64 import b64decode
from collections import Counter
from collections.abc import Sequence
from typing import Any

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from schemas import codec
from schemas.clock import MAX_JUMP_MS
from streams.core.partition import Partition
from streams.embedded import EmbeddedRun, Results
from tests.oracle.contract import Event
from tests.oracle.malformed import BASE_MS, encode
from tests.oracle.strategies import DAY_MS, adversarial_logs, ordered_logs, shuffled_logs
from tests.property.driving import (
    Emitted,
    dealt,
    files_of,
    final_bytes,
    final_figures,
    fold,
    folded,
    restarted,
)
from tests.property.running import NO_SUSPICION, plain, run_embedded

EXAMPLES = settings(max_examples=100)
REPEATABLE = ("order", "refund", "complaint", "checkout")
# What counts whether or not a stamp is believed, which depends on who else is in the partition: a
# checkout of a refuted stamp is a dead letter.
LEDGER = (
    "orders",
    "units",
    "gross_minor",
    "refunds",
    "refunded_minor",
    "net_minor",
    "suspected_minor",
    "trusted_minor",
    "buyers",
    "quality_refunds",
    "complaints_opened",
)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5), st.lists(st.integers(1, 9), min_size=1))
def test_where_a_batch_ends_changes_no_byte_of_any_file(
    log: list[bytes], partitions: int, sizes: list[int]
) -> None:
    run = EmbeddedRun(partitions, rules=NO_SUSPICION)
    at = 0
    while at < len(log):
        size = sizes[at % len(sizes)]
        run.feed(log[at : at + size])
        at += size
    assert files_of(run.finish()) == files_of(run_embedded(log, partitions=partitions, top=100))


@EXAMPLES
@given(
    adversarial_logs(),
    st.integers(1, 3),
    st.lists(st.tuples(st.integers(0, 60), st.integers(0, 20)), min_size=1, max_size=3),
)
def test_a_partition_restarted_from_its_checkpoint_goes_on_as_if_nothing_had_happened(
    log: list[bytes], partitions: int, cuts: list[tuple[int, int]]
) -> None:
    for number, own in enumerate(dealt(log, partitions)):
        expected, whole = folded(own, number)
        partition, emitted = Partition(number), Emitted()
        for cut, overlap in sorted(cuts):
            emitted.take(fold(partition, own, max(0, partition.next_offset - overlap), cut))
            partition = restarted(partition)
        overlap = cuts[0][1]
        emitted.take(fold(partition, own, max(0, partition.next_offset - overlap), len(own)))
        assert emitted == whole
        assert final_bytes(partition) == final_bytes(expected)
        assert final_bytes(restarted(partition)) == final_bytes(expected)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 59))
def test_a_redelivered_tail_emits_nothing_and_changes_nothing(log: list[bytes], tail: int) -> None:
    partition, _ = folded(log)
    before = final_bytes(partition)
    again = Emitted()
    again.take(fold(partition, log, max(0, len(log) - tail), len(log)))
    assert again == Emitted()
    assert final_bytes(partition) == before


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 7))
def test_looking_at_live_views_changes_no_result(log: list[bytes], every: int) -> None:
    expected, whole = folded(log)
    partition, emitted = Partition(0), Emitted()
    for at in range(len(log)):
        emitted.take(fold(partition, log, at, at + 1))
        if at % every == 0:
            partition.figures(partition.rooms.values())
            partition.details(partition.rooms.values())
            partition.progress()
    assert emitted == whole
    assert final_bytes(partition) == final_bytes(expected)


@EXAMPLES
@given(ordered_logs(), st.data())
def test_repeats_of_orders_refunds_complaints_and_checkouts_change_counters_only(
    events: list[Event], data: st.DataObject
) -> None:
    events = _without_jumps(events)
    once = run_embedded([encode(event) for event in events], partitions=1)
    refused = {b64decode(letter.record_base64) for letter in once.dead_letters}
    repeats = [
        (at, event)
        for at, event in enumerate(events)
        if event["type"] in REPEATABLE and encode(event) not in refused
    ]
    assume(repeats)
    chosen = data.draw(st.lists(st.sampled_from(repeats), min_size=1, max_size=8))
    log = list(events)
    for number, (at, event) in enumerate(chosen):
        later = data.draw(st.integers(at + 1, len(events)))
        repeat = event | {"event_id": f"again{number}"}
        if "amount_minor" in event:
            repeat["amount_minor"] = event["amount_minor"] + data.draw(st.integers(0, 5))
        log.insert(len(log) - (len(events) - later), repeat)
    twice = run_embedded([encode(event) for event in log], partitions=1)
    assert _but_counts(twice) == _but_counts(once)
    counts, before = plain(twice).run["counts"], plain(once).run["counts"]
    repeated = len(log) - len(events)
    assert counts.pop("duplicate") == before.pop("duplicate") + repeated
    assert counts.pop("events") == before.pop("events") + repeated
    assert counts == before
    assert plain(twice).run["by_type"] == plain(once).run["by_type"]


def _without_jumps(events: list[Event]) -> list[Event]:
    """The same events with shorter pauses, after a tick: so that no stamp has to wait.

    A repeat judges what waits like any other record, which is another law (the event clock's).
    """
    closer: list[Event] = [{"type": "tick", "event_id": "start", "ts_ms": BASE_MS - 60_000}]
    now_ms = before_ms = BASE_MS - 60_000
    for event in events:
        now_ms += min(MAX_JUMP_MS - 1, event["ts_ms"] - before_ms)
        before_ms = event["ts_ms"]
        closer.append(event | {"ts_ms": now_ms})
    return closer


def _but_counts(results: Results) -> tuple[Any, ...]:
    """All results but counters, and but the offsets of dead letters, which repeats move."""
    shown = plain(results)
    letters = [(each["reason"], each["record_base64"]) for each in shown.dead_letters]
    came_back = (shown.after_sales, shown.pitch)
    return shown.rooms, shown.minutes, shown.boards, letters, came_back, shown.run["watermark_ms"]


@EXAMPLES
@given(shuffled_logs(), st.integers(1, 4))
def test_arrival_order_inside_the_lateness_bound_changes_peak_online_at_most(
    logs: tuple[list[Event], list[Event]], partitions: int
) -> None:
    ordered, shuffled = (
        plain(run_embedded([encode(event) for event in log], partitions=partitions)) for log in logs
    )
    for row in (*ordered.rooms, *shuffled.rooms):
        del row["peak_online"]
    assert shuffled.rooms == ordered.rooms
    assert shuffled.minutes == ordered.minutes
    assert shuffled.boards == ordered.boards
    assert shuffled.after_sales == ordered.after_sales
    assert shuffled.pitch == ordered.pitch
    assert shuffled.run == ordered.run


@EXAMPLES
@given(adversarial_logs())
def test_the_fold_does_not_modify_its_input(log: list[bytes]) -> None:
    events = codec.decode_all(log)
    shown = [_shown(event) for event in events]
    offsets = list(range(len(log)))
    partition = Partition(0)
    partition.fold(offsets, log, events)
    partition.end(BASE_MS + 2 * DAY_MS)
    partition.figures(partition.rooms.values())
    assert [_shown(event) for event in events] == shown
    assert offsets == list(range(len(log)))


def _shown(event: Any) -> object:
    return event.args if isinstance(event, Exception) else codec.encode(event)


@EXAMPLES
@given(adversarial_logs())
def test_the_watermark_never_retreats(log: list[bytes]) -> None:
    partition = Partition(0)
    seen: list[int] = []
    for at in range(len(log)):
        fold(partition, log, at, at + 1)
        if partition.watermark_ms is not None:
            seen.append(partition.watermark_ms)
        else:
            assert not seen
    assert seen == sorted(seen)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 4))
def test_each_minute_is_emitted_once_and_only_when_the_watermark_has_passed_its_end(
    log: list[bytes], partitions: int
) -> None:
    emitted: Counter[tuple[str, int]] = Counter()
    for number, own in enumerate(dealt(log, partitions)):
        partition = Partition(number)
        before: list[int] = []
        for at in range(len(own)):
            lines = fold(partition, own, at, at + 1).minutes
            emitted.update((line.room_id, line.minute_ms) for line in lines)
            for line in lines:
                assert partition.watermark_ms is not None
                assert line.minute_ms + 60_000 <= partition.watermark_ms
            before += [line.minute_ms for line in lines]
        assert before == sorted(before)
    assert set(emitted.values()) <= {1}


@EXAMPLES
@given(adversarial_logs())
def test_money_adds_up_in_every_summary_product_and_board(log: list[bytes]) -> None:
    results = plain(run_embedded(log))
    gross: Counter[str | None] = Counter()
    for room in results.rooms:
        assert room["net_minor"] == room["gross_minor"] - room["refunded_minor"]
        assert room["trusted_minor"] <= room["net_minor"]
        gross[room["currency"]] += room["gross_minor"]
    for board in results.boards:
        rows = board["rows"]
        assert all(row["net_minor"] <= row["gross_minor"] for row in rows)
        if board["window"] != "total":
            continue
        for row in rows:
            assert row["net_minor"] == row["gross_minor"] - row["refunded_minor"]
            assert row["trusted_minor"] <= row["net_minor"]
        total = sum(row["gross_minor"] for row in rows)
        if board["scope"] in ("room", "product"):
            assert total == gross[board["currency"]]
        else:  # hosts, agencies and merchants may be unknown
            assert total <= gross[board["currency"]]


@st.composite
def sales(draw: st.DrawFn) -> list[Event]:
    """Orders of different ids and one price, at any stamps."""
    steps = st.sampled_from((0, 1, 7_000, 59_999, 60_000, 300_000, -5_000, -60_000, -400_000))
    now_ms, log = BASE_MS, []
    for number in range(draw(st.integers(1, 40))):
        now_ms += draw(steps)
        absurd_ms = draw(st.sampled_from((0, 0, 0, 0, 0, 0, 0, 30 * DAY_MS)))
        log.append(
            {
                "type": "order",
                "event_id": f"e{number}",
                "ts_ms": now_ms + absurd_ms,
                "room_id": draw(st.sampled_from(("r1", "r2"))),
                "order_id": f"o{number}",
                "buyer_id": "b",
                "product_id": "p",
                "quantity": 1,
                "amount_minor": 700,
            }
        )
    return log


@EXAMPLES
@given(sales())
def test_money_in_minutes_and_late_and_future_money_are_all_the_money(log: list[Event]) -> None:
    results = plain(run_embedded([encode(event) for event in log]))
    counts = results.run["counts"]
    outside = counts["late"] + counts["future"]
    assert sum(room["gross_minor"] for room in results.rooms) == 700 * len(log)
    assert sum(line["gross_minor"] for line in results.minutes) == 700 * (len(log) - outside)
    assert sum(line["orders"] for line in results.minutes) == len(log) - outside


@EXAMPLES
@given(ordered_logs(), st.integers(2, 9))
def test_the_ledger_of_a_room_does_not_depend_on_the_partition_count(
    events: list[Event], partitions: int
) -> None:
    log = [encode(event) for event in events]
    one, many = (_ledgers(run_embedded(log, partitions=count)) for count in (1, partitions))
    assert one == many


def _ledgers(results: Results) -> list[list[Any]]:
    return [[room["room_id"], *(room[name] for name in LEDGER)] for room in plain(results).rooms]


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 4))
def test_every_record_has_one_outcome_and_every_refused_one_a_dead_letter(
    log: list[bytes], partitions: int
) -> None:
    results = plain(run_embedded(log, partitions=partitions))
    counts = results.run["counts"]
    assert counts["events"] == len(log)
    assert counts["events"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
    assert sum(results.run["by_type"].values()) == counts["accepted"]
    assert sum(results.run["rejected_by_reason"].values()) == counts["rejected"]
    whole = Counter(_coordinates(results.dead_letters))
    assert set(whole.values()) <= {1}
    assert len(whole) >= counts["rejected"]


def _coordinates(letters: Sequence[dict[str, Any]]) -> list[tuple[int, int]]:
    return [(each["partition"], each["offset"]) for each in letters]


def test_the_logs_of_these_laws_hold_what_the_laws_are_about() -> None:
    """A law over empty logs would pass: count what the strategies make."""
    seen: Counter[str] = Counter()

    @settings(max_examples=150)
    @given(adversarial_logs())
    def look(log: list[bytes]) -> None:
        run = plain(run_embedded(log)).run
        seen.update({name: count > 0 for name, count in run["counts"].items()})
        seen.update({f"refused {name}": 1 for name in run["rejected_by_reason"]})
        seen.update(dict.fromkeys(run["by_type"], 1))

    look()
    expected = {"late", "future", "duplicate", "refused future", "refused over_refund", "tick"}
    assert {name for name in expected if seen[name] >= 10} == expected, json.dumps(seen)
    assert final_figures(Partition(0)) == ([], [])
