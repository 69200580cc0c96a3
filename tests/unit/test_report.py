"""The page of a session: its figures are those of the files, and no name can break it."""

# ruff: noqa: ANN401 - JSON values have no common type

import re
import shutil
from collections.abc import Iterator
from datetime import UTC, date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner

from producers.generator import generate
from roompulse.cli.app import app
from roompulse.report.files import LINE_FILES, SECTION_FILES, read_files
from roompulse.report.labels import CHINESE, LABELS, definition_of
from roompulse.report.page import page
from roompulse.report.words import (
    NAMES,
    SCOPES,
    SENTENCES,
    WHAT_IS_MISSING,
    Language,
)
from schemas.calendar import Festival
from schemas.records import ALERT_KINDS
from streams.embedded import EmbeddedRun
from streams.result_files import write_results
from tests.unit.attack import attacked_log, encoded

TOP = 30
ODD = '<script>alert(1)</script> "&\u202e\x07'
FESTIVAL = Festival(
    festival="double_11_2026", first_day=date(2026, 11, 1), last_day=date(2026, 11, 11)
)
ALONE = {"meta", "br"}


def write_run(folder: Path, log: list[bytes], calendar: tuple[Festival, ...] = ()) -> Path:
    run = EmbeddedRun(4, calendar=calendar)
    run.feed(log)
    write_results(run.finish(), folder, elapsed_seconds=0)
    return folder


@pytest.fixture(scope="module")
def season(tmp_path_factory: pytest.TempPathFactory) -> Path:
    log = list(generate("season", 3, events=40_000))
    return write_run(tmp_path_factory.mktemp("season"), log, (FESTIVAL,))


@pytest.fixture(scope="module")
def attacked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("attacked"), encoded(attacked_log()))


def rendered(folder: Path, language: Language = Language.EN, top: int = TOP, rooms: int = 3) -> str:
    return page(read_files(folder, rooms=rooms, alerts=top), language, top=top)


