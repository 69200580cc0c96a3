"""What other rules would have raised in a recorded session, and what a sweep of one comes to."""

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import pytest
from typer.testing import CliRunner, Result

from producers.sessions import SessionWriter, truth_path
from roompulse.cli.app import app
from roompulse.tuning.fired import Fired, difference
from roompulse.tuning.sweeping import SweepError, settings_of
from schemas.rules import DEFAULT_RULES
from tests.unit.attack import MINUTE_MS, START_MS, Event, attacked_log, burst, encoded

LENIENT = "version: lenient\nrules: {brushing: {review: 100000, page: 100000}}\n"
PATIENT = "version: patient\nrules: {brushing: {review: 30, page: 45}}\n"


def command(*arguments: str | Path) -> Result:
    told = [str(each) for each in arguments]
    return CliRunner(env={"COLUMNS": "250"}).invoke(app, ["backtest", *told])


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "evening.ndjson"
    with SessionWriter(path) as writer:
        writer.write_all(encoded(attacked_log()))
    return path


def write_truth(session: Path) -> None:
    attack = {
        "kind": "brushed_orders",
        "room_id": "attacked",
        "started_ms": START_MS + 20 * MINUTE_MS,
        "ended_ms": START_MS + 25 * MINUTE_MS,
        "order_ids": [event["order_id"] for event in burst("attacked")],
        "adversary": "A1",
    }
    lines = [{"kind": "totals"}, {"kind": "innocent", "room_id": "clean"}, attack]
    truth_path(session).write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))


def rule_file(session: Path, name: str, text: str) -> Path:
    path = session.with_name(name)
    path.write_text(text, encoding="utf-8")
    return path


def figures(session: Path, *arguments: str | Path) -> Any:  # noqa: ANN401
    out = session.with_name("out.json")
    done = command(*arguments, "--json", out, session)
    assert done.exit_code == 0, done.output
    return json.loads(out.read_text())


def test_rules_that_raise_nothing_differ_by_all_that_the_log_raised(session: Path) -> None:
    lenient = rule_file(session, "lenient.yaml", LENIENT)
    found = figures(session, "--rules", "log", "--rules", lenient)["sessions"][0]
    assert [each["rooms"] for each in found["fired"]["log"]] == [["attacked"]]
    assert found["fired"][str(lenient)] == []
    (differing,) = found["differences"]
    assert [each["severity"] for each in differing["only_first"]] == ["page"]
    assert differing["only_second"] == differing["changed"] == []
    assert differing["same"] == 0


def test_rules_that_wait_longer_raise_the_same_incident_later(session: Path) -> None:
    patient = rule_file(session, "patient.yaml", PATIENT)
    found = figures(session, "--rules", "defaults", "--rules", patient)["sessions"][0]
    (differing,) = found["differences"]
    ((first, second),) = differing["changed"]
    assert first["fired_ms"] < second["fired_ms"]
    assert differing["only_first"] == differing["only_second"] == []


def test_rules_of_the_log_are_used_if_asked_and_only_then(session: Path) -> None:
    rules: Event = {
        "type": "rules", "event_id": "r", "ts_ms": START_MS, "version": 1,
        "rules": {"brushing": {"review": 1e9, "page": 1e9}},
    }  # fmt: skip
    with SessionWriter(session) as writer:
        writer.write_all(encoded([rules, *attacked_log()]))
    found = figures(session, "--rules", "log", "--rules", "defaults")["sessions"][0]["fired"]
    assert found["log"] == []
    assert len(found["defaults"]) == 1


def test_the_tables_tell_kind_room_severity_time_score_and_money(session: Path) -> None:
    patient = rule_file(session, "patient.yaml", PATIENT)
    said = command("--rules", "log", "--rules", patient, session).output
    assert "evening.ndjson under log: 1 incidents" in said
    assert "brushed_orders" in said
    assert "attacked" in said
    assert "CNY" in said
    assert "0 raised alike by both" in said


def test_a_sweep_tells_alerts_and_against_the_truth_recall_and_false_alarms(session: Path) -> None:
    write_truth(session)
    plot = session.with_name("page.svg")
    swept = figures(session, "--sweep", "brushing.page=30:100030:100000", "--plot", plot)
    low, high = swept["settings"]
    assert (low["pages"], low["reviews"]) == (1, 0)
    assert (high["pages"], high["reviews"]) == (0, 1)
    assert low["figures"]["recall"]["value"] == high["figures"]["recall"]["value"] == 1.0
    assert (low["figures"]["paged"]["value"], high["figures"]["paged"]["value"]) == (1.0, 0.0)
    assert low["figures"]["false_pages"] == 0
    assert low["figures"]["clean_room_hours"] > 0.9
    assert low["figures"]["brushed_marked"] == 1.0
    root = ET.fromstring(plot.read_text())
    assert root.tag.endswith("svg")
    assert "share of planted" in "".join(root.itertext())


