"""How does an alert reach people? Each version in order, at least once, until it is taken.

Reads the `alerts` topic in a consumer group and commits a version when Alertmanager has taken it: a
receiver that is away is tried again for as long as it takes, and a sender that was killed goes on
where it was. What a restarted worker publishes anew is known by id and version and not sent again.
Alertmanager forgets what is not repeated, so all that is firing is repeated every minute.

Bounds: `MOST_FIRING` alerts are kept for repetition, the longest unchanged go first.
"""

import asyncio
import logging
import time
from collections.abc import Callable

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.kafka_access import client_options
from schemas.records import Alert, decode_alert
from schemas.topics import ALERTS
from streams.shell.alertmanager import (
    Alertmanager,
    AlertmanagerAwayError,
    Post,
    firing,
    resolved,
)
from streams.shell.patience import REQUEST_TIMEOUT_MS
from streams.shell.reading import Record, read_to_end

MOST_FIRING = 10_000
REPEAT_SECONDS = 60.0
# A version that was published later than this after its event time is of a replay of the past, not
# for people on call. It is the moment of publishing that counts: one that waited here is told.
OF_NOW_MS = 3_600_000
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 15.0
_POLL_MS = 500

log = logging.getLogger("roompulse.deliver")


class Outbox:
    """What has to be told of each version, and what is firing. No I/O.

    Args:
        replayed: whether alerts of the past are told, too.
    """

    def __init__(self, *, replayed: bool = False, room_url: str | None = None) -> None:
        self._replayed = replayed
        self._room_url = room_url
        self._known: dict[str, tuple[Alert, bool]] = {}  # by id: the newest version, and if told

    def note(self, alert: Alert, published_ms: int) -> bool:
        """Know a version, which may have been told before; whether it is news for people."""
        known, _ = self._known.get(alert.alert_id, (None, False))
        if known is not None and known.version >= alert.version:
            return False
        is_told = self._replayed or published_ms - alert.updated_ms <= OF_NOW_MS
        self._known.pop(alert.alert_id, None)
        self._known[alert.alert_id] = alert, is_told
        if len(self._known) > MOST_FIRING:
            del self._known[next(iter(self._known))]
        return is_told

    def told_by(self, alert: Alert, published_ms: int, now_ms: int) -> list[Post]:
        """What is sent for a version; nothing for one that is known or of the past."""
        before, was_told = self._known.get(alert.alert_id, (None, False))
        if not self.note(alert, published_ms):
            return []
        posts = [self._post(alert, now_ms)]
        graver = before is not None and before.severity != alert.severity
        if before is not None and was_told and graver and before.status != "resolved":
            posts.insert(0, resolved(before, now_ms, self._room_url))
        return posts

    def repeated(self, now_ms: int) -> list[Post]:
        """All that is firing."""
        return [
            self._post(alert, now_ms)
            for alert, is_told in self._known.values()
            if is_told and alert.status != "resolved"
        ]

    def _post(self, alert: Alert, now_ms: int) -> Post:
        if alert.status == "resolved":
            return resolved(alert, now_ms, self._room_url)
        return firing(alert, self._room_url)


def wall_ms() -> int:
    """The time of people on call."""
    return time.time_ns() // 1_000_000


async def deliver(
    bootstrap: str,
    group: str,
    outbox: Outbox,
    send: Callable[[list[Post]], object],
    alertmanager: Alertmanager | None,
) -> None:
    """Deliver until cancelled.

    Args:
        bootstrap: Kafka's address.
        group: its committed offset is how far delivery is.
        outbox: decides what is told.
        send: is told of what was sent, after Alertmanager has taken it.
        alertmanager: None for a dry run, which commits nothing.

    Raises:
        AlertmanagerRefusedError: it will never take what is sent.
    """
    consumer = AIOKafkaConsumer(
        **client_options(bootstrap),
        group_id=group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    target = TopicPartition(ALERTS, 0)
    await consumer.start()
    try:
        consumer.assign([target])
        told_to = (await consumer.committed(target)) or 0
        async for record in read_to_end(bootstrap, ALERTS, 0):
            alert = _alert_in(record)
            if record.offset < told_to and alert is not None:
                outbox.note(alert, record.timestamp)
        repeat_at = time.monotonic()
        while True:
            batches = await consumer.getmany(target, timeout_ms=_POLL_MS)
            for record in batches.get(target, ()):
                alert = _alert_in(record)
                if alert is not None:
                    posts = outbox.told_by(alert, record.timestamp, wall_ms())
                    await _send(posts, send, alertmanager)
                if alertmanager is not None:
                    await consumer.commit({target: record.offset + 1})
            if time.monotonic() >= repeat_at and alertmanager is not None:
                await _send(outbox.repeated(wall_ms()), None, alertmanager)
                repeat_at = time.monotonic() + REPEAT_SECONDS
    finally:
        await consumer.stop()


def _alert_in(record: Record) -> Alert | None:
    """The version of an alert that a record holds; None for what people said of one."""
    told = decode_alert(record.key or b"", record.value or b"")
    return told if isinstance(told, Alert) else None


async def _send(
    posts: list[Post],
    send: Callable[[list[Post]], object] | None,
    alertmanager: Alertmanager | None,
) -> None:
    if not posts:
        return
    pause_seconds = _FIRST_PAUSE_SECONDS
    while alertmanager is not None:
        try:
            await alertmanager.post(posts)
            break
        except AlertmanagerAwayError as error:
            log.warning("Alertmanager is away (%s): trying again", error)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
    if send is not None:
        send(posts)
