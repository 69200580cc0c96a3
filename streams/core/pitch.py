"""Which minute of the pitch sold what came back, and in which minute did it come back?

Two views of the same refunds: at the minute in which their orders were paid (`ordered_ts_ms`), and
at the minute in which they came. An order or refund whose stamp is refuted has no minute; an
`ordered_ts_ms` that no event can have has none either.

State: the minutes of one room with an order or a refund. Cap: `pitch_minutes`; the earliest go.
"""

from typing import Any

from schemas.details import PitchMinute
from schemas.events import EARLIEST_MS, LATEST_MS
from schemas.records import Version
from streams.core import limits
from streams.core.pane import MINUTE_MS
from streams.core.snapshots import Sums


class SoldMinute(Sums):
    """What one minute sold, what came back of that, and what came back in it."""

    __slots__ = (
        "gross_minor",
        "orders",
        "quality_returns",
        "refunded_minor",
        "refunds",
        "returned_minor",
        "returns",
    )

    def __init__(self) -> None:
        self.orders = 0
        self.gross_minor = 0
        self.returns = 0
        self.returned_minor = 0
        self.quality_returns = 0
        self.refunds = 0
        self.refunded_minor = 0


class Pitch:
    """The minutes of one room.

    Attributes:
        minutes: by their start, epoch milliseconds.
        changed: those that changed since they were last shown.
    """

    __slots__ = ("_evictions", "changed", "minutes")

    def __init__(self, evictions: limits.Evictions) -> None:
        self._evictions = evictions
        self.minutes: dict[int, SoldMinute] = {}
        self.changed: dict[int, SoldMinute] = {}

    def ordered(self, ts_ms: int, amount_minor: int) -> None:
        """Count a paid order."""
        minute = self._at(ts_ms)
        minute.orders += 1
        minute.gross_minor += amount_minor

    def returned(self, ordered_ts_ms: int, accepted_minor: int, *, quality: bool) -> None:
        """Count an accepted refund where its order was paid."""
        if EARLIEST_MS <= ordered_ts_ms <= LATEST_MS:
            minute = self._at(ordered_ts_ms)
            minute.returns += 1
            minute.returned_minor += accepted_minor
            minute.quality_returns += quality

    def refunded(self, ts_ms: int, accepted_minor: int) -> None:
        """Count an accepted refund where it came."""
        minute = self._at(ts_ms)
        minute.refunds += 1
        minute.refunded_minor += accepted_minor

    def shown(self, version: Version, room_id: str) -> list[PitchMinute]:
        """What changed since last asked."""
        changed, self.changed = self.changed, {}
        return [
            PitchMinute(
                version=version,
                room_id=room_id,
                minute_ms=minute_ms,
                orders=minute.orders,
                gross_minor=minute.gross_minor,
                returns=minute.returns,
                returned_minor=minute.returned_minor,
                quality_returns=minute.quality_returns,
                refunds=minute.refunds,
                refunded_minor=minute.refunded_minor,
            )
            for minute_ms, minute in changed.items()
        ]

    def show_all_again(self) -> None:
        """Take what was shown for lost."""
        self.changed = dict(self.minutes)

    def _at(self, ts_ms: int) -> SoldMinute:
        minute_ms = ts_ms - ts_ms % MINUTE_MS
        minute = self.minutes.get(minute_ms)
        if minute is None:
            minute = self.minutes[minute_ms] = SoldMinute()
        self.changed[minute_ms] = minute
        if len(self.minutes) > limits.cap("pitch_minutes"):
            gone = self._evictions.give_up_oldest(
                "pitch_minutes", self.minutes, lambda start_ms: (start_ms, "")
            )
            for each in gone:
                self.changed.pop(each, None)
        return minute

    def snapshot(self) -> list[Any]:
        return [[minute_ms, minute.snapshot()] for minute_ms, minute in self.minutes.items()]

    def restore(self, state: list[Any]) -> None:
        for minute_ms, saved in state:
            minute = self.minutes[minute_ms] = SoldMinute()
            minute.restore(saved)
        self.show_all_again()
