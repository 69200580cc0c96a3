"""What comes back after the sale: refunds, orders never paid, complaints, of the leading rooms."""

from deploy.grafana.spec import (
    CURRENCY,
    MINOR_PER_UNIT,
    MONEY,
    NUMBER,
    Page,
    Panel,
    Query,
    Row,
    graph,
    stat,
)

_TOTAL = 'scope="room", window="total", currency="$currency"'


def _board(figure: str) -> str:
    return f"max by (key) (roompulse_board_{figure}{{{_TOTAL}}})"


def _room(figure: str) -> str:
    """A figure of the leading rooms of the currency, by the key of their board."""
    keyed = f'label_replace(roompulse_room_{figure}, "key", "$1", "room_id", "(.+)")'
    return f"max by (key) ({keyed}) and on (key) {_board('orders')}"


def _platform(figure: str) -> str:
    return f'max(roompulse_platform_{figure}{{currency="$currency"}})'


_MONEY_OF_PARTY = 'roompulse_after_sales_refunded_minor{currency="$currency"}'
_LEVELS = (("first_reply", "first reply"), ("resolution", "resolution"))


def _by_party(figure: str, cause: str) -> str:
    return f"sum by (party) (max by (party, {cause}) (roompulse_after_sales_{figure}))"


def _by_level(figure: str, level: str) -> str:
    return f'max by (party) (roompulse_after_sales_{figure}{{level="{level}"}})'


def _attainment(level: str) -> str:
    in_time, breaches = (f"sum({_by_level(name, level)})" for name in ("in_time", "breaches"))
    return f"{in_time} / ({in_time} + {breaches} > 0)"


_REFUNDED = f"({_platform('gross_minor')} - {_platform('net_minor')})"

AFTER_SALES = Page(
    uid="roompulse-after-sales",
    title="After sales",
    description="Refunds, unpaid orders and complaints in one currency.",
    variables=(CURRENCY, MINOR_PER_UNIT),
    rows=(
        Row(
            "The platform, so far",
            (
                stat(
                    "Refunded, $currency",
                    f"{_REFUNDED} / $minor_per_unit",
                    MONEY,
                    decimals=2,
                    width=6,
                    about="Gross less net GMV.",
                ),
                stat(
                    "Refunded money per gross GMV",
                    f"{_REFUNDED} / ({_platform('gross_minor')} > 0)",
                    "percentunit",
                    decimals=2,
                    width=6,
                    steps=((None, "green"), (0.2, "orange"), (0.4, "red")),
                ),
                stat(
                    "Unpaid orders of leading rooms",
                    f"sum({_room('unpaid_orders')})",
                    width=6,
                ),
                stat(
                    "Complaints of leading rooms",
                    f"sum({_room('complaints_opened')})",
                    width=6,
                ),
                graph(
                    "Refunded over time, $currency",
                    (f"{_REFUNDED} / $minor_per_unit", "refunded"),
                    unit=MONEY,
                    decimals=2,
                ),
                graph(
                    "Refunds and complaints a second, all currencies",
                    (
                        'type:roompulse_events_accepted:rate1m{type=~"refund.*|complaint.*"}',
                        "{{type}}",
                    ),
                    unit="cps",
                    decimals=2,
                ),
            ),
        ),
        Row(
            "Who answers for it, all rooms",
            (
                Panel(
                    "By responsible party",
                    "table",
                    (
                        Query(_by_party("complaints", "kind"), "Complaints"),
                        Query(_by_party("refunds", "reason"), "Refunds"),
                        Query(_by_level("breaches", "first_reply"), "Replies overdue"),
                        Query(_by_level("breaches", "resolution"), "Resolutions overdue"),
                        Query(_by_level("median_ms", "first_reply"), "First reply", "ms"),
                        Query(_by_level("median_ms", "resolution"), "Resolution", "ms"),
                    ),
                    NUMBER,
                    about="A complaint is its party's as named last, else by its kind; a refund by"
                    " its reason. Both tables are rules.",
                    width=24,
                    height=7,
                ),
                graph(
                    "Refunded money by party, $currency",
                    (
                        f"max by (party) ({_MONEY_OF_PARTY}) / $minor_per_unit",
                        "{{party}}",
                    ),
                    unit=MONEY,
                    decimals=2,
                ),
                graph(
                    "Refunds by reason",
                    (
                        "sum by (reason) (max by (party, reason) (roompulse_after_sales_refunds))",
                        "{{reason}}",
                    ),
                    decimals=0,
                ),
                graph(
                    "Complaints by kind",
                    (
                        "sum by (kind) (max by (party, kind) (roompulse_after_sales_complaints))",
                        "{{kind}}",
                    ),
                    decimals=0,
                ),
                graph(
                    "Answered in time",
                    *((_attainment(level), name) for level, name in _LEVELS),
                    unit="percentunit",
                    about="In time over in time and breaches; an answer at the deadline is in"
                    " time.",
                    decimals=1,
                ),
            ),
        ),
        Row(
            "The leading rooms",
            (
                Panel(
                    "Rooms",
                    "table",
                    (
                        Query(f"({_room('refunded_minor')}) / $minor_per_unit", "Refunded"),
                        Query(
                            f"({_room('refunded_minor')}) / ({_board('gross_minor')} > 0)",
                            "Refunded per gross GMV",
                            "percentunit",
                        ),
                        Query(_room("complaints_opened"), "Complaints", NUMBER),
                        Query(
                            f"({_room('complaints_opened')}) / ({_board('orders')} > 0)",
                            "Complaints per order",
                            "percentunit",
                        ),
                        Query(_room("unpaid_orders"), "Unpaid orders", NUMBER),
                        Query(_room("checkouts"), "Checkouts", NUMBER),
                    ),
                    MONEY,
                    about="The first rooms by gross GMV. A click on a key leads to the room.",
                    decimals=2,
                    width=24,
                    height=12,
                    rooms=True,
                ),
            ),
        ),
    ),
)
