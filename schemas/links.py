"""What the computation tells itself: who shares what, on the way to rings, and back to the rooms.

Stage 1 tells each order under each identity that it names, and each price under its product
(`identity-links`); level 1 hands on what several share, and where rooms undercut each other
(`shared-identities`); level 2 finds rings and price wars, and marks the orders of rings
(`ring-marks`).
Every record has a source, the number of the partition that wrote it, and a sequence, which grows
with every record that its source ever wrote: whoever reads skips what is not greater than what it
has of that source, so redelivery and writers that were fenced out late are harmless.
"""

from collections.abc import Sequence
from typing import Any, Final, Literal

import msgspec

from schemas.partitioning import partition_of

# What a link is told under. A buyer is no identity that people share: it ties rooms.
LinkKind = Literal["device", "payment", "address", "buyer"]


class LinkedOrder(msgspec.Struct, frozen=True):
    """A believed order as far as it is known when it is told; told again when more is known.

    Attributes:
        ordered_ms: event time of the order.
        amount_minor, refunded_minor: paid, and gone back so far, in minor units of `currency`.
        signs: what is known of the order itself, by the names of `streams.core.integrity.signs`;
            what is not known yet, or not looked at, is left out.
    """

    room_id: str
    order_id: str
    buyer_id: str
    host_id: str | None
    mcn_id: str | None
    currency: str | None
    product_id: str
    merchant_id: str | None
    ordered_ms: int
    amount_minor: int
    refunded_minor: int
    signs: dict[str, bool]


class Link(msgspec.Struct, frozen=True, tag_field="record", tag="link"):
    """An order under one of its identities (`identity-links`), or under a shared one further on.

    Attributes:
        ts_ms: event time at which it is told; never below a watermark that its source has passed.
    """

    source: int
    sequence: int
    ts_ms: int
    kind: LinkKind
    identity: str
    order: LinkedOrder


class _OfProduct(msgspec.Struct, frozen=True):
    """What a room did with the price of a product, in minor units of `currency`, the room's."""

    source: int
    sequence: int
    ts_ms: int
    room_id: str
    host_id: str | None
    mcn_id: str | None
    currency: str | None
    product_id: str


class Priced(_OfProduct, frozen=True, tag_field="record", tag="priced"):
    """A room told what a product costs there from now on, or took it off; under the product.

    Attributes:
        action: `listed`, `priced` or `delisted`.
        price_minor: None where it was taken off.
    """

    action: str
    price_minor: int | None


class Closed(msgspec.Struct, frozen=True, tag_field="record", tag="closed"):
    """A room has closed: its prices stand no longer. Written to every partition."""

    source: int
    sequence: int
    ts_ms: int
    room_id: str


class Undercut(_OfProduct, frozen=True, tag_field="record", tag="undercut"):
    """A room has undercut the others over a product: a turn of an exchange.

    Attributes:
        under_minor: the lowest price that stood in another room.
        median_minor: of the prices told of the product in the 7 days before; None without any.
    """

    price_minor: int
    under_minor: int
    median_minor: int | None


class Crowded(msgspec.Struct, frozen=True, tag_field="record", tag="crowded"):
    """So many share an identity that it must be a dormitory, an office, a till: it ties nobody."""

    source: int
    sequence: int
    ts_ms: int
    kind: LinkKind
    identity: str


class Counted(msgspec.Struct, frozen=True, tag_field="record", tag="counted"):
    """What all orders of a minute are like, shared or not; told at its end, by buyer.

    Attributes:
        orders: how many were told for the first time.
        known, seen: of how many each sign is known, and of how many it is set; a quick refund is
            known of all, and set in the minute in which the money goes back.
    """

    source: int
    sequence: int
    ts_ms: int
    orders: int
    known: dict[str, int]
    seen: dict[str, int]


class Passed(msgspec.Struct, frozen=True, tag_field="record", tag="passed"):
    """A source has told all that lies before a watermark; written to every partition."""

    source: int
    sequence: int
    watermark_ms: int


class RulesTold(msgspec.Struct, frozen=True, tag_field="record", tag="rules"):
    """Rules that a source has put in force; they hold once every source has told of them.

    Written to every partition; level 1 tells them to level 2 once.
    """

    source: int
    sequence: int
    ts_ms: int
    version: int | str
    rules: dict[str, Any]


class RingMark(msgspec.Struct, frozen=True, tag_field="record", tag="ring_mark"):
    """An order of a ring: it comes off trusted GMV of its room, and nothing else changes.

    All that this takes is in the record, for the room may have forgotten the order. A later mark of
    the same order replaces it: more of its money went back. There is one source.

    Attributes:
        ts_ms: event time at which it was marked.
    """

    sequence: int
    ts_ms: int
    room_id: str
    order_id: str
    buyer_id: str
    product_id: str
    merchant_id: str | None
    ordered_ms: int
    amount_minor: int
    refunded_minor: int


# What `identity-links` and `shared-identities` hold: the former alone `Priced` and `Closed`, the
# latter alone `Crowded`, `Counted` and `Undercut`.
LinkRecord = Link | Priced | Closed | Crowded | Counted | Undercut | Passed | RulesTold
_link_record: Final = msgspec.json.Decoder(LinkRecord)
_ring_mark: Final = msgspec.json.Decoder(RingMark)


def link_key(record: LinkRecord) -> bytes:
    """The record key: the identity, or of what goes to every partition its source."""
    if isinstance(record, Link | Crowded):
        return f"{record.kind} {record.identity}".encode()
    if isinstance(record, _OfProduct):
        return f"product {record.product_id}".encode()
    return f"source {record.source}".encode()


def link_targets(record: LinkRecord, partitions: int) -> Sequence[int]:
    """In which of so many partitions of `identity-links` a record belongs."""
    if isinstance(record, Link | Priced):
        return (partition_of(link_key(record), partitions),)
    return range(partitions)


def decode_link(value: bytes) -> LinkRecord:
    """What a record of `identity-links` or `shared-identities` holds."""
    found: LinkRecord = _link_record.decode(value)
    return found


def decode_mark(value: bytes) -> RingMark:
    """What a record of `ring-marks` holds."""
    found: RingMark = _ring_mark.decode(value)
    return found


def plain(record: msgspec.Struct) -> list[Any]:
    """A record as plain values for a checkpoint; its class takes them back."""
    return list(msgspec.structs.astuple(record))
