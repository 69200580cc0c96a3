"""When are viewers suspected to be bought, which of them by name, and what is innocent?"""

from typing import Any

import pytest

from schemas.records import Alert
from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.audience_norms import Leaving, Norm, OwnNorm, SuspectedViewers
from streams.core.integrity.crowd_cells import SIGNS, Cell, CrowdCells
from streams.core.integrity.stay_shapes import HOUR_MS, Stays, StayShapes
from streams.core.integrity.stretch import Stretches
from streams.core.pane import Pane, Stay
from streams.embedded import EmbeddedRun
from tests.property.running import run_embedded
from tests.unit.attack import MINUTE_MS, START_MS, Event, encoded, in_order, opened
from tests.unit.signals import (
    ROOM,
    alerts_of,
    at,
    bought,
    passers_by,
    product,
    sold,
    watched,
)


def evening(*parts: list[Event]) -> list[Event]:
    ticks = [{"type": "tick", "event_id": f"t{n}", "ts_ms": at(81 + 9 * n)} for n in range(12)]
    return in_order([opened(ROOM)], passers_by(), ticks, *parts)


def raised(*parts: list[Event], rules: dict[str, Any] | None = None) -> list[Alert]:
    return alerts_of(evening(*parts), "fake_viewers", rules=quick_to_learn(rules or {}))


def quick_to_learn(rules: dict[str, Any]) -> RuleSet:
    """In a small room it takes long until the usual number of visits has taught."""
    return RuleSet.model_validate({"fake_viewers": {"taught_visits": 40, **rules}})


def named(*parts: list[Event]) -> list[str]:
    """The viewers suspected by name at the end."""
    run = EmbeddedRun(1, rules=quick_to_learn({}))
    run.feed(encoded(evening(*parts)))
    run.finish()
    suspects = run.partitions[0].detectors.suspected_viewers
    return sorted(viewer for room, viewer in suspects.by_viewer)


def signals_of(alert: Alert) -> dict[str, float]:
    return {each.signal: each.observed for each in alert.evidence}


def test_bought_viewers_are_paged_with_what_was_seen_and_what_is_normal() -> None:
    first, *_, last = raised(bought())
    assert (first.kind, first.room_id, first.status) == ("fake_viewers", ROOM, "firing")
    assert at(59) <= first.started_ms <= at(69)
    assert first.updated_ms <= at(72)
    (page, *_) = [each for each in raised(bought()) if each.severity == "page"]
    assert page.score >= 30 > page.threshold
    seen = {each.signal: each for each in page.evidence}
    assert seen["few_bounces"].observed < 0.1
    assert seen["few_bounces"].expected > 0.3
    assert seen["shared_devices"].observed > 0.7
    assert "were gone within 5 s" in page.summary
    assert (last.status, last.alert_id) == ("resolved", first.alert_id)
    assert len({each.alert_id for each in raised(bought())}) == 1


def test_the_card_tells_the_conversion_without_the_suspects() -> None:
    buyers = [sold(n, 66 + n / 2, buyer_id=f"guest {66 + n // 2}") for n in range(8)]
    page = next(each for each in raised(bought(), buyers) if each.severity == "page")
    figures = {each.signal: each for each in page.evidence}
    assert figures["suspected_visits"].observed > 0.7
    with_them, without = figures["orders_by_visit"].observed, figures["orders_by_visit"].expected
    assert without > 3 * with_them > 0
    assert f"{without:.1%} orders a visit instead of {with_them:.1%}" in page.summary
    assert figures["orders_by_visit"].weight == 0


def test_who_stayed_silent_for_long_is_suspected_by_name_and_nobody_else() -> None:
    assert named(bought()) == sorted(f"bot {n}" for n in range(150))


def test_who_is_suspected_by_name_is_in_no_trusted_figure() -> None:
    results = run_embedded(encoded(evening(bought())), rules=quick_to_learn({}))
    assert results.stickiness is not None
    platform: Any = results.stickiness["platform"]
    assert platform["viewers"] == 80 + 80 + 150
    assert platform["viewers_trusted"] == 80 + 80
    rooms: Any = results.stickiness["rooms"]
    assert [(row["viewers"], row["viewers_trusted"]) for row in rooms] == [(310, 160)]


