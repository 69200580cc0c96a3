"""Rule files: what is wrong with them is said, all of it; what is right can be shown and sent."""

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from roompulse.cli.rules import app
from roompulse.rule_files import read_rule_file
from schemas import codec
from schemas.rules import DEFAULT_RULES, faults, rule_set
from tests.property.running import run_embedded
from tests.unit.attack import START_MS, Event, attacked_log, encoded


def command(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "200"}).invoke(app, [str(each) for each in arguments])


def write(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "rules.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def rules_event(number: int, version: str, rules: dict[str, object]) -> Event:
    return {
        "type": "rules",
        "event_id": f"rules-{number}",
        "ts_ms": START_MS,
        "version": version,
        "rules": rules,
    }


def test_a_file_without_faults_is_told_with_its_version(tmp_path: Path) -> None:
    done = command("validate", write(tmp_path, "version: v2\nrules: {brushing: {page: 40}}\n"))
    assert done.exit_code == 0
    assert "version v2, nothing wrong" in done.output


def test_every_wrong_field_is_named_with_its_reason(tmp_path: Path) -> None:
    text = """
version: [1]
extra: 1
rules:
  brushing: {page: -1, revue: 3, no_visit: {base: 2, under_attack: 0.5, weight: 1}}
  brushng: {}
"""
    done = command("validate", write(tmp_path, text))
    assert done.exit_code == 1
    for said in (
        ": version: ",
        ": extra: There is no such field",
        "rules.brushing.page: Input should be greater than 0",
        "rules.brushing.revue: There is no such rule; did you mean 'review'?",
        "rules.brushing.no_visit.base: Input should be less than 1",
        "rules.brushing.no_visit.weight: There is no such rule",
        "rules.brushng: There is no such rule; did you mean 'brushing'?",
    ):
        assert said in done.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- 1", "holds no `version"),
        ("a: [", "is no YAML"),
        ("version: 1\nrules: {brushing: {page: 1, page: 2}}", "'page' stands twice"),
        ("version: 1\nrules: {brushing: {page: 1}}\nrules: {}", "'rules' stands twice"),
        ("rules: {}", "version: "),
        ("version: 1", "rules: Input should be a valid dictionary"),
        ("version: 1\nrules: {brushing: {page: .inf}}", "rules: "),
        ("version: 1\nrules: {format: 2}", "rules.format: Rules of format 2 are not known"),
        ("version: 1\nrules: {format: true}", "rules.format: Rules of format True"),
        ("version: 1\nrules: {brushing: 3}", "rules.brushing: "),
    ],
)
def test_what_is_no_rule_set_is_refused(tmp_path: Path, text: str, said: str) -> None:
    done = command("validate", write(tmp_path, text))
    assert done.exit_code == 1
    assert said in done.output


def test_a_file_that_is_not_there_gives_one_line(tmp_path: Path) -> None:
    done = command("validate", tmp_path / "none.yaml")
    assert done.exit_code == 1
    assert done.output.startswith("roompulse: ")


def test_what_is_shown_is_a_rule_file_of_the_same_rules(tmp_path: Path) -> None:
    asked = write(tmp_path, "version: 7\nrules: {brushing: {page: 41.5}}\n")
    shown = tmp_path / "shown.yaml"
    shown.write_text(command("show", "--rules", asked).output, encoding="utf-8")
    read = read_rule_file(shown)
    assert read.version == 7
    assert read.rules == read_rule_file(asked).rules
    assert read.rules.brushing.page == 41.5
    assert read.rules.brushing.review == DEFAULT_RULES.brushing.review


def test_without_a_file_the_defaults_are_shown(tmp_path: Path) -> None:
    assert read_rule_file(write(tmp_path, command("show").output)).rules == DEFAULT_RULES


def test_a_file_with_faults_is_not_sent(tmp_path: Path) -> None:
    done = command("push", write(tmp_path, "version: 1\nrules: {brush: {}}"), "--bootstrap", "x")
    assert done.exit_code == 1
    assert "rules.brush: There is no such rule" in done.output


def test_a_name_that_is_not_known_is_a_fault_of_a_file_and_ignored_in_the_log() -> None:
    later = {"brushing": {"page": 50, "moon": 1}, "tides": {}}
    assert rule_set(later).brushing.page == 50
    assert {fault.field for fault in faults(later)} == {"brushing.moon", "tides"}


def test_rules_of_a_newer_format_are_kept_as_dead_letter_and_the_old_stay_in_force() -> None:
    lenient = rules_event(1, "lenient", {"brushing": {"review": 1e9, "page": 1e9}})
    newer = rules_event(2, "newer", {"format": 2, "brushing": {"review": 15, "page": 30}})
    results = run_embedded(encoded([lenient, newer, *attacked_log()]), rules=None)
    assert results.alerts == []
    assert {progress.rules_version for progress in results.progress} == {"lenient"}
    (letter,) = results.dead_letters
    assert letter.reason == "invalid_field"
    assert letter.detail == "Rules of format 2 are not known here, only 1 - at `$.rules.format`"


def test_rules_of_the_known_format_are_put_in_force() -> None:
    named = rules_event(1, "named", {"format": 1, "brushing": {"review": 1e9, "page": 1e9}})
    results = run_embedded(encoded([named, *attacked_log()]), rules=None)
    assert results.dead_letters == []
    assert results.alerts == []


def test_the_event_that_is_sent_is_one_of_the_contract(tmp_path: Path) -> None:
    read = read_rule_file(write(tmp_path, "version: v\nrules: {brushing: {page: 40}}\n"))
    [event] = codec.decode_all(encoded([rules_event(1, str(read.version), read.given)]))
    assert isinstance(event, codec.Rules)
    assert rule_set(event.rules) == read.rules
