"""Which bytes are no event? One example of each way to be wrong, all refused by the contract."""

import json
from typing import Final

from tests.oracle.contract import Event

# 2023-11-11T15:50:00Z: ten minutes before midnight in Shanghai, so that days are parted too.
BASE_MS: Final = 1_699_717_800_000


def encode(event: Event) -> bytes:
    return json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _view_with(**changed: object) -> bytes:
    """A view at the base stamp; a change to an Ellipsis takes the field out."""
    event: Event = {
        "type": "view",
        "event_id": "e",
        "ts_ms": BASE_MS,
        "room_id": "r1",
        "viewer_id": "v1",
        "action": "enter",
    }
    kept = {name: value for name, value in (event | changed).items() if value is not ...}
    return encode(kept)


MALFORMED: Final = (
    b"",
    b" ",
    b"{",
    b"null",
    b"[]",
    b'"view"',
    b"\xff\xfe{}",
    b"\xef\xbb\xbf{}",
    b'{"type":NaN}',
    b'{"type":"view",}',
    b"x" * (64 * 1024 + 1),
    _view_with().replace(b"v1", b"\xc3\x28"),
    _view_with().replace(b"v1", b"\\ud800"),
    _view_with(note=1).replace(b":1}", b":Infinity}"),
    _view_with(note="x" * 64 * 1024),
    _view_with(type=...),
    _view_with(type=None),
    _view_with(type=3),
    _view_with(type="View"),
    _view_with(type="order"),
    _view_with(type="tick", ts_ms=...),
    _view_with(event_id=...),
    _view_with(event_id=""),
    _view_with(room_id=...),
    _view_with(room_id=None),
    _view_with(room_id=7),
    _view_with(room_id="r" * 65),
    _view_with(viewer_id="播" * 65),
    _view_with(viewer_id=["v1"]),
    _view_with(action="wave"),
    _view_with(source="tv"),
    _view_with(product_id=3),
    _view_with(ts_ms=str(BASE_MS)),
    _view_with(ts_ms=float(BASE_MS)),
    _view_with(ts_ms=True),
    _view_with(ts_ms=946_684_799_999),
    _view_with(ts_ms=4_102_444_800_000),
    _view_with(ts_ms=2**63),
    _view_with(ts_ms=-(2**70)),
    _view_with(type="exposure", impressions=0),
    _view_with(type="exposure", impressions=1.0),
    _view_with(type="exposure", impressions=2**63),
    _view_with(type="room_opened", host_id="h1", mode="talent", category="food", currency="cny"),
    _view_with(type="room_opened", host_id="h1", mode="talent", category="food", currency="CNY\n"),
    _view_with(
        type="room_opened",
        host_id="h1",
        mode="talent",
        category="food",
        currency="CNY",
        host_name="n" * 201,
    ),
    _view_with(
        type="order", order_id="o", buyer_id="b", product_id="p", quantity=1, amount_minor=-1
    ),
    _view_with(
        type="checkout", order_id="o", buyer_id="b", product_id="p", quantity=0, amount_minor=1
    ),
    encode({"type": "rules", "event_id": "e", "ts_ms": BASE_MS, "version": 1, "rules": []}),
)
