"""The evening without a broker: the same fold in this process, at the same pace.

The replay's own runner paces the records; what it would hand to Kafka goes into an embedded run.
"""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

from producers.replay import Control, Progress, ReplayReport, WallWaiter
from producers.replay.plan import Plan
from producers.replay.run import Runner
from producers.sessions import read_records
from roompulse.demo.session import DemoSession
from roompulse.shown_run import ShownRun
from roompulse.standing import Standing, standing_of
from schemas.events import MAX_RECORD_BYTES
from schemas.records import Counts
from streams.embedded import EmbeddedRun, Results
from streams.result_files import run_report, write_results

_FOLDED_AT_ONCE = 2_000
_SHOW_SECONDS = 0.5


def fold_file(path: Path, partitions: int, out: Path) -> Counts:
    """Fold a session at once and write the files of a run; what became of its events.

    Raises:
        OSError: the files cannot be written.
    """
    run = EmbeddedRun(partitions)
    for chunk in read_records(path):
        run.feed(chunk)
    return write(run.finish(), out)


def write(results: Results, out: Path) -> Counts:
    """Write the files of a run; what became of its events."""
    write_results(results, out, elapsed_seconds=0)
    counts: Counts = run_report(results.progress, elapsed_seconds=0)["counts"]
    return counts


class _Folding:
    """Stands where the replay has Kafka: what is sent is folded."""

    def __init__(self, run: EmbeddedRun) -> None:
        self._run = run
        self._pending: list[bytes] = []
        self.delivered = [0]

    def try_add(self, _partition: int, _key: bytes | None, value: bytes) -> bool:
        if len(self._pending) >= _FOLDED_AT_ONCE:
            return False
        self._pending.append(value)
        return True

    async def ship(self, _partition: int) -> None:
        self._fold()
        # let the screen have its turn, at full speed too
        await asyncio.sleep(0)

    async def ship_all(self) -> None:
        self._fold()

    async def flush(self) -> None:
        self._fold()

    def _fold(self) -> None:
        pending: Sequence[bytes]
        pending, self._pending = self._pending, []
        self._run.feed(pending)
        self.delivered[0] += len(pending)


async def play_embedded(
    session: DemoSession,
    control: Control,
    on_progress: Callable[[Progress], None],
    show: Callable[[Standing], None],
) -> tuple[ReplayReport, Results]:
    """Fold the evening at its pace, showing the boards twice a second."""
    run = ShownRun()
    runner = Runner(
        # one partition here, so that each record comes once; the run distributes them itself
        plan=Plan(lambda: read_records(session.path), 1),
        sender=_Folding(run),
        partitions=1,
        control=control,
        waiter=WallWaiter(),
        largest_bytes=MAX_RECORD_BYTES,
        on_progress=on_progress,
    )
    replaying = asyncio.create_task(runner.run(with_closing_tick=False))
    while not replaying.done():
        await asyncio.wait([replaying], timeout=_SHOW_SECONDS)
        show(run.standing())
    report = replaying.result()
    results = run.finish()
    show(standing_of(results.boards, results.progress))
    return report, results
