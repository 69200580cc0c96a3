"""What does a local Kafka need to listen with TLS and a password? A certificate, a user, settings.

Made once for a folder and kept beside its data, readable by its owner alone:

    FOLDER/security/ca.pem               what clients trust: the broker's own certificate
    FOLDER/security/password             of the one user, `roompulse`
    FOLDER/security/keystore-password    what opens the next
    FOLDER/security/keystore.p12         the key of the broker

Certificates come from the Java runtime's keytool. The user is written into the data folder when
that is formatted, so security can be neither added to data that is there nor taken from it.
"""

import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

from schemas.kafka_access import CA_FILE, PASSWORD_FILE, SECURITY, USERNAME, KafkaAccess
from schemas.kafka_access import kafka_access as access_of

USER = "roompulse"
PROTOCOL = "SASL_SSL"
_MECHANISM = "SCRAM-SHA-512"
_KEYTOOL = "java.base/sun.security.tools.keytool.Main"
_DAYS = "3650"


class LocalSecurity:
    """The certificate and the user of the Kafka in `folder`, whether they are made yet or not."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / "security"

    @property
    def is_made(self) -> bool:
        return self._ca.is_file()

    @property
    def environment(self) -> dict[str, str]:
        """What clients have to be told besides the address."""
        return {
            SECURITY: PROTOCOL,
            USERNAME: USER,
            PASSWORD_FILE: str(self._password),
            CA_FILE: str(self._ca),
        }

    @property
    def access(self) -> KafkaAccess:
        """The same, to be used here."""
        return access_of(self.environment)

    def make(self, java: str) -> None:
        """Make what is not there; `java` runs keytool.

        Raises:
            OSError: keytool does not do its work, or the folder cannot be written.
        """
        if self.is_made:
            return
        self.delete()
        self._folder.mkdir(mode=0o700, parents=True)
        for path in (self._password, self._store_password):
            _write_secret(path, secrets.token_urlsafe(24))
        keytool = [java, "-m", _KEYTOOL]
        store = ["-alias", "kafka", "-keystore", str(self._store), "-storetype", "PKCS12"]
        store += ["-storepass:file", str(self._store_password)]
        names = ["-dname", "CN=localhost", "-ext", "SAN=ip:127.0.0.1,dns:localhost"]
        kind = ["-keyalg", "EC", "-groupname", "secp256r1", "-ext", "bc:c=ca:true"]
        _run([*keytool, "-genkeypair", *store, *names, *kind, "-validity", _DAYS])
        # last, and whole or not at all: it is what says that everything is there
        certificate = _run([*keytool, "-exportcert", "-rfc", *store])
        unfinished = self._ca.with_suffix(".part")
        unfinished.write_bytes(certificate)
        unfinished.replace(self._ca)

    def delete(self) -> None:
        """Forget the user and the certificate."""
        shutil.rmtree(self._folder, ignore_errors=True)

    def properties(self) -> dict[str, str]:
        """The broker's settings."""
        login = "org.apache.kafka.common.security.scram.ScramLoginModule required"
        password = self._password.read_text(encoding="utf-8")
        return {
            "ssl.keystore.type": "PKCS12",
            "ssl.keystore.location": str(self._store),
            "ssl.keystore.password": self._store_password.read_text(encoding="utf-8"),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(self._ca),
            "sasl.enabled.mechanisms": _MECHANISM,
            "sasl.mechanism.inter.broker.protocol": _MECHANISM,
            f"listener.name.{PROTOCOL.lower()}.{_MECHANISM.lower()}.sasl.jaas.config": (
                f'{login} username="{USER}" password="{password}";'
            ),
        }

    @contextlib.contextmanager
    def user(self) -> Iterator[list[str]]:
        """Further arguments of the command that formats data; none where nothing is secured.

        They are in a file: on a command line, all of the machine could read the password.
        """
        if not self.is_made:
            yield []
            return
        path = self._folder / "user"
        password = self._password.read_text(encoding="utf-8")
        _write_secret(path, f"--add-scram\n{_MECHANISM}=[name={USER},password={password}]\n")
        try:
            yield [f"@{path}"]
        finally:
            path.unlink()

    @property
    def _ca(self) -> Path:
        return self._folder / "ca.pem"

    @property
    def _password(self) -> Path:
        return self._folder / "password"

    @property
    def _store(self) -> Path:
        return self._folder / "keystore.p12"

    @property
    def _store_password(self) -> Path:
        return self._folder / "keystore-password"


def _write_secret(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def _run(command: Sequence[str]) -> bytes:
    done = subprocess.run(
        command,
        env={**os.environ, "LC_ALL": "C.UTF-8"},  # else Java opens no path that is not ASCII
        capture_output=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode != 0:
        words = (done.stdout + done.stderr).decode(errors="replace").strip()
        raise OSError(done.returncode, f"keytool failed: {words[-200:]}")
    return done.stdout
