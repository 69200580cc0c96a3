"""A past night on the shipped dashboards: what depends on the log alone is there, and quickly."""

import re
import time
from pathlib import Path
from typing import NamedTuple

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
# Complaints are answered later than the middle of this night.
OF_ANSWERS = {"By responsible party", "Answered in time"}
# One evening is no whole day, and what festivals are told of are whole days.
OF_WHOLE_DAYS = {"Mean daily net GMV around festivals, $currency", "Lift and overdraft"}
# One evening has no first week with another one after it.
OF_WEEKS = {"Weekly cohorts back in the week after"}
# Counted by Prometheus while it scrapes.
OF_RECORDED_SUMS = {"Refunds and complaints a second, all currencies"}


class Night(NamedTuple):
    """Blocks of a session, and the first and the last second of it."""

    data: Path
    first: int
    last: int


@pytest.fixture(scope="module")
def night(tmp_path_factory: pytest.TempPathFactory) -> Night:
    """Blocks of an evening of almost six hours in which orders were brushed."""
    program("promtool")
    folder = tmp_path_factory.mktemp("night")
    session, data = folder / "brushing.ndjson", folder / "data"
    session.write_bytes(b"\n".join(generate("brushing", 3, events=20_000)) + b"\n")
    asked = ["backfill", str(session), "--out", str(data), "--interval", str(_INTERVAL)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    ((first, last),) = re.findall(r"from (\d+) to (\d+)", done.output)
    return Night(data, int(first), int(last))


def test_every_panel_shows_a_past_night_within_its_time(night: Night, tmp_path: Path) -> None:
    """The best of some tries, so that a busy machine says nothing."""
    slow, empty = {}, []
    begin, middle = night.first, (night.first + night.last) // 2
    with prometheus(NOTHING_SCRAPED, night.data, tmp_path) as url:
        firing = ask(
            url, "query", query='roompulse_firing_alert_started_seconds{room_id!=""}', time=middle
        )
        variables = {
            "currency": "CNY",
            "room": firing["result"][0]["metric"]["room_id"],
            "minor_per_unit": "100",
            "__rate_interval": f"{4 * _INTERVAL}s",
            "__range": f"{middle - begin}s",
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
    assert set(empty) == OF_PEOPLE | OF_RECORDED_SUMS | OF_WHOLE_DAYS | OF_WEEKS | OF_ANSWERS
