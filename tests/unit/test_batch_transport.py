"""What the transport does where Kafka's client would end the worker."""

from collections.abc import Awaitable, Callable
from inspect import getsource
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from streams.shell.batch_transport import _ConsumerThread

TARGET = TopicPartition("live-events", 0)


class _Client:
    """A consumer of aiokafka, which asserts that something is assigned."""

    def __init__(self, *assigned: TopicPartition) -> None:
        self._assigned = set(assigned)

    def assignment(self) -> set[TopicPartition]:
        return self._assigned

    async def seek_to_committed(self) -> dict[TopicPartition, int]:
        assert self._assigned, "No partitions are currently assigned"
        return dict.fromkeys(self._assigned, 7)


def thread_of(client: _Client) -> Any:  # noqa: ANN401 - a part of Faust's
    async def call_thread(ask: Callable[[], Awaitable[Any]]) -> object:
        return await ask()

    thread = _ConsumerThread.__new__(_ConsumerThread)
    thread._ensure_consumer = lambda: client
    thread.call_thread = call_thread
    return thread


async def test_a_worker_that_has_just_lost_everything_seeks_nothing_and_lives_on() -> None:
    assert await thread_of(_Client()).seek_to_committed() == {}


async def test_a_worker_goes_on_where_its_group_is() -> None:
    assert await thread_of(_Client(TARGET)).seek_to_committed() == {TARGET: 7}


def test_the_client_still_asserts_that_something_is_assigned() -> None:
    """Once it does not, the way around it can go."""
    assert "No partitions are currently assigned" in getsource(AIOKafkaConsumer.seek_to_committed)
