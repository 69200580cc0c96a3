"""Are viewers of a room bought?

Asked of closed minutes and ended visits, never of single views. Two things lead: how many of those
who came were gone within seconds (bought viewers stay, or all leave at once), as a CUSUM by minute;
and how long the others stayed by when they came (`stay_shapes`), by hour of the show and at its
close. The rest only adds: an audience that does nothing, viewers who share devices, many who come
or leave in the same minute. An IP address says nothing. Who buys is no mere viewer: an order takes
the weight of a visit back. What is normal is learned (`audience_norms`).

A review needs a leading sign; a page a second family, silence or devices. Of a page, viewers become
known by name once their silent visit has ended, if normal visits of that length are rarely silent.

State: the evidence (`audience_watch`), and the silent visits of the last hour. Cap: `silent_stays`;
who left first goes first.
"""

from collections import deque
from collections.abc import Sequence
from typing import Any, ClassVar

from schemas.detector_rules import FakeViewersRules
from streams.core import limits
from streams.core.integrity.audience_norms import AudienceNorms
from streams.core.integrity.audience_watch import AudienceWatch
from streams.core.integrity.crowd_cells import FAMILIES, LEADING, SECOND
from streams.core.integrity.detector import MINUTE_MS, NOTHING, Detector, Scene, Told
from streams.core.integrity.incident import Severity, Sign
from streams.core.integrity.incidents import OF_THE_ROOM, Finding
from streams.core.integrity.order_signs import OrderSigns
from streams.core.integrity.stay_shapes import HOUR_MS, LENGTHS_MS
from streams.core.integrity.stretch import Stretch
from streams.core.pane import Stay

_BEFORE_MS = 5 * MINUTE_MS  # the first come before they are evidence
_SHOWN = 0.1  # a sign of less weight is not told
_SAYS = {
    "few_bounces": "only {share:.0%} of those who came were gone within 5 s (normal: {base:.0%})",
    "many_bounces": "{share:.0%} of those who came were gone within 5 s (normal: {base:.0%})",
    "odd_stays": "{share:.0%} of the longer visits are of about the same length"
    " (normal: {base:.1%})",
    "silent_audience": "viewers do {share:.2f} things a minute each (normal: {base:.2f})",
    "shared_devices": "{share:.0%} of the viewers who came share a device with another"
    " (normal: {base:.0%})",
    "left_together": "{share:.0%} of those online left in one minute (normal: {base:.0%})",
    "came_together": "many came in the same minutes",
}


