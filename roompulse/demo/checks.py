"""Are the figures right? Each check compares two figures that were found independently.

Pure: the generator's truth, the results of a run, the files of two runs. A check holds what was
expected and what was found, and so can be read by a person who trusts neither.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from roompulse.cli.board_view import money_of
from schemas.records import Counts, RoomSummary
from streams.result_files import UNPUBLISHED_FILES

# In run.json two runs of a log may differ: it holds how long each took, and the closing tick of a
# replay is an event there, while a run of the file counts none.
_UNLIKE_FILES = {"run.json", *UNPUBLISHED_FILES}
_PLANTED = ("duplicate", "rejected", "late", "future")
_ROOM_FIGURES = ("orders", "units", "gross_minor", "refunds", "refunded_minor", "checkouts")


@dataclass(frozen=True, slots=True)
class Check:
    """One question with its answer; `found` says what there was, in figures."""

    name: str
    passed: bool
    found: str


def check_events(sent: int, counted: int) -> Check:
    """Nothing lost, nothing counted twice."""
    found = f"{sent:,} sent, {counted:,} counted"
    return Check("events sent = events counted", sent == counted, found)


def check_planted(truth: Mapping[str, Any], counts: Counts) -> Check:
    """Duplicate, refused, late and refuted events are as many as were planted."""
    parts = []
    passed = True
    for name in _PLANTED:
        wanted, found = truth["counts"][name], getattr(counts, name)
        passed = passed and wanted == found
        parts.append(f"{found:,} {name}" + ("" if wanted == found else f" instead of {wanted:,}"))
    return Check("events refused or late = the generator's truth", passed, ", ".join(parts))


def check_platform(truth: Mapping[str, Any], rooms: Sequence[RoomSummary]) -> list[Check]:
    """The GMV of each currency is what the generator sold, and what it paid back."""
    checks = []
    for currency, wanted in truth["currencies"].items():
        mine = [room for room in rooms if room.currency == currency]
        gross = sum(room.gross_minor for room in mine)
        net = sum(room.net_minor for room in mine)
        orders = sum(room.orders for room in mine)
        wanted_net = wanted["gross_minor"] - wanted["refunded_minor"]
        passed = (gross, net, orders) == (wanted["gross_minor"], wanted_net, wanted["orders"])
        found = (
            f"gross {money_of(gross, currency)}, net {money_of(net, currency)}, {orders:,} orders"
        )
        if not passed:
            found += (
                f" instead of {money_of(wanted['gross_minor'], currency)},"
                f" {money_of(wanted_net, currency)}, {wanted['orders']:,}"
            )
        checks.append(Check("GMV of the platform = the generator's truth", passed, found))
    return checks


def check_rooms(truth: Mapping[str, Any], rooms: Sequence[RoomSummary]) -> Check:
    """So is that of each room, with its orders, units, refunds and checkouts."""
    known = {room.room_id: room for room in rooms}
    wrong = [
        room_id for room_id, wanted in truth["rooms"].items() if not _agrees(wanted, known, room_id)
    ]
    total = len(truth["rooms"])
    found = f"{total - len(wrong):,} of {total:,} rooms agree"
    if wrong:
        found += f"; not {', '.join(wrong[:3])}" + (" and others" if wrong[3:] else "")
    return Check("GMV of each room = the generator's truth", not wrong, found)


def check_files(ours: Path, theirs: Path, name: str) -> Check:
    """Two runs of one log wrote the same files with the same bytes."""
    equal: list[str] = []
    different: list[str] = []
    files = {path.name for folder in (ours, theirs) for path in folder.iterdir()}
    for file in sorted(files - _UNLIKE_FILES):
        left, right = _bytes(ours / file), _bytes(theirs / file)
        size = "absent" if left is None else f"{len(left):,} bytes"
        (equal if left == right else different).append(f"{file} {size}")
    found = ", ".join(equal)
    if different:
        found = f"other bytes in {', '.join(different)} (compare {ours} with {theirs})"
    return Check(name, not different, found)


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _agrees(wanted: Mapping[str, Any], known: Mapping[str, RoomSummary], room_id: str) -> bool:
    room = known.get(room_id)
    return (
        room is not None
        and room.currency == wanted["currency"]
        and all(getattr(room, figure) == wanted[figure] for figure in _ROOM_FIGURES)
    )
