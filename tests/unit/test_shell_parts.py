"""What needs no broker of the shell: ticks, liveness, the text that a scrape gets."""

# ruff: noqa: ANN401 - JSON values and facts of events have no common type

import re
from dataclasses import replace
from typing import Any

from schemas import codec
from schemas.clock import OUT_OF_ORDER_MS
from schemas.codec import Tick
from schemas.records import Counts, Progress, Version
from streams.core.boards import BoardFold
from streams.core.integrity.alert_book import MAPS
from streams.core.limits import CAPS
from streams.core.market import live
from streams.embedded import EmbeddedRun
from streams.shell.liveness import stuck_partitions
from streams.shell.metrics import WorkerCollector, WorkerView, exposition
from streams.shell.ring_metrics import RING_MAPS, FollowedView
from streams.shell.room_stage import PartitionHealth
from streams.shell.ticker import Ticker, tick_record
from tests.unit.making import figures, order, progress, view

# --- ticks --------------------------------------------------------------------------------------


class Seconds:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def seen(*marks: int | None, offsets: tuple[int, ...] = (10, 10, 10)) -> dict[int, Progress]:
    return {
        number: progress(number, mark, offset)
        for number, (mark, offset) in enumerate(zip(marks, offsets, strict=False))
    }


ENDS = {0: 10, 1: 10, 2: 10}
MOVED = {0: 11, 1: 11, 2: 10}


def test_a_silent_partition_gets_a_tick_at_the_least_watermark_of_the_others() -> None:
    seconds = Seconds()
    ticker = Ticker(3, 5, seconds)
    assert ticker.due(seen(100_000, 90_000, 0), ENDS) == {}
    seconds.now += 5
    moved = seen(100_000, 90_000, 0, offsets=(11, 11, 10))
    assert ticker.due(moved, MOVED) == {2: 90_000}


def test_a_partition_that_was_never_heard_of_gets_a_tick_as_well() -> None:
    seconds = Seconds()
    ticker = Ticker(2, 5, seconds)
    ticker.due(seen(100_000), {0: 10, 1: 0})
    seconds.now += 5
    assert ticker.due(seen(100_000, offsets=(11,)), {0: 11, 1: 0}) == {1: 100_000}


def test_nothing_is_written_before_a_partition_was_silent_long_enough() -> None:
    seconds = Seconds()
    ticker = Ticker(3, 5, seconds)
    ticker.due(seen(100_000, 90_000, 0), ENDS)
    seconds.now += 4.9
    assert ticker.due(seen(100_000, 90_000, 0, offsets=(11, 11, 10)), MOVED) == {}


def test_nothing_is_written_while_all_partitions_are_silent() -> None:
    seconds = Seconds()
    ticker = Ticker(3, 5, seconds)
    ticker.due(seen(1, 2, 3), ENDS)
    seconds.now += 60
    assert ticker.due(seen(1, 2, 3), ENDS) == {}


def test_a_tick_that_would_not_move_the_partition_is_not_written() -> None:
    seconds = Seconds()
    ticker = Ticker(2, 5, seconds)
    for mark, expected in (
        (100_000 - OUT_OF_ORDER_MS, {}),
        (99_999 - OUT_OF_ORDER_MS, {1: 100_000}),
    ):
        ticker.due(seen(100_000, mark), {0: 10, 1: 10})
        seconds.now += 5
        moved = seen(100_000, mark, offsets=(11, 10))
        assert ticker.due(moved, {0: 11, 1: 10}) == expected


def test_a_partition_with_records_that_nobody_folded_yet_is_not_silent() -> None:
    seconds = Seconds()
    ticker = Ticker(2, 5, seconds)
    behind = {0: 11, 1: 50}
    ticker.due(seen(100_000, 0), behind)
    seconds.now += 60
    assert ticker.due(seen(100_000, 0, offsets=(12, 10)), {0: 12, 1: 50}) == {}


def test_a_partition_before_its_first_watermark_gets_a_tick() -> None:
    seconds = Seconds()
    ticker = Ticker(2, 5, seconds)
    ticker.due(seen(100_000, None), ENDS)
    seconds.now += 5
    assert ticker.due(seen(100_000, None, offsets=(11, 10)), {0: 11, 1: 10}) == {1: 100_000}


def test_each_tick_is_a_valid_event_of_its_own() -> None:
    first, second = codec.decode(tick_record(2**40)), codec.decode(tick_record(2**40))
    assert isinstance(first, Tick)
    assert first.ts_ms == 2**40
    assert first.event_id != second.event_id


# --- the worker's view --------------------------------------------------------------------------


