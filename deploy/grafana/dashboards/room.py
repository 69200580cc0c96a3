"""How does one room sell: money three ways, who watches, and where buyers are lost."""

from deploy.grafana.dashboards.alert_panels import SHARE_STEPS, SUSPECTED
from deploy.grafana.spec import (
    CURRENCY,
    MINOR_PER_UNIT,
    MONEY,
    NUMBER,
    ROOM,
    Moments,
    Page,
    Panel,
    Query,
    Row,
    graph,
    stat,
)

_OF_ROOM = 'scope="room", window="total", currency="$currency", key="$room"'
_GROSS_PER_MINUTE = f"max(deriv(roompulse_board_gross_minor{{{_OF_ROOM}}}[$__rate_interval])) * 60"


def _board(figure: str) -> str:
    return f"max(roompulse_board_{figure}{{{_OF_ROOM}}})"


def _money(figure: str) -> str:
    return f"{_board(figure)} / $minor_per_unit"


def _room(figure: str) -> str:
    return f'max(roompulse_room_{figure}{{room_id="$room"}})'


def _per_minute(figure: str) -> tuple[str, str]:
    metric = f'roompulse_room_{figure}{{room_id="$room"}}'
    return f"max(deriv({metric}[$__rate_interval])) * 60", figure


def _parties(title: str, figure: str) -> Panel:
    """A bar for each party that may answer."""
    metric = f"roompulse_after_sales_room_{figure}"
    queries = (
        Query(f'max({metric}{{room_id="$room", party="{party}"}}) or vector(0)', party)
        for party in ("platform", "host", "merchant", "consumer")
    )
    about = "A complaint is its party's as named last, else by its kind; a refund by its reason."
    return Panel(title, "bars", tuple(queries), NUMBER, about, width=9, height=6)


ROOM_PAGE = Page(
    uid="roompulse-room",
    title="Room",
    description="One of the rooms that lead by gross GMV or have the gravest alerts; the others are"
    " in the topics alone.",
    variables=(CURRENCY, ROOM, MINOR_PER_UNIT),
    moments=(
        Moments(
            "Products",
            "max(changes("
            'roompulse_room_product_mark_seconds{room_id="$room"}[$__rate_interval])) > 0',
            "A product was listed, priced, delisted or stocked.",
        ),
    ),
    rows=(
        Row(
            "So far",
            (
                stat("Gross GMV, $currency", _money("gross_minor"), MONEY, decimals=2),
                stat("Net GMV, $currency", _money("net_minor"), MONEY, decimals=2),
                stat("Trusted GMV, $currency", _money("trusted_minor"), MONEY, decimals=2),
                stat("Paid orders", _board("orders")),
                stat(
                    "Places lost by suspicion",
                    _board("places_lost"),
                    steps=((None, "green"), (1, "orange"), (10, "red")),
                    about="Suspected is not guilty: each alert holds its evidence.",
                ),
                stat("Suspected orders", _room("suspected_orders"), about=SUSPECTED),
                stat(
                    "Suspected share of gross GMV",
                    f"{_board('suspected_minor')} / ({_board('gross_minor')} > 0)",
                    "percentunit",
                    decimals=2,
                    steps=SHARE_STEPS,
                    about=SUSPECTED,
                ),
                stat(
                    "Alerts firing in this room",
                    "count(max by (alert_id)"
                    ' (roompulse_firing_alert_started_seconds{room_id="$room"})) or vector(0)',
                    steps=((None, "green"), (1, "red")),
                    about="Of the gravest of the platform.",
                ),
                stat("Buyers", _room("buyers")),
                stat("Online", _room("online")),
                stat("Most online at once", _room("peak_online")),
                stat("Visits", _room("visits")),
                stat("Viewers", _room("viewers")),
                stat(
                    "Average watch time",
                    f"{_room('watch_ms')} / ({_room('visits')} > 0)",
                    "ms",
                    about="`watch_ms` by visits.",
                ),
                stat(
                    "Buyers per viewer",
                    f"{_room('buyers')} / ({_room('viewers')} > 0)",
                    "percentunit",
                    decimals=2,
                ),
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
                    "Gross GMV a minute, $currency",
                    (f"{_GROSS_PER_MINUTE} / $minor_per_unit", "gross"),
                    unit=MONEY,
                    about="Marks tell when a product was listed, priced, delisted or stocked.",
                    decimals=2,
                ),
                graph("Online over time", (_room("online"), "online"), decimals=0),
                graph(
                    "What viewers do, a minute",
                    *map(_per_minute, ("visits", "comments", "likes", "clicks", "carts")),
                    about="By time of day: a replay at twice the speed does twice as much.",
                    decimals=1,
                ),
                Panel(
                    "From click to order",
                    "bars",
                    (
                        Query(_room("clicks"), "clicks"),
                        Query(_room("carts"), "carts"),
                        Query(_room("checkouts"), "checkouts"),
                        Query(_board("orders"), "paid orders"),
                    ),
                    NUMBER,
                    about="Not each step needs the one before: sources may send no checkouts.",
                ),
            ),
        ),
        Row(
            "Do they stay",
            (
                Panel(
                    "Share of ended visits still there after",
                    "bars",
                    (
                        Query(_room("stayed_30s"), "30 s"),
                        Query(_room("stayed_60s"), "1 min"),
                        Query(_room("stayed_300s"), "5 min"),
                    ),
                    "percentunit",
                    decimals=1,
                ),
                graph(
                    "Stay over time",
                    (_room("median_watch_ms"), "median"),
                    (f"{_room('watch_ms')} / ({_room('visits')} > 0)", "average"),
                    unit="ms",
                ),
            ),
        ),
        Row(
            "After the sale",
            (
                stat(
                    "Refunded, $currency",
                    f"{_room('refunded_minor')} / $minor_per_unit",
                    MONEY,
                    decimals=2,
                    width=6,
                ),
                stat(
                    "Refunded money per gross GMV",
                    f"{_room('refunded_minor')} / ({_board('gross_minor')} > 0)",
                    "percentunit",
                    decimals=2,
                    width=6,
                    steps=((None, "green"), (0.2, "orange"), (0.4, "red")),
                ),
                stat("Unpaid orders", _room("unpaid_orders"), width=6),
                stat("Complaints opened", _room("complaints_opened"), width=6),
                _parties("Refunds by party", "refunds"),
                _parties("Complaints by party", "complaints"),
                stat(
                    "Answers overdue",
                    'max(roompulse_after_sales_room_breaches{room_id="$room"})',
                    width=6,
                    steps=((None, "green"), (1, "orange")),
                ),
            ),
        ),
    ),
)
