"""One connection to a broker, blocking, with TLS and a password where they are wanted.

Speaks as much of Kafka's protocol as it takes to get in: TLS, SaslHandshake, SaslAuthenticate. What
keeps us out is told apart from what is not there: a `KeptOutError` says what to correct.

Bounds: one reply of at most 1 MiB at a time; every wait ends at the connection's deadline.
"""

import socket
import ssl
import struct
import time
from types import TracebackType
from typing import Self

from deploy.kafka.scram import Scram
from schemas.kafka_access import (
    CA_FILE,
    CERTIFICATE_FILE,
    MECHANISM,
    PASSWORD_FILE,
    SECURITY,
    USERNAME,
    KafkaAccess,
)

_HANDSHAKE = 17
_AUTHENTICATE = 36
_CORRELATION = 7
_CLIENT_ID = b"roompulse-probe"
_UNSUPPORTED_MECHANISM = 33
# From the two numbers that open every reply, up to the metadata of thousands of brokers.
_REPLY_BYTES = range(8, 1 << 20)
_TLS_ALERT = b"\x15\x03"
_NOT_KAFKA = "not the protocol of Kafka"


class KeptOutError(Exception):
    """A Kafka that is there and does not let us in, or that we do not believe.

    The text says why, in words that follow "the Kafka at ..." and end with what to do.
    """


class Connection:
    """A connection that has passed TLS and the password; use it in a `with` statement.

    Raises:
        KeptOutError: TLS or the password keeps us out.
        OSError: nobody answers in time.
        ValueError: what answers is no Kafka.
    """

    def __init__(self, host: str, port: int, access: KafkaAccess, timeout_seconds: float) -> None:
        self._deadline = time.monotonic() + timeout_seconds
        self._socket = socket.create_connection((host, port), timeout=timeout_seconds)
        try:
            if access.context is not None:
                self._socket = _with_tls(self._socket, access.context, host)
            if access.has_password:
                self._prove(access)
        except BaseException:
            self._socket.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._socket.close()

    def ask(self, api: int, version: int, body: bytes) -> bytes:
        """The body of the reply to one request."""
        header = struct.pack(">hhih", api, version, _CORRELATION, len(_CLIENT_ID)) + _CLIENT_ID
        try:
            self._socket.sendall(struct.pack(">i", len(header) + len(body)) + header + body)
            opening = self._read(4)
            if opening.startswith(_TLS_ALERT):
                raise KeptOutError(f"speaks TLS: set {SECURITY} to SSL or SASL_SSL")
            (size,) = struct.unpack(">i", opening)
            if size not in _REPLY_BYTES:
                raise ValueError(_NOT_KAFKA)
            reply = self._read(size)
        except ssl.SSLError as error:  # with TLS 1.3 a certificate is asked for after the handshake
            raise _kept_out_by_tls(error) from error
        if struct.unpack_from(">i", reply) != (_CORRELATION,):
            raise ValueError(_NOT_KAFKA)
        return reply[4:]

    def _prove(self, access: KafkaAccess) -> None:
        mechanism = access.mechanism.encode()
        reply = self.ask(_HANDSHAKE, 1, struct.pack(">h", len(mechanism)) + mechanism)
        (code,) = struct.unpack_from(">h", reply)
        if code == _UNSUPPORTED_MECHANISM:
            raise KeptOutError(f"takes no {access.mechanism}: correct {MECHANISM}")
        if code != 0:
            raise KeptOutError(f"asks for no password there: correct {SECURITY}")
        if access.mechanism == "PLAIN":
            self._authenticate(f"\0{access.username}\0{access.password}".encode(), access)
            return
        scram = Scram(access.mechanism, access.username, access.password)
        try:
            answer = self._authenticate(scram.first(), access)
            answer = self._authenticate(scram.final(answer), access)
            scram.verify(answer)
        except ValueError as error:
            raise KeptOutError(f"is not to be believed ({error}): correct its address") from error

    def _authenticate(self, message: bytes, access: KafkaAccess) -> bytes:
        reply = self.ask(_AUTHENTICATE, 0, struct.pack(">i", len(message)) + message)
        code, size = struct.unpack_from(">hh", reply)
        words = 4 + max(size, 0)
        if code != 0:
            # its own words are not repeated: they may hold what we sent
            raise KeptOutError(
                f"refuses user {access.username!r} or the password: correct {USERNAME} or what"
                f" {PASSWORD_FILE} names"
            )
        if len(reply) < words + 4:
            raise ValueError(_NOT_KAFKA)
        (length,) = struct.unpack_from(">i", reply, words)
        return reply[words + 4 :][: max(length, 0)]

    def _read(self, size: int) -> bytes:
        received = bytearray()
        while len(received) < size:
            left = self._deadline - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self._socket.settimeout(left)
            chunk = self._socket.recv(size - len(received))
            if not chunk:
                raise ConnectionResetError(0, "connection closed")
            received += chunk
        return bytes(received)


def _with_tls(plain: socket.socket, context: ssl.SSLContext, host: str) -> ssl.SSLSocket:
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message.rstrip(".")
        raise KeptOutError(
            f"has a certificate that is not believed ({why}): name its authority in {CA_FILE}, and"
            " Kafka by a host name of its certificate"
        ) from error
    except (ssl.SSLError, ConnectionResetError) as error:
        raise _kept_out_by_tls(error) from error


def _kept_out_by_tls(error: OSError) -> KeptOutError:
    reason = (getattr(error, "reason", None) or "connection closed").replace("_", " ").lower()
    if "certificate" in reason:
        return KeptOutError(f"does not take our certificate ({reason}): correct {CERTIFICATE_FILE}")
    return KeptOutError(f"speaks no TLS there ({reason}): correct its port or {SECURITY}")
