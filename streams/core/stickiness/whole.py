"""What all partitions together say of viewers and buyers: their states, joined into one report."""

from collections.abc import Iterator, Mapping, Sequence

from schemas.calendar import Calendar
from schemas.records import RoomSummary
from streams.core.attendance import Attendance
from streams.core.pane import MINUTE_MS
from streams.core.partition import Partition
from streams.core.stickiness.conversion import conversion
from streams.core.stickiness.event_days import EventDays
from streams.core.stickiness.facts import Suspects, gathered, trusted
from streams.core.stickiness.report import Report, report
from streams.core.stickiness.retention import retention


def stickiness_of(
    partitions: Sequence[Partition], rooms: Mapping[str, RoomSummary], calendar: Calendar = ()
) -> Report:
    """What `stickiness.json` holds, up to the least watermark of the partitions.

    Args:
        partitions: all of them, in one zone.
        rooms: every room with an accepted event, by id.
        calendar: festivals, sorted by name.
    """
    marks = [partition.watermark_ms for partition in partitions]
    watermark_ms = min((mark for mark in marks if mark is not None), default=None)
    states = [partition.stickiness for partition in partitions]
    return report(states, rooms, watermark_ms, calendar, _suspects(partitions))


def retention_of(partitions: Sequence[Partition], rooms: Mapping[str, RoomSummary]) -> Report:
    """What `retention.json` holds, with the visits that silence has ended by the watermarks.

    Args:
        partitions: all of them, in one zone.
        rooms: every room with an accepted event, by id.
    """
    visits = dict(each for partition in partitions for each in _visits_of(partition))
    facts = gathered(partition.stickiness for partition in partitions)
    suspects = _suspects(partitions)
    honest = trusted(facts, suspects) if suspects else facts
    return retention(visits, rooms, facts, honest, _suspected_stays(partitions))


def audience_of(partitions: Sequence[Partition], rooms: Mapping[str, RoomSummary]) -> Report:
    """What `audience.json` holds.

    Args:
        partitions: all of them, in one zone.
        rooms: every room with an accepted event, by id.
    """
    facts = gathered(partition.stickiness for partition in partitions)
    suspects = _suspects(partitions)
    return conversion(rooms, facts, trusted(facts, suspects) if suspects else facts)


def _visits_of(partition: Partition) -> Iterator[tuple[str, Attendance]]:
    watermark_ms = partition.watermark_ms
    for room_id, room in partition.rooms.items():
        if watermark_ms is not None:
            room.audience.expire(watermark_ms, watermark_ms - watermark_ms % MINUTE_MS)
        yield room_id, room.audience.attendance()


def _suspected_stays(partitions: Sequence[Partition]) -> dict[str, list[int]]:
    """How long the visits were by which viewers became suspected, by room."""
    found: dict[str, list[int]] = {}
    for partition in partitions:
        for (room_id, _, _), stay_ms in partition.detectors.suspected_viewers.stays.items():
            found.setdefault(room_id, []).append(stay_ms)
    return found


def _suspects(partitions: Sequence[Partition]) -> Suspects:
    """Whom and what the trusted figures leave out."""
    viewers: set[str] = set()
    buyers: set[str] = set()
    net_minor: dict[tuple[int, str], int] = {}
    for partition in partitions:
        viewers.update(viewer for _, viewer, _ in partition.detectors.suspected_viewers.stays)
        # refunds go to the day of their order, as everywhere here
        days = EventDays(partition.stickiness.days.zone)
        for order in partition.detectors.suspects.all_orders():
            buyers.add(order.buyer_id)
            place = days.day_of(order.ts_ms), order.room_id
            net_minor[place] = net_minor.get(place, 0) + order.net_minor
    return Suspects(frozenset(viewers), frozenset(buyers), net_minor)
