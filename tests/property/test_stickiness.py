"""`stickiness.json` equals an independent naive count, whatever the log, its order and its cuts."""

from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final
from unittest.mock import patch

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import records
from schemas.calendar import calendar_of
from streams.core import limits
from streams.core.partition import Partition
from streams.embedded import EmbeddedRun
from tests.oracle.contract import Event
from tests.oracle.malformed import encode
from tests.oracle.stickiness import Festival, stickiness
from tests.oracle.strategies import adversarial_logs, shuffle_within_lateness
from tests.property.driving import dealt, fold, restarted

EXAMPLES = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
START_MS: Final = 1_793_462_400_000  # 2026-11-01T00:00 in Shanghai is 2026-10-31T16:00Z
ROOMS: Final = ("r1", "r2", "r3", "r4", "直播间8", "r6")
PEOPLE: Final = ("u1", "u2", "u3", "u4")
ORDERS: Final = tuple(f"o{number}" for number in range(12))
ZONES: Final = ("Asia/Shanghai", "UTC", "America/New_York", "America/St_Johns", "Asia/Kathmandu")

Draw = Callable[..., Any]


@st.composite
def calendars(draw: Draw) -> list[Festival]:
    """Up to two windows before, in, around and after the days that logs are about."""
    found = []
    for name in draw(st.lists(st.sampled_from(("f1", "f2", "f3")), max_size=2, unique=True)):
        first = date(2026, 11, 1) + timedelta(days=draw(st.integers(-40, 60)))
        length = draw(st.sampled_from((1, 1, 3, 11, 40)))
        found.append(Festival(name, first, first + timedelta(days=length - 1)))
    return found


def ours(
    log: Sequence[bytes], *, partitions: int, zone: str, calendar: Sequence[Festival], chunk: int
) -> dict[str, Any]:
    entries = [
        {"festival": each.festival, "first_day": each.first_day, "last_day": each.last_day}
        for each in calendar
    ]
    run = EmbeddedRun(partitions, zone, calendar=calendar_of(entries))
    for at in range(0, len(log), chunk):
        run.feed(log[at : at + chunk])
    report = run.finish().stickiness
    assert report is not None
    found: dict[str, Any] = msgspec.json.decode(records.encode(report))
    return found


@st.composite
def moments_ms(draw: Draw) -> int:
    """How far event time moves on: within a visit, within a day, over midnight, by days, weeks."""
    kind = draw(st.integers(0, 9))
    if kind < 4:
        return int(draw(st.sampled_from((0, 1, 1_000, 30_000, 89_999, 90_000))))
    if kind < 6:
        return int(draw(st.sampled_from((600_000, HOUR_MS, 5 * HOUR_MS))))
    days = draw(st.sampled_from((1, 1, 1, 2, 6, 7, 8, 29, 30, 31)))
    return int(days * DAY_MS + draw(st.sampled_from((-1, 0, 1, -HOUR_MS))))


def _event(draw: Draw, number: int, ts_ms: int) -> Event:
    room_id = draw(st.sampled_from(ROOMS))
    head: Event = {"type": "", "event_id": f"e{number}", "ts_ms": ts_ms, "room_id": room_id}
    person = draw(st.sampled_from(PEOPLE))
    kind = draw(st.sampled_from(("view",) * 5 + ("order",) * 4 + ("refund",) * 2 + ("opened",) * 3))
    match kind:
        case "view":
            action = draw(st.sampled_from(("enter", "heartbeat", "leave", "leave", "like")))
            return head | {"type": "view", "viewer_id": person, "action": action}
        case "order":
            return head | {
                "type": "order",
                "order_id": draw(st.sampled_from(ORDERS)),
                "buyer_id": person,
                "product_id": "p",
                "quantity": 1,
                "amount_minor": draw(st.sampled_from((0, 1, 100, 250))),
            }
        case "refund":
            back_ms = draw(st.sampled_from((0, HOUR_MS, DAY_MS, 20 * DAY_MS)))
            return head | {
                "type": "refund",
                "refund_id": f"f{draw(st.integers(0, 30))}",
                "order_id": draw(st.sampled_from(ORDERS)),
                "buyer_id": person,
                "product_id": "p",
                "amount_minor": draw(st.sampled_from((1, 100, 400))),
                "ordered_ts_ms": draw(st.sampled_from((ts_ms - back_ms, ts_ms - back_ms, -5))),
                "reason": "other",
            }
    return head | {
        "type": "room_opened",
        "host_id": draw(st.sampled_from(("h1", "h1", "h2"))),
        "mode": "store",
        "category": draw(st.sampled_from(("beauty", "food"))),
        "currency": draw(st.sampled_from(("CNY", "CNY", "USD"))),
    }


