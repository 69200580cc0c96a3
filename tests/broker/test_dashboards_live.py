"""Every panel and every rule finds data in a real Prometheus that scraped a worker at work.

The worker folds a replay in which orders are brushed and some records are malformed or repeated,
and a person judges two alerts: whatever a panel asks for has then happened.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalKafka
from producers.single_records import send as send_record
from roompulse.shown_run import ShownRun
from schemas.records import Alert, Judgement, Verdict, encode, verdict_key
from schemas.topics import ALERTS
from streams.shell.collecting import alerts_and_verdicts
from tests.broker import workers
from tests.broker.workers import WorkerProcess, until
from tests.prometheus.programs import ask, program, prometheus
from tests.prometheus.questions import Question, choices, chosen_from, questions

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules"
SECONDS = 60.0
# Fast, but several scrapes long, so that rates have what they need.
SPEED = 600.0
SETTINGS = """
global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}/*.yml"]
scrape_configs:
  - job_name: roompulse
    static_configs: [{{targets: ["{target}"]}}]
"""


@dataclass(frozen=True)
class Live:
    """A Prometheus that scraped a replay; the variables are what a person would choose."""

    url: str
    variables: dict[str, str]
    began: float
    ended: float


def eventful() -> list[bytes]:
    """A session cut where most alerts are firing, with malformed and repeated records in it."""
    records = workers.session("brushing", 20_000, seed=3)
    run, most, cut = ShownRun(), 0, 0
    for at, chunk in enumerate(workers.chunks(records)):
        run.feed(chunk)
        firing = len(run.alerts.firing())
        if firing > most:
            most, cut = firing, (at + 1) * len(chunk)
    assert most > 2
    marred: list[bytes] = []
    for number, record in enumerate(records[:cut]):
        marred.append(record)
        if number % 200 == 0:
            marred += [b"no json", record]
    return marred


async def judge(bootstrap: str, alert_id: str, judgement: Judgement) -> None:
    verdict = Verdict(alert_id, judgement, time.time_ns() // 1_000_000)
    await send_record(bootstrap, ALERTS, verdict_key(alert_id), encode(verdict))


def told(bootstrap: str) -> list[Alert]:
    return asyncio.run(alerts_and_verdicts(bootstrap))[0]


@pytest.fixture(scope="module")
def live(kafka: LocalKafka, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A worker that has folded a replay, and a Prometheus that watched it."""
    program("prometheus")
    bootstrap, folder = kafka.bootstrap, tmp_path_factory.mktemp("live")
    asyncio.run(workers.make_topics(bootstrap))
    records = eventful()
    with WorkerProcess(bootstrap, folder, group="dashboards", checkpoint_seconds=2) as worker:
        worker.wait_ready()
        target = worker.address.removeprefix("http://")
        text = SETTINGS.format(rules=RULES, target=target)
        began = time.time()
        with prometheus(text, folder / "data", folder) as url:
            asyncio.run(workers.send(bootstrap, records, speed=SPEED, with_closing_tick=False))
            until(lambda: told(bootstrap), SECONDS, "alerts are told")
            first, *_, last = {alert.alert_id for alert in told(bootstrap)}
            asyncio.run(judge(bootstrap, first, "confirm"))
            asyncio.run(judge(bootstrap, last, "dismiss"))

            def rows(query: str) -> list[dict[str, dict[str, str]]]:
                found: list[dict[str, dict[str, str]]] = ask(url, "query", query=query)["result"]
                return found

            until(lambda: rows("roompulse:alerts_precision:ratio"), SECONDS, "verdicts are scraped")
            gravest, *_ = rows('roompulse_firing_alert_started_seconds{room_id!=""}')
            variables = {
                "currency": "CNY",
                "room": gravest["metric"]["room_id"],
                "minor_per_unit": "100",
                "__rate_interval": "15s",
                "__range": "60s",
            }
            yield Live(url, variables, began, time.time())


@pytest.mark.parametrize("question", questions(), ids=str)
def test_every_panel_finds_data(live: Live, question: Question) -> None:
    assert question.answer(live.url, live.variables, live.began, live.ended)


@pytest.mark.parametrize("query", sorted(choices()))
def test_every_choice_has_something_to_choose_and_what_was_chosen_here(
    live: Live, query: str
) -> None:
    found = chosen_from(live.url, query, live.variables, live.ended)
    assert set(found) & set(live.variables.values())


def test_every_rule_is_evaluated_without_an_error_and_every_sum_has_data(live: Live) -> None:
    groups = ask(live.url, "rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert {rule["health"] for rule in rules} == {"ok"}, json.dumps(rules, indent=1)
    recorded = {rule["name"] for rule in rules if rule["type"] == "recording"}
    assert len(recorded) > 10
    for name in recorded:
        assert ask(live.url, "query", query=name, time=live.ended)["result"], name
