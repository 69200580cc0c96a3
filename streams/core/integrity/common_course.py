"""How do most rooms of a partition fare in a minute, against what is usual in each?

Each room tells the share of its usual figure that it reaches, as a step of a scale, so that the
order in which rooms tell cannot matter. What most have in common (the end of an evening, a news
flash, a platform that is down) is expected of each. State: a scale for each of the last minutes.
"""

from typing import Any, Final

_STEPS: Final = 20  # of a scale up to the usual; more than usual is no more than usual
_MINUTES: Final = 32  # longer than any drop has to last
_LEAST_ROOMS: Final = 3  # fewer others say nothing of most


class CommonCourse:
    """What rooms reach of their usual figure, by minute."""

    __slots__ = ("_minutes",)

    def __init__(self) -> None:
        self._minutes: dict[int, list[int]] = {}

    def tell(self, minute: int, share: float) -> None:
        """Take what a room reaches in a minute; minutes come in order."""
        minutes = self._minutes
        scale = minutes.get(minute)
        if scale is None:
            scale = minutes[minute] = [0] * (_STEPS + 1)
            for old in [each for each in minutes if each <= minute - _MINUTES]:
                del minutes[old]
        scale[_step(share)] += 1

    def share(self, minute: int, own_share: float | None) -> float:
        """What the middle one of the other rooms reached in a minute; 1 where few have told.

        Args:
            minute: one that is over for all rooms.
            own_share: what the room that asks has told of it; None if nothing.
        """
        scale = list(self._minutes.get(minute, ()))
        if own_share is not None:
            scale[_step(own_share)] -= 1
        if sum(scale) < _LEAST_ROOMS:
            return 1.0
        left = sum(scale) / 2
        for step, rooms in enumerate(scale):
            left -= rooms
            if left <= 0:
                return step / _STEPS
        raise AssertionError("the middle lies on the scale")

    def snapshot(self) -> list[Any]:
        return [[minute, scale] for minute, scale in self._minutes.items()]

    def restore(self, state: list[Any]) -> None:
        self._minutes = dict(state)


def _step(share: float) -> int:
    return min(_STEPS, round(share * _STEPS))
