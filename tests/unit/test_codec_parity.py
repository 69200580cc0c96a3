"""The fast decoder and pydantic are two readings of one contract: same verdict, same values.

Pydantic's JSON parser takes NaN and Infinity, which are not JSON, and has no size limit; the
reference below adds these two rules and otherwise is `schemas.events` itself. Beyond the law lie
the limits of that parser alone: it gives up at 201 levels and at integers of 4,300 digits.
"""

import json
from typing import Any, NoReturn

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from schemas import codec
from schemas.errors import REASONS, InputError
from schemas.events import EARLIEST_MS, LATEST_MS, MAX_RECORD_BYTES, MODELS, EventModel

ADAPTER: TypeAdapter[Any] = TypeAdapter(EventModel)
BASE_MS = 1_636_632_000_000

GOLDEN: dict[str, bytes] = {
    "room_opened": b'{"type":"room_opened","event_id":"e1","ts_ms":1636632000000,"room_id":"r1",'
    b'"host_id":"h1","mode":"talent","category":"beauty","currency":"CNY",'
    b'"host_name":"\xe8\x96\x87\xe5\xa8\x85","mcn_id":"m1"}',
    "room_closed": b'{"type":"room_closed","event_id":"e2","ts_ms":1636632000001,"room_id":"r1"}',
    "view": b'{"type":"view","event_id":"e3","ts_ms":1636632000002,"room_id":"r1",'
    b'"viewer_id":"v1","action":"enter","product_id":"p1","device_id":"d1","ip_id":"i1",'
    b'"source":"feed"}',
    "order": b'{"type":"order","event_id":"e4","ts_ms":1636632000003,"room_id":"r1",'
    b'"order_id":"o1","buyer_id":"b1","product_id":"p1","quantity":2,"amount_minor":19900,'
    b'"list_minor":39900,"merchant_id":"s1","device_id":"d1","payment_id":"y1",'
    b'"address_id":"a1","ip_id":"i1","account_age_days":30}',
    "refund": b'{"type":"refund","event_id":"e5","ts_ms":1636632000004,"room_id":"r1",'
    b'"refund_id":"f1","order_id":"o1","buyer_id":"b1","product_id":"p1","amount_minor":19900,'
    b'"ordered_ts_ms":1636632000003,"reason":"not_as_described"}',
    "exposure": b'{"type":"exposure","event_id":"e6","ts_ms":1636632000005,"room_id":"r1",'
    b'"impressions":500,"product_id":"p1","source":"paid"}',
    "checkout": b'{"type":"checkout","event_id":"e7","ts_ms":1636632000006,"room_id":"r1",'
    b'"order_id":"o2","buyer_id":"b1","product_id":"p1","quantity":1,"amount_minor":0}',
    "complaint": b'{"type":"complaint","event_id":"e8","ts_ms":1636632000007,"room_id":"r1",'
    b'"complaint_id":"c1","buyer_id":"b1","status":"opened","kind":"counterfeit",'
    b'"party":"merchant","order_id":"o1","product_id":"p1"}',
    "product": b'{"type":"product","event_id":"e9","ts_ms":1636632000008,"room_id":"r1",'
    b'"product_id":"p1","action":"priced","merchant_id":"s1","category":"beauty",'
    b'"price_minor":9900,"list_minor":19900,"stock":0}',
    "rules": b'{"type":"rules","event_id":"e10","ts_ms":1636632000009,"version":3,'
    b'"rules":{"a":[1,2.5,null,true],"b":{"c":"d"}}}',
    "tick": b'{"type":"tick","event_id":"e11","ts_ms":1636632000010}',
}
BY_TYPE = {model.model_fields["type"].default: model for model in MODELS}
BY_CLASS = {getattr(codec, model.__name__): name for name, model in BY_TYPE.items()}


