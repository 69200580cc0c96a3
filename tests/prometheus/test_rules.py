"""Prometheus takes our settings and rules, each alert is tested, and all speak of what exists."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from streams.core.limits import CAPS
from streams.shell.metrics import WorkerCollector, WorkerView
from tests.prometheus.programs import program

PROMETHEUS = Path(__file__).parents[2] / "deploy" / "prometheus"
RULE_FILES = sorted((PROMETHEUS / "rules").glob("*.yml"))
TEST_FILES = sorted((PROMETHEUS / "tests").glob("*_test.yml"))


def rules(kind: str) -> list[dict[str, Any]]:
    return [
        rule
        for file in RULE_FILES
        for group in yaml.safe_load(file.read_text())["groups"]
        for rule in group["rules"]
        if kind in rule
    ]


def exported() -> set[str]:
    """The names of all series that a worker shows."""
    view = WorkerView({}, {}, {}, [], {}, leads=False, now=0, epoch_ms=0)
    return {
        f"{family.name}_total" if family.type == "counter" else family.name
        for family in WorkerCollector(lambda: view, 1).collect()
    }


def promtool(*arguments: str | Path) -> None:
    done = subprocess.run(
        [program("promtool"), *arguments], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_prometheus_takes_the_settings_and_the_rules() -> None:
    promtool("check", "config", PROMETHEUS / "prometheus.yml")
    promtool("check", "rules", *RULE_FILES)


@pytest.mark.parametrize("file", TEST_FILES, ids=lambda file: file.stem)
def test_rules_do_what_their_tests_say(file: Path) -> None:
    promtool("test", "rules", file)


def test_every_rule_file_is_loaded_and_every_rule_is_tested() -> None:
    settings = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())
    loaded = {one for pattern in settings["rule_files"] for one in PROMETHEUS.glob(pattern)}
    assert loaded == set(RULE_FILES)
    tests = [one for file in TEST_FILES for one in yaml.safe_load(file.read_text())["tests"]]
    alerts = [one for test in tests for one in test.get("alert_rule_test", ())]
    fires = {one["alertname"] for one in alerts if one["exp_alerts"]}
    assert fires == {rule["alert"] for rule in rules("alert")}
    asked = " ".join(one["expr"] for test in tests for one in test.get("promql_expr_test", ()))
    inner = {"partition:roompulse_consumer_lag_records:max"}  # its sum is what is asked for
    assert {rule["record"] for rule in rules("record")} - inner <= set(asked.split())


def test_rules_speak_only_of_series_that_a_worker_shows_or_a_rule_records() -> None:
    known = exported() | {rule["record"] for rule in rules("record")}
    named = {
        name
        for kind in ("alert", "record")
        for rule in rules(kind)
        for name in re.findall(r"\b(?:[a-z]+:)?roompulse[_:][a-z0-9_:]+", rule["expr"])
    }
    assert len(named) > 15
    assert named <= known


def test_every_outcome_of_an_event_has_its_rate() -> None:
    outcomes = {
        rule["labels"]["outcome"]: rule["expr"]
        for rule in rules("record")
        if rule["record"] == "outcome:roompulse_events:rate1m"
    }
    for outcome, expression in outcomes.items():
        assert expression == f"sum(rate(roompulse_events_{outcome}_total[1m]))"
    assert {f"roompulse_events_{one}_total" for one in outcomes} == {
        name for name in exported() if re.fullmatch(r"roompulse_events_[a-z]+_total", name)
    }


def test_every_alert_says_what_is_wrong_what_to_do_and_how_grave_it_is() -> None:
    for rule in rules("alert"):
        assert rule["labels"]["severity"] in ("warning", "critical")
        assert rule["annotations"]["summary"].endswith(".")
        assert len(rule["annotations"]["description"].split()) > 10


def test_alerts_of_full_maps_lead_to_the_page_that_lists_every_map() -> None:
    (rule,) = [one for one in rules("alert") if one["alert"] == "RoompulseStateEvicted"]
    assert "docs/limits.md" in rule["annotations"]["description"]
    page = (PROMETHEUS.parents[1] / "docs" / "limits.md").read_text()
    assert all(f"`{name}`" in page for name in CAPS)
