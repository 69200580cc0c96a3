"""Which files of a run compare the rooms of a session? All of them, by name."""

from schemas.details import SoldHour
from streams.core.market.sameness import Report, sameness
from streams.core.newest import Newest


def market_files(newest: Newest) -> dict[str, Report]:
    """The sections of each file by its name.

    Args:
        newest: what rooms said last of themselves.
    """
    return {"sameness.json": sameness(newest.of_kind(SoldHour), newest.rooms)}
