"""The terminal view shows the figures of the boards, at any size, and says if they are old."""

# ruff: noqa: ANN401 - fields of an alert have no common type

import asyncio
import json
import shutil
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console, RenderableType
from textual.binding import Binding
from textual.pilot import Pilot
from textual.widgets import OptionList, Static
from typer.testing import CliRunner

from producers.generator import generate
from roompulse.cli.app import app as command_line
from roompulse.known import RESOLVED, Known
from roompulse.run_folder import known_of_folder
from roompulse.standing import Standing, standing_of
from roompulse.top import board_lines
from roompulse.top.app import SCOPES, Top
from roompulse.top.board_lines import columns_of
from roompulse.top.charts import MINUTE_MS, bar, by_minute, columns
from roompulse.top.pages import page
from roompulse.top.state import duration, state_of_run, state_of_system
from roompulse.top.windows import Columns, Help, Page, help_text
from schemas.records import Alert, RoomFigures
from streams.core.boards import WINDOWS, BoardFold
from streams.embedded import EmbeddedRun
from streams.result_files import write_results
from tests.unit.making import figures, minute, progress

SMALL, WIDE = (80, 24), (200, 50)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    run = EmbeddedRun()
    run.feed(list(generate("brushing", 1, events=12_000)))
    folder = tmp_path_factory.mktemp("run") / "out"
    write_results(run.finish(), folder, elapsed_seconds=0)
    return folder


@pytest.fixture
def known(folder: Path) -> Known:
    return known_of_folder(folder)


def _alert(alert_id: str = "a", version: int = 1, **changed: Any) -> Alert:
    plain = {
        "alert_id": alert_id,
        "version": version,
        "status": "firing",
        "kind": "brushed_orders",
        "severity": "review",
        "room_id": "r1",
        "started_ms": 1_000,
        "updated_ms": 1_000,
        "score": 31.0,
        "threshold": 30.0,
        "summary": "Suspected brushed orders in room r1.",
        "money_minor": 12_345,
        "currency": "CNY",
        "evidence": [
            {"signal": "shared_device", "observed": 0.5, "expected": 0.015, "weight": 12.3}
            | {"orders": ["o1", "o2", "o3", "o4"]}
        ],
        "rooms": ["r1"],
        "rules_version": None,
        "host_id": "h1",
        "mcn_id": None,
        "product_id": None,
    }
    return msgspec.convert(plain | changed, Alert)


def _standing(*rooms: RoomFigures, lag: int | None = None, watermark_ms: int = 60_000) -> Standing:
    fold = BoardFold()
    for each in rooms:
        fold.apply_room(each)
    fold.apply_progress(progress(0, watermark_ms))
    return standing_of(fold.boards(), [progress(0, watermark_ms)], lag)


def _opened(app: Top) -> str:
    """The text of the page that is open."""
    assert isinstance(app.screen, Page)
    content: Any = app.screen.query_one("#text", Static).content
    return _drawn(content, 76)


def _drawn(renderable: RenderableType, width: int) -> str:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(renderable)
    return captured.get()


def _cells(app: Top) -> list[list[str]]:
    names = [head.name for head in app.boards.heads]
    return [[app.boards.text(key, name) for name in names] for key in app.boards.keys]


def _text(app: Top, name: str) -> str:
    return str(app.query_one(name, Static).content)


def _major(minor: int) -> str:
    """Yuan of fen, the slow way."""
    yuan, fen = divmod(abs(minor), 100)
    digits = str(yuan)
    groups: list[str] = []
    while digits:
        digits, last = digits[:-3], digits[-3:]
        groups.insert(0, last)
    return f"{'-' if minor < 0 else ''}{','.join(groups)}.{fen:02}"


# --- figures ------------------------------------------------------------------------------------


async def test_every_board_shows_its_figures_row_by_row(folder: Path, known: Known) -> None:
    boards = json.loads((folder / "boards.json").read_bytes())
    wanted = {(board["scope"], board["window"]): board["rows"] for board in boards}
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        for key, scope in enumerate(SCOPES, 1):
            await pilot.press(str(key))
            for _ in WINDOWS:
                rows = wanted.get((scope, app.window), [])
                assert app.boards.display is bool(rows)
                if rows:
                    assert app.boards.keys == [row["key"] for row in rows]
                for row in rows:
                    for way in ("gross", "net", "trusted"):
                        if f"{way}_minor" in row:
                            cell = app.boards.text(row["key"], f"{way}_minor")
                            assert cell == _major(row[f"{way}_minor"])
                    for count in ("orders", "rank_net", "rank_trusted"):
                        if count in row:
                            assert app.boards.text(row["key"], count) == f"{row[count]:,}"
                    if lost := row.get("places_lost"):
                        sign = "▼" if lost > 0 else "▲"
                        assert app.boards.text(row["key"], "places_lost") == f"{sign} {abs(lost)}"
                await pilot.press("w")


