"""Half of a configuration is no configuration, secrets are shown nowhere, proofs are RFC 5802's."""

import base64
import hashlib
import hmac
import re
import socket
import ssl
import struct
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.kafka.connection import Connection, KeptOutError
from deploy.kafka.probe import require_broker
from deploy.kafka.scram import Scram
from roompulse.cli.app import app
from schemas import kafka_access as access_module
from schemas.kafka_access import (
    CA_FILE,
    CERTIFICATE_FILE,
    KEY_FILE,
    MECHANISM,
    MECHANISMS,
    PASSWORD,
    PASSWORD_FILE,
    PROTOCOLS,
    SECURITY,
    USERNAME,
    VARIABLES,
    KafkaAccess,
    KafkaAccessError,
    client_options,
    kafka_access,
)

SECRET = "not-for-the-logs"
ROOT = Path(__file__).parents[2]
LET_IN = {SECURITY: "SASL_SSL", USERNAME: "roompulse", PASSWORD: SECRET}


def test_without_settings_nothing_is_encrypted_and_nobody_is_asked() -> None:
    assert kafka_access({}) == KafkaAccess()
    assert client_options("a:1") == {"bootstrap_servers": "a:1", "security_protocol": "PLAINTEXT"}
    assert kafka_access({SECURITY: "", USERNAME: ""}) == KafkaAccess(), "empty is not set"


def test_a_password_over_tls_is_scram_and_checks_the_name_of_the_host() -> None:
    options = kafka_access(LET_IN).options()
    context = options.pop("ssl_context")
    assert options == {
        "security_protocol": "SASL_SSL",
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "roompulse",
        "sasl_plain_password": SECRET,
    }
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.minimum_version >= ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize("text", [f"{SECRET}\n", f"{SECRET}\r\n", SECRET])
def test_a_password_file_may_end_its_line(text: str, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(text.encode())
    given = {SECURITY: "sasl_ssl", USERNAME: "u", PASSWORD_FILE: str(path)}
    assert kafka_access(given).password == SECRET


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({SECURITY: "TLS"}, f"{SECURITY} is unknown: use one of PLAINTEXT, SSL"),
        ({USERNAME: "u"}, f"{USERNAME} is set, but {SECURITY} is PLAINTEXT: set that to SASL_SSL"),
        ({PASSWORD: SECRET}, f"{PASSWORD} is set, but"),
        ({SECURITY: "SSL", PASSWORD_FILE: "/p"}, f"{PASSWORD_FILE} is set, but {SECURITY} is SSL"),
        ({CA_FILE: "/ca"}, f"{CA_FILE} is set, but {SECURITY} is PLAINTEXT: set that to SSL or"),
        (
            {SECURITY: "SASL_PLAINTEXT", USERNAME: "u", PASSWORD: SECRET, KEY_FILE: "/k"},
            f"{KEY_FILE} is set, but {SECURITY} is SASL_PLAINTEXT",
        ),
        ({SECURITY: "SASL_SSL", PASSWORD: SECRET}, f"nobody is named: set {USERNAME}"),
        ({SECURITY: "SASL_SSL", USERNAME: "u"}, f"there is no password: set {PASSWORD_FILE}"),
        ({**LET_IN, PASSWORD_FILE: "/p"}, "are both set: unset one of them"),
        ({**LET_IN, MECHANISM: "GSSAPI"}, f"{MECHANISM} is unknown: use one of SCRAM-SHA-512,"),
        (
            {**LET_IN, SECURITY: "SASL_PLAINTEXT", MECHANISM: "PLAIN"},
            "PLAIN would send the password for all to read",
        ),
        (
            {SECURITY: "SASL_SSL", USERNAME: "u", PASSWORD_FILE: "/nowhere/password"},
            f"{PASSWORD_FILE}: /nowhere/password cannot be read (No such file or directory)",
        ),
        ({SECURITY: "SSL", CA_FILE: "/nowhere/ca"}, f"{CA_FILE}: /nowhere/ca cannot be read"),
        ({SECURITY: "SSL", CA_FILE: __file__}, f"{CA_FILE}: {__file__} holds no certificate"),
        ({SECURITY: "SSL", KEY_FILE: "/k"}, "belong together: set both"),
        (
            {SECURITY: "SSL", CERTIFICATE_FILE: __file__, KEY_FILE: "/nowhere/key"},
            f"{KEY_FILE}: /nowhere/key cannot be read",
        ),
        (
            {SECURITY: "SSL", CERTIFICATE_FILE: __file__, KEY_FILE: __file__},
            "are no pair: name a certificate and its key in PEM",
        ),
    ],
)
def test_half_of_a_configuration_is_told_in_one_line(given: dict[str, str], told: str) -> None:
    with pytest.raises(KafkaAccessError) as caught:
        kafka_access(given)
    text = str(caught.value)
    assert told in text
    assert "\n" not in text
    assert SECRET not in text


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe secret"])
def test_a_password_file_without_a_password_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "password"
    path.write_bytes(content)
    with pytest.raises(KafkaAccessError, match=r"is empty|no text in UTF-8") as caught:
        kafka_access({SECURITY: "SASL_SSL", USERNAME: "u", PASSWORD_FILE: str(path)})
    assert "secret" not in str(caught.value)