class Read(HTMLParser):
    """What a page holds: its elements nested as they should be, its tables by caption."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.headings: list[str] = []
        self.tables: dict[str, list[list[str]]] = {}
        self._caption = self._cell = ""
        self._row: list[str] = []
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        values = dict(attrs)
        self.ids += [values["id"] or ""] if "id" in values else []
        self.links += [values["href"] or ""] if "href" in values else []
        if tag == "tr":
            self._row = []
        elif tag in ("td", "th", "caption", "h2"):
            self._cell = ""
        elif tag == "data":
            self._cell = values["value"] or ""
        if tag not in ALONE:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:  # noqa: ARG002
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        if "data" not in self.open:
            self._cell += data

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag
        if tag == "h2":
            self.headings.append(self._cell)
        elif tag == "caption":
            self._caption = self._cell
            self.tables[self._caption] = []
        elif tag in ("td", "th"):
            self._row.append(self._cell)
        elif tag == "tr":
            self.tables[self._caption].append(self._row)


def exact(value: Any) -> str:
    """A figure of a file as a cell has it."""
    return "" if value is None else msgspec.json.encode(value).decode().strip('"')


def cells(table: list[list[str]], columns: dict[str, str]) -> Iterator[dict[str, str]]:
    """The rows of a table, by the names that its heads stand for."""
    head, *rows = table
    places = {name: head.index(label) for name, label in columns.items()}
    for row in rows:
        yield {name: row[at] for name, at in places.items()}


def labels(names: list[str]) -> dict[str, str]:
    return {name: LABELS[name][0] for name in names}


def decoded(path: Path) -> Any:
    return msgspec.json.decode(path.read_bytes())


def lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


def same_figure(shown: str, value: Any) -> bool:
    """Floats are compared as numbers: 3.0 and 3 are one figure."""
    return shown == exact(value) or (bool(shown) and float(shown) == value)


def agree(shown: dict[str, str], row: dict[str, Any]) -> bool:
    return all(same_figure(figure, row[name]) for name, figure in shown.items())


# ---------------------------------------------------------------- figures


def test_boards_show_the_figures_of_the_file(attacked: Path, season: Path) -> None:
    names = ["gross_minor", "net_minor", "trusted_minor", "rank_trusted", "places_lost", "orders"]
    compared = 0
    for folder in (attacked, season):
        read = Read(rendered(folder))
        for board in decoded(folder / "boards.json"):
            if board["window"] != "total" or not board["rows"]:
                continue
            table = read.tables[f"GMV three ways: {SCOPES[board['scope']][0]}, CNY"]
            for shown, row in zip(cells(table, labels(names)), board["rows"][:TOP], strict=True):
                assert agree(shown, row)
                compared += 1
    assert compared > 100
    assert any(int(row["suspected_minor"]) for row in lines(attacked / "rooms.ndjson"))


def test_retention_and_drop_off_show_the_figures_of_the_files(season: Path) -> None:
    read, report = Read(rendered(season)), decoded(season / "retention.json")
    names = ["visits", "viewers", "stayed_30s", "stayed_1800s", "avg_watch_ms", "follow_rate"]
    (shown, *_) = cells(
        read.tables["Share of ended visits still there after a time"], labels(names)
    )
    assert agree(shown, report["platform"])
    hosts = {row["host_id"]: row for row in report["hosts"]}
    for shown in cells(read.tables["Retention: Hosts"], {"host_id": "Hosts", **labels(names)}):
        assert agree({name: shown[name] for name in names}, hosts.pop(shown["host_id"]))
    assert not hosts, "every host has a row"
    told = [row for row in decoded(season / "drop-off.json")["what_was_on"] if not row["key"]]
    table = read.tables["Share of those present lost in a minute, by what was on"]
    losses = ["minutes", "present", "lost", "loss_rate"]
    for shown, row in zip(cells(table, labels(losses)), told, strict=True):
        assert agree(shown, row)


def test_after_sales_shows_the_figures_of_the_file(season: Path) -> None:
    read, report = Read(rendered(season)), decoded(season / "after-sales.json")
    names = ["orders", "complaints", "refunds", "refunded_minor", "quality_refund_rate"]
    table = read.tables["By responsible party, CNY"]
    for shown, row in zip(cells(table, labels(names)), report["platform"], strict=True):
        assert agree(shown, row)
    hosts = {row["key"]: row for row in report["hosts"] if row["party"] is None}
    for shown in cells(read.tables["Load: Hosts"], {"key": "key", **labels(names)}):
        assert agree({name: shown[name] for name in names}, hosts.pop(shown["key"]))
    assert not hosts


def test_stickiness_and_festivals_show_the_figures_of_the_file(season: Path) -> None:
    read, report = Read(rendered(season)), decoded(season / "stickiness.json")
    names = ["viewers", "buyers", "repeat_buyers", "repurchase_30d"]
    (shown, *_) = cells(read.tables["All rooms together"], labels(names))
    assert agree(shown, report["platform"])
    days = {row["day"]: row for row in report["days"]}
    of_days = ["active_viewers", "monthly_active_viewers", "stickiness"]
    for shown in cells(read.tables["Active viewers by day"], {"day": "day", **labels(of_days)}):
        assert agree({name: shown[name] for name in of_days}, days.pop(shown["day"]))
    assert not days
    table = read.tables["Weekly cohorts: viewers"]
    for row, cohort in zip(
        table[1:], (each for each in report["cohorts"] if each["kind"] == "viewers"), strict=True
    ):
        assert row[:2] == [cohort["week"], str(cohort["size"])]
        for figure, value in zip(row[2:], cohort["returned"], strict=False):
            assert same_figure(figure, value)
    figures = ["before_daily_net_minor", "lift", "overdraft", "payback_days"]
    (shown, *_) = cells(read.tables["double_11_2026: lift and overdraft, CNY"], labels(figures))
    platform = next(row for row in report["festivals"] if row["scope"] == "platform")
    assert agree(shown, platform)


def test_curves_add_up_to_what_the_minutes_hold(attacked: Path) -> None:
    read = Read(rendered(attacked))
    minutes = lines(attacked / "minutes.ndjson")
    for name in ("gross_minor", "refunded_minor", "visits"):
        shown = cells(read.tables["All rooms, CNY"], labels([name]))
        assert sum(int(row[name]) for row in shown) == sum(line[name] for line in minutes)
    for caption, table in read.tables.items():
        room_id = next(
            (line["room_id"] for line in minutes if f"({line['room_id']})" in caption), ""
        )
        if room_id:
            shown = cells(table, labels(["gross_minor"]))
            own = sum(line["gross_minor"] for line in minutes if line["room_id"] == room_id)
            assert sum(int(row["gross_minor"]) for row in shown) == own
    pitch = lines(attacked / "after-sales-minutes.ndjson")
    table = read.tables["What was sold when, and what came back of it, CNY"]
    shown = cells(table, labels(["gross_minor", "returned_minor", "refunded_minor"]))
    sums = dict.fromkeys(("gross_minor", "returned_minor", "refunded_minor"), 0)
    for row in shown:
        for name in sums:
            sums[name] += int(row[name])
    assert sums == {name: sum(line[name] for line in pitch) for name in sums}


def test_every_alert_has_a_card_with_its_evidence(attacked: Path) -> None:
    text = rendered(attacked)
    newest = {row["alert_id"]: row for row in lines(attacked / "alerts.ndjson")}
    assert newest
    for alert_id, alert in newest.items():
        card = text[text.index(f'id="alert-{alert_id}"') :].partition("</article>")[0]
        assert f"score {alert['score']:g}, threshold {alert['threshold']:g}" in card
        assert f"docs/runbook.md#{alert['kind']}" in card
        for sign in alert["evidence"]:
            assert sign["signal"] in card
            assert f'<data value="{sign["observed"]!r}">' in card


# ---------------------------------------------------------------- the page itself


def test_the_page_holds_together_and_asks_for_nothing(season: Path, attacked: Path) -> None:
    for language in Language:
        for folder in (season, attacked):
            read = Read(rendered(folder, language))
            assert not {"script", "img", "link", "iframe"} & set(read.tags)
            assert len(read.ids) == len(set(read.ids))
            assert all(link.startswith("#") for link in read.links)
            assert {link[1:] for link in read.links} <= set(read.ids)


def test_a_page_has_its_sections_in_their_order(season: Path) -> None:
    read = Read(rendered(season))
    assert read.headings == [
        "At a glance",
        "What is missing",
        "Boards",
        "Alerts",
        "Minute by minute",
        "Do viewers stay",
        "When do they go",
        "After sales",
        "Do they come back and buy again",
        "What did the festival borrow",
        "Further files",
        "What the figures mean",
    ]
    captions = [each for each in read.tables if "season-3" not in each and ".json" not in each]
    assert captions == [
        "GMV three ways: Rooms, CNY",
        "GMV three ways: Hosts, CNY",
        "GMV three ways: Selling modes, CNY",
        "GMV three ways: Categories, CNY",
        "GMV three ways: Merchants, CNY",
        "GMV three ways: Products, CNY",
        "All rooms, CNY",
        "Share of ended visits still there after a time",
        "Retention: Selling modes",
        "Retention: Categories",
        "Retention: Hosts",
        "Retention: Rooms",
        "Share of those present lost in a minute, by what was on",
        "Minutes that lost most",
        "By responsible party, CNY",
        "Causes, CNY",
        "What was sold when, and what came back of it, CNY",
        "Load: Merchants",
        "Load: Hosts",
        "Load: Rooms",
        "All rooms together",
        "Active viewers by day",
        "Weekly cohorts: viewers",
        "Weekly cohorts: buyers",
        "Hosts",
        "Returning viewers by room",
        "double_11_2026: lift and overdraft, CNY",
        "What the figures mean",
    ]


def test_every_figure_that_is_shown_is_explained(season: Path) -> None:
    text = rendered(season)
    anchors = set(re.findall(r'href="#(means-[^"]+)"', text))
    assert len(anchors) > 40
    assert anchors <= set(re.findall(r'id="(means-[^"]+)"', text))


def test_equal_files_give_equal_bytes_however_long_the_run_took(
    attacked: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    shutil.copytree(attacked, again)
    run = decoded(again / "run.json")
    (again / "run.json").write_bytes(msgspec.json.encode(run | {"elapsed_seconds": 99.9}))
    assert rendered(again) == rendered(attacked)


def test_names_of_the_log_cannot_break_the_page(tmp_path: Path) -> None:
    log = [
        {"type": "room_opened", "event_id": "1", "ts_ms": 1_762_801_000_000, "room_id": ODD[:60],
         "host_id": "h" + ODD[:40], "host_name": ODD, "mcn_id": ODD, "mode": "store",
         "category": ODD, "currency": "CNY"},
        {"type": "order", "event_id": "2", "ts_ms": 1_762_801_001_000, "room_id": ODD[:60],
         "order_id": "o", "buyer_id": "b", "product_id": ODD, "quantity": 1, "amount_minor": 5,
         "merchant_id": ODD},
        {"type": "refund", "event_id": "3", "ts_ms": 1_762_801_002_000, "room_id": ODD[:60],
         "refund_id": "r", "order_id": "o", "buyer_id": "b", "product_id": ODD, "amount_minor": 1,
         "ordered_ts_ms": 1_762_801_001_000, "reason": "quality"},
        {"type": "view", "event_id": "4", "ts_ms": 1_762_801_003_000, "room_id": ODD[:60],
         "viewer_id": "v", "action": "enter"},
    ]  # fmt: skip
    folder = write_run(tmp_path, [msgspec.json.encode(each) for each in log])
    (folder / "other.json").write_bytes(
        msgspec.json.encode({ODD: [{ODD: ODD, "n": [ODD]}, {ODD: {ODD: ODD}}]})
    )
    for language in Language:
        text = rendered(folder, language)
        read = Read(text)
        assert "script" not in read.tags
        assert "<script" not in text
        assert "\u202e" not in text
        assert "\x07" not in text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text


# ---------------------------------------------------------------- what is missing, and how much


def test_a_page_says_what_is_not_there(attacked: Path, tmp_path: Path) -> None:
    for name in ("boards.json", "run.json"):
        shutil.copy(attacked / name, tmp_path / name)
    read, text = Read(rendered(tmp_path)), rendered(tmp_path)
    for name in (*LINE_FILES, *SECTION_FILES):
        assert f"{name} is not in the folder: {WHAT_IS_MISSING[name][0]}." in text
    assert "Do they come back and buy again" in read.headings


def test_a_page_says_that_festivals_are_provisional_and_what_was_refused(tmp_path: Path) -> None:
    log = [*generate("calm", 3, events=2_000), b"no event"]
    of_run = lines(write_run(tmp_path / "without", log) / "minutes.ndjson")
    day = datetime.fromtimestamp(of_run[0]["minute_ms"] / 1000, UTC).date()
    festival = Festival(festival="late", first_day=day, last_day=day)
    text = rendered(write_run(tmp_path / "with", log, (festival,)))
    assert "provisional until its 28th day after is complete: late." in text
    assert "1 events were refused: not_json 1." in text
    without = rendered(tmp_path / "without")
    assert "No festival of the calendar lies near this session" in without


def test_a_large_run_shows_the_first_rows_and_says_so(season: Path) -> None:
    text = rendered(season, top=2, rooms=1)
    rooms = len(lines(season / "rooms.ndjson"))
    assert f"Curves are drawn for the first 1 of {rooms} rooms by gross GMV." in text
    assert re.search(r"The first 2 of [\d,]+ rows\.", text)
    read = Read(text)
    assert all(
        len(table) <= 3
        for caption, table in read.tables.items()
        if caption.startswith(("GMV", "Retention", "Load", "Minutes that"))
    )


def test_further_files_are_shown_as_they_stand(attacked: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(attacked, folder)
    rows = [{"host_id": "h1", "gross_minor": 123_456, "currency": "CNY", "parts": {"a": 1}}]
    (folder / "credit.json").write_bytes(msgspec.json.encode({"hosts": rows, "formula": "f"}))
    (folder / "one-row.json").write_bytes(b'{"platform": {"n": 5}, "version": 1}')
    read = Read(rendered(folder))
    assert "Further files" in read.headings
    assert read.tables["one-row.json: platform"][1] == ["5"]
    assert read.tables["credit.json: hosts"] == [
        ["host_id", "gross", "currency", "parts"],
        ["h1", "123456", "CNY", "a 1"],
    ]


def test_concentration_is_drawn_and_its_figures_are_explained(season: Path) -> None:
    text, hours = rendered(season), decoded(season / "sameness.json")["hours"]
    assert 'aria-label="Does everybody sell the same, CNY"' in text
    table = Read(text).tables["sameness.json: hours"]
    columns = {"orders": "orders", "room_hhi": "room_hhi", "shared_share": "shared_share"}
    for shown, row in zip(cells(table, columns), hours[:TOP], strict=True):
        assert agree(shown, row)
    assert 'href="#means-sameness.hours-room_hhi"' in text


@pytest.mark.parametrize("name", ["rooms.ndjson", "stickiness.json", "run.json"])
def test_a_file_that_cannot_be_read_ends_in_one_line(
    attacked: Path, tmp_path: Path, name: str
) -> None:
    folder = tmp_path / "run"
    shutil.copytree(attacked, folder)
    (folder / name).write_bytes(b"{broken\n")
    told = CliRunner().invoke(app, ["report", str(folder)])
    assert told.exit_code == 1
    assert name in told.output
    assert told.output.count("\n") == 1


def test_the_command_writes_the_page_in_either_language(attacked: Path, tmp_path: Path) -> None:
    out = tmp_path / "seite.html"
    told = CliRunner().invoke(
        app, ["report", str(attacked), "--out", str(out), "--language", "zh", "--top", "3"]
    )
    assert told.exit_code == 0, told.output
    text = out.read_text(encoding="utf-8")
    assert text == rendered(attacked, Language.ZH, top=3, rooms=6)
    assert 'lang="zh-Hans"' in text
    assert "场次报告" in text
    nowhere = CliRunner().invoke(app, ["report", str(tmp_path / "nowhere"), "--out", str(out)])
    assert nowhere.exit_code == 1
    assert "boards.json" in nowhere.output


# ---------------------------------------------------------------- words


def test_both_languages_say_the_same_figures() -> None:
    for english, chinese in SENTENCES.values():
        assert set(re.findall(r"{\w+}", english)) == set(re.findall(r"{\w+}", chinese))
        assert english
        assert chinese
    assert set(ALERT_KINDS) <= set(NAMES)
    assert set(WHAT_IS_MISSING) == {*LINE_FILES, *SECTION_FILES}


def test_every_meaning_in_chinese_is_of_a_figure_of_the_dictionary() -> None:
    for group, name in CHINESE:
        assert definition_of(group, name).figure.name == name
        assert name in LABELS
