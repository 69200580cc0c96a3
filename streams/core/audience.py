"""Who is in one room, how long do they stay, and what do they do there?

A visit starts at `enter`, or at any other action but `leave` of a viewer who is not in the room. It
ends at `leave`, at `room_closed`, or, when 90 s or more pass unseen, at the time last seen: found
by the viewer's next event, or by the watermark before the next record of the room is applied
(design, section 6).

State: the open visits, a queue of those that may fall silent soon (twice the cap at most),
counters, a histogram of stays, a sketch of viewers, the minutes that detectors have not heard of
yet. Cap: `visits`; eviction: the visit last seen first, which ends there.
"""

from bisect import bisect_right
from heapq import heapify, heappop, heappush
from operator import attrgetter
from typing import Any

from schemas.clock import NOTHING_MS
from schemas.codec import View
from streams.core import limits
from streams.core.attendance import STAYS_MS, Attendance
from streams.core.distinct import DistinctCount
from streams.core.gone import Gone
from streams.core.histogram import DurationHistogram
from streams.core.integrity.stretch import Stretches
from streams.core.pane import MINUTE_MS, PANE_ACTIONS, Panes, Stay
from streams.core.stickiness.state import RoomDays

UNSEEN_MS = 90_000
# What is looked at for fake viewers: visits that are over at once, and those that last.
BOUNCE_MS, LONG_MS = 5_000, 60_000
# With fewer visits than this, that a buyer was never seen says nothing about him.
VISITS_THAT_TELL = 10
# All open visits are looked through once in so much event time, or more rarely, for those that may
# fall silent before the next time. A queue of every visit, by when it may, cost three times as
# much: nearly all are seen again. With a sign of life each 30 s, a visit found had missed two. One
# is looked at five times at most without having been seen in between.
_LOOK_AHEAD_MS = 20_000
_last_of = attrgetter("last_ms")
# What viewers do, besides being there.
COUNTED_ACTIONS = ("click", "cart", "comment", "like", "share", "follow", "gift")
_INTERACTIONS = ("comment", "like", "share", "follow", "gift")


class Visit:
    """One continuous stay of one viewer."""

    __slots__ = ("acted", "last_ms", "same_day_until_ms", "start_ms")

    def __init__(self, start_ms: int, same_day_until_ms: int) -> None:
        self.acted = False  # did anything besides being there
        self.start_ms = start_ms
        self.last_ms = start_ms
        self.same_day_until_ms = same_day_until_ms  # until then its days know of it


