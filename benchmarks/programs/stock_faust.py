"""Stock Faust: one agent, one table with its changelog, one update a record.

Usage: stock_faust BOOTSTRAP APP RECORDS. In its favour: values stay bytes and are decoded by the
same fast decoder, the table is in memory, and the start is not measured.
"""

import json
import os
import sys
import time
from typing import Any

import faust

from schemas import codec
from schemas.topics import DEFAULT_PARTITIONS, LIVE_EVENTS

_UNMEASURED = 500  # records until everything runs


def main(bootstrap: str, name: str, records: int) -> None:
    """Run until so many records were counted; prints what they cost."""
    app = faust.App(
        name,
        broker=f"kafka://{bootstrap}",
        store="memory://",
        consumer_auto_offset_reset="earliest",
        web_enabled=False,
        web_bind="127.0.0.1",
    )
    live = app.topic(LIVE_EVENTS, key_serializer="raw", value_serializer="raw")
    events = app.Table("events", default=int, partitions=DEFAULT_PARTITIONS)

    async def count(stream: Any) -> None:  # noqa: ANN401 - Faust's stream has no types
        number = 0
        wall_seconds = cpu_seconds = 0.0
        async for value in stream:
            room_id = getattr(codec.decode(value), "room_id", "")
            events[room_id] += 1
            number += 1
            if number == _UNMEASURED:
                wall_seconds, cpu_seconds = time.perf_counter(), time.process_time()
            elif number == _UNMEASURED + records:
                _tell(records, wall_seconds, cpu_seconds)

    app.agent(live)(count)
    faust.Worker(app, loglevel="ERROR", redirect_stdouts=False).execute_from_commandline()


def _tell(records: int, wall_seconds: float, cpu_seconds: float) -> None:
    found = {
        "events": records,
        "wall_seconds": time.perf_counter() - wall_seconds,
        "cpu_seconds": time.process_time() - cpu_seconds,
    }
    print(json.dumps(found), flush=True)
    os._exit(0)  # an orderly end takes Faust minutes and is not what is measured


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
