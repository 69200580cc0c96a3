"""What workers published and saved, as files and in the terminal: those of a run without Kafka."""

import asyncio
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.kafka.broker import LocalKafka
from roompulse.cli.app import app
from roompulse.cli.board_view import money
from roompulse.following import Following
from roompulse.top.app import SCOPES, SOURCES, Top
from schemas.records import encode
from streams.calendars import SHIPPED, read_calendar
from streams.embedded import EmbeddedRun, Results
from streams.result_files import write_results
from streams.shell.collecting import collect
from tests.broker import workers
from tests.broker.workers import WorkerProcess, until

_SECONDS = 60.0


@pytest.fixture
def bootstrap(kafka: LocalKafka) -> str:
    """A Kafka whose topics are all empty."""
    asyncio.run(workers.make_topics(kafka.bootstrap))
    return kafka.bootstrap


def shown(results: Results) -> list[bytes]:
    """The live views among the results, as they are published."""
    return [encode(each) for each in (*results.rooms, *results.boards)]


async def shown_in_the_terminal(bootstrap: str, expected: Results) -> None:
    """The terminal view of the Kafka shows the rows, rooms, minutes and alerts of the run."""
    async with Following(bootstrap, SOURCES) as source:
        assert await source.poll(0)
        known = source.known
        app = Top("Kafka", known, source.poll)
        async with app.run_test(size=(100, 40)) as pilot:
            for key, scope in enumerate(SCOPES, 1):
                await pilot.press(str(key))
                board = known.standing().board(scope, "total", "CNY")
                ranked = {each.scope: each for each in expected.boards if each.window == "total"}
                assert board == ranked[scope]
                assert app.boards.keys == [row.key for row in ranked[scope].rows]
                for row in ranked[scope].rows:
                    assert app.boards.text(row.key, "net_minor") == money(row.net_minor, "CNY")
    shown = {room_id: known.summary(room_id) for room_id in known.rooms}
    assert shown == {summary.room_id: summary for summary in expected.rooms}
    assert {(one.alert.alert_id, one.alert.version) for one in known.alerts.all()} == set(
        {alert.alert_id: alert.version for alert in expected.alerts}.items()
    )
    for room_id in known.rooms:
        of_room = [line for line in expected.minutes if line.room_id == room_id]
        assert known.minutes.of_room(room_id) == of_room


def test_the_files_of_kafka_are_those_of_a_run_with_its_stickiness(
    bootstrap: str, tmp_path: Path
) -> None:
    records = workers.session("brushing", 12_000)
    run = EmbeddedRun(calendar=read_calendar(SHIPPED))
    for chunk in workers.chunks(records):
        run.feed(chunk)
    expected = run.finish()
    ours, theirs = tmp_path / "run", tmp_path / "kafka"
    write_results(expected, ours, elapsed_seconds=0)
    with WorkerProcess(bootstrap, tmp_path, group=tmp_path.name) as worker:
        worker.wait_ready()
        asyncio.run(workers.send(bootstrap, records))
        # boards follow the rooms that they rank by a moment
        until(
            lambda: shown(asyncio.run(collect(bootstrap))) == shown(expected),
            _SECONDS,
            "the workers published what the run came to",
        )
        asyncio.run(shown_in_the_terminal(bootstrap, expected))
        worker.send(signal.SIGTERM)
        assert worker.wait(_SECONDS) == 0
    done = CliRunner().invoke(app, ["export", "--out", str(theirs), "--bootstrap", bootstrap])
    assert done.exit_code == 0, done.output
    names = {path.name for path in ours.iterdir()} - {"run.json"}
    assert "stickiness.json" in names
    assert "alerts.ndjson" in names
    assert (ours / "alerts.ndjson").stat().st_size
    for name in sorted(names):
        assert (theirs / name).read_bytes() == (ours / name).read_bytes(), name
