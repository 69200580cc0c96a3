"""The Taobao user behaviour data (Tianchi 649) as a session: a day of a category is a room.

Source: CSV with `user_id,item_id,category_id,behavior,ts` (seconds), with or without that header,
sorted by user. There are no rooms, hosts, prices or devices in it, so this mapping is chosen:

- Each category sells as a host in mode `store`, in one room a day (UTC+8). The `hosts` largest
  categories have rooms of their own, the others share the host `category-other`; the number of
  rooms stays bounded.
- `pv` is a `view` with action `click`, `cart` and `fav` are `cart` and `like`, each with the item
  as product. There is no enter or leave: visits begin with the first event and end by silence.
- `buy` is an `order` of one unit at a flat `price_minor`. The source has no prices; with the
  default of one yuan the gross of a board, in yuan, is its number of purchases.
- A room opens with its first event and closes with its last.
- Stamps are kept as they are, also the 35 that lie outside of the nine days, and rows are sorted by
  stamp, equal ones in the order of the file: the file as it lies is ordered by user.

Bounds: all rows are held for sorting, about 250 bytes each.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from producers.converters.report import ConversionError, ConversionReport
from schemas import codec
from schemas.events import EARLIEST_MS, LATEST_MS, Action

DEFAULT_HOSTS = 200
DEFAULT_PRICE_MINOR = 100
COLUMNS = ["user_id", "item_id", "category_id", "behavior", "ts"]
ACTIONS: dict[str, Action] = {"pv": "click", "cart": "cart", "fav": "like"}
_CHINA = timedelta(hours=8)
_LONGEST_ID = 40  # leaves room for the prefixes of the ids made from it


class _Row(NamedTuple):
    ts_ms: int
    number: int
    user_id: str
    item_id: str
    category_id: str
    behavior: str


def convert_taobao(
    source: Path,
    write: Callable[[bytes], object],
    *,
    hosts: int = DEFAULT_HOSTS,
    price_minor: int = DEFAULT_PRICE_MINOR,
) -> ConversionReport:
    """Write the session of a Taobao file.

    Args:
        source: the CSV file.
        write: takes each record, in order.
        hosts: how many categories have rooms of their own.
        price_minor: the price of every purchase, in fen.

    Raises:
        ConversionError: the file cannot be read, or is no such file.
    """
    report = ConversionReport("CNY")
    try:
        rows = sorted(_rows(source, report))  # by stamp, then by place in the file
    except OSError as error:
        raise ConversionError(f"{source}: cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ConversionError(f"{source}: is not UTF-8 text") from None
    if not rows:
        raise ConversionError(f"{source}: has no row with the columns {','.join(COLUMNS)}")
    sizes = Counter(row.category_id for row in rows)
    largest = sorted(sizes, key=lambda category: (-sizes[category], category))[:hosts]
    own = frozenset(largest)
    rooms = [_room_of(row, own) for row in rows]
    last = {room: number for number, room in enumerate(rooms)}
    opened: set[tuple[str, str]] = set()
    for number, (row, room) in enumerate(zip(rows, rooms, strict=True)):
        host, day = room
        room_id = f"taobao-{day}-{host}"
        if room not in opened:
            opened.add(room)
            write(codec.encode(_opening(row.ts_ms, room_id, host)))
            report.events["room_opened"] += 1
        write(codec.encode(_event(row, room_id, price_minor, report)))
        if last[room] == number:
            closed = codec.RoomClosed(
                event_id=f"{room_id}-closed", ts_ms=row.ts_ms, room_id=room_id
            )
            write(codec.encode(closed))
            report.events["room_closed"] += 1
    report.remarks.append(
        f"the source has no prices: every purchase counts {price_minor} fen, so gross / "
        f"{price_minor} is the number of purchases"
        if price_minor
        else "the source has no prices: every purchase counts nothing"
    )
    return report


def _rows(source: Path, report: ConversionReport) -> Iterator[_Row]:
    with source.open(encoding="utf-8", newline="") as file:
        for number, cells in enumerate(csv.reader(file), start=1):
            if number == 1 and cells == COLUMNS:
                continue
            report.rows += 1
            reason = _problem(cells)
            if reason:
                report.skipped[reason] += 1
                continue
            user_id, item_id, category_id, behavior, seconds = cells
            yield _Row(int(seconds) * 1000, number, user_id, item_id, category_id, behavior)


def _problem(cells: list[str]) -> str | None:
    if len(cells) != len(COLUMNS):
        return "columns"
    if not all(0 < len(cell) <= _LONGEST_ID for cell in cells[:3]):
        return "id"
    if cells[3] not in ACTIONS and cells[3] != "buy":
        return "behavior"
    seconds = cells[4]
    if not (seconds.isascii() and seconds.isdigit() and len(seconds) <= _LONGEST_ID):
        return "stamp"
    return None if EARLIEST_MS <= int(seconds) * 1000 <= LATEST_MS else "stamp"


def _room_of(row: _Row, own: frozenset[str]) -> tuple[str, str]:
    """Host and day of a row's room."""
    host = f"category-{row.category_id}" if row.category_id in own else "category-other"
    day = datetime.fromtimestamp(row.ts_ms // 1000, UTC) + _CHINA
    return host, day.strftime("%Y-%m-%d")


def _opening(ts_ms: int, room_id: str, host: str) -> codec.RoomOpened:
    return codec.RoomOpened(
        event_id=f"{room_id}-opened",
        ts_ms=ts_ms,
        room_id=room_id,
        host_id=host,
        host_name=host.replace("-", " ").capitalize(),
        mode="store",
        category=host,
        currency="CNY",
    )


def _event(row: _Row, room_id: str, price_minor: int, report: ConversionReport) -> codec.Event:
    event_id = f"taobao-{row.number}"
    if row.behavior == "buy":
        report.events["order"] += 1
        report.gross_minor += price_minor
        return codec.Order(
            event_id=event_id,
            ts_ms=row.ts_ms,
            room_id=room_id,
            order_id=event_id,
            buyer_id=row.user_id,
            product_id=row.item_id,
            quantity=1,
            amount_minor=price_minor,
        )
    report.events["view"] += 1
    return codec.View(
        event_id=event_id,
        ts_ms=row.ts_ms,
        room_id=room_id,
        viewer_id=row.user_id,
        action=ACTIONS[row.behavior],
        product_id=row.item_id,
    )
