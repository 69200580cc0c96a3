"""HTML that cannot be broken by what it shows: every text is escaped unless it is already HTML.

Names come from the log, so nothing in them is believed to be harmless: markup becomes text, what
moves the cursor or turns the direction of writing becomes a dot.
"""

from collections.abc import Iterable
from html import escape

from roompulse.cli.board_view import printable


class Html(str):
    """A piece of HTML, as against a text that is yet to be escaped."""

    __slots__ = ()


Child = str | Iterable[str]
_ALONE = frozenset({"meta", "br"})  # elements that have no end


def text(words: str) -> Html:
    """A text as HTML."""
    return words if isinstance(words, Html) else Html(escape(printable(words)))


def tag(element: str, /, *children: Child, **attributes: str | int | bool | None) -> Html:
    """An element.

    Args:
        element: its name.
        children: texts, which are escaped, and HTML, which is not; lists of both.
        attributes: `_` stands for `-`, and one at the end is left out (`class_`); True stands
            alone, None and False are left out.
    """
    parts = [f"<{element}"]
    for key, value in attributes.items():
        word = key.rstrip("_").replace("_", "-")
        if value is True:
            parts.append(f" {word}")
        elif value is not None and value is not False:
            parts.append(f' {word}="{escape(printable(str(value)))}"')
    parts.append(">")
    if element in _ALONE:
        return Html("".join(parts))
    return Html("".join([*parts, *map(text, _flat(children)), f"</{element}>"]))


def join(children: Iterable[str], between: str = "\n") -> Html:
    """Pieces after each other."""
    return Html(between.join(map(text, children)))


def drawn(svg: str) -> Html:
    """A chart, which has escaped its own texts."""
    return Html(svg)


def _flat(children: Iterable[Child]) -> Iterable[str]:
    for child in children:
        if isinstance(child, str):
            yield child
        else:
            yield from child