def test_conversion_is_told_without_the_suspects() -> None:
    buyers = [sold(n, 70 + n / 10, buyer_id=f"guest {n}") for n in range(16)]
    results = run_embedded(encoded(evening(bought(), buyers)), rules=quick_to_learn({}))
    assert results.audience is not None
    rows: list[Any] = [results.audience["platform"], *results.audience["hosts"]]
    for row in rows:
        assert (row["viewers"], row["viewers_trusted"]) == (310, 160)
        assert row["buyers"] == row["buyers_trusted"] == 16
        assert row["conversion"] == pytest.approx(16 / 310, abs=1e-4)
        assert row["conversion_trusted"] == pytest.approx(16 / 160, abs=1e-4)
    (room, *others) = results.audience["rooms"]
    shown: Any = room
    assert others == []
    assert shown["uv_value_minor"] == pytest.approx(16 * 1_000 / 310, abs=1e-4)
    assert shown["uv_value_minor_trusted"] == pytest.approx(16 * 1_000 / 160, abs=1e-4)


def test_a_review_names_nobody() -> None:
    crowd = bought(devices=150)  # one family of evidence: the room is too quiet to tell silence
    assert {each.severity for each in raised(crowd)} == {"review"}
    assert named(crowd) == []


def many(kind: str, action: str, seconds: float) -> list[Event]:
    events = []
    for n in range(100):
        events += watched(f"{kind} {n}", 66 + n / 20, seconds, action, f"own {n}")
    return events


def buyers_who_come_at_once() -> list[Event]:
    """A crowd that stays and buys within seconds."""
    crowd = many("buyer", "click", 60)
    return crowd + [sold(3_000 + n, 66 + n / 20 + 0.2, buyer_id=f"buyer {n}") for n in range(100)]


def half_of_them_gone_at_once() -> list[Event]:
    return many("one", "comment", 2)[: 2 * 50] + many("other", "comment", 90)[: 3 * 50]


@pytest.mark.parametrize(
    ("events", "why"),
    [
        ([], "an ordinary evening"),
        (bought(count=15), "few"),
        (buyers_who_come_at_once(), "who buys is no mere viewer"),
        (half_of_them_gone_at_once(), "a crowd with the usual share of passers-by"),
        (many("raid", "comment", 3), "a raid that looks and leaves, in minutes"),
    ],
)
def test_innocent_crowds_raise_nothing(events: list[Event], why: str) -> None:
    assert raised(events) == [], why


def test_one_ip_for_all_is_no_sign() -> None:
    crowd = many("colleague", "comment", 2)[:100] + many("friend", "comment", 90)[:150]
    for event in crowd:
        if event["action"] == "enter":
            event["ip_id"] = "office"
    assert raised(crowd) == []


def test_nothing_is_raised_before_it_is_known_what_is_normal() -> None:
    assert raised(bought(count=60, first_minute=5)) == []


def test_rules_decide_when_it_is_told() -> None:
    assert raised(bought(), rules={"review": 1_000, "page": 2_000}) == []
    assert not any(each.severity == "page" for each in raised(bought(), rules={"page": 1_000}))


# --- stretches


def pane(minute: int, visits: int = 0, stays: int = 0, *, closes: bool = False) -> Pane:
    made = Pane(START_MS + minute * MINUTE_MS)
    made.visits, made.closings = visits, int(closes)
    made.stays = [Stay(f"v{n}", START_MS, 60_000, False) for n in range(stays)]
    return made


def lengths(panes: list[Pane]) -> list[int]:
    stretches = Stretches()
    found = [stretches.take(each, 4) for each in panes]
    return [each.minutes for each in found if each is not None]


def test_a_stretch_is_one_busy_minute_or_ten_quiet_ones() -> None:
    assert lengths([pane(n, 20) for n in range(3)]) == [1, 1, 1]
    assert lengths([pane(n, 7) for n in range(7)]) == [3, 3]
    assert lengths([pane(n, 1) for n in range(25)]) == [10, 10]
    assert lengths([pane(0, 1), pane(1, 1, stays=10), pane(2)]) == [2]
    assert lengths([pane(0, 1), pane(1, closes=True)]) == [2]


