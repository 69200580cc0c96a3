"""How do we know that it is Kafka, and how does Kafka know who we are?

From the environment and from files that it names, and from nowhere else: what is secret is in no
option, no line of a log, no text of an error and no `repr`. Everything that connects takes its
options from `client_options`, so that no client goes around them. Half of a configuration is an
error and never a connection without protection.

Read anew for each client; certificates and passwords that were changed count from the next start.
"""

import os
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SECURITY = "ROOMPULSE_KAFKA_SECURITY"
MECHANISM = "ROOMPULSE_KAFKA_MECHANISM"
USERNAME = "ROOMPULSE_KAFKA_USERNAME"
PASSWORD = "ROOMPULSE_KAFKA_PASSWORD"  # noqa: S105 - the name of a variable
PASSWORD_FILE = "ROOMPULSE_KAFKA_PASSWORD_FILE"  # noqa: S105 - the same
CA_FILE = "ROOMPULSE_KAFKA_CA_FILE"
CERTIFICATE_FILE = "ROOMPULSE_KAFKA_CERTIFICATE_FILE"
KEY_FILE = "ROOMPULSE_KAFKA_KEY_FILE"

PLAINTEXT = "PLAINTEXT"
PROTOCOLS = (PLAINTEXT, "SSL", "SASL_PLAINTEXT", "SASL_SSL")
MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")

# Every variable, its default and what it means.
VARIABLES: Mapping[str, tuple[str, str]] = {
    SECURITY: (
        PLAINTEXT,
        (
            "`SSL` for TLS, `SASL_SSL` for TLS and a password, `SASL_PLAINTEXT` for a password"
            " without TLS, `PLAINTEXT` for neither: Kafka's own words."
        ),
    ),
    MECHANISM: (
        MECHANISMS[0],
        "How the password is proven: `SCRAM-SHA-512`, `SCRAM-SHA-256`, or `PLAIN`, over TLS only.",
    ),
    USERNAME: ("", "Who we are to Kafka."),
    PASSWORD_FILE: ("", "A file that holds the password; a line end after it does not count."),
    PASSWORD: ("", "The password itself, where it cannot be a file."),
    CA_FILE: (
        "",
        (
            "Certificates (PEM) of the authorities that may vouch for Kafka; without it, those that"
            " the system trusts."
        ),
    ),
    CERTIFICATE_FILE: ("", "Our own certificate (PEM), where Kafka asks for one."),
    KEY_FILE: ("", "Its private key (PEM, without a password)."),
}
_OF_PASSWORDS = (MECHANISM, USERNAME, PASSWORD_FILE, PASSWORD)
_OF_TLS = (CA_FILE, CERTIFICATE_FILE, KEY_FILE)


class KafkaAccessError(RuntimeError):
    """The settings of TLS or of the password are not whole; one line that says what to do."""


@dataclass(frozen=True, slots=True)
class KafkaAccess:
    """What a connection to Kafka needs besides an address.

    Attributes:
        protocol: one of `PROTOCOLS`.
        mechanism: one of `MECHANISMS`; empty without a password.
        username: who we are; empty without a password.
        password: never shown.
        context: what TLS trusts and presents; None without TLS.
    """

    protocol: str = PLAINTEXT
    mechanism: str = ""
    username: str = ""
    password: str = field(default="", repr=False)
    context: ssl.SSLContext | None = field(default=None, repr=False)

    @property
    def has_password(self) -> bool:
        """Whether Kafka asks who we are."""
        return self.protocol.startswith("SASL_")

    def options(self) -> dict[str, Any]:
        """The arguments of a client of aiokafka that stand for this."""
        found: dict[str, Any] = {"security_protocol": self.protocol}
        if self.context is not None:
            found["ssl_context"] = self.context
        if self.has_password:
            found["sasl_mechanism"] = self.mechanism
            found["sasl_plain_username"] = self.username
            found["sasl_plain_password"] = self.password
        return found


def client_options(bootstrap: str) -> dict[str, Any]:
    """Where a client of aiokafka connects to, and how: the first arguments of each of them.

    Raises:
        KafkaAccessError: the settings are not whole.
    """
    return {"bootstrap_servers": bootstrap, **kafka_access().options()}


