"""Boards as people see them: money, any script, any order, columns that fit, harmless names."""

import dataclasses
from pathlib import Path
from typing import Any

import msgspec
import pytest
import typer
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from typer.testing import CliRunner

from roompulse.cli import board_view
from roompulse.cli.boards import boards as boards_command
from roompulse.standing import RunFolderError, read_run_folder
from schemas.records import Board, BoardRow, WindowRow
from streams.embedded import EmbeddedRun
from streams.result_files import write_results
from tests.unit.test_codec_parity import GOLDEN

AS_OF_MS = 1_762_801_015_000


def _row(rank: int, name: str, gross_minor: int, **more: float | None) -> BoardRow:
    figures: dict[str, Any] = dict.fromkeys(BoardRow.__struct_fields__, 0)
    figures |= {"rank": rank, "key": f"room-{rank}", "name": name, "gross_minor": gross_minor}
    return BoardRow(**(figures | more))


def _board(*rows: BoardRow, currency: str | None = "CNY") -> Board[BoardRow]:
    return Board("room", "total", currency, AS_OF_MS, list(rows))


def _printed(table: Table, width: int = 200) -> list[str]:
    console = Console(width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        console.print(table)
    return capture.get().splitlines()


@pytest.mark.parametrize(
    ("minor", "currency", "written"),
    [
        (0, "CNY", "0.00"),
        (5, "CNY", "0.05"),
        (1_234_567, "CNY", "12,345.67"),
        (-1_234_567, "EUR", "-12,345.67"),
        (-5, "CNY", "-0.05"),
        (1_234_567, "JPY", "1,234,567"),
        (1_234_567, "KWD", "1,234.567"),
        (1_234_567, "CLF", "123.4567"),
        (1_234_567, None, "12,345.67"),
        (10**30 + 1, "CNY", "10,000,000,000,000,000,000,000,000,000.01"),
        (13_485_727.0916, "CNY", "134,857.27"),
    ],
)
def test_money_is_in_major_units_of_its_currency(
    minor: float, currency: str | None, written: str
) -> None:
    assert board_view.money(minor, currency) == written


def test_columns_of_any_script_stand_under_each_other() -> None:
    board = _board(
        _row(1, "薇娅的直播间", 300), _row(2, "Ann", 20_000_000), _row(3, "김하늘 café", 1)
    )
    lines = _printed(board_view.board_table(board, columns=["name", "gross_minor"]))
    ends = {cell_len(line.rstrip()) for line in lines[1:] if "." in line or "gross" in line}
    assert len(ends) == 1, lines


def test_a_long_name_is_cut_to_its_cells_not_to_its_characters() -> None:
    cut = board_view.shortened("直播" * 40)
    assert cell_len(cut) <= board_view.NAME_CELLS
    assert cut.endswith("…")
    assert board_view.shortened("short") == "short"


def test_names_of_the_log_can_neither_style_nor_steer_the_terminal() -> None:
    evil = "[bold red]x[/]\x1b[2J\n\u202eabc\u200b"
    (line,) = [
        line
        for line in _printed(board_view.board_table(_board(_row(1, evil, 1)), columns=["name"]))
        if "bold" in line
    ]
    assert "[bold red]x[/]" in line
    assert not any(char in line for char in "\x1b\n\u202e\u200b")


def test_columns_that_do_not_fit_are_left_out_from_the_right() -> None:
    board = _board(_row(1, "Lotus 5", 27_079_340, net_minor=25_925_960, trusted_minor=25_925_960))
    for width in (40, 60, 80, 120, 200):
        lines = _printed(board_view.board_table(board, width=width, title="Rooms"), width=width)
        assert all(cell_len(line) <= width for line in lines)
        assert "…" not in "".join(lines), "a column is whole or absent"
    assert "trusted" not in _printed(board_view.board_table(board, width=40, title="Rooms"))[1]
    assert "room-1" in _printed(board_view.board_table(board, width=200))[3]


def test_rows_are_ordered_by_any_field_and_null_comes_last() -> None:
    rows = [
        _row(1, "b", 30, momentum=None, refund_rate=0.1),
        _row(2, "c", 20, momentum=2.0, refund_rate=0.3),
        _row(3, "a", 10, momentum=0.5, refund_rate=0.1),
    ]

    def ranks(by: str, *, reverse: bool = False) -> list[int]:
        return [row.rank for row in board_view.in_order(rows, by, reverse=reverse)]

    assert ranks("rank") == [1, 2, 3]
    assert ranks("gross_minor") == [1, 2, 3]
    assert ranks("gross_minor", reverse=True) == [3, 2, 1]
    assert ranks("momentum") == [2, 3, 1]
    assert ranks("momentum", reverse=True) == [3, 2, 1]
    assert ranks("refund_rate") == [2, 1, 3], "ties keep the order of the board"
    assert ranks("name") == [3, 1, 2]


@pytest.mark.parametrize("kind", [BoardRow, WindowRow])
def test_every_field_can_be_shown(kind: type[BoardRow] | type[WindowRow]) -> None:
    window = "total" if kind is BoardRow else "last_10m"
    for name in kind.__struct_fields__:
        assert board_view.find_field(window, name) == name
        shown = board_view.column(name, "CNY")
        assert shown.write("text" if shown.is_text else 1)
        assert shown.is_text or shown.write(None) == board_view.NOTHING
    assert board_view.find_field(window, "gross") == "gross_minor"
    assert board_view.find_field(window, "no_such") is None


def test_a_board_without_rows_says_so() -> None:
    assert "no rows yet" in "\n".join(_printed(board_view.board_table(_board())))


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    run = EmbeddedRun()
    run.feed(list(GOLDEN.values()))
    write_results(run.finish(), folder, elapsed_seconds=0)
    return folder


def _invoke(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(boards_command)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def test_a_folder_of_a_run_is_shown_with_what_became_of_its_events(run_folder: Path) -> None:
    code, output = _invoke(str(run_folder))
    assert code == 0
    standing = read_run_folder(run_folder)
    shown = [board for board in standing.boards if (board.scope, board.window) == ("room", "total")]
    assert shown
    for board in shown:
        assert board_view.board_title(board) in output
        for row in board.rows:
            assert board_view.money(row.gross_minor, board.currency) in output
    assert f"{standing.counts.events:,} events" in output


def test_json_gives_the_whole_board(run_folder: Path) -> None:
    code, output = _invoke(str(run_folder), "--json", "--scope", "host")
    assert code == 0
    lines = [msgspec.json.decode(line) for line in output.splitlines()]
    assert lines
    wanted = [
        msgspec.json.decode(msgspec.json.encode(board))
        for board in read_run_folder(run_folder).boards
        if (board.scope, board.window) == ("host", "total")
    ]
    assert lines == wanted


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--sort", "beauty"], "no column 'beauty'"),
        (["--columns", "rank,beauty"], "no column 'beauty'"),
        (["--follow"], "a folder does not move"),
        (["--scope", "product", "--window", "day"], "minutes carry no products"),
    ],
)
def test_what_cannot_be_shown_is_one_line(
    run_folder: Path, arguments: list[str], said: str
) -> None:
    code, output = _invoke(str(run_folder), *arguments)
    assert code == 1
    assert said in output
    assert output.count("\n") == 1


def test_a_folder_that_is_none_of_a_run_is_one_line(tmp_path: Path, run_folder: Path) -> None:
    code, output = _invoke(str(tmp_path))
    assert (code, output.count("\n")) == (1, 1)
    assert "roompulse run --out" in output
    for name, text in (("boards.json", b"[{}]"), ("run.json", b"{")):
        for file in run_folder.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        (tmp_path / name).write_bytes(text)
        with pytest.raises(RunFolderError, match=name):
            read_run_folder(tmp_path)


def test_sums_of_the_platform_are_those_of_its_rooms(run_folder: Path) -> None:
    standing = read_run_folder(run_folder)
    platforms = standing.platforms()
    assert platforms
    for platform in platforms:
        rooms = standing.board("room", "total", platform.currency)
        assert rooms is not None
        figures = dataclasses.asdict(platform)
        for name in ("gross_minor", "net_minor", "orders", "visits"):
            assert figures[name] == sum(getattr(row, name) or 0 for row in rooms.rows)
