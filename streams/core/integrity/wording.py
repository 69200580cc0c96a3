"""What does an alert say? One sentence that a person understands, and the figures behind it."""

from typing import NamedTuple

from schemas.codec import RoomOpened
from schemas.records import Alert, Evidence
from streams.core.integrity.incident import Incident, Sign

_DECIMALS = 4
SAYS = {
    "repeat_buyer": "come from buyers who buy again and again within an hour",
    "no_visit": "come from buyers who were not seen in the room before",
    "tiny_dwell": "come within seconds of entering the room",
    "shared_device": "come from devices that several buyers share",
    "shared_payment": "are paid from accounts that several buyers share",
    "shared_address": "go to addresses that several buyers share",
    "young_account": "come from accounts a few days old",
    "quick_refund": "are refunded within half an hour",
}


class About(NamedTuple):
    """Whom and what an alert names.

    Attributes:
        room_id, host_id, mcn_id: None where there are several, or none is known.
        rooms: all of them.
    """

    room_id: str | None
    host_id: str | None
    mcn_id: str | None
    product_id: str | None
    currency: str | None
    rooms: list[str]


def alert_of(
    incident: Incident,
    room_id: str,
    opened: RoomOpened | None,
    rules_version: int | str | None,
) -> Alert:
    """The alert that tells the newest version of an incident in a room."""
    about = About(
        room_id=room_id,
        host_id=opened.host_id if opened else None,
        mcn_id=opened.mcn_id if opened else None,
        product_id=incident.product_id,
        currency=opened.currency if opened else None,
        rooms=[room_id],
    )
    return told(incident, room_id, about, rules_version)


def told(incident: Incident, of: str, about: About, rules_version: int | str | None) -> Alert:
    """The alert that tells the newest version of an incident.

    Args:
        incident: with what it has to say.
        of: the room whose incident it is, for its id; "" where it is that of no single one.
        about: whom and what it names.
        rules_version: of the rules in force.
    """
    return Alert(
        alert_id=incident.alert_id(of),
        version=incident.version,
        status=incident.status,
        kind=incident.kind,
        severity=incident.severity,
        room_id=about.room_id,
        host_id=about.host_id,
        mcn_id=about.mcn_id,
        product_id=about.product_id,
        started_ms=incident.started_ms,
        updated_ms=incident.updated_ms,
        score=shown(incident.told_score),
        threshold=shown(incident.threshold),
        summary=summary_of(incident),
        money_minor=incident.money_minor,
        currency=about.currency,
        evidence=[evidence_of(sign) for sign in incident.signs],
        rooms=about.rooms,
        rules_version=rules_version,
    )


def only(names: dict[str, None]) -> str | None:
    """The one name there is; None if there are several, or none is known."""
    return next(iter(names)) or None if len(names) == 1 else None


def shown(value: float) -> float:
    """A figure of evidence as an alert shows it: with a point, whether it was counted or weighed.

    What a reader of the topic writes again would differ from a whole number otherwise.
    """
    return round(float(value), _DECIMALS)


def evidence_of(sign: Sign) -> Evidence:
    """What an alert shows of one sign."""
    return Evidence(
        signal=sign.name,
        observed=shown(sign.seen / sign.of) if sign.of else 0.0,
        expected=shown(sign.base),
        weight=shown(sign.weight),
        orders=sign.orders,
    )


def summary_of(incident: Incident) -> str:
    """The sentence of the newest version."""
    if incident.status == "resolved":
        return f"Ended, quiet since: {incident.summary}"
    return incident.summary


def brushing_sentence(signs: list[Sign], room_id: str) -> str:
    """What the strongest signs of brushed orders say."""
    parts = [
        f"{sign.seen} of {sign.of} {SAYS[sign.name]} (normal: {sign.base:.1%})"
        for sign in signs[:3]
    ]
    return f"Suspected brushed orders in room {room_id}: of its recent orders, {'; '.join(parts)}."
