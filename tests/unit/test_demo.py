"""The demonstration: its checks can fail, and it plays without Kafka where it has to."""

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import typer
from rich.cells import cell_len
from rich.console import Console
from typer.testing import CliRunner

from deploy.kafka.jars import JarsUnavailable
from producers.replay import Progress
from roompulse.cli.board_view import money
from roompulse.cli.demo import demo
from roompulse.demo import checks
from roompulse.demo.embedded import fold_file
from roompulse.demo.processes import DemoProcesses
from roompulse.demo.screen import Screen
from roompulse.demo.session import DemoSession, make_session
from roompulse.shown_run import ShownRun
from roompulse.standing import standing_of
from schemas.records import Counts, RoomSummary
from streams.embedded import EmbeddedRun, Results
from streams.result_files import UNPUBLISHED_FILES, write_results

EVENTS = 3_000


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> DemoSession:
    return make_session(tmp_path_factory.mktemp("session"), EVENTS, 3, lambda _done, _events: None)


@pytest.fixture(scope="module")
def results(session: DemoSession) -> Results:
    run = EmbeddedRun()
    run.feed(session.path.read_bytes().splitlines())
    return run.finish()


def _invoke(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(demo)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


# --- checks ---------------------------------------------------------------------------------------


def test_events_that_are_lost_or_counted_twice_fail() -> None:
    assert checks.check_events(10, 10).passed
    assert not checks.check_events(10, 9).passed
    assert not checks.check_events(10, 11).passed
    assert "10 sent, 11 counted" in checks.check_events(10, 11).found


def test_right_figures_pass(session: DemoSession, results: Results) -> None:
    assert checks.check_rooms(session.truth, results.rooms).passed
    platform = checks.check_platform(session.truth, results.rooms)
    assert platform
    assert all(check.passed for check in platform)


@pytest.mark.parametrize("figure", ["gross_minor", "refunded_minor", "orders", "checkouts"])
def test_one_unit_too_much_in_one_room_fails(
    session: DemoSession, results: Results, figure: str
) -> None:
    first, *others = results.rooms
    wrong = msgspec.structs.replace(first, **{figure: getattr(first, figure) + 1})
    check = checks.check_rooms(session.truth, [wrong, *others])
    assert not check.passed
    assert first.room_id in check.found


def test_a_missing_room_fails_both_money_checks(session: DemoSession, results: Results) -> None:
    richest = max(results.rooms, key=lambda room: room.gross_minor)
    rooms: list[RoomSummary] = [room for room in results.rooms if room is not richest]
    assert not checks.check_rooms(session.truth, rooms).passed
    (check,) = checks.check_platform(session.truth, rooms)
    assert not check.passed
    assert "instead of" in check.found


@pytest.mark.parametrize("name", ["duplicate", "rejected", "late", "future"])
def test_events_that_were_not_planted_fail(session: DemoSession, name: str) -> None:
    assert checks.check_planted(session.truth, Counts()).passed
    check = checks.check_planted(session.truth, Counts(**{name: 1}))
    assert not check.passed
    assert f"1 {name} instead of 0" in check.found


def test_a_single_other_byte_or_a_missing_file_fails(results: Results, tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for elapsed_seconds, folder in enumerate((ours, theirs)):
        write_results(results, folder, elapsed_seconds=elapsed_seconds)
    assert checks.check_files(ours, theirs, "equal").passed, "how long it took may differ"
    names = {path.name for path in ours.iterdir()} - {"run.json", *UNPUBLISHED_FILES}
    assert {"rooms.ndjson", "minutes.ndjson", "boards.json", "dead-letters.ndjson"} <= names
    for name in names:
        text = (theirs / name).read_bytes()
        (theirs / name).write_bytes(text + b" ")
        check = checks.check_files(ours, theirs, "equal")
        assert not check.passed
        assert name in check.found
        (theirs / name).unlink()
        assert not checks.check_files(ours, theirs, "equal").passed
        assert not checks.check_files(theirs, ours, "equal").passed
        (theirs / name).write_bytes(text)


# --- without Kafka --------------------------------------------------------------------------------


def test_looking_at_a_shown_run_changes_none_of_its_files(
    session: DemoSession, tmp_path: Path
) -> None:
    run = ShownRun()
    records = session.path.read_bytes().splitlines()
    grosses = []
    for at in range(0, len(records), 97):
        run.feed(records[at : at + 97])
        grosses.append(sum(each.gross_minor for each in run.standing().platforms()))
    write_results(run.finish(), tmp_path / "shown", elapsed_seconds=0)
    fold_file(session.path, 4, tmp_path / "whole")
    assert checks.check_files(tmp_path / "shown", tmp_path / "whole", "equal").passed
    assert grosses == sorted(grosses)
    assert grosses[-1] == session.truth["currencies"]["CNY"]["gross_minor"]


def test_without_jars_it_says_so_and_plays_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unavailable(_self: DemoProcesses, _notify: Callable[[str], None]) -> str:
        raise JarsUnavailable("the jars of Apache Kafka cannot be had (offline)")

    monkeypatch.setattr(DemoProcesses, "start_kafka", unavailable)
    monkeypatch.delenv("ROOMPULSE_KAFKA", raising=False)
    arguments = ("--events", str(EVENTS), "--speed", "max", "--folder", str(tmp_path / "demo"))
    code, output = _invoke(*arguments)
    assert code == 0, output
    assert "cannot be had (offline)" in output
    assert "without Kafka" in output
    assert output.count("  passed  ") == 5
    assert "Final boards" in output
    assert "Selling modes" in output


def test_a_failed_check_is_the_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(_truth: object, _rooms: object) -> checks.Check:
        return checks.Check("GMV of each room", passed=False, found="0 of 1 rooms agree")

    monkeypatch.setattr(checks, "check_rooms", wrong)
    arguments = ("--embedded", "--events", str(EVENTS), "--speed", "max", "--folder", str(tmp_path))
    code, output = _invoke(*arguments)
    assert code == 1
    assert "FAILED  GMV of each room: 0 of 1 rooms agree" in output
    assert "SOME FAILED" in output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--speed", "fast"], "'fast' is no speed"),
        (["--speed", "0"], "'0' is no speed"),
        (["--embedded", "--events", "3"], "at least"),
        (["--bootstrap", "nowhere"], "no Kafka address"),
    ],
)
def test_what_cannot_be_played_is_one_line(arguments: list[str], said: str, tmp_path: Path) -> None:
    code, output = _invoke(*arguments, "--folder", str(tmp_path))
    assert code == 1
    assert said in output
    assert output.count("\n") == 1