def reject(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def reference(value: bytes) -> dict[str, Any] | None:
    """The event's fields as pydantic reads them, or None where it refuses the record."""
    if len(value) > MAX_RECORD_BYTES:
        return None
    try:
        json.loads(value.decode(), parse_constant=reject)
        event = ADAPTER.validate_json(value)
    except (ValidationError, ValueError):
        return None
    found: dict[str, Any] = event.model_dump()
    return found


def fast(value: bytes) -> dict[str, Any] | None:
    """The same by the fast decoder, through both of its doors."""
    (found,) = codec.decode_all([value])
    if isinstance(found, InputError):
        with pytest.raises(InputError) as refused:
            codec.decode(value)
        assert (refused.value.reason, refused.value.detail) == (found.reason, found.detail)
        assert found.reason in REASONS
        assert found.detail
        return None
    assert codec.decode(value) == found
    fields: dict[str, Any] = msgspec.structs.asdict(found)  # type: ignore[arg-type]
    fields["type"] = BY_CLASS[type(found)]
    return fields


def assert_agree(value: bytes) -> None:
    one, other = fast(value), reference(value)
    # as text, since 1, 1.0 and True are equal in Python
    assert repr(one and sorted(one.items())) == repr(other and sorted(other.items()))


# -- strategies: valid events, then everything that may be wrong with one --

texts = st.text(max_size=70) | st.sampled_from(
    ["", "x" * 64, "x" * 65, "\u76f4" * 64, "\U0001f600" * 65]
)
integers = st.integers(-(2**70), 2**70) | st.sampled_from(
    [0, 1, -1, EARLIEST_MS, EARLIEST_MS - 1, LATEST_MS, LATEST_MS + 1, BASE_MS]
    + [sign * 2**63 + near for sign in (1, -1) for near in (-1, 0, 1)]
)
json_values = st.recursive(
    st.none() | st.booleans() | integers | st.floats(allow_nan=False) | texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=6,
)
# as they stand in JSON text: the encoder of the test must not tidy them
RAW: tuple[str, ...] = (
    "1.0",
    "1e3",
    "-0",
    "-0.0",
    "1E400",
    "1e-400",
    "NaN",
    "Infinity",
    "01",
    "1.",
    '"\\ud800"',
)
RAW += ('"\\ud83d\\ude00"', '"\\u0000"', '"a\tb"', "tru", "[1,]", "{}", "[]", "null", " 3 ", "")


def words_of(name: str) -> list[str]:
    """The words that any event's closed list for this field holds."""
    found: list[str] = []
    for model in MODELS:
        field = model.model_json_schema()["properties"].get(name, {})
        for part in [field, *field.get("anyOf", [])]:
            found += part.get("enum", [])
    return found


WORDS = sorted({word for model in MODELS for name in model.model_fields for word in words_of(name)})


@st.composite
def records(draw: st.DrawFn) -> bytes:
    """An event of the contract with none, one or several of its fields bent."""
    kind = draw(st.sampled_from(sorted(GOLDEN)))
    fields: dict[str, Any] = json.loads(GOLDEN[kind])
    other_fields = sorted({name for model in MODELS for name in model.model_fields} - {"type"})
    pairs = [(name, json.dumps(value)) for name, value in fields.items()]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(pairs)))
        name = draw(
            st.sampled_from([name for name, _ in pairs] + other_fields + ["unknown", "type"])
        )
        text = draw(
            json_values.map(json.dumps)
            | st.sampled_from(RAW)
            | st.sampled_from(WORDS).map(json.dumps)
            | st.sampled_from(sorted(GOLDEN)).map(json.dumps)
        )
        match draw(st.sampled_from(["add", "replace", "drop"])):
            case "add":  # before or behind a field of the same name: a duplicate key
                pairs.insert(at, (name, text))
            case "replace" if at < len(pairs):
                pairs[at] = (pairs[at][0], text)
            case "drop" if at < len(pairs):
                del pairs[at]
    blank = draw(st.sampled_from(["", " ", "\n"]))
    body = f",{blank}".join(f"{json.dumps(name)}:{text}" for name, text in pairs)
    return f"{blank}{{{body}}}{blank}".encode(errors="surrogatepass")


