"""Which planted incidents were found, when, and what was raised for nothing?

The unit is an incident in a room. A hit is an alert of the right kind in the room, raised from the
start of what was planted until a grace after its end; the first one counts, later ones are
duplicates. What is raised where nothing of the kind was planted is false. A ring sees the brushed
orders of its rooms, and an alert on one of its rooms sees the ring; one of each is no duplicate,
for a ring silences its rooms when alerts are delivered.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from roompulse.tuning.fired import Fired, fired
from roompulse.tuning.folding import Folded, Planted

_MINUTE_MS = 60_000
_BURST_MS = 30 * _MINUTE_MS
_GRACE_OF_BURST_MS = 10 * _MINUTE_MS
_GRACE_OF_DRIP_MS = 30 * _MINUTE_MS
_BRUSHING = frozenset({"brushed_orders", "identity_ring"})


@dataclass(frozen=True, slots=True)
class Case:
    """A planted incident in one room, and what became of it.

    Attributes:
        adversary: which line of the tables in `docs/truth.md`; its kind where it has none.
        delay_ms: event time from the start to the alert; None if there is none.
        orders_before: planted orders taken until the alert; None if there is none.
        duplicates: further alerts of a kind on it.
        wrong_kinds: alerts in its room and time that name something else.
        planted_minor, marked_minor: money of its orders, and of those that were suspected.
    """

    adversary: str
    room_id: str
    alerted: bool
    paged: bool
    delay_ms: int | None
    orders_before: int | None
    duplicates: int
    wrong_kinds: int
    planted_minor: int
    marked_minor: int


@dataclass(frozen=True, slots=True)
class CleanRoom:
    """A room in which nothing was planted that should be raised.

    Attributes:
        hours: of event time that it was open.
    """

    room_id: str
    hours: float
    false_pages: int
    false_reviews: int


@dataclass(frozen=True, slots=True)
class Judged:
    """A session held against what was planted in it.

    Attributes:
        false_beside: alerts in attacked rooms, but not at the time of the attack.
        pages, true_pages: alerts that became a page, and those of them that name something planted.
        honest_minor, honest_marked_minor: money of orders that nobody planted, and of those of
            them that were suspected.
    """

    cases: list[Case]
    clean: list[CleanRoom]
    false_beside: int
    pages: int
    true_pages: int
    honest_minor: int
    honest_marked_minor: int


def judge(folded: Folded, planted: Sequence[Planted], kinds: Collection[str] = ()) -> Judged:
    """Compare what was raised with what was planted.

    Args:
        folded: the session.
        planted: what its truth says.
        kinds: look at alerts of these kinds only; at all if empty.
    """
    raised = [
        each
        for each in fired(folded.results.alerts)
        if each.severity != "info" and (not kinds or each.kind in kinds)
    ]
    by_room: dict[str, list[Fired]] = {}
    for each in raised:
        for room_id in each.rooms:
            by_room.setdefault(room_id, []).append(each)
    cases: list[Case] = []
    planted_orders: dict[str, set[str]] = {}
    explained: set[str] = set()
    answering: set[str] = set()
    for line in planted:
        for room_id in line.get("rooms") or [line["room_id"]]:
            planted_orders.setdefault(room_id, set()).update(line["order_ids"])
            within = [each for each in by_room.get(room_id, ()) if _is_in_time(each, line)]
            explained |= {each.alert_id for each in within}
            answering |= {each.alert_id for each in within if _answers(each, line["kind"])}
            cases.append(_case(folded, line, room_id, within))
    beside = {
        each.alert_id
        for room_id in planted_orders
        for each in by_room.get(room_id, ())
        if each.alert_id not in explained
    }
    pages = {each.alert_id for each in raised if each.severity == "page"}
    honest_minor, honest_marked_minor = _honest(folded, planted_orders)
    return Judged(
        cases=cases,
        clean=_clean(folded, by_room, planted_orders),
        false_beside=len(beside),
        pages=len(pages),
        true_pages=len(pages & answering),
        honest_minor=honest_minor,
        honest_marked_minor=honest_marked_minor,
    )


def _is_in_time(raised: Fired, line: Planted) -> bool:
    started_ms, ended_ms = line["started_ms"], line["ended_ms"]
    is_burst = ended_ms - started_ms <= _BURST_MS
    grace_ms = _GRACE_OF_BURST_MS if is_burst else _GRACE_OF_DRIP_MS
    return bool(started_ms <= raised.fired_ms <= ended_ms + grace_ms)


def _answers(raised: Fired, planted_kind: str) -> bool:
    return raised.kind == planted_kind or {raised.kind, planted_kind} <= _BRUSHING


def _case(folded: Folded, line: Planted, room_id: str, within: list[Fired]) -> Case:
    hits = [each for each in within if _answers(each, line["kind"])]
    ids = set(line["order_ids"])
    orders = [each for each in folded.orders.get(room_id, ()) if each.order_id in ids]
    first_ms = hits[0].fired_ms if hits else None
    return Case(
        adversary=str(line.get("adversary") or line["kind"]),
        room_id=room_id,
        alerted=bool(hits),
        paged=any(each.severity == "page" for each in hits),
        delay_ms=None if first_ms is None else first_ms - line["started_ms"],
        orders_before=None if first_ms is None else sum(each.ts_ms <= first_ms for each in orders),
        duplicates=len(hits) - len({each.kind for each in hits}),
        wrong_kinds=len(within) - len(hits),
        planted_minor=sum(each.amount_minor for each in orders),
        marked_minor=sum(
            each.amount_minor for each in orders if (room_id, each.order_id) in folded.suspected
        ),
    )


def _clean(
    folded: Folded, by_room: dict[str, list[Fired]], attacked: Collection[str]
) -> list[CleanRoom]:
    found = []
    for room in folded.results.rooms:
        if room.room_id in attacked:
            continue
        open_ms = (room.closed_ms or room.as_of_ms or 0) - (room.opened_ms or 0)
        here = by_room.get(room.room_id, ())
        false_pages = sum(each.severity == "page" for each in here)
        hours = open_ms / (60 * _MINUTE_MS) if room.opened_ms is not None else 0.0
        found.append(CleanRoom(room.room_id, hours, false_pages, len(here) - false_pages))
    return found


def _honest(folded: Folded, planted_orders: dict[str, set[str]]) -> tuple[int, int]:
    honest_minor = marked_minor = 0
    for room_id, orders in folded.orders.items():
        ids = planted_orders.get(room_id, set())
        for order in orders:
            if order.order_id not in ids:
                honest_minor += order.amount_minor
                if (room_id, order.order_id) in folded.suspected:
                    marked_minor += order.amount_minor
    return honest_minor, marked_minor
