"""How does an alert reach people? Each version in order, at least once, until it is taken.

A receiver (Alertmanager, or a route to a chat, a mailbox or a webhook) has a consumer group of its
own: the offset that it has committed is how far it is. So one that is away is tried again for as
long as it takes while the others go on, and a sender that was killed goes on where each of them
was. What a restarted worker publishes anew is known by id and version and not sent again. One that
forgets what is not repeated is told every minute of all that is firing.

Bounds: `MOST_FIRING` alerts are known for each receiver, the longest unchanged go first.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from aiokafka import AIOKafkaConsumer, TopicPartition

from schemas.kafka_access import client_options
from schemas.records import Alert, decode_alert
from schemas.topics import ALERTS
from streams.shell.patience import REQUEST_TIMEOUT_MS
from streams.shell.reading import Record, read_to_end

MOST_FIRING = 10_000
REPEAT_SECONDS = 60.0
# A version that was published later than this after its event time is of a replay of the past, not
# for people on call. It is the moment of publishing that counts: one that waited here is told.
OF_NOW_MS = 3_600_000
RESOLVED = "resolved"
# The same cause is told once: a ring speaks for its rooms, brushing for a product that runs hot.
_SPEAKS_FOR = {"brushed_orders": "identity_ring", "hot_item": "brushed_orders"}
_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 0.5, 15.0
_POLL_MS = 500

log = logging.getLogger("roompulse.deliver")


class ReceiverAwayError(Exception):
    """A receiver does not take it now; the same again may succeed later."""


class ReceiverRefusedError(RuntimeError):
    """A receiver will never take this; the text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class News:
    """A version that people have not heard of.

    Attributes:
        before: the version that was told last, where its severity was another.
    """

    alert: Alert
    before: Alert | None = None


class Receiver(Protocol):
    """Who is told.

    Attributes:
        name: tells it from the others, in its consumer group and in the log; never its address.
        is_repeated: whether it forgets what it is not told again.
        starts_now: whether one that is new hears of nothing that was published before.
        holds_back: whether what another alert speaks for is held back here, not by the receiver.
    """

    name: str
    is_repeated: bool
    starts_now: bool
    holds_back: bool

    def wants(self, alert: Alert) -> bool:
        """Whether it is told of such an alert at all."""

    async def take(self, news: Sequence[News]) -> None:
        """Return once all of it is taken.

        Raises:
            ReceiverAwayError: try again.
            ReceiverRefusedError: never.
        """

    def wording(self, news: News) -> str:
        """What would be sent, for people to read."""


class Outbox:
    """What has to be told of each version, and what is firing. No I/O.

    Args:
        replayed: whether alerts of the past are told, too.
        holds_back: whether an alert is not told while another one speaks for it.
        wants: whom it is for; whoever was told of an alert is told of all that follows, too.
    """

    def __init__(
        self,
        *,
        replayed: bool = False,
        holds_back: bool = False,
        wants: Callable[[Alert], bool] = lambda _: True,
    ) -> None:
        self._replayed = replayed
        self._holds_back = holds_back
        self._wants = wants
        self._known: dict[str, tuple[Alert, bool]] = {}  # by id: the newest version, and if told

    def note(self, alert: Alert, published_ms: int) -> bool:
        """Know a version, which may have been told before; whether it is news for people."""
        known, was_told = self._known.get(alert.alert_id, (None, False))
        if known is not None and known.version >= alert.version:
            return False
        is_of_now = self._replayed or published_ms - alert.updated_ms <= OF_NOW_MS
        is_told = is_of_now and (was_told or self._is_for_them(alert))
        self._known.pop(alert.alert_id, None)
        self._known[alert.alert_id] = alert, is_told
        if len(self._known) > MOST_FIRING:
            del self._known[next(iter(self._known))]
        return is_told

    def told_by(self, alert: Alert, published_ms: int) -> News | None:
        """What is sent for a version; nothing for one that is known, of the past or held back."""
        before, was_told = self._known.get(alert.alert_id, (None, False))
        if not self.note(alert, published_ms):
            return None
        changed = before is not None and before.severity != alert.severity
        if before is not None and was_told and changed and before.status != RESOLVED:
            return News(alert, before)
        return News(alert)

    def firing(self) -> list[News]:
        """All that people were told of and that is not over."""
        return [
            News(alert)
            for alert, is_told in self._known.values()
            if is_told and alert.status != RESOLVED
        ]

    def _is_for_them(self, alert: Alert) -> bool:
        return self._wants(alert) and not (self._holds_back and self._is_spoken_for(alert))

    def _is_spoken_for(self, alert: Alert) -> bool:
        speaker = _SPEAKS_FOR.get(alert.kind)
        if speaker is None or alert.room_id is None:
            return False
        return any(
            other.kind == speaker and alert.room_id in (other.room_id, *other.rooms)
            for other in (news.alert for news in self.firing())
        )


