"""What `roompulse alerts` shows of a folder, and how a verdict is told from a version."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from roompulse.cli import alerts as alerts_command
from roompulse.cli.alerts import Judged, app, judged, newest_versions, precision_line
from schemas.records import Alert, Judgement, Verdict, decode_alert, encode, verdict_key
from streams.result_files import write_results
from tests.property.running import run_embedded
from tests.unit.attack import attacked_log, encoded
from tests.unit.test_alert_book import alert as made

RESULTS = run_embedded(encoded(attacked_log()), rules=None)


def command(*arguments: str | Path) -> Result:
    return CliRunner(env={"COLUMNS": "250"}).invoke(app, [str(each) for each in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_results(RESULTS, tmp_path, elapsed_seconds=0)
    return tmp_path


def verdict(judgement: Judgement) -> Verdict:
    return Verdict("a1", judgement, 1_760_000_000_000, "looked at the parcels")


def test_the_newest_version_of_each_alert_is_shown(folder: Path) -> None:
    assert len(RESULTS.alerts) > 1
    shown = command("list", folder)
    assert shown.exit_code == 0
    assert "1 alerts; 0 confirmed, 0 dismissed" in shown.output
    assert RESULTS.alerts[-1].alert_id in shown.output
    line = json.loads(command("list", folder, "--json").output)
    assert line["version"] == max(alert.version for alert in RESULTS.alerts)
    assert line["verdict"] is None


def test_versions_may_come_in_any_order() -> None:
    assert newest_versions(reversed(RESULTS.alerts)) == newest_versions(RESULTS.alerts)


def test_the_key_tells_a_verdict_from_a_version() -> None:
    alert = RESULTS.alerts[0]
    given = verdict("confirm")
    assert decode_alert(encode([alert.alert_id, alert.version]), encode(alert)) == alert
    assert decode_alert(verdict_key("a1"), encode(given)) == given
    assert b'"record":"verdict"' in encode(given)


def test_precision_is_that_of_alerts_confirmed_or_dismissed() -> None:
    said = {"a": verdict("confirm"), "b": verdict("dismiss"), "c": verdict("ack")}
    assert precision_line(said) == "1 confirmed, 1 dismissed, precision 0.50"
    assert precision_line({"c": verdict("ack")}) == "0 confirmed, 0 dismissed"


@pytest.mark.parametrize(
    ("content", "said"), [(None, "no such file"), (b'{"a":1}\n', "holds no alerts")]
)
def test_a_folder_without_alerts_gives_one_line(
    tmp_path: Path, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "alerts.ndjson").write_bytes(content)
    done = command("list", tmp_path)
    assert done.exit_code == 1
    assert said in done.output


def test_a_note_has_an_end() -> None:
    done = command("dismiss", "a1", "--note", "x" * 501)
    assert done.exit_code == 1
    assert "at most 500 characters" in done.output


def test_verdicts_are_summed_by_kind_and_severity_and_over_all_kinds() -> None:
    alerts = [
        made("a", severity="page"),
        made("b", severity="page"),
        made("c", severity="page", kind="hot_item"),
        made("d", severity="review"),
        made("d", 2, severity="page"),
        made("e", severity="review"),
    ]
    said = {"a": verdict("confirm"), "b": verdict("dismiss"), "c": verdict("confirm")}
    said["d"] = verdict("ack")
    assert judged(alerts, said) == [
        Judged("brushed_orders", "page", 3, 1, 1, 1, 0, 0.5),
        Judged("hot_item", "page", 1, 1, 0, 0, 0, 1.0),
        Judged("all", "page", 4, 2, 1, 1, 0, 2 / 3),
        Judged("brushed_orders", "review", 1, 0, 0, 0, 1, None),
        Judged("all", "review", 1, 0, 0, 0, 1, None),
    ]


def test_precision_is_shown_as_a_table_and_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    async def on_kafka(_: str) -> tuple[list[Alert], dict[str, Verdict]]:
        return [made("a"), made("b"), made("c")], {"a": verdict("confirm"), "b": verdict("dismiss")}

    monkeypatch.setattr(alerts_command, "require_broker", lambda _: None)
    monkeypatch.setattr(alerts_command, "alerts_and_verdicts", on_kafka)
    shown = command("precision")
    assert shown.exit_code == 0, shown.output
    assert "50.0%" in shown.output
    first, *_ = command("precision", "--json").output.splitlines()
    assert json.loads(first)["precision"] == 0.5
    assert json.loads(first)["none"] == 1
