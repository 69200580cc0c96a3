"""Is nothing lost and nothing counted twice, whatever dies while a session is replayed?

Two workers fold a festival evening that is replayed at a pace; it slows down while one is still
getting up, so that every blow falls into the replay. On the way workers are killed (`kill -9`, each
started again at once), one is frozen until the other has its partitions and then goes on as if
nothing had happened, and Kafka itself is killed and started again. In the end what is published is
what the undisturbed run without a broker writes, to the byte, and the counts are the truth.

Which worker dies when follows from a seed, told when the test fails:

    ROOMPULSE_CHAOS_SEED=7 ROOMPULSE_CHAOS_EVENTS=3000000 ROOMPULSE_CHAOS_KILLS=50 pytest -m chaos
"""

# ruff: noqa: T201 - the times to recovery are a result of this test
import asyncio
import os
import random
import signal
import threading
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from deploy.kafka.broker import LocalKafka
from producers.replay import Control, Progress, ReplayReport, replay
from schemas.topics import DEFAULT_PARTITIONS
from streams.embedded import Results
from streams.result_files import run_report
from streams.shell.collecting import newest_progress
from tests.broker import workers
from tests.broker.workers import WorkerProcess, until

pytestmark = pytest.mark.chaos

EVENTS = int(os.environ.get("ROOMPULSE_CHAOS_EVENTS", "300000"))
KILLS = int(os.environ.get("ROOMPULSE_CHAOS_KILLS", "5"))
SEED = int(os.environ.get("ROOMPULSE_CHAOS_SEED", "1111"))
# How long the replay takes from one blow to the next, if everybody is up again by then.
SECONDS_BY_STEP = 4.0
# While one is still getting up there is a trickle, so that it has something to fold.
TRICKLE = 300.0
RECOVERY_SECONDS = 60.0


@dataclass
class Scene:
    """What a chaos test has to do with."""

    kafka: LocalKafka
    group: list[WorkerProcess]
    chance: random.Random

    def folded(self, worker: WorkerProcess) -> float:
        """Records that this process has folded."""
        return sum(worker.metrics().get("roompulse_batch_records_total", {}).values())

    def kill_a_worker(self) -> None:
        worker = self.chance.choice(self.group)
        worker.kill()
        began = time.monotonic()
        worker.start()
        until(lambda: self.folded(worker), RECOVERY_SECONDS, f"{worker.name} folds again")
        seconds = time.monotonic() - began
        print(f"kill -9 of {worker.name} to its first new fold {seconds:.1f} s")

    def kill_kafka(self) -> None:
        self.kafka.kill()
        began = time.monotonic()
        self.kafka.start()
        started_seconds = time.monotonic() - began
        before = {worker.name: self.folded(worker) for worker in self.group}
        until(
            lambda: any(self.folded(worker) != before[worker.name] for worker in self.group),
            RECOVERY_SECONDS,
            "somebody folds again",
        )
        seconds = time.monotonic() - began
        print(
            f"kill -9 of Kafka to the first new fold {seconds:.1f} s, of which it took"
            f" {started_seconds:.1f} s to start"
        )

    def freeze_a_worker(self) -> None:
        """It loses its partitions without knowing, and wakes up in the middle of its work."""
        worker = self.chance.choice(self.group)
        (other,) = (each for each in self.group if each is not worker)
        worker.send(signal.SIGSTOP)
        began = time.monotonic()
        try:
            until(
                lambda: len(other.offsets()) == DEFAULT_PARTITIONS,
                RECOVERY_SECONDS,
                f"{other.name} has all partitions",
            )
        finally:
            worker.send(signal.SIGCONT)
        seconds = time.monotonic() - began
        print(f"{worker.name} frozen: its partitions moved after {seconds:.1f} s")


