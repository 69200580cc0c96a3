"""Who answers for what came back? Complaints and refunds by responsible party and merchant.

A complaint is its party's, as last named by one of its events; where none named one, the rules say
whose its kind is. A refund is the party's to whom the rules give its reason. Both belong to a
merchant: the known order's, else the product's as last known in the room, else none.

State: one load for each merchant and party. Cap: `loads`; the one touched least recently by event
time goes first. A load is a sum: a complaint whose party changes is taken off one and put on the
other.
"""

from collections.abc import Callable
from typing import Any, Final, Literal

from schemas.details import AfterSalesFigures, ServiceFigures
from schemas.records import Version
from streams.core import limits
from streams.core.histogram import DurationHistogram
from streams.core.snapshots import wide

Level = Literal["first_reply", "resolution"]
LEVELS: Final[tuple[Level, ...]] = ("first_reply", "resolution")
# Whose goods, and who answers.
Place = tuple[str | None, str]


class Service:
    """How the complaints of a load were answered on one service level."""

    __slots__ = ("breaches", "durations", "in_time")

    def __init__(self) -> None:
        self.in_time = 0
        self.breaches = 0
        self.durations = DurationHistogram()

    def shift(self, took_ms: int | None, verdict: str | None, sign: int) -> None:
        """Add (sign 1) or take off (sign -1) one answer: how long it took, and its verdict."""
        if took_ms is not None:
            self.durations.shift(took_ms, sign)
        self.in_time += sign * (verdict == "in_time")
        self.breaches += sign * (verdict == "breach")

    def figures(self) -> ServiceFigures:
        return ServiceFigures(
            self.in_time, self.breaches, dict(sorted(self.durations.bins.items()))
        )

    def add(self, figures: ServiceFigures, sign: int = 1) -> None:
        """Add the figures of another load, or take them off."""
        self.in_time += sign * figures.in_time
        self.breaches += sign * figures.breaches
        for bin_, count in figures.duration_bins.items():
            self.durations.shift_bin(bin_, sign * count)

    def snapshot(self) -> list[Any]:
        return [self.in_time, self.breaches, self.durations.snapshot()]

    def restore(self, state: list[Any]) -> None:
        self.in_time, self.breaches, durations = state
        self.durations.restore(durations)


class Load:
    """What one party answers for.

    Attributes:
        complaints: opened, by kind.
        refunds, refunded_minor: accepted, by reason.
        last_ms: the greatest event time that touched it.
    """

    __slots__ = ("complaints", "last_ms", "refunded_minor", "refunds", "services")

    def __init__(self) -> None:
        self.complaints: dict[str, int] = {}
        self.refunds: dict[str, int] = {}
        self.refunded_minor: dict[str, int] = {}
        self.services: dict[Level, Service] = {level: Service() for level in LEVELS}
        self.last_ms = 0

    def complain(self, kind: str, by: int) -> None:
        """Count complaints of a kind, or take them off."""
        shift(self.complaints, kind, by)

    def add(self, figures: AfterSalesFigures, sign: int = 1) -> None:
        """Add the figures of a room, or take them off."""
        for name in ("complaints", "refunds", "refunded_minor"):
            counts = getattr(self, name)
            for cause, count in getattr(figures, name).items():
                shift(counts, cause, sign * count)
        for level in LEVELS:
            self.services[level].add(getattr(figures, level), sign)

    def figures(self, version: Version, room_id: str, place: Place) -> AfterSalesFigures:
        merchant_id, party = place
        return AfterSalesFigures(
            version=version,
            room_id=room_id,
            merchant_id=merchant_id,
            party=party,
            complaints=dict(sorted(self.complaints.items())),
            refunds=dict(sorted(self.refunds.items())),
            refunded_minor=dict(sorted(self.refunded_minor.items())),
            first_reply=self.services["first_reply"].figures(),
            resolution=self.services["resolution"].figures(),
        )

    def snapshot(self) -> list[Any]:
        return [
            self.complaints,
            self.refunds,
            {reason: wide(minor) for reason, minor in self.refunded_minor.items()},
            [self.services[level].snapshot() for level in LEVELS],
            self.last_ms,
        ]

    def restore(self, state: list[Any]) -> None:
        self.complaints, self.refunds, refunded_minor, services, self.last_ms = state
        self.refunded_minor = {reason: int(minor) for reason, minor in refunded_minor.items()}
        for level, saved in zip(LEVELS, services, strict=True):
            self.services[level].restore(saved)


class Loads:
    """The loads of one room.

    Attributes:
        by_place: each load, by merchant and party.
        changed: those that changed since they were last shown.
    """

    __slots__ = ("_evictions", "by_place", "changed")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.by_place: dict[Place, Load] = {}
        self.changed: dict[Place, Load] = {}

    def refund(self, place: Place, reason: str, accepted_minor: int, ts_ms: int) -> list[Place]:
        """Count an accepted refund; the places that had to go."""
        load, gone = self.at(place, ts_ms)
        shift(load.refunds, reason, 1)
        shift(load.refunded_minor, reason, accepted_minor)
        return gone

    def at(self, place: Place, ts_ms: int) -> tuple[Load, list[Place]]:
        """The load of a place, which changes now, and the places that had to go for it."""
        gone: list[Place] = []
        load = self.by_place.get(place)
        if load is None:
            load = self.by_place[place] = Load()
            load.last_ms = ts_ms
        load.last_ms = max(load.last_ms, ts_ms)
        self.changed[place] = load
        if len(self.by_place) > limits.cap("loads"):
            loads = self.by_place
            gone = self._evictions.give_up_oldest("loads", loads, _stamps(loads))
            for each in gone:
                self.changed.pop(each, None)
        return load, gone

    def shown(self, version: Version, room_id: str) -> list[AfterSalesFigures]:
        """What changed since last asked."""
        changed, self.changed = self.changed, {}
        return [load.figures(version, room_id, place) for place, load in changed.items()]

    def show_all_again(self) -> None:
        """Take what was shown for lost."""
        self.changed = dict(self.by_place)

    def snapshot(self) -> list[Any]:
        return [[*place, load.snapshot()] for place, load in self.by_place.items()]

    def restore(self, state: list[Any]) -> None:
        for merchant_id, party, saved in state:
            load = self.by_place[merchant_id, party] = Load()
            load.restore(saved)
        self.show_all_again()


def shift(counts: dict[str, int], cause: str, by: int) -> None:
    """Change a count; one that is 0 is not there."""
    count = counts.get(cause, 0) + by
    if count:
        counts[cause] = count
    else:
        counts.pop(cause, None)


def _stamps(loads: dict[Place, Load]) -> Callable[[Place], tuple[int, str]]:
    return lambda place: (loads[place].last_ms, f"{place[0] or ''}\0{place[1]}")
