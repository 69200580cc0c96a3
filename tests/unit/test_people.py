"""No id of a person, a device or an account is in what Roompulse shows, logs or measures.

The ids of the sessions are unmistakable digests, so that any part of one that is longer than the
last four characters is found wherever it stands.
"""

import json
import logging
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from producers.generator import generate
from producers.pseudonyms import PERSONAL_FIELDS, Pseudonyms
from producers.sessions import read_records
from roompulse.backfill import moments
from roompulse.cli.app import app
from roompulse.shown_run import ShownRun
from schemas.records import Alert
from streams.shell.alertmanager import firing, resolved
from streams.shell.metrics import WorkerCollector, exposition
from streams.shell.room_stage import PartitionHealth
from tests.property.running import run_embedded
from tests.unit.attack import encoded
from tests.unit.signals import signals_log

SHOWN_CHARACTERS = 4
HEXADECIMAL = re.compile(r"[0-9a-f]{9,}")
# Holds what was refused with its bytes, to be sent again; `docs/security.md` says so.
RAW_FILES = {"dead-letters.ndjson"}


class Ids:
    """The personal ids of a session; finds them in texts, whole or in part."""

    # a shared part of so many characters is no accident: one in 16 ** 9
    PART = 9

    def __init__(self, records: Sequence[bytes]) -> None:
        events = [json.loads(record) for record in records]
        people = {event[name] for event in events for name in PERSONAL_FIELDS & event.keys()}
        self._parts = {part for one in people if one for part in self._windows(one)}
        assert len(self._parts) > len(people)
        self.orders = {event["order_id"] for event in events if "order_id" in event}
        self.devices = {event["device_id"] for event in events if event.get("device_id")}

    def _windows(self, text: str) -> Iterator[str]:
        return (text[at : at + self.PART] for at in range(len(text) - self.PART + 1))

    def found_in(self, text: str) -> set[str]:
        runs = HEXADECIMAL.findall(text)
        return {part for run in runs for part in self._windows(run) if part in self._parts}


def _pseudonymous(records: Sequence[bytes]) -> list[bytes]:
    (chunk,) = Pseudonyms(b"0123456789abcdef").of_chunks([list(records)])
    return chunk


@pytest.fixture(scope="module")
def session() -> list[bytes]:
    """An evening of brushing."""
    return _pseudonymous(list(generate("brushing", 3, events=20_000)))


@pytest.fixture(scope="module")
def dirty() -> list[bytes]:
    """An evening of which a part is refused."""
    return _pseudonymous(list(generate("dirty", 3, events=3_000)))


def _written(folder: Path, records: Sequence[bytes]) -> Path:
    path = folder / "session.ndjson"
    path.write_bytes(b"".join(record + b"\n" for record in records))
    return path


def _ran(*words: str | Path) -> str:
    result = CliRunner(env={"COLUMNS": "400"}).invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, result.output
    return result.output + result.stderr


def test_the_search_finds_what_it_is_for(session: list[bytes]) -> None:
    ids = Ids(session)
    device = next(iter(ids.devices))
    assert ids.found_in(f"x{device}y")
    assert ids.found_in(f'"…{device[-SHOWN_CHARACTERS - 8 :]}"')
    assert not ids.found_in(f'"…{device[-SHOWN_CHARACTERS:]}"')
    assert ids.found_in(b"\n".join(session).decode())


@pytest.mark.parametrize("scenario", ["session", "dirty"])
def test_nothing_that_a_run_writes_says_or_logs_names_a_person(
    scenario: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
    caplog: pytest.LogCaptureFixture,
) -> None:
    records: list[bytes] = request.getfixturevalue(scenario)
    ids = Ids(records)
    out = tmp_path / "out"
    with caplog.at_level(logging.DEBUG):
        said = _ran("run", _written(tmp_path, records), "--out", out)
        said += _ran("alerts", "list", out) + _ran("alerts", "list", out, "--json")
        said += _ran("boards", out)
        said += _ran("dead-letters", "list", "--file", out / "dead-letters.ndjson", "--json")
    assert not ids.found_in(said)
    assert not ids.found_in(caplog.text)
    names = {path.name for path in out.iterdir()}
    assert names >= RAW_FILES | {"alerts.ndjson", "rooms.ndjson", "stickiness.json"}
    for name in sorted(names - RAW_FILES):
        assert not ids.found_in((out / name).read_text()), name


def test_no_label_of_a_metric_names_a_person_a_device_or_an_order(
    session: list[bytes], tmp_path: Path
) -> None:
    path = _written(tmp_path, session)
    run = ShownRun(4)
    *_, (_, view) = moments(lambda: read_records(path), run, 600_000)
    view = replace(view, health={number: PartitionHealth() for number in view.progress})
    text = exposition(WorkerCollector(lambda: view, 500)).decode()
    ids = Ids(session)
    assert "roompulse_alerts_firing" in text
    assert "roompulse_board_gross_minor{" in text
    assert not ids.found_in(text)
    assert not ids.orders & set(re.findall(r'"([^"]*)"', text))


def test_what_alertmanager_gets_of_any_alert_names_no_person() -> None:
    events = _pseudonymous(encoded(signals_log()))
    alerts: list[Alert] = run_embedded(events, rules=None).alerts
    assert len({alert.kind for alert in alerts}) > 5
    posts = [
        *(firing(alert, "http://grafana.example/d/room") for alert in alerts),
        *(resolved(alert, alert.updated_ms, None) for alert in alerts),
    ]
    ids = Ids(events)
    for post in posts:
        assert not ids.found_in(json.dumps(post, ensure_ascii=False)), post["labels"]
        assert not ids.orders & set(post["labels"].values())
