"""Who was in a room, from when to when?

Walks a room's accepted and believed views and closings in the order they were folded. A visit
that was silent for 90 s ended when it was last seen, whether the viewer's next event or the
watermark shows it.
"""

from dataclasses import dataclass
from typing import Final

from tests.oracle.outcomes import MINUTE_MS, Step

SILENCE_MS: Final = 90_000


@dataclass
class Visit:
    """One stay. `*_minute` are the panes in which start and end take effect."""

    viewer_id: str
    start_ms: int
    start_minute: int
    start_is_late: bool
    last_seen_ms: int
    end_ms: int | None = None
    end_minute: int | None = None  # None also for an end by silence: its pane follows from it

    @property
    def length_ms(self) -> int:
        end_ms = self.last_seen_ms if self.end_ms is None else self.end_ms
        return max(0, end_ms - self.start_ms)

    def is_online_at_end_of(self, minute: int) -> bool:
        return (
            self.start_minute <= minute
            and (self.end_minute is None or self.end_minute > minute)
            and self.last_seen_ms + SILENCE_MS > (minute + 1) * MINUTE_MS
        )


@dataclass
class Audience:
    visits: list[Visit]
    peak_online: int

    @property
    def open(self) -> list[Visit]:
        return [v for v in self.visits if v.end_ms is None]

    @property
    def ended(self) -> list[Visit]:
        return [v for v in self.visits if v.end_ms is not None]


def audience_of(steps: list[Step], final_watermark_ms: int | None) -> Audience:
    """Return the visits of one room from its accepted steps."""
    audience = Audience([], 0)
    for step in steps:
        _end_silent(audience, step.watermark_ms)
        if step.believed and step.kind == "room_closed":
            for visit in audience.open:
                _end(visit, step)
        elif step.believed and step.kind == "view":
            _see(audience, step)
        audience.peak_online = max(audience.peak_online, len(audience.open))
    _end_silent(audience, final_watermark_ms)
    return audience


def _end_silent(audience: Audience, watermark_ms: int | None) -> None:
    for visit in audience.open:
        if watermark_ms is not None and watermark_ms - visit.last_seen_ms >= SILENCE_MS:
            visit.end_ms = visit.last_seen_ms


def _see(audience: Audience, view: Step) -> None:
    viewer_id = view.event["viewer_id"]
    visit = next((v for v in audience.open if v.viewer_id == viewer_id), None)
    if visit is not None and view.ts_ms - visit.last_seen_ms >= SILENCE_MS:
        visit.end_ms = visit.last_seen_ms
        visit = None
    if view.event["action"] == "leave":
        if visit is not None:
            _end(visit, view)
    elif visit is None:
        minute = _earliest_open_minute(view)
        audience.visits.append(Visit(viewer_id, view.ts_ms, minute, view.is_late, view.ts_ms))
    else:
        visit.last_seen_ms = max(visit.last_seen_ms, view.ts_ms)


def _end(visit: Visit, step: Step) -> None:
    visit.end_ms = step.ts_ms
    visit.end_minute = _earliest_open_minute(step)


def _earliest_open_minute(step: Step) -> int:
    minute = step.ts_ms // MINUTE_MS
    if step.watermark_ms is None:
        return minute
    return max(minute, step.watermark_ms // MINUTE_MS)
