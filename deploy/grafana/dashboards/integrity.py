"""What is suspected now, how much money that is, where, and were the alerts right?"""

from deploy.grafana.dashboards.alert_panels import (
    SHARE_STEPS,
    SUSPECTED,
    firing,
    gravest,
    platform,
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

_VERSIONS = "roompulse_alerts_versions_total"


def _board(figure: str, scope: str) -> str:
    labels = f'scope="{scope}", window="total", currency="$currency"'
    return f"max by (key, name) (roompulse_board_{figure}{{{labels}}})"


def _shares(title: str, scope: str, width: int) -> Panel:
    share = f"{_board('suspected_minor', scope)} / ({_board('gross_minor', scope)} > 0)"
    query = Query(f"topk(10, {share} > 0)", "{{name}}")
    return Panel(
        title,
        "bars",
        (query,),
        "percentunit",
        about="Of the first rows by gross GMV, those with any.",
        steps=SHARE_STEPS,
        decimals=1,
        width=width,
    )


def _lost(figure: str) -> str:
    """A figure of the rooms that lost places."""
    return f"{_board(figure, 'room')} and on (key) ({_board('places_lost', 'room')} > 0)"


INTEGRITY = Page(
    uid="roompulse-integrity",
    title="Integrity",
    description="Alerts that are firing, suspected money by scope, and how often alerts are right.",
    variables=(CURRENCY, MINOR_PER_UNIT),
    rows=(
        Row(
            "Now",
            (
                firing("page"),
                firing("review"),
                stat(
                    "Raised in the time shown",
                    "sum(increase(roompulse_alerts_raised_total[$__range]))",
                    decimals=0,
                    about="An incident that got graver counts at both severities.",
                ),
                suspected_money(),
                suspected_share(),
                stat(
                    "At stake in alerts firing, $currency",
                    'sum(max by (kind) (roompulse_alerts_money_minor{currency="$currency"}))'
                    " / $minor_per_unit",
                    MONEY,
                    decimals=2,
                    about="Alerts of two kinds may speak of the same orders.",
                ),
                gravest(),
            ),
        ),
        Row(
            "Alerts over time",
            (
                graph(
                    "Firing, by severity",
                    (
                        "sum by (severity) (max by (kind, severity) (roompulse_alerts_firing))",
                        "{{severity}}",
                    ),
                    decimals=0,
                ),
                graph(
                    "Firing, by kind",
                    (
                        "sum by (kind) (max by (kind, severity) (roompulse_alerts_firing)) > 0",
                        "{{kind}}",
                    ),
                    decimals=0,
                ),
                Panel(
                    "Raised so far, by kind and severity",
                    "bars",
                    (
                        Query(
                            "max by (kind, severity) (roompulse_alerts_raised_total) > 0",
                            "{{kind}}, {{severity}}",
                        ),
                    ),
                    NUMBER,
                ),
                graph(
                    "Versions told a minute",
                    (
                        f"sum by (status) (rate({_VERSIONS}[$__rate_interval])) * 60",
                        "{{status}}",
                    ),
                    about="Few updates for each alert: more are noise.",
                    decimals=2,
                ),
            ),
        ),
        Row(
            "Suspected money",
            (
                graph(
                    "Suspected over time, $currency",
                    (f"{platform('suspected_minor')} / $minor_per_unit", "suspected"),
                    unit=MONEY,
                    decimals=2,
                    about=SUSPECTED,
                ),
                graph(
                    "Suspected share over time",
                    (
                        f"{platform('suspected_minor')} / ({platform('gross_minor')} > 0)",
                        "of gross GMV",
                    ),
                    unit="percentunit",
                    steps=SHARE_STEPS,
                    decimals=2,
                ),
                _shares("Suspected share of rooms", "room", 8),
                _shares("Suspected share of hosts", "host", 8),
                _shares("Suspected share of agencies", "mcn", 8),
                _shares("Suspected share of selling modes", "mode", 8),
                _shares("Suspected share of categories", "category", 8),
                _shares("Suspected share of merchants", "merchant", 8),
                Panel(
                    "Rooms that lost places to suspicion",
                    "table",
                    (
                        Query(_lost("places_lost"), "Places lost", NUMBER),
                        Query(f"({_lost('suspected_minor')}) / $minor_per_unit", "Suspected"),
                        Query(
                            f"({_lost('suspected_minor')}) / ({_lost('gross_minor')})",
                            "Suspected share",
                            "percentunit",
                        ),
                        Query(f"({_lost('gross_minor')}) / $minor_per_unit", "Gross GMV"),
                        Query(f"({_lost('trusted_minor')}) / $minor_per_unit", "Trusted GMV"),
                    ),
                    MONEY,
                    about=f"{SUSPECTED} Refunds lose places, too. A click on a key leads to the"
                    " room.",
                    decimals=2,
                    width=24,
                    rooms=True,
                ),
            ),
        ),
        Row(
            "Were the alerts right?",
            (
                stat(
                    "Precision by verdicts",
                    "roompulse:alerts_precision:ratio",
                    "percentunit",
                    decimals=1,
                    steps=((None, "red"), (0.5, "orange"), (0.95, "green")),
                    about="Confirmed over confirmed and dismissed, of `roompulse alerts`; nothing"
                    " while nobody has judged any.",
                    width=6,
                ),
                stat(
                    "Not judged",
                    'sum(max by (kind) (roompulse_alerts_verdicts{verdict="none"}))',
                    about="Of all known alerts.",
                    width=6,
                ),
                Panel(
                    "Alerts by verdict",
                    "bars",
                    (
                        Query(
                            "sum by (verdict) (max by (kind, verdict) (roompulse_alerts_verdicts))",
                            "{{verdict}}",
                        ),
                    ),
                    NUMBER,
                    width=6,
                ),
                Panel(
                    "Precision by kind",
                    "bars",
                    (Query("kind:roompulse_alerts_precision:ratio", "{{kind}}"),),
                    "percentunit",
                    steps=((None, "red"), (0.5, "orange"), (0.95, "green")),
                    decimals=1,
                    width=6,
                ),
            ),
        ),
    ),
)
