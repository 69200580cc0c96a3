"""What a Kafka run came to: its topics, read to their ends, as the results of an embedded run.

The newest version of each view counts; records that were published twice count once. Stickiness,
retention and scores are not published: they are made of the states that the workers save.
"""

from dataclasses import replace

import msgspec

from schemas import topics
from schemas.calendar import Calendar
from schemas.details import decode_detail
from schemas.records import (
    Alert,
    AnyBoard,
    DeadLetter,
    ProductFigures,
    ProductMark,
    Progress,
    RoomFigures,
    RoomMinute,
    Verdict,
    decode_alert,
    decode_board,
)
from streams.core.boards import board_place
from streams.core.newest import Newest
from streams.core.stickiness.whole import audience_of, retention_of, stickiness_of
from streams.embedded import Results, in_order_of_marks, in_order_of_time, reports_of
from streams.shell.checkpoints import newest_snapshot
from streams.shell.reading import read_to_end
from streams.shell.room_stage import unpacked


async def collect(bootstrap: str) -> Results:
    """Everything that the workers have published so far.

    Boards are taken from the topic as the workers ranked them.
    """
    newest = await newest_figures(bootstrap)
    rooms = newest.rooms
    minutes: dict[tuple[int, str], RoomMinute] = {}
    async for record in read_to_end(bootstrap, topics.ROOM_MINUTES, 0):
        line = msgspec.json.decode(record.value or b"", type=RoomMinute)
        minutes[line.minute_ms, line.room_id] = line
    marks: set[ProductMark] = set()
    async for record in read_to_end(bootstrap, topics.PRODUCT_MARKS, 0):
        marks.add(msgspec.json.decode(record.value or b"", type=ProductMark))
    letters: dict[tuple[int, int], DeadLetter] = {}
    async for record in read_to_end(bootstrap, topics.DEAD_LETTERS, 0):
        letter = msgspec.json.decode(record.value or b"", type=DeadLetter)
        letters[letter.partition, letter.offset] = letter
    alerts, _ = await alerts_and_verdicts(bootstrap)
    return Results(
        rooms=[rooms[room_id].summary for room_id in sorted(rooms)],
        minutes=[minutes[key] for key in sorted(minutes)],
        boards=await newest_boards(bootstrap),
        alerts=alerts,
        dead_letters=[letters[key] for key in sorted(letters)],
        progress=await newest_progress(bootstrap),
        marks=sorted(marks, key=in_order_of_marks),
        **reports_of(newest),
    )


async def newest_figures(bootstrap: str) -> Newest:
    """What the rooms said last of themselves, of their products and of their details."""
    newest = Newest()
    async for record in read_to_end(bootstrap, topics.ROOM_SUMMARIES, 0):
        newest.apply_room(msgspec.json.decode(record.value or b"", type=RoomFigures))
    async for record in read_to_end(bootstrap, topics.ROOM_PRODUCTS, 0):
        newest.apply_product(msgspec.json.decode(record.value or b"", type=ProductFigures))
    async for record in read_to_end(bootstrap, topics.ROOM_DETAILS, 0):
        newest.apply_detail(decode_detail(record.value or b""))
    return newest


async def with_stickiness(bootstrap: str, results: Results, calendar: Calendar) -> Results:
    """The same results with what is made of people, from the last checkpoints of the workers.

    Left out where one that has folded events has saved none of them yet.
    """
    partitions = []
    for each in results.progress:
        saved = await newest_snapshot(bootstrap, each.version.partition)
        if saved is None:
            return results
        partitions.append(unpacked(saved))
    rooms = {summary.room_id: summary for summary in results.rooms}
    return replace(
        results,
        stickiness=stickiness_of(partitions, rooms, calendar),
        retention=retention_of(partitions, rooms),
        rules=partitions[0].detectors.rules if partitions else None,
        audience=audience_of(partitions, rooms),
    )


async def alerts_and_verdicts(bootstrap: str) -> tuple[list[Alert], dict[str, Verdict]]:
    """Every version of every alert in order of time, and the last verdict of each by its id."""
    alerts: dict[tuple[str, int], Alert] = {}
    verdicts: dict[str, Verdict] = {}
    async for record in read_to_end(bootstrap, topics.ALERTS, 0):
        told = decode_alert(record.key or b"", record.value or b"")
        if isinstance(told, Verdict):
            verdicts[told.alert_id] = told
        else:
            alerts[told.alert_id, told.version] = told
    return sorted(alerts.values(), key=in_order_of_time), verdicts


async def newest_progress(bootstrap: str) -> list[Progress]:
    """How far the fold of each partition is, ordered by partition."""
    newest: dict[int, Progress] = {}
    async for record in read_to_end(bootstrap, topics.PARTITION_PROGRESS, 0):
        progress = msgspec.json.decode(record.value or b"", type=Progress)
        known = newest.get(progress.version.partition)
        if known is None or known.version <= progress.version:
            newest[progress.version.partition] = progress
    return [newest[number] for number in sorted(newest)]


async def newest_boards(bootstrap: str) -> list[AnyBoard]:
    """The boards as they were published last, in the order in which a fold ranks them."""
    newest: dict[bytes, AnyBoard] = {}
    async for record in read_to_end(bootstrap, topics.BOARDS, 0):
        key = record.key or b""
        if record.value is None:
            newest.pop(key, None)  # a currency that no room has any more
        else:
            newest[key] = decode_board(key, record.value)
    return sorted(newest.values(), key=board_place)