class Replaying(threading.Thread):
    """A replay in a thread of its own, not running far ahead of the steps of the test.

    Attributes:
        sent: records sent so far.
        done_steps: the steps that are over.
        report: what was done; None until all is acknowledged.
    """

    def __init__(self, bootstrap: str, records: list[bytes], speed: float, steps: int) -> None:
        super().__init__(daemon=True)
        self._broker = bootstrap
        self._records = records
        self._speed = speed
        self._by_step = len(records) / (steps + 1)
        self._control = Control(speed)
        self.sent = 0
        self.done_steps = 0
        self.report: ReplayReport | None = None

    def run(self) -> None:
        self.report = asyncio.run(
            replay(
                lambda: workers.chunks(self._records),
                self._broker,
                control=self._control,
                on_progress=self._pace,
            )
        )

    def _pace(self, progress: Progress) -> None:
        self.sent = progress.events
        is_ahead = progress.events > self._by_step * (self.done_steps + 1.7)
        speed = self._speed / TRICKLE if is_ahead else self._speed
        if speed != self._control.speed:
            self._control.speed = speed
            self._control.wake.set()

    def wait_for_step(self, number: int) -> None:
        """Return when it is time for a step."""

        def is_time() -> bool:
            assert self.is_alive(), "the replay ended before it was disturbed enough"
            return self.sent >= self._by_step * number

        until(is_time, 600, f"step {number}")


def _assert_counts(bootstrap: str, expected: Results) -> None:
    """Every event once; the closing tick is one more record than the file has."""
    found = run_report(asyncio.run(newest_progress(bootstrap)), elapsed_seconds=0)
    wanted = run_report(expected.progress, elapsed_seconds=0)
    counts = msgspec.structs.asdict(wanted["counts"])
    for name in ("events", "accepted", "broadcast"):
        counts[name] += 1
    wanted["by_type"]["tick"] = wanted["by_type"].get("tick", 0) + 1
    assert msgspec.structs.asdict(found["counts"]) == counts
    assert found["by_type"] == dict(sorted(wanted["by_type"].items()))
    assert found["rejected_by_reason"] == wanted["rejected_by_reason"]


def test_kills_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    print(f"ROOMPULSE_CHAOS_SEED={SEED} events={EVENTS:,} kills={KILLS}")
    records = workers.session("festival", EVENTS, SEED)
    assert len(records) >= 0.97 * EVENTS
    expected = workers.embedded(records)
    chance = random.Random(SEED)
    with ExitStack() as stack:
        kafka = stack.enter_context(LocalKafka(tmp_path / "kafka", port=0))
        bootstrap = kafka.bootstrap
        asyncio.run(workers.make_topics(bootstrap))
        # one of each kind: with a name of its own in the group, and without
        group = [
            stack.enter_context(
                WorkerProcess(bootstrap, tmp_path, name, is_static=is_static, checkpoint_seconds=3)
            )
            for name, is_static in (("static", True), ("dynamic", False))
        ]
        for worker in group:
            worker.wait_ready()
        scene = Scene(kafka, group, chance)
        steps = [scene.kill_a_worker] * KILLS
        steps.insert(KILLS // 2, scene.kill_kafka)
        steps.insert(KILLS // 2 + 2, scene.freeze_a_worker)
        speed = _span_seconds(expected) / (SECONDS_BY_STEP * (len(steps) + 1))
        replaying = Replaying(bootstrap, records, speed, len(steps))
        replaying.start()
        for number, step in enumerate(steps, start=1):
            replaying.wait_for_step(number)
            step()
            replaying.done_steps = number
            assert all(worker.is_running for worker in group), "a worker ended by itself"
        replaying.join(600)
        report = replaying.report
        assert report is not None
        assert report.events == len(records)
        workers.wait_for_results(bootstrap, expected, tmp_path, 120)
        _assert_counts(bootstrap, expected)
        print(f"{report.events:,} events replayed in {report.elapsed_seconds:.0f} s")
        for worker in group:
            worker.send(signal.SIGTERM)
        for worker in group:
            assert worker.wait(20) == 0
            print(f"{worker.name} said:\n{worker.log}")
            assert _unexpected(worker.log) == []
        workers.wait_for_results(bootstrap, expected, tmp_path, 0)
        _assert_counts(bootstrap, expected)


def _span_seconds(results: Results) -> float:
    """How long the session is in event time."""
    minutes = [line.minute_ms for line in results.minutes]
    return (max(minutes) - min(minutes)) / 1000 + 60


def _unexpected(log: str) -> list[str]:
    """What a worker said besides that Kafka was away."""
    return [
        line
        for line in log.splitlines()
        if "Kafka does not answer" not in line and "Kafka answers again" not in line
    ]
