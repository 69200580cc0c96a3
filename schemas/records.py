"""What the computation writes: the records of every topic but `live-events`, and of every file.

Money is in minor units of the room's currency, time in epoch milliseconds UTC. Figures follow the
definitions of the design, section 6; the words of each are in `streams.core.dictionary`. Fields are
written in the order in which they stand here.
"""

import json
from typing import Any, Final, Generic, Literal, TypeVar

import msgspec

from schemas.errors import Reason


class RoomSummary(msgspec.Struct, frozen=True):
    """The cumulative figures of one room at a watermark (a line of `rooms.ndjson`)."""

    room_id: str
    host_id: str | None
    host_name: str | None
    mcn_id: str | None
    mode: str | None
    category: str | None
    currency: str | None
    opened_ms: int | None
    closed_ms: int | None
    as_of_ms: int | None
    orders: int
    units: int
    gross_minor: int
    refunds: int
    refunded_minor: int
    net_minor: int
    suspected_orders: int
    suspected_minor: int
    trusted_minor: int
    buyers: int
    visits: int
    viewers: int
    online: int
    peak_online: int
    watch_ms: int
    avg_watch_ms: int | None
    median_watch_ms: int | None
    stayed_30s: float | None
    stayed_60s: float | None
    stayed_300s: float | None
    comments: int
    likes: int
    shares: int
    follows: int
    gifts: int
    clicks: int
    carts: int
    impressions: int
    product_impressions: int
    checkouts: int
    unpaid_orders: int
    complaints_opened: int
    complaints_replied: int
    complaints_resolved: int
    first_reply_median_ms: int | None
    resolution_median_ms: int | None
    quality_refunds: int


class Version(msgspec.Struct, frozen=True, array_like=True, order=True):
    """What a live view has seen: a view of a greater version replaces one of a lesser."""

    partition: int
    offset: int
    marks_offset: int = 0


class RoomFigures(msgspec.Struct, frozen=True):
    """A record of `room-summaries`: a summary, its version, and what only boards need.

    Attributes:
        refunded_orders: distinct orders with an accepted refund; the numerator of `refund_rate`.
    """

    version: Version
    refunded_orders: int
    summary: RoomSummary


class ProductFigures(msgspec.Struct, frozen=True):
    """A record of `room-products`: the cumulative figures of one product in one room.

    `merchant_id` is whose sales these are: an order's own merchant, a refund's as the design,
    section 6, finds it, and for clicks, carts, impressions and checkouts the product's as last
    known in the room. A product with several merchants has a record for each.
    """

    version: Version
    room_id: str
    product_id: str
    merchant_id: str | None
    orders: int
    units: int
    gross_minor: int
    refunds: int
    refunded_minor: int
    net_minor: int
    refunded_orders: int
    suspected_orders: int
    suspected_minor: int
    trusted_minor: int
    product_impressions: int
    clicks: int
    carts: int
    checkouts: int
    complaints_opened: int
    quality_refunds: int


class RoomMinute(msgspec.Struct, frozen=True):
    """One room-minute, final (a line of `minutes.ndjson`)."""

    room_id: str
    minute_ms: int
    orders: int
    gross_minor: int
    refunded_minor: int
    visits: int
    online: int
    comments: int
    likes: int
    clicks: int


# Every kind of alert there is (design, section 8).
ALERT_KINDS: Final = (
    "brushed_orders",
    "identity_ring",
    "fake_viewers",
    "refund_surge",
    "complaint_surge",
    "off_platform_payment",
    "price_war",
    "list_price_inflation",
    "sale_after_delisting",
    "traffic_drop",
    "hot_item",
    "stock_out",
    "sla_breach",
    "gmv_milestone",
    "festival_overdraft",
)


class ProductMark(msgspec.Struct, frozen=True):
    """What was done with a product in a room, and when (a line of `product-marks.ndjson`).

    Attributes:
        action: `listed`, `delisted`, `priced` or `stocked`.
        price_minor: the price that was told with it, in minor units of the room's currency.
        stock: the pieces that were told with it.
    """

    ts_ms: int
    room_id: str
    product_id: str
    action: str
    price_minor: int | None
    stock: int | None


class Evidence(msgspec.Struct, frozen=True):
    """One sign of an alert: what was seen, what is normal, how much it weighs, in which orders.

    `observed` and `expected` are shares of the orders looked at; order ids are given whole.
    """

    signal: str
    observed: float
    expected: float
    weight: float
    orders: list[str]


class Alert(msgspec.Struct, frozen=True):
    """One version of an alert (a line of `alerts.ndjson`). Nobody is called guilty: suspected.

    Attributes:
        alert_id: fingerprint of kind, room or ring, product and incident start.
        started_ms: event time of the first evidence.
        updated_ms: event time of this version.
        money_minor: at stake, in minor units of `currency`.
        rooms: of a ring; otherwise the room alone.
    """

    alert_id: str
    version: int
    status: str
    kind: str
    severity: str
    room_id: str | None
    host_id: str | None
    mcn_id: str | None
    product_id: str | None
    started_ms: int
    updated_ms: int
    score: float
    threshold: float
    summary: str
    money_minor: int
    currency: str | None
    evidence: list[Evidence]
    rooms: list[str]
    rules_version: int | str | None


def without_evidence(alert: Alert) -> Alert:
    """The same version with no signs, for those who keep many."""
    return msgspec.structs.replace(alert, evidence=[])


Judgement = Literal["ack", "dismiss", "confirm"]


