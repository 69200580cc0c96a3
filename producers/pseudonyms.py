"""How do sessions leave the house without the people in them? Their ids become keyed digests.

Ids of people, devices, networks, payment accounts and addresses are replaced by the first 96 bits
of BLAKE2b with a secret key: equal ids stay equal, so every figure and every alert comes out as it
was (distinct counts above 1,000 are estimates, and those of other ids), and nobody without the key
can try out who somebody is. A viewer and a buyer are one kind of
person. What the contract does not know is left out, for nobody knows what is in it.

What is no event stays none: an id that is refused (no text, empty, too long) becomes one that is
refused for the same reason. Bytes that are no JSON object, and records above the size of the
contract, are not read, so they are withheld and counted.
"""

from collections.abc import Iterable, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import msgspec

from schemas.events import LONGEST_ID, MAX_RECORD_BYTES, MODELS
from schemas.records import encode

LEAST_KEY_BYTES: Final = 16
_DIGEST_BYTES = 12
_KINDS: Final = {
    "viewer_id": b"person",
    "buyer_id": b"person",
    "device_id": b"device",
    "ip_id": b"network",
    "payment_id": b"payment",
    "address_id": b"address",
}
PERSONAL_FIELDS: Final = frozenset(_KINDS)
_KNOWN_FIELDS: Final = frozenset(name for model in MODELS for name in (*model.model_fields, "type"))
_decode = msgspec.json.Decoder().decode


class PseudonymError(ValueError):
    """There is no key that could be used; the text says what to do."""


def read_key(from_environment: str | None, file: Path | None) -> bytes:
    """The secret key: the content of a file, else what the environment holds.

    Raises:
        PseudonymError: there is none, or it is too short to be a secret.
        OSError: the file cannot be read.
    """
    given = file.read_bytes().strip() if file is not None else (from_environment or "").encode()
    if not given:
        raise PseudonymError(
            "pseudonyms need a secret key: name a file with --pseudonym-key-file, or set"
            " ROOMPULSE_PSEUDONYM_KEY"
        )
    if len(given) < LEAST_KEY_BYTES:
        raise PseudonymError(
            f"the key of pseudonyms has {len(given)} bytes, fewer than {LEAST_KEY_BYTES}: make one"
            " with `openssl rand -hex 32`"
        )
    return blake2b(given).digest()  # a key of any length becomes one of 64 bytes


class Pseudonyms:
    """Replaces personal ids by digests under one key.

    Attributes:
        withheld: how many records could not be read, and are left out.
    """

    def __init__(self, key: bytes) -> None:
        self.withheld = 0
        self._keyed = {
            kind: blake2b(digest_size=_DIGEST_BYTES, key=key, person=kind)
            for kind in set(_KINDS.values())
        }

    def of_chunks(self, chunks: Iterable[list[bytes]]) -> Iterator[list[bytes]]:
        """The chunks of a session with pseudonyms in them."""
        self.withheld = 0
        for chunk in chunks:
            changed = (self.of_record(record) for record in chunk)
            yield [record for record in changed if record is not None]

    def of_record(self, record: bytes) -> bytes | None:
        """A record with pseudonyms in it; None if it cannot be read."""
        event = _read(record)
        if event is None:
            self.withheld += 1
            return None
        return encode(
            {
                name: self._safe(name, value)
                for name, value in event.items()
                if name in _KNOWN_FIELDS
            }
        )

    def _safe(self, name: str, value: object) -> object:
        if name in _KINDS:
            return self._of(_KINDS[name], value)
        # whatever stands in there, the contract has an object in one place only
        return False if isinstance(value, dict | list) and name != "rules" else value

    def _of(self, kind: bytes, value: object) -> object:
        if value is None or value == "":
            return value
        if not isinstance(value, str):
            return False  # no id either
        digest = self._keyed[kind].copy()
        digest.update(value.encode(errors="surrogatepass"))
        name = digest.hexdigest()
        return name if len(value) <= LONGEST_ID else name.ljust(LONGEST_ID + 1, "0")


def _read(record: bytes) -> dict[str, Any] | None:
    """The fields of a record; None for what is none."""
    if len(record) > MAX_RECORD_BYTES:
        return None
    try:
        event = _decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
