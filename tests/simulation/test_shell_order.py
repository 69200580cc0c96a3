"""Whatever is killed, late, torn or slow: what is published is what an undisturbed run gives.

Each seed is one history of crashes, rebalances, zombies and failing writes over the real room stage
and the real board fold, on a virtual clock. `ROOMPULSE_SIMULATION_SEEDS=5000 pytest
tests/simulation` looks further; a failure names the seed, which repeats it alone:
`ROOMPULSE_SIMULATION_FIRST=17 ROOMPULSE_SIMULATION_SEEDS=1`.
"""

import asyncio
import os
from collections import Counter
from dataclasses import dataclass
from functools import cache
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from producers.generator import generate
from schemas import codec, records, topics
from schemas.codec import Tick
from schemas.partitioning import route
from schemas.records import Progress, RoomFigures
from streams.core.boards import BoardFold
from streams.embedded import EmbeddedRun, Results
from streams.shell.board_stage import SOURCES, BoardReader
from tests.simulation import loop
from tests.simulation.workers import SimWorker
from tests.simulation.world import World
from tests.unit.attack import encoded, in_order
from tests.unit.ring_logs import ROOMS, calm, ring, visited, war

FIRST = int(os.environ.get("ROOMPULSE_SIMULATION_FIRST", "0"))
SEEDS = int(os.environ.get("ROOMPULSE_SIMULATION_SEEDS", "60"))
AT_ONCE = 10  # seeds a test
MISHAPS = 12
LONGEST_SECONDS = 3_600
RING = "ring"  # a small session: some order together in two rooms, four fight over a product


@cache
def session(name: str, seed: int) -> list[bytes]:
    if name == RING:
        fight = war(first_minute=10, turns=3)
        return encoded(in_order(calm(ROOMS, 25), visited(ring(first_minute=5)), fight))
    return list(generate(name, seed, events=1_000))


@dataclass
class Case:
    """A log in partitions that ends with a closing tick, and what an embedded run makes of it."""

    logs: list[list[bytes]]
    expected: Results


