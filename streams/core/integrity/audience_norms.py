"""What is normal among the visits of a partition, and who of them is suspected?

Ratios (visits that are over at once, what viewers do in a minute) are learned from rooms that raise
no suspicion, in two layers: the partition's, pulled to a start value, and the room's own past,
pulled to the partition's and never further from it than half. So rooms may differ, and neither an
empty nor a poisoned history decides. What three quarters of the rooms have in common accuses none:
each tells its last ratio, suspected or not, and it bounds what is expected of the others.

State: the sums, what rooms told last, the shapes of stays (`stay_shapes`), the suspected viewers.
Caps: `_ROOMS` rooms, who told first goes first; `suspected_viewers`, oldest by event time first.
"""

from typing import Any, Final

from streams.core import limits
from streams.core.integrity.stay_shapes import StayShapes
from streams.core.pane import MINUTE_MS, Stay

_ROOMS = 64
_LEAST_ROOMS = 4
# Learning halves its memory at so much, so that what is normal follows the season.
_HALVED_AT = 50_000
_OWN_HALVED_AT = 2_000
_WEIGHT_OF_START = 100
_WEIGHT_OF_PARTITION = 200
_LEAVING_MINUTES = 8  # a room asks at its next stretch


class Norm:
    """What is normal of one ratio in a partition.

    Args:
        start: where it begins.
        least, most: it is never expected to be below or above.
        every: a room tells, and asks anew, after so much.
    """

    __slots__ = ("_least", "_most", "_start", "_told", "every", "lower", "of", "seen", "upper")

    def __init__(self, start: float, least: float, most: float, every: int) -> None:
        self.every = every
        self._start = start
        self._least, self._most = least, most
        self.of = self.seen = 0
        self._told: dict[str, float] = {}  # by room, who told last at the end
        # what a quarter of the rooms is below, and above; nothing as long as few rooms told
        self.lower, self.upper = 0.0, most

    @property
    def rooms(self) -> int:
        """How many rooms told lately."""
        return len(self._told)

    def learn(self, of: int, seen: int) -> None:
        """Take counts of a room that raises no suspicion."""
        self.of += of
        self.seen += seen
        if self.of >= _HALVED_AT:
            self.of //= 2
            self.seen //= 2

    def told(self, room_id: str, ratio: float) -> None:
        """Hear of any room."""
        self._told.pop(room_id, None)
        self._told[room_id] = ratio
        if len(self._told) > _ROOMS:
            del self._told[next(iter(self._told))]
        self._look()

    def _look(self) -> None:
        if len(self._told) >= _LEAST_ROOMS:
            ordered = sorted(self._told.values())
            quarter = len(ordered) // 4
            self.lower, self.upper = ordered[quarter], ordered[-1 - quarter]

    def expected(self, own_of: int, own_seen: int) -> float:
        """What is normal in a room with such a past."""
        weight = _WEIGHT_OF_START
        here = (self._start * weight + self.seen) / (weight + self.of)
        weight = _WEIGHT_OF_PARTITION
        own = (here * weight + own_seen) / (weight + own_of)
        furthest = min(here, self._most - here) / 2
        return self.bounded(max(here - furthest, min(here + furthest, own)))

    def bounded(self, ratio: float) -> float:
        """A ratio within what may be expected."""
        return max(self._least, min(self._most, ratio))

    def snapshot(self) -> list[Any]:
        return [self.of, self.seen, list(self._told.items())]

    def restore(self, state: list[Any]) -> None:
        self.of, self.seen, told = state
        self._told = dict(map(tuple, told))
        self._look()


