"""The dashboards are what the code says, explain themselves, and tie nobody to our deployment."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana import __main__ as command
from deploy.grafana.dashboards import PAGES
from deploy.grafana.meanings import NAME, exported, meaning, metrics_of

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "grafana"
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text()) for path in sorted((FOLDER / "json").glob("*.json"))
}
PANELS = [
    pytest.param(board, panel, id=f"{name}: {panel['title']}")
    for name, board in BOARDS.items()
    for panel in board["panels"]
    if panel["type"] != "row"
]
each_panel = pytest.mark.parametrize(("board", "panel"), PANELS)
# Grafana's own, and the group of `label_replace`.
BUILT_IN = {"__rate_interval", "__range", "1"}


def exprs(panel: dict[str, Any]) -> list[str]:
    return [target["expr"] for target in panel["targets"]]


def variables(text: str) -> set[str]:
    return set(re.findall(r"\$\{?(\w+)", text))


def steps(panel: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
    return found


def test_the_dashboards_are_current_byte_for_byte() -> None:
    assert command.outdated() == [], "write them with `python -m deploy.grafana`"
    assert len(BOARDS) == len(PAGES) == 7


def test_dashboards_are_written_where_they_differ_and_strangers_deleted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert len(command.write(tmp_path)) == len(PAGES)
    assert command.write(tmp_path) == []
    stranger, changed = tmp_path / "old.json", tmp_path / "room.json"
    stranger.touch()
    changed.write_text("{}")
    assert command.outdated(tmp_path) == [stranger, changed]
    command.write(tmp_path)
    assert command.outdated(tmp_path) == []
    assert not stranger.exists()
    assert command.main(["--check"]) == 0
    assert command.main(["--what"]) == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("name", BOARDS)
def test_a_dashboard_has_a_name_a_purpose_and_ways_to_the_others(name: str) -> None:
    board = BOARDS[name]
    assert board["uid"] == f"roompulse-{name}"
    assert board["description"].endswith(".")
    (link,) = board["links"]
    assert link["tags"] == board["tags"] == ["roompulse"]
    assert (link["type"], link["includeVars"], link["keepTime"]) == ("dashboards", True, True)
    titles = [panel["title"] for panel in board["panels"]]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(titles)) == len(titles)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_on_the_grid_and_do_not_overlap(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in BOARDS[name]["panels"]:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells


@pytest.mark.parametrize("name", BOARDS)
def test_every_variable_is_used_and_every_one_used_is_declared(name: str) -> None:
    board = BOARDS[name]
    declared = [each["name"] for each in board["templating"]["list"]]
    assert declared[0] == "datasource"
    text = json.dumps([board["panels"], board["templating"]])
    data_link = {"__data", "__url_time_range"}
    assert variables(text) - BUILT_IN - data_link == set(declared)
    for each in board["templating"]["list"]:
        assert each["label"]
        if each["type"] == "query":
            assert each["datasource"]["uid"] == "${datasource}"


@each_panel
def test_a_panel_takes_its_data_from_the_chosen_source(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    assert board["templating"]["list"][0]["query"] == "prometheus"
    assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert panel["targets"]
    assert all("datasource" not in target for target in panel["targets"])
    references = [target["refId"] for target in panel["targets"]]
    assert references == list("ABCDEFGH"[: len(references)])


@each_panel
def test_a_query_names_no_job_no_instance_and_no_length_of_time(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    assert board
    for expr in exprs(panel):
        assert not re.search(r"\b(job|instance|partition|room_id|key)\s*[=!]~?\s*\"[^$]", expr)
        assert set(re.findall(r"\[([^\]]*)\]", expr)) <= {"$__rate_interval", "$__range"}
        assert not re.search(r"\brate\((?!roompulse_\w+_total)", expr), "a rate is of a counter"
        assert not re.search(r"\bderiv\(roompulse_\w+_total", expr), "a slope is of a gauge"


@each_panel
def test_a_query_speaks_of_series_that_exist_and_joins_what_two_workers_show(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    assert board
    for expr in exprs(panel):
        metrics = metrics_of(expr)
        assert metrics or "ALERTS" in expr
        assert set(metrics) <= exported()
        if any(":" not in name for name in NAME.findall(expr)):
            assert re.search(r"\b(max|min|sum|count)\b", expr), expr


@each_panel
def test_a_panel_explains_each_of_its_metrics_by_the_dictionary(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    assert board
    for metric in (name for expr in exprs(panel) for name in metrics_of(expr)):
        assert meaning(metric) in panel["description"]
    assert len(panel["description"].split()) > 3


@each_panel
def test_a_panel_has_a_unit_and_colours(board: dict[str, Any], panel: dict[str, Any]) -> None:
    assert board
    assert panel["fieldConfig"]["defaults"]["unit"]
    first, *more = [step["value"] for step in steps(panel)]
    assert first is None
    assert more == sorted(more)


def money_and_units(panel: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The queries of a panel that ask for money, with their units."""
    overrides = {
        one["matcher"]["options"]: prop["value"]
        for one in panel["fieldConfig"].get("overrides", ())
        for prop in one["properties"]
        if prop["id"] == "unit"
    }
    for target in panel["targets"]:
        if "_minor{" in target["expr"] or "_minor," in target["expr"]:
            unit = panel["fieldConfig"]["defaults"]["unit"]
            yield target["expr"], overrides.get(target["legendFormat"], unit)


