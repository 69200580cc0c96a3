"""Which incidents of one kind are open in one room, and what is news of them?

One incident for each product, or one of the room as a whole. It is told when it starts, when its
evidence has doubled since it was told last, and when it was quiet for long enough (design, section
8). State: the open incidents. Cap: `open_incidents`; the one that is quiet for longest ends early.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from streams.core import limits
from streams.core.integrity.incident import Incident, Severity, Sign

OF_THE_ROOM = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an alert is to say.

    Attributes:
        score: how strong the evidence is, in the detector's own unit; news once it has doubled.
        threshold: what the score had to reach.
        since_ms: event time of the first evidence; counts when the incident starts.
        summary: one sentence.
    """

    score: float
    threshold: float
    since_ms: int
    summary: str
    signs: list[Sign]
    severity: Severity = "review"
    money_minor: int = 0


class Incidents:
    """The open incidents of one kind in one room, by product."""

    __slots__ = ("_evictions", "_kind", "open")

    def __init__(self, kind: str, evictions: limits.Evictions) -> None:
        self._kind = kind
        self._evictions = evictions
        self.open: dict[str, Incident] = {}

    def noticed(self, score: float, ts_ms: int, product_id: str = OF_THE_ROOM) -> bool:
        """Take evidence that reaches the threshold; whether it has to be told."""
        incident = self.open.get(product_id)
        if incident is None:
            return True
        incident.quiet_from_ms = max(incident.quiet_from_ms, ts_ms)
        return score >= 2 * incident.told_score

    def tell(
        self, finding: Finding, ts_ms: int, product_id: str = OF_THE_ROOM
    ) -> Sequence[Incident]:
        """Make the next version of an incident, or start one."""
        incident = self.open.get(product_id)
        ended: Sequence[Incident] = ()
        if incident is None:
            if len(self.open) >= limits.cap("open_incidents"):
                ended = self._make_room(ts_ms)
            incident = self.open[product_id] = Incident(
                self._kind, finding.since_ms, finding.threshold, product_id or None
            )
        incident.quiet_from_ms = max(incident.quiet_from_ms, ts_ms)
        incident.severity = finding.severity
        incident.tell(
            score=finding.score,
            ts_ms=ts_ms,
            money_minor=finding.money_minor,
            signs=finding.signs,
            summary=finding.summary,
        )
        return [*ended, incident]

    def settle(self, watermark_ms: int, quiet_ms: int) -> Sequence[Incident]:
        """End what was quiet for so long at the watermark, by the time at which it ended."""
        ended = [
            product_id
            for product_id, incident in self.open.items()
            if watermark_ms >= incident.quiet_from_ms + quiet_ms
        ]
        found = [self.open.pop(product_id) for product_id in ended]
        for incident in found:
            incident.resolve(incident.quiet_from_ms + quiet_ms)
        return sorted(found, key=_by_end)

    def _make_room(self, ts_ms: int) -> list[Incident]:
        incidents = self.open
        gone = limits.oldest(
            incidents,
            lambda product_id: (incidents[product_id].quiet_from_ms, product_id),
            limits.cap("open_incidents"),
        )
        self._evictions.count("open_incidents", len(gone))
        ended = [incidents.pop(product_id) for product_id in gone]
        for incident in ended:
            incident.resolve(max(ts_ms, incident.updated_ms))
        return ended

    def snapshot(self) -> list[Any]:
        return [incident.snapshot() for incident in self.open.values()]

    def restore(self, state: list[Any]) -> None:
        incidents = map(Incident.restored, state)
        self.open = {each.product_id or OF_THE_ROOM: each for each in incidents}


def _by_end(incident: Incident) -> tuple[int, str]:
    return incident.updated_ms, incident.product_id or OF_THE_ROOM
