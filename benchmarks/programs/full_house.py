"""The state of many viewers in many rooms: memory, and what a checkpoint of it costs.

Usage: full_house ROOMS VIEWERS.
"""

import json
import os
import sys
import time

from benchmarks.traffic import all_present
from benchmarks.usage import peak_mb, resident_mb
from streams.collector import collect_rarely
from streams.embedded import EmbeddedRun
from streams.shell.room_stage import packed, unpacked

_CHUNK = 20_000


def main(rooms: int, viewers: int) -> None:
    """Let everybody in, then pack and unpack."""
    collect_rarely()  # as whoever owns such a process does
    pid = os.getpid()
    empty_mb = resident_mb(pid)
    run = EmbeddedRun()
    for chunk in all_present(rooms, viewers, _CHUNK):
        run.feed(chunk)
    online = sum(room.audience.online for each in run.partitions for room in each.rooms.values())
    assert online == viewers, "every visit is open"
    full_mb = resident_mb(pid)
    states, longest_seconds, pack_seconds = [], 0.0, 0.0
    for partition in run.partitions:
        began = time.perf_counter()
        states.append(packed(partition))
        took = time.perf_counter() - began
        pack_seconds += took
        longest_seconds = max(longest_seconds, took)
    highest_mb = peak_mb(pid)
    began = time.perf_counter()
    restored = [unpacked(state) for state in states]
    unpack_seconds = time.perf_counter() - began
    assert [each.next_offset for each in restored] == [each.next_offset for each in run.partitions]
    found = {
        "resident_mb": full_mb,
        "bytes_per_viewer": (full_mb - empty_mb) * 1e6 / viewers,
        "peak_mb": highest_mb,
        "packed_mb": sum(map(len, states)) / 1e6,
        "pack_seconds": pack_seconds,
        "longest_pack_seconds": longest_seconds,
        "unpack_seconds": unpack_seconds,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
