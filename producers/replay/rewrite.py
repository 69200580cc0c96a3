"""How does a valid record move to another time, and to a further pass?

Only what has to change does: stamps move by whole milliseconds, ids of things that happen once get
the suffix of their pass (a `room_id` is never reused; viewers, buyers, goods and hosts come back as
themselves). Every other value keeps its bytes, unknown fields too. Malformed records are none of
this module's business.

A stamp that would leave the accepted range stays at its edge, so that an absurd stamp is still
refused for what it is.
"""

from hashlib import blake2b

import msgspec

from schemas.codec import Event, Refund
from schemas.events import EARLIEST_MS, LARGEST_INTEGER, LATEST_MS

_ID_LENGTH = 64
_ONCE = ("event_id", "room_id", "order_id", "refund_id", "complaint_id")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.Encoder().encode


def shifted_stamp(ts_ms: int, shift_ms: int) -> int:
    """A stamp moved by `shift_ms`, kept in the range that the contract accepts."""
    return min(max(ts_ms + shift_ms, EARLIEST_MS), LATEST_MS)


def suffixed(value: str, suffix: str) -> str:
    """An id with a suffix, within the 64 characters an id may have.

    A long id gives way to its beginning and a hash of the whole, so distinct ids stay distinct.
    """
    if len(value) + len(suffix) <= _ID_LENGTH:
        return value + suffix
    whole = blake2b(value.encode(), digest_size=8).hexdigest()
    kept = _ID_LENGTH - len(suffix) - len(whole) - 1
    return f"{value[:kept]}~{whole}{suffix}"


def pass_suffix(number: int) -> str:
    """What the ids of a pass end in; the first pass keeps its own."""
    return "" if number == 1 else f"~{number}"


def rewrite(value: bytes, event: Event, *, shift_ms: int, suffix: str) -> bytes:
    """The bytes of a valid event, moved by `shift_ms`, with `suffix` on ids used once."""
    changed: dict[str, object] = {"ts_ms": shifted_stamp(event.ts_ms, shift_ms)}
    if isinstance(event, Refund):
        moved = event.ordered_ts_ms + shift_ms
        changed["ordered_ts_ms"] = min(max(moved, -LARGEST_INTEGER), LARGEST_INTEGER)
    if suffix:
        for name in _ONCE:
            if (identity := getattr(event, name, None)) is not None:
                changed[name] = suffixed(identity, suffix)
    fields: dict[str, object] = dict(_decode(value))
    fields.update(changed)
    return _encode(fields)
