"""A room that has been quiet for a day frees what only a show needs, and no result shows it."""

from pathlib import Path
from unittest.mock import patch

from producers.generator import generate
from streams.core.partition import Partition
from streams.core.resting import LOOK_MS, QUIET_MS, Resting
from streams.core.room import Room
from streams.embedded import EmbeddedRun
from streams.result_files import write_results
from tests.oracle.contract import Event
from tests.oracle.malformed import encode
from tests.property.driving import fold

START = 1_793_462_400_000
HOUR = 3_600_000


def at(ts_ms: int, kind: str, **fields: object) -> Event:
    return {"type": kind, "event_id": f"{kind} {ts_ms}", "ts_ms": ts_ms, "room_id": "r"} | fields


def order(ts_ms: int, order_id: str) -> Event:
    goods = {"product_id": "p", "quantity": 1, "amount_minor": 100}
    return at(ts_ms, "order", order_id=order_id, buyer_id="b", **goods)


def a_show() -> list[Event]:
    log = [{"type": "tick", "event_id": "t", "ts_ms": START}]
    log += [at(START + n, "view", viewer_id=f"v{n}", action="enter") for n in range(50)]
    log += [at(START + 100 + n, "view", viewer_id=f"v{n}", action="leave") for n in range(50)]
    return [*log, order(START + 200, "o")]


def tick(ts_ms: int) -> Event:
    return {"type": "tick", "event_id": f"t{ts_ms}", "ts_ms": ts_ms}


def folded(events: list[Event]) -> Partition:
    partition = Partition(0)
    fold(partition, [encode(event) for event in events], 0, len(events))
    return partition


def memory_of(room: Room) -> int:
    """How many entries it holds that are forgotten after a day."""
    ledger, gone, suspicion = room.ledger.snapshot(), room.audience, room.suspicion
    left = gone.snapshot()[8]
    orders = suspicion.orders.recent if suspicion else ()
    return len(ledger[11][1]) + len(left[0]) + len(left[1]) + len(orders)


def test_a_room_frees_its_memory_once_nothing_has_happened_for_a_day() -> None:
    hours = [tick(START + hour * HOUR) for hour in range(1, 25)]
    before = folded([*a_show(), *hours[:-1]]).rooms["r"]
    after = folded([*a_show(), *hours, tick(START + QUIET_MS + LOOK_MS + HOUR)]).rooms["r"]
    assert memory_of(before) == 52  # who left, the order, and the order as evidence
    assert memory_of(after) == 0
    assert after.rested_ms == after.last_ms
    assert after.ledger.orders == before.ledger.orders == 1
    assert after.audience.visits == 50


def test_a_room_that_wakes_up_rests_again() -> None:
    days = [tick(START + hour * HOUR) for hour in range(1, 51)]
    again = START + 50 * HOUR
    awake = folded([*a_show(), *days, order(again, "another")])
    assert memory_of(awake.rooms["r"]) == 1
    later = [tick(again + hour * HOUR) for hour in range(1, 27)]
    rested = folded([*a_show(), *days, order(again, "another"), *later])
    assert memory_of(rested.rooms["r"]) == 0


def test_results_are_those_of_rooms_that_never_rest(tmp_path: Path) -> None:
    log = list(generate("season", 2, events=40_000))

    def files(name: str) -> dict[str, bytes]:
        run = EmbeddedRun(partitions=2)
        for start in range(0, len(log), 5_000):
            run.feed(log[start : start + 5_000])
        write_results(run.finish(), tmp_path / name, elapsed_seconds=0)
        return {path.name: path.read_bytes() for path in sorted((tmp_path / name).iterdir())}

    resting = files("resting")
    with patch.object(Resting, "look", lambda *_: None):
        assert files("awake") == resting
