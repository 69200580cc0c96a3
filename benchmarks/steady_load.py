"""Which load do the benchmarks of latency send? 5,000 events a second, and probes among them.

The events are of some hundred rooms and go to Kafka in turns of 10 ms. Ten times a second one more
order of 1 minor unit goes to a probe room, which leads the board, so that its gross tells exactly
how many were counted.
"""

import asyncio
import itertools
import time
from dataclasses import dataclass, field

from benchmarks.traffic import Traffic, opening
from producers.kafka import BatchSender
from schemas.codec import Order, RoomEvent, encode
from schemas.partitioning import partition_of_room
from schemas.topics import DEFAULT_PARTITIONS

EVENTS_PER_SECOND = 5_000
PROBE_ROOM = "probe-room"
LEAD_MINOR = 10**12
_ROOMS = 300
_TURN_SECONDS = 0.01
_TURNS_BY_PROBE = 10


@dataclass(slots=True)
class Probes:
    """When each probe was sent, and how long it took to be shown; seconds of the machine's clock.

    Attributes:
        sent: may be shared by all that look out for the probes.
    """

    sent: list[float] = field(default_factory=list)
    shown_seconds: list[float] = field(default_factory=list)
    leads: bool = False

    def see(self, gross_minor: float, at_seconds: float) -> None:
        """The gross of the probe room was shown at that time."""
        self.leads = gross_minor >= LEAD_MINOR
        while len(self.shown_seconds) < min(len(self.sent), int(gross_minor) - LEAD_MINOR):
            self.shown_seconds.append(at_seconds - self.sent[len(self.shown_seconds)])


class SteadyLoad:
    """The sender of the steady load and of the probes."""

    def __init__(self, sender: BatchSender, sent_seconds: list[float]) -> None:
        self._sender = sender
        self._sent_seconds = sent_seconds
        self._traffic = Traffic(_ROOMS, EVENTS_PER_SECOND)
        self._orders = itertools.count()
        self.sent = 0

    async def open(self) -> None:
        """Open every room, and put the probe room in the lead."""
        now_ms = time.time_ns() // 1_000_000
        for event in (*self._traffic.openings(now_ms), opening(PROBE_ROOM, now_ms)):
            await self._add(event)
        await self._add(self._order(now_ms, LEAD_MINOR))
        await self._sender.flush()

    async def run(self, seconds: float) -> None:
        """Send for so long, at the rate that is wanted, whatever a turn takes."""
        began = time.perf_counter()
        for turn in itertools.count():
            due = began + turn * _TURN_SECONDS
            now = time.perf_counter()
            if due - began > seconds:
                break
            if now < due:
                await asyncio.sleep(due - now)
            now_ms = time.time_ns() // 1_000_000
            for _ in range(round(EVENTS_PER_SECOND * _TURN_SECONDS)):
                await self._add(self._traffic.event(now_ms))
            if turn % _TURNS_BY_PROBE == 0:
                self._sent_seconds.append(time.time())
                await self._add(self._order(now_ms, 1))
            await self._sender.ship_all()
        await self._sender.flush()

    def _order(self, ts_ms: int, amount_minor: int) -> Order:
        number = next(self._orders)
        return Order(
            event_id=f"probe-{number}",
            ts_ms=ts_ms,
            room_id=PROBE_ROOM,
            order_id=f"probe-{number}",
            buyer_id=f"buyer-{number}",
            product_id="probe",
            quantity=1,
            amount_minor=amount_minor,
        )

    async def _add(self, event: RoomEvent) -> None:
        partition = partition_of_room(event.room_id, DEFAULT_PARTITIONS)
        key, value = event.room_id.encode(), encode(event)
        while not self._sender.try_add(partition, key, value):
            await self._sender.ship(partition)
        self.sent += 1