async def test_the_sums_of_all_rooms_stand_above(folder: Path, known: Known) -> None:
    rooms = [json.loads(line) for line in (folder / "rooms.ndjson").read_bytes().splitlines()]
    app = Top("folder", known)
    async with app.run_test(size=WIDE):
        shown = _text(app, "#platform")
        for way in ("gross", "net", "trusted"):
            assert f"{way} {_major(sum(room[f'{way}_minor'] for room in rooms))}" in shown
        events = json.loads((folder / "run.json").read_bytes())["counts"]["events"]
        assert f"{events:,} events" in _text(app, "#state")


@pytest.mark.parametrize("is_reversed", [False, True])
def test_any_column_sorts_both_ways(known: Known, *, is_reversed: bool) -> None:
    board = known.standing().board("room", "total", "CNY")
    assert board is not None
    for name in columns_of("total"):
        values = {row.key: getattr(row, name) for row in board.rows}
        heads, rows = board_lines.lines(board, sort=name, reverse=is_reversed, top=100, width=80)
        assert sorted(rows) == sorted(values)
        shown = [values[key] for key in rows]
        there = [each for each in shown if each is not None]
        assert shown[: len(there)] == there, "null comes last"
        upwards = (name in ("name", "key") or name.startswith("rank")) is not is_reversed
        assert [head.name for head in heads if head.title.endswith("▲▼"[not upwards])] == [name]
        for one, other in pairwise(there):
            assert one <= other if upwards else one >= other


async def test_the_column_to_sort_by_is_chosen_from_all(known: Known) -> None:
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        before = app.boards.keys
        await pilot.press("s")
        assert isinstance(app.screen, Columns)
        chooser = app.screen.query_one(OptionList)
        names = [option.id for option in chooser.options]
        assert names == list(columns_of("total"))
        assert chooser.highlighted == names.index("rank")
        chooser.highlighted = names.index("refund_rate")
        await pilot.press("enter")
        assert app.sort == "refund_rate"
        assert app.boards.keys != before
        assert sorted(app.boards.keys) == sorted(before)
        await pilot.press("s", "escape")
        assert app.sort == "refund_rate"


async def test_the_column_beside_sorts_next_and_a_click_on_its_head_too(known: Known) -> None:
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("greater_than_sign", "greater_than_sign")
        assert app.sort == "gross_minor"
        await pilot.press("less_than_sign")
        assert app.sort == "name"
        await pilot.click("#board", offset=(28, 0))
        assert (app.sort, app.is_reversed) == ("gross_minor", False)
        await pilot.click("#board", offset=(28, 0))
        assert (app.sort, app.is_reversed) == ("gross_minor", True)


async def test_a_room_opens_with_its_figures_minutes_and_evidence(
    folder: Path, known: Known
) -> None:
    alerts = [json.loads(line) for line in (folder / "alerts.ndjson").read_bytes().splitlines()]
    alerts = [alert for alert in alerts if alert["room_id"]]  # a ring may be in several
    room_id = alerts[-1]["room_id"]
    lines = (folder / "rooms.ndjson").read_bytes().splitlines()
    room = next(each for each in map(json.loads, lines) if each["room_id"] == room_id)
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(*["down"] * app.boards.keys.index(room_id), "enter")
        assert isinstance(app.screen, Page)
        assert "figures are final" in str(app.screen.query_one("#state", Static).content)
        await pilot.press("escape")
        assert not isinstance(app.screen, Page)
    for width in (60, 76, 190):
        shown = _drawn(page(known, "room", room_id, "CNY", width), width)
        for way in ("gross", "net", "trusted", "refunded", "suspected"):
            assert _major(room[f"{way}_minor"]) in shown
        for step in ("product_impressions", "clicks", "carts", "checkouts", "orders"):
            assert f"{step.replace('_', ' ')}" in shown
            assert f"{room[step]:,}" in shown
        for sign in alerts[-1]["evidence"]:
            assert sign["signal"] in shown
        assert max(map(cell_len, shown.splitlines())) <= width
        assert "█" in shown or "▁" in shown


