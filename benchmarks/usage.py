"""How much memory does a process have, and had at most?"""

from pathlib import Path

import psutil


def resident_mb(pid: int) -> float:
    """Resident memory now."""
    return psutil.Process(pid).memory_info().rss / 1e6


def peak_mb(pid: int) -> float:
    """The most resident memory so far; now, where the system does not tell.

    Not `getrusage`: what it tells of a process includes the one that started it.
    """
    status = Path(f"/proc/{pid}/status")
    if not status.exists():
        return resident_mb(pid)
    line = next(row for row in status.read_text().splitlines() if row.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6