@st.composite
def seasons(draw: Draw, max_events: int = 50, *, ticks: bool = False) -> list[Event]:
    """Events of many days in order of time; a tick where time moves far, as in a live log.

    With `ticks`, it is never missing, so that every stamp is believed at once.
    """
    now_ms = START_MS + draw(st.sampled_from((0, -1, 12 * HOUR_MS, -70 * DAY_MS)))
    events: list[Event] = [{"type": "tick", "event_id": "t", "ts_ms": now_ms}] if ticks else []
    for number in range(draw(st.integers(0, max_events))):
        step_ms = draw(moments_ms())
        now_ms += step_ms
        if step_ms > 500_000 and (ticks or draw(st.integers(0, 5))):
            events.append({"type": "tick", "event_id": f"t{number}", "ts_ms": now_ms})
        events.append(_event(draw, number, now_ms))
    return events


@st.composite
def rough_seasons(draw: Draw) -> list[bytes]:
    """A season with stamps of the past and the future, and with records that come again."""
    log: list[bytes] = []
    for event in draw(seasons()):
        kind = draw(st.integers(0, 15))
        if kind == 0:
            shift_ms = draw(st.sampled_from((-DAY_MS, -40 * DAY_MS, 3 * DAY_MS, -5_001)))
            event = event | {"ts_ms": event["ts_ms"] + shift_ms}  # noqa: PLW2901
        log.append(encode(event))
        if kind == 1:
            log.append(draw(st.sampled_from(log)))
    return log


@EXAMPLES
@given(rough_seasons(), st.integers(1, 5), st.sampled_from(ZONES), calendars(), st.integers(1, 60))
def test_every_figure_of_a_season_equals_the_naive_count(
    log: list[bytes], partitions: int, zone: str, calendar: list[Festival], chunk: int
) -> None:
    mine = ours(log, partitions=partitions, zone=zone, calendar=calendar, chunk=chunk)
    assert mine == stickiness(log, partitions, zone, calendar)


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5), calendars())
def test_every_figure_of_an_adversarial_log_equals_the_naive_count(
    log: list[bytes], partitions: int, calendar: list[Festival]
) -> None:
    zone = "Asia/Shanghai"
    mine = ours(log, partitions=partitions, zone=zone, calendar=calendar, chunk=7)
    assert mine == stickiness(log, partitions, zone, calendar)


def sure(event: Event) -> Event:
    """Give orders and refunds ids of their own: which of two repeats counts hangs on which came."""
    own = {"order": {"order_id": event["event_id"]}}
    own["refund"] = {"order_id": f"not {event['event_id']}", "refund_id": event["event_id"]}
    return event | own.get(event["type"], {})


@EXAMPLES
@given(
    seasons(ticks=True),
    st.lists(st.sampled_from((0, 1, 2_500, 5_000)), min_size=101, max_size=101),
    st.integers(1, 5),
    calendars(),
)
def test_arrival_order_inside_the_lateness_bound_and_the_partition_count_change_nothing(
    events: list[Event], delays_ms: list[int], partitions: int, calendar: list[Festival]
) -> None:
    events = [sure(event) for event in events]
    delays_ms = [
        0 if event["type"] == "tick" else delay_ms
        for event, delay_ms in zip(events, delays_ms, strict=False)
    ]
    shuffled = shuffle_within_lateness(events, delays_ms)
    first, second = (
        ours(
            [encode(event) for event in log],
            partitions=count,
            zone="Asia/Shanghai",
            calendar=calendar,
            chunk=1_000,
        )
        for log, count in ((events, 1), (shuffled, partitions))
    )
    assert second == first


@EXAMPLES
@given(rough_seasons(), st.integers(0, 100), st.sampled_from((1, 3, 1_000)))
def test_a_season_that_is_cut_anywhere_and_restored_leaves_the_same_state(
    log: list[bytes], cut: int, cap: int
) -> None:
    caps = dict.fromkeys(("room_days", "room_day_people"), (cap, ""))
    zone = "America/New_York"
    with patch.dict(limits.CAPS, caps):
        (log,) = dealt(log, 1)
        whole, partition = Partition(0, zone=zone), Partition(0, zone=zone)
        fold(whole, log, 0, len(log))
        fold(partition, log, 0, cut)
        partition = restarted(partition)
        fold(partition, log, partition.next_offset, len(log))
        assert partition.stickiness.snapshot() == whole.stickiness.snapshot()
        assert partition.evictions.counts == whole.evictions.counts
        for each in (partition, whole):
            assert len(each.stickiness.room_days) <= cap
            assert each.stickiness.people <= cap