async def test_an_alert_opens_with_its_card_and_its_room(known: Known) -> None:
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        alerts = [one.alert for one in known.alerts.by_urgency()]
        at, alert = next((at, one) for at, one in enumerate(alerts) if one.room_id is not None)
        await pilot.press("tab", *["down"] * at, "enter")
        assert isinstance(app.screen, Page)
        shown = _opened(app)
        assert alert.kind in shown
        assert f"alert {alert.alert_id}" in shown
        assert f"room {alert.room_id}" in shown


@pytest.mark.parametrize("scope", SCOPES)
async def test_a_row_of_every_board_opens(known: Known, scope: str) -> None:
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press(str(SCOPES.index(scope) + 1), "enter")
        assert isinstance(app.screen, Page)
        shown = _opened(app)
        board = known.standing().board(scope, "total", "CNY")
        assert board is not None
        assert _major(board.rows[0].gross_minor) in shown


# --- alerts -------------------------------------------------------------------------------------


async def test_alerts_stand_by_severity_with_a_word_a_sign_and_their_age() -> None:
    known = Known(run=_standing(figures("r1", gross_minor=5), watermark_ms=725_000))
    known.alerts.apply(_alert("old", started_ms=1_000, severity="info"))
    known.alerts.apply(_alert("ended", status=RESOLVED, severity="page"))
    known.alerts.apply(_alert("grave", started_ms=5_000, severity="page"))
    app = Top("folder", known)
    async with app.run_test(size=SMALL):
        table = app.alerts
        rows = [[table.text(key, head.name) for head in table.heads] for key in table.keys]
        assert [row[:3] for row in rows] == [
            ["‼ page", "firing", "12 min 00 s"],
            ["· info", "firing", "12 min 04 s"],
            ["‼ page", "resolved", "12 min 04 s"],
        ]
        assert rows[0][5] == "123.45 CNY"
        assert _text(app, "#alerts-title") == "Alerts: 2 firing, 1 resolved"


@given(st.permutations([(name, version) for name in "ab" for version in (1, 2, 3)]))
def test_the_newest_version_counts_in_whatever_order_they_come(
    order: list[tuple[str, int]],
) -> None:
    known = Known()
    for alert_id, version in order:
        known.alerts.apply(_alert(alert_id, version))
    newest = [one.alert for one in known.alerts.by_urgency()]
    assert [(alert.alert_id, alert.version) for alert in newest] == [("a", 3), ("b", 3)]


@pytest.mark.parametrize("order", ["ab", "ba"])
def test_urgency_has_no_ties_that_order_could_show(order: str) -> None:
    known = Known()
    for alert_id in order:
        known.alerts.apply(_alert(alert_id))
    assert [one.alert.alert_id for one in known.alerts.by_urgency()] == ["a", "b"]


# --- what moves ---------------------------------------------------------------------------------


class Feed:
    """A system whose answers the test gives, and the clock on the wall."""

    def __init__(self, known: Known) -> None:
        self.known = known
        self.seconds = 0.0
        self._answers: asyncio.Queue[Standing] = asyncio.Queue()

    def clock(self) -> float:
        return self.seconds

    async def poll(self, _wait_seconds: float) -> bool:
        self.known.run = await self._answers.get()
        return True

    async def answer(self, pilot: Pilot[None], standing: Standing) -> None:
        await self._answers.put(standing)
        await pilot.pause()


def _moved(standing: Standing, events: int, lag: int) -> Standing:
    counts = msgspec.structs.replace(standing.counts, events=events)
    return Standing(standing.boards, counts, standing.watermark_ms, lag)


async def test_it_says_whether_figures_can_be_believed(known: Known) -> None:
    full = known.standing()
    feed = Feed(Known())
    app = Top("Kafka", feed.known, feed.poll, clock=feed.clock)
    async with app.run_test(size=SMALL) as pilot:
        assert "NO DATA YET" in _text(app, "#state")
        assert "No data yet" in _text(app, "#nothing")
        assert not app.boards.display
        await feed.answer(pilot, _moved(full, 10, 5))
        assert " live " in _text(app, "#state")
        assert _cells(app)
        feed.seconds = 11
        await feed.answer(pilot, _moved(full, 10, 5))
        assert "STALE" in _text(app, "#state")
        assert "5 events wait" in _text(app, "#state")
        await pilot.press("enter")
        assert "STALE" in str(app.screen.query_one("#state", Static).content)
        await pilot.press("escape")
        await feed.answer(pilot, _moved(full, 15, 0))
        assert " live " in _text(app, "#state")
        feed.seconds = 30
        await feed.answer(pilot, _moved(full, 15, 0))
        assert " quiet " in _text(app, "#state")
        feed.seconds = 37
        app.tell_state()
        assert "KAFKA SILENT" in _text(app, "#state")
        assert "no answer for 7 s" in _text(app, "#state")
        assert _cells(app), "the last figures stay"


