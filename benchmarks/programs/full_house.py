"""The state of many viewers in many rooms: memory, and what a checkpoint of it costs.

Usage: full_house ROOMS VIEWERS.
"""

import json
import resource
import sys
import time

import psutil

from benchmarks.traffic import all_present
from streams.embedded import EmbeddedRun
from streams.shell.room_stage import packed, unpacked

_CHUNK = 20_000
# what the system calls kilobytes is bytes on macOS
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


def main(rooms: int, viewers: int) -> None:
    """Let everybody in, then pack and unpack."""
    process = psutil.Process()
    empty_mb = process.memory_info().rss / 1e6
    run = EmbeddedRun()
    for chunk in all_present(rooms, viewers, _CHUNK):
        run.feed(chunk)
    online = sum(room.audience.online for each in run.partitions for room in each.rooms.values())
    assert online == viewers, "every visit is open"
    resident_mb = process.memory_info().rss / 1e6
    states, longest_seconds, pack_seconds = [], 0.0, 0.0
    for partition in run.partitions:
        began = time.perf_counter()
        states.append(packed(partition))
        took = time.perf_counter() - began
        pack_seconds += took
        longest_seconds = max(longest_seconds, took)
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT / 1e6
    began = time.perf_counter()
    restored = [unpacked(state) for state in states]
    unpack_seconds = time.perf_counter() - began
    assert [each.next_offset for each in restored] == [each.next_offset for each in run.partitions]
    found = {
        "resident_mb": resident_mb,
        "bytes_per_viewer": (resident_mb - empty_mb) * 1e6 / viewers,
        "peak_mb": peak_mb,
        "packed_mb": sum(map(len, states)) / 1e6,
        "pack_seconds": pack_seconds,
        "longest_pack_seconds": longest_seconds,
        "unpack_seconds": unpack_seconds,
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