class FakeViewers(Detector):
    """The audience of one room."""

    section = alert_kind = "fake_viewers"
    shared = AudienceNorms
    __slots__ = ("_norms", "_silent", "_told_ms", "_watch")

    def __init__(
        self, shared: AudienceNorms, orders: OrderSigns, evictions: limits.Evictions
    ) -> None:
        super().__init__(shared, orders, evictions)
        self._norms = shared
        self._watch = AudienceWatch(shared)
        self._silent: deque[Stay] = deque()
        self._told_ms = 0  # the last moment at which an incident was open

    def stretch(self, stretch: Stretch, scene: Scene) -> Told:
        """Take closed minutes, and look whether there is something to say."""
        rules = scene.rules.fake_viewers
        watch = self._watch
        is_open = self.is_open
        if is_open:
            self._told_ms = scene.ts_ms
        watch.take(
            stretch,
            scene.ts_ms,
            scene.room_id,
            scene.opened.ts_ms if scene.opened is not None else None,
            rules,
            is_calm=not is_open and watch.cells.leading < rules.cell,
            told_ms=self._told_ms,
        )
        if stretch.stays:
            self._keep_silent(stretch.stays, scene.ts_ms)
        if not is_open and watch.cells.leading < rules.cell:
            return NOTHING
        told = self._judge(scene, rules)
        incident = self.incidents.open.get(OF_THE_ROOM)
        if incident is not None and incident.severity == "page":
            self._name(incident.started_ms, scene, rules)
        return told

    def _judge(self, scene: Scene, rules: FakeViewersRules) -> Told:
        cells = self._watch.cells
        score = cells.score()
        incident = self.incidents.open.get(OF_THE_ROOM)
        if score < rules.review or (incident is None and cells.leading < rules.review / 2):
            return NOTHING
        severity = self._severity(score, rules)
        if incident is not None and incident.severity == "page":
            severity = "page"
        news = self.incidents.noticed(score, scene.ts_ms)
        if not news and incident is not None and severity == incident.severity:
            return NOTHING
        return self.incidents.tell(self._finding(score, severity, scene, rules), scene.ts_ms)

    def _severity(self, score: float, rules: FakeViewersRules) -> Severity:
        strong = self._watch.cells.strong(rules.cell)
        leads = any(sign in LEADING for sign in strong)
        seconded = any(FAMILIES[sign] in SECOND for sign in strong)
        return "page" if score >= rules.page and leads and seconded else "review"

    def _finding(
        self, score: float, severity: Severity, scene: Scene, rules: FakeViewersRules
    ) -> Finding:
        cells = self._watch.cells
        signs = [self._sign(name) for name in cells.strong(_SHOWN) if cells.of(name).of]
        leading = max(LEADING, key=lambda sign: cells.of(sign).value)
        said = "; ".join(_says(sign) for sign in signs[:4])
        consequence, figures = self._without_suspects()
        return Finding(
            score=score,
            threshold=rules.page if severity == "page" else rules.review,
            since_ms=cells.of(leading).since_ms,
            summary=f"Suspected fake viewers in room {scene.room_id}: {said}.{consequence}",
            signs=[*signs, *figures],
            severity=severity,
        )

    def _sign(self, name: str) -> Sign:
        cell = self._watch.cells.of(name)
        return Sign(name, cell.seen, cell.of, cell.base, cell.value, [])

    def _without_suspects(self) -> tuple[str, list[Sign]]:
        """What the audience and its conversion come to without the suspects, told as a sentence."""
        watch = self._watch
        visits, orders, without = watch.visits, watch.orders, watch.without_suspects
        suspected = visits - without
        if not suspected:
            return "", []
        figures = [Sign("suspected_visits", suspected, visits, 0.0, 0.0, [])]
        sentence = f" About {suspected} of its {visits} visits since then are suspected"
        if orders and without:
            figures.append(Sign("orders_by_visit", orders, visits, orders / without, 0.0, []))
            sentence += (
                f"; without them it sells {orders / without:.1%} orders a visit instead of"
                f" {orders / visits:.1%}"
            )
        return f"{sentence}.", figures

    def _keep_silent(self, stays: Sequence[Stay], ts_ms: int) -> None:
        """Remember who was silent, in an order that does not depend on arrival."""
        silent = self._silent
        while silent and silent[0].start_ms + silent[0].stay_ms < ts_ms - HOUR_MS:
            silent.popleft()
        silent.extend(sorted((stay for stay in stays if not stay.acted), key=_by_end))
        over = len(silent) - limits.cap("silent_stays")
        for _ in range(over):
            silent.popleft()
        if over > 0:
            self.evictions.count("silent_stays", over)

    def _name(self, since_ms: int, scene: Scene, rules: FakeViewersRules) -> None:
        """Suspect who came since the evidence began, and was silent for longer than is normal."""
        rare = self._norms.shapes.rarely_silent_from(rules.rarely_silent)
        if rare is not None and self._silent:
            least_ms = LENGTHS_MS[rare - 1] if rare else MINUTE_MS
            for stay in self._silent:
                if stay.stay_ms >= least_ms and stay.start_ms >= since_ms - _BEFORE_MS:
                    self._norms.suspects.add(scene.room_id, stay, self.evictions)
            self._silent.clear()

    def snapshot(self) -> list[Any]:
        silent = [list(stay) for stay in self._silent]
        return [*super().snapshot(), self._watch.snapshot(), silent, self._told_ms]

    def restore(self, state: list[Any]) -> None:
        *general, watch, silent, self._told_ms = state
        super().restore(general)
        self._watch.restore(watch)
        self._silent = deque(Stay(*stay) for stay in silent)

    takes: ClassVar = {Stretch: stretch}


def _says(sign: Sign) -> str:
    return _SAYS[sign.name].format(share=sign.seen / sign.of, base=sign.base)


def _by_end(stay: Stay) -> tuple[int, str]:
    return stay.start_ms + stay.stay_ms, stay.viewer_id
