"""Who leads, how much is sold, and how fast: what a platform looks at while it sells."""

from deploy.grafana.dashboards.alert_panels import (
    firing,
    gravest,
    suspected_money,
    suspected_share,
)
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


def _platform(figure: str) -> str:
    return f'max(roompulse_platform_{figure}{{currency="$currency"}})'


def _money(figure: str) -> str:
    return f"{_platform(figure)} / $minor_per_unit"


def _per_minute(figure: str) -> str:
    """What is added to a platform figure a minute; the sums only grow, but for late refunds."""
    metric = f'roompulse_platform_{figure}{{currency="$currency"}}'
    return f"max(deriv({metric}[$__rate_interval])) * 60"


def _board(figure: str, scope: str, window: str = "total") -> str:
    labels = f'scope="{scope}", window="{window}", currency="$currency"'
    return f"max by (key, name) (roompulse_board_{figure}{{{labels}}})"


def _ranking(title: str, scope: str, width: int) -> Panel:
    query = Query(f"topk(10, {_board('gross_minor', scope)}) / $minor_per_unit", "{{name}}")
    return Panel(title, "bars", (query,), MONEY, decimals=2, width=width)


def _window(title: str, window: str) -> Panel:
    money = f"{_board('gross_minor', 'room', window)} / $minor_per_unit"
    return Panel(
        title,
        "table",
        (
            Query(money, "Gross GMV"),
            Query(_board("orders", "room", window), "Orders", NUMBER),
            Query(_board("visits", "room", window), "Visits", NUMBER),
        ),
        MONEY,
        about="Of closed minutes alone: late money is in the totals, not here.",
        decimals=0,
        rooms=True,
    )


SALE_NIGHT = Page(
    uid="roompulse-sale-night",
    title="Sale night",
    description="Sales of the whole platform in one currency, and who leads.",
    variables=(CURRENCY, MINOR_PER_UNIT),
    rows=(
        Row(
            "The platform, so far",
            (
                stat("Gross GMV, $currency", _money("gross_minor"), MONEY, decimals=2),
                stat("Net GMV, $currency", _money("net_minor"), MONEY, decimals=2),
                stat(
                    "Trusted GMV, $currency",
                    _money("trusted_minor"),
                    MONEY,
                    decimals=2,
                    about="Suspected is not guilty: each alert holds its evidence.",
                ),
                stat("Paid orders", _platform("orders")),
                stat("Online", _platform("online")),
                stat(
                    "Gross GMV per 1,000 visits",
                    f"{_platform('gross_minor')} * 1000 / ({_platform('visits')} > 0)"
                    " / $minor_per_unit",
                    MONEY,
                    decimals=2,
                ),
            ),
        ),
        Row(
            "Suspected now",
            (
                firing("page", width=6),
                firing("review", width=6),
                suspected_money(width=6),
                suspected_share(width=6),
                gravest(height=6),
            ),
        ),
        Row(
            "How it goes",
            (
                graph(
                    "GMV, $currency",
                    (_money("gross_minor"), "gross"),
                    (_money("net_minor"), "net"),
                    (_money("trusted_minor"), "trusted"),
                    unit=MONEY,
                    decimals=2,
                ),
                graph(
                    "GMV a minute, $currency",
                    (f"{_per_minute('gross_minor')} / $minor_per_unit", "gross"),
                    (f"{_per_minute('net_minor')} / $minor_per_unit", "net"),
                    unit=MONEY,
                    decimals=2,
                    about="By time of day: a replay at twice the speed sells twice as much.",
                ),
                graph("Online over time", (_platform("online"), "online"), decimals=0),
                graph(
                    "Orders and visits a minute",
                    (_per_minute("orders"), "orders"),
                    (_per_minute("visits"), "visits"),
                    decimals=1,
                ),
            ),
        ),
        Row(
            "Who leads",
            (
                Panel(
                    "Rooms",
                    "table",
                    (
                        Query(f"{_board('gross_minor', 'room')} / $minor_per_unit", "Gross GMV"),
                        Query(f"{_board('net_minor', 'room')} / $minor_per_unit", "Net GMV"),
                        Query(
                            f"{_board('trusted_minor', 'room')} / $minor_per_unit", "Trusted GMV"
                        ),
                        Query(_board("orders", "room"), "Orders", NUMBER),
                        Query(_board("places_lost", "room"), "Places lost", NUMBER),
                        Query(_board("momentum", "room"), "Momentum", "none"),
                    ),
                    MONEY,
                    about="The first rows by gross GMV. A click on a key leads to the room.",
                    decimals=2,
                    width=24,
                    height=10,
                    rooms=True,
                ),
                _window("Rooms, last 10 minutes", "last_10m"),
                _window("Rooms, last hour", "last_60m"),
                _ranking("Hosts", "host", 8),
                _ranking("Agencies", "mcn", 8),
                _ranking("Selling modes", "mode", 8),
                _ranking("Categories", "category", 8),
                _ranking("Merchants", "merchant", 8),
                _ranking("Products", "product", 8),
            ),
        ),
    ),
)
