"""What is firing now, how much was raised, and what do people say of it?

Takes versions of alerts and verdicts in the order of the topic `alerts`, and as often as they come:
a version that is known counts once, and the last verdict of an alert is the one that counts. The
order of different alerts does not matter.

State: the newest version of each alert without its evidence, up to the cap `known_alerts`; what was
counted stays counted when an alert is given up.
"""

from collections.abc import Iterable
from typing import Final, get_args

from schemas.records import ALERT_KINDS, Alert, Judgement, Verdict, without_evidence
from streams.core.integrity.incident import Severity, Status
from streams.core.limits import Evictions, cap

KIND_ELSE: Final = "other"  # one that this version does not know, so that labels stay bounded
KINDS: Final[tuple[str, ...]] = (*ALERT_KINDS, KIND_ELSE)
SEVERITIES: Final[tuple[str, ...]] = get_args(Severity)  # the gravest first
STATUSES: Final[tuple[str, ...]] = get_args(Status)
UNJUDGED: Final = "none"
VERDICTS: Final[tuple[str, ...]] = (*get_args(Judgement), UNJUDGED)

MAPS: Final = ("known_alerts",)
_GRAVITY = {severity: at for at, severity in enumerate(SEVERITIES)}


class _Known:
    """An alert as it was told last, and each severity that it was told at."""

    __slots__ = ("alert", "severities", "verdict")

    def __init__(self, alert: Alert) -> None:
        self.alert = alert
        self.severities = {alert.severity}
        self.verdict = UNJUDGED


class AlertBook:
    """The alerts of one log.

    Attributes:
        raised: incidents by kind and severity. One that was told at several severities counts at
            each of them, so that pages are those who were called for.
        versions: told versions by kind and status.
    """

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}
        self.raised = {(kind, severity): 0 for kind in KINDS for severity in SEVERITIES}
        self.versions = {(kind, status): 0 for kind in KINDS for status in STATUSES}
        self.evictions = Evictions()

    def apply(self, told: Alert | Verdict) -> None:
        """Take the next record of the topic."""
        if isinstance(told, Alert):
            self._apply_version(told)
        elif told.alert_id in self._known:
            self._known[told.alert_id].verdict = told.verdict

    def _apply_version(self, alert: Alert) -> None:
        known = self._known.get(alert.alert_id)
        if known is not None and known.alert.version >= alert.version:
            return
        kind = kind_of(alert)
        bare = without_evidence(alert)
        self.versions[kind, alert.status] += 1
        if known is None:
            self._known[alert.alert_id] = _Known(bare)
            self.raised[kind, alert.severity] += 1
            self._make_room()
            return
        known.alert = bare
        if alert.severity not in known.severities:
            known.severities.add(alert.severity)
            self.raised[kind, alert.severity] += 1

    def _make_room(self) -> None:
        (name,) = MAPS
        if len(self._known) > cap(name):
            known = self._known
            self.evictions.give_up_oldest(
                name, known, lambda alert_id: (known[alert_id].alert.updated_ms, alert_id)
            )

    def firing(self) -> list[Alert]:
        """The newest version of each alert that has not ended, without evidence; gravest first.

        Within a severity the newest first, ties by id: money of two currencies has no order.
        """
        alive = [known.alert for known in self._known.values() if known.alert.status != "resolved"]
        return sorted(alive, key=_gravity)

    def known(self) -> list[Alert]:
        """The newest version of each known alert, without evidence, by id."""
        return [self._known[alert_id].alert for alert_id in sorted(self._known)]

    def verdicts(self) -> dict[tuple[str, str], int]:
        """Known alerts by kind and the last verdict on them; `none` where nobody has judged."""
        counts = {(kind, verdict): 0 for kind in KINDS for verdict in VERDICTS}
        for known in self._known.values():
            counts[kind_of(known.alert), known.verdict] += 1
        return counts


def precision(verdicts: Iterable[str]) -> float | None:
    """Which share of what was judged is true; None where nothing was.

    Only `confirm` and `dismiss` judge: `ack` says that somebody looks into it.
    """
    given = list(verdicts)
    confirmed, dismissed = given.count("confirm"), given.count("dismiss")
    judged = confirmed + dismissed
    return confirmed / judged if judged else None


def kind_of(alert: Alert) -> str:
    """The kind of an alert, of the closed list."""
    return alert.kind if alert.kind in ALERT_KINDS else KIND_ELSE


def _gravity(alert: Alert) -> tuple[int, int, str]:
    return _GRAVITY[alert.severity], -alert.updated_ms, alert.alert_id