def view_of(**changed: Any) -> WorkerView:
    nothing = WorkerView(
        progress={}, health={}, lag={}, boards=[], rooms={}, leads=False, now=50.0, epoch_ms=0
    )
    return replace(nothing, **changed)


def test_a_partition_with_lag_and_without_progress_is_stuck_after_a_while() -> None:
    health = {
        number: PartitionHealth(progressed_at=at) for number, at in ((0, 19), (1, 21), (2, 0))
    }
    busy = view_of(progress=seen(1, 1, 1), health=health, lag={0: 5, 1: 5, 2: 0})
    assert stuck_partitions(busy, 30) == [0]
    assert stuck_partitions(busy, 28) == [0, 1]


def test_a_partition_whose_state_is_never_loaded_is_stuck() -> None:
    waiting = view_of(health={3: PartitionHealth(progressed_at=0)})
    assert stuck_partitions(waiting, 30) == [3]
    assert stuck_partitions(waiting, 60) == []


def small_view() -> WorkerView:
    known = Progress(
        version=Version(2, 40),
        watermark_ms=1_000_500,
        counts=Counts(events=9, accepted=6, duplicate=2, rejected=1, late=3),
        rejected_by_reason={"not_json": 1},
        by_type={"order": 4, "view": 2},
        duplicate_by_type={"order": 2},
        evicted={"orders": 7},
        rules_version=None,
        rooms=1,
        waiting=5,
    )
    health = PartitionHealth(
        batches=3, records=9, fold_seconds=0.25, largest_batch=4, saved_at=48.0, saved_bytes=123
    )
    fold = BoardFold()
    fold.apply_room(figures("r1", gross_minor=900, net_minor=800, orders=3, host_name="主播"))
    fold.apply_room(figures("r2", gross_minor=100, online=7, currency=None))
    return view_of(
        progress={2: known},
        health={2: health},
        lag={2: 11},
        boards=fold.boards(),
        rooms=fold.rooms,
        leads=True,
        epoch_ms=1_003_000,
    )


def exposed(shown: WorkerView, rows: int = 1) -> list[str]:
    text = exposition(WorkerCollector(lambda: shown, rows)).decode()
    return [line for line in text.splitlines() if not line.startswith("#")]


def starting(lines: list[str], *names: str) -> list[str]:
    return [line for line in lines if line.startswith(names)]


def room_gross(lines: list[str]) -> list[str]:
    return [line for line in starting(lines, "roompulse_board_gross_minor{") if '"room"' in line]


def test_events_are_exposed_as_counters_by_partition_reason_and_type() -> None:
    assert starting(exposed(small_view()), "roompulse_events_") == [
        'roompulse_events_accepted_total{partition="2"} 6.0',
        'roompulse_events_duplicate_total{partition="2"} 2.0',
        'roompulse_events_rejected_total{partition="2"} 1.0',
        'roompulse_events_late_total{partition="2"} 3.0',
        'roompulse_events_future_total{partition="2"} 0.0',
        'roompulse_events_broadcast_total{partition="2"} 0.0',
        'roompulse_events_rejected_by_reason_total{partition="2",reason="not_json"} 1.0',
        'roompulse_events_by_type_total{partition="2",type="order"} 4.0',
        'roompulse_events_by_type_total{partition="2",type="view"} 2.0',
    ]


def test_the_state_of_a_worker_is_exposed_by_partition() -> None:
    names = ("consumer_", "watermark_", "rooms", "clock_", "checkpoint_", "batch", "fold_")
    found = starting(exposed(small_view()), *(f"roompulse_{name}" for name in names))
    expected = {
        'roompulse_consumer_lag_records{partition="2"} 11.0',
        'roompulse_consumer_next_offset{partition="2"} 40.0',
        'roompulse_watermark_seconds{partition="2"} 1000.5',
        'roompulse_watermark_delay_seconds{partition="2"} 2.5',
        'roompulse_rooms{partition="2"} 1.0',
        'roompulse_clock_waiting_records{partition="2"} 5.0',
        'roompulse_checkpoint_age_seconds{partition="2"} 2.0',
        'roompulse_checkpoint_bytes{partition="2"} 123.0',
        'roompulse_batch_records_max{partition="2"} 4.0',
        'roompulse_batches_total{partition="2"} 3.0',
        'roompulse_batch_records_total{partition="2"} 9.0',
        'roompulse_fold_seconds_total{partition="2"} 0.25',
    }
    assert expected <= set(found)


