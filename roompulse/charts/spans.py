"""What lasted from when to when? Spans below each other over one time axis, with what happened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from roompulse.charts.svg import box, colour_of, dot, drawing, legend, line, text

_NAME, _SPAN, _GAP, _HEAD = 18, 10, 10, 24


@dataclass(frozen=True, slots=True)
class Span:
    """Something that lasted.

    Attributes:
        colour: the number of the colour of its kind.
        moments: when something happened in it.
        hint: what shows under a pointer.
    """

    name: str
    start: float
    end: float
    colour: int
    moments: Sequence[float]
    hint: str


def span_chart(
    title: str,
    spans: Sequence[Span],
    *,
    kinds: Mapping[str, int],
    ticks: Sequence[tuple[float, str]],
    bounds: tuple[float, float],
    alone: bool = True,
) -> str:
    """Spans, name above span.

    Args:
        title: what the chart shows.
        spans: within the bounds.
        kinds: the names of the kinds, and the numbers of their colours.
        ticks: where the axis is written to, and what.
        bounds: the first and the last moment of the axis.
        alone: whether the chart is a file of its own.
    """
    first, last = bounds

    def share_of(x: float) -> float:
        return (x - first) / ((last - first) or 1.0)

    parts = [*([text(0.01, 18, title, kind="head")] if alone else ())]
    top = _HEAD if alone else 0
    parts += legend(top + 12, list(kinds), list(kinds.values()))
    top += _HEAD
    foot = top + len(spans) * (_NAME + _SPAN + _GAP)
    for x, words in ticks:
        at = share_of(x)
        edge = "start" if at < 0.04 else "end" if at > 0.96 else "middle"  # noqa: PLR2004 - words fit
        parts += [line(at, top, at, foot + 4, "grid"), text(at, foot + 16, words, anchor=edge)]
    for each in spans:
        start, end = share_of(each.start), share_of(each.end)
        late = start > 0.5  # noqa: PLR2004 - words beside a late start stand left of it
        parts.append(
            text(end if late else start, top + 13, each.name, anchor="end" if late else "start")
        )
        top += _NAME
        kind = colour_of(each.colour)
        parts.append(box(start, top, end - start, _SPAN, kind, each.hint))
        parts += [dot(share_of(x), top + _SPAN / 2, "moment") for x in each.moments]
        top += _SPAN + _GAP
    return drawing(title, foot + 22, parts, alone=alone)
