"""A past night in a real Prometheus: each figure as a plain count of its events gives it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from producers.generator import generate
from roompulse.backfill import moments
from roompulse.cli.app import app
from roompulse.shown_run import ShownRun
from tests.prometheus.programs import NOTHING_SCRAPED, ask, program, prometheus

_INTERVAL = 15


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("session") / "calm.ndjson"
    path.write_bytes(b"\n".join(generate("calm", 3, events=4_000)) + b"\n")
    return path


def _events(session: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in session.read_text(encoding="utf-8").splitlines()]


def _asked(url: str, query: str, at_seconds: int) -> dict[str, float]:
    found = ask(url, "query", query=query, time=at_seconds)["result"]
    return {one["metric"].get("key", ""): float(one["value"][1]) for one in found}


def _gross_by_room(events: list[dict[str, Any]], until_ms: int) -> dict[str, float]:
    gross: dict[str, dict[str, int]] = {}
    for event in events:
        if event["type"] == "order" and event["ts_ms"] <= until_ms:
            gross.setdefault(event["room_id"], {})[event["order_id"]] = event["amount_minor"]
    return {room_id: float(sum(orders.values())) for room_id, orders in gross.items()}


def test_prometheus_shows_the_night_as_a_count_of_its_events_gives_it(
    session: Path, tmp_path: Path
) -> None:
    program("promtool")
    data = tmp_path / "data"
    done = CliRunner().invoke(app, ["backfill", str(session), "--out", str(data)])
    assert done.exit_code == 0, done.output
    first, last = map(int, re.findall(r"from (\d+) to (\d+)", done.output)[0])
    assert (last - first) % _INTERVAL == 0
    events = _events(session)
    with prometheus(NOTHING_SCRAPED, data, tmp_path) as url:
        for at in (first + (last - first) // 3 // _INTERVAL * _INTERVAL, last):
            query = 'roompulse_board_gross_minor{scope="room", window="total"} > 0'
            counted = _gross_by_room(events, at * 1000)
            assert len(counted) > 1
            assert _asked(url, query, at) == {k: v for k, v in counted.items() if v}
        accepted = _asked(url, "sum(roompulse_events_accepted_total)", last)
        assert accepted == {"": float(len(events))}


def test_the_last_moment_finds_what_a_run_of_the_file_comes_to(session: Path) -> None:
    chunks = [session.read_bytes().splitlines()]
    *_, (_, found) = moments(lambda: chunks, ShownRun(), 60_000)
    whole = ShownRun()
    whole.feed(chunks[0])
    results = whole.finish()
    assert {room_id: each.summary for room_id, each in found.rooms.items()} == {
        summary.room_id: summary for summary in results.rooms
    }
    assert list(found.progress.values()) == results.progress


def test_without_promtool_it_says_what_to_install(
    session: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    done = CliRunner().invoke(app, ["backfill", str(session), "--out", str(tmp_path / "data")])
    assert done.exit_code == 1
    assert "apt-get install prometheus" in done.output
