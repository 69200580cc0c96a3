"""Small charts as SVG: lines over a swept threshold, bars with intervals. No library draws them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

_COLOURS = ("#1f5fa8", "#c2571a", "#2b7a4b", "#7b4fa3")
_WIDTH, _LEFT, _RIGHT = 720, 150, 24
_PANEL, _TOP, _GAP = 170, 48, 62
_BAR, _HEAD = 22, 64
_STEPS = (1, 2, 5, 10)


@dataclass(frozen=True, slots=True)
class Panel:
    """A diagram of lines: points (x, y) by the name of their line."""

    title: str
    lines: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Bar:
    """A bar from nothing to `value`, with the interval that it may be in."""

    name: str
    value: float
    least: float
    most: float


def line_chart(title: str, x_title: str, panels: Sequence[Panel]) -> str:
    """Diagrams below each other over one common x axis."""
    height = _TOP + len(panels) * (_PANEL + _GAP)
    xs = [x for panel in panels for points in panel.lines.values() for x, _ in points]
    parts = [_text(_LEFT, 22, title, size=15)]
    for number, panel in enumerate(panels):
        parts += _panel(panel, _TOP + number * (_PANEL + _GAP) + 14, min(xs), max(xs))
    parts.append(_text(_WIDTH - _RIGHT, height - 12, x_title, anchor="end"))
    return _svg(height, parts)


def bar_chart(title: str, bars: Sequence[Bar]) -> str:
    """Horizontal bars, one a line, with whiskers."""
    least = min([0.0, *(bar.least for bar in bars)])
    most = max([*(bar.most for bar in bars), least + 1e-9])
    wide = _WIDTH - _LEFT - _RIGHT - 60

    def x_of(value: float) -> float:
        return _LEFT + (value - least) / (most - least) * wide

    parts = [_text(_LEFT, 26, title, size=15)]
    for number, bar in enumerate(bars):
        y = _HEAD + number * _BAR
        start, end = sorted((x_of(0.0), x_of(bar.value)))
        parts += [
            _text(_LEFT - 8, y + 4, bar.name, anchor="end"),
            (
                f'<rect x="{start:.1f}" y="{y - 7}" width="{end - start:.1f}" height="14"'
                f' fill="{_COLOURS[0]}" fill-opacity="0.75"/>'
            ),
            _line(x_of(bar.least), y, x_of(bar.most), y, "#222", 1.5),
            _text(x_of(bar.most) + 6, y + 4, f"{bar.value:.2f}"),
        ]
    parts.append(_line(x_of(0.0), _HEAD - 14, x_of(0.0), _HEAD + len(bars) * _BAR - 8, "#666"))
    return _svg(_HEAD + len(bars) * _BAR + 16, parts)


def _panel(panel: Panel, top: int, x_least: float, x_most: float) -> Iterable[str]:
    most = max([y for points in panel.lines.values() for _, y in points] + [1e-9])
    step = _step(most)
    y_most = step * -(-most // step)
    wide, bottom = _WIDTH - _LEFT - _RIGHT, top + _PANEL

    def x_of(x: float) -> float:
        return _LEFT + (x - x_least) / ((x_most - x_least) or 1.0) * wide

    def y_of(y: float) -> float:
        return bottom - y / y_most * _PANEL

    yield _text(_LEFT - 10, top - 8, panel.title, anchor="end")
    for number in range(round(y_most / step) + 1):
        y = number * step
        yield _line(_LEFT, y_of(y), _WIDTH - _RIGHT, y_of(y), "#ddd")
        yield _text(_LEFT - 8, y_of(y) + 4, f"{y:g}", anchor="end")
    xs = sorted({x for points in panel.lines.values() for x, _ in points})
    for x in xs[:: max(1, -(-len(xs) // 10))]:
        yield _text(x_of(x), bottom + 16, f"{x:g}", anchor="middle")
    for number, (name, points) in enumerate(panel.lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{x_of(x):.1f},{y_of(y):.1f}" for x, y in points)
        yield f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>'
        for x, y in points:
            yield f'<circle cx="{x_of(x):.1f}" cy="{y_of(y):.1f}" r="3" fill="{colour}"/>'
        yield _text(_LEFT + 8 + number * 150, top - 8, name, colour=colour)


def _step(most: float) -> float:
    """A round distance of lines, so that about four of them reach the greatest value."""
    rough = most / 4
    power = 10.0 ** len(str(int(rough))) / 10 if rough >= 1 else 1.0
    while power > rough:
        power /= 10
    return next(power * step for step in _STEPS if power * step >= rough)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, wide: float = 1) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
        f' stroke="{colour}" stroke-width="{wide:g}"/>'
    )


def _text(
    x: float, y: float, text: str, *, anchor: str = "start", size: int = 12, colour: str = "#222"
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}"'
        f' fill="{colour}">{escape(text)}</text>'
    )


def _svg(height: int, parts: Iterable[str]) -> str:
    return "\n".join(
        [
            (
                f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{height}"'
                f' viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif">'
            ),
            f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>',
            *parts,
            "</svg>\n",
        ]
    )
