"""How does a figure move? Diagrams of lines below each other, over one common x axis."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape

from roompulse.charts.svg import (
    colour_of,
    dot,
    drawing,
    legend,
    line,
    round_step,
    share,
    text,
)

_PLOT, _HEAD, _LEGEND, _FOOT, _TITLE = 150, 24, 18, 26, 26
_INNER = 1_000  # units of a plot's own width: lines are stretched with it, their strokes are not
_MOST_DOTS = 40  # points of a line that are shown one by one
Points = Sequence[tuple[float, float]]


def _plain(value: float) -> str:
    return f"{value:g}"


@dataclass(frozen=True, slots=True)
class Panel:
    """One diagram.

    Attributes:
        lines: points (x, y) by the name of their line.
        write: a figure of the y axis as text.
        marks: where something was done, on the x axis.
        is_whole: whether the figure is a count: no line of the axis lies between two.
    """

    title: str
    lines: Mapping[str, Points]
    write: Callable[[float], str] = _plain
    marks: Sequence[float] = field(default=())
    is_whole: bool = False


def line_chart(
    title: str,
    x_title: str,
    panels: Sequence[Panel],
    *,
    ticks: Sequence[tuple[float, str]] | None = None,
    alone: bool = True,
) -> str:
    """Diagrams below each other.

    Args:
        title: what the chart shows.
        x_title: what the x axis is.
        panels: at least one, with at least one point in all.
        ticks: where the x axis is written to, and what; by default the points themselves.
        alone: whether the chart is a file of its own.
    """
    xs = [x for panel in panels for points in panel.lines.values() for x, _ in points]
    least, most = min(xs), max(xs)

    def share_of(x: float) -> float:
        return (x - least) / ((most - least) or 1.0)

    shown = _ticks_of(xs) if ticks is None else ticks
    parts, top = [], 0
    if alone:
        parts.append(text(0.01, 18, title, kind="head"))
        top = _TITLE
    for panel in panels:
        foot = top + _HEAD + (_LEGEND if len(panel.lines) > 1 else 0) + _PLOT
        parts += _panel(panel, top, foot, share_of)
        parts += _axis(shown, foot, share_of)
        top = foot + _FOOT
    parts.append(text(1, top + 12, x_title, anchor="end"))
    return drawing(title, top + 18, parts, alone=alone)


def _ticks_of(xs: Iterable[float]) -> list[tuple[float, str]]:
    found = sorted(set(xs))
    return [(x, _plain(x)) for x in found[:: max(1, -(-len(found) // 10))]]


def _axis(
    ticks: Sequence[tuple[float, str]], y: float, share_of: Callable[[float], float]
) -> Iterable[str]:
    for x, words in ticks:
        at = share_of(x)
        edge = "start" if at < 0.04 else "end" if at > 0.96 else "middle"  # noqa: PLR2004 - words fit
        yield line(at, y, at, y + 4, "axis")
        yield text(at, y + 16, words, anchor=edge)


def _panel(panel: Panel, top: int, foot: int, share_of: Callable[[float], float]) -> Iterable[str]:
    most = max([y for points in panel.lines.values() for _, y in points] + [1e-9])
    step = max(round_step(most), 1.0 if panel.is_whole else 0.0)
    y_most = step * -(-most // step)
    yield text(0, top + 14, panel.title, kind="head")
    yield from legend(top + 31, list(panel.lines))
    for number in range(round(y_most / step) + 1):
        y = foot - number * step / y_most * _PLOT
        yield line(0, y, 1, y, "grid" if number else "axis")
    for x in panel.marks:
        yield line(share_of(x), foot - 8, share_of(x), foot, "axis")
    yield (
        f'<svg class="plot" x="0" y="{foot - _PLOT}" width="100%" height="{_PLOT}"'
        f' viewBox="0 0 {_INNER} {_PLOT}" preserveAspectRatio="none">'
    )
    for number, (name, points) in enumerate(panel.lines.items()):
        path = " ".join(
            f"{_INNER * share_of(x):.1f},{_PLOT - y / y_most * _PLOT:.1f}" for x, y in points
        )
        words = f"<title>{escape(name)}</title>"
        yield f'<polyline points="{path}" class="{colour_of(number)}">{words}</polyline>'
    yield "</svg>"
    for number in range(1, round(y_most / step) + 1):
        y = foot - number * step / y_most * _PLOT
        yield text(0, y + 12, panel.write(number * step), kind="over")
    for number, points in enumerate(panel.lines.values()):
        if len(points) <= _MOST_DOTS:
            for x, y in points:
                yield dot(share_of(x), foot - y / y_most * _PLOT, colour_of(number))


assert share(1) == "100.00%"
