"""What a process that another run started is: alive, whose, and how much memory it holds.

Reads /proc where there is one (containers often lack `ps`) and asks `ps` elsewhere. A process id
alone proves nothing, since the system uses ids again: the command line decides.
"""

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

_PROC = Path("/proc")
_POLL_SECONDS = 0.02
_TRANSITION_SECONDS = 2.0


def command_line(pid: int) -> str:
    """The command line of `pid`; empty when there is no such process or it is a zombie."""
    # A process that is just being started or is just ending shows an empty one for a moment.
    deadline = time.monotonic() + _TRANSITION_SECONDS
    while not (line := _read_command_line(pid)):
        if _is_gone(pid) or time.monotonic() >= deadline:
            return ""
        time.sleep(_POLL_SECONDS)
    return line


def resident_bytes(pid: int) -> int:
    """Resident memory of `pid` in bytes; 0 when there is no such process."""
    if _PROC.is_dir():
        try:
            pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
        except OSError:
            return 0
        return pages * os.sysconf("SC_PAGE_SIZE")
    return int(_ask_ps(pid, "rss=") or 0) * 1024


def signal_group(pid: int, number: signal.Signals) -> None:
    """Send a signal to the process group that `pid` leads; one already gone is no error."""
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return


def _reap(pid: int) -> None:
    """Take note of the end of `pid` if it is our child, so that its id does not linger."""
    with contextlib.suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)


def wait_until_gone(pid: int, timeout_seconds: float) -> bool:
    """Whether the process `pid` ended in time, all of its threads, files and ports included.

    Works for processes that are not our children; a child is reaped on the way.
    """
    deadline = time.monotonic() + timeout_seconds
    while not _is_gone(pid):
        if time.monotonic() >= deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _read_command_line(pid: int) -> str:
    if not _PROC.is_dir():
        return _ask_ps(pid, "command=")
    try:
        line = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return ""
    return os.fsdecode(line.replace(b"\0", b" "))


def _is_gone(pid: int) -> bool:
    _reap(pid)
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    if not _PROC.is_dir():
        return _ask_ps(pid, "stat=").startswith("Z")
    # Nobody may be there to reap it (a container without an init process). A zombie whose other
    # threads still end holds files and ports until the last of them is gone.
    try:
        state = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[0]
        threads = len(list((_PROC / str(pid) / "task").iterdir()))
    except OSError:
        return True
    return state == "Z" and threads <= 1


def _ask_ps(pid: int, column: str) -> str:
    answer = subprocess.run(
        ["ps", "-o", column, "-p", str(pid)],  # noqa: S607 - every system keeps it elsewhere
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.stdout.strip()
