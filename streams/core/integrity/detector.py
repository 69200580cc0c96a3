"""What is a detector of a room, and how is one added?

A detector asks one question about one room. It is a small state machine: it takes the facts of the
room in event-time order and returns the incidents that have something new to say. It knows neither
the queue nor the partition, and no clock but the stamp of the fact (`Scene.ts_ms`).

To add one:

1. Its rules: a section of the rule set (`schemas.detector_rules.DetectorRules` with `enabled` and
   `quiet_minutes`), and a field of `schemas.rules.RuleSet` of the detector's `section` name.
2. A file here with a class that derives from `Detector`. `section` names the rules, `alert_kind`
   the alerts, `takes` says which facts it wants and by which method, `shared` makes what its rooms
   in a partition have in common (base rates), None for nothing. What it must remember is capped
   in `streams.core.limits`. With `self.incidents` it needs no life cycle of its own: `noticed`
   keeps an incident alive and says whether there is news, `tell` makes the version.
3. A line in `DETECTORS` of `streams.core.integrity.suspicion`, at the end: the order of detectors
   is the order of their alerts where one fact tells of two, and of their state in checkpoints.
4. A fact that is not there yet (`streams.core.integrity.facts`) is queued by
   `Detectors.happened`, with a tie that is unique at its stamp, so that order of arrival cannot
   matter. Minutes come after all facts before their end, whenever they close.

A detector that is not enabled takes no facts and costs nothing; its open incidents end in time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Protocol

from schemas.codec import RoomOpened
from schemas.rules import RuleSet
from streams.core import limits
from streams.core.integrity.facts import Waiting
from streams.core.integrity.incident import Incident
from streams.core.integrity.incidents import Incidents
from streams.core.integrity.order_signs import OrderSigns

Told = Sequence[Incident]
NOTHING: Told = ()
MINUTE_MS = 60_000


class Scene:
    """Where and when a fact is looked at; one object that moves from fact to fact.

    Attributes:
        rules: those in force.
        ts_ms: the event time of the fact.
        room_id: its room.
        opened: what is known of the room; None if it was not opened by `ts_ms`.
        later: queues a fact of the room for later, with its stamp and tie.
    """

    __slots__ = ("later", "opened", "room_id", "rules", "ts_ms")

    def __init__(self, rules: RuleSet, later: Callable[[str, int, str, Waiting], None]) -> None:
        self.rules = rules
        self.ts_ms = 0
        self.room_id = ""
        self.opened: RoomOpened | None = None
        self.later = later

    def move(self, room_id: str, opened: RoomOpened | None, ts_ms: int) -> None:
        """Look at another fact."""
        self.room_id = room_id
        self.ts_ms = ts_ms
        # an opening with a later stamp may or may not have arrived
        self.opened = opened if opened is not None and opened.ts_ms <= ts_ms else None

    @property
    def currency(self) -> str | None:
        """The currency of the room, once it is open."""
        return self.opened.currency if self.opened is not None else None

    @property
    def category(self) -> str | None:
        """The category of the room, once it is open."""
        return self.opened.category if self.opened is not None else None


class Shared(Protocol):
    """What the detectors of one kind have in common in a partition."""

    def snapshot(self) -> list[Any]: ...

    def restore(self, state: list[Any]) -> None: ...


class Detector:
    """One question about one room.

    Args:
        shared: of its kind in the partition, made by `shared`.
        orders: the recent orders of the room; of what is due, the frame has added it already.
        evictions: where entries of full maps are counted.
    """

    section: ClassVar[str]
    alert_kind: ClassVar[str]
    takes: ClassVar[Mapping[type, Callable[..., Told]]]
    shared: ClassVar[Callable[[], Shared] | None] = None

    __slots__ = ("evictions", "incidents", "orders")

    def __init__(self, shared: Any, orders: OrderSigns, evictions: limits.Evictions) -> None:  # noqa: ANN401, ARG002 - each kind has its own
        self.orders = orders
        self.evictions = evictions
        self.incidents = Incidents(self.alert_kind, evictions)

    @property
    def is_open(self) -> bool:
        """Whether it has an incident that has not ended."""
        return bool(self.incidents.open)

    def settle(self, watermark_ms: int, rules: RuleSet) -> Told:
        """End the incidents that have been quiet for long enough."""
        quiet_ms = getattr(rules, self.section).quiet_minutes * MINUTE_MS
        return self.incidents.settle(watermark_ms, quiet_ms)

    def snapshot(self) -> list[Any]:
        """Its state as plain values; a detector with more state than incidents adds it."""
        return [self.incidents.snapshot()]

    def restore(self, state: list[Any]) -> None:
        self.incidents.restore(state[0])
