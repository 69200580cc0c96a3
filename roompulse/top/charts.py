"""Small charts of characters: bars of eighths across, columns of eighths upwards. No library."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from schemas.records import RoomMinute

MINUTE_MS = 60_000
_UPWARDS = " ▁▂▃▄▅▆▇█"
_ACROSS = " ▏▎▍▌▋▊▉█"
_EIGHTHS = 8


def bar(share: float, cells: int) -> str:
    """A bar of that share of so many cells; anything above nothing is seen."""
    eighths = round(min(max(share, 0.0), 1.0) * cells * _EIGHTHS)
    if share > 0:
        eighths = max(eighths, 1)
    full, rest = divmod(eighths, _EIGHTHS)
    return "█" * full + (_ACROSS[rest] if rest else "")


def columns(values: Sequence[int], lines: int) -> list[str]:
    """A column for each value, the greatest as high as there are lines; the top line first.

    Anything above nothing is seen; nothing and what is below it is blank.
    """
    most = max(values, default=0)
    heights = [
        max(1, round(value / most * lines * _EIGHTHS)) if value > 0 else 0 for value in values
    ]
    return [
        "".join(_UPWARDS[min(max(height - line * _EIGHTHS, 0), _EIGHTHS)] for height in heights)
        for line in reversed(range(lines))
    ]


def by_minute(minutes: Iterable[RoomMinute], figure: str, count: int) -> list[int]:
    """A figure in each of the last so many minutes up to the newest; 0 where nothing happened."""
    get = attrgetter(figure)
    known = {line.minute_ms: get(line) for line in minutes}
    if not known:
        return []
    first, last = min(known), max(known)
    count = min(count, (last - first) // MINUTE_MS + 1)
    return [known.get(last - ago * MINUTE_MS, 0) for ago in reversed(range(count))]
