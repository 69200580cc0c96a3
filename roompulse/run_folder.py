"""What is known of a run of the past? Its files, read once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from roompulse.known import Known
from roompulse.standing import RunFolderError, read_run_folder
from schemas.records import (
    Alert,
    ProductMark,
    RoomFigures,
    RoomMinute,
    RoomSummary,
    Version,
)

_FINAL = Version(0, 0)


def known_of_folder(folder: Path) -> Known:
    """All of a folder that `roompulse run` or `roompulse export` wrote.

    Raises:
        RunFolderError: there is no such folder, or its files are not those of a run.
    """
    known = Known(is_live=False, run=read_run_folder(folder))
    for summary in _lines(folder / "rooms.ndjson", RoomSummary):
        known.apply_room(RoomFigures(_FINAL, 0, summary))
    for line in _lines(folder / "minutes.ndjson", RoomMinute):
        known.minutes.apply(line)
    for mark in _lines(folder / "product-marks.ndjson", ProductMark):
        known.apply_mark(mark)
    for alert in _lines(folder / "alerts.ndjson", Alert):
        known.alerts.apply(alert)
    known.reports = {
        "after_sales": _by_room(folder / "after-sales.json", "key"),
        "retention": _by_room(folder / "retention.json", "room_id"),
    }
    return known


def _lines(path: Path, kind: type[Any]) -> Iterator[Any]:
    try:
        with path.open("rb") as file:
            for line in file:
                yield msgspec.json.decode(line, type=kind)
    except FileNotFoundError:
        return  # an older run did not write it
    except (OSError, msgspec.MsgspecError) as error:
        raise RunFolderError(f"{path}: is no file of a run ({error})") from None


def _by_room(path: Path, key: str) -> dict[str, list[dict[str, Any]]]:
    """The rows of the section "rooms", by room; nothing where the file was not written."""
    found: dict[str, list[dict[str, Any]]] = {}
    try:
        report = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
        for row in report.get("rooms", []):
            found.setdefault(row[key], []).append(row)
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, TypeError, msgspec.MsgspecError) as error:
        raise RunFolderError(f"{path}: is no file of a run ({error})") from None
    return found
