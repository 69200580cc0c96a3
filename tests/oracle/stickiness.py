"""Do viewers stay, come back and buy again, and what did the festival borrow? Counted naively.

Written from the definitions of `stickiness.json` alone: walks lists of (person, day) pairs for each
figure, knows no sketch, no state and no partition but through the accepted steps of each log.

Chosen where the definitions leave a choice:

- `platform.rooms` counts every room with an accepted event, opened or not; its key is null.
- The days of the log run from the first day of an accepted and believed event (a tick is one, a
  rule set has no part in event time) to the last day that has ended at the least watermark; the
  mean of the festival window, like those before and after it, is over these days.
- A festival has rows if any of the days before, in or after it is a day of the log, one for each
  key and currency with an order or an accepted refund of a room of that key and currency on a day
  that can be told. A room never opened has the currency null.
- `payback_days` takes whole days only: seven that have ended.
- `returned` ends with the last week in which anyone of the cohort came back.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any, Final
from zoneinfo import ZoneInfo

from tests.oracle.outcomes import PartitionLog, Step, closing_tick_of, deal, fold_partition
from tests.oracle.rooms import Room, ratio, rooms_of

Row = dict[str, Any]
Act = tuple[str, date]  # who, on which event day

DAY: Final = timedelta(days=1)
RETURNING_MS: Final = 30 * 24 * 3_600_000
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_STAMP_MS: Final = 946_684_800_000
END_OF_STAMPS_MS: Final = 4_102_444_800_000


@dataclass(frozen=True)
class Festival:
    festival: str
    first_day: date
    last_day: date


@dataclass
class Log:
    """The accepted steps of all partitions, by room, with event days of one zone."""

    rooms: list[Room]
    steps: list[Step]
    zone: ZoneInfo
    watermark_ms: int | None

    def day(self, ts_ms: int) -> date:
        return (EPOCH + timedelta(milliseconds=ts_ms)).astimezone(self.zone).date()

    def views(self, rooms: Iterable[Room]) -> list[Act]:
        return [
            (s.event["viewer_id"], self.day(s.ts_ms))
            for room in rooms
            for s in room.steps
            if s.kind == "view"
        ]

    def orders(self, rooms: Iterable[Room]) -> list[Act]:
        return [
            (s.event["buyer_id"], self.day(s.ts_ms))
            for room in rooms
            for s in room.steps
            if s.kind == "order" and s.believed
        ]

    def has_ended(self, day: date) -> bool:
        """Whether the watermark is at or past the first moment of the next day."""
        if self.watermark_ms is None:
            return False
        start = datetime(day.year, day.month, day.day, tzinfo=self.zone) + DAY
        return EPOCH + timedelta(milliseconds=self.watermark_ms) >= start.astimezone(UTC)


def stickiness(
    records: list[bytes],
    partitions: int = 4,
    zone: str = "Asia/Shanghai",
    calendar: Iterable[Festival] = (),
) -> dict[str, Any]:
    """Return what `stickiness.json` of a session file must hold."""
    closing = closing_tick_of(records)
    logs = [
        fold_partition(partition, log, closing)
        for partition, log in enumerate(deal(records, partitions))
    ]
    return stickiness_of(logs, ZoneInfo(zone), calendar)


def stickiness_of(
    logs: list[PartitionLog], zone: ZoneInfo, calendar: Iterable[Festival]
) -> dict[str, Any]:
    marks = [log.watermark_ms for log in logs if log.watermark_ms is not None]
    log = Log(
        rooms=sorted((r for each in logs for r in rooms_of(each)), key=lambda r: r.room_id),
        steps=[s for each in logs for s in each.steps if s.is_accepted],
        zone=zone,
        watermark_ms=min(marks) if marks and len(marks) == len(logs) else None,
    )
    hosts = sorted({r.opening["host_id"] for r in log.rooms if r.opening})
    return {
        "platform": _trust(_loyalty(log, log.rooms)),
        "rooms": [_trust(_room(log, r), "room_id", "host_id") for r in log.rooms if r.opening],
        "hosts": [
            _trust(
                {"host_id": host} | _loyalty(log, [r for r in log.rooms if _host(r) == host]),
                "host_id",
            )
            for host in hosts
        ],
        "days": [_trust(row, "day") for row in _days(log.views(log.rooms))],
        "cohorts": [
            _trust(row, "kind", "week")
            for kind, acts in (
                ("buyers", log.orders(log.rooms)),
                ("viewers", log.views(log.rooms)),
            )
            for row in _cohorts(kind, acts)
        ],
        "festivals": [
            _trust(row, "festival", "scope", "key", "currency", "provisional")
            for row in _festivals(log, calendar)
        ],
    }


def _trust(row: Row, *no_figures: str) -> Row:
    """Nobody is suspected: beside each figure stands the same one."""
    trusted: Row = {}
    for name, value in row.items():
        trusted[name] = value
        if name not in no_figures:
            trusted[f"{name}_trusted"] = value
    return trusted


def _host(room: Room) -> str | None:
    return room.opening.get("host_id")


def _room(log: Log, room: Room) -> Row:
    opened_ms = room.opening["ts_ms"]
    earlier = [
        other
        for other in log.rooms
        if other.opening
        and _host(other) == _host(room)
        and opened_ms - RETURNING_MS <= other.opening["ts_ms"] < opened_ms
    ]
    viewers = {who for who, _ in log.views([room])}
    returning = viewers & {who for who, _ in log.views(earlier)}
    return {
        "room_id": room.room_id,
        "host_id": _host(room),
        "viewers": len(viewers),
        "returning_viewers": len(returning),
        "returning_share": ratio(len(returning), len(viewers)),
    }


def _loyalty(log: Log, rooms: list[Room]) -> Row:
    orders = log.orders(rooms)
    buyers = sorted({who for who, _ in orders})
    days_of = {buyer: sorted({day for who, day in orders if who == buyer}) for buyer in buyers}
    again = [days for days in days_of.values() if len(days) > 1]
    return {
        "rooms": len(rooms),
        "viewers": len({who for who, _ in log.views(rooms)}),
        "buyers": len(buyers),
        "repeat_buyers": len(again),
        "repurchase_7d": ratio(sum(d[1] - d[0] <= 7 * DAY for d in again), len(buyers)),
        "repurchase_30d": ratio(sum(d[1] - d[0] <= 30 * DAY for d in again), len(buyers)),
    }


def _span(first: date, last: date) -> list[date]:
    return [first + DAY * ahead for ahead in range((last - first).days + 1)]


def _days(views: list[Act]) -> list[Row]:
    rows = []
    days = {day for _, day in views}
    for day in _span(min(days), max(days)) if days else []:
        active = {who for who, when in views if when == day}
        monthly = {who for who, when in views if day - 29 * DAY <= when <= day}
        rows.append(
            {
                "day": day.isoformat(),
                "active_viewers": len(active),
                "monthly_active_viewers": len(monthly),
                "stickiness": ratio(len(active), len(monthly)),
            }
        )
    return rows


def _monday(day: date) -> date:
    return day - DAY * day.weekday()


def _cohorts(kind: str, acts: list[Act]) -> list[Row]:
    people = sorted({who for who, _ in acts})
    weeks_of = {p: sorted({_monday(day) for who, day in acts if who == p}) for p in people}
    rows = []
    for week in sorted({weeks[0] for weeks in weeks_of.values()}):
        cohort = [weeks for weeks in weeks_of.values() if weeks[0] == week]
        last = max(weeks[-1] for weeks in cohort)
        year, number, _ = week.isocalendar()
        rows.append(
            {
                "kind": kind,
                "week": f"{year}-W{number:02d}",
                "size": len(cohort),
                "returned": [
                    ratio(sum(week + 7 * DAY * n in weeks for weeks in cohort), len(cohort))
                    for n in range(1, (last - week).days // 7 + 1)
                ],
            }
        )
    return rows


Money = tuple[Room, date, int]


def _movements(log: Log) -> list[Money]:
    """Each order and each accepted refund on the day of the sale."""
    movements: list[Money] = []
    for room in log.rooms:
        for s in room.steps:
            if s.kind == "order" and s.believed:
                movements.append((room, log.day(s.ts_ms), s.event["amount_minor"]))
            if s.kind == "refund":
                ordered_ms = s.event["ordered_ts_ms"]
                if FIRST_STAMP_MS <= ordered_ms < END_OF_STAMPS_MS:
                    movements.append((room, log.day(ordered_ms), -s.money_minor))
    return movements


def _festivals(log: Log, calendar: Iterable[Festival]) -> list[Row]:
    stamps = [s.ts_ms for s in log.steps if s.believed and s.kind != "rules"]
    if not stamps:
        return []
    first = log.day(min(stamps))
    groups: dict[tuple[str, str | None, str | None], list[Money]] = {}
    for room, day, minor in _movements(log):
        currency = room.opening.get("currency")
        groups.setdefault(("platform", None, currency), []).append((room, day, minor))
        if room.opening:
            host, category = room.opening["host_id"], room.opening["category"]
            groups.setdefault(("host", host, currency), []).append((room, day, minor))
            groups.setdefault(("category", category, currency), []).append((room, day, minor))
    rows = []
    for festival in sorted(calendar, key=lambda each: each.festival):
        for (scope, key, currency), money in sorted(
            groups.items(), key=lambda group: tuple(part or "" for part in group[0])
        ):
            figures = _overdraft(log, festival, first, money)
            if figures is not None:
                names: Row = {"festival": festival.festival, "scope": scope}
                rows.append(names | {"key": key, "currency": currency} | figures)
    return rows


def _overdraft(log: Log, festival: Festival, first: date, money: list[Money]) -> Row | None:
    def net_minor(day: date) -> int:
        return sum(minor for _, when, minor in money if when == day)

    def is_of_the_log(day: date) -> bool:
        return first <= day and log.has_ended(day)

    def mean(days: list[date]) -> Fraction | None:
        known = [day for day in days if is_of_the_log(day)]
        return Fraction(sum(net_minor(day) for day in known), len(known)) if known else None

    start, end = festival.first_day, festival.last_day
    before = mean(_span(start - 28 * DAY, start - DAY))
    during = mean(_span(start, end))
    after = mean(_span(end + DAY, end + 28 * DAY))
    if before is during is after is None:
        return None
    payback = None
    for n in range(21, -1, -1):
        week = _span(end + DAY * (1 + n), end + DAY * (7 + n))
        if all(is_of_the_log(day) for day in week) and before is not None:
            mean_of_week = mean(week)
            if mean_of_week is not None and mean_of_week >= before:
                payback = n
    return {
        "before_daily_net_minor": _rounded(before),
        "during_daily_net_minor": _rounded(during),
        "after_daily_net_minor": _rounded(after),
        "lift": _change(before, during),
        "overdraft": _change(before, after),
        "payback_days": payback,
        "provisional": not log.has_ended(end + 28 * DAY),
    }


def _rounded(mean: Fraction | None) -> float | None:
    return None if mean is None else round(float(mean), 4)


def _change(before: Fraction | None, then: Fraction | None) -> float | None:
    if before is None or then is None or before <= 0:
        return None
    return round(float((then - before) / before), 4)