class Verdict(msgspec.Struct, frozen=True, tag_field="record", tag="verdict"):
    """What a person says of an alert; it stands in `alerts` beside the versions of the alert.

    No result depends on it. The last verdict of an alert counts.

    Attributes:
        verdict: `ack` is seen and looked into, `dismiss` is a false alarm, `confirm` a true one.
        given_ms: wall time at which it was given, epoch milliseconds UTC.
        note: why, in the words of the person; empty if nothing was said.
    """

    alert_id: str
    verdict: Judgement
    given_ms: int
    note: str = ""


class DeadLetter(msgspec.Struct, frozen=True):
    """A refused record: its bytes (base64), coordinates and reason."""

    reason: Reason
    detail: str
    topic: str
    partition: int
    offset: int
    record_base64: str


class Counts(msgspec.Struct):
    """What became of the events; `events = accepted + duplicate + rejected`.

    `late`, `future` and `broadcast` are parts of `accepted`.
    """

    events: int = 0
    accepted: int = 0
    duplicate: int = 0
    rejected: int = 0
    late: int = 0
    future: int = 0
    broadcast: int = 0


class Progress(msgspec.Struct, frozen=True):
    """A record of `partition-progress`: how far the fold of a partition is, and what it counted.

    `waiting` is the number of records whose stamps are not decided yet; they are in no count.
    `evicted` counts entries that full maps gave up, by the map's name in `streams.core.limits`.
    `duplicate_by_type` divides `counts.duplicate`.
    """

    version: Version
    watermark_ms: int | None
    counts: Counts
    rejected_by_reason: dict[str, int]
    by_type: dict[str, int]
    duplicate_by_type: dict[str, int]
    evicted: dict[str, int]
    rules_version: int | str | None
    rooms: int
    waiting: int


class BoardRow(msgspec.Struct, frozen=True):
    """A row of a `total` board: money three ways, with ranks and the derived figures."""

    rank: int
    key: str
    name: str
    gross_minor: int
    net_minor: int
    trusted_minor: int
    orders: int
    rank_gross: int
    rank_net: int
    rank_trusted: int
    places_lost: int
    visits: int | None
    viewers: int | None
    buyers: int | None
    refunded_minor: int
    suspected_minor: int
    product_impressions: int
    clicks: int
    carts: int
    checkouts: int
    gpm_minor: float | None
    show_gpm_minor: float | None
    entry_rate: float | None
    click_rate: float | None
    cart_rate: float | None
    checkout_rate: float | None
    paid_rate: float | None
    uv_value_minor: float | None
    conversion: float | None
    refund_rate: float | None
    refund_value_rate: float | None
    complaint_rate: float | None
    average_order_minor: float | None
    interaction_rate: float | None
    follow_rate: float | None
    momentum: float | None


class WindowRow(msgspec.Struct, frozen=True):
    """A row of a window board: what closed minutes carry."""

    rank: int
    key: str
    name: str
    gross_minor: int
    net_minor: int
    orders: int
    visits: int
    gpm_minor: float | None


Row = TypeVar("Row", BoardRow, WindowRow)


class Board(msgspec.Struct, Generic[Row], frozen=True, omit_defaults=True):
    """A ranking in one currency; `day` and `zone` are given where the window is a day.

    Attributes:
        rates_date: of a board over all currencies, the date of the rates that turned them into
            this one; None where nothing was turned.
        without_rate: of such a board, the currencies of rooms that are not in it.
    """

    scope: str
    window: str
    currency: str | None
    as_of_ms: int | None
    rows: list[Row]
    day: str | None = None
    zone: str | None = None
    rates_date: str | None = None
    without_rate: tuple[str | None, ...] = ()


AnyBoard = Board[BoardRow] | Board[WindowRow]
_encoder = msgspec.json.Encoder()
_total_board = msgspec.json.Decoder(Board[BoardRow])
_window_board = msgspec.json.Decoder(Board[WindowRow])
_alert = msgspec.json.Decoder(Alert)
_verdict = msgspec.json.Decoder(Verdict)
_VERDICT = "verdict"


def board_key(board: AnyBoard) -> bytes:
    """The record key of a board: scope, window and currency; "all in CNY" over all currencies."""
    return _encoder.encode([board.scope, board.window, shown_currency(board)])


def shown_currency(board: AnyBoard) -> str | None:
    """What tells the boards of a scope and window apart: a currency, or all in the base."""
    return f"all in {board.currency}" if board.rates_date else board.currency


def decode_board(key: bytes, value: bytes) -> AnyBoard:
    """The board that a record of the topic `boards` holds; its key tells what its rows are."""
    _, window, _ = msgspec.json.decode(key)
    return _total_board.decode(value) if window == "total" else _window_board.decode(value)


def verdict_key(alert_id: str) -> bytes:
    """The record key of an alert's verdict: where the key of a version has its number, a word."""
    return _encoder.encode([alert_id, _VERDICT])


def decode_alert(key: bytes, value: bytes) -> Alert | Verdict:
    """What a record of the topic `alerts` holds; its key tells what it is."""
    _, version = msgspec.json.decode(key)
    return _verdict.decode(value) if version == _VERDICT else _alert.decode(value)


def encode(record: msgspec.Struct | dict[str, Any] | list[Any]) -> bytes:
    """Compact JSON of a record.

    Sums of 64-bit amounts may pass 64 bits; the fast encoder refuses them, JSON does not.
    """
    try:
        return _encoder.encode(record)
    except OverflowError:
        plain = _plain(record)
        return json.dumps(plain, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    if isinstance(value, msgspec.Struct):
        value = _fields(value)
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


def _fields(struct: msgspec.Struct) -> dict[str, Any] | list[Any]:
    config = struct.__struct_config__
    if config.array_like:
        return list(msgspec.structs.astuple(struct))
    tag = {config.tag_field: config.tag} if config.tag_field else {}
    return {**tag, **msgspec.structs.asdict(struct)}
