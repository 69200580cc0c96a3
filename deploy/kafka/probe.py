"""Whether a Kafka is there, ready for clients, and reachable under the names it gives itself.

Asks one question of Kafka's protocol (Metadata) over a socket: no client library, hence no retries
and no stack of connection errors in the log, and an answer within the time asked for. TLS and the
password are those of every other client. A broker is ready when it lists at least one broker: it
opens its port before it lets itself in.

Bounds: one reply of at most 1 MiB per address; every wait ends at one common deadline.
"""

import socket
import struct
import time
from dataclasses import dataclass

from deploy.kafka.connection import Connection, KeptOutError
from schemas.kafka_access import SECURITY, KafkaAccess, KafkaAccessError, kafka_access

DEFAULT_BOOTSTRAP = "127.0.0.1:9092"
BOOTSTRAP_VARIABLE = "ROOMPULSE_KAFKA"

_METADATA = 3
_METADATA_VERSION = 1


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


def brokers_at(
    host: str, port: int, timeout_seconds: float, access: KafkaAccess | None = None
) -> tuple[BrokerAddress, ...]:
    """The brokers that the Kafka at this address knows to be alive; empty while it starts.

    Args:
        host: a name or an address.
        port: where it listens.
        timeout_seconds: for all of it.
        access: TLS and password; neither by default.

    Raises:
        KeptOutError: it does not let us in.
        OSError: nobody answers in time.
        ValueError: what answers is no Kafka.
    """
    no_topics = struct.pack(">i", 0)
    with Connection(host, port, access or KafkaAccess(), timeout_seconds) as connection:
        return _parse_metadata(connection.ask(_METADATA, _METADATA_VERSION, no_topics))


def require_broker(bootstrap: str, timeout_seconds: float = 8.0) -> tuple[BrokerAddress, ...]:
    """The live brokers behind `bootstrap`, or `BrokerUnavailable` within `timeout_seconds`.

    Asks each address in turn until one answers, then checks that a broker can be reached under
    the name it gives to clients. A Kafka that is still starting is waited for.
    """
    addresses = parse_bootstrap(bootstrap)
    try:
        access = kafka_access()
    except KafkaAccessError as error:
        raise BrokerUnavailable(str(error)) from error
    deadline = time.monotonic() + timeout_seconds
    reason, kept_out = "no answer", ""
    for number, (host, port) in enumerate(addresses):
        share = (deadline - time.monotonic()) / (len(addresses) - number)
        try:
            brokers = _wait_until_alive(host, port, time.monotonic() + share, access)
        except KeptOutError as error:
            kept_out = f"the Kafka at {host}:{port} {error}"
            continue
        except (OSError, ValueError) as error:
            reason = describe_failure(error)
            continue
        _require_reachable(brokers, bootstrap, max(deadline - time.monotonic(), 1.0), access)
        return brokers
    raise BrokerUnavailable(
        kept_out
        or f"no Kafka at {bootstrap} ({reason}): start one with `roompulse kafka up`, or name"
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
    if isinstance(error, ConnectionResetError):
        return f"connection closed; if it wants TLS or a password, set {SECURITY}"
    if isinstance(error, OSError):
        return error.strerror or "connection closed"
    return str(error)


def _wait_until_alive(
    host: str, port: int, deadline: float, access: KafkaAccess
) -> tuple[BrokerAddress, ...]:
    while True:
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        if brokers := brokers_at(host, port, left, access):
            return brokers
        time.sleep(min(0.1, left))


def _require_reachable(
    brokers: tuple[BrokerAddress, ...], bootstrap: str, timeout_seconds: float, access: KafkaAccess
) -> None:
    reason, share = "", timeout_seconds / len(brokers)
    for broker in brokers:
        try:
            with Connection(broker.host, broker.port, access, share):
                pass
        except KeptOutError as error:  # a certificate may have one name of Kafka and not the other
            raise BrokerUnavailable(f"the Kafka at {broker} {error}") from error
        except (OSError, ValueError) as error:
            reason = f"{broker}: {describe_failure(error)}"
        else:
            return
    raise BrokerUnavailable(
        f"the Kafka at {bootstrap} sends its clients to {reason}: correct its advertised.listeners"
    )


def _parse_metadata(reply: bytes) -> tuple[BrokerAddress, ...]:
    (count,) = struct.unpack_from(">i", reply)
    if not 0 <= count <= len(reply):
        raise ValueError("not the protocol of Kafka")
    brokers, position = [], 4
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
