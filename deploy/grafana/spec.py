"""What a dashboard is, before it is drawn: pages of rows of panels, each with its queries.

Money in queries is in minor units divided by `$minor_per_unit`, so that people read it in units of
the currency. Every query joins what several workers show (`max by`, `sum by`), since a partition or
the boards may be shown by two of them for a moment.
"""

from dataclasses import dataclass
from typing import Literal

Kind = Literal["stat", "graph", "bars", "table"]
# A colour from a value on; None is the lowest of all.
Steps = tuple[tuple[float | None, str], ...]

PLAIN: Steps = ((None, "blue"),)
MONEY = "locale"  # thousands separated, no invented currency sign
NUMBER = "locale"


@dataclass(frozen=True, slots=True)
class Query:
    """A PromQL expression and how its series are called; in a table, how its column is.

    Attributes:
        unit: of this column of a table, where it is not the panel's.
        hidden: whether the column is there for links alone.
    """

    expr: str
    legend: str = ""
    unit: str | None = None
    hidden: bool = False


@dataclass(frozen=True, slots=True)
class Panel:
    """One question that people ask, and the queries that answer it.

    Attributes:
        about: what to think of it, before the meanings of its metrics; may be empty.
        unit: a unit of Grafana, of all values.
        width: of the 24 columns of a page.
        rooms: whether rows of the table lead to the page of their room.
        alerts: whether they lead to the room of their alert at its time: from the hidden column
            `from` to the hidden column `to`, epoch milliseconds.
    """

    title: str
    kind: Kind
    queries: tuple[Query, ...]
    unit: str
    about: str = ""
    steps: Steps = PLAIN
    decimals: int | None = None
    width: int = 12
    height: int = 8
    rooms: bool = False
    alerts: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """A choice at the top of a page: the answers of `query`, or where it is empty the `values`."""

    name: str
    label: str
    query: str = ""
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True)
class Moments:
    """What happened, as marks in all graphs of a page: whenever `expr` gives something.

    Attributes:
        text: what stands at each mark.
    """

    title: str
    expr: str
    text: str


@dataclass(frozen=True, slots=True)
class Page:
    """A dashboard."""

    uid: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    moments: tuple[Moments, ...] = ()


CURRENCY = Variable(
    "currency",
    "Currency",
    query='label_values(roompulse_platform_gross_minor{currency!=""}, currency)',
)
ROOM = Variable(
    "room",
    "Room",
    query=(
        'label_values(roompulse_board_gross_minor{scope="room", window="total",'
        ' currency="$currency"}, key)'
    ),
)
# 100 for most currencies, 1 for those without a smaller coin (JPY, KRW), 1,000 for some dinars.
MINOR_PER_UNIT = Variable("minor_per_unit", "Minor per unit", values=("100", "1", "1000"))


def stat(
    title: str,
    expr: str,
    unit: str = NUMBER,
    *,
    about: str = "",
    steps: Steps = PLAIN,
    decimals: int | None = None,
    width: int = 4,
) -> Panel:
    """One number of now."""
    return Panel(title, "stat", (Query(expr, title),), unit, about, steps, decimals, width, 4)


def graph(
    title: str,
    *queries: tuple[str, str],
    unit: str = NUMBER,
    about: str = "",
    steps: Steps = PLAIN,
    decimals: int | None = None,
    width: int = 12,
) -> Panel:
    """Lines over time, each query with the names of its lines."""
    asked = tuple(Query(expr, legend) for expr, legend in queries)
    return Panel(title, "graph", asked, unit, about, steps, decimals, width)
