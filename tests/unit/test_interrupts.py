"""Ctrl-C at any moment: what runs is ended whole, and the handlers are given back."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from roompulse import interrupts
from roompulse.interrupts import interruptible, uninterrupted
from streams.result_files import write_results
from tests.property.running import run_embedded


@pytest.fixture(autouse=True)
def ctrl_c_as_in_a_terminal() -> Iterator[None]:
    """What runs in the background of a shell inherits that Ctrl-C is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_ending_signal_interrupts_and_handlers_are_given_back(number: signal.Signals) -> None:
    before = signal.getsignal(number)
    with pytest.raises(KeyboardInterrupt), interruptible():
        signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_signal_in_a_held_moment_is_obeyed_after_it() -> None:
    steps = []

    def act() -> None:
        with uninterrupted():
            signal.raise_signal(signal.SIGTERM)
            steps.append("finished what it was about")
        steps.append("never")

    with pytest.raises(KeyboardInterrupt), interruptible():
        act()
    assert steps == ["finished what it was about"]


def test_ctrl_c_cancels_what_runs_and_it_can_clean_up() -> None:
    steps = []

    async def main() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            steps.append("cleaned up")

    with pytest.raises(KeyboardInterrupt):
        interrupts.run(main())
    assert steps == ["cleaned up"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_second_ctrl_c_ends_what_does_not_obey_the_first() -> None:
    async def main() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        interrupts.run(main())


def test_what_ends_by_itself_gives_its_result_and_its_errors() -> None:
    async def main() -> int:
        return 7

    async def cancelled() -> None:
        raise asyncio.CancelledError

    assert interrupts.run(main()) == 7
    with pytest.raises(asyncio.CancelledError):
        interrupts.run(cancelled())


@pytest.mark.parametrize("moment", ["__init__", "_run_once", "close"])
def test_ctrl_c_while_a_loop_is_made_run_or_closed_leaves_no_traceback(moment: str) -> None:
    """The signal comes inside the event loop's own code, where Python would break it in two."""
    program = f"""
import asyncio, signal, sys
from roompulse import interrupts

async def main():
    await asyncio.sleep(0.01)

def trace(frame, event, argument):
    code = frame.f_code
    if "asyncio" in code.co_filename and code.co_name == {moment!r}:
        sys.settrace(None)
        signal.raise_signal(signal.SIGINT)
    return None

sys.settrace(trace)
try:
    interrupts.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    ended = subprocess.run(
        [sys.executable, "-X", "dev", "-c", program],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "interrupted\n", "")


def test_what_is_ignored_on_purpose_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with interruptible():
            signal.raise_signal(signal.SIGHUP)
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_command_that_runs_on_ends_in_order_when_a_container_is_stopped(tmp_path: Path) -> None:
    """Kubernetes and Docker send SIGTERM, and kill who does not hear it half a minute later."""
    write_results(run_embedded([]), tmp_path, elapsed_seconds=0)
    address = tmp_path / "address"
    command = [sys.executable, "-c", "from roompulse.cli.app import main; main()", "console"]
    options = ["--results", str(tmp_path), "--port", "0", "--address-file", str(address)]
    with subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("console: http://127.0.0.1:")
        process.terminate()
        assert process.wait(20) == 0