def test_a_stretch_adds_its_minutes_up_and_comes_back_from_a_checkpoint() -> None:
    stretches = Stretches()
    first = pane(0, 5, stays=2)
    first.devices = {"v": "d"}
    first.bounces, first.orders, first.likes, first.clicks = 2, 1, 3, 4
    assert stretches.take(first, 4) is None
    again = Stretches()
    again.restore(stretches.snapshot())
    stretch = again.take(pane(1, 15), 8)
    assert stretch == stretches.take(pane(1, 15), 8)
    assert stretch is not None
    assert (stretch.visits, stretch.bounces, stretch.orders, stretch.actions) == (20, 2, 1, 7)
    assert (stretch.online_before, stretch.online, stretch.online_minutes) == (0, 8, 2 + 6)


# --- what is normal


def test_a_norm_stays_within_half_of_the_partitions_whatever_the_past_of_a_room() -> None:
    norm = Norm(0.5, 0.02, 0.98, 50)
    assert norm.expected(0, 0) == pytest.approx(0.5)
    assert norm.expected(10**6, 0) == pytest.approx(0.26)
    assert norm.expected(10**6, 10**6) == pytest.approx(0.74)
    norm.learn(49_999, 0)
    assert norm.expected(0, 0) == pytest.approx(0.02)
    norm.learn(1, 0)
    assert norm.of == 25_000


def test_what_three_quarters_of_the_rooms_have_in_common_bounds_what_is_expected() -> None:
    norm = Norm(0.5, 0.02, 0.98, 50)
    norm.learn(1_000, 500)
    for n in range(3):
        norm.told(f"r{n}", 0.1)
    assert norm.upper == pytest.approx(0.98)  # of three rooms nothing is said
    norm.told("r3", 0.6)
    own = OwnNorm(norm)
    assert own.take(50, 5)
    own.tell("r4", 100, is_calm=True)
    assert own.low == pytest.approx(0.1)
    assert own.high is not None
    assert own.high > 0.4


def test_a_room_under_suspicion_teaches_nothing() -> None:
    norm = Norm(0.5, 0.02, 0.98, 50)
    norm.learn(1_000, 500)
    own = OwnNorm(norm)
    own.take(50, 0)
    own.tell("r", 100, is_calm=False)
    assert (norm.of, norm.seen) == (1_000, 500)
    assert own.low == pytest.approx(0.5, abs=0.01)


def test_a_norm_hears_of_so_many_rooms_at_most() -> None:
    norm = Norm(0.5, 0.02, 0.98, 50)
    for n in range(100):
        norm.told(f"r{n}", 0.5)
    assert norm.rooms == 64


def test_people_who_leave_most_rooms_at_once_accuse_none() -> None:
    leaving = Leaving()
    for _ in range(5):
        leaving.told(10 * MINUTE_MS)
    assert leaving.is_common(10 * MINUTE_MS, rooms=6)
    assert leaving.is_common(11 * MINUTE_MS, rooms=6)
    assert not leaving.is_common(10 * MINUTE_MS, rooms=20)
    assert not leaving.is_common(13 * MINUTE_MS, rooms=6)


# --- shapes of stays


def hour(lengths_s: list[int], *, acted: bool = True) -> Stays:
    stays = Stays()
    visits = [
        Stay(f"v{n}", n * 30_000 % HOUR_MS, seconds * 1_000, acted)
        for n, seconds in enumerate(lengths_s)
    ]
    stays.take(visits, 0)
    return stays


USUAL = [70, 120, 200, 300, 500, 800] * 20


def taught() -> StayShapes:
    shapes = StayShapes()
    for _ in range(4):
        shapes.learn(hour(USUAL), 1.0)
    return shapes


def test_stays_as_in_other_rooms_are_not_odd_and_stays_of_one_length_are() -> None:
    shapes = taught()
    usual = shapes.judge("r", hour(USUAL))
    assert usual is not None
    assert usual.weight == 0
    odd = shapes.judge("r", hour(USUAL + [1_800] * 60))
    assert odd is not None
    assert odd.weight == pytest.approx(25)
    assert (odd.seen, odd.of) == (60, 180)
    assert odd.base < 0.01


