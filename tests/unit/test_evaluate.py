"""How detection is counted against what was planted: hits, delays, false alarms, intervals."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from typer.testing import CliRunner, Result

from roompulse.cli.app import app
from roompulse.tuning.evaluating import ablations
from roompulse.tuning.figures import figures_of, poisson_bound, share
from roompulse.tuning.folding import Folded, Planted, fold
from roompulse.tuning.judging import Case, Judged, judge
from schemas.records import Alert
from schemas.rules import DEFAULT_RULES
from streams.core.integrity.signs import SIGNS
from tests.unit.attack import (
    MINUTE_MS,
    START_MS,
    attacked_log,
    burst,
    encoded,
    honest,
    in_order,
    opened,
)

HOUR_MS = 60 * MINUTE_MS


def command(*arguments: str | Path) -> Result:
    told = [str(each) for each in arguments]
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, ["evaluate", *told])


def planted(**more: object) -> Planted:
    line: Planted = {
        "kind": "brushed_orders",
        "room_id": "attacked",
        "started_ms": START_MS + 20 * MINUTE_MS,
        "ended_ms": START_MS + 25 * MINUTE_MS,
        "order_ids": [event["order_id"] for event in burst("attacked")],
        "adversary": "A1",
    }
    return line | more


def alert(started_minute: int, **more: Any) -> Alert:  # noqa: ANN401
    at_ms = START_MS + started_minute * MINUTE_MS
    fields: dict[str, Any] = {
        "alert_id": f"alert at {started_minute}", "version": 1, "status": "firing",
        "kind": "brushed_orders", "severity": "page", "room_id": "attacked", "host_id": None,
        "mcn_id": None, "product_id": None, "started_ms": at_ms, "updated_ms": at_ms,
        "score": 30.0, "threshold": 30.0, "summary": "", "money_minor": 0, "currency": "CNY",
        "evidence": [], "rooms": [], "rules_version": None,
    }  # fmt: skip
    return Alert(**(fields | more))


@pytest.fixture(scope="module")
def folded() -> Folded:
    return fold([encoded(attacked_log())], None)


def with_alerts(folded: Folded, *alerts: Alert) -> Folded:
    folded.results.alerts[:] = alerts
    return folded


@pytest.fixture
def quiet() -> Folded:
    """The attacked room and the clean one, with nothing raised."""
    log = in_order([opened("attacked"), opened("clean")], honest("attacked", 60))
    return with_alerts(fold([encoded([*log, *honest("clean", 60)])], None))


def test_an_attack_that_is_raised_is_told_with_delay_orders_and_money(folded: Folded) -> None:
    (case,) = judge(folded, [planted()]).cases
    assert case.alerted
    assert case.paged
    assert case.orders_before is not None
    assert case.delay_ms is not None
    assert 0 < case.orders_before <= 15
    assert 0 < case.delay_ms < 5 * MINUTE_MS
    assert case.planted_minor == case.marked_minor == 30_000


def test_honest_money_is_that_of_orders_nobody_planted(folded: Folded) -> None:
    judged = judge(folded, [planted(order_ids=planted()["order_ids"][:10])])
    assert judged.honest_minor == 140_000
    assert judged.honest_marked_minor == 20_000


def test_what_is_raised_in_a_clean_room_is_false(folded: Folded) -> None:
    judged = judge(folded, [])
    assert judged.cases == []
    assert {room.room_id: room.false_pages for room in judged.clean} == {"attacked": 1, "clean": 0}


@pytest.mark.parametrize(("minute", "is_hit"), [(19, False), (20, True), (35, True), (36, False)])
def test_a_hit_is_from_the_start_of_a_burst_to_ten_minutes_after_it(
    quiet: Folded, minute: int, *, is_hit: bool
) -> None:
    judged = judge(with_alerts(quiet, alert(minute)), [planted()])
    assert judged.cases[0].alerted == is_hit
    assert judged.false_beside == (not is_hit)
    assert (judged.pages, judged.true_pages) == (1, is_hit)


def test_after_a_drip_there_is_half_an_hour(quiet: Folded) -> None:
    drip = planted(ended_ms=START_MS + 100 * MINUTE_MS)
    assert judge(with_alerts(quiet, alert(130)), [drip]).cases[0].alerted
    assert not judge(with_alerts(quiet, alert(131)), [drip]).cases[0].alerted


def test_further_alerts_are_duplicates_and_other_kinds_are_wrong(quiet: Folded) -> None:
    raised = alert(21), alert(22), alert(23, kind="stock_out"), alert(24, severity="info")
    (case,) = judge(with_alerts(quiet, *raised), [planted()]).cases
    assert (case.duplicates, case.wrong_kinds) == (1, 1)
    (case,) = judge(quiet, [planted()], ["brushed_orders"]).cases
    assert (case.duplicates, case.wrong_kinds) == (1, 0)


def test_a_ring_is_found_by_an_alert_on_one_of_its_rooms_there_alone(quiet: Folded) -> None:
    ring = planted(kind="identity_ring", rooms=["attacked", "clean"])
    first, second = judge(with_alerts(quiet, alert(21)), [ring]).cases
    assert (first.room_id, first.alerted) == ("attacked", True)
    assert (second.room_id, second.alerted) == ("clean", False)
    both = alert(21, kind="identity_ring", room_id=None, rooms=["attacked", "clean"])
    assert all(case.alerted for case in judge(with_alerts(quiet, both), [ring]).cases)


def case(adversary: str = "A1", *, alerted: bool = True, delay_minutes: int = 1) -> Case:
    return Case(
        adversary=adversary,
        room_id="r",
        alerted=alerted,
        paged=alerted,
        delay_ms=delay_minutes * MINUTE_MS if alerted else None,
        orders_before=delay_minutes if alerted else None,
        duplicates=0,
        wrong_kinds=0,
        planted_minor=100,
        marked_minor=100 if alerted else 0,
    )


def test_the_bound_of_a_count_is_that_of_the_tables() -> None:
    assert poisson_bound(0) == pytest.approx(2.9957, abs=1e-3)
    assert poisson_bound(3) == pytest.approx(7.7537, abs=1e-3)
    assert poisson_bound(200) == pytest.approx(225.0, abs=1.5)


def test_an_interval_holds_the_share_and_narrows_with_more_rooms() -> None:
    few = share([case(), case(alerted=False)] * 5, lambda each: each.alerted)
    many = share([case(), case(alerted=False)] * 200, lambda each: each.alerted)
    assert few.value == many.value == 0.5
    assert few.least < many.least < 0.5 < many.most < few.most


def test_figures_are_told_by_adversary_and_together() -> None:
    cases = [case(), case(delay_minutes=3), case("A2", alerted=False), case("A2")]
    figures = figures_of([Judged(cases, [], 1, 4, 3, 1_000, 10)])
    first, second = figures.adversaries
    assert (first.adversary, first.rooms, first.alerted.value) == ("A1", 2, 1.0)
    assert (first.delay_median_minutes, first.orders_before_median) == (2.0, 2.0)
    assert (second.adversary, second.alerted.value, second.marked) == ("A2", 0.5, 0.5)
    assert figures.recall is not None
    assert (figures.recall.value, figures.precision, figures.page_precision) == (0.75, 0.75, 0.75)
    assert (figures.brushed_marked, figures.honest_marked) == (0.75, 0.01)
    assert figures.pages_an_hour is None, "there was no clean room"


def test_without_anything_planted_there_is_no_recall() -> None:
    figures = figures_of([Judged([], [], 0, 0, 0, 0, 0)])
    assert (figures.recall, figures.precision, figures.brushed_marked) == (None, None, None)


def test_each_sign_is_ablated_once_and_nothing_else_changes() -> None:
    made = ablations(DEFAULT_RULES)
    assert sorted(each.name.split()[1] for each in made) == sorted(SIGNS)
    for each in made:
        assert each.rules is not None
        assert each.rules != DEFAULT_RULES
        assert each.rules.brushing.page == DEFAULT_RULES.brushing.page


@pytest.mark.parametrize("made", ablations(DEFAULT_RULES), ids=lambda made: made.name)
def test_a_sign_that_is_off_is_no_evidence(made: Any) -> None:  # noqa: ANN401
    sign = made.name.split()[1]
    alerts = fold([encoded(attacked_log())], made.rules).results.alerts
    evidence = {each.signal for one in alerts for each in one.evidence}
    assert evidence, "the attack shows in other signs too"
    assert sign not in evidence


def test_the_command_tells_adversaries_and_bounds_and_writes_all_figures(tmp_path: Path) -> None:
    out, plot = tmp_path / "out.json", tmp_path / "recall.svg"
    done = command(
        "--seeds", "3", "--scenario", "brushing", "--audience", "0.1",
        "--json", out, "--plot", plot,
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "false pages: 0 in " in done.output
    assert "A9" in done.output
    figures = json.loads(out.read_text())["figures"]["the defaults"]
    by_name = {each["adversary"]: each for each in figures["adversaries"]}
    assert by_name["A1"]["paged"]["value"] == 1.0
    assert by_name["A6"]["alerted"]["value"] == 0.0, "a clean crowd cannot be seen"
    assert ET.fromstring(plot.read_text()).tag.endswith("svg")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--seeds", "x"], "are no seeds"),
        (["--seeds", "9-3"], "holds no seed"),
        (["--scenario", "moon"], "no scenario is called 'moon'"),
        (["--intensity", "99"], "--intensity is from"),
        (["--rules", "nowhere.yaml"], "No such file"),
        (["--plot", "/nowhere/at/all.svg"], "its folder does not exist"),
    ],
)
def test_wrong_arguments_give_one_line(arguments: list[str], said: str) -> None:
    done = command(*arguments)
    assert done.exit_code == 1
    assert said in done.output