async def test_figures_move_under_a_cursor_that_keeps_its_row() -> None:
    feed = Feed(
        Known(run=_standing(figures("r1", gross_minor=500), figures("r2", gross_minor=300)))
    )
    app = Top("Kafka", feed.known, feed.poll, clock=feed.clock)
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("down")
        table = app.boards
        assert table.key == "r2"
        moved = _standing(figures("r1", gross_minor=500), figures("r2", gross_minor=400))
        await feed.answer(pilot, moved)
        assert table.text("r2", "gross_minor") == "4.00"
        moved = _standing(figures("r1", gross_minor=500), figures("r2", gross_minor=900))
        await feed.answer(pilot, moved)
        assert table.keys == ["r2", "r1"]
        assert (table.key, table.at) == ("r2", 0)
        await pilot.press("enter")
        moved = _standing(figures("r1", gross_minor=500), figures("r2", gross_minor=950))
        await feed.answer(pilot, moved)
        assert "9.50" in _opened(app)


async def test_a_currency_at_a_time() -> None:
    rooms = [figures("r1", gross_minor=500), figures("r2", gross_minor=300, currency="JPY")]
    app = Top("folder", Known(run=_standing(*rooms, figures("r3", gross_minor=9, currency=None))))
    async with app.run_test(size=SMALL) as pilot:
        seen = []
        for _ in range(4):
            seen.append((app.currency, [row[2] for row in _cells(app)]))
            await pilot.press("c")
        assert seen == [
            ("CNY", ["5.00"]), ("JPY", ["300"]), (None, ["0.09"]), ("CNY", ["5.00"]),
        ]  # fmt: skip


@pytest.mark.parametrize(
    ("unanswered", "unmoved", "lag", "has_boards", "word"),
    [
        (0, 0, 0, True, "live"),
        (6, 60, 9, True, "KAFKA SILENT"),
        (6, 60, 9, False, "KAFKA SILENT"),
        (0, 11, 1, True, "STALE"),
        (0, 11, 1, False, "STALE"),
        (0, 11, 0, True, "quiet"),
        (0, 9, 1, True, "live"),
        (0, 0, 0, False, "NO DATA YET"),
        (0, 99, None, False, "NO DATA YET"),
    ],
)
def test_a_system_is_in_one_state(
    unanswered: float,
    unmoved: float,
    lag: int | None,
    has_boards: bool,  # noqa: FBT001 - a column of the table above
    word: str,
) -> None:
    state = state_of_system(
        has_boards=has_boards, lag=lag, unanswered_seconds=unanswered, unmoved_seconds=unmoved
    )
    assert state.word == word
    assert state.is_good == (word in ("live", "quiet"))


def test_an_empty_run_says_so_and_durations_have_two_units() -> None:
    assert state_of_run(has_boards=False).word == "NO DATA"
    assert [duration(each) for each in (0, 59.9, 61, 3_600, 90_061)] == [
        "0 s", "59 s", "1 min 01 s", "1 h 00 min", "1 d 1 h",
    ]  # fmt: skip


# --- how it looks -------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [(80, 24), (60, 16), (100, 30), (200, 50), (300, 80)])
async def test_it_fits_any_terminal_and_follows_its_size(
    known: Known, size: tuple[int, int]
) -> None:
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        for each in (size, SMALL, size):
            await pilot.resize_terminal(*each)
            await pilot.pause()
        board, alerts = app.boards.region, app.alerts.region
        assert board.height >= 4
        assert alerts.height >= 3
        assert app.screen.region.contains_region(board)
        assert app.screen.region.contains_region(alerts)
        assert (board.y == alerts.y) is (size[0] >= 170), "beside each other where it is wide"


async def test_at_80_cells_money_and_ranks_are_in_sight(known: Known) -> None:
    board = known.standing().board("room", "total", "CNY")
    assert board is not None
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        head, first = (app.boards.render_line(y).text.split() for y in (0, 1))
        assert head[:11] == [
            "#",
            "▲",
            "name",
            *("gross", "net", "trusted", "#", "net", "#", "trusted", "lost"),
        ]
        row: Any = board.rows[0]
        for each in (row.gross_minor, row.net_minor, row.trusted_minor):
            assert _major(each) in first
        await pilot.press("right", "right", "right")
        moved = app.boards.render_line(0).text.split()
        assert moved[:5] == ["#", "▲", "name", "#", "net"], "rank and name stay"
        await pilot.press("left", "left", "left", "end")
        assert app.boards.render_line(0).text.split() == head
        assert app.boards.key == board.rows[-1].key
        last = [app.boards.render_line(y).text for y in range(app.boards.size.height)]
        assert any(board.rows[-1].name in line for line in last)


