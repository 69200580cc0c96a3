"""What a live-room event is: the one place where a field is named.

The fast decoders (`schemas.codec`), the JSON Schema, the AsyncAPI page and the documentation table
are all derived from these classes. Unknown fields are ignored, `null` is the same as absent, types
are strict. Definitions: the event contract of the design, section 3.
"""

import json
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue, field_validator

MAX_RECORD_BYTES = 64 * 1024
EARLIEST_MS = 946_684_800_000  # 2000-01-01T00:00:00Z, the first stamp that is accepted
LATEST_MS = 4_102_444_800_000 - 1  # the last millisecond before 2100-01-01T00:00:00Z
LARGEST_INTEGER = 2**63 - 1

LONGEST_ID = 64  # code points
Id = Annotated[str, Field(min_length=1, max_length=LONGEST_ID)]
StampMs = Annotated[int, Field(ge=EARLIEST_MS, le=LATEST_MS)]
Integer = Annotated[int, Field(ge=-LARGEST_INTEGER, le=LARGEST_INTEGER)]
Count = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
AmountMinor = Annotated[int, Field(ge=0, le=LARGEST_INTEGER)]
RefundMinor = Annotated[int, Field(ge=1, le=LARGEST_INTEGER)]
Currency = Annotated[str, Field(min_length=3, max_length=3, pattern="^[A-Z]{3}$")]
HostName = Annotated[str, Field(max_length=200)]

Mode = Literal["talent", "store", "base_walk", "origin", "overseas", "seckill", "bargain"]
Action = Literal[
    "enter",
    "heartbeat",
    "leave",
    "click",
    "cart",
    "comment",
    "like",
    "share",
    "follow",
    "gift",
]
Source = Literal["feed", "follow", "search", "share", "paid", "other"]
RefundReason = Literal[
    "quality",
    "not_as_described",
    "wrong_item",
    "not_received",
    "changed_mind",
    "price",
    "cancelled",
    "other",
]
ComplaintStatus = Literal["opened", "replied", "resolved"]
ComplaintKind = Literal[
    "quality",
    "counterfeit",
    "false_advertising",
    "price_fraud",
    "off_platform_payment",
    "after_sales_refused",
    "delivery",
    "other",
]
Party = Literal["platform", "host", "merchant", "consumer"]
ProductAction = Literal["listed", "delisted", "priced", "stocked"]


class _Event(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", frozen=True)

    event_id: Id
    ts_ms: StampMs = Field(description="Event time, epoch milliseconds UTC.")


class _RoomEvent(_Event):
    room_id: Id


class RoomOpened(_RoomEvent):
    """A live session begins; the room takes its host, agency, mode, category and currency."""

    type: Literal["room_opened"] = "room_opened"
    host_id: Id
    mode: Mode
    category: Id
    currency: Currency = Field(description="ISO 4217; money of the room is in its minor units.")
    host_name: HostName | None = None
    mcn_id: Id | None = Field(None, description="The host's agency; absent for an independent.")


class RoomClosed(_RoomEvent):
    """The live session ends, and with it the visits that are open."""

    type: Literal["room_closed"] = "room_closed"


class View(_RoomEvent):
    """A viewer is seen in a room, doing something."""

    type: Literal["view"] = "view"
    viewer_id: Id
    action: Action
    product_id: Id | None = None
    device_id: Id | None = None
    ip_id: Id | None = None
    source: Source | None = Field(None, description="Where the viewer came from.")


class Order(_RoomEvent):
    """A paid order."""

    type: Literal["order"] = "order"
    order_id: Id
    buyer_id: Id
    product_id: Id
    quantity: Count
    amount_minor: AmountMinor = Field(description="Paid in all, minor units.")
    list_minor: Integer | None = Field(None, description="List price in all, minor units.")
    merchant_id: Id | None = None
    device_id: Id | None = None
    payment_id: Id | None = None
    address_id: Id | None = None
    ip_id: Id | None = None
    account_age_days: Integer | None = None


class Refund(_RoomEvent):
    """Money goes back, at the room that sold the order."""

    type: Literal["refund"] = "refund"
    refund_id: Id
    order_id: Id
    buyer_id: Id
    product_id: Id
    amount_minor: RefundMinor = Field(description="Paid back, minor units.")
    ordered_ts_ms: Integer = Field(description="When the order was paid, epoch milliseconds UTC.")
    reason: RefundReason = Field(description="`cancelled`: before shipping.")


class Exposure(_RoomEvent):
    """How often the room's card, or a product's, was shown since the last one."""

    type: Literal["exposure"] = "exposure"
    impressions: Count
    product_id: Id | None = None
    source: Source | None = None


class Checkout(_RoomEvent):
    """An order placed and not yet paid."""

    type: Literal["checkout"] = "checkout"
    order_id: Id
    buyer_id: Id
    product_id: Id
    quantity: Count
    amount_minor: AmountMinor


class Complaint(_RoomEvent):
    """A buyer complains, or a complaint moves on."""

    type: Literal["complaint"] = "complaint"
    complaint_id: Id
    buyer_id: Id
    status: ComplaintStatus
    kind: ComplaintKind
    party: Party | None = Field(None, description="Who is held responsible, where it was judged.")
    order_id: Id | None = None
    product_id: Id | None = None


class Product(_RoomEvent):
    """Goods are put on sale in a room, taken off, priced or stocked."""

    type: Literal["product"] = "product"
    product_id: Id
    action: ProductAction
    merchant_id: Id | None = None
    category: Id | None = None
    price_minor: Integer | None = None
    list_minor: Integer | None = None
    stock: Integer | None = None


class Rules(_Event):
    """The rule set that is in force from its place in the log on; written to every partition."""

    type: Literal["rules"] = "rules"
    version: Annotated[int, Field(ge=0, le=LARGEST_INTEGER)] | Id
    rules: dict[str, JsonValue]

    @field_validator("rules")
    @classmethod
    def _has_only_numbers_a_double_holds(cls, rules: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """JSON has neither infinities nor numbers that become one."""
        json.dumps(rules, allow_nan=False)
        return rules


class Tick(_Event):
    """Event time has reached `ts_ms` here; written to every partition."""

    type: Literal["tick"] = "tick"


MODELS: tuple[type[_Event], ...] = (
    RoomOpened,
    RoomClosed,
    View,
    Order,
    Refund,
    Exposure,
    Checkout,
    Complaint,
    Product,
    Rules,
    Tick,
)
BROADCAST: tuple[type[_Event], ...] = (Rules, Tick)
EventModel = Annotated[
    RoomOpened
    | RoomClosed
    | View
    | Order
    | Refund
    | Exposure
    | Checkout
    | Complaint
    | Product
    | Rules
    | Tick,
    Field(discriminator="type"),
]
EVENT_TYPES: tuple[str, ...] = tuple(model.model_fields["type"].default for model in MODELS)