async def deliver(
    bootstrap: str,
    group: str,
    receivers: Iterable[Receiver],
    *,
    replayed: bool = False,
    is_dry: bool = False,
    tell: Callable[[Receiver, News], object],
) -> None:
    """Deliver to all receivers at the same time, until cancelled.

    Args:
        bootstrap: Kafka's address.
        group: the consumer group of Alertmanager; a route's has its name after it.
        receivers: whom to tell.
        replayed: whether alerts of the past are told, too.
        is_dry: send and commit nothing; begin where the topic does if the receiver is new.
        tell: is told of what was sent, once it was taken, or would have been.

    Raises:
        ReceiverRefusedError: one of them will never take what is sent.
    """
    tasks = [
        asyncio.create_task(
            _deliver_to(each, bootstrap, group, replayed=replayed, is_dry=is_dry, tell=tell)
        )
        for each in receivers
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def group_of(receiver: Receiver, group: str) -> str:
    """The consumer group in which the progress of a receiver is kept."""
    return f"{group}-{receiver.name}" if receiver.name else group


async def _deliver_to(
    receiver: Receiver,
    bootstrap: str,
    group: str,
    *,
    replayed: bool,
    is_dry: bool,
    tell: Callable[[Receiver, News], object],
) -> None:
    outbox = Outbox(replayed=replayed, holds_back=receiver.holds_back, wants=receiver.wants)
    consumer = AIOKafkaConsumer(
        **client_options(bootstrap),
        group_id=group_of(receiver, group),
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=REQUEST_TIMEOUT_MS,
    )
    target = TopicPartition(ALERTS, 0)
    await consumer.start()
    try:
        consumer.assign([target])
        told_to = await _beginning(consumer, target, receiver, is_dry=is_dry)
        async for record in read_to_end(bootstrap, ALERTS, 0):
            alert = _alert_in(record)
            if record.offset < told_to and alert is not None:
                outbox.note(alert, record.timestamp)
        repeat_at = time.monotonic()
        while True:
            batches = await consumer.getmany(target, timeout_ms=_POLL_MS)
            for record in batches.get(target, ()):
                alert = _alert_in(record)
                news = outbox.told_by(alert, record.timestamp) if alert is not None else None
                if news is not None:
                    if not is_dry:
                        await _sent(receiver, [news])
                    tell(receiver, news)
                if not is_dry:
                    await consumer.commit({target: record.offset + 1})
            if receiver.is_repeated and not is_dry and time.monotonic() >= repeat_at:
                await _sent(receiver, outbox.firing())
                repeat_at = time.monotonic() + REPEAT_SECONDS
    finally:
        await consumer.stop()


async def _beginning(
    consumer: AIOKafkaConsumer, target: TopicPartition, receiver: Receiver, *, is_dry: bool
) -> int:
    """The offset below which a receiver has been told of everything."""
    committed: int | None = await consumer.committed(target)
    if committed is not None:
        return committed
    if is_dry or not receiver.starts_now:
        return 0
    end = int((await consumer.end_offsets([target]))[target])
    await consumer.commit({target: end})  # before anything else, so that a crash loses nothing
    consumer.seek(target, end)
    return end


def _alert_in(record: Record) -> Alert | None:
    """The version of an alert that a record holds; None for what people said of one."""
    told = decode_alert(record.key or b"", record.value or b"")
    return told if isinstance(told, Alert) else None


async def _sent(receiver: Receiver, news: Sequence[News]) -> None:
    """Return once a receiver has taken it, however long it is away."""
    if not news:
        return
    pause_seconds = _FIRST_PAUSE_SECONDS
    while True:
        try:
            await receiver.take(news)
        except ReceiverAwayError as error:
            log.warning("%s: trying again", error)
            await asyncio.sleep(pause_seconds)
            pause_seconds = min(2 * pause_seconds, _LONGEST_PAUSE_SECONDS)
        else:
            return
