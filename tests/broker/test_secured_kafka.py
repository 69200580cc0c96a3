"""Everything works over TLS with a password, and who is kept out is told why in one line."""

import asyncio
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from deploy.kafka.admin import create_topics
from deploy.kafka.broker import KafkaError, LocalKafka
from deploy.kafka.probe import BrokerUnavailable, require_broker
from producers.kafka import BrokerError, connected_producer
from roompulse.cli.app import app
from schemas.kafka_access import (
    CA_FILE,
    MECHANISM,
    PASSWORD_FILE,
    SECURITY,
    USERNAME,
)
from tests.broker.workers import WorkerProcess, embedded, send, session, wait_for_results

EVENTS = 3_000


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A Kafka that lets nobody in without TLS and a password."""
    with LocalKafka(tmp_path_factory.mktemp("secured"), port=0, secured=True) as running:
        yield running


@pytest.fixture
def let_in(secured: LocalKafka, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The environment of those who know the password."""
    for name, value in secured.environment.items():
        monkeypatch.setenv(name, value)
    return secured.environment


def said(*words: str) -> str:
    """What a command says on standard error as it fails, which has to be one line."""
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 1, result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("roompulse: ")
    return line


def test_topics_replay_worker_and_boards_work_over_tls_with_a_password(
    secured: LocalKafka, let_in: dict[str, str], tmp_path: Path
) -> None:
    records = session("festival", EVENTS)
    asyncio.run(create_topics(secured.bootstrap))
    settings: dict[str, Any] = {
        name.removeprefix("ROOMPULSE_").lower(): value for name, value in let_in.items()
    }
    with WorkerProcess(secured.bootstrap, tmp_path, **settings) as worker:
        worker.wait_ready()
        asyncio.run(send(secured.bootstrap, records))
        wait_for_results(secured.bootstrap, embedded(records), tmp_path / "results", 60)
        result = CliRunner().invoke(app, ["boards", "--bootstrap", secured.bootstrap])
        assert result.exit_code == 0, result.output
        assert "Rooms" in result.output
        worker.process.terminate()
        assert worker.wait(20) == 0, worker.log
        assert worker.log == ""


def test_a_wrong_password_is_refused_in_one_line_that_names_the_variable(
    secured: LocalKafka, let_in: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    wrong = tmp_path / "wrong"
    wrong.write_text("guessed-and-wrong\n")
    monkeypatch.setenv(PASSWORD_FILE, str(wrong))
    for words in (("worker",), ("topics", "list"), ("boards",)):
        line = said(*words, "--bootstrap", secured.bootstrap)
        assert f"refuses user '{let_in[USERNAME]}' or the password" in line
        assert PASSWORD_FILE in line
        assert "guessed" not in line


@pytest.mark.usefixtures("let_in")
async def test_a_client_with_a_wrong_password_gives_up_as_without_a_kafka(
    secured: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(USERNAME, "nobody")
    with pytest.raises(BrokerError, match="no Kafka answers"):
        async with connected_producer(secured.bootstrap):
            pass


@pytest.mark.usefixtures("let_in")
def test_what_keeps_a_client_out_is_named(
    secured: LocalKafka, kafka: LocalKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert len(require_broker(secured.bootstrap)) == 1

    def reason(bootstrap: str = secured.bootstrap) -> str:
        with pytest.raises(BrokerUnavailable) as caught:
            require_broker(bootstrap, 4.0)
        return str(caught.value)

    line = reason(kafka.bootstrap)
    assert "speaks no TLS there (" in line
    assert line.endswith(f"correct its port or {SECURITY}")
    monkeypatch.setenv(MECHANISM, "SCRAM-SHA-256")
    assert f"takes no SCRAM-SHA-256: correct {MECHANISM}" in reason()
    monkeypatch.delenv(MECHANISM)
    monkeypatch.delenv(CA_FILE)
    assert f"is not believed (self-signed certificate): name its authority in {CA_FILE}" in reason()
    monkeypatch.setenv(CA_FILE, secured.environment[CA_FILE])
    for name in (USERNAME, PASSWORD_FILE):
        monkeypatch.delenv(name)
    monkeypatch.setenv(SECURITY, "SSL")
    assert "if it wants TLS or a password" in reason()
    for name in (SECURITY, CA_FILE):
        monkeypatch.delenv(name)
    assert f"speaks TLS: set {SECURITY} to SSL or SASL_SSL" in reason()


def test_secrets_are_readable_by_their_owner_alone(secured: LocalKafka) -> None:
    folder = secured.folder / "security"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in (folder / "password", folder / "keystore-password"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((secured.folder / "server.properties").stat().st_mode) == 0o600
    assert not (folder / "user").exists(), "what formatting was told"
    password = (folder / "password").read_text()
    for log in (secured.folder / "logs").iterdir():
        assert password not in log.read_text(errors="replace"), log


def test_a_secured_kafka_stays_so_and_another_cannot_become_one(
    secured: LocalKafka, kafka: LocalKafka
) -> None:
    again = LocalKafka(secured.folder, port=0)
    assert again.status().ready
    assert again.environment == secured.environment
    with pytest.raises(KafkaError, match="made without a password"):
        LocalKafka(kafka.folder, port=0, secured=True)._secure()
