"""Which records were refused, why, and how are they sent again?

Dead letters stand in the topic `dead-letters` (key: topic, partition, offset, reason) or in the
`dead-letters.ndjson` of an embedded run; the newest of a key counts. A record is sent again byte
for byte, to the partition that any writer of its topic would choose. A preview shows only fields of
the contract, with the ids of persons, devices and accounts masked to their last four characters.

Bounds: the newest letter of every key is held, each at most 88 KiB (a record of 64 KiB in base64;
`too_large` ones up to the topic's limit).
"""

import base64
import binascii
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from producers.kafka import (
    BatchSender,
    BrokerError,
    KafkaError,
    TopicPartition,
    connected_consumer,
    connected_producer,
    largest_record_bytes,
    partition_count,
)
from schemas.codec import readable_room_id
from schemas.errors import REASONS
from schemas.events import MODELS
from schemas.partitioning import route
from schemas.records import DeadLetter
from schemas.topics import DEAD_LETTERS

PREVIEW_CHARACTERS = 160
SHOWN_CHARACTERS = 4
PERSONAL_FIELDS = frozenset(
    {"viewer_id", "buyer_id", "device_id", "payment_id", "address_id", "ip_id"}
)
_FIELDS = frozenset(name for model in MODELS for name in model.model_fields)
# Where a record is no JSON object: the text behind the name of a personal field, and any word with
# a digit, may be an id; other words are field names and plain text.
_IDENTITY = re.compile(
    rf'(?P<name>(?:{"|".join(sorted(PERSONAL_FIELDS))})"?\s*[:=]\s*"?)(?P<named>[^",\s}}]+)'
    r"|[\w.@+-]*\d[\w.@+-]*"
)
_decode = msgspec.json.Decoder(DeadLetter).decode
_decode_any = msgspec.json.Decoder().decode


class DeadLettersError(Exception):
    """Dead letters that cannot be read; the text is one line that says what to do."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The newest dead letter of each key, in order of topic, partition, offset and reason.

    Attributes:
        unreadable: entries of the topic that are no dead letters; they are left out.
    """

    letters: tuple[DeadLetter, ...]
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead letters are meant: of these reasons, of these rooms; None means of any."""

    reasons: frozenset[str] | None = None
    rooms: frozenset[str] | None = None

    def picks(self, letter: DeadLetter) -> bool:
        """Whether a letter is meant."""
        if self.reasons is not None and letter.reason not in self.reasons:
            return False
        return self.rooms is None or room_of(letter) in self.rooms


@dataclass(frozen=True, slots=True)
class ResendReport:
    """What was sent again: records by reason, and records that their topic does not take."""

    by_reason: dict[str, int]
    too_large: int

    @property
    def sent(self) -> int:
        """Records in all."""
        return sum(self.by_reason.values())


def record_bytes(letter: DeadLetter) -> bytes:
    """The refused record, byte for byte."""
    return base64.b64decode(letter.record_base64, validate=True)


def room_of(letter: DeadLetter) -> str | None:
    """The room that the refused record names, if it can be read."""
    return readable_room_id(record_bytes(letter))


def mask(identity: str) -> str:
    """An id of a person, device or account as it may be shown."""
    shown = identity[-SHOWN_CHARACTERS:] if len(identity) > SHOWN_CHARACTERS else ""
    return f"***{shown}"


def preview(letter: DeadLetter) -> str:
    """One line of printable text about the refused record, without personal ids."""
    value = record_bytes(letter)
    try:
        item = _decode_any(value)
    except (msgspec.MsgspecError, RecursionError):
        item = None
    if isinstance(item, dict):
        shown = {name: _shown(name, part) for name, part in item.items() if name in _FIELDS}
        text = msgspec.json.encode(shown).decode()
    else:
        start = value[: 4 * PREVIEW_CHARACTERS].decode(errors="replace")
        text = _IDENTITY.sub(_masked, start)
    text = "".join(
        character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text
    )
    if len(text) > PREVIEW_CHARACTERS:
        text = text[: PREVIEW_CHARACTERS - 1] + "\N{HORIZONTAL ELLIPSIS}"
    return text


def _masked(found: re.Match[str]) -> str:
    if found["name"] is None:
        return mask(found[0])
    return found["name"] + mask(found["named"])


def _shown(name: str, value: Any) -> object:  # noqa: ANN401 - any JSON value
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, dict | list):
        return "{...}" if isinstance(value, dict) else "[...]"
    return mask(str(value)) if name in PERSONAL_FIELDS else value


def read_file(path: Path) -> Letters:
    """The dead letters of an embedded run's `dead-letters.ndjson`.

    Raises:
        DeadLettersError: no such file, or a line of it is no dead letter.
    """
    newest: dict[tuple[str, int, int, str], DeadLetter] = {}
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                if not line.strip():
                    continue
                letter = _parse(line)
                if letter is None:
                    raise DeadLettersError(f"{path}: line {number} is no dead letter")
                newest[_key(letter)] = letter
    except OSError as error:
        raise DeadLettersError(f"{path}: {error.strerror}; name a dead-letters.ndjson") from error
    return Letters(_ordered(newest.values()))


async def read_topic(bootstrap: str, *, topic: str = DEAD_LETTERS) -> Letters:
    """The dead letters of a topic as it is now.

    Raises:
        BrokerError: no Kafka, no such topic, or Kafka refuses.
    """
    newest: dict[bytes, DeadLetter | None] = {}
    async with connected_consumer(bootstrap) as consumer:
        partitions = await partition_count(consumer, topic, bootstrap)
        try:
            async for key, value in _records(consumer, topic, partitions):
                newest.pop(key, None)
                newest[key] = None if value is None else _parse(value)
                if value is None:
                    del newest[key]
        except KafkaError as error:
            reason = str(error) or type(error).__name__
            raise BrokerError(f"topic {topic!r} cannot be read: {reason}") from error
    letters = [letter for letter in newest.values() if letter is not None]
    return Letters(_ordered(letters), unreadable=len(newest) - len(letters))


async def _records(
    consumer: Any,  # noqa: ANN401 - untyped library
    topic: str,
    partitions: int,
) -> AsyncIterator[tuple[bytes, bytes | None]]:
    """Key and value of all records up to what is the topic's end now; a null key is empty."""
    tps = [TopicPartition(topic, partition) for partition in range(partitions)]
    consumer.assign(tps)
    starts = await consumer.beginning_offsets(tps)
    ends = await consumer.end_offsets(tps)
    for tp in tps:
        consumer.seek(tp, starts[tp])
    unread = [tp for tp in tps if starts[tp] < ends[tp]]
    while unread:
        batches = await consumer.getmany(*unread, timeout_ms=200, max_records=5_000)
        for tp, records in batches.items():
            for record in records:
                if record.offset < ends[tp]:
                    yield record.key or b"", record.value
        unread = [tp for tp in unread if await consumer.position(tp) < ends[tp]]