# -- the laws --


@given(records())
@example(b"")
@example(b"null")
@example(b"[]")
@example(b'{"type":"tick","type":"view","event_id":"e","ts_ms":1636632000000}')
@example(b'{"type":"view","type":"tick","event_id":"e","ts_ms":1636632000000}')
@example(b'{"type":"view","type":"tick","event_id":"e","ts_ms":1636632000000,"x":1e400}')
@example(b'{"type":"tick","event_id":"e","ts_ms":1.0,"ts_ms":1636632000000}')
@example(b'{"type":"tick","event_id":"e","ts_ms":1636632000000,"ts_ms":1.0}')
@example(b'{"type":"tick","event_id":"e","ts_ms":1636632000000,"x":1e400}')
@example(b'{"type":"tick","event_id":"e","ts_ms":1636632000000,"x":NaN}')
@example(b'{"type":"rules","event_id":"e","ts_ms":1636632000000,"version":1,"rules":{"a":1e400}}')
@example(b'{"type":"rules","event_id":"e","ts_ms":1636632000000,"version":true,"rules":{}}')
@example(b'{"\\u0074ype":"ti\\u0063k","event_id":"e","ts_ms":1636632000000}')
@example(b'\xef\xbb\xbf{"type":"tick","event_id":"e","ts_ms":1636632000000}')
@settings(max_examples=600, deadline=None)
def test_fast_decoder_and_pydantic_agree(value: bytes) -> None:
    assert_agree(value)


@given(records())
@settings(max_examples=300, deadline=None)
def test_encoding_an_event_and_decoding_it_gives_the_same_event(value: bytes) -> None:
    if fast(value) is None:
        return
    event = codec.decode(value)
    again = codec.encode(event)
    assert codec.decode(again) == event
    assert again.startswith(b'{"type":"')


@given(st.sampled_from(sorted(GOLDEN)), st.data())
@settings(max_examples=400, deadline=None)
def test_flipped_missing_or_added_byte_gives_an_event_or_a_reason(
    kind: str, data: st.DataObject
) -> None:
    value = bytearray(GOLDEN[kind])
    at = data.draw(st.integers(0, len(value) - 1))
    match data.draw(st.sampled_from(["flip", "drop", "add", "cut"])):
        case "flip":
            value[at] ^= 1 << data.draw(st.integers(0, 7))
        case "drop":
            del value[at]
        case "add":
            value.insert(at, data.draw(st.integers(0, 255)))
        case "cut":
            del value[at:]
    assert_agree(bytes(value))
    room_id = codec.readable_room_id(bytes(value))
    assert room_id is None or 1 <= len(room_id) <= 64


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_an_event_or_a_reason(value: bytes) -> None:
    assert_agree(value)
    codec.readable_room_id(value)


# -- literal cases --


def reason_of(value: bytes) -> str:
    with pytest.raises(InputError) as refused:
        codec.decode(value)
    return refused.value.reason


@pytest.mark.parametrize("kind", sorted(BY_TYPE))
def test_golden_bytes_decode_to_every_field_and_encode_to_themselves(kind: str) -> None:
    event = codec.decode(GOLDEN[kind])
    assert type(event).__name__ == BY_TYPE[kind].__name__
    assert codec.encode(event) == GOLDEN[kind]
    absent = [
        name for name in BY_TYPE[kind].model_fields if f'"{name}":'.encode() not in GOLDEN[kind]
    ]
    assert absent == []
    assert_agree(GOLDEN[kind])


def test_optional_fields_that_are_null_or_absent_are_left_out_of_the_bytes() -> None:
    value = b'{"ts_ms":1636632000000,"event_id":"e","product_id":null,"room_id":"r","action":"like"'
    value += b',"viewer_id":"v","type":"view","colour":"red"}'
    event = codec.decode(value)
    assert codec.encode(event) == (
        b'{"type":"view","event_id":"e","ts_ms":1636632000000,"room_id":"r","viewer_id":"v",'
        b'"action":"like"}'
    )


