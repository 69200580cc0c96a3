"""Records that the event contract refuses, each with the reason it must be refused for.

Each maker gives one kind of damage that is seen in practice: cut-off writes, foreign encodings,
numbers sent as text, stamps in seconds, missing and overlong ids, values outside the lists.
"""

from collections.abc import Callable
from random import Random
from typing import Any

import msgspec

from schemas.errors import Reason
from schemas.events import MAX_RECORD_BYTES

Maker = Callable[[Random, str, int, str], bytes]  # random, room id, stamp, event id


def _order(room_id: str, ts_ms: int, event_id: str, **changes: object) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "type": "order",
        "event_id": event_id,
        "ts_ms": ts_ms,
        "room_id": room_id,
        "order_id": f"{event_id}-never",
        "buyer_id": "v0",
        "product_id": "home-0",
        "quantity": 1,
        "amount_minor": 1990,
    }
    return fields | changes


def _changed(**changes: object) -> Maker:
    def make(random: Random, room_id: str, ts_ms: int, event_id: str) -> bytes:
        del random
        return msgspec.json.encode(_order(room_id, ts_ms, event_id, **changes))

    return make


def _without(name: str) -> Maker:
    def make(random: Random, room_id: str, ts_ms: int, event_id: str) -> bytes:
        del random
        fields = _order(room_id, ts_ms, event_id)
        del fields[name]
        return msgspec.json.encode(fields)

    return make


def _cut_off(random: Random, room_id: str, ts_ms: int, event_id: str) -> bytes:
    whole = msgspec.json.encode(_order(room_id, ts_ms, event_id))
    return whole[: random.randrange(1, len(whole) - 1)]


def _foreign_encoding(random: Random, room_id: str, ts_ms: int, event_id: str) -> bytes:
    del random
    # a host name in GBK, as an older system would write it
    whole = msgspec.json.encode(_order(room_id, ts_ms, event_id, note="X"))
    return whole.replace(b'"X"', b'"' + "直播间".encode("gbk") + b'"')


def _plain_text(random: Random, room_id: str, ts_ms: int, event_id: str) -> bytes:
    del random
    return f"{ts_ms} WARN {event_id} order service timed out in {room_id}".encode()


def _array(random: Random, room_id: str, ts_ms: int, event_id: str) -> bytes:
    del random
    return msgspec.json.encode([_order(room_id, ts_ms, event_id)])


def _seconds(random: Random, room_id: str, ts_ms: int, event_id: str) -> bytes:
    del random
    return msgspec.json.encode(_order(room_id, ts_ms // 1000, event_id))


def _padded(random: Random, room_id: str, ts_ms: int, event_id: str) -> bytes:
    padding = "x" * (MAX_RECORD_BYTES + random.randrange(1, 2_000))
    return msgspec.json.encode(_order(room_id, ts_ms, event_id, trace=padding))


MALFORMED: tuple[tuple[Reason, Maker], ...] = (
    ("not_json", _cut_off),
    ("not_json", _foreign_encoding),
    ("not_json", _plain_text),
    ("not_json", _array),
    ("unknown_type", _without("type")),
    ("unknown_type", _changed(type="parade")),
    ("unknown_type", _changed(type=None)),
    ("unknown_type", _changed(type=7)),
    ("invalid_field", _changed(quantity=0)),
    ("invalid_field", _changed(quantity="1")),
    ("invalid_field", _changed(amount_minor=19.9)),
    ("invalid_field", _changed(amount_minor=-1)),
    ("invalid_field", _changed(amount_minor=2**63)),
    ("invalid_field", _changed(buyer_id="")),
    ("invalid_field", _changed(order_id="o" * 65)),
    ("invalid_field", _changed(type="view", viewer_id="v0", action="stare")),
    ("invalid_field", _without("order_id")),
    ("invalid_field", _without("room_id")),
    ("invalid_field", _seconds),
    ("too_large", _padded),
)
