"""Workers of a simulated group: the real stages, fed, refreshed, saved, killed, left behind.

A worker that the group has given up does not know it for a while (a zombie): it folds on, publishes
and saves, but what it acknowledges no longer counts, as Kafka refuses commits of old generations.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from schemas import topics
from streams.shell.board_stage import LEADING_PARTITION
from streams.shell.following import Followed
from streams.shell.ring_stages import MarksIn, identity_stage, ring_stage
from streams.shell.room_stage import RoomStage
from tests.simulation.world import PublishingFailedError, SimCheckpoints, SimPublisher, World

REFRESH_SECONDS = 1.0
SAVE_SECONDS = 2.0
LARGEST_BATCH = 20


class SimWorker:
    """One process. `positions` is from where it reads each partition that it believes to have."""

    def __init__(self, world: World, name: str, failing: float) -> None:
        self._world = world
        self.name = name
        self.publisher = SimPublisher(world, failing)
        checkpoints = SimCheckpoints(world, name)
        self._identity_checkpoints = SimCheckpoints(world, name, topics.IDENTITY_CHECKPOINTS)
        self._ring_checkpoints = SimCheckpoints(world, name, topics.RING_CHECKPOINTS)
        loop = asyncio.get_running_loop()
        partitions = len(world.logs)
        self.stage = RoomStage(self.publisher, checkpoints, self, loop.time, partitions=partitions)
        self.followed: list[Followed] = []
        self._places: dict[tuple[str, int], int] = {}  # from where each of them is read
        self._following: asyncio.Task[None] | None = None
        self.positions: dict[int, int] = {}
        self.is_member = True  # whether the group takes its acknowledgements
        self.failed = asyncio.Event()
        self._tasks = [
            loop.create_task(self._guarded(act)) for act in (self._read, self._refresh, self._save)
        ]

    async def rewind(self, partition: int, next_offset: int, first_offset: int) -> bool:
        """The port of the stage: read again from an offset."""
        if next_offset >= first_offset or partition not in self.positions:
            return False
        self._world.count("went back to the state's offset")
        self.positions[partition] = next_offset
        return True

    async def leave(self) -> None:
        """The group takes all partitions back."""
        self.positions = {}
        await self._stop_following()
        await self.stage.leave()

    def join(self, numbers: list[int]) -> None:
        """The group gives partitions, to be read from where they were acknowledged."""
        self.is_member = True
        self.stage.expect(numbers)
        self.positions = {number: self._world.committed[number] for number in numbers}
        self.followed, self._places = self._what_goes_with(numbers), {}
        following = self._guarded(self._follow)
        self._following = asyncio.get_running_loop().create_task(following)

    @property
    def is_drained(self) -> bool:
        """Whether it has taken all that it follows, and nothing is on its way."""
        world = self._world
        return not self.publisher.on_the_way and all(
            self._places.get((each.topic, each.number))
            == len(world.followed.get((each.topic, each.number), ()))
            for each in self.followed
        )

    def _what_goes_with(self, numbers: list[int]) -> list[Followed]:
        """As the worker has it."""
        sources, publisher = len(self._world.logs), self.publisher
        followed: list[Followed] = []
        for number in numbers:
            saves = self._identity_checkpoints
            followed.append(identity_stage(number, sources, publisher, saves))
            followed.append(MarksIn(number, self.stage))
        if LEADING_PARTITION in numbers:
            followed.append(ring_stage(sources, publisher, self._ring_checkpoints))
        return followed

    async def _stop_following(self) -> None:
        following, self._following = self._following, None
        self.followed = []
        if following is not None:
            following.cancel()
            await asyncio.gather(following, return_exceptions=True)

    async def _follow(self) -> None:
        """Take what is durable of each partition, some at a time."""
        world = self._world
        followed = {(each.topic, each.number): each for each in self.followed}
        for target, each in followed.items():
            offset = await each.open()
            assert offset is not None
            self._places[target] = offset
        while True:
            logs = {target: world.followed.get(target, []) for target in followed}
            behind = [target for target, at in self._places.items() if at < len(logs[target])]
            await world.pause()
            if behind:
                target = world.random.choice(behind)
                first = self._places[target]
                some = logs[target][first : first + world.random.randint(1, LARGEST_BATCH)]
                await followed[target].take(range(first, first + len(some)), some)
                self._places[target] = first + len(some)

    async def kill(self) -> None:
        """The process is gone; some of what was on its way arrives."""
        self.is_member = False
        await self._stop_following()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        on_the_way = len(self.publisher.on_the_way)
        self.publisher.arrive(self._world.random.randint(0, on_the_way))
        self.publisher.on_the_way = []

    def raise_bugs(self) -> None:
        """A broken promise inside a task ends the simulation."""
        for task in (*self._tasks, *([self._following] if self._following else [])):
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _guarded(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await act()
        except PublishingFailedError:
            self.failed.set()  # a worker ends its process at once: nothing of it runs on
            for task in (*self._tasks, *([self._following] if self._following else [])):
                task.cancel()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS * (0.5 + self._world.random.random()))
            for number in list(self.positions):
                await self.stage.open(number)
            await self.stage.refresh()

    async def _save(self) -> None:
        while True:
            await asyncio.sleep(SAVE_SECONDS * (0.3 + self._world.random.random()))
            await self.stage.save()
            for each in self.followed:
                await each.save()

    async def _read(self) -> None:
        world = self._world
        while True:
            behind = [n for n, at in self.positions.items() if at < len(world.logs[n])]
            if not behind:
                await world.pause()
                continue
            number = world.random.choice(behind)
            first = self.positions[number]
            end = min(len(world.logs[number]), first + world.random.randint(1, LARGEST_BATCH))
            self.positions[number] = end
            terms = self.positions
            if world.random.random() < 0.8:
                await world.pause()  # the fetch is on its way while the group may rebalance
            if terms is not self.positions:
                world.count("a fetch of before a rebalance")
                if world.random.random() < 0.2:
                    continue
            await self.stage.take(
                number,
                list(range(first, end)),
                world.logs[number][first:end],
                self._acknowledging(number, end, terms),
            )

    def _acknowledging(self, number: int, end: int, terms: dict[int, int]) -> Callable[[], None]:
        def acknowledge() -> None:
            world = self._world
            world.assert_published(number, end)
            assert end <= world.saved_offset(number), "acknowledged before it was checkpointed"
            if self.is_member and terms is self.positions:
                world.committed[number] = max(world.committed[number], end)
            else:
                world.count("acknowledged too late")

        return acknowledge
