"""What is a drawing made of? Escaped text, lines and boxes at shares of the width, round steps.

Horizontal places are shares from 0 to 1 of the width of the drawing, whatever that will be;
vertical ones are pixels. So one drawing fits a phone and a page, and its letters stay readable.
Numbers are rounded: equal figures give equal bytes.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

# How many series a chart tells apart by colour; further ones begin again.
COLOURS: Final = 5
ALONE_WIDTH: Final = 720
_STEPS: Final = (1, 2, 5, 10)
_MINUTES_A_DAY: Final = 24 * 60
_TIME_STEPS_MINUTES: Final = (
    1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720,
    *(days * _MINUTES_A_DAY for days in (1, 2, 7, 14, 28, 56, 112, 364)),
)  # fmt: skip

# Dark only on a screen: paper is light.
STYLE: Final = """\
:root{--ground:#fff;--ink:#1b1f24;--soft:#59636e;--faint:#dfe3e8;
--s0:#1f5fa8;--s1:#c2571a;--s2:#2b7a4b;--s3:#7b4fa3;--s4:#a8324a}
@media screen and (prefers-color-scheme:dark){:root{--ground:#14171b;--ink:#e8eaed;--soft:#a4adb8;
--faint:#343a42;--s0:#79b1f2;--s1:#f0a06a;--s2:#7cc99b;--s3:#c3a0e6;--s4:#f08a9c}}
svg.chart{display:block;width:100%;font-family:inherit;overflow:visible}
svg.chart text{font-size:12px;fill:var(--soft)}
svg.chart text.head{fill:var(--ink);font-weight:600}
svg.chart text.name{fill:var(--ink)}
svg.chart text.over{paint-order:stroke;stroke:var(--ground);stroke-width:3px}
svg.chart .ground{fill:var(--ground)}
svg.chart .grid{stroke:var(--faint)}svg.chart .axis{stroke:var(--soft)}
svg.chart .whisker{stroke:var(--ink);stroke-width:1.5}
svg.chart .mark{stroke:var(--soft);stroke-dasharray:2 3}
svg.chart .moment{fill:var(--ground);stroke:var(--ink)}
svg.chart .plot{overflow:visible}
svg.chart polyline{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}
""" + "".join(
    f"svg.chart polyline.s{at}{{stroke:var(--s{at})}}"
    f"svg.chart :is(rect,circle,tspan).s{at}{{fill:var(--s{at})}}\n"
    for at in range(COLOURS)
)


def share(x: float) -> str:
    """A horizontal place, or a width, from a share of the whole."""
    return f"{100 * x:.2f}%"


def text(x: float, y: float, words: str, *, anchor: str = "start", kind: str = "") -> str:
    """Words with their foot at a place."""
    name = f' class="{kind}"' if kind else ""
    end = f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{share(x)}" y="{y:g}"{end}{name}>{escape(words)}</text>'


def text_beside(x: float, y: float, words: str) -> str:
    """Words that begin a little right of a place."""
    return f'<text x="{share(x)}" dx="5" y="{y:g}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    """A straight line."""
    return f'<line x1="{share(x1)}" y1="{y1:g}" x2="{share(x2)}" y2="{y2:g}" class="{kind}"/>'


def box(x: float, y: float, wide: float, high: float, kind: str, hint: str = "") -> str:
    """A filled rectangle, at least a hair wide; `hint` shows under a pointer."""
    place = f'x="{share(x)}" y="{y:g}" width="{share(max(wide, 0.002))}" height="{high:g}"'
    return f'<rect {place} class="{kind}"><title>{escape(hint)}</title></rect>'


def dot(x: float, y: float, kind: str, radius: float = 3) -> str:
    """A filled circle."""
    return f'<circle cx="{share(x)}" cy="{y:.1f}" r="{radius:g}" class="{kind}"/>'


def colour_of(number: int) -> str:
    """The class of the colour of a series."""
    return f"s{number % COLOURS}"


def drawing(title: str, height: int, parts: Iterable[str], *, alone: bool) -> str:
    """A whole drawing.

    Args:
        title: what it shows, for those who do not see it.
        height: in pixels.
        parts: what is in it.
        alone: whether it is a file of its own, with its heading, ground and colours, or stands in
            a page that has all three.
    """
    start = f'<svg class="chart" role="img" aria-label="{escape(title)}" height="{height}"'
    if not alone:
        return "\n".join([f"{start}>", f"<title>{escape(title)}</title>", *parts, "</svg>"])
    return "\n".join(
        [
            (
                f'{start} width="{ALONE_WIDTH}" xmlns="http://www.w3.org/2000/svg"'
                f' font-family="sans-serif" style="width:{ALONE_WIDTH}px">'
            ),
            f"<title>{escape(title)}</title>",
            f"<style>{escape(STYLE, quote=False)}</style>",
            f'<rect width="100%" height="{height}" class="ground"/>',
            *parts,
            "</svg>\n",
        ]
    )


def legend(y: float, names: Sequence[str], colours: Sequence[int] = ()) -> list[str]:
    """The names of series in their colours, side by side; nothing where there is but one.

    `colours` are the numbers of the colours; by default those of the places.
    """
    if len(names) < 2:  # noqa: PLR2004 - one needs no telling apart
        return []
    spans = "".join(
        f'<tspan class="{colour_of(colour)}">■ </tspan><tspan>{escape(name)}&#160;&#160; </tspan>'
        for name, colour in zip(names, colours or range(len(names)), strict=True)
    )
    return [f'<text x="0" y="{y:g}">{spans}</text>']


def round_step(most: float) -> float:
    """A round distance of lines, so that about four of them reach the greatest value."""
    rough = most / 4
    power = 10.0 ** len(str(int(rough))) / 10 if rough >= 1 else 1.0
    while power > rough:
        power /= 10
    return next(power * step for step in _STEPS if power * step >= rough)


def time_step_minutes(minutes: float, most: int) -> int:
    """A usual distance in minutes, so that it fits at most so many times into a span."""
    for step in _TIME_STEPS_MINUTES:
        if minutes <= step * most:
            return step
    return _TIME_STEPS_MINUTES[-1] * -(-int(minutes) // (_TIME_STEPS_MINUTES[-1] * most))
