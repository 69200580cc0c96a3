"""How agencies, those who sell and what they sell stand beside each other, by now."""

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

_SHARE = "percentunit"
# Where n are equal the index is 1/n: a quarter is as if four had everything.
_CONCENTRATED = ((None, "green"), (0.25, "orange"), (0.5, "red"))
_TRUSTED = ((None, "red"), (50.0, "orange"), (75.0, "green"))
_OF = ("category", "product", "merchant", "room")
_SCOPES = (("hosts", "Hosts"), ("mcns", "Agencies"), ("merchants", "Merchants"))
_PARTS = (
    ("integrity", "Integrity"),
    ("after_sales", "After-sales"),
    ("price_honesty", "Price honesty"),
)


def _agency(figure: str) -> str:
    return f'max by (mcn_id) (roompulse_agency_{figure}{{currency="$currency"}})'


def _hhi(of: str) -> str:
    return f'max(roompulse_sameness_hhi{{currency="$currency", of="{of}"}})'


def _credit(scope: str, title: str) -> Panel:
    def part(name: str) -> str:
        return f'max by (key) (roompulse_credit_points{{scope="{scope}", part="{name}"}})'

    return Panel(
        f"{title} with the least credit",
        "table",
        (
            Query(f'max by (key) (roompulse_credit_score{{scope="{scope}"}})', "Score"),
            *(Query(part(name), called) for name, called in _PARTS),
        ),
        NUMBER,
        steps=_TRUSTED,
        decimals=0,
        width=8,
        height=9,
    )


def _room(figure: str) -> str:
    keyed = f'label_replace(roompulse_benchmark_{figure}, "key", "$1", "room_id", "(.+)")'
    return f"max by (key, metric) ({keyed})"


def _trial(figure: str) -> str:
    return f"max by (product_id, room_id) (roompulse_trial_{figure})"


MARKET = Page(
    uid="roompulse-market",
    title="Market",
    description="Agencies, credit, sameness, rooms beside their like, and how new products do.",
    variables=(CURRENCY, MINOR_PER_UNIT),
    rows=(
        Row(
            "Agencies",
            (
                Panel(
                    "Agencies by development index",
                    "table",
                    (
                        Query(_agency("index"), "Index", NUMBER),
                        Query(f"{_agency('gross_minor')} / $minor_per_unit", "Gross", MONEY),
                        Query(f"{_agency('trusted_minor')} / $minor_per_unit", "Trusted", MONEY),
                        Query(_agency("places_lost"), "Places lost", NUMBER),
                        Query(_agency("suspected_share"), "Suspected", _SHARE),
                        Query(_agency("hosts"), "Hosts", NUMBER),
                        Query(_agency("complaint_rate"), "Complaints per order", _SHARE),
                    ),
                    NUMBER,
                    about="The agencies that lead by index.",
                    decimals=1,
                    width=16,
                    height=9,
                ),
                graph(
                    "Development index",
                    (_agency("index"), "{{mcn_id}}"),
                    decimals=0,
                    width=8,
                ),
            ),
        ),
        Row("Credit", tuple(_credit(scope, title) for scope, title in _SCOPES)),
        Row(
            "Sameness",
            (
                *(
                    stat(
                        f"Concentration by {of}",
                        _hhi(of),
                        steps=_CONCENTRATED,
                        decimals=2,
                        width=6,
                    )
                    for of in _OF
                ),
                graph(
                    "Concentration over time, $currency",
                    *((_hhi(of), of) for of in _OF),
                    decimals=2,
                ),
                graph(
                    "Orders of products that several rooms sell, $currency",
                    ('max(roompulse_sameness_shared_share{currency="$currency"})', "of all orders"),
                    unit=_SHARE,
                    decimals=1,
                ),
            ),
        ),
        Row(
            "Rooms beside their like, and new products",
            (
                Panel(
                    "The worst metric of each leading room",
                    "table",
                    (
                        Query(_room("percentile"), "Better than", _SHARE),
                        Query(_room("against_median"), "Against the median", _SHARE),
                    ),
                    _SHARE,
                    about="A click on a key leads to the room.",
                    decimals=0,
                    height=10,
                    rooms=True,
                ),
                Panel(
                    "The first hour of the newest products",
                    "table",
                    (
                        Query(_trial("impressions"), "Shown"),
                        Query(_trial("clicks"), "Clicks"),
                        Query(_trial("orders"), "Orders"),
                        Query(_trial("refunds"), "Refunds"),
                    ),
                    NUMBER,
                    about="To decide on a second batch: each product in the room that had it"
                    " first.",
                    decimals=0,
                    height=10,
                ),
            ),
        ),
    ),
)
