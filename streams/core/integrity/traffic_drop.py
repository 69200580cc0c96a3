"""Does a room lose its audience, or do people no longer come, while its show goes on?

Who is online, and who came in the last minutes, is held against what three of four of the minutes
before reached: a raid, a coupon or a peak that is over is no loss. The drop has to last, and is
told only as far as most rooms of the partition did not have it as well (`common_course`).

Nobody is missed who was only not heard of. Where a tenth of the audience ends unseen in a minute
they count as still there, for what fell silent may be the source; a minute in which nobody came,
left or did anything is silence, after which nothing is usual until it is known again. A room that
everybody has left and nobody comes to has ended, as one that has closed: neither is judged.

State: the last minutes of the room, and what most rooms reached. Bound: the minutes that the rules
look back, at most four hours and a half.
"""

from typing import Any, ClassVar, NamedTuple

from schemas.detector_rules import TrafficDropRules
from streams.core import limits
from streams.core.integrity.common_course import CommonCourse
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.facts import Minute
from streams.core.integrity.incident import Sign
from streams.core.integrity.incidents import Finding
from streams.core.integrity.order_signs import OrderSigns
from streams.core.integrity.pace import minute_of

_ARRIVAL_MINUTES = 5  # people come in flocks: the arrivals of a minute say little
_MOST_TIMES = 1_000.0  # fewer; nobody at all is no more than that
# Of the usual audience; where so many end unseen in a minute, it is the source that fell silent.
_SILENT_SHARE = 0.1
_ONLINE, _ARRIVALS = 0, 1


class _Figure(NamedTuple):
    """One figure of a minute, online or arrivals, beside what is usual."""

    seen: int
    usual: int

    @property
    def share(self) -> float:
        return self.seen / self.usual


# Of online and of arrivals; None where what is usual is not known, or is small.
_Figures = tuple[_Figure | None, _Figure | None]
_NOTHING_USUAL: _Figures = (None, None)


class CommonCourses:
    """What most rooms of a partition reach, of online and of arrivals."""

    __slots__ = ("both",)

    def __init__(self) -> None:
        self.both = (CommonCourse(), CommonCourse())

    def snapshot(self) -> list[Any]:
        return [each.snapshot() for each in self.both]

    def restore(self, state: list[Any]) -> None:
        for each, saved in zip(self.both, state, strict=True):
            each.restore(saved)