class OwnNorm:
    """What is normal of one ratio in a room; asked every minute, so it is kept at hand.

    Attributes:
        low: what is expected at least, where little is suspicious; None as long as nothing is
            known.
        high: what is expected at most, where much is suspicious; None likewise.
    """

    __slots__ = ("_norm", "_of", "_past_of", "_past_seen", "_seen", "high", "low")

    def __init__(self, norm: Norm) -> None:
        self._norm = norm
        self._of = self._seen = 0  # since it was told
        self._past_of = self._past_seen = 0
        self.low: float | None = None
        self.high: float | None = None

    def take(self, of: int, seen: int) -> bool:
        """Count; whether there is enough to tell."""
        self._of += of
        self._seen += seen
        return self._of >= self._norm.every

    def tell(self, room_id: str, least_of: int, *, is_calm: bool) -> None:
        """Tell the partition, and ask what is normal now."""
        norm, of, seen = self._norm, self._of, self._seen
        self._of = self._seen = 0
        knows = norm.of >= least_of
        if is_calm or not knows:
            norm.learn(of, seen)
        if is_calm:
            self._past_of += of
            self._past_seen += seen
            if self._past_of >= _OWN_HALVED_AT:
                self._past_of //= 2
                self._past_seen //= 2
        norm.told(room_id, seen / of)
        if knows:
            expected = norm.expected(self._past_of, self._past_seen)
            self.low = norm.bounded(min(expected, norm.upper))
            self.high = norm.bounded(max(expected, norm.lower))

    def snapshot(self) -> list[Any]:
        return [self._of, self._seen, self._past_of, self._past_seen, self.low, self.high]

    def restore(self, state: list[Any]) -> None:
        self._of, self._seen, self._past_of, self._past_seen, self.low, self.high = state


class Leaving:
    """In how many rooms do people leave at once? When they do in most, it is no room's doing."""

    __slots__ = ("_many",)

    def __init__(self) -> None:
        self._many: list[list[int]] = []  # by minute: its end, and rooms in which many left

    def told(self, end_ms: int) -> None:
        """Hear that many left a room."""
        many = self._many
        if not many or many[-1][0] < end_ms:
            many.append([end_ms, 0])
            del many[:-_LEAVING_MINUTES]
        many[-1][1] += 1

    def is_common(self, end_ms: int, rooms: int) -> bool:
        """Whether many left most other rooms around a minute that is over for all rooms."""
        around = sum(many for minute_ms, many in self._many if abs(minute_ms - end_ms) <= MINUTE_MS)
        return 2 * (around - 1) > max(1, rooms - 1)

    def snapshot(self) -> list[Any]:
        return self._many

    def restore(self, state: list[Any]) -> None:
        self._many = [list(minute) for minute in state]


class SuspectedViewers:
    """The viewers of fake-viewer incidents whose ids are known.

    Attributes:
        stays: the visits by which they became known: by room, viewer and start, how long.
    """

    __slots__ = ("stays",)

    def __init__(self) -> None:
        self.stays: dict[tuple[str, str, int], int] = {}

    def add(self, room_id: str, stay: Stay, evictions: limits.Evictions) -> None:
        """Suspect the viewer of a visit."""
        stays = self.stays
        stays[room_id, stay.viewer_id, stay.start_ms] = stay.stay_ms
        if len(stays) > limits.cap("suspected_viewers"):
            evictions.give_up_oldest(
                "suspected_viewers", stays, lambda key: (key[2] + stays[key], "\0".join(key[:2]))
            )

    def snapshot(self) -> list[Any]:
        return [[*key, stay_ms] for key, stay_ms in self.stays.items()]

    def restore(self, state: list[Any]) -> None:
        self.stays = {(room, viewer, start): stay_ms for room, viewer, start, stay_ms in state}


class AudienceNorms:
    """What the detectors of fake viewers of a partition have in common.

    Attributes:
        bounces: visits that are over within seconds, of all visits.
        actions: comments, likes and clicks for each viewer and minute.
        leaving: longer visits that end in a minute, of those online.
        sharing: viewers beyond one a device, of those who come with one.
    """

    __slots__ = ("actions", "bounces", "common_leaving", "leaving", "shapes", "sharing", "suspects")

    def __init__(self) -> None:
        self.bounces = Norm(0.5, 0.02, 0.98, 50)
        self.actions = Norm(0.3, 0.005, 20.0, 300)
        self.leaving = Norm(0.08, 0.01, 0.5, 300)
        self.sharing = Norm(0.05, 0.02, 0.9, 20)
        self.common_leaving = Leaving()
        self.shapes = StayShapes()
        self.suspects = SuspectedViewers()

    def snapshot(self) -> list[Any]:
        return [getattr(self, name).snapshot() for name in _PARTS]

    def restore(self, state: list[Any]) -> None:
        for name, saved in zip(_PARTS, state, strict=True):
            getattr(self, name).restore(saved)


_PARTS: Final = AudienceNorms.__slots__
