"""A past night on the shipped dashboards: what depends on the log alone is there, and quickly."""

import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producers.generator import generate
from roompulse.cli.app import app
from tests.prometheus.programs import NOTHING_SCRAPED, ask, program, prometheus
from tests.prometheus.questions import questions

MOST_SECONDS = 0.2
_INTERVAL = 30
_TRIES = 5
# A past night has no worker: its health, the alerts on it, and what people said of alerts later.
OF_WORKERS = {"pipeline"}
OF_PEOPLE = {"Precision by verdicts", "Precision by kind"}
# Counted by Prometheus while it scrapes.
OF_RECORDED_SUMS = {"Refunds and complaints a second, all currencies"}


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Blocks of an evening of almost six hours in which orders were brushed."""
    program("promtool")
    folder = tmp_path_factory.mktemp("night")
    session, data = folder / "brushing.ndjson", folder / "data"
    session.write_bytes(b"\n".join(generate("brushing", 3, events=20_000)) + b"\n")
    asked = ["backfill", str(session), "--out", str(data), "--interval", str(_INTERVAL)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    return data


def test_every_panel_shows_a_past_night_within_its_time(night: Path, tmp_path: Path) -> None:
    """The best of some tries, so that a busy machine says nothing."""
    slow, empty = {}, []
    with prometheus(NOTHING_SCRAPED, night, tmp_path) as url:
        bounds = ask(url, "query", query=_BOUNDS, time=time.time())["result"]
        (begin, end) = (float(one["value"][1]) for one in bounds)
        middle = (begin + end) / 2
        firing = ask(
            url, "query", query='roompulse_firing_alert_started_seconds{room_id!=""}', time=middle
        )
        variables = {
            "currency": "CNY",
            "room": firing["result"][0]["metric"]["room_id"],
            "minor_per_unit": "100",
            "__rate_interval": f"{4 * _INTERVAL}s",
            "__range": f"{int(middle - begin)}s",
        }
        for question in questions():
            took = []
            for _ in range(_TRIES):
                started = time.perf_counter()
                found = question.answer(url, variables, begin, middle)
                took.append(time.perf_counter() - started)
            if min(took) > MOST_SECONDS:
                slow[str(question)] = min(took)
            if not found and question.page not in OF_WORKERS:
                empty.append(question.panel)
    assert slow == {}
    assert set(empty) == OF_PEOPLE | OF_RECORDED_SUMS
