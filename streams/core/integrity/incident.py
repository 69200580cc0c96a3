"""The life of one suspected thing in one place: from first evidence to quiet, in versions.

An incident has one alert. It is told when it starts, when it gets graver, when its evidence has
doubled since it was told last, and when it has ended (design, section 8).
"""

from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Literal

from streams.core.snapshots import wide

Severity = Literal["page", "review", "info"]
Status = Literal["firing", "updated", "resolved"]


@dataclass(frozen=True, slots=True)
class Sign:
    """What an alert shows of one sign: seen in so many of so many, a base, a weight, orders."""

    name: str
    seen: int
    of: int
    base: float
    weight: float
    orders: list[str]


class Incident:
    """One incident.

    Attributes:
        product_id: the product that it is about; None if it is the room as a whole.
        quiet_from_ms: event time of its newest evidence.
        told_score: the score of the last version.
        summary: what it says, in one sentence; told again when it has ended.
    """

    __slots__ = (
        "kind",
        "money_minor",
        "product_id",
        "quiet_from_ms",
        "severity",
        "signs",
        "started_ms",
        "status",
        "summary",
        "threshold",
        "told_score",
        "updated_ms",
        "version",
    )

    def __init__(
        self, kind: str, started_ms: int, threshold: float, product_id: str | None = None
    ) -> None:
        self.kind = kind
        self.product_id = product_id
        self.started_ms = started_ms
        self.threshold = threshold
        self.severity: Severity = "review"
        self.status: Status = "firing"
        self.version = 0
        self.quiet_from_ms = started_ms
        self.updated_ms = started_ms
        self.told_score = 0.0
        self.money_minor = 0
        self.signs: list[Sign] = []
        self.summary = ""

    def tell(
        self, *, score: float, ts_ms: int, money_minor: int, signs: list[Sign], summary: str
    ) -> None:
        """Make the next version."""
        self.status = "updated" if self.version else "firing"
        self.version += 1
        self.told_score = score
        self.updated_ms = ts_ms
        self.money_minor = money_minor
        self.signs = signs
        self.summary = summary

    def resolve(self, ended_ms: int) -> None:
        """Make the last version."""
        self.status = "resolved"
        self.version += 1
        self.updated_ms = ended_ms

    def alert_id(self, place: str) -> str:
        """The fingerprint of kind, place, product and start: the same in every run."""
        text = "\0".join((self.kind, place, self.product_id or "", str(self.started_ms)))
        return blake2b(text.encode(), digest_size=8).hexdigest()

    def snapshot(self) -> list[Any]:
        signs = [
            [sign.name, sign.seen, sign.of, sign.base, sign.weight, sign.orders]
            for sign in self.signs
        ]
        return [signs, wide(self.money_minor), *(getattr(self, name) for name in _PLAIN)]

    @classmethod
    def restored(cls, state: list[Any]) -> "Incident":
        signs, money_minor, *plain = state
        self = cls("", 0, 0.0)
        for name, value in zip(_PLAIN, plain, strict=True):
            setattr(self, name, value)
        self.money_minor = int(money_minor)
        self.signs = [Sign(*parts) for parts in signs]
        return self


_PLAIN = tuple(name for name in Incident.__slots__ if name not in ("signs", "money_minor"))
