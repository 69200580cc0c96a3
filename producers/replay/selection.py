"""Which part of a session is replayed: moments, rooms.

A moment is an ISO 8601 time (UTC unless it says otherwise) or an offset such as `+10m` or
`+1h30m` from the first believed stamp of the session.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.clock import NOTHING_MS
from schemas.codec import Rules, Tick, readable_room_id
from schemas.errors import InputError
from schemas.events import EARLIEST_MS, LATEST_MS

from .timeline import Timed

_UNITS_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
_OFFSET = re.compile(r"\+(?:\d+(?:ms|s|m|h|d))+", re.ASCII)
_PART = re.compile(r"(\d+)(ms|s|m|h|d)", re.ASCII)


class ReplayError(Exception):
    """A replay that cannot be done as asked; the text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Moment:
    """A point of event time, or a distance from a session's first believed stamp."""

    ms: int
    is_offset: bool = False

    def at_ms(self, first_ms: int) -> int:
        """The event time meant in a session whose first believed stamp is `first_ms`."""
        return first_ms + self.ms if self.is_offset else self.ms


def parse_time(text: str) -> int:
    """The epoch milliseconds of an ISO 8601 time; without a zone it is UTC.

    Raises:
        ReplayError: no such time, or outside of what the contract accepts.
    """
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ReplayError(
            f"{text!r} is no ISO 8601 time: write it as 2021-11-11T20:00:00+08:00"
        ) from None
    if time.tzinfo is None:
        time = time.replace(tzinfo=UTC)
    since = time - datetime.fromtimestamp(0, UTC)
    ms = since.days * _UNITS_MS["d"] + since.seconds * 1000 + since.microseconds // 1000
    if not EARLIEST_MS <= ms <= LATEST_MS:
        raise ReplayError(f"{text!r} is not between the years 2000 and 2100")
    return ms


def parse_moment(text: str) -> Moment:
    """A moment from `2021-11-11T20:00:00+08:00` or `+1h30m`.

    Raises:
        ReplayError: it is neither.
    """
    if not text.startswith("+"):
        return Moment(parse_time(text))
    if not _OFFSET.fullmatch(text):
        raise ReplayError(f"{text!r} is no offset: write it as +10m, +1h30m or +90s")
    ms = sum(int(count) * _UNITS_MS[unit] for count, unit in _PART.findall(text))
    return Moment(ms, is_offset=True)


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are replayed.

    Attributes:
        since: records that happen before it are left out, but for rule sets, which stay in force.
        until: records that happen at it or later are left out.
        rooms: only these rooms; ticks and rule sets always; refused records only if they name one
            of them.
    """

    since: Moment | None = None
    until: Moment | None = None
    rooms: frozenset[str] | None = None

    def selector(self, first_ms: int | None) -> Callable[[list[Timed]], list[Timed]]:
        """What picks the selected records, in a session whose first believed stamp is `first_ms`.

        A rule set from before `since` is picked to be sent at once.
        """
        if self == ALL:
            return lambda chunk: chunk
        known_ms = NOTHING_MS if first_ms is None else first_ms
        since_ms = NOTHING_MS if self.since is None else self.since.at_ms(known_ms)
        until_ms = LATEST_MS + 1 if self.until is None else self.until.at_ms(known_ms)

        def select(chunk: list[Timed]) -> list[Timed]:
            found = []
            for timed in chunk:
                if timed.due_ms >= until_ms:
                    continue
                if timed.due_ms >= since_ms:
                    if self._has_room(timed):
                        found.append(timed)
                elif isinstance(timed.event, Rules):
                    found.append(timed._replace(due_ms=NOTHING_MS))
            return found

        return select

    def _has_room(self, timed: Timed) -> bool:
        event = timed.event
        if self.rooms is None or isinstance(event, Rules | Tick):
            return True
        if isinstance(event, InputError):
            return readable_room_id(timed.value) in self.rooms
        return event.room_id in self.rooms


ALL = Selection()
