"""How many complaints are there, and how long do people wait for a reply and a solution?

A complaint's states count once each by (`complaint_id`, `status`), remembered for 24 h of
watermark. First reply: first `replied` minus `opened`; resolution: first `resolved` minus `opened`;
without a known opening neither has a duration (design, section 6). A complaint may well be resolved
days later, so openings are kept beyond the 24 h.

State: counters, remembered states, openings, two histograms. Caps: `complaints`, `openings`.
"""

from typing import Any

from schemas.codec import Complaint
from streams.core import limits
from streams.core.histogram import DurationHistogram
from streams.core.remembered import Remembered


class AfterSales:
    """The complaints of one room."""

    __slots__ = (
        "_evictions",
        "_known",
        "_openings",
        "first_replies",
        "opened",
        "replied",
        "resolutions",
        "resolved",
    )

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.opened = 0
        self.replied = 0
        self.resolved = 0
        self.first_replies = DurationHistogram()
        self.resolutions = DurationHistogram()
        self._known: Remembered[None] = Remembered("complaints", evictions)
        # complaint -> [opened, whether a reply came, whether a solution came]
        self._openings: dict[str, list[int]] = {}

    def complaint(self, event: Complaint, watermark_ms: int) -> bool:
        """Count a complaint's state; False for a repeat."""
        state_id = f"{event.status}:{event.complaint_id}"
        if self._known.get(state_id, watermark_ms) is not None:
            return False
        self._known.put(state_id, event.ts_ms, None, watermark_ms)
        opening = self._openings.get(event.complaint_id)
        if event.status == "opened":
            self.opened += 1
            if opening is None:
                self._open(event)
        elif event.status == "replied":
            self.replied += 1
            _first(opening, 1, event.ts_ms, self.first_replies)
        else:
            self.resolved += 1
            _first(opening, 2, event.ts_ms, self.resolutions)
        return True

    def _open(self, event: Complaint) -> None:
        openings = self._openings
        openings[event.complaint_id] = [event.ts_ms, 0, 0]
        if len(openings) > limits.cap("openings"):
            gone = limits.oldest(
                openings, lambda id_: (openings[id_][0], id_), limits.cap("openings")
            )
            for id_ in gone:
                del openings[id_]
            self._evictions.count("openings", len(gone))

    def snapshot(self) -> list[Any]:
        return [
            self.opened,
            self.replied,
            self.resolved,
            self.first_replies.snapshot(),
            self.resolutions.snapshot(),
            self._known.snapshot(),
            [[id_, *opening] for id_, opening in self._openings.items()],
        ]

    def restore(self, state: list[Any]) -> None:
        self.opened, self.replied, self.resolved, replies, resolutions, known, openings = state
        self.first_replies.restore(replies)
        self.resolutions.restore(resolutions)
        self._known.restore(known)
        self._openings = {id_: list(opening) for id_, *opening in openings}


def _first(opening: list[int] | None, at: int, ts_ms: int, durations: DurationHistogram) -> None:
    """Measure the first reply or solution of a complaint whose opening is known."""
    if opening is not None and not opening[at]:
        opening[at] = 1
        durations.add(max(0, ts_ms - opening[0]))