@each_panel
def test_money_is_of_one_currency_and_in_its_units(
    board: dict[str, Any], panel: dict[str, Any]
) -> None:
    assert board
    for expr, unit in money_and_units(panel):
        money = r"roompulse_(?:board|platform|alerts|firing_alert)_\w*minor\{([^}]*)\}"
        labels = re.findall(money, expr)
        assert all('currency="$currency"' in one for one in labels)
        assert unit == "percentunit" or expr.endswith("/ $minor_per_unit")


def test_most_panels_with_money_are_found_by_the_test_above() -> None:
    found = [
        one
        for board in BOARDS.values()
        for panel in board["panels"]
        if panel["type"] != "row"
        for one in money_and_units(panel)
    ]
    assert len(found) > 25


def test_colours_change_where_the_alerts_fire() -> None:
    groups = yaml.safe_load((ROOT / "deploy/prometheus/rules/alerts.yml").read_text())["groups"]
    expr_of = {rule["alert"]: rule["expr"] for group in groups for rule in group["rules"]}
    panels = {panel["title"]: panel for panel in BOARDS["pipeline"]["panels"]}
    for alert, title in {
        "RoompulseLagGrowing": "Lag by partition",
        "RoompulseWatermarkDelayed": "Event time behind the time of day",
        "RoompulseCheckpointStale": "Age of the checkpoint",
        "RoompulseDeadLetters": "Refused, last 5 minutes",
    }.items():
        (limit, *_) = re.findall(r"> ([0-9.]+)", expr_of[alert])
        assert float(limit) in [step["value"] for step in steps(panels[title])], title


def test_grafana_is_given_the_source_and_the_dashboards_and_lets_nobody_change_them() -> None:
    services = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())["services"]
    grafana = services["grafana"]
    mounts = dict(volume.split(":")[:2] for volume in grafana["volumes"])
    assert all(volume.endswith(":ro") for volume in grafana["volumes"])
    provisioned = FOLDER / "provisioning"
    assert mounts["./grafana/provisioning"] == "/etc/grafana/provisioning"
    (provider,) = yaml.safe_load((provisioned / "dashboards/roompulse.yaml").read_text())[
        "providers"
    ]
    assert provider["options"]["path"] == mounts["./grafana/json"]
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (FOLDER / "json" / Path(home).relative_to(mounts["./grafana/json"])).is_file()
    (source,) = yaml.safe_load((provisioned / "datasources/prometheus.yaml").read_text())[
        "datasources"
    ]
    assert source["url"] == "http://prometheus:9090"
    assert services["prometheus"]["ports"] == ["127.0.0.1:9090:9090"]
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["global"]
    assert source["jsonData"]["timeInterval"] == scrape["scrape_interval"]
    environment = grafana["environment"]
    assert environment["GF_AUTH_ANONYMOUS_ORG_ROLE"] == "Viewer"
    assert environment["GF_AUTH_BASIC_ENABLED"] == "false"
    assert environment["GF_AUTH_DISABLE_LOGIN_FORM"] == "true"
    assert not any("PASSWORD" in name or "SECRET" in name for name in environment)


@pytest.mark.parametrize("name", BOARDS)
def test_marks_in_graphs_rest_on_what_workers_show(name: str) -> None:
    for marks in BOARDS[name]["annotations"].get("list", ()):
        assert marks["datasource"]["uid"] == "${datasource}"
        assert set(metrics_of(marks["expr"])) <= exported()
        assert variables(marks["expr"]) <= BUILT_IN | {
            one["name"] for one in BOARDS[name]["templating"]["list"]
        }
        assert "[$__rate_interval]" in marks["expr"]


def test_the_room_marks_what_is_done_with_its_products() -> None:
    (marks,) = BOARDS["room"]["annotations"]["list"]
    assert metrics_of(marks["expr"]) == ["roompulse_room_product_mark_seconds"]