def case_of(seed: int) -> Case:
    random = Random(f"case:{seed}")
    kind = random.choice(("dirty", "dirty", "festival", RING))
    log = session(kind, seed % 5)
    if kind != RING:  # of which every order is needed
        first = random.randrange(len(log) // 2)
        log = log[first : first + random.randint(10, 450)]
    partitions = random.randint(1, 4)
    run = EmbeddedRun(partitions, top=0)
    run.feed(log)
    closing_ms = run._clock.closing_tick_ms()
    logs: list[list[bytes]] = [[] for _ in range(partitions)]
    for value in log:
        number = route(value, partitions)
        for own in logs if number is None else [logs[number]]:
            own.append(value)
    assert closing_ms is not None
    for own in logs:
        own.append(codec.encode(Tick(event_id="closing", ts_ms=closing_ms)))
    return Case(logs, run.finish())


class Group:
    """Two workers at most, and all that can happen to them."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._born = 0
        self.workers = [self._new(), self._new()]
        self.zombies: list[SimWorker] = []
        self._assign(self.workers)

    def _new(self, failing: float = 0.01) -> SimWorker:
        self._born += 1
        return SimWorker(self._world, f"w{self._born}", failing)

    def _assign(self, workers: list[SimWorker]) -> None:
        share = {id(worker): list[int]() for worker in workers}
        for number in range(len(self._world.logs)):
            share[id(self._world.random.choice(workers))].append(number)
        for worker in workers:
            worker.join(share[id(worker)])

    async def rebalance(self) -> None:
        self._world.count("rebalance")
        await asyncio.gather(*(worker.leave() for worker in self.workers))
        self._assign(self.workers)

    async def kill(self) -> None:
        self._world.count("kill")
        victim = self._world.random.choice(self.workers)
        await victim.kill()
        self.workers[self.workers.index(victim)] = self._new()
        await self.rebalance()

    async def lose_sight(self) -> None:
        """The group believes that a worker is dead; it works on."""
        self._world.count("zombie")
        victim = self._world.random.choice(self.workers)
        victim.is_member = False
        self.zombies.append(victim)
        self.workers[self.workers.index(victim)] = self._new()
        others = [worker for worker in self.workers if worker is not victim]
        await asyncio.gather(*(worker.leave() for worker in others))
        self._assign(self.workers)

    async def bury(self) -> None:
        """A zombie learns that it is one."""
        if self.zombies:
            zombie = self.zombies.pop(0)
            if self._world.random.random() < 0.5 and not zombie.failed.is_set():
                await zombie.leave()
            await zombie.kill()

    async def replace_failed(self) -> None:
        for worker in [each for each in self.workers if each.failed.is_set()]:
            await worker.kill()
            self.workers[self.workers.index(worker)] = self._new()
            await self.rebalance()

    def raise_bugs(self) -> None:
        for worker in (*self.workers, *self.zombies):
            worker.raise_bugs()

    async def calm_down(self) -> None:
        """No more mishaps: one worker does the rest."""
        while self.zombies:
            await self.bury()
        for worker in self.workers:
            await worker.kill()
        self.workers = [self._new(failing=0)]
        self._assign(self.workers)


async def live_through(world: World) -> None:
    group = Group(world)
    mishaps = (group.rebalance, group.kill, group.lose_sight, group.bury)
    for _ in range(MISHAPS):
        await asyncio.sleep(world.random.random() * 4)
        group.raise_bugs()
        await group.replace_failed()
        await world.random.choice(mishaps)()
    await group.calm_down()
    now = asyncio.get_running_loop().time
    while not _is_done(world, group.workers[0]):
        await asyncio.sleep(1)
        await group.workers[0].publisher.flush()  # views wait for it as long as they like
        group.raise_bugs()
        assert now() < LONGEST_SECONDS, "the rest is never folded"
    await asyncio.sleep(10)  # views of all rooms at the final watermark
    group.raise_bugs()
    await group.workers[0].publisher.flush()
    await group.workers[0].kill()


def _is_done(world: World, worker: SimWorker) -> bool:
    partitions = worker.stage.partitions
    return (
        all(
            number in partitions and partitions[number].next_offset == len(log)
            for number, log in enumerate(world.logs)
            if log
        )
        and worker.is_drained
    )


def shown(results: list[Any]) -> list[bytes]:
    return [records.encode(each) for each in results]


def newest_views(world: World, topic: str, kind: type[Any]) -> list[Any]:
    """The view of the greatest version of each key."""
    newest: dict[bytes, Any] = {}
    for key, value in ((k, v) for t, k, v in world.durable if t == topic):
        view = msgspec.json.decode(value or b"", type=kind)
        if key not in newest or newest[key].version <= view.version:
            newest[key] = view
    return list(newest.values())


def read_boards(world: World) -> list[bytes]:
    """The boards that a reader of the topics ranks; it reads them at different speeds."""
    reader = BoardReader(BoardFold(top=0))
    queues = {topic: [(k, v) for t, k, v in world.durable if t == topic] for topic in SOURCES}
    while left := [topic for topic in SOURCES if queues[topic]]:
        topic = world.random.choice(left)
        some = world.random.randint(1, 30)
        for key, value in queues[topic][:some]:
            reader.apply(topic, cast("Any", SimpleNamespace(key=key, value=value)))
        del queues[topic][:some]
    return shown(list(reader.fold.boards()))


def check(world: World, expected: Results) -> None:
    minutes = {(k, v) for t, k, v in world.durable if t == topics.ROOM_MINUTES}
    assert sorted(v for _, v in minutes if v) == sorted(shown(expected.minutes))
    marks = {v for t, _, v in world.durable if t == topics.PRODUCT_MARKS}
    assert sorted(v for v in marks if v) == sorted(shown(expected.marks))
    letters = {(k, v) for t, k, v in world.durable if t == topics.DEAD_LETTERS}
    assert sorted(v for _, v in letters if v) == sorted(shown(expected.dead_letters))
    alerts = {(k, v) for t, k, v in world.durable if t == topics.ALERTS}
    assert sorted(v for _, v in alerts if v) == sorted(shown(expected.alerts))
    rooms = newest_views(world, topics.ROOM_SUMMARIES, RoomFigures)
    rooms.sort(key=lambda figures: figures.summary.room_id)
    assert shown([figures.summary for figures in rooms]) == shown(expected.rooms)
    assert read_boards(world) == shown(list(expected.boards))
    progress = newest_views(world, topics.PARTITION_PROGRESS, Progress)
    closing_tick = {"events": 1, "accepted": 1, "broadcast": 1, "tick": 1}
    assert totals(progress) == totals(expected.progress) + Counter(closing_tick)


def totals(progress: list[Progress]) -> Counter[str]:
    total: Counter[str] = Counter()
    for each in progress:
        total.update(msgspec.structs.asdict(each.counts))
        total.update(each.by_type)
        total.update({f"refused {name}": n for name, n in each.rejected_by_reason.items()})
        total.update({f"twice {name}": n for name, n in each.duplicate_by_type.items()})
    return total


def simulate(seed: int) -> World:
    case = case_of(seed)
    world = World(seed, case.logs)
    loop.run(live_through(world))
    check(world, case.expected)
    return world


@pytest.mark.parametrize("first", range(FIRST, FIRST + SEEDS, AT_ONCE))
def test_disturbed_workers_publish_what_an_undisturbed_run_gives(first: int) -> None:
    for seed in range(first, min(first + AT_ONCE, FIRST + SEEDS)):
        try:
            simulate(seed)
        except Exception as error:
            error.add_note(
                f"seed {seed}: ROOMPULSE_SIMULATION_FIRST={seed} ROOMPULSE_SIMULATION_SEEDS=1 "
                "pytest tests/simulation"
            )
            raise


def test_a_seed_gives_the_same_history_each_time() -> None:
    first, second = simulate(3), simulate(3)
    assert first.durable == second.durable
    assert first.chunks == second.chunks
    assert first.seen == second.seen


def test_what_the_simulation_is_about_does_happen() -> None:
    seen: Counter[str] = Counter()
    for seed in range(60):
        world = simulate(seed)
        seen.update(world.seen)
        saved = Counter((c.next_offsets, c.writer) for own in world.chunks.values() for c in own)
        whole = {(c.next_offsets, c.writer): c.of for own in world.chunks.values() for c in own}
        seen["torn snapshots"] += sum(saved[key] < of for key, of in whole.items())
        seen["marks"] += sum(
            len(log) for (topic, _), log in world.followed.items() if topic == topics.RING_MARKS
        )
        copies = Counter(item for item in world.durable if item[0] == topics.ROOM_MINUTES)
        seen["published again"] += sum(count > 1 for count in copies.values())
    for what in (
        "kill",
        "rebalance",
        "zombie",
        "publishing failed",
        "snapshots complete",
        "torn snapshots",
        "published again",
        "marks",
        "acknowledged too late",
        "a fetch of before a rebalance",
        "went back to the state's offset",
        "an old snapshot was written late",
    ):
        assert seen[what] > 0, (what, seen)


def test_the_simulation_notices_a_shell_that_acknowledges_too_early() -> None:
    """The checks of the world have teeth."""
    case = case_of(1)
    world = World(1, case.logs)
    number = max(range(len(case.logs)), key=lambda each: len(case.logs[each]))
    with pytest.raises(AssertionError, match="not published"):
        world.assert_published(number, len(case.logs[number]))
    assert world.saved_offset(number) == 0