def test_every_full_map_is_exposed_with_its_cap() -> None:
    lines = exposed(small_view())
    of_others = {*MAPS, *live.MAPS, *RING_MAPS}
    shown = starting(lines, "roompulse_state_evicted_total")
    assert len(shown) == len(CAPS) - len(of_others)
    assert len(starting(lines, "roompulse_state_cap")) == len(CAPS)
    assert 'roompulse_state_evicted_total{map="orders",partition="2"} 7.0' in lines
    assert 'roompulse_state_cap{map="rooms"} 200000.0' in lines


def test_what_rings_gave_up_is_exposed_once_and_their_lag_by_topic() -> None:
    followed = [
        FollowedView("identity-links", 0, 3, {"identities": 2}),
        FollowedView("identity-links", 1, 4, {"identities": 5}),
        FollowedView("ring-marks", 0, 0),
    ]
    lines = exposed(view_of(followed=followed))
    assert starting(lines, "roompulse_followed_lag_records") == [
        'roompulse_followed_lag_records{topic="identity-links"} 7.0',
        'roompulse_followed_lag_records{topic="ring-marks"} 0.0',
    ]
    given_up = starting(lines, "roompulse_followed_evicted_total")
    assert 'roompulse_followed_evicted_total{map="identities"} 7.0' in given_up
    assert len(given_up) == len(RING_MAPS)


def test_the_first_rows_of_each_board_are_exposed_and_no_more() -> None:
    lines = exposed(small_view())
    leads, *_ = starting(lines, "roompulse_board_leader")
    assert leads == "roompulse_board_leader 1.0"
    where = 'currency="CNY",key="r1",name="主播",scope="room",window="total"'
    unknown = 'currency="",key="r2",name="host of r2",scope="room",window="total"'
    assert room_gross(lines) == [
        f"roompulse_board_gross_minor{{{unknown}}} 100.0",
        f"roompulse_board_gross_minor{{{where}}} 900.0",
    ]
    assert f"roompulse_board_net_minor{{{where}}} 800.0" in lines
    assert not starting(lines, f"roompulse_board_momentum{{{where}}}")
    assert 'roompulse_room_online{room_id="r2"} 7.0' in lines
    assert 'roompulse_platform_orders{currency="CNY"} 3.0' in lines
    assert 'roompulse_platform_gross_minor{currency=""} 100.0' in lines


def test_a_worker_without_partitions_and_boards_exposes_that_it_has_none() -> None:
    lines = exposed(view_of())
    assert {line.split("{")[0].split(" ")[0] for line in lines} == {
        "roompulse_state_cap",
        "roompulse_board_leader",
    }


def test_no_partition_that_was_never_saved_or_has_no_watermark_exposes_an_age_of_it() -> None:
    young = view_of(progress=seen(None), health={0: PartitionHealth()})
    lines = exposed(young)
    assert not starting(lines, "roompulse_checkpoint_", "roompulse_watermark_")


CLOSED_LABELS = {
    "partition": r"\d*",
    "reason": r"not_json|unknown_type|invalid_field|too_large|over_refund|future",
    "type": r"[a-z_]+",
    "map": "|".join(CAPS),
    "scope": r"room|host|mcn|mode|category|merchant|product",
    "window": r"total|day|last_10m|last_60m",
    "currency": r"|[A-Z]{3}",
    "key": r".*",
    "name": r".*",
    "room_id": r".*",
}


def test_labels_are_bounded_and_name_no_viewer_buyer_or_order() -> None:
    run = EmbeddedRun(2)
    log = [
        codec.encode(each)
        for number in range(50)
        for each in (
            order(f"secret-order-{number}", 2**40, buyer_id=f"secret-buyer-{number}"),
            view(f"secret-viewer-{number}", 2**40, device_id="secret-device"),
        )
    ]
    run.feed([*log, b"{"])
    results = run.finish()
    shown = view_of(
        progress={each.version.partition: each for each in results.progress},
        health={each.version.partition: PartitionHealth() for each in results.progress},
        boards=results.boards,
        rooms=run.boards.rooms,
    )
    lines = exposed(shown, rows=3)
    assert room_gross(lines)
    assert not [line for line in lines if "secret" in line]
    for line in lines:
        assert line.startswith("roompulse_")
        for label, value in re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', line):
            assert re.fullmatch(CLOSED_LABELS[label], value), line


def test_the_number_of_series_follows_from_the_rows_asked_for() -> None:
    fold = BoardFold(top=0)
    for number in range(30):
        fold.apply_room(figures(f"r{number}", gross_minor=number))
    shown = view_of(boards=fold.boards(), rooms=fold.rooms)
    for rows in (0, 5):
        assert len(room_gross(exposed(shown, rows))) == rows
        assert len(starting(exposed(shown, rows), "roompulse_room_online{")) == rows
