"""What was planted in a session: the figures and incidents that a correct reader must find.

The truth file is NDJSON. Its first line, `kind` `totals`, holds figures that the generator knows by
construction, in the words of `run.json` and of the room summary. Then come incidents, one a line:
`kind` (an alert kind, or `innocent` for what must stay silent), `room_id`, `started_ms`,
`ended_ms`, `order_ids` and what the overlay adds; see docs/truth.md.

Figures: `counts` as in `run.json` (`events` = `accepted` + `duplicate` + `rejected`; `late`,
`future`, `broadcast` are parts of `accepted`). A refund that asks for more than is left counts by
what is left (`over_refund.partial`); only one with nothing left is rejected (`over_refund.whole`).
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec


@dataclass(slots=True)
class RoomTruth:
    """What one room sold and paid back."""

    currency: str
    orders: int = 0
    units: int = 0
    gross_minor: int = 0
    refunds: int = 0
    refunded_minor: int = 0
    checkouts: int = 0
    complaints_opened: int = 0


@dataclass(slots=True)
class Incident:
    """One planted thing that should, or by its kind should not, be alerted."""

    kind: str
    room_id: str
    started_ms: int = 0
    ended_ms: int = 0
    order_ids: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


class Truth:
    """The ledger of what was planted; the traffic and the overlays write into it."""

    def __init__(self, scenario: str, seed: int) -> None:
        self.scenario = scenario
        self.seed = seed
        self.events = 0
        self.broadcast = 0
        self.late: Counter[str] = Counter()
        self.future: Counter[str] = Counter()  # accepted ones, by type
        self.duplicates: Counter[str] = Counter()
        self.rejected: Counter[str] = Counter()
        self.over_refund_partial = 0
        self.over_refund_excess_minor = 0
        self.rooms: dict[str, RoomTruth] = {}
        self.incidents: list[Incident] = []
        self.notes: dict[str, Any] = {}

    def note(self, incident: Incident) -> None:
        """Add an incident when it begins; again does nothing."""
        if not any(known is incident for known in self.incidents):
            self.incidents.append(incident)

    def totals(self) -> dict[str, Any]:
        """The line of totals; complete only after the session was generated to its end."""
        duplicate, rejected = self.duplicates.total(), self.rejected.total()
        return {
            "kind": "totals",
            "scenario": self.scenario,
            "seed": self.seed,
            "counts": {
                "events": self.events,
                "accepted": self.events - duplicate - rejected,
                "duplicate": duplicate,
                "rejected": rejected,
                "late": self.late.total(),
                "future": self.future.total(),
                "broadcast": self.broadcast,
            },
            "rejected_by_reason": _in_order(self.rejected),
            "duplicate_by_type": _in_order(self.duplicates),
            "late_by_type": _in_order(self.late),
            "future_by_type": _in_order(self.future),
            "over_refund": {
                "partial": self.over_refund_partial,
                "whole": self.rejected["over_refund"],
                "excess_minor": self.over_refund_excess_minor,
            },
            "currencies": self._currencies(),
            "rooms": {room_id: asdict(self.rooms[room_id]) for room_id in sorted(self.rooms)},
            **self.notes,
        }

    def lines(self) -> Iterator[dict[str, Any]]:
        """Every line of the truth file."""
        yield self.totals()
        for incident in self.incidents:
            line = asdict(incident)
            more = line.pop("more")
            yield line | more

    def write(self, path: Path) -> None:
        """Write the truth file."""
        path.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in self.lines()))

    def _currencies(self) -> dict[str, dict[str, int]]:
        found: dict[str, dict[str, int]] = {}
        for room in self.rooms.values():
            sums = found.setdefault(
                room.currency, {"orders": 0, "gross_minor": 0, "refunds": 0, "refunded_minor": 0}
            )
            for name in sums:
                sums[name] += getattr(room, name)
        return dict(sorted(found.items()))


def _in_order(counts: Counter[str]) -> dict[str, int]:
    return {name: counts[name] for name in sorted(counts) if counts[name]}