def _parse(value: bytes) -> DeadLetter | None:
    try:
        letter = _decode(value)
        record_bytes(letter)
    except (msgspec.MsgspecError, binascii.Error, ValueError):
        return None
    return letter


def _key(letter: DeadLetter) -> tuple[str, int, int, str]:
    return letter.topic, letter.partition, letter.offset, letter.reason


def _ordered(letters: Iterable[DeadLetter]) -> tuple[DeadLetter, ...]:
    return tuple(sorted(letters, key=_key))


def count_by_reason(letters: Iterable[DeadLetter]) -> dict[str, int]:
    """How many letters each reason has, in the order of the closed list; absent ones left out."""
    counts = Counter(letter.reason for letter in letters)
    return {reason: counts[reason] for reason in REASONS if counts[reason]}


async def resend(bootstrap: str, letters: Iterable[DeadLetter]) -> ResendReport:
    """Send the refused records again, each to its topic, in order of partition and offset.

    The letters stay: a record that is refused again gets a new one at its new offset.

    Raises:
        BrokerError: no Kafka, no such topic, or Kafka refuses or stops answering.
    """
    by_topic: dict[str, list[DeadLetter]] = {}
    for letter in _ordered(letters):
        by_topic.setdefault(letter.topic, []).append(letter)
    sent: list[DeadLetter] = []
    too_large = 0
    async with connected_producer(bootstrap) as producer:
        # all topics have to be there before the first record goes out
        counts = {topic: await partition_count(producer, topic, bootstrap) for topic in by_topic}
        for topic, chosen in by_topic.items():
            sender = BatchSender(producer, topic, counts[topic])
            limit = largest_record_bytes(topic)
            for letter in chosen:
                value = record_bytes(letter)
                if len(value) > limit:
                    too_large += 1
                    continue
                await _send(sender, value, counts[topic])
                sent.append(letter)
            await sender.flush()
    return ResendReport(count_by_reason(sent), too_large)


async def _send(sender: BatchSender, value: bytes, partitions: int) -> None:
    partition = route(value, partitions)
    room_id = None if partition is None else readable_room_id(value)
    key = None if room_id is None else room_id.encode()
    for target in range(partitions) if partition is None else (partition,):
        while not sender.try_add(target, key, value):
            await sender.ship(target)
