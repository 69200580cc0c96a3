"""Recorded sessions come to the same files as on the day when a person looked at them.

Each scenario has a page in this folder: the digest of every file of its run, and the main figures
in a form that a person can read and a diff can show. A page changes only on purpose: look at the
difference, then accept it with `ROOMPULSE_ACCEPT_GOLDEN=1 pytest tests/golden`, and say in the
commit why the figures moved.
"""

# ruff: noqa: ANN401 - JSON values and facts of events have no common type

import hashlib
import os
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import pytest

from producers.generator import generate
from streams.core.boards import DEFAULT_ZONE
from streams.embedded import EmbeddedRun
from streams.result_files import write_results

PAGES = Path(__file__).parent
SEED = 7
SIZES = {"calm": 3_000, "festival": 3_000, "dirty": 3_000, "table1": 20_000}
# In Shanghai these evenings end after midnight, on a day with nothing in it yet.
ZONES = {"festival": "UTC", "table1": "America/New_York"}
FILES = ("rooms.ndjson", "minutes.ndjson", "boards.json", "dead-letters.ndjson", "run.json")
ROOM_FIGURES = (
    "orders",
    "gross_minor",
    "net_minor",
    "buyers",
    "visits",
    "viewers",
    "peak_online",
    "avg_watch_ms",
    "median_watch_ms",
    "checkouts",
    "unpaid_orders",
    "complaints_opened",
    "quality_refunds",
)


@cache
def session(name: str) -> list[bytes]:
    return list(generate(name, SEED, events=SIZES[name]))


def run(name: str, folder: Path, chunk: int = 1_000) -> None:
    """Write the files of a scenario's run."""
    log = session(name)
    embedded = EmbeddedRun(4, ZONES.get(name, DEFAULT_ZONE))
    for at in range(0, len(log), chunk):
        embedded.feed(log[at : at + chunk])
    write_results(embedded.finish(), folder, elapsed_seconds=0)


def page_of(name: str, folder: Path) -> str:
    """What a person should see of a run."""
    log = session(name)
    digest = hashlib.sha256(b"\n".join(log)).hexdigest()
    parts = [f"{name}, seed {SEED}, {len(log)} records, 4 partitions", f"session {digest}"]
    parts += [
        f"{file} {hashlib.sha256((folder / file).read_bytes()).hexdigest()}" for file in FILES
    ]
    run_ = msgspec.json.decode((folder / "run.json").read_bytes())
    parts += ["", *(f"{field} {_shown(run_[field])}" for field in sorted(run_))]
    parts += ["", " ".join(("room", *ROOM_FIGURES))]
    parts += [
        " ".join(str(room[field]) for field in ("room_id", *ROOM_FIGURES))
        for room in _lines(folder / "rooms.ndjson")
    ]
    parts += ["", "board window currency: rank key gross_minor net_minor"]
    for board in msgspec.json.decode((folder / "boards.json").read_bytes()):
        rows = [
            f"{row['rank']} {row['key']} {row['gross_minor']} {row['net_minor']}"
            for row in board["rows"][:3]
        ]
        place = f"{board['scope']} {board['window']} {board['currency']}"
        parts.append(f"{place}: {'; '.join(rows) or 'nothing'}")
    return "\n".join(parts) + "\n"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return " ".join(f"{name}={count}" for name, count in value.items()) or "none"
    return str(value)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [msgspec.json.decode(line) for line in path.read_bytes().splitlines()]


@pytest.mark.parametrize("name", SIZES)
def test_a_recorded_session_comes_to_the_accepted_figures(name: str, tmp_path: Path) -> None:
    run(name, tmp_path)
    page, accepted = page_of(name, tmp_path), PAGES / f"{name}.txt"
    if os.environ.get("ROOMPULSE_ACCEPT_GOLDEN") == "1":
        accepted.write_text(page, encoding="utf-8")
    assert accepted.read_text(encoding="utf-8").splitlines() == page.splitlines()


@pytest.mark.parametrize("name", SIZES)
def test_two_runs_of_a_session_write_the_same_bytes(name: str, tmp_path: Path) -> None:
    run(name, tmp_path / "one")
    run(name, tmp_path / "two", chunk=77)
    for file in FILES:
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_every_page_has_a_session() -> None:
    assert sorted(path.stem for path in PAGES.glob("*.txt")) == sorted(SIZES)


def test_only_elapsed_time_differs_from_run_to_run(tmp_path: Path) -> None:
    embedded = EmbeddedRun(4)
    embedded.feed(session("calm"))
    results = embedded.finish()
    write_results(results, tmp_path / "slow", elapsed_seconds=1.23456)
    write_results(results, tmp_path / "fast", elapsed_seconds=0)
    slow, fast = (
        msgspec.json.decode((tmp_path / pace / "run.json").read_bytes())
        for pace in ("slow", "fast")
    )
    assert slow.pop("elapsed_seconds") == 1.235
    assert fast.pop("elapsed_seconds") == 0
    assert slow == fast