class TrafficDrop(Detector):
    """The audience of one room."""

    section = alert_kind = "traffic_drop"
    shared = CommonCourses
    __slots__ = ("_came", "_closed", "_common", "_figures", "_lapsed", "_newest", "_online")

    def __init__(
        self, shared: CommonCourses, orders: OrderSigns, evictions: limits.Evictions
    ) -> None:
        super().__init__(shared, orders, evictions)
        self._common = shared.both
        self._closed = False
        self._forget()

    def _forget(self) -> None:
        # of the minutes without a gap up to the newest one, the oldest first
        self._newest = 0
        self._online: list[int] = []
        self._lapsed: list[int] = []
        self._came: list[int] = []
        self._figures: list[_Figures] = []

    def minute(self, minute: Minute, scene: Scene) -> Told:
        """Take a closed minute, and look whether the audience is gone."""
        number = minute_of(scene.ts_ms) - 1
        if minute.closed:
            self._closed = True
        is_silent = self._closed or not _has_life(minute)
        if is_silent or number != self._newest + 1:
            self._forget()
        if is_silent:
            return NOTHING
        rules = scene.rules.traffic_drop
        self._newest = number
        self._online.append(minute.online)
        self._lapsed.append(minute.lapsed)
        self._came.append(minute.visits)
        figures = self._beside_the_usual(rules)
        self._figures.append(figures)
        over = len(self._figures) - rules.base_minutes - _under_suspicion(rules)
        if over > 0:
            del self._online[:over], self._lapsed[:over], self._came[:over], self._figures[:over]
        online = figures[_ONLINE]
        # others can only excuse: what is not below by itself needs no look at them
        if online is None or online.share >= max(
            rules.online_share, rules.online_share_at_arrivals
        ):
            return NOTHING
        return self._judge(online, scene, rules)

    def _beside_the_usual(self, rules: TrafficDropRules) -> _Figures:
        """The newest minute beside what is usual, which other rooms are told.

        Arrivals say nothing without the audience, so they are not looked at without it.
        """
        known = len(self._online) - _under_suspicion(rules)
        if known < rules.known_minutes:
            return _NOTHING_USUAL
        usual = _reached_by_most(self._online[:known])
        if usual < rules.online_at_arrivals:
            return _NOTHING_USUAL
        least = _SILENT_SHARE * usual
        unheard = sum([each for each in self._lapsed if each >= least])
        online = _Figure(self._online[-1] + unheard, usual)
        self._common[_ONLINE].tell(self._newest, online.share)
        usual = _ARRIVAL_MINUTES * _reached_by_most(self._came[:known])
        if usual < rules.arrivals:
            return online, None
        arrivals = _Figure(sum(self._came[-_ARRIVAL_MINUTES:]), usual)
        self._common[_ARRIVALS].tell(self._newest, arrivals.share)
        return online, arrivals

    def _judge(self, online: _Figure, scene: Scene, rules: TrafficDropRules) -> Told:
        shares = (rules.online_share, rules.arrivals_share)
        fallen = [
            at for at, share in enumerate(shares) if self._has_fallen(at, share, rules.held_minutes)
        ]
        if online.usual < rules.online:
            fallen = [at for at in fallen if at == _ARRIVALS]
        if not self._has_fallen(_ONLINE, rules.online_share_at_arrivals, 1):
            fallen = [at for at in fallen if at == _ONLINE]
        if not fallen:
            return NOTHING
        score = max(self._times_fewer(at) for at in fallen)
        if not self.incidents.noticed(score, scene.ts_ms):
            return NOTHING
        finding = Finding(
            score=score,
            threshold=min(1 / shares[at] for at in fallen),
            since_ms=scene.ts_ms - rules.held_minutes * MINUTE_MS,
            summary=self._sentence(scene, rules),
            signs=self._signs(),
        )
        return self.incidents.tell(finding, scene.ts_ms)

    def _has_fallen(self, at: int, share: float, held_minutes: int) -> bool:
        """Whether a figure was far below the usual, and below what most reach, for so long."""
        held = self._figures[-held_minutes:]
        return len(held) == held_minutes and all(
            (figure := figures[at]) is not None
            and figure.share < share * self._common_share(at, back)
            for back, figures in enumerate(reversed(held))
        )

    def _common_share(self, at: int, back: int) -> float:
        """What most other rooms reach of a figure so many minutes before the newest one.

        Of the newest minute not all rooms have told yet: the one before it stands for it.
        """
        back = max(1, back)
        if back >= len(self._figures):
            return 1.0
        own = self._figures[-1 - back][at]
        number = self._newest - back
        return self._common[at].share(number, own.share if own is not None else None)

    def _times_fewer(self, at: int) -> float:
        figure = self._figures[-1][at]
        if figure is None:
            return 0.0
        expected = figure.usual * self._common_share(at, 0)
        return min(_MOST_TIMES, expected / max(1, figure.seen))

    def _sentence(self, scene: Scene, rules: TrafficDropRules) -> str:
        online, arrivals = self._figures[-1]
        said = []
        if online is not None:
            said.append(f"{online.seen} are online (usual: {online.usual})")
        if arrivals is not None:
            minutes = f"in {_ARRIVAL_MINUTES} minutes"
            said.append(f"{arrivals.seen} came {minutes} (usual: {arrivals.usual})")
        return (
            f"Traffic drop in room {scene.room_id}: {', '.join(said)}. Usual is what the"
            f" {rules.base_minutes} minutes before had; the source still tells of people."
        )

    def _signs(self) -> list[Sign]:
        names = ("online", "arrivals")
        signs = []
        for at, figure in enumerate(self._figures[-1]):
            if figure is not None:
                common, weight = self._common_share(at, 0), self._times_fewer(at)
                signs.append(Sign(names[at], figure.seen, figure.usual, common, weight, []))
        return sorted(signs, key=lambda sign: -sign.weight)

    def snapshot(self) -> list[Any]:
        figures = [[each and list(each) for each in both] for both in self._figures]
        minutes = [self._online, self._lapsed, self._came]
        return [*super().snapshot(), self._closed, self._newest, minutes, figures]

    def restore(self, state: list[Any]) -> None:
        *general, self._closed, self._newest, minutes, figures = state
        super().restore(general)
        self._online, self._lapsed, self._came = map(list, minutes)
        self._figures = [
            (online and _Figure(*online), arrivals and _Figure(*arrivals))
            for online, arrivals in figures
        ]

    takes: ClassVar = {Minute: minute}


def _has_life(minute: Minute) -> bool:
    """Whether the source tells of anybody who came, left or did something."""
    return bool(minute.visits or minute.left or minute.orders or minute.actions)


def _under_suspicion(rules: TrafficDropRules) -> int:
    """How many of the last minutes are judged and so not usual: those that arrivals are of."""
    return rules.held_minutes + _ARRIVAL_MINUTES - 1


def _reached_by_most(figures: list[int]) -> int:
    """What three of four reach."""
    return sorted(figures)[len(figures) // 4]
