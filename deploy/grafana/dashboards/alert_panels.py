"""Panels on alerts and suspicion that several pages show."""

from typing import Final

from deploy.grafana.spec import MONEY, Panel, Query, Steps, stat

SUSPECTED: Final = "Suspected is not guilty: each alert holds its evidence."
SHARE_STEPS: Final[Steps] = ((None, "green"), (0.02, "orange"), (0.1, "red"))
_ROW = "alert_id, kind, severity, room_id, host_id, mcn_id, currency"
_MARGIN_MS = 10 * 60_000


def platform(figure: str) -> str:
    """A sum over the platform, in the currency of the page."""
    return f'max(roompulse_platform_{figure}{{currency="$currency"}})'


def firing(severity: str, *, width: int = 4) -> Panel:
    """How many alerts of a severity have not ended."""
    colour = {"page": "red", "review": "orange"}[severity]
    return stat(
        f"{severity.capitalize()}s firing",
        f'sum(max by (kind) (roompulse_alerts_firing{{severity="{severity}"}})) or vector(0)',
        steps=((None, "green"), (1, colour)),
        about=SUSPECTED,
        width=width,
    )


def suspected_money(*, width: int = 4) -> Panel:
    """Suspected money of the platform."""
    return stat(
        "Suspected, $currency",
        f"{platform('suspected_minor')} / $minor_per_unit",
        MONEY,
        decimals=2,
        width=width,
        about=SUSPECTED,
    )


def suspected_share(*, width: int = 4) -> Panel:
    """Its share of gross GMV."""
    return stat(
        "Suspected share of gross GMV",
        f"{platform('suspected_minor')} / ({platform('gross_minor')} > 0)",
        "percentunit",
        decimals=2,
        width=width,
        steps=SHARE_STEPS,
        about=SUSPECTED,
    )


def gravest(*, height: int = 8) -> Panel:
    """The gravest alerts that are firing, each with a way to its room at its time."""

    def asked(figure: str, labels: str = "") -> str:
        return f"max by ({_ROW}) (roompulse_firing_alert_{figure}{labels})"

    money = asked("money_minor", '{currency="$currency"}')
    started, updated = asked("started_seconds"), asked("updated_seconds")
    return Panel(
        "Gravest alerts firing",
        "table",
        (
            Query(f"{started} * 1000", "Since", "dateTimeAsIso"),
            Query(f"{updated} * 1000", "Newest evidence", "dateTimeAsIso"),
            Query(f"{money} / $minor_per_unit", "At stake, $currency"),
            Query(asked("score_ratio"), "Score per threshold", "none"),
            Query(f"{started} * 1000 - {_MARGIN_MS}", "from", "none", hidden=True),
            Query(f"{updated} * 1000 + {_MARGIN_MS}", "to", "none", hidden=True),
        ),
        MONEY,
        about="A click on a room leads to it at that time. The evidence: `roompulse alerts list"
        " --json`, or `roompulse top`. Times are event time: a replay of a past night is found at"
        " that time after `roompulse backfill` alone.",
        decimals=2,
        width=24,
        height=height,
        alerts=True,
    )
