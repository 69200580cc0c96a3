"""What a conversion did, so that it can be checked against a plain count of the source."""

from collections import Counter
from dataclasses import dataclass, field


class ConversionError(Exception):
    """A source that cannot be converted; its text is one line that says what to do."""


@dataclass(slots=True)
class ConversionReport:
    """Counts and sums of one conversion.

    Attributes:
        rows: rows of the source; each became one event or is in `skipped`.
        events: events written, by type; rooms' openings and closings and ticks have no row.
        skipped: rows that are no event, by reason.
        currency: of the sums.
        gross_minor: sum over orders.
        refunded_minor: sum over refunds.
        remarks: what else a reader of the figures has to know.
    """

    currency: str
    rows: int = 0
    events: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    gross_minor: int = 0
    refunded_minor: int = 0
    remarks: list[str] = field(default_factory=list)
