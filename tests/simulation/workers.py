"""Workers of a simulated group: the real room stage, fed, refreshed, saved, killed, left behind.

A worker that the group has given up does not know it for a while (a zombie): it folds on, publishes
and saves, but what it acknowledges no longer counts, as Kafka refuses commits of old generations.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

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
        loop = asyncio.get_running_loop()
        self.stage = RoomStage(self.publisher, checkpoints, self, loop.time)
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
        await self.stage.leave()

    def join(self, numbers: list[int]) -> None:
        """The group gives partitions, to be read from where they were acknowledged."""
        self.is_member = True
        self.stage.expect(numbers)
        self.positions = {number: self._world.committed[number] for number in numbers}

    async def kill(self) -> None:
        """The process is gone; some of what was on its way arrives."""
        self.is_member = False
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        on_the_way = len(self.publisher.on_the_way)
        self.publisher.arrive(self._world.random.randint(0, on_the_way))
        self.publisher.on_the_way = []

    def raise_bugs(self) -> None:
        """A broken promise inside a task ends the simulation."""
        for task in self._tasks:
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                raise error

    async def _guarded(self, act: Callable[[], Coroutine[Any, Any, None]]) -> None:
        try:
            await act()
        except PublishingFailedError:
            self.failed.set()  # a worker ends its process at once: nothing of it runs on
            for task in self._tasks:
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
