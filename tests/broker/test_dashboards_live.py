"""Every panel and every rule finds data in a real Prometheus that scraped a worker at work.

The worker folds a replay in which orders are brushed and some records are malformed or repeated,
and a person judges two alerts: whatever a panel asks for has then happened.
"""

# ruff: noqa: ANN401 - fields of events have no common type

import asyncio
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from deploy.kafka.broker import LocalKafka
from producers.single_records import send as send_record
from roompulse.shown_run import ShownRun
from schemas.records import Alert, Judgement, Verdict, encode, verdict_key
from schemas.topics import ALERTS
from streams.core.boards import DEFAULT_ZONE
from streams.shell.collecting import alerts_and_verdicts
from tests.broker import workers
from tests.broker.workers import WorkerProcess, until
from tests.prometheus.programs import ask, program, prometheus
from tests.prometheus.questions import Question, choices, chosen_from, questions

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "rules"
SECONDS = 60.0
DAY_MS = 24 * 3_600_000
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


def days_before(records: list[bytes]) -> tuple[list[bytes], str]:
    """Four days with a sale each, and a calendar whose festival is the last but one.

    On the first, two weeks ago, somebody watches; on the second, one complaint is answered and one
    is not.
    """
    first_ms = msgspec.json.decode(records[0])["ts_ms"]
    found: list[dict[str, Any]] = []

    def add(kind: str, room_id: str, ts_ms: int, /, **fields: Any) -> None:
        event_id = f"before-{len(found)}"
        found.append({"type": kind, "event_id": event_id, "ts_ms": ts_ms} | fields)
        if kind != "tick":
            found[-1]["room_id"] = room_id

    for number in (14, 3, 2, 1):
        at_ms, room_id = first_ms - number * DAY_MS, f"room-{number}-days-before"
        buyer = {"buyer_id": f"buyer-{number}", "product_id": "p"}
        order_id = f"{room_id}-o"
        add("tick", "", at_ms)
        add("room_opened", room_id, at_ms, host_id="h", mode="store", category="c", currency="CNY")
        if number == 14:
            add("view", room_id, at_ms, viewer_id="viewer", action="enter")
        add("order", room_id, at_ms, order_id=order_id, quantity=1, amount_minor=900, **buyer)
        back = {"refund_id": f"{room_id}-r", "order_id": order_id, "reason": "quality"}
        add("refund", room_id, at_ms + 1, amount_minor=9, ordered_ts_ms=at_ms, **back, **buyer)
        for name, statuses in (("a", ("opened", "replied", "resolved")), ("b", ("opened",))):
            for status in statuses if number == 3 else ():
                said = {"complaint_id": name, "buyer_id": "x", "kind": "quality", "status": status}
                add("complaint", room_id, at_ms + 2, **said)
    add("tick", "", first_ms - 1)
    day = datetime.fromtimestamp((first_ms - 2 * DAY_MS) / 1000, ZoneInfo(DEFAULT_ZONE)).date()
    calendar = f"- {{festival: of_yesterday, first_day: {day}, last_day: {day}}}\n"
    return [msgspec.json.encode(each) for each in found], calendar


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
    earlier, calendar = days_before(records)
    file = folder / "calendar.yaml"
    file.write_text(calendar)
    asyncio.run(workers.send(bootstrap, earlier, with_closing_tick=False))
    with WorkerProcess(
        bootstrap, folder, group="dashboards", checkpoint_seconds=2, calendar_file=file
    ) as worker:
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
            whole = 'roompulse_festival_days{window="after"} > 0'
            until(lambda: rows(whole), SECONDS, "people are looked at on the day of the session")
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