async def test_names_of_the_log_are_text_and_nothing_else() -> None:
    name = "[red]\x1b[2J\u202e直播间一号直播间一号直播间一号"
    known = Known(run=_standing(figures("r1", gross_minor=5, host_name=name)))
    known.apply_room(figures("r1", gross_minor=5, host_name=name))
    known.alerts.apply(_alert(summary=name))
    app = Top("folder", known)
    async with app.run_test(size=SMALL) as pilot:
        assert _cells(app)[0][1].startswith("[red]··2J·直") or "[red]" in _cells(app)[0][1]
        assert "\x1b" not in _cells(app)[0][1]
        await pilot.press("enter")
        shown = _opened(app)
        assert "[red]" in shown
        assert not {"\x1b", "\u202e"} & set(shown)


async def test_help_tells_every_key(known: Known) -> None:
    app = Top("folder", known)
    told = _drawn(help_text(), 100)
    spelled = {"less_than_sign": "<", "greater_than_sign": ">", "question_mark": "?"}
    keys = [
        key for each in Top.BINDINGS if isinstance(each, Binding) for key in each.key.split(",")
    ]
    for key in keys:
        if key.isdigit():
            assert "1 … 7" in told
        elif key not in ("comma", "full_stop", "question_mark"):
            assert spelled.get(key, key) in told.replace("q, ctrl+c", "q ctrl+c").split(), key
    async with app.run_test(size=SMALL) as pilot:
        await pilot.press("question_mark")
        assert isinstance(app.screen, Help)
        await pilot.press("escape")
        await pilot.press("a")
        assert app.screen.has_class("-alerts")
        assert not app.boards.region.height
        await pilot.press("a", "6", "w")
        assert app.window == "total"
        await pilot.press("q")
    assert not app.is_running


@given(st.floats(0, 1), st.floats(0, 1), st.integers(1, 60))
def test_a_bar_is_no_longer_than_its_place_and_grows_with_its_share(
    one: float, other: float, cells: int
) -> None:
    less, more = sorted((one, other))
    assert len(bar(less, cells)) <= len(bar(more, cells)) <= cells
    assert bool(bar(more, cells)) is (more > 0)
    assert bar(1, cells) == "█" * cells


@given(st.lists(st.integers(0, 10**12), max_size=50), st.integers(1, 6))
def test_columns_are_as_high_as_their_values(values: list[int], lines: int) -> None:
    drawn = columns(values, lines)
    assert len(drawn) == lines
    for at, value in enumerate(values):
        height = sum(" ▁▂▃▄▅▆▇█".index(line[at]) for line in drawn)
        expected = value / max(values) * lines * 8 if value else 0
        assert abs(height - expected) <= (1 if value else 0)
        assert bool(height) is bool(value)


def test_minutes_in_which_nothing_happened_have_their_place() -> None:
    known = [minute("r", at * MINUTE_MS, gross_minor=at) for at in (2, 3, 6)]
    assert by_minute(known, "gross_minor", 10) == [2, 3, 0, 0, 6]
    assert by_minute(known, "gross_minor", 4) == [3, 0, 0, 6]
    assert by_minute([], "gross_minor", 4) == []


# --- the command --------------------------------------------------------------------------------


def test_the_command_opens_a_folder_and_tells_of_a_wrong_one_in_a_line(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Top] = []

    async def run(self: Top) -> None:
        opened.append(self)

    monkeypatch.setattr(Top, "run_async", run)
    done = CliRunner().invoke(command_line, ["top", "--results", str(folder)])
    assert done.exit_code == 0, done.output
    assert opened[0].state.word == "ended"
    wrong = CliRunner().invoke(command_line, ["top", "--results", str(tmp_path)])
    assert wrong.exit_code == 1
    assert "name the folder of `roompulse run --out`" in wrong.output
    older, bad = tmp_path / "older", tmp_path / "bad"
    for copy in (older, bad):
        shutil.copytree(folder, copy)
        (copy / "alerts.ndjson").unlink()
    done = CliRunner().invoke(command_line, ["top", "--results", str(older)])
    assert done.exit_code == 0, "an older run has fewer files"
    (bad / "alerts.ndjson").write_text("{}")
    told = CliRunner().invoke(command_line, ["top", "--results", str(bad)])
    assert "alerts.ndjson: is no file of a run" in told.output.replace("\n", " ")
