"""What workers published and saved, as files: those of a run without Kafka, stickiness included."""

import asyncio
import signal
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.kafka.broker import LocalKafka
from roompulse.cli.app import app
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
