"""What does the page show of alerts? The inbox, gravest first, and one alert with its evidence."""

from collections.abc import Sequence
from typing import Any, Final

import msgspec

from roompulse.known import RESOLVED, Known, KnownAlert
from schemas.money import digits_of
from schemas.records import Verdict
from streams.core.integrity.alert_book import SEVERITIES
from streams.shell.runbook import runbook_section

MOST_LINES: Final = 200
_LINE: Final = (
    "alert_id", "version", "status", "kind", "severity", "room_id", "product_id", "started_ms",
    "updated_ms", "score", "threshold", "summary", "money_minor", "currency", "rooms",
)  # fmt: skip

Json = dict[str, Any]


def inbox(known: Known) -> Json:
    """The alerts in the order in which a person should look at them, and how many are open."""
    alerts = known.alerts.by_urgency()
    firing = [one for one in alerts if one.alert.status != RESOLVED]
    return {
        "all": len(alerts),
        "raised": _by_severity(alerts),
        "firing": _by_severity(firing),
        "unjudged": _by_severity([one for one in firing if one.verdict is None]),
        "lines": [_line(known, one) for one in alerts[:MOST_LINES]],
    }


def card(known: Known, alert_id: str) -> Json | None:
    """One alert with its evidence and how it came to it; None where it is not known."""
    one = known.alerts.get(alert_id)
    if one is None:
        return None
    alert = one.alert
    return {
        **_line(known, one),
        "host_id": alert.host_id,
        "mcn_id": alert.mcn_id,
        "rules_version": alert.rules_version,
        "runbook": runbook_section(alert.kind),
        "evidence": [msgspec.structs.asdict(sign) for sign in alert.evidence],
        "history": [
            {
                "version": told.version,
                "status": told.status,
                "severity": told.severity,
                "updated_ms": told.updated_ms,
                "score": told.score,
                "money_minor": told.money_minor,
            }
            for told in one.history
        ],
    }


def _by_severity(alerts: Sequence[KnownAlert]) -> dict[str, int]:
    given = [one.alert.severity for one in alerts]
    return {severity: given.count(severity) for severity in SEVERITIES}


def _line(known: Known, one: KnownAlert) -> Json:
    line: Json = {name: getattr(one.alert, name) for name in _LINE}
    room = known.summary(one.alert.room_id) if one.alert.room_id is not None else None
    line["room_name"] = room.host_name if room is not None else None
    line["digits"] = digits_of(one.alert.currency)
    line["verdict"] = None if one.verdict is None else _said(one.verdict)
    return line


def _said(verdict: Verdict) -> Json:
    return {"verdict": verdict.verdict, "given_ms": verdict.given_ms, "note": verdict.note}
