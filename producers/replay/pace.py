"""When is it time to send what happens at an event time?

The schedule is absolute: an event time has one wall time, so a slow moment is caught up and no
error adds up. Changing the speed or pausing starts a new straight line from where the replay is.
Holds no clock: the caller says what time it is.
"""

import math

MAX_SPEED = math.inf
# What + and - step through; beyond the last lies `MAX_SPEED`.
SPEEDS = tuple(2.0**step for step in range(-4, 13))


class Pacer:
    """Event time as a function of wall time.

    Attributes:
        speed: event milliseconds per wall millisecond; `MAX_SPEED` for as fast as it goes.
        paused: whether event time stands still.
    """

    def __init__(self, speed: float) -> None:
        if not speed > 0:
            raise ValueError(f"a speed is greater than 0, not {speed}")
        self.speed = speed
        self.paused = False
        self._anchor_ms: float | None = None
        self._anchor_seconds = 0.0

    def position_ms(self, now_seconds: float) -> float:
        """The event time up to which everything is due now; infinite at full speed."""
        if self._anchor_ms is None:
            # nothing was sent yet; paused, even the first record is not due
            return -math.inf if self.paused else math.inf
        if self.paused:
            return self._anchor_ms
        if self.speed == MAX_SPEED:
            return math.inf
        return self._anchor_ms + (now_seconds - self._anchor_seconds) * 1000 * self.speed

    def start(self, due_ms: int, now_seconds: float) -> None:
        """Say that the first timed record is sent now; later calls change nothing."""
        if self._anchor_ms is None:
            self._anchor_ms, self._anchor_seconds = due_ms, now_seconds

    def wait_seconds(self, due_ms: int, now_seconds: float) -> float:
        """How long until an event time is due; 0 if it is, infinite while paused."""
        if self._anchor_ms is None or self.position_ms(now_seconds) >= due_ms:
            return math.inf if self.paused else 0.0
        if self.paused:
            return math.inf
        return (due_ms - self.position_ms(now_seconds)) / 1000 / self.speed

    def lag_seconds(self, due_ms: int, now_seconds: float) -> float:
        """By how much wall time a record that is sent now is behind schedule."""
        if self._anchor_ms is None or self.paused or self.speed == MAX_SPEED:
            return 0.0
        return max(self.position_ms(now_seconds) - due_ms, 0.0) / 1000 / self.speed

    def set_speed(self, speed: float, reached_ms: int, now_seconds: float) -> None:
        """Go on at another speed from where the replay is."""
        self._anchor(reached_ms, now_seconds)
        self.speed = speed

    def pause(self, reached_ms: int, now_seconds: float) -> None:
        """Let event time stand still."""
        self._anchor(reached_ms, now_seconds)
        self.paused = True

    def resume(self, now_seconds: float) -> None:
        """Let event time go on from where it stood."""
        self.paused = False
        self._anchor_seconds = now_seconds

    def _anchor(self, reached_ms: int, now_seconds: float) -> None:
        if self._anchor_ms is None:
            return
        at_ms = self.position_ms(now_seconds)
        self._anchor_ms = reached_ms if math.isinf(at_ms) else at_ms
        self._anchor_seconds = now_seconds


def faster(speed: float) -> float:
    """The next speed above."""
    return next((step for step in SPEEDS if step > speed), MAX_SPEED)


def slower(speed: float) -> float:
    """The next speed below; the least one stays."""
    return next((step for step in reversed(SPEEDS) if step < speed), SPEEDS[0])