def test_a_folder_is_used_by_one_demonstration_at_a_time(tmp_path: Path) -> None:
    with DemoProcesses(tmp_path):
        code, output = _invoke("--embedded", "--events", str(EVENTS), "--folder", str(tmp_path))
    assert code == 1
    assert "already runs" in output


# --- the screen -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("width", "height"), [(80, 20), (80, 24), (112, 36), (160, 50)])
def test_the_picture_fits_the_terminal_and_keeps_who_leads(
    results: Results, width: int, height: int
) -> None:
    console = Console(
        width=width, height=height, force_terminal=True, color_system=None, file=io.StringIO()
    )
    screen = Screen(console, "Kafka 127.0.0.1:9092", EVENTS)
    screen.progressed(Progress(EVENTS // 2, results.progress[0].watermark_ms, 0.0, 600.0, False, 1))
    screen.show(standing_of(results.boards, results.progress, lag=17))
    with console.capture() as capture:
        console.print(screen._picture())
    lines = capture.get().splitlines()
    assert max(map(cell_len, lines)) <= width
    # the two lines of figures wrap where they have to
    assert len(lines) <= height
    text = " ".join("\n".join(lines).split())
    counted = sum(each.counts.events for each in results.progress)
    for wanted in ("50%", f"{counted:,} counted", "lag 17", "Rooms", "Hosts", "Agencies"):
        assert wanted in text
    first = next(board for board in results.boards if board.scope == "room").rows[0]
    assert first.name in text
    assert money(first.gross_minor, "CNY") in text
