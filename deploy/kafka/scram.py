"""How a password is proven to Kafka without being sent: SCRAM (RFC 5802), the client's side.

Pure steps from message to message; who sends them is `deploy.kafka.connection`. The server proves
that it knows the password, too. Bounds: a server may ask for so many rounds of hashing, not more.
"""

import base64
import hashlib
import hmac
import secrets

_MOST_ITERATIONS = 1_000_000  # about a second; Kafka's default is 4,096


class Scram:
    """One proof: `first`, then `final` with the server's answer, then `verify` with the next.

    Args:
        mechanism: `SCRAM-SHA-256` or `SCRAM-SHA-512`.
        nonce: what makes this proof different from all others; drawn where none is given.
    """

    def __init__(
        self, mechanism: str, username: str, password: str, nonce: str | None = None
    ) -> None:
        self._hash = mechanism.removeprefix("SCRAM-").replace("-", "").lower()
        self._password = password.encode()
        self._nonce = nonce or secrets.token_urlsafe(24)
        name = username.replace("=", "=3D").replace(",", "=2C")
        self._first = f"n={name},r={self._nonce}"
        self._server_signature = b""

    def first(self) -> bytes:
        """Who we are."""
        return f"n,,{self._first}".encode()

    def final(self, server_first: bytes) -> bytes:
        """That we know the password.

        Raises:
            ValueError: what the server said is no SCRAM.
        """
        parts = _parts(server_first)
        try:
            nonce, salt, iterations = parts["r"], base64.b64decode(parts["s"]), int(parts["i"])
        except (KeyError, ValueError) as error:
            raise ValueError("not the protocol of SCRAM") from error
        if not nonce.startswith(self._nonce) or not 0 < iterations <= _MOST_ITERATIONS:
            raise ValueError("not the protocol of SCRAM")
        salted = hashlib.pbkdf2_hmac(self._hash, self._password, salt, iterations)
        client_key = self._mac(salted, b"Client Key")
        without_proof = f"c=biws,r={nonce}"
        said = f"{self._first},{server_first.decode()},{without_proof}".encode()
        signature = self._mac(hashlib.new(self._hash, client_key).digest(), said)
        proof = bytes(left ^ right for left, right in zip(client_key, signature, strict=True))
        self._server_signature = self._mac(self._mac(salted, b"Server Key"), said)
        return f"{without_proof},p={base64.b64encode(proof).decode()}".encode()

    def verify(self, server_final: bytes) -> None:
        """Believe the server only if it knows the password, too.

        Raises:
            ValueError: it does not.
        """
        expected = base64.b64encode(self._server_signature).decode()
        if not hmac.compare_digest(_parts(server_final).get("v", ""), expected):
            raise ValueError("it does not know the password itself")

    def _mac(self, key: bytes, message: bytes) -> bytes:
        return hmac.digest(key, message, self._hash)


def _parts(message: bytes) -> dict[str, str]:
    """The attributes of a message; raises `ValueError` where it is no text."""
    pairs = (part.partition("=") for part in message.decode("ascii").split(","))
    return {name: value for name, _, value in pairs}
