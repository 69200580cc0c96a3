"""What people who tune detection write to a real Kafka arrives where it should."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from typer.testing import CliRunner

from deploy.kafka.broker import LocalKafka
from roompulse.cli.rules import app as rules_app
from schemas import codec
from schemas.codec import Rules
from schemas.topics import DEFAULT_PARTITIONS, LIVE_EVENTS
from streams.shell.reading import read_to_end
from tests.broker import workers


async def _rules_of(bootstrap: str, partition: int) -> AsyncIterator[Rules]:
    async for record in read_to_end(bootstrap, LIVE_EVENTS, partition):
        event = codec.decode(record.value or b"")
        assert isinstance(event, Rules)
        yield event


async def _all_rules(bootstrap: str) -> list[list[Rules]]:
    return [
        [event async for event in _rules_of(bootstrap, partition)]
        for partition in range(DEFAULT_PARTITIONS)
    ]


def test_pushed_rules_stand_once_in_every_partition(kafka: LocalKafka, tmp_path: Path) -> None:
    asyncio.run(workers.make_topics(kafka.bootstrap))
    file = tmp_path / "rules.yaml"
    file.write_text("version: strict\nrules: {brushing: {page: 40}}\n", encoding="utf-8")
    done = CliRunner().invoke(rules_app, ["push", str(file), "--bootstrap", kafka.bootstrap])
    assert done.exit_code == 0, done.output
    assert f"to {DEFAULT_PARTITIONS} partitions" in done.output
    found = asyncio.run(_all_rules(kafka.bootstrap))
    assert [len(events) for events in found] == [1] * DEFAULT_PARTITIONS
    assert {event.event_id for events in found for event in events} == {found[0][0].event_id}
    assert found[0][0].version == "strict"
    assert found[0][0].rules == {"brushing": {"page": 40}}
    shown = CliRunner().invoke(rules_app, ["show", "--bootstrap", kafka.bootstrap])
    assert "# no worker of this Kafka has reported yet" in shown.output
