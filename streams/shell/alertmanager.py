"""What does Alertmanager get of an alert, and how? Its own API, version 2, nothing of ours between.

Labels tell alerts apart and route them: kind, severity, room, host, agency, product, `alert_id`.
What a person reads are annotations. Alertmanager knows an alert by its whole label set, so an alert
whose severity rises is another one to it: the old one has to be ended (`resolved`).
"""

import asyncio
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from schemas.records import Alert
from streams.shell.delivery import RESOLVED, News, ReceiverAwayError, ReceiverRefusedError
from streams.shell.runbook import runbook_section

_PATH = "/api/v2/alerts"
_ANSWER_SECONDS = 10.0
_SHOWN_ORDERS = 5
_CLIENT_ERROR, _SERVER_ERROR = 400, 500
_TOO_MANY = 429

_PART = "part"  # the label of what stands for a part of an alert

# What Alertmanager takes for one alert.
Post = dict[str, Any]


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


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
        **({"generatorURL": room_link(room_url, alert)} if room_url else {}),
    }


def resolved(alert: Alert, now_ms: int, room_url: str | None = None) -> Post:
    """An alert that has ended; its end is now, since it stood until the receiver hears of it."""
    return {**firing(alert, room_url), "endsAt": _time(max(now_ms, alert.started_ms))}


def in_each_room(post: Post, alert: Alert) -> list[Post]:
    """An alert, and of one of several rooms what it adds for each: it calls nobody, and silences.

    Alertmanager inhibits by equal labels, so a ring has to stand in each of its rooms to hold back
    what they say of themselves; the label `part` keeps these from people.
    """
    if alert.room_id is not None:
        return [post]
    parts = [
        {**post, "labels": {**post["labels"], "room_id": room_id, _PART: "room"}}
        for room_id in alert.rooms
    ]
    return [post, *parts]


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
        "runbook_url": runbook_section(alert.kind),
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


def room_link(room_url: str, alert: Alert) -> str:
    """The page of an alert's room at the time of the alert."""
    query = {"var-room": alert.room_id or "", "from": alert.started_ms, "to": alert.updated_ms}
    return f"{room_url}{'&' if '?' in room_url else '?'}{urlencode(query)}"


def _time(ms: int) -> str:
    moment = datetime.fromtimestamp(ms / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Alertmanager:
    """One Alertmanager, by its address.

    Args:
        url: where it listens.
        room_url: the page of a room, for links.
        now_ms: the time of people on call.
    """

    name = ""  # the first receiver that there was: its group has no name after it
    is_repeated = True
    starts_now = False
    holds_back = False  # its own rules do

    def __init__(
        self, url: str, room_url: str | None = None, now_ms: Callable[[], int] = _wall_ms
    ) -> None:
        self._url = url.rstrip("/") + _PATH
        self._room_url = room_url
        self._now_ms = now_ms

    def wants(self, alert: Alert) -> bool:
        """All of them; whom it calls is set there."""
        del alert
        return True

    async def take(self, news: Sequence[News]) -> None:
        """Hand alerts over; returns when they are taken.

        Raises:
            ReceiverAwayError: it is not there, or overloaded.
            ReceiverRefusedError: it does not take them, or is no Alertmanager.
        """
        posts = [post for each in news for post in self.posts(each)]
        await asyncio.to_thread(self._post, json.dumps(posts).encode())

    def posts(self, news: News) -> list[Post]:
        """What it gets of a version; one of another severity ends the alert that stood before."""
        posts = []
        if news.before is not None:
            ended = resolved(news.before, self._now_ms(), self._room_url)
            posts += in_each_room(ended, news.before)
        if news.alert.status == RESOLVED:
            post = resolved(news.alert, self._now_ms(), self._room_url)
        else:
            post = firing(news.alert, self._room_url)
        return [*posts, *in_each_room(post, news.alert)]

    def wording(self, news: News) -> str:
        """A line for each of the posts that people are told of."""
        told = (post for post in self.posts(news) if _PART not in post["labels"])
        return "\n".join(map(_line, told))

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
                raise ReceiverRefusedError(
                    f"{self._url} refuses alerts ({error.code}: {said}): is it an Alertmanager?"
                ) from error
            raise ReceiverAwayError(f"Alertmanager is away ({error.code}: {said})") from error
        except OSError as error:
            why = getattr(error, "reason", error)
            raise ReceiverAwayError(f"Alertmanager is away ({why})") from error


def _line(post: Post) -> str:
    labels, notes = post["labels"], post["annotations"]
    state = "resolved" if "endsAt" in post else "firing"
    at = datetime.fromisoformat(post["startsAt"]).strftime("%Y-%m-%d %H:%M:%S")
    named = f"{state:8} {labels['severity']:6} {labels['alert_id']} v{notes['version']}"
    return f"{named} since {at} UTC: {notes['summary']}"
