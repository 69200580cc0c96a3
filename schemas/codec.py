"""How the bytes of a record become an event, fast, and an event becomes bytes.

The msgspec structs are derived from the pydantic models of `schemas.events`, never written by
hand; to type checkers they are those models. What is refused gets its reason in the order of the
design, section 3: size, JSON object, type, fields.
"""

from collections.abc import Iterable, Sequence
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Union, get_args, get_origin

import annotated_types
import msgspec
from pydantic.fields import FieldInfo

from schemas import events as models
from schemas.errors import InputError

__all__ = [
    "Checkout",
    "Complaint",
    "Event",
    "Exposure",
    "Order",
    "Product",
    "Refund",
    "RoomClosed",
    "RoomEvent",
    "RoomOpened",
    "Rules",
    "Tick",
    "View",
    "decode",
    "decode_all",
    "encode",
    "readable_room_id",
]

# A longer record is looked at before it is decoded: it may be too large, or nested so deeply that
# whether it decodes would hang on the depth of the caller's stack. A level takes two bytes at
# least, so no whole JSON of this length is nested more than `MAX_DEPTH` deep.
PLAIN_BYTES = 512
MAX_DEPTH = 256
_OBJECT_LEVEL_BYTES = 5  # {"":}
_QUOTE, _BACKSLASH = b'"\\'


def _constraint(metadata: Iterable[object]) -> dict[str, Any]:
    """The msgspec constraints that say the same as a pydantic field's metadata."""
    found: dict[str, Any] = {}
    for item in metadata:
        match item:
            case annotated_types.MinLen(min_length=value):
                found["min_length"] = value
            case annotated_types.MaxLen(max_length=value):
                found["max_length"] = value
            case annotated_types.Ge(ge=value):
                found["ge"] = value
            case annotated_types.Le(le=value):
                found["le"] = value
            case _ if getattr(item, "pattern", None) is not None:
                found["pattern"] = item.pattern  # type: ignore[attr-defined]
            case FieldInfo(metadata=inner):
                found |= _constraint(inner)
            case _:
                raise TypeError(f"no msgspec constraint is known for {item!r}")
    return found


def _fast_type(annotation: Any) -> Any:  # noqa: ANN401 - annotations have no common type
    """The msgspec annotation that accepts what the pydantic annotation accepts."""
    origin = get_origin(annotation)
    if origin in (Union, UnionType):
        return Union[tuple(_fast_type(part) for part in get_args(annotation))]  # noqa: UP007
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        return Annotated[_fast_type(inner), msgspec.Meta(**_constraint(metadata))]
    if origin is dict:
        return dict[str, Any]
    return annotation


def _fast_field(name: str, field: FieldInfo) -> tuple[str, Any] | tuple[str, Any, Any]:
    fast = _fast_type(field.annotation)
    if field.metadata:
        fast = Annotated[fast, msgspec.Meta(**_constraint(field.metadata))]
    if field.is_required():
        return name, fast
    return name, fast, field.default


def _fast_struct(model: type[models._Event]) -> Any:  # noqa: ANN401 - built at run time
    fields = {name: field for name, field in model.model_fields.items() if name != "type"}
    return msgspec.defstruct(
        model.__name__,
        [_fast_field(name, field) for name, field in fields.items()],
        tag=model.model_fields["type"].default,
        tag_field="type",
        kw_only=True,
        omit_defaults=True,
        # an event holds no reference to another, so the collector need not visit millions of them
        gc=False,
        module=__name__,
    )


if TYPE_CHECKING:
    from schemas.events import (
        Checkout,
        Complaint,
        Exposure,
        Order,
        Product,
        Refund,
        RoomClosed,
        RoomOpened,
        Rules,
        Tick,
        View,
    )
else:
    (
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
    ) = (_fast_struct(model) for model in models.MODELS)

RoomEvent = (
    RoomOpened | RoomClosed | View | Order | Refund | Exposure | Checkout | Complaint | Product
)
Event = RoomEvent | Rules | Tick

_TYPES = frozenset(models.EVENT_TYPES)
_decode = msgspec.json.Decoder(Event).decode
_decode_any = msgspec.json.Decoder().decode
# Values stay bytes: a number that no double holds is JSON, wherever nobody asks for its value.
_decode_fields = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_room = msgspec.json.Decoder(_fast_type(models.Id) | None).decode
_encoder = msgspec.json.Encoder()


