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
