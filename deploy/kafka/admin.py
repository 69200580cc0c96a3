"""Whether the topics are there as declared, and how they come to be there.

Everything follows `schemas.topics.TOPICS`; nothing here names a topic. Creating is idempotent and
never alters a topic that exists: a difference in partitions or settings is reported, since only
the owner of the data can decide what a change would cost (keys move between partitions).

Bounds: every call ends within `_TIMEOUT_SECONDS`, after the broker was found by `require_broker`.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError, TopicAlreadyExistsError, for_code

from deploy.kafka.probe import require_broker
from schemas.kafka_access import client_options
from schemas.topics import DEFAULT_PARTITIONS, TOPICS, Topic

_TIMEOUT_SECONDS = 20.0
_POLL_SECONDS = 0.05


class TopicsError(RuntimeError):
    """The topics could not be read or made; the text is one line that says why."""


@dataclass(frozen=True, slots=True)
class TopicState:
    """A declared topic beside what the broker has.

    Attributes:
        declared: the declaration.
        expected_partitions: how many it should have.
        partitions: how many it has; None when it does not exist.
        settings: of the declared settings, those the broker holds, by their Kafka names.
        created: whether this call made it.
    """

    declared: Topic
    expected_partitions: int
    partitions: int | None
    settings: dict[str, str]
    created: bool = False

    @property
    def exists(self) -> bool:
        return self.partitions is not None

    @property
    def differences(self) -> tuple[str, ...]:
        """What an existing topic has otherwise than declared: "has 4 partitions instead of 8"."""
        if self.partitions is None:
            return ()
        found = []
        if self.partitions != self.expected_partitions:
            found.append(f"has {self.partitions} partitions instead of {self.expected_partitions}")
        for name, wanted in self.declared.settings().items():
            actual = self.settings.get(name, "nothing")
            if actual != wanted:
                found.append(f"has {name}={actual} instead of {wanted}")
        return tuple(found)

    @property
    def as_declared(self) -> bool:
        return self.exists and not self.differences


async def describe_topics(
    bootstrap: str,
    *,
    topics: Iterable[Topic] = TOPICS,
    live_partitions: int = DEFAULT_PARTITIONS,
) -> list[TopicState]:
    """Each of `topics` as the broker has it, in order; changes nothing.

    Raises `BrokerUnavailable` and `TopicsError`.
    """
    async with _admin(bootstrap) as admin:
        return await _describe(admin, tuple(topics), live_partitions)


async def create_topics(
    bootstrap: str,
    *,
    topics: Iterable[Topic] = TOPICS,
    live_partitions: int = DEFAULT_PARTITIONS,
) -> list[TopicState]:
    """Make those of `topics` that do not exist; returns all as they are then.

    An existing topic stays as it is, see `TopicState.differences`. Returns once each partition
    has a leader, so that a client may use them at once. Replicas: as many as the broker makes by
    default. Raises `BrokerUnavailable` and `TopicsError`.
    """
    wanted = tuple(topics)
    async with _admin(bootstrap) as admin:
        before = await _describe(admin, wanted, live_partitions)
        absent = [state for state in before if not state.exists]
        created = await _create(admin, absent) if absent else frozenset()
        after = await _describe_when_led(admin, wanted, live_partitions)
    return [replace(state, created=state.declared.name in created) for state in after]


async def verify_topics(
    bootstrap: str,
    *,
    topics: Iterable[Topic] = TOPICS,
    live_partitions: int | None = None,
) -> list[TopicState]:
    """`describe_topics`, raising `TopicsError` in one line unless all are there as declared.

    Without `live_partitions` any number of partitions of `live-events` will do, as long as the
    topics that follow it have the same.
    """
    states = await describe_topics(
        bootstrap, topics=topics, live_partitions=live_partitions or DEFAULT_PARTITIONS
    )
    if live_partitions is None:
        states = _with_partitions_found(states)
    absent = [state.declared.name for state in states if not state.exists]
    if absent:
        raise TopicsError(
            f"no topic {', '.join(absent)} at {bootstrap}: make them with `roompulse topics create`"
        )
    wrong = [
        f"{state.declared.name} {difference}"
        for state in states
        for difference in state.differences
    ]
    if wrong:
        raise TopicsError(
            f"topics at {bootstrap} differ from their declaration: {'; '.join(wrong)}"
        )
    return states


async def foreign_topics(bootstrap: str) -> list[str]:
    """Names of the broker's topics that are not declared, sorted; Kafka's own left out."""
    declared = {topic.name for topic in TOPICS}
    async with _admin(bootstrap) as admin:
        names = await admin.list_topics()
    return sorted(name for name in names if name not in declared and not name.startswith("__"))


def _with_partitions_found(states: list[TopicState]) -> list[TopicState]:
    following = [state.partitions for state in states if state.declared.partitions is None]
    found = next((count for count in following if count is not None), DEFAULT_PARTITIONS)
    return [
        replace(state, expected_partitions=state.declared.partition_count(found))
        for state in states
    ]


@contextlib.asynccontextmanager
async def _admin(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """A connected client; what it cannot do comes out as `TopicsError`, its own log stays quiet."""
    await asyncio.to_thread(require_broker, bootstrap)
    log = logging.getLogger("aiokafka")
    level = log.level
    log.setLevel(logging.CRITICAL)
    admin = AIOKafkaAdminClient(
        **client_options(bootstrap), request_timeout_ms=int(_TIMEOUT_SECONDS * 1000)
    )
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            await admin.start()
            yield admin
    except KafkaError as error:
        raise TopicsError(f"the Kafka at {bootstrap} refused: {error}") from error
    except TimeoutError as error:
        raise TopicsError(
            f"the Kafka at {bootstrap} did not finish within {_TIMEOUT_SECONDS:g} s"
        ) from error
    finally:
        await admin.close()
        log.setLevel(level)


async def _create(admin: AIOKafkaAdminClient, absent: list[TopicState]) -> frozenset[str]:
    requests = [
        NewTopic(
            name=state.declared.name,
            num_partitions=state.expected_partitions,
            replication_factor=-1,
            replica_assignments={},
            topic_configs=state.declared.settings(),
        )
        for state in absent
    ]
    answer = (await admin.create_topics(requests)).to_object()
    created = set()
    for entry in answer["topic_errors"]:
        code = entry["error_code"]
        if code == 0:
            created.add(entry["topic"])
        elif code != TopicAlreadyExistsError.errno:  # another one may have been faster
            reason = entry.get("error_message") or for_code(code).__name__
            raise TopicsError(f"topic {entry['topic']} could not be made: {reason}")
    return frozenset(created)


async def _describe_when_led(
    admin: AIOKafkaAdminClient, topics: tuple[Topic, ...], live_partitions: int
) -> list[TopicState]:
    names = [topic.name for topic in topics]
    while True:
        found = await admin.describe_topics(names)
        if all(_is_led(entry) for entry in found):
            return await _describe(admin, topics, live_partitions)
        await asyncio.sleep(_POLL_SECONDS)


async def _describe(
    admin: AIOKafkaAdminClient, topics: tuple[Topic, ...], live_partitions: int
) -> list[TopicState]:
    existing = set(await admin.list_topics())
    names = [topic.name for topic in topics if topic.name in existing]
    found = await admin.describe_topics(names) if names else []
    partitions = {entry["topic"]: len(entry["partitions"]) for entry in found}
    settings = await _settings(admin, [topic for topic in topics if topic.name in existing])
    return [
        TopicState(
            declared=topic,
            expected_partitions=topic.partition_count(live_partitions),
            partitions=partitions.get(topic.name),
            settings=settings.get(topic.name, {}),
        )
        for topic in topics
    ]


async def _settings(admin: AIOKafkaAdminClient, topics: list[Topic]) -> dict[str, dict[str, str]]:
    if not topics:
        return {}
    resources = [
        ConfigResource(ConfigResourceType.TOPIC, topic.name, dict.fromkeys(topic.settings()))
        for topic in topics
    ]
    settings: dict[str, dict[str, str]] = {}
    for answer in await admin.describe_configs(resources):
        for resource in answer.to_object()["resources"]:
            entries = resource["config_entries"]
            settings[resource["resource_name"]] = {
                entry["config_names"]: entry["config_value"] for entry in entries
            }
    return settings


def _is_led(entry: dict[str, Any]) -> bool:
    partitions = entry["partitions"]
    return bool(partitions) and all(partition["leader"] >= 0 for partition in partitions)
