"""What people who tune detection write to a real Kafka arrives where it should."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from typer.testing import CliRunner

from deploy.kafka.broker import LocalKafka
from producers.single_records import send
from roompulse.cli.alerts import app as alerts_app
from roompulse.cli.rules import app as rules_app
from schemas import codec
from schemas.codec import Rules
from schemas.records import encode
from schemas.topics import ALERTS, DEFAULT_PARTITIONS, LIVE_EVENTS
from streams.shell.collecting import collect
from streams.shell.reading import read_to_end
from tests.broker import workers
from tests.property.running import run_embedded
from tests.unit.attack import attacked_log, encoded


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


def test_the_last_verdict_of_an_alert_counts_and_alerts_stay_as_they_are(
    kafka: LocalKafka,
) -> None:
    bootstrap = kafka.bootstrap
    asyncio.run(workers.make_topics(bootstrap))
    results = run_embedded(encoded(attacked_log()), rules=None)
    for alert in results.alerts:
        key = encode([alert.alert_id, alert.version])
        asyncio.run(send(bootstrap, ALERTS, key, encode(alert)))
    alert_id = results.alerts[0].alert_id

    def command(*arguments: str) -> str:
        done = CliRunner(env={"COLUMNS": "250"}).invoke(
            alerts_app, [*arguments, "--bootstrap", bootstrap]
        )
        return f"{done.exit_code} {done.output}"

    assert command("ack", alert_id).startswith("0 ")
    assert command("confirm", alert_id, "--note", "empty parcels").startswith("0 ")
    assert "no alert is called 'moon'" in command("dismiss", "moon")
    listed = command("list")
    assert "confirm: empty parcels" in listed
    assert "1 alerts; 1 confirmed, 0 dismissed, precision 1.00" in listed
    assert "0 alerts; " in command("list", "--unjudged")
    assert asyncio.run(collect(bootstrap)).alerts == results.alerts
