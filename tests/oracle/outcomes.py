"""What became of each record: accepted, duplicate, or refused with a reason?

Each partition's log is a list of steps: its records in the order they are folded, each with the
watermark that its fold sees. Whether a step repeats or overdraws an earlier one is found by
walking all the steps before it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from tests.oracle.clock import Clock, Decision, closing_stamp_ms
from tests.oracle.contract import BROADCAST, Event, classify
from tests.oracle.partitions import route

ACCEPTED: Final = "accepted"
DUPLICATE: Final = "duplicate"
MEMORY_MS: Final = 24 * 3_600_000
MINUTE_MS: Final = 60_000
CLOSING_OFFSET: Final = -1


@dataclass(frozen=True)
class DeadLetter:
    reason: str
    partition: int
    offset: int
    record: bytes


@dataclass
class Step:
    """One folded record; `money_minor` is what was accepted of a refund."""

    partition: int
    offset: int
    record: bytes
    event: Event
    believed: bool
    watermark_ms: int | None
    outcome: str = ACCEPTED
    money_minor: int = 0

    @property
    def kind(self) -> str:
        return str(self.event["type"])

    @property
    def ts_ms(self) -> int:
        return int(self.event["ts_ms"])

    @property
    def room_id(self) -> str | None:
        return None if self.kind in BROADCAST else str(self.event["room_id"])

    @property
    def is_accepted(self) -> bool:
        return self.outcome == ACCEPTED

    @property
    def is_late(self) -> bool:
        """Whether its minute ended at or before the watermark: it is in no pane."""
        end_ms = (self.ts_ms // MINUTE_MS + 1) * MINUTE_MS
        return (
            self.is_accepted
            and self.believed
            and self.room_id is not None
            and self.watermark_ms is not None
            and end_ms <= self.watermark_ms
        )


@dataclass
class PartitionLog:
    steps: list[Step]
    dead_letters: list[DeadLetter]
    watermark_ms: int | None


def is_forgotten(ts_ms: int, watermark_ms: int | None) -> bool:
    return watermark_ms is not None and watermark_ms - ts_ms >= MEMORY_MS


def deal(records: list[bytes], partitions: int) -> list[list[bytes]]:
    """Split a file into the logs of its partitions; ticks and rule sets stand in each."""
    logs: list[list[bytes]] = [[] for _ in range(partitions)]
    for record in records:
        target = route(record, partitions)
        for log in logs if target is None else [logs[target]]:
            log.append(record)
    return logs


def closing_tick_of(records: list[bytes]) -> Event | None:
    """Return the tick that ends a session file; None when the file holds no stamp at all."""
    clock = Clock()
    for arrival, record in enumerate(records):
        _observe(clock, arrival, classify(record))
    ts_ms = closing_stamp_ms(clock)
    return None if ts_ms is None else {"type": "tick", "event_id": "closing", "ts_ms": ts_ms}


def _observe(clock: Clock, arrival: int, event: Event | str) -> list[Decision]:
    if isinstance(event, str):
        return []
    if event["type"] == "rules":
        return [Decision(arrival, believed=True, watermark_ms=clock.watermark_ms)]
    if event["type"] == "tick":
        return clock.tick(arrival, event["ts_ms"])
    return clock.record(arrival, event["ts_ms"], event["room_id"])


def fold_partition(partition: int, log: list[bytes], closing: Event | None) -> PartitionLog:
    clock = Clock()
    dead_letters: list[DeadLetter] = []
    events: dict[int, Event] = {}
    decisions: list[Decision] = []
    for offset, record in enumerate(log):
        event = classify(record)
        if isinstance(event, str):
            dead_letters.append(DeadLetter(event, partition, offset, record))
        else:
            events[offset] = event
        decisions += _observe(clock, offset, event)
    if closing is not None:
        events[CLOSING_OFFSET] = closing
        decisions += _observe(clock, CLOSING_OFFSET, closing)
    assert not clock.waiting

    steps: list[Step] = []
    for decision in decisions:
        offset = decision.arrival
        record = b"" if offset == CLOSING_OFFSET else log[offset]
        step = Step(
            partition, offset, record, events[offset], decision.believed, decision.watermark_ms
        )
        dead_letters += _judge(step, steps)
        steps.append(step)
    return PartitionLog(steps, dead_letters, clock.watermark_ms)


def _judge(step: Step, before: list[Step]) -> list[DeadLetter]:
    """Set the outcome of a step from all the steps before it."""
    accepted = [s for s in before if s.is_accepted and s.room_id == step.room_id]
    reason: str | None = None
    if _is_repeated(step, accepted):
        step.outcome = DUPLICATE
    elif not step.believed and step.kind in ("view", "exposure", "checkout"):
        step.outcome = reason = "future"
    elif step.kind == "refund":
        step.money_minor = _acceptable_minor(step, accepted)
        if step.money_minor < step.event["amount_minor"]:
            reason = "over_refund"
        if step.money_minor == 0:
            step.outcome = "over_refund"
    if reason is None:
        return []
    return [DeadLetter(reason, step.partition, step.offset, step.record)]


def _identity(event: Event) -> tuple[str, ...] | None:
    match event["type"]:
        case "order" | "checkout" as kind:
            return (kind, event["order_id"])
        case "refund":
            return ("refund", event["refund_id"])
        case "complaint":
            return ("complaint", event["complaint_id"], event["status"])
    return None


def _is_repeated(step: Step, accepted: Iterable[Step]) -> bool:
    identity = _identity(step.event)
    return identity is not None and any(
        _identity(s.event) == identity and not is_forgotten(s.ts_ms, step.watermark_ms)
        for s in accepted
    )


def remembered_order(order_id: str, watermark_ms: int | None, accepted: list[Step]) -> int | None:
    """Return the place in `accepted` of the order still known by this id, or None."""
    for place, step in enumerate(accepted):
        if (
            step.kind == "order"
            and step.event["order_id"] == order_id
            and not is_forgotten(step.ts_ms, watermark_ms)
        ):
            return place
    return None


def _acceptable_minor(refund: Step, accepted: list[Step]) -> int:
    """Return the part of a refund that its order, if known, has still to give back.

    A known order keeps what was refunded on it for as long as it is known itself; refunds from
    before its arrival count if the order was still remembered as refunded when it came.
    """
    asked = int(refund.event["amount_minor"])
    order_id = str(refund.event["order_id"])
    place = remembered_order(order_id, refund.watermark_ms, accepted)
    if place is None:
        return asked
    order = accepted[place]
    refunds = [
        (index, s)
        for index, s in enumerate(accepted)
        if s.kind == "refund" and s.event["order_id"] == order_id
    ]
    early = _refunded_before(order, [s for index, s in refunds if index < place])
    since = sum(s.money_minor for index, s in refunds if index > place)
    return max(0, min(asked, int(order.event["amount_minor"]) - early - since))


def _refunded_before(order: Step, refunds: list[Step]) -> int:
    """What was refunded on an order before it came; forgotten 24 h past the first of a run."""
    first: Step | None = None
    total = 0
    for refund in refunds:
        if first is None or is_forgotten(first.ts_ms, refund.watermark_ms):
            first, total = refund, 0
        total += refund.money_minor
    return 0 if first is None or is_forgotten(first.ts_ms, order.watermark_ms) else total
