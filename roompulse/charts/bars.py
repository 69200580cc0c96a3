"""How do figures compare? Bars below each other: one or several to a name, with intervals."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from roompulse.charts.svg import box, colour_of, drawing, legend, line, text, text_beside

_HEAD, _NAME, _BAR, _GAP = 24, 18, 15, 8
# Bars take so much of the width at most: the figure stands right of them.
_WIDEST = 0.7


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from nothing to `value`.

    Attributes:
        least, most: the interval that the value may be in; None where it is known.
        words: how the value is written.
    """

    value: float
    least: float | None = None
    most: float | None = None
    words: str | None = None


@dataclass(frozen=True, slots=True)
class Bars:
    """The bars of one name, one a series; None where a series has no figure for it."""

    name: str
    bars: Sequence[Bar | None]


def bar_chart(
    title: str, rows: Sequence[Bars], *, series: Sequence[str] = (), alone: bool = True
) -> str:
    """Horizontal bars, name above bars, from one common line.

    Args:
        title: what the chart shows.
        rows: at least one.
        series: what the bars of a name are, in their order.
        alone: whether the chart is a file of its own.
    """
    ends = [0.0, 1e-9]
    for each in rows:
        for bar in each.bars:
            if bar is not None:
                ends += (bar.value, bar.value if bar.least is None else bar.least)
                ends.append(bar.value if bar.most is None else bar.most)
    least, most = min(ends), max(ends)

    def share_of(value: float) -> float:
        return (value - least) / (most - least) * _WIDEST

    parts: list[str] = []
    top = 0
    if alone:
        parts.append(text(0.01, 18, title, kind="head"))
        top = _HEAD + 4
    if len(series) > 1:
        parts += legend(top + 12, series)
        top += _HEAD
    for each in rows:
        parts.append(text(0, top + 13, each.name, kind="name"))
        top += _NAME
        for number, bar in enumerate(each.bars):
            if bar is not None:
                hint = f"{each.name} {series[number] if series else ''}".strip()
                parts += _bar(bar, top, colour_of(number), hint, share_of(0), share_of)
            top += _BAR
        first = top - len(each.bars) * _BAR
        parts.append(line(share_of(0), first - 2, share_of(0), top - 1, "axis"))
        top += _GAP
    return drawing(title, top + 4, parts, alone=alone)


def _bar(
    bar: Bar, top: int, kind: str, hint: str, zero: float, share_of: Callable[[float], float]
) -> Iterator[str]:
    words = f"{bar.value:.2f}" if bar.words is None else bar.words
    end = share_of(bar.value)
    if bar.value:
        yield box(min(zero, end), top, abs(end - zero), _BAR - 3, kind, f"{hint}: {words}")
    right = max(zero, end)
    if bar.least is not None and bar.most is not None:
        middle = top + (_BAR - 3) / 2
        yield line(share_of(bar.least), middle, share_of(bar.most), middle, "whisker")
        right = max(right, share_of(bar.most))
    yield text_beside(right, top + _BAR - 4, words)
