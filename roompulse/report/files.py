"""What do the files of a run hold that a page shows? Read in one pass, in bounded memory.

Lines are read one by one: of every room the sums by currency are kept, of the leading rooms their
minutes and marks, of all alerts the newest version without its evidence, of the gravest also that.
The files of sections (stickiness, retention, drop-off, after-sales) are read whole; they grow with
rooms, not with events. A file that is not there is told as missing.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from roompulse.standing import RunFolderError, read_run_folder
from schemas.records import (
    Alert,
    AnyBoard,
    BoardRow,
    ProductMark,
    RoomMinute,
    RoomSummary,
    without_evidence,
)
from streams.core.boards import DEFAULT_ZONE

# What this page knows how to show; other files of the folder are shown as plain tables.
SECTION_FILES = ("stickiness.json", "retention.json", "drop-off.json", "after-sales.json")
LINE_FILES = (
    "rooms.ndjson",
    "minutes.ndjson",
    "product-marks.ndjson",
    "alerts.ndjson",
    "after-sales-minutes.ndjson",
)
OTHER_FILES = ("boards.json", "run.json", "dead-letters.ndjson")
MOST_CURRENCIES = 8
SEVERITIES = ("page", "review", "info")

Section = dict[str, Any]  # rows of a file by the name of its section
Row = dict[str, Any]


@dataclass(slots=True)
class MinuteSums:
    """What all rooms of a currency did in one minute, money in minor units.

    Attributes:
        gross_minor, refunded_minor, visits, online: of closed minutes.
        sold_minor: what was paid in it, late orders too.
        returned_minor: refunds of what was sold in it.
        came_back_minor: refunds that came in it.
    """

    gross_minor: int = 0
    refunded_minor: int = 0
    visits: int = 0
    online: int = 0
    sold_minor: int = 0
    returned_minor: int = 0
    came_back_minor: int = 0


@dataclass(slots=True)
class Incident:
    """One alert: its newest version, and when it was told.

    Attributes:
        told_ms: event time of each version, in order.
        severity: the gravest that it had.
    """

    alert: Alert
    told_ms: list[int]
    severity: str


@dataclass(slots=True)
class CurrencySums:
    """All rooms of one currency together, money in minor units."""

    rooms: int = 0
    orders: int = 0
    gross_minor: int = 0
    net_minor: int = 0
    trusted_minor: int = 0
    suspected_minor: int = 0
    refunded_minor: int = 0
    visits: int = 0
    complaints_opened: int = 0


@dataclass(slots=True)
class RunFiles:
    """What is shown of a run.

    Attributes:
        zone: whose clock times are shown; that of the day boards.
        missing: files of a run that are not in the folder.
        currencies: sums by currency, the one with most rooms first; "" of rooms never opened.
        rooms: the leading rooms by gross, in the order of their boards.
        currency_of: every room; "" where it is not known.
        minutes: of each leading room, in order.
        marks: of each leading room, when a product was put on sale.
        by_minute: of each currency, its minutes.
        incidents: all, the gravest first; the first `top` of them with evidence.
        sections: of each file of `SECTION_FILES` that is there.
        further: other files of sections, by name.
    """

    zone: str
    boards: list[AnyBoard]
    run: Row
    missing: list[str] = field(default_factory=list)
    currencies: dict[str, CurrencySums] = field(default_factory=dict)
    rooms: dict[str, RoomSummary] = field(default_factory=dict)
    currency_of: dict[str, str] = field(default_factory=dict)
    minutes: dict[str, list[RoomMinute]] = field(default_factory=dict)
    marks: dict[str, list[int]] = field(default_factory=dict)
    by_minute: dict[str, dict[int, MinuteSums]] = field(default_factory=dict)
    incidents: list[Incident] = field(default_factory=list)
    sections: dict[str, Section] = field(default_factory=dict)
    further: dict[str, Section] = field(default_factory=dict)


def read_files(folder: Path, *, rooms: int, alerts: int) -> RunFiles:
    """Everything that the page shows.

    Args:
        folder: of `roompulse run --out` or `roompulse export --out`.
        rooms: how many leading rooms have curves.
        alerts: how many of the gravest alerts have evidence.

    Raises:
        RunFolderError: there is no such folder, or a file is not of a run.
    """
    boards = list(read_run_folder(folder).boards)
    zone = next((board.zone for board in boards if board.zone), DEFAULT_ZONE)
    found = RunFiles(zone, boards, _decoded(folder / "run.json"))
    known = (*LINE_FILES, *SECTION_FILES)
    found.missing = [name for name in known if not (folder / name).is_file()]
    _read_rooms(folder, found, _leading(boards, rooms))
    _read_minutes(folder, found)
    _read_alerts(folder, found, alerts)
    for name in SECTION_FILES:
        if name not in found.missing:
            found.sections[name] = _decoded(folder / name)
    for path in sorted(folder.glob("*.json")):
        if path.name not in (*known, *OTHER_FILES):
            found.further[path.name] = _sections_of(_decoded(path))
    return found


def _leading(boards: list[AnyBoard], most: int) -> list[str]:
    """The rooms with curves: the first of each currency in turn, so that none is left out."""
    lists = [
        [row.key for row in sorted(board.rows, key=_rank) if isinstance(row, BoardRow)]
        for board in boards
        if board.scope == "room" and board.window == "total" and not board.rates_date
    ]
    found: dict[str, None] = {}
    for place in range(most):
        for keys in lists:
            if place < len(keys) and len(found) < most:
                found[keys[place]] = None
    return list(found)


def _rank(row: Any) -> tuple[int, str]:  # noqa: ANN401 - a row of a board
    return row.rank, row.key


def _read_rooms(folder: Path, found: RunFiles, leading: list[str]) -> None:
    """Sums, leading rooms, and the currency of every room."""
    rooms: dict[str, RoomSummary] = {}
    sums: dict[str, CurrencySums] = {}
    for room in _lines(folder / "rooms.ndjson", RoomSummary):
        currency = found.currency_of[room.room_id] = room.currency or ""
        total = sums.setdefault(currency, CurrencySums())
        total.rooms += 1
        for name in CurrencySums.__slots__:
            if name != "rooms":
                setattr(total, name, getattr(total, name) + getattr(room, name))
        if room.room_id in leading:
            rooms[room.room_id] = room
    ordered = sorted(sums.items(), key=lambda item: (-item[1].rooms, item[0]))
    found.currencies = dict(ordered[:MOST_CURRENCIES])
    found.rooms = {room_id: rooms[room_id] for room_id in leading if room_id in rooms}


def _read_minutes(folder: Path, found: RunFiles) -> None:
    by_minute, currency_of = found.by_minute, found.currency_of
    found.minutes = {room_id: [] for room_id in found.rooms}
    found.marks = {room_id: [] for room_id in found.rooms}
    for line in _lines(folder / "minutes.ndjson", RoomMinute):
        sums = _at(by_minute, currency_of.get(line.room_id, ""), line.minute_ms)
        sums.gross_minor += line.gross_minor
        sums.refunded_minor += line.refunded_minor
        sums.visits += line.visits
        sums.online += line.online
        if line.room_id in found.minutes:
            found.minutes[line.room_id].append(line)
    for mark in _lines(folder / "product-marks.ndjson", ProductMark):
        if mark.action == "listed" and mark.room_id in found.marks:
            found.marks[mark.room_id].append(mark.ts_ms)
    for row in _lines(folder / "after-sales-minutes.ndjson", dict[str, Any]):
        sums = _at(by_minute, currency_of.get(str(row["room_id"]), ""), row["minute_ms"])
        sums.sold_minor += row["gross_minor"]
        sums.returned_minor += row["returned_minor"]
        sums.came_back_minor += row["refunded_minor"]


def _at(by_minute: dict[str, dict[int, MinuteSums]], currency: str, minute_ms: int) -> MinuteSums:
    return by_minute.setdefault(currency, {}).setdefault(minute_ms, MinuteSums())


def _read_alerts(folder: Path, found: RunFiles, most: int) -> None:
    """Two passes: which are the gravest, then their evidence."""
    path = folder / "alerts.ndjson"
    incidents: dict[str, Incident] = {}
    for alert in _lines(path, Alert):
        known = incidents.get(alert.alert_id)
        if known is None:
            known = incidents[alert.alert_id] = Incident(alert, [], alert.severity)
        known.told_ms.append(alert.updated_ms)
        known.severity = min(known.severity, alert.severity, key=_gravity)
        if alert.version >= known.alert.version:
            known.alert = without_evidence(alert)
    found.incidents = sorted(incidents.values(), key=_gravest_first)
    shown = {each.alert.alert_id: each for each in found.incidents[:most]}
    for alert in _lines(path, Alert):
        each = shown.get(alert.alert_id)
        if each is not None and each.alert.version == alert.version:
            each.alert = alert


def _gravity(severity: str) -> int:
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


def _gravest_first(each: Incident) -> tuple[int, int, int, str]:
    alert = each.alert
    return _gravity(each.severity), -alert.money_minor, alert.started_ms, alert.alert_id


def _sections_of(value: Any) -> Section:  # noqa: ANN401 - whatever the file holds
    """The rows of a file that this page does not know; a single row is a list of one."""
    if isinstance(value, list):
        value = {"": value}
    if not isinstance(value, dict):
        return {}
    lists = {str(name): [rows] if isinstance(rows, dict) else rows for name, rows in value.items()}
    return {
        name: rows
        for name, rows in lists.items()
        if isinstance(rows, list) and rows and all(isinstance(row, dict) for row in rows)
    }


def _decoded(path: Path) -> Any:  # noqa: ANN401 - whatever the file holds
    try:
        return msgspec.json.decode(path.read_bytes())
    except (OSError, msgspec.MsgspecError) as error:
        raise RunFolderError(f"{path}: is no file of a run ({error})") from None


def _lines(path: Path, kind: Any) -> Iterator[Any]:  # noqa: ANN401 - as `kind` says
    """The lines of a file; nothing if there is none."""
    if not path.is_file():
        return
    decoder = msgspec.json.Decoder(kind)
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as error:
                raise RunFolderError(f"{path}:{number}: is no line of a run ({error})") from None