def test_an_alert_before_the_attack_is_no_hit(session: Path) -> None:
    write_truth(session)
    path = truth_path(session)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    lines[-1]["started_ms"] += 3 * 60 * MINUTE_MS
    lines[-1]["ended_ms"] += 3 * 60 * MINUTE_MS
    path.write_text("\n".join(json.dumps(line) for line in lines))
    (only,) = figures(session, "--sweep", "brushing.page=30")["settings"]
    assert only["figures"]["recall"]["value"] == 0.0
    assert only["figures"]["false_beside"] == 1


def test_without_a_truth_recall_is_said_to_be_unknown(session: Path) -> None:
    done = command("--sweep", "brushing.page=30,40", session)
    assert done.exit_code == 0
    assert "recall and false alarms are not known" in done.output


def test_a_sweep_sets_one_rule_and_keeps_the_others() -> None:
    name, settings = settings_of("brushing.no_visit.under_attack=0.1:0.3:0.1", DEFAULT_RULES)
    assert name == "brushing.no_visit.under_attack"
    tried = [setting.rules.brushing.no_visit for setting in settings]
    assert [sign.under_attack for sign in tried] == [0.1, 0.2, 0.3]
    assert {sign.base for sign in tried} == {DEFAULT_RULES.brushing.no_visit.base}
    _, whole = settings_of("brushing.repeat_orders=2,4", DEFAULT_RULES)
    assert [setting.rules.brushing.repeat_orders for setting in whole] == [2, 4]


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ("brushing.page", "is no sweep"),
        ("brushing.page=20:60", "is no range"),
        ("brushing.page=60:20:5", "is no range"),
        ("brushing.page=1:9999:1", "more than 200"),
        ("brushing.page=x", "no number"),
        ("brushing.page=nan", "no number"),
        ("brushing.pagee=3", "did you mean 'page'"),
        ("brushing.page=-3", "greater than 0"),
        ("brushing.repeat_orders=2.5", "valid integer"),
        ("brushing.page.x=3", "holds no rules"),
        ("brushing.no_visit=3", "holds several rules"),
    ],
)
def test_a_sweep_that_cannot_be_is_refused(sweep: str, said: str) -> None:
    with pytest.raises(SweepError, match=said):
        settings_of(sweep, DEFAULT_RULES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--plot", "x.svg"], "--plot draws a sweep"),
        (["--rules", "log", "--rules", "log"], "may be given once"),
        (["--rules", "log", "--sweep", "brushing.page=3"], "starts from one rule set"),
        (["--rules", "nowhere.yaml"], "No such file"),
        (["--json", "/nowhere/at/all.json"], "its folder does not exist"),
    ],
)
def test_wrong_arguments_give_one_line(session: Path, arguments: list[str], said: str) -> None:
    done = command(*arguments, session)
    assert done.exit_code == 1
    assert said in done.output
    assert "Traceback" not in done.output


def test_a_session_that_runs_backwards_is_refused_unless_forced(session: Path) -> None:
    with SessionWriter(session) as writer:
        writer.write_all(reversed(encoded(attacked_log())))
    done = command(session)
    assert done.exit_code == 1
    assert "is not ordered by arrival" in done.output
    assert command("--force", session).exit_code == 0


def test_a_broken_truth_is_told(session: Path) -> None:
    truth_path(session).write_text('{"kind":"brushed_orders"}\n')
    done = command("--sweep", "brushing.page=30", session)
    assert done.exit_code == 1
    assert "is no truth file" in done.output


def incident(room: str, from_minute: int, to_minute: int, severity: str = "page") -> Fired:
    return Fired(
        f"{room}-{from_minute}", "brushed_orders", (room,), severity, from_minute, from_minute,
        from_minute, to_minute, 30.0, 1, "CNY",
    )  # fmt: skip


def test_incidents_are_matched_by_place_and_overlapping_time() -> None:
    found = difference(
        [incident("a", 0, 10), incident("b", 0, 10), incident("c", 0, 10)],
        [incident("a", 0, 10), incident("b", 11, 20), incident("c", 0, 10, "review")],
    )
    assert found.same == 1
    assert [each.fired_ms for each in found.only_first] == [0]
    assert [each.fired_ms for each in found.only_second] == [11]
    assert [(one.severity, other.severity) for one, other in found.changed] == [("page", "review")]