def test_when_visits_start_is_not_judged() -> None:
    raid = Stays()
    raid.take([Stay(f"v{n}", 0, length * 1_000, True) for n, length in enumerate(USUAL)], 0)
    found = taught().judge("r", raid)
    assert found is not None
    assert found.weight < 5


def test_stays_are_not_judged_before_any_are_known_or_when_there_are_few() -> None:
    assert StayShapes().judge("r", hour(USUAL)) is None
    assert taught().judge("r", hour(USUAL[:30])) is None


def test_what_is_odd_in_three_quarters_of_the_rooms_is_odd_in_none() -> None:
    shapes = taught()
    strange = USUAL + [1_800] * 30
    weights = []
    for n in range(8):
        odd = shapes.judge(f"r{n}", hour(strange))
        assert odd is not None
        weights.append(odd.weight)
    assert weights[0] > 12
    assert weights[-1] < 5


def test_from_which_length_silence_is_rare_is_learned() -> None:
    shapes = StayShapes()
    assert shapes.rarely_silent_from(0.1) is None
    shapes.learn(hour([70] * 50, acted=False), None)
    shapes.learn(hour([300] * 50), None)
    assert shapes.rarely_silent_from(0.1) == 3  # 250 to 400 s


def test_shapes_of_stays_forget_by_halves() -> None:
    shapes = StayShapes()
    for _ in range(500):
        shapes.learn(hour(USUAL), None)
    assert sum(shapes._lengths) < 50_000
    again = StayShapes()
    again.restore(shapes.snapshot())
    assert again.snapshot() == shapes.snapshot()
    assert again.judge("r", hour(USUAL)) == shapes.judge("r", hour(USUAL))


# --- cells and caps


def test_a_cell_never_falls_below_nothing_nor_rises_above_its_most() -> None:
    cell = Cell(10.0)
    cell.add(-3, 1, 1, 1, 0.5)
    assert (cell.value, cell.since_ms) == (0, 0)
    cell.add(30, 5, 1, 2, 0.5)
    assert (cell.value, cell.since_ms, cell.seen, cell.of) == (10, 5, 1, 2)
    cell.fade(MINUTE_MS, MINUTE_MS)
    assert cell.value == pytest.approx(10 / 2.718281828)
    cell.fade(100 * MINUTE_MS, MINUTE_MS)
    assert cell.value == 0


def test_the_score_is_the_greatest_cell_and_half_of_the_others() -> None:
    cells = CrowdCells()
    cells.few_bounces.add(20, 1, 1, 1, 0.5)
    cells.silent_audience.add(6, 1, 1, 1, 0.5)
    assert cells.score() == pytest.approx(23)
    assert cells.leading == pytest.approx(20)
    assert cells.strong(5) == ["few_bounces", "silent_audience"]
    again = CrowdCells()
    again.restore(cells.snapshot())
    assert [again.of(sign).value for sign in SIGNS] == [cells.of(sign).value for sign in SIGNS]


def test_too_many_suspected_viewers_give_up_who_left_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(limits.CAPS, "suspected_viewers", (16, ""))
    suspects, evictions = SuspectedViewers(), limits.Evictions()
    for n in range(20):
        suspects.add("r", Stay(f"v{n:02}", n, 60_000, False), evictions)
    assert [viewer for _, viewer in suspects.by_viewer] == [f"v{n:02}" for n in range(4, 20)]
    assert evictions.counts == {"suspected_viewers": 4}
    again = SuspectedViewers()
    again.restore(suspects.snapshot())
    assert again.by_viewer == suspects.by_viewer


@pytest.mark.parametrize("name", ["silent_stays", "minute_visits"])
def test_full_maps_of_the_detector_give_up_and_count(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setitem(limits.CAPS, name, (3, ""))
    run = EmbeddedRun(1)
    run.feed(encoded(evening(bought(), [product("p", "listed", 1)])))
    run.finish()
    assert run.partitions[0].evictions.counts[name] > 0
