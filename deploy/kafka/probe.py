"""Whether a Kafka is there, ready for clients, and reachable under the names it gives itself.

Speaks one request of Kafka's protocol (Metadata) over a plain socket: no client library, hence no
retries and no stack of connection errors in the log, and an answer within the time asked for.
A broker is ready when it lists at least one broker: it opens its port before it lets itself in.

Bounds: one reply of at most 1 MiB per address; every wait ends at one common deadline.
"""

import socket
import struct
import time
from dataclasses import dataclass

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"
BOOTSTRAP_VARIABLE = "ROOMPULSE_KAFKA"

_METADATA = 3
_METADATA_VERSION = 1
_CORRELATION = 7
_CLIENT_ID = b"roompulse-probe"
# From the two numbers that open every reply, up to the metadata of thousands of brokers.
_REPLY_BYTES = range(8, 1 << 20)


class BrokerUnavailable(RuntimeError):  # noqa: N818 - named for what the caller has to handle
    """No usable Kafka at an address; the text is one line that says why and what to do."""


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker tells its clients to connect to."""

    node_id: int
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


def parse_bootstrap(bootstrap: str) -> tuple[tuple[str, int], ...]:
    """Host and port of each address of a comma-separated list; raises `BrokerUnavailable`."""
    addresses = []
    for part in bootstrap.split(","):
        host, colon, port = part.strip().rpartition(":")
        if not (colon and host and port.isascii() and port.isdigit() and 0 < int(port) < 1 << 16):
            raise BrokerUnavailable(
                f"{bootstrap!r} is no Kafka address: write host:port, or several with commas"
            )
        addresses.append((host.strip("[]"), int(port)))
    return tuple(addresses)


def brokers_at(host: str, port: int, timeout_seconds: float) -> tuple[BrokerAddress, ...]:
    """The brokers that the Kafka at this address knows to be alive; empty while it starts.

    Raises `OSError` when nobody answers in time and `ValueError` when what answers is no Kafka.
    """
    deadline = time.monotonic() + timeout_seconds
    with socket.create_connection((host, port), timeout=timeout_seconds) as connection:
        connection.sendall(_metadata_request())
        (size,) = struct.unpack(">i", _read(connection, 4, deadline))
        if size not in _REPLY_BYTES:
            raise ValueError("not the protocol of Kafka")
        return _parse_metadata(_read(connection, size, deadline))


def require_broker(bootstrap: str, timeout_seconds: float = 8.0) -> tuple[BrokerAddress, ...]:
    """The live brokers behind `bootstrap`, or `BrokerUnavailable` within `timeout_seconds`.

    Asks each address in turn until one answers, then checks that a broker can be reached under
    the name it gives to clients. A Kafka that is still starting is waited for.
    """
    addresses = parse_bootstrap(bootstrap)
    deadline = time.monotonic() + timeout_seconds
    reason = "no answer"
    for number, (host, port) in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - number)
        try:
            brokers = _wait_until_alive(host, port, time.monotonic() + share)
        except (OSError, ValueError) as error:
            reason = describe_failure(error)
            continue
        _require_reachable(brokers, bootstrap, max(deadline - time.monotonic(), 1.0))
        return brokers
    raise BrokerUnavailable(
        f"no Kafka at {bootstrap} ({reason}): start one with `roompulse kafka up`, or name"
        f" yours with --bootstrap or {BOOTSTRAP_VARIABLE}=host:port"
    )


def describe_failure(error: Exception) -> str:
    """One or two words for why a connection came to nothing."""
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, TimeoutError):
        return "no answer in time"
    if isinstance(error, socket.gaierror):
        return "unknown host name"
    if isinstance(error, OSError):
        return error.strerror or "connection closed"
    return str(error)


def _wait_until_alive(host: str, port: int, deadline: float) -> tuple[BrokerAddress, ...]:
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if brokers := brokers_at(host, port, left):
            return brokers
        time.sleep(min(0.1, left))


def _require_reachable(
    brokers: tuple[BrokerAddress, ...], bootstrap: str, timeout_seconds: float
) -> None:
    reason = ""
    for broker in brokers:
        try:
            address = (broker.host, broker.port)
            socket.create_connection(address, timeout=timeout_seconds / len(brokers)).close()
        except OSError as error:
            reason = f"{broker}: {describe_failure(error)}"
        else:
            return
    raise BrokerUnavailable(
        f"the Kafka at {bootstrap} sends its clients to {reason}: correct its advertised.listeners"
    )


def _metadata_request() -> bytes:
    header = struct.pack(">hhih", _METADATA, _METADATA_VERSION, _CORRELATION, len(_CLIENT_ID))
    no_topics = struct.pack(">i", 0)
    body = header + _CLIENT_ID + no_topics
    return struct.pack(">i", len(body)) + body


def _parse_metadata(reply: bytes) -> tuple[BrokerAddress, ...]:
    correlation, count = struct.unpack_from(">ii", reply)
    if correlation != _CORRELATION or not 0 <= count <= len(reply):
        raise ValueError("not the protocol of Kafka")
    brokers, position = [], 8
    try:
        for _ in range(count):
            node_id, host_size = struct.unpack_from(">ih", reply, position)
            host = reply[position + 6 : position + 6 + host_size].decode()
            position += 6 + host_size
            port, rack_size = struct.unpack_from(">ih", reply, position)
            position += 6 + max(rack_size, 0)
            brokers.append(BrokerAddress(node_id, host, port))
    except (struct.error, UnicodeDecodeError) as error:
        raise ValueError("not the protocol of Kafka") from error
    return tuple(brokers)


def _read(connection: socket.socket, size: int, deadline: float) -> bytes:
    received = bytearray()
    while len(received) < size:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        chunk = connection.recv(size - len(received))
        if not chunk:
            raise ConnectionResetError(0, "connection closed")
        received += chunk
    return bytes(received)