class Audience:
    """The visits of one room.

    Attributes:
        watch_ms: total of ended visits, and of open ones up to last seen.
        peak_online: the most visits open at once, as known at each moment.
        stays_to: ended visits by how many of `STAYS_MS` they reached.
        actions: how often each of `COUNTED_ACTIONS` was seen.
    """

    __slots__ = (
        "_days",
        "_evictions",
        "_limit",
        "_looked_ahead_to_ms",
        "_looked_at",
        "_open",
        "_panes",
        "_recently_gone",
        "_silent",
        "actions",
        "ended",
        "peak_online",
        "stays",
        "stays_to",
        "stretches",
        "viewers",
        "visits",
        "watch_ms",
    )

    def __init__(self, panes: Panes, evictions: limits.Evictions, days: RoomDays) -> None:
        self._panes = panes
        self._days = days
        self._evictions = evictions
        self._recently_gone = Gone(evictions)
        self._limit = limits.cap("visits")
        self._looked_at = limits.cap("minute_visits")
        self._open: dict[str, Visit] = {}
        # Every open visit that will be silent by `_looked_ahead_to_ms` stands in `_silent`, a heap,
        # at that moment or an earlier one, once or more often; other viewers may stand there, too.
        self._silent: list[tuple[int, str]] = []
        self._looked_ahead_to_ms = NOTHING_MS
        self.visits = 0
        self.ended = 0
        self.peak_online = 0
        self.watch_ms = 0
        self.stays_to = [0] * (len(STAYS_MS) + 1)
        self.stays = DurationHistogram()
        self.stretches = Stretches()
        self.viewers = DistinctCount()
        self.actions: dict[str, int] = dict.fromkeys(COUNTED_ACTIONS, 0)

    @property
    def online(self) -> int:
        return len(self._open)

    @property
    def stayed(self) -> list[int]:
        """How many ended visits were at least as long as each of `STAYS_MS`."""
        return [sum(self.stays_to[reached:]) for reached in range(1, len(STAYS_MS) + 1)]

    def view(  # noqa: C901 - the hottest path: a call for a case would cost more than the case
        self, event: View, watermark_ms: int, open_from_ms: int
    ) -> None:
        """Apply a believed view. `open_from_ms` is the earliest minute still open."""
        ts_ms = event.ts_ms
        action = event.action
        viewer_id = event.viewer_id
        visit = self._open.get(viewer_id)
        if visit is not None:
            unseen_ms = ts_ms - visit.last_ms
            if unseen_ms >= UNSEEN_MS or (
                ts_ms < watermark_ms and watermark_ms - visit.last_ms >= UNSEEN_MS
            ):
                self._lapse(viewer_id, visit, open_from_ms)
                visit = None
            elif action == "leave":
                if ts_ms >= visit.same_day_until_ms or ts_ms < visit.start_ms:
                    self._days.seen(viewer_id, ts_ms)
                self._leave(viewer_id, visit, ts_ms, open_from_ms)
                return
            elif unseen_ms > 0:
                visit.last_ms = ts_ms
                self.watch_ms += unseen_ms
                if ts_ms >= visit.same_day_until_ms:
                    visit.same_day_until_ms = self._days.seen(viewer_id, ts_ms)
            elif ts_ms < visit.start_ms:
                self._days.seen(viewer_id, ts_ms)
        if visit is None:
            if action == "leave":
                self._days.seen(viewer_id, ts_ms)  # no visit, yet a view
                return
            visit = self._start(event, ts_ms, watermark_ms, open_from_ms)
        if action != "heartbeat" and action != "enter":  # noqa: PLR1714 - faster than a set
            self.actions[action] += 1
            visit.acted = True
            if ts_ms >= open_from_ms and action in PANE_ACTIONS:
                self._panes.at(ts_ms).count(action)

    def presence(
        self, viewer_id: str, ts_ms: int, within_ms: int
    ) -> tuple[bool | None, int | None]:
        """Whether someone was here shortly before a moment, and for how long if still here.

        Asked when an order arrives: by then everything its buyer did before has arrived as well. In
        a room with hardly a visit (a source that records sales only) it cannot be told.
        """
        if self.visits < VISITS_THAT_TELL:
            return None, None
        visit = self._open.get(viewer_id)
        if visit is None:
            seen_ms = self._recently_gone.last_seen_ms(viewer_id)
            return seen_ms is not None and seen_ms >= ts_ms - within_ms, None
        visit.acted = True  # an order is no view, but its buyer is no mere viewer
        dwell_ms = max(0, ts_ms - visit.start_ms) if ts_ms - visit.last_ms < UNSEEN_MS else None
        return visit.last_ms >= ts_ms - within_ms, dwell_ms

    def is_here(self, viewer_id: str, ts_ms: int) -> bool:
        """Whether someone is in the room at a moment; asked when what he does then arrives."""
        visit = self._open.get(viewer_id)
        return visit is not None and ts_ms - visit.last_ms < UNSEEN_MS

    def forget(self, watermark_ms: int) -> None:
        """Forget who left long ago; asked when minutes close."""
        self._recently_gone.forget(watermark_ms)

    def rest(self, watermark_ms: int, open_from_ms: int) -> None:
        """Free what is no longer asked about: nothing has happened here for a day."""
        self.expire(watermark_ms, open_from_ms)
        self._recently_gone.rest()

    def attendance(self) -> Attendance:
        """What its visits come to."""
        found = Attendance()
        found.visits = self.visits
        found.ended = self.ended
        found.watch_ms = self.watch_ms
        found.stayed = self.stayed
        found.stays = self.stays
        found.interactions = sum(self.actions[action] for action in _INTERACTIONS)
        found.follows = self.actions["follow"]
        return found

    def close(self, closed_ms: int, watermark_ms: int, open_from_ms: int) -> None:
        """End every visit: the room closes."""
        self.expire(watermark_ms, open_from_ms)
        self._panes.at(max(closed_ms, open_from_ms)).closings += 1
        for viewer_id, visit in list(self._open.items()):
            self._leave(viewer_id, visit, closed_ms, open_from_ms)

    def expire(self, watermark_ms: int, open_from_ms: int) -> None:
        """End the visits that were unseen for 90 s at the watermark."""
        if watermark_ms > self._looked_ahead_to_ms:
            self._look_ahead(watermark_ms)
        silent = self._silent
        while silent and silent[0][0] <= watermark_ms:
            _, viewer_id = heappop(silent)
            visit = self._open.get(viewer_id)
            if visit is None:
                continue
            silent_ms = visit.last_ms + UNSEEN_MS
            if silent_ms <= watermark_ms:
                self._lapse(viewer_id, visit, open_from_ms)
            elif silent_ms <= self._looked_ahead_to_ms:
                heappush(silent, (silent_ms, viewer_id))

    def _look_ahead(self, watermark_ms: int) -> None:
        """Find the visits that may be silent soon, and until when no other one can be."""
        ahead_ms = watermark_ms + _LOOK_AHEAD_MS
        first_ms = min(map(_last_of, self._open.values()), default=ahead_ms) + UNSEEN_MS
        if first_ms > ahead_ms:  # mostly
            self._silent = []
            self._looked_ahead_to_ms = first_ms - 1
            return
        self._looked_ahead_to_ms = ahead_ms
        last_seen_ms = ahead_ms - UNSEEN_MS
        self._silent = [
            (visit.last_ms + UNSEEN_MS, viewer_id)
            for viewer_id, visit in self._open.items()
            if visit.last_ms <= last_seen_ms
        ]
        heapify(self._silent)

    def _start(self, event: View, ts_ms: int, watermark_ms: int, open_from_ms: int) -> Visit:
        viewer_id = event.viewer_id
        if len(self._open) >= self.peak_online:
            # perhaps more are here than ever: without those that the watermark ended before this
            self.expire(watermark_ms, open_from_ms)
        visit = self._open[viewer_id] = Visit(ts_ms, self._days.seen(viewer_id, ts_ms))
        if ts_ms + UNSEEN_MS <= self._looked_ahead_to_ms:
            heappush(self._silent, (ts_ms + UNSEEN_MS, viewer_id))
            if len(self._silent) > 2 * self._limit:  # most of these visits ended by `leave`
                self._look_ahead(watermark_ms)
        self.viewers.add(viewer_id)
        self.visits += 1
        if ts_ms >= open_from_ms:
            pane = self._panes.at(ts_ms)
            pane.visits += 1
            if event.device_id is not None:
                pane.devices[viewer_id] = event.device_id
                if len(pane.devices) > self._looked_at:
                    del pane.devices[next(iter(pane.devices))]
                    self._evictions.count("minute_visits")
        else:  # late: no pane counts its start, but it is online from the first that is open
            pane = self._panes.at(open_from_ms)
        pane.online_change += 1
        if len(self._open) > self.peak_online:
            if len(self._open) > self._limit:
                self._evict(open_from_ms)
            self.peak_online = max(self.peak_online, len(self._open))
        return visit

    def _leave(self, viewer_id: str, visit: Visit, ts_ms: int, open_from_ms: int) -> None:
        end_ms = max(ts_ms, visit.start_ms)
        self._end(viewer_id, visit, end_ms, max(end_ms, open_from_ms))

    def _lapse(self, viewer_id: str, visit: Visit, open_from_ms: int) -> None:
        """End a visit when last seen; it is online until 90 s have passed since then."""
        gone_ms = visit.last_ms + UNSEEN_MS - 1
        gone_ms = max(gone_ms, open_from_ms)
        self._panes.at(gone_ms).lapsed += 1
        self._end(viewer_id, visit, visit.last_ms, gone_ms)

    def _end(self, viewer_id: str, visit: Visit, end_ms: int, gone_ms: int) -> None:
        """End a visit; it is no longer online at the end of the minute that contains `gone_ms`."""
        del self._open[viewer_id]
        self._recently_gone.put(viewer_id, end_ms)
        self.watch_ms += end_ms - visit.last_ms
        stay_ms = end_ms - visit.start_ms
        self.ended += 1
        self.stays.add(stay_ms)
        self.stays_to[bisect_right(STAYS_MS, stay_ms)] += 1
        pane = self._panes.at(gone_ms)
        pane.online_change -= 1
        if stay_ms < BOUNCE_MS:
            pane.bounces += 1
        elif stay_ms >= LONG_MS:
            pane.stays.append(Stay(viewer_id, visit.start_ms, stay_ms, visit.acted))
            if len(pane.stays) > self._looked_at:
                del pane.stays[0]
                self._evictions.count("minute_visits")

    def _evict(self, open_from_ms: int) -> None:
        visits = self._open
        gone = limits.oldest(visits, lambda id_: (visits[id_].last_ms, id_), self._limit)
        for viewer_id in gone:
            self._lapse(viewer_id, visits[viewer_id], open_from_ms)
        self._evictions.count("visits", len(gone))

    def snapshot(self) -> list[Any]:
        return [
            [
                [id_, visit.start_ms, visit.same_day_until_ms, visit.last_ms, visit.acted]
                for id_, visit in self._open.items()
            ],
            self.visits,
            self.ended,
            self.peak_online,
            self.watch_ms,
            self.stays_to,
            self.stays.snapshot(),
            self.viewers.snapshot(),
            self._recently_gone.snapshot(),
            self.actions,
            self.stretches.snapshot(),
        ]

    def restore(self, state: list[Any]) -> None:
        (
            visits,
            self.visits,
            self.ended,
            self.peak_online,
            self.watch_ms,
            self.stays_to,
            stays,
            viewers,
            recently_gone,
            self.actions,
            stretches,
        ) = state
        self.stretches.restore(stretches)
        self.stays.restore(stays)
        self.viewers.restore(viewers)
        self._recently_gone.restore(recently_gone)
        for viewer_id, start_ms, same_day_until_ms, last_ms, acted in visits:
            visit = self._open[viewer_id] = Visit(start_ms, same_day_until_ms)
            visit.last_ms, visit.acted = last_ms, acted


assert UNSEEN_MS > MINUTE_MS
