"""The whole demonstration on a real Kafka, as a person starts it."""

import contextlib
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from deploy.kafka.broker import LocalKafka
from roompulse.cli.boards import boards

_SECONDS = 150.0


def _environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith("ROOMPULSE_")}


def _start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "roompulse.cli.app", "demo", "--folder", str(folder)]
    return subprocess.Popen(
        [*command, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=_environment(),
        # some shells start background jobs with SIGINT ignored, and children inherit that
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )


def _play(folder: Path, *arguments: str) -> tuple[int, str]:
    demo = _start(folder, "--events", "5000", "--speed", "max", *arguments)
    output, _ = demo.communicate(timeout=_SECONDS)
    return demo.returncode, output


def _left_over(folder: Path) -> list[str]:
    """Command lines of processes that name the folder."""
    lines = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return [line for line in lines.splitlines() if str(folder) in line]


def _boards(*arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(boards)
    result = CliRunner().invoke(app, arguments)
    return result.exit_code, result.output


def _require_the_same_boards(folder: Path, bootstrap: str) -> None:
    """`roompulse boards` shows of Kafka what the files of the same run hold."""
    for scope in ("room", "merchant"):
        code, of_kafka = _boards("--bootstrap", bootstrap, "--json", "--scope", scope)
        assert code == 0, of_kafka
        assert of_kafka == _boards(str(folder / "kafka-results"), "--json", "--scope", scope)[1]
        assert f'"scope":"{scope}"' in of_kafka


def _require_boards_to_be_followed(bootstrap: str) -> None:
    """In a terminal they are drawn until Ctrl-C."""
    program = (
        "import typer; from roompulse.cli.boards import boards;"
        " app = typer.Typer(); app.command()(boards); app()"
    )
    ours, theirs = pty.openpty()
    following = subprocess.Popen(
        [sys.executable, "-c", program, "--follow", "--bootstrap", bootstrap],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**_environment(), "TERM": "xterm", "COLUMNS": "120", "LINES": "30"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509
    )
    os.close(theirs)
    seen = b""
    while b"watermark" not in seen:
        seen += os.read(ours, 4096)
    assert b"Rooms, total, CNY" in seen
    following.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # the end of a terminal
        while os.read(ours, 4096):
            pass
    assert following.wait(_SECONDS) == 0
    os.close(ours)


def test_it_plays_checks_and_leaves_nothing_running(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    code, output = _play(folder)
    assert code == 0, output
    lines = output.splitlines()
    passed = [line for line in lines if line.startswith("  passed  ")]
    assert len(passed) == 5
    (events,) = [line for line in passed if "events sent = events counted" in line]
    sent, counted = (part.split()[0] for part in events.partition(": ")[2].split(", "))
    assert sent == counted
    assert any("byte for byte" in line and "rooms.ndjson" in line for line in passed)
    assert any("metrics at http://127.0.0.1:" in line for line in lines)
    assert any("100%" in line and "counted" in line for line in lines), "plain progress lines"
    assert "\x1b" not in output
    assert _left_over(folder) == []


@pytest.mark.parametrize("moment", ["Starting", "Worker:", "sent"])
def test_ctrl_c_at_any_moment_leaves_nothing_running(tmp_path: Path, moment: str) -> None:
    folder = tmp_path / "demo"
    demo = _start(folder, "--events", "20000", "--speed", "100")
    assert demo.stdout is not None
    seen = []
    for line in demo.stdout:
        seen.append(line)
        if moment in line:
            break
    demo.send_signal(signal.SIGINT)
    rest, _ = demo.communicate(timeout=_SECONDS)
    assert demo.returncode == 130, (seen, rest)
    assert "Stopped; nothing that the demonstration started still runs." in rest
    assert "Traceback" not in rest
    assert _left_over(folder) == []


def test_a_kafka_of_ones_own_is_asked_for_once_it_holds_events(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with LocalKafka(tmp_path / "kafka", port=0) as kafka:
        given = ("--bootstrap", kafka.bootstrap)
        code, output = _boards(*given)
        assert code == 1
        assert "roompulse topics create" in output
        assert output.count("\n") == 1
        code, output = _play(folder, *given)
        assert code == 0, output
        _require_the_same_boards(folder, kafka.bootstrap)
        _require_boards_to_be_followed(kafka.bootstrap)
        code, output = _play(folder, *given)
        assert code == 1
        assert "--yes" in output
        assert output.count("\n") == 1
        code, output = _play(folder, *given, "--yes")
        assert code == 1
        assert "choose another --seed" in output
        code, output = _play(folder, *given, "--yes", "--seed", "2")
        assert code == 0, output
        assert "GMV of each room" in output
        assert "Not compared" in output
        assert kafka.status().ready, "it is not the demonstration's to stop"
    assert _left_over(folder) == []
