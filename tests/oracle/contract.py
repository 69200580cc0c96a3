"""What is one record: an event, or bad input with a reason?

Written with the standard library only, so that it can disagree with the product's decoders.
Tested in the order: size, JSON object, type, fields. Unknown fields are dropped, null is absent.
"""

import json
import re
from collections.abc import Callable
from typing import Any, Final, Literal, NoReturn, TypeGuard

Event = dict[str, Any]
Reason = Literal["not_json", "unknown_type", "invalid_field", "too_large", "over_refund", "future"]
Check = Callable[[Any], bool]

MAX_RECORD_BYTES: Final = 64 * 1024
MAX_INTEGER: Final = 2**63
FIRST_STAMP_MS: Final = 946_684_800_000  # 2000-01-01T00:00:00Z
END_OF_STAMPS_MS: Final = 4_102_444_800_000  # 2100-01-01T00:00:00Z
BROADCAST: Final = ("tick", "rules")
REFUND_REASONS: Final = (
    "quality",
    "not_as_described",
    "wrong_item",
    "not_received",
    "changed_mind",
    "price",
    "cancelled",
    "other",
)
VIEW_ACTIONS: Final = (
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
)


def is_id(value: Any) -> TypeGuard[str]:  # noqa: ANN401 - anything that JSON can hold
    return isinstance(value, str) and 1 <= len(value) <= 64


def _is_integer(value: Any) -> bool:  # noqa: ANN401
    return type(value) is int and -MAX_INTEGER < value < MAX_INTEGER


def _at_least(least: int) -> Check:
    return lambda value: _is_integer(value) and value >= least


def _one_of(*allowed: str) -> Check:
    return lambda value: isinstance(value, str) and value in allowed


def _is_stamp(value: Any) -> bool:  # noqa: ANN401
    return _is_integer(value) and FIRST_STAMP_MS <= value < END_OF_STAMPS_MS


def _is_name(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and len(value) <= 200


def _is_currency(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, str) and re.fullmatch("[A-Z]{3}", value) is not None


def _is_object(value: Any) -> bool:  # noqa: ANN401
    return isinstance(value, dict)


_SOURCE = _one_of("feed", "follow", "search", "share", "paid", "other")

# A name that ends in "?" is optional.
FIELDS: Final[dict[str, dict[str, Check]]] = {
    "room_opened": {
        "host_id": is_id,
        "host_name?": _is_name,
        "mcn_id?": is_id,
        "mode": _one_of("talent", "store", "base_walk", "origin", "overseas", "seckill", "bargain"),
        "category": is_id,
        "currency": _is_currency,
    },
    "room_closed": {},
    "view": {
        "viewer_id": is_id,
        "action": _one_of(*VIEW_ACTIONS),
        "product_id?": is_id,
        "device_id?": is_id,
        "ip_id?": is_id,
        "source?": _SOURCE,
    },
    "order": {
        "order_id": is_id,
        "buyer_id": is_id,
        "product_id": is_id,
        "quantity": _at_least(1),
        "amount_minor": _at_least(0),
        "list_minor?": _is_integer,
        "merchant_id?": is_id,
        "device_id?": is_id,
        "payment_id?": is_id,
        "address_id?": is_id,
        "ip_id?": is_id,
        "account_age_days?": _is_integer,
    },
    "refund": {
        "refund_id": is_id,
        "order_id": is_id,
        "buyer_id": is_id,
        "product_id": is_id,
        "amount_minor": _at_least(1),
        "ordered_ts_ms": _is_integer,
        "reason": _one_of(*REFUND_REASONS),
    },
    "exposure": {"impressions": _at_least(1), "product_id?": is_id, "source?": _SOURCE},
    "checkout": {
        "order_id": is_id,
        "buyer_id": is_id,
        "product_id": is_id,
        "quantity": _at_least(1),
        "amount_minor": _at_least(0),
    },
    "complaint": {
        "complaint_id": is_id,
        "buyer_id": is_id,
        "status": _one_of("opened", "replied", "resolved"),
        "kind": _one_of(
            "quality",
            "counterfeit",
            "false_advertising",
            "price_fraud",
            "off_platform_payment",
            "after_sales_refused",
            "delivery",
            "other",
        ),
        "party?": _one_of("platform", "host", "merchant", "consumer"),
        "order_id?": is_id,
        "product_id?": is_id,
    },
    "product": {
        "product_id": is_id,
        "action": _one_of("listed", "delisted", "priced", "stocked"),
        "merchant_id?": is_id,
        "category?": is_id,
        "price_minor?": _is_integer,
        "list_minor?": _is_integer,
        "stock?": _is_integer,
    },
    "rules": {"version": _is_integer, "rules": _is_object},
    "tick": {},
}


def classify(record: bytes) -> Event | Reason:
    """Return the event of a record with its known, present fields only, or a closed reason."""
    if len(record) > MAX_RECORD_BYTES:
        return "too_large"
    value = read_object(record)
    if value is None:
        return "not_json"
    kind = value.get("type")
    if not isinstance(kind, str) or kind not in FIELDS:
        return "unknown_type"
    return _check_fields(kind, value)


def _check_fields(kind: str, value: dict[str, Any]) -> Event | Reason:
    checks = {"event_id": is_id, "ts_ms": _is_stamp, **FIELDS[kind]}
    if kind not in BROADCAST:
        checks["room_id"] = is_id
    event: Event = {"type": kind}
    for spelled, check in checks.items():
        name = spelled.removesuffix("?")
        given = value.get(name)
        if given is None:
            if name == spelled:
                return "invalid_field"
        elif check(given):
            event[name] = given
        else:
            return "invalid_field"
    return event


def read_object(record: bytes) -> dict[str, Any] | None:
    """Read a JSON object, or None for anything else.

    Text that has no UTF-8 form (a lone surrogate escape) and nesting that no reader can follow
    are no JSON either.
    """
    try:
        text = record.decode("utf-8")
        value = json.loads(text, parse_constant=_refuse, parse_int=_integer)
        json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON")


def _integer(digits: str) -> int:
    # Python refuses to read thousands of digits; JSON does not, and no field can hold them.
    return int(digits) if len(digits) < 30 else MAX_INTEGER