def test_a_secret_is_not_in_what_is_printed_of_it() -> None:
    access = kafka_access(LET_IN)
    assert SECRET not in repr(access)
    assert SECRET not in f"{access}"


def test_no_option_of_any_command_takes_a_password() -> None:
    result = CliRunner().invoke(app, ["worker", "--help"])
    assert "password" not in result.output.lower()


def test_a_command_tells_of_settings_that_are_not_whole_before_it_connects(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(SECURITY, "SASL_SSL")
    for words in (["worker"], ["topics", "list"], ["boards"], ["export", "--out", "x"]):
        result = CliRunner().invoke(app, words)
        assert result.exit_code == 1
        (line,) = result.stderr.splitlines()
        assert line == f"roompulse: {SECURITY} is SASL_SSL and nobody is named: set {USERNAME}"


def test_every_client_of_kafka_takes_its_address_and_its_way_in_from_one_place() -> None:
    """One that names the servers itself would go around TLS and the password."""
    found = [
        path.relative_to(ROOT).as_posix()
        for package in ("schemas", "streams", "producers", "roompulse", "deploy")
        for path in (ROOT / package).rglob("*.py")
        if "bootstrap_servers" in path.read_text(encoding="utf-8")
    ]
    assert found == [Path(access_module.__file__).relative_to(ROOT).as_posix()]


def test_every_variable_is_explained_with_its_values() -> None:
    assert all(meaning.endswith(".") for _, meaning in VARIABLES.values())
    assert all(f"`{word}`" in VARIABLES[SECURITY][1] for word in PROTOCOLS)
    assert all(f"`{word}`" in VARIABLES[MECHANISM][1] for word in MECHANISMS)


# --- the proof of the password --------------------------------------------------------------------


def test_the_proof_is_that_of_rfc_7677() -> None:
    """The example exchange of SCRAM-SHA-256."""
    scram = Scram("SCRAM-SHA-256", "user", "pencil", nonce="rOprNGfwEbeRWgbNEkqO")
    assert scram.first() == b"n,,n=user,r=rOprNGfwEbeRWgbNEkqO"
    nonce = "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
    final = scram.final(f"r={nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode())
    assert final == f"c=biws,r={nonce},p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=".encode()
    scram.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=")
    with pytest.raises(ValueError, match="does not know the password itself"):
        scram.verify(b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G5=")


def test_a_name_with_the_signs_of_the_protocol_is_escaped() -> None:
    assert Scram("SCRAM-SHA-512", "a=b,c", "p", nonce="x").first() == b"n,,n=a=3Db=2Cc,r=x"


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"r=other,s=AA==,i=4096",
        b"r=mine,s=AA==",
        b"r=mine,s=AA==,i=many",
        b"r=mine,s=AA==,i=0",
        b"r=mine,s=AA==,i=2000000000",
        b"\xff\xff",
    ],
)
def test_what_is_no_answer_is_not_proven_to(answer: bytes) -> None:
    with pytest.raises(ValueError, match=r"SCRAM|ascii"):
        Scram("SCRAM-SHA-512", "u", "p", nonce="mine").final(answer)


# --- the connection -------------------------------------------------------------------------------


class PasswordServer:
    """A broker with one user, by SCRAM-SHA-256 or PLAIN; written after the RFC, not the client."""

    def __init__(self, *, knows_password: bool = True) -> None:
        self.password = SECRET
        self.knows_password = knows_password
        self.mechanism = ""
        self.plain = b""
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def stop(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection, connection.makefile("rwb") as stream:
                self._first = b""
                while size := stream.read(4):
                    request = stream.read(*struct.unpack(">i", size))
                    api, _, correlation, name = struct.unpack_from(">hhih", request)
                    reply = self._answer(api, request[10 + name :])
                    stream.write(struct.pack(">ii", len(reply) + 4, correlation) + reply)
                    stream.flush()

    def _answer(self, api: int, body: bytes) -> bytes:
        if api == 17:
            self.mechanism = body[2:].decode()
            known = self.mechanism in ("SCRAM-SHA-256", "PLAIN")
            return struct.pack(">hi", 0 if known else 33, 0)
        if api == 3:
            host = b"127.0.0.1"
            one = struct.pack(">ih", 1, len(host)) + host + struct.pack(">ih", self.port, -1)
            return struct.pack(">i", 1) + one
        said = self._check(body[4:])
        if said is None:
            words = f"wrong password {SECRET}".encode()
            return struct.pack(">hh", 58, len(words)) + words + struct.pack(">i", 0)
        return struct.pack(">hhi", 0, -1, len(said)) + said

    def _check(self, message: bytes) -> bytes | None:
        if self.mechanism == "PLAIN":
            self.plain = message
            return b"" if message == f"\0u\0{self.password}".encode() else None
        if not self._first:
            self._first = message[3:]
            nonce = self._first.rpartition(b"r=")[2]
            self._answered = b"r=" + nonce + b"server,s=" + base64.b64encode(b"salt") + b",i=4096"
            return self._answered
        bare, _, proof = message.rpartition(b",p=")
        salted = hashlib.pbkdf2_hmac("sha256", self.password.encode(), b"salt", 4096)
        key = hmac.digest(salted, b"Client Key", "sha256")
        said = b",".join((self._first, self._answered, bare))
        mask = hmac.digest(hashlib.sha256(key).digest(), said, "sha256")
        if base64.b64decode(proof) != bytes(a ^ b for a, b in zip(key, mask, strict=True)):
            return None
        server = hmac.digest(salted, b"Server Key", "sha256")
        if not self.knows_password:
            server = bytes(32)
        return b"v=" + base64.b64encode(hmac.digest(server, said, "sha256"))


@pytest.fixture
def server() -> Iterator[PasswordServer]:
    running = PasswordServer()
    yield running
    running.stop()


def access(mechanism: str = "SCRAM-SHA-256", password: str = SECRET) -> KafkaAccess:
    return KafkaAccess("SASL_PLAINTEXT", mechanism, "u", password)


def test_a_user_who_knows_the_password_is_let_in(
    server: PasswordServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {SECURITY: "SASL_PLAINTEXT", MECHANISM: "scram-sha-256", USERNAME: "u"}
    for name, value in {**given, PASSWORD: SECRET}.items():
        monkeypatch.setenv(name, value)
    (broker,) = require_broker(f"127.0.0.1:{server.port}", 5.0)
    assert broker.port == server.port


def test_plain_sends_user_and_password(server: PasswordServer) -> None:
    with Connection("127.0.0.1", server.port, access("PLAIN"), 5.0):
        pass
    assert server.plain == f"\0u\0{SECRET}".encode()


@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-256", "PLAIN"])
def test_a_wrong_password_is_told_without_it_and_without_what_the_broker_says(
    mechanism: str, server: PasswordServer
) -> None:
    with pytest.raises(KeptOutError, match="refuses user 'u' or the password") as caught:
        Connection("127.0.0.1", server.port, access(mechanism, "wrong-one"), 5.0)
    assert not re.search(f"wrong-one|{SECRET}", str(caught.value))


def test_a_mechanism_that_the_broker_does_not_take_is_named(server: PasswordServer) -> None:
    with pytest.raises(KeptOutError, match=f"takes no SCRAM-SHA-512: correct {MECHANISM}"):
        Connection("127.0.0.1", server.port, access("SCRAM-SHA-512"), 5.0)


def test_a_broker_that_does_not_know_the_password_is_not_believed(server: PasswordServer) -> None:
    server.knows_password = False
    with pytest.raises(KeptOutError, match="is not to be believed"):
        Connection("127.0.0.1", server.port, access(), 5.0)