def encode(event: Event) -> bytes:
    """Compact JSON of an event: `type` first, absent optional fields left out."""
    return _encoder.encode(event)


def decode(value: bytes) -> Event:
    """The event that a record holds.

    Raises:
        InputError: with the first reason that applies (`too_large`, `not_json`, `unknown_type`,
            `invalid_field`).
    """
    if len(value) > PLAIN_BYTES or not value.isascii():
        _look_at_bytes(value)
    try:
        event: Event = _decode(value)
    except (msgspec.MsgspecError, RecursionError):
        return _decode_or_say_why(value)
    return event


def decode_all(values: Sequence[bytes]) -> list[Event | InputError]:
    """Each record's event, or why it is refused; the same as `decode`, made for whole batches."""
    if _are_plain(values):
        try:
            return list(map(_decode, values))
        except (msgspec.MsgspecError, RecursionError):
            pass  # a record is refused: look at each
    return [_event_or_error(value) for value in values]


def _are_plain(values: Sequence[bytes]) -> bool:
    """Whether no record needs a look at its bytes."""
    return max(map(len, values), default=0) <= PLAIN_BYTES and b"".join(values).isascii()


def _event_or_error(value: bytes) -> Event | InputError:
    try:
        return decode(value)
    except InputError as error:
        return error


def _look_at_bytes(value: bytes) -> None:
    """Refuse what is too large, no UTF-8, or nested too deeply."""
    if len(value) > models.MAX_RECORD_BYTES:
        limit = models.MAX_RECORD_BYTES
        raise InputError("too_large", f"{len(value)} bytes, {limit} are allowed")
    if not value.isascii():
        try:
            value.decode()
        except UnicodeDecodeError as error:
            raise InputError("not_json", f"not UTF-8 at byte {error.start}") from None
    if _is_too_deep(value):
        raise InputError("not_json", f"nested more than {MAX_DEPTH} deep")


def _is_too_deep(value: bytes) -> bool:
    if len(value) <= _OBJECT_LEVEL_BYTES * MAX_DEPTH and b"[" not in value:
        return False
    return value.count(b"[") + value.count(b"{") > MAX_DEPTH and _depth(value) > MAX_DEPTH


def _depth(value: bytes) -> int:
    """The deepest nesting of brackets outside strings."""
    depth = deepest = 0
    in_string = escaped = False
    for byte in value:
        if in_string:
            if escaped:
                escaped = False
            elif byte == _BACKSLASH:
                escaped = True
            elif byte == _QUOTE:
                in_string = False
        elif byte == _QUOTE:
            in_string = True
        elif byte in b"[{":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"]}":
            depth -= 1
    return deepest


def _decode_or_say_why(value: bytes) -> Event:
    """The slow way, for what the fast decoder refused: the reason, or the event after all.

    The fast decoder looks at the first `type` of an object that names it twice; JSON's custom, and
    pydantic's, is that the last one holds.
    """
    try:
        fields: dict[str, object] = dict(_decode_fields(value))
    except (msgspec.MsgspecError, RecursionError) as error:
        raise InputError("not_json", str(error)) from None
    kind = _json_text(fields.get("type"))
    if kind not in _TYPES:
        shown = "type is missing" if kind is None else f"type {kind[:32]!r} is not known"
        raise InputError("unknown_type", shown)
    try:
        # each field once, the last one of a name
        event: Event = _decode(_encoder.encode(fields))
    except msgspec.MsgspecError as error:
        raise InputError("invalid_field", str(error)) from None
    return event


def _json_text(raw: object) -> str | None:
    """A JSON string's text; of any other value its JSON; None for null and nothing."""
    if raw is None:
        return None
    assert isinstance(raw, msgspec.Raw)
    try:
        found = _decode_any(raw)
    except msgspec.MsgspecError:
        return bytes(raw).decode()
    return found if found is None or isinstance(found, str) else bytes(raw).decode()


def readable_room_id(value: bytes) -> str | None:
    """The room that a refused record names, if it can be read; it decides the partition."""
    if _is_too_deep(value):
        return None
    try:
        value.decode()  # decoding alone does not look into the other fields' bytes
        room_id: str | None = _decode_room(_decode_fields(value).get("room_id", b"null"))
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return None
    return room_id
