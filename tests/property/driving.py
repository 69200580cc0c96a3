"""Drives partitions of the core record by record, and shows all that they emit and hold as bytes.

`dealt` splits a log as Kafka's partitioner does; `Emitted` collects what folds emit, so that two
ways through one log can be compared.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from schemas import codec, records
from schemas.partitioning import route
from schemas.records import ProductFigures, RoomFigures
from streams.core.emissions import Emissions
from streams.core.partition import Partition
from streams.embedded import Results
from streams.result_files import compared, run_report
from streams.shell.room_stage import packed, unpacked


@dataclass
class Emitted:
    """What folds emitted, in order, as the bytes of the topics."""

    minutes: list[bytes] = field(default_factory=list)
    marks: list[bytes] = field(default_factory=list)
    dead_letters: list[bytes] = field(default_factory=list)
    evicted: list[bytes] = field(default_factory=list)

    def take(self, emissions: Emissions) -> None:
        self.minutes += _encoded(emissions.minutes)
        self.marks += _encoded(emissions.marks)
        self.dead_letters += _encoded(emissions.dead_letters)
        self.evicted += _encoded([*emissions.evicted, *emissions.evicted_products])
        self.evicted += _encoded(emissions.evicted_details)


def _encoded(items: Iterable[msgspec.Struct]) -> list[bytes]:
    return [records.encode(item) for item in items]


def dealt(log: Sequence[bytes], partitions: int) -> list[list[bytes]]:
    """The log of each partition; ticks and rule sets stand in all of them."""
    logs: list[list[bytes]] = [[] for _ in range(partitions)]
    for value in log:
        number = route(value, partitions)
        for target in logs if number is None else [logs[number]]:
            target.append(value)
    return logs


def fold(partition: Partition, log: Sequence[bytes], first: int, end: int) -> Emissions:
    """Fold the records of a partition's log from offset `first` up to before `end`."""
    values = log[first:end]
    offsets = range(first, first + len(values))
    return partition.fold(offsets, values, codec.decode_all(values))


def folded(log: Sequence[bytes], number: int = 0) -> tuple[Partition, Emitted]:
    """A partition that has seen a whole log at once, and what it emitted."""
    partition, emitted = Partition(number), Emitted()
    emitted.take(fold(partition, log, 0, len(log)))
    return partition, emitted


def restarted(partition: Partition) -> Partition:
    """The partition as another process would get it from the checkpoint."""
    return unpacked(packed(partition))


def final_figures(partition: Partition) -> tuple[list[RoomFigures], list[ProductFigures]]:
    """The figures of all rooms and all products, whatever was shown before."""
    for room in partition.rooms.values():
        room.show_all_again()
    rooms, products = partition.figures(partition.rooms.values())
    return (
        sorted(rooms, key=lambda each: each.summary.room_id),
        sorted(products, key=lambda each: (each.room_id, each.product_id, each.merchant_id or "")),
    )


def final_bytes(partition: Partition) -> list[bytes]:
    """All that a partition would say of itself now."""
    rooms, products = final_figures(partition)
    details = sorted(map(records.encode, partition.details(partition.rooms.values())))
    shown = [records.encode(each) for each in (*rooms, *products, partition.progress())]
    return shown + details


def files_of(results: Results) -> dict[str, list[bytes]]:
    """The lines of every file of a run."""
    return {
        "rooms": _encoded(results.rooms),
        "minutes": _encoded(results.minutes),
        "marks": _encoded(results.marks),
        "boards": _encoded(results.boards),
        "dead-letters": _encoded(results.dead_letters),
        "after-sales": [records.encode(results.after_sales)],
        "after-sales-minutes": [records.encode(line) for line in results.pitch],
        "stickiness": [records.encode({"stickiness": results.stickiness})],
        "retention": [records.encode({"retention": results.retention})],
        **{name: [records.encode(each)] for name, each in compared(results).items()},
        "run": [records.encode(run_report(results.progress, elapsed_seconds=0))],
    }
