"""What a run makes of views and orders for `stickiness.json`, and how file and command look."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import typer
from typer.testing import CliRunner, Result

from roompulse.cli.run import run
from schemas.calendar import calendar_of
from streams.embedded import EmbeddedRun, Results
from tests.oracle.contract import Event
from tests.oracle.malformed import encode

SHANGHAI = ZoneInfo("Asia/Shanghai")
MIDNIGHT = int(datetime(2026, 11, 3, tzinfo=SHANGHAI).timestamp()) * 1000
HOUR = 3_600_000


def tick(ts_ms: int) -> Event:
    return {"type": "tick", "event_id": "t", "ts_ms": ts_ms}


def opened(ts_ms: int, room_id: str = "r", host_id: str = "h") -> Event:
    about = {"host_id": host_id, "mode": "talent", "category": "food", "currency": "CNY"}
    return {"type": "room_opened", "event_id": "e", "ts_ms": ts_ms, "room_id": room_id} | about


def view(ts_ms: int, viewer_id: str = "v", action: str = "enter", room_id: str = "r") -> Event:
    who = {"viewer_id": viewer_id, "action": action, "room_id": room_id}
    return {"type": "view", "event_id": "e", "ts_ms": ts_ms} | who


def order(ts_ms: int, order_id: str = "o") -> Event:
    sold = {"order_id": order_id, "buyer_id": "b", "product_id": "p", "room_id": "r"}
    head = {"type": "order", "event_id": "e", "ts_ms": ts_ms, "quantity": 1, "amount_minor": 100}
    return head | sold


def refund(ts_ms: int, ordered_ts_ms: int, amount_minor: int, order_id: str = "o") -> Event:
    back = {"refund_id": f"of {amount_minor}", "order_id": order_id, "buyer_id": "b"}
    why = {"product_id": "p", "amount_minor": amount_minor, "reason": "other", "room_id": "r"}
    stamps = {"ts_ms": ts_ms, "ordered_ts_ms": ordered_ts_ms}
    return {"type": "refund", "event_id": "e"} | stamps | back | why


def results_of(events: Sequence[Event]) -> Results:
    embedded = EmbeddedRun(partitions=2)
    embedded.feed([encode(event) for event in events])
    return embedded.finish()


def report_of(events: Sequence[Event]) -> dict[str, Any]:
    report: dict[str, Any] | None = results_of(events).stickiness
    assert report is not None
    return report


def active(report: dict[str, Any]) -> dict[str, int]:
    return {row["day"]: row["active_viewers"] for row in report["days"]}


def test_a_visit_over_midnight_makes_its_viewer_active_on_both_days() -> None:
    log = [tick(MIDNIGHT - 60_000), view(MIDNIGHT - 40_000)]
    assert active(report_of([*log, view(MIDNIGHT - 1, action="heartbeat")])) == {"2026-11-02": 1}
    both = {"2026-11-02": 1, "2026-11-03": 1}
    for action in ("heartbeat", "leave", "like", "enter"):
        assert active(report_of([*log, view(MIDNIGHT, action=action)])) == both


def test_a_late_view_of_someone_present_counts_on_its_own_day() -> None:
    log = [tick(MIDNIGHT), view(MIDNIGHT), view(MIDNIGHT - 1, action="heartbeat")]
    assert active(report_of(log)) == {"2026-11-02": 1, "2026-11-03": 1}
    log[-1] = view(MIDNIGHT - 1, action="leave")
    assert active(report_of(log)) == {"2026-11-02": 1, "2026-11-03": 1}


def test_a_leave_of_someone_absent_is_a_view_though_no_visit() -> None:
    log = [tick(MIDNIGHT), view(MIDNIGHT, action="leave")]
    assert active(report_of(log)) == {"2026-11-03": 1}
    assert results_of(log).rooms[0].viewers == 0


def test_the_end_of_a_room_is_no_view_of_those_in_it() -> None:
    closed = {"type": "room_closed", "event_id": "e", "ts_ms": MIDNIGHT + 1, "room_id": "r"}
    log = [tick(MIDNIGHT - 60_000), view(MIDNIGHT - 1), closed]
    assert active(report_of(log)) == {"2026-11-02": 1}


def test_a_buyer_who_only_ordered_is_no_viewer() -> None:
    report = report_of([tick(MIDNIGHT), opened(MIDNIGHT), order(MIDNIGHT)])
    assert (report["platform"]["buyers"], report["platform"]["viewers"]) == (1, 0)
    assert report["days"] == []


def test_what_later_records_refute_has_no_day() -> None:
    far = MIDNIGHT + 100 * HOUR
    log = [tick(MIDNIGHT), opened(MIDNIGHT), order(far), view(far), view(MIDNIGHT, "w")]
    assert results_of(log).rooms[0].orders == 1  # money is never dropped
    report = report_of(log)
    assert report["platform"]["buyers"] == 0
    assert report["platform"]["viewers"] == 1
    assert active(report) == {"2026-11-03": 1}


def test_a_repeated_order_on_another_day_makes_no_repeat_buyer() -> None:
    log = [tick(MIDNIGHT - HOUR), opened(MIDNIGHT - HOUR), order(MIDNIGHT - HOUR)]
    again = [*log, tick(MIDNIGHT + HOUR), order(MIDNIGHT + HOUR)]
    assert report_of(again)["hosts"][0]["repeat_buyers"] == 0
    other = [*log, tick(MIDNIGHT + HOUR), order(MIDNIGHT + HOUR, "another")]
    assert report_of(other)["hosts"][0]["repeat_buyers"] == 1


def test_a_refunded_order_is_still_an_order_and_its_day_loses_what_was_accepted() -> None:
    log = [tick(MIDNIGHT), opened(MIDNIGHT), order(MIDNIGHT)]
    log += [refund(MIDNIGHT + HOUR // 10, MIDNIGHT, 70), refund(MIDNIGHT + HOUR // 9, MIDNIGHT, 60)]
    embedded = EmbeddedRun()
    embedded.feed([encode(event) for event in log])
    assert report_of(log)["platform"]["buyers"] == 1
    embedded.finish()
    (day,) = [day for each in embedded.partitions for day in each.stickiness.room_days.values()]
    assert day.net_minor == 0  # 30 of the second refund were accepted


def test_the_log_begins_with_its_first_event_whatever_it_is() -> None:
    seen = {"type": "exposure", "event_id": "e", "ts_ms": MIDNIGHT - 1, "room_id": "r"}
    festival = {"festival": "f", "first_day": "2026-11-04", "last_day": "2026-11-04"}
    log = [seen | {"impressions": 1}, tick(MIDNIGHT), order(MIDNIGHT), tick(MIDNIGHT + 24 * HOUR)]
    embedded = EmbeddedRun(calendar=calendar_of([festival]))
    embedded.feed([encode(event) for event in log])
    report: dict[str, Any] | None = embedded.finish().stickiness
    assert report is not None
    (row,) = report["festivals"]
    assert row["before_daily_net_minor"] == 50.0  # 2 and 3 November


def test_a_room_opened_after_its_orders_gives_them_to_its_host() -> None:
    log = [tick(MIDNIGHT), order(MIDNIGHT), view(MIDNIGHT), opened(MIDNIGHT + 1)]
    report = report_of(log)
    assert (report["hosts"][0]["host_id"], report["hosts"][0]["buyers"]) == ("h", 1)
    assert report["rooms"][0]["viewers"] == 1


# --- file and command ----------------------------------------------------------------------------


def command(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(run)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.fixture
def session(tmp_path: Path) -> Path:
    path = tmp_path / "session.ndjson"
    log = [tick(MIDNIGHT), opened(MIDNIGHT), view(MIDNIGHT), order(MIDNIGHT)]
    log += [tick(MIDNIGHT + 48 * HOUR)]
    path.write_bytes(b"".join(encode(event) + b"\n" for event in log))
    return path


def test_the_file_has_its_sections_in_order_and_is_the_same_each_time(
    session: Path, tmp_path: Path
) -> None:
    contents = []
    for number, partitions in enumerate((1, 4)):
        out = tmp_path / f"out{number}"
        result = command(session, "--out", out, "--partitions", partitions)
        assert result.exit_code == 0, result.output
        contents.append((out / "stickiness.json").read_bytes())
    assert contents[0] == contents[1]
    sections = json.loads(contents[0])
    assert list(sections) == ["platform", "rooms", "hosts", "days", "cohorts", "festivals"]
    assert contents[0].endswith(b"]}\n")
    assert contents[0].count(b"\n") < 30  # a row a line
    names = {row["festival"] for row in sections["festivals"]}
    assert names == {"double_11_2026"}  # the only one within 28 days
    row = next(row for row in sections["festivals"] if row["scope"] == "platform")
    assert row["during_daily_net_minor"] == row["during_daily_net_minor_trusted"] == 50.0
    assert row["provisional"] is True


def test_a_calendar_of_ones_own_replaces_the_shipped_one(session: Path, tmp_path: Path) -> None:
    calendar = tmp_path / "mine.yaml"
    calendar.write_text("- {festival: mine, first_day: 2026-11-04, last_day: 2026-11-04}\n")
    out = tmp_path / "out"
    result = command(session, "--out", out, "--calendar", calendar)
    assert result.exit_code == 0, result.output
    festivals = json.loads((out / "stickiness.json").read_bytes())["festivals"]
    assert {row["festival"] for row in festivals} == {"mine"}
    assert {row["before_daily_net_minor"] for row in festivals} == {100.0}


def test_a_file_that_is_no_calendar_stops_the_run_in_one_line(
    session: Path, tmp_path: Path
) -> None:
    calendar = tmp_path / "mine.yaml"
    calendar.write_text("- {festival: mine, first_day: soon, last_day: 2026-11-04}\n")
    for path, complaint in ((calendar, "entry 1: first_day"), (tmp_path / "none", "No such file")):
        result = command(session, "--out", tmp_path / "out", "--calendar", path)
        assert result.exit_code != 0
        assert complaint in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert not (tmp_path / "out").exists()