def test_reasons_are_tried_in_the_order_size_object_type_fields() -> None:
    assert reason_of(b"[" * (MAX_RECORD_BYTES + 1)) == "too_large"
    assert reason_of(b"[]") == "not_json"
    assert reason_of(b'"view"') == "not_json"
    assert reason_of(b'{"type":"view"') == "not_json"
    assert reason_of(b'{"type":"view","room_id":"\xff"}') == "not_json"
    assert reason_of(b"{}") == "unknown_type"
    assert reason_of(b'{"type":null}') == "unknown_type"
    assert reason_of(b'{"type":3}') == "unknown_type"
    assert reason_of(b'{"type":["view"]}') == "unknown_type"
    assert reason_of(b'{"type":1e400}') == "unknown_type"
    assert reason_of(b'{"type":"gift"}') == "unknown_type"
    assert reason_of(b'{"type":"view"}') == "invalid_field"


def test_a_number_that_no_double_holds_is_json() -> None:
    assert reason_of(b'{"type":"view","x":1e400}') == "invalid_field"
    assert reason_of(b'{"type":"gift","x":1e400}') == "unknown_type"
    assert codec.readable_room_id(b'{"type":"view","x":1e400,"room_id":"r1"}') == "r1"


def test_record_of_the_greatest_size_is_read_and_one_byte_more_is_not() -> None:
    start, end = GOLDEN["tick"][:-1] + b',"x":"', b'"}'
    filling = b"x" * (MAX_RECORD_BYTES - len(start) - len(end))
    assert_agree(start + filling + end)
    assert fast(start + filling + end) is not None
    assert reason_of(start + filling + b"x" + end) == "too_large"


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_depth_is_limited_whatever_the_length_of_the_record(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    rules = b'{"type":"rules","event_id":"e","ts_ms":1636632000000,"version":1,"rules":{"a":'
    allowed = codec.MAX_DEPTH - 2  # the record and its rules are two levels
    for padding in (b"", b" " * 500):
        at_limit = rules + padding + opening * allowed + b"1" + closing * allowed + b"}}"
        assert fast(at_limit) is not None
        beyond = rules + padding + opening * (allowed + 1) + b"1" + closing * (allowed + 1) + b"}}"
        assert reason_of(beyond) == "not_json"


def test_brackets_in_strings_are_no_depth() -> None:
    text = b'"' + b"[" * 300 + b'\\"' + b"{" * 300 + b'"'
    assert fast(GOLDEN["tick"][:-1] + b',"x":' + text + b"}") is not None


@pytest.mark.parametrize(
    ("value", "room_id"),
    [
        (b'{"room_id":"r1"}', "r1"),
        (b'{"room_id":"r1","room_id":"r2"}', "r2"),
        (b'{"type":3,"ts_ms":"x","room_id":"\xe7\x9b\xb4"}', "\u76f4"),
        (b'{"room_id":""}', None),
        (b'{"room_id":"' + b"x" * 65 + b'"}', None),
        (b'{"room_id":7}', None),
        (b'{"room_id":null}', None),
        (b'{"room":"r1"}', None),
        (b'["room_id"]', None),
        (b'{"room_id":"r1"', None),
        (b'{"room_id":"\xff"}', None),
        (b"", None),
        (b'{"room_id":"r1","x":' + b"[" * 400 + b"]" * 400 + b"}", None),
    ],
)
def test_room_of_a_refused_record(value: bytes, room_id: str | None) -> None:
    assert codec.readable_room_id(value) == room_id


def test_room_of_a_record_that_is_too_large_is_read() -> None:
    value = b'{"room_id":"r1","x":"' + b"x" * MAX_RECORD_BYTES + b'"}'
    assert codec.readable_room_id(value) == "r1"
