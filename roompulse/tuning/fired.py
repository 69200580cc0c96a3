"""What was raised, an incident a line, and what two rule sets would have raised differently."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.records import Alert

_GRAVITY = ("info", "review", "page")


@dataclass(frozen=True, slots=True)
class Fired:
    """An incident that was raised: all versions of its alert together.

    Attributes:
        rooms: of a ring; otherwise the one room.
        severity: the gravest that it reached.
        started_ms: event time of the first evidence.
        fired_ms: event time of the first version.
        paged_ms: event time of the first version that is a page; None if none is.
        ended_ms: event time of the last version.
        score: the greatest.
        money_minor: at stake, as last told.
    """

    alert_id: str
    kind: str
    rooms: tuple[str, ...]
    severity: str
    started_ms: int
    fired_ms: int
    paged_ms: int | None
    ended_ms: int
    score: float
    money_minor: int
    currency: str | None


def fired(alerts: Iterable[Alert]) -> list[Fired]:
    """The incidents that versions of alerts tell of, in order of event time."""
    by_id: dict[str, list[Alert]] = {}
    for alert in alerts:
        by_id.setdefault(alert.alert_id, []).append(alert)
    found = [_incident(sorted(each, key=_version)) for each in by_id.values()]
    return sorted(found, key=lambda each: (each.fired_ms, each.alert_id))


def _version(alert: Alert) -> int:
    return alert.version


def _incident(versions: Sequence[Alert]) -> Fired:
    first, last = versions[0], versions[-1]
    paged_ms = [each.updated_ms for each in versions if each.severity == "page"]
    return Fired(
        alert_id=first.alert_id,
        kind=first.kind,
        rooms=tuple(last.rooms) or ((first.room_id,) if first.room_id else ()),
        severity=max((each.severity for each in versions), key=_GRAVITY.index),
        started_ms=first.started_ms,
        fired_ms=first.updated_ms,
        paged_ms=paged_ms[0] if paged_ms else None,
        ended_ms=last.updated_ms,
        score=max(each.score for each in versions),
        money_minor=last.money_minor,
        currency=last.currency,
    )


@dataclass(frozen=True, slots=True)
class Difference:
    """What two rule sets raise differently.

    Attributes:
        changed: raised by both, but raised or paged at another time, or with another severity.
        same: how many are raised alike.
    """

    only_first: list[Fired]
    only_second: list[Fired]
    changed: list[tuple[Fired, Fired]]
    same: int


def difference(first: Sequence[Fired], second: Sequence[Fired]) -> Difference:
    """Compare incidents: the same kind in the same place at overlapping times is one incident.

    Fingerprints are no help: they hold the time of the first evidence, which depends on the rules.
    """
    unmatched = list(second)
    only_first: list[Fired] = []
    changed: list[tuple[Fired, Fired]] = []
    same = 0
    for one in first:
        other = next((each for each in unmatched if _is_one_incident(one, each)), None)
        if other is None:
            only_first.append(one)
            continue
        unmatched.remove(other)
        if _course(one) == _course(other):
            same += 1
        else:
            changed.append((one, other))
    return Difference(only_first, unmatched, changed, same)


def _course(each: Fired) -> tuple[int, int | None, str]:
    return each.fired_ms, each.paged_ms, each.severity


def _is_one_incident(one: Fired, other: Fired) -> bool:
    return (
        one.kind == other.kind
        and not set(one.rooms).isdisjoint(other.rooms)
        and one.started_ms <= other.ended_ms
        and other.started_ms <= one.ended_ms
    )