def kafka_access(environment: Mapping[str, str] | None = None) -> KafkaAccess:
    """What the environment says, ours by default; an empty variable is one that is not set.

    Raises:
        KafkaAccessError: it is not whole, or a file cannot be read.
    """
    found = os.environ if environment is None else environment
    given = {name: found[name] for name in VARIABLES if found.get(name)}
    protocol = given.get(SECURITY, PLAINTEXT).upper()
    if protocol not in PROTOCOLS:
        raise KafkaAccessError(f"{SECURITY} is unknown: use one of {', '.join(PROTOCOLS)}")
    has_tls, has_password = protocol.endswith("SSL"), protocol.startswith("SASL_")
    _require_use(given, protocol, has_tls=has_tls, has_password=has_password)
    context = _context(given) if has_tls else None
    if not has_password:
        return KafkaAccess(protocol, context=context)
    mechanism = given.get(MECHANISM, MECHANISMS[0]).upper()
    if mechanism not in MECHANISMS:
        raise KafkaAccessError(f"{MECHANISM} is unknown: use one of {', '.join(MECHANISMS)}")
    if mechanism == "PLAIN" and not has_tls:
        raise KafkaAccessError(
            f"PLAIN would send the password for all to read: set {SECURITY} to SASL_SSL, or"
            f" {MECHANISM} to {MECHANISMS[0]}"
        )
    if USERNAME not in given:
        raise KafkaAccessError(f"{SECURITY} is {protocol} and nobody is named: set {USERNAME}")
    return KafkaAccess(protocol, mechanism, given[USERNAME], _password(given, protocol), context)


def _require_use(
    given: Mapping[str, str], protocol: str, *, has_tls: bool, has_password: bool
) -> None:
    """Refuse what would be left unused: who sets it believes in a protection that is not there."""
    unused = [
        *(name for name in _OF_PASSWORDS if name in given and not has_password),
        *(name for name in _OF_TLS if name in given and not has_tls),
    ]
    if unused:
        wanted = "SASL_SSL" if unused[0] in _OF_PASSWORDS else "SSL or SASL_SSL"
        raise KafkaAccessError(
            f"{unused[0]} is set, but {SECURITY} is {protocol}: set that to {wanted}, or unset"
            f" {unused[0]}"
        )


def _password(given: Mapping[str, str], protocol: str) -> str:
    if PASSWORD in given and PASSWORD_FILE in given:
        raise KafkaAccessError(f"{PASSWORD} and {PASSWORD_FILE} are both set: unset one of them")
    if PASSWORD in given:
        return given[PASSWORD]
    if PASSWORD_FILE not in given:
        raise KafkaAccessError(
            f"{SECURITY} is {protocol} and there is no password: set {PASSWORD_FILE}"
        )
    try:
        password = Path(given[PASSWORD_FILE]).read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise _unreadable(given, PASSWORD_FILE, error) from error
    except UnicodeDecodeError:  # its text would show a part of the file
        raise KafkaAccessError(
            f"{PASSWORD_FILE}: {given[PASSWORD_FILE]} is no text in UTF-8"
        ) from None
    if not password:
        raise KafkaAccessError(f"{PASSWORD_FILE}: {given[PASSWORD_FILE]} is empty")
    return password


def _context(given: Mapping[str, str]) -> ssl.SSLContext:
    """A context that believes no certificate without an authority and the name of the host."""
    try:
        context = ssl.create_default_context(cafile=given.get(CA_FILE))
    except ssl.SSLError as error:
        raise KafkaAccessError(
            f"{CA_FILE}: {given.get(CA_FILE)} holds no certificate: name a file in PEM"
        ) from error
    except OSError as error:
        raise _unreadable(given, CA_FILE, error) from error
    if (CERTIFICATE_FILE in given) != (KEY_FILE in given):
        raise KafkaAccessError(f"{CERTIFICATE_FILE} and {KEY_FILE} belong together: set both")
    if CERTIFICATE_FILE in given:
        for name in (CERTIFICATE_FILE, KEY_FILE):
            _require_readable(given, name)
        try:
            # without a password of its own, the library would ask for one at the terminal
            context.load_cert_chain(given[CERTIFICATE_FILE], given[KEY_FILE], password="")
        except ssl.SSLError as error:
            raise KafkaAccessError(
                f"{CERTIFICATE_FILE} and {KEY_FILE} are no pair: name a certificate and its key in"
                " PEM, the key without a password"
            ) from error
    return context


def _require_readable(given: Mapping[str, str], name: str) -> None:
    try:
        with Path(given[name]).open("rb"):
            pass
    except OSError as error:
        raise _unreadable(given, name, error) from error


def _unreadable(given: Mapping[str, str], name: str, error: OSError) -> KafkaAccessError:
    return KafkaAccessError(
        f"{name}: {given[name]} cannot be read ({error.strerror}): name a file that can"
    )
