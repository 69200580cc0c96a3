"""What the computation says of a room besides its summary: the records of `room-details`.

Live views like those of `room-summaries`: cumulative, each replaced by one of a greater version.
They are read where a summary is not enough: who answers for what came back, which minute of the
pitch sold it, what each product sold by the hour and did in its first. Fields are written in the
order in which they stand here.
"""

import msgspec

from schemas.records import Version, encode


class ServiceFigures(msgspec.Struct, frozen=True):
    """How complaints were answered on one service level.

    Attributes:
        in_time: answered before their deadline had passed.
        breaches: not answered when the watermark passed their deadline.
        duration_bins: how many took how long, by the bins of `streams.core.histogram`.
    """

    in_time: int
    breaches: int
    duration_bins: dict[int, int]


class AfterSalesFigures(msgspec.Struct, frozen=True, tag_field="record", tag="after_sales"):
    """What one party answers for in one room, of one merchant's sales.

    Attributes:
        complaints: opened, by kind.
        refunds: accepted, by reason.
        refunded_minor: accepted money, by reason, in minor units of the room's currency.
    """

    version: Version
    room_id: str
    merchant_id: str | None
    party: str
    complaints: dict[str, int]
    refunds: dict[str, int]
    refunded_minor: dict[str, int]
    first_reply: ServiceFigures
    resolution: ServiceFigures


class PitchMinute(msgspec.Struct, frozen=True, tag_field="record", tag="pitch_minute"):
    """One minute of a room: what it sold, what came back of that, and what came back in it.

    Attributes:
        orders: paid in this minute, late ones too; `gross_minor` is what they paid.
        returns: refunds of orders that were paid in this minute, whenever they came.
        quality_returns: those of them with a reason of quality.
        refunds: that came in this minute, whatever they are of.
    """

    version: Version
    room_id: str
    minute_ms: int
    orders: int
    gross_minor: int
    returns: int
    returned_minor: int
    quality_returns: int
    refunds: int
    refunded_minor: int


class SoldHour(msgspec.Struct, frozen=True, tag_field="record", tag="sold_hour"):
    """What one product of one merchant sold in one room and hour, by the stamps of its orders.

    Attributes:
        hour_ms: start of the hour of event time.
        orders: paid in it, late ones too; `units` are their pieces.
        gross_minor: what they paid, in minor units of the room's currency.
        suspected_orders: of these orders, those that are suspected; `suspected_minor` is what they
            paid.
    """

    version: Version
    room_id: str
    product_id: str
    merchant_id: str | None
    hour_ms: int
    orders: int
    units: int
    gross_minor: int
    suspected_orders: int = 0
    suspected_minor: int = 0


class TrialSale(msgspec.Struct, frozen=True, tag_field="record", tag="trial_sale"):
    """What happened to one product in one room in the first hour that it was there.

    Attributes:
        first_ms: start of the minute of its first event; what is counted lies in the 60 minutes
            from there on, by its own stamp; what came late is left out.
        impressions: how often its card was shown.
        refunds: that came in the hour, whatever they are of.
    """

    version: Version
    room_id: str
    product_id: str
    first_ms: int
    impressions: int
    clicks: int
    carts: int
    orders: int
    units: int
    gross_minor: int
    refunds: int
    refunded_minor: int


Detail = AfterSalesFigures | PitchMinute | SoldHour | TrialSale
_detail = msgspec.json.Decoder(Detail)
_PITCH_MINUTE = b'["pitch_minute",'


def detail_key(detail: Detail) -> bytes:
    """The record key of a detail: what it is, its room, and what tells it apart there."""
    name = str(detail.__struct_config__.tag)
    if isinstance(detail, PitchMinute):
        return encode([name, detail.room_id, detail.minute_ms])
    if isinstance(detail, SoldHour):
        return encode([name, detail.room_id, detail.product_id, detail.merchant_id, detail.hour_ms])
    if isinstance(detail, TrialSale):
        return encode([name, detail.room_id, detail.product_id])
    return encode([name, detail.room_id, detail.merchant_id, detail.party])


def is_pitch_minute(key: bytes) -> bool:
    """Whether the record of a key is of a minute of the pitch, without reading its value."""
    return key.startswith(_PITCH_MINUTE)


def decode_detail(value: bytes) -> Detail:
    """The detail that a record of the topic `room-details` holds."""
    found: Detail = _detail.decode(value)
    return found
