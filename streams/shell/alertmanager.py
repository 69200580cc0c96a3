"""What does Alertmanager get of an alert, and how? Its own API, version 2, nothing of ours between.

Labels tell alerts apart and route them: kind, severity, room, host, agency, product, `alert_id`.
What a person reads are annotations. Alertmanager knows an alert by its whole label set, so an alert
whose severity rises is another one to it: the old one has to be ended (`resolved`).
"""

import asyncio
import json
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from schemas.records import Alert

# Where each kind of alert is explained; in the project's own tree, for it has no home on the net.
RUNBOOK = "docs/runbook.md"
_PATH = "/api/v2/alerts"
_ANSWER_SECONDS = 10.0
_SHOWN_ORDERS = 5
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_TOO_MANY = 429

# What Alertmanager takes for one alert.
Post = dict[str, Any]


class AlertmanagerAwayError(Exception):
    """Alertmanager does not answer, or not now; the same again may succeed later."""


class AlertmanagerRefusedError(RuntimeError):
    """Alertmanager will never take this; the text is one line that says what to do."""


def firing(alert: Alert, room_url: str | None = None) -> Post:
    """An alert as it stands; without an end, so that it lasts while it is repeated.

    Args:
        alert: its newest version.
        room_url: the page of a room, to which room and time are added.
    """
    return {
        "labels": _labels(alert),
        "annotations": _annotations(alert),
        "startsAt": _time(alert.started_ms),
        **({"generatorURL": _link(room_url, alert)} if room_url else {}),
    }


def resolved(alert: Alert, now_ms: int, room_url: str | None = None) -> Post:
    """An alert that has ended; its end is now, since it stood until the receiver hears of it."""
    return {**firing(alert, room_url), "endsAt": _time(max(now_ms, alert.started_ms))}


def _labels(alert: Alert) -> dict[str, str]:
    labels = {
        "alertname": alert.kind,
        "severity": alert.severity,
        "alert_id": alert.alert_id,
        "room_id": alert.room_id,
        "host_id": alert.host_id,
        "mcn_id": alert.mcn_id,
        "product_id": alert.product_id,
    }
    return {name: value for name, value in labels.items() if value}


def _annotations(alert: Alert) -> dict[str, str]:
    lines = [
        f"{sign.signal}: {sign.observed:.1%} seen, {sign.expected:.1%} normal,"
        f" weight {sign.weight:.1f}" + _orders(sign.orders)
        for sign in alert.evidence
    ]
    return {
        "summary": alert.summary,
        "runbook_url": f"{RUNBOOK}#{alert.kind}",
        "evidence": "\n".join(lines),
        "money_minor": str(alert.money_minor),
        "currency": alert.currency or "",
        "score": f"{alert.score:.1f} of {alert.threshold:.1f}",
        "version": str(alert.version),
        "rules_version": str(alert.rules_version) if alert.rules_version is not None else "default",
    }


def _orders(orders: list[str]) -> str:
    if not orders:
        return ""
    more = len(orders) - _SHOWN_ORDERS
    shown = f"; orders {', '.join(orders[:_SHOWN_ORDERS])}"
    return f"{shown} and {more} more" if more > 0 else shown


def _link(room_url: str, alert: Alert) -> str:
    query = {"var-room": alert.room_id or "", "from": alert.started_ms, "to": alert.updated_ms}
    return f"{room_url}{'&' if '?' in room_url else '?'}{urlencode(query)}"


def _time(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Alertmanager:
    """One Alertmanager, by its address."""

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/") + _PATH

    async def post(self, posts: list[Post]) -> None:
        """Hand alerts over; returns when they are taken.

        Raises:
            AlertmanagerAwayError: it is not there, or overloaded.
            AlertmanagerRefusedError: it does not take them, or is no Alertmanager.
        """
        await asyncio.to_thread(self._post, json.dumps(posts).encode())

    def _post(self, body: bytes) -> None:
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked by the command
            self._url, body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS):  # noqa: S310 - as above
                return
        except urllib.error.HTTPError as error:
            said = error.read(300).decode(errors="replace").strip()
            if _CLIENT_ERROR <= error.code < _SERVER_ERROR and error.code != _TOO_MANY:
                raise AlertmanagerRefusedError(
                    f"{self._url} refuses alerts ({error.code}: {said}): is it an Alertmanager?"
                ) from error
            raise AlertmanagerAwayError(f"{error.code}: {said}") from error
        except OSError as error:
            raise AlertmanagerAwayError(str(getattr(error, "reason", error))) from error
