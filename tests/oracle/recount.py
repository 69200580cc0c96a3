"""What are all the numbers of an embedded run, counted again by a naive second hand?

`recount` takes the records of a session file in arrival order and gives what the files of the run
must hold. Quadratic on purpose: meant for logs of some hundred to a few thousand records.
"""

from collections import Counter
from dataclasses import dataclass

from tests.oracle.boards import boards_of
from tests.oracle.outcomes import (
    CLOSING_OFFSET,
    DUPLICATE,
    DeadLetter,
    PartitionLog,
    Step,
    closing_tick_of,
    deal,
    fold_partition,
)
from tests.oracle.panes import minutes_of
from tests.oracle.rooms import Room, Row, median_bounds_of, of_kind, rooms_of, summary_of


@dataclass(frozen=True)
class Recount:
    """The lines of an embedded run's files as dicts.

    `medians` gives for each room, for each figure that is a median, the lower and the upper exact
    median (they differ when the sample is even); the room's line holds the lower one. Distinct
    counts and medians are exact here, so a comparison has to allow the stated errors.
    """

    rooms: list[Row]
    minutes: list[Row]
    marks: list[Row]
    boards: list[Row]
    counts: dict[str, int]
    rejected_by_reason: dict[str, int]
    by_type: dict[str, int]
    dead_letters: list[DeadLetter]
    watermark_ms: int | None
    medians: dict[str, dict[str, tuple[int | None, int | None]]]


def recount(records: list[bytes], partitions: int = 4, top: int = 100) -> Recount:
    """Count a session file again; `top` cuts the boards, 0 keeps all rows."""
    closing = closing_tick_of(records)
    logs = [
        fold_partition(partition, log, closing)
        for partition, log in enumerate(deal(records, partitions))
    ]
    rooms = sorted((r for log in logs for r in rooms_of(log)), key=lambda room: room.room_id)
    summaries = {room.room_id: summary_of(room) for room in rooms}
    minutes = sorted(
        (line for room in rooms for line in minutes_of(room)),
        key=lambda line: (line["minute_ms"], line["room_id"]),
    )
    dead_letters = [letter for log in logs for letter in log.dead_letters]
    watermark_ms = _least([log.watermark_ms for log in logs])
    counts, rejected_by_reason, by_type = _counts(logs, len(records))
    return Recount(
        rooms=list(summaries.values()),
        minutes=minutes,
        marks=_marks(rooms),
        boards=boards_of(rooms, summaries, minutes, watermark_ms, top),
        counts=counts,
        rejected_by_reason=rejected_by_reason,
        by_type=by_type,
        dead_letters=sorted(dead_letters, key=lambda d: (d.partition, d.offset)),
        watermark_ms=watermark_ms,
        medians={room.room_id: median_bounds_of(room) for room in rooms},
    )


def _marks(rooms: list[Room]) -> list[Row]:
    """What was done with products, each once, by time and room."""
    names = ("ts_ms", "room_id", "product_id", "action", "price_minor", "stock")
    found = [
        tuple(step.event.get(name) for name in names)
        for room in rooms
        for step in of_kind(room.steps, "product")
        if step.believed
    ]
    ordered = sorted(set(found), key=lambda mark: [(each is not None, each) for each in mark])
    return [dict(zip(names, mark, strict=True)) for mark in ordered]


def _least(watermarks: list[int | None]) -> int | None:
    known = [w for w in watermarks if w is not None]
    return min(known) if len(known) == len(watermarks) else None


def _counts(
    logs: list[PartitionLog], events: int
) -> tuple[dict[str, int], dict[str, int], dict[str, int]]:
    """Return `counts`, `rejected_by_reason` (none that is zero) and `by_type` of run.json."""
    steps = [
        step
        for log in logs
        for step in log.steps
        if step.offset != CLOSING_OFFSET and (step.room_id is not None or step.partition == 0)
    ]
    accepted = [s for s in steps if s.is_accepted]
    rejected = _rejected(logs, accepted)
    counts = {
        "events": events,
        "accepted": len(accepted),
        "duplicate": sum(s.outcome == DUPLICATE for s in steps),
        "rejected": rejected.total(),
        "late": sum(s.is_late for s in accepted),
        "future": sum(not s.believed for s in accepted),
        "broadcast": sum(s.room_id is None for s in accepted),
    }
    assert counts["events"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
    return counts, dict(rejected), dict(Counter(s.kind for s in accepted))


def _rejected(logs: list[PartitionLog], accepted: list[Step]) -> Counter[str]:
    """Count dead letters by reason, but for the excess of refunds that were accepted in part."""
    in_part = {(s.partition, s.offset) for s in accepted}
    return Counter(
        letter.reason
        for log in logs
        for letter in log.dead_letters
        if (letter.partition, letter.offset) not in in_part
    )
