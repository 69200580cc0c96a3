"""Jars are whole or refused, an absent Kafka is told in time, and the doctor finds what lacks."""

import hashlib
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from deploy.kafka import jars as jars_module
from deploy.kafka.broker import KafkaError, LocalKafka, _as_property, free_port
from deploy.kafka.jars import (
    JarsUnavailable,
    LockedJar,
    ensure_jars,
    locked_jars,
    missing_jars,
)
from deploy.kafka.probe import (
    BrokerAddress,
    BrokerUnavailable,
    brokers_at,
    parse_bootstrap,
    require_broker,
)
from deploy.kafka.process import command_line, resident_bytes, wait_until_gone
from roompulse.cli import doctor, topics
from roompulse.cli.doctor import Verdict

Answer = Callable[[bytes], bytes]


@pytest.fixture
def serve() -> Iterator[Callable[[Answer | None], int]]:
    """Starts servers on loopback that answer each request by a function, or never (None)."""
    servers: list[socket.socket] = []
    threads: list[threading.Thread] = []
    connections: list[socket.socket] = []

    def run(server: socket.socket, answer: Answer | None) -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            connections.append(connection)
            if answer is not None:
                request = connection.recv(4096)
                if request:
                    connection.sendall(answer(request))
                connection.close()

    def start(answer: Answer | None) -> int:
        server = socket.create_server(("127.0.0.1", 0))
        thread = threading.Thread(target=run, args=(server, answer))
        thread.start()
        servers.append(server)
        threads.append(thread)
        port: int = server.getsockname()[1]
        return port

    yield start
    for server in servers:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
    for thread in threads:
        thread.join()
    for connection in connections:
        connection.close()


def metadata(*brokers: tuple[int, str, int]) -> bytes:
    """A Metadata reply (version 1) that names these brokers."""
    body = struct.pack(">ii", 7, len(brokers))
    for node_id, host, port in brokers:
        body += (
            struct.pack(">ih", node_id, len(host)) + host.encode() + struct.pack(">ih", port, -1)
        )
    return struct.pack(">i", len(body)) + body


def test_the_brokers_of_a_reply_are_read(serve: Callable[[Answer | None], int]) -> None:
    port = serve(lambda _: metadata((1, "alpha", 9092), (22, "beta.example", 19092)))
    assert brokers_at("127.0.0.1", port, 5.0) == (
        BrokerAddress(1, "alpha", 9092),
        BrokerAddress(22, "beta.example", 19092),
    )


def test_a_broker_is_waited_for_until_it_lets_itself_in(
    serve: Callable[[Answer | None], int],
) -> None:
    asked: list[int] = []

    def answer(_: bytes) -> bytes:
        asked.append(1)
        return metadata((1, "127.0.0.1", port)) if len(asked) > 2 else metadata()

    port = serve(answer)
    assert require_broker(f"127.0.0.1:{port}", 10.0) == (BrokerAddress(1, "127.0.0.1", port),)


def test_of_several_addresses_one_that_answers_is_enough(
    serve: Callable[[Answer | None], int],
) -> None:
    port = serve(lambda _: metadata((1, "127.0.0.1", port)))
    brokers = require_broker(f"127.0.0.1:{free_port()}, 127.0.0.1:{port}", 5.0)
    assert len(brokers) == 1


def test_a_broker_that_never_answers_is_given_up_in_time(
    serve: Callable[[Answer | None], int],
) -> None:
    began = time.monotonic()
    with pytest.raises(BrokerUnavailable, match="no answer in time"):
        require_broker(f"127.0.0.1:{serve(None)}", 0.3)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    "reply",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">iii", 8, 99, 0),
        struct.pack(">iii", 8, 7, 3),
        struct.pack(">iiiih", 14, 7, 1, 1, 900),
        struct.pack(">i", 1 << 30),
    ],
)
def test_what_is_no_kafka_is_called_so(reply: bytes, serve: Callable[[Answer | None], int]) -> None:
    with pytest.raises(BrokerUnavailable, match="not the protocol of Kafka"):
        require_broker(f"127.0.0.1:{serve(lambda _: reply)}", 5.0)


def test_a_reply_that_breaks_off_is_an_absent_broker(
    serve: Callable[[Answer | None], int],
) -> None:
    with pytest.raises(BrokerUnavailable, match="connection closed"):
        require_broker(f"127.0.0.1:{serve(lambda _: metadata((1, 'a', 1))[:-3])}", 5.0)


def test_a_kafka_that_sends_its_clients_astray_is_told(
    serve: Callable[[Answer | None], int],
) -> None:
    nowhere = free_port()
    port = serve(lambda _: metadata((1, "127.0.0.1", nowhere)))
    with pytest.raises(
        BrokerUnavailable, match=rf"127.0.0.1:{nowhere}: connection refused.*advert"
    ):
        require_broker(f"127.0.0.1:{port}", 5.0)


def test_a_bootstrap_list_is_read() -> None:
    assert parse_bootstrap("a:1, b.example:65535,[::1]:9092") == (
        ("a", 1),
        ("b.example", 65535),
        ("::1", 9092),
    )


@pytest.mark.parametrize(
    "text", ["", "host", "host:", ":9092", "host:0", "host:65536", "h:9,", "h:²"]
)
def test_what_is_no_address_is_refused_without_asking_anyone(text: str) -> None:
    with pytest.raises(BrokerUnavailable, match="write host:port"):
        parse_bootstrap(text)


def test_a_command_without_kafka_ends_with_one_line_within_ten_seconds() -> None:
    began = time.monotonic()
    bootstrap = f"127.0.0.1:{free_port()}"
    result = CliRunner().invoke(topics.app, ["list", "--bootstrap", bootstrap])
    assert time.monotonic() - began < 10
    assert (result.exit_code, result.stdout) == (1, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith(f"roompulse: no Kafka at {bootstrap} (connection refused): start one")


def test_an_undeclared_topic_is_refused_with_the_names_there_are() -> None:
    result = CliRunner().invoke(topics.app, ["describe", "live-evnts"])
    assert result.exit_code == 1
    assert "no topic 'live-evnts' is declared: choose one of live-events," in result.stderr


@pytest.fixture
def lock_of_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[LockedJar, ...]:
    """A lock of two jars, `one-1.0.jar` with the bytes `one`, and `two-2.0.jar`."""
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in ("one", "two")]
    entries = (("one", "1.0", digests[0]), ("two", "2.0", digests[1]))
    lock = tmp_path / "lock.toml"
    lock.write_text(
        "".join(
            f'[[dependencies]]\ngroupId = "g"\nartifactId = "{name}"\nversion = "{version}"\n'
            f'sha256 = "{digest}"\n'
            for name, version, digest in entries
        )
    )
    locked = locked_jars(lock)
    monkeypatch.setattr(jars_module, "locked_jars", lambda: locked)
    return locked


class FakeMaven:
    """Stands for jgo: hands out files of `contents` by artifact, or fails with `error`."""

    def __init__(self, cache: Path, contents: dict[str, bytes], error: Exception | None) -> None:
        self.cache, self.contents, self.error = cache, contents, error
        self.name = ""

    def project(self, _group: str, artifact: str) -> "FakeMaven":
        one = FakeMaven(self.cache, self.contents, self.error)
        one.name = artifact
        return one

    def at_version(self, _version: str) -> "FakeMaven":
        return self

    def artifact(self) -> "FakeMaven":
        return self

    def resolve(self) -> Path:
        if self.error is not None:
            raise self.error
        path = self.cache / self.name
        path.write_bytes(self.contents[self.name])
        return path


def use_maven(
    monkeypatch: pytest.MonkeyPatch, contents: dict[str, bytes], error: Exception | None = None
) -> None:
    monkeypatch.setattr(jars_module, "_context", lambda cache: FakeMaven(cache, contents, error))


@pytest.mark.usefixtures("lock_of_two")
def test_only_missing_or_damaged_jars_are_fetched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, told = tmp_path / "jars", list[str]()
    folder.mkdir()
    (folder / "one-1.0.jar").write_bytes(b"one")
    (folder / "two-2.0.jar").write_bytes(b"cut o")
    (folder / "stranger.jar").write_bytes(b"not ours")
    use_maven(monkeypatch, {"two": b"two"})
    paths = ensure_jars(folder, told.append)
    assert [path.name for path in paths] == ["one-1.0.jar", "two-2.0.jar"]
    assert told == [f"Fetching 1 jars of Apache Kafka into {folder}"]
    assert missing_jars(folder, ()) == ()
    use_maven(monkeypatch, {}, AssertionError("nothing is to be fetched"))
    assert ensure_jars(folder) == paths


def test_a_jar_with_another_hash_is_refused_and_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lock_of_two: tuple[LockedJar, ...]
) -> None:
    use_maven(monkeypatch, {"one": b"one", "two": b"tampered"})
    folder = tmp_path / "jars"
    with pytest.raises(JarsUnavailable, match=r"two-2\.0\.jar is not the file of the lock"):
        ensure_jars(folder)
    assert not (folder / "two-2.0.jar").exists()
    assert lock_of_two[1] in missing_jars(folder, lock_of_two)
    assert [path.name for path in folder.iterdir() if path.name.startswith(".fetch")] == []


@pytest.mark.usefixtures("lock_of_two")
def test_jars_that_cannot_be_had_say_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_maven(monkeypatch, {}, OSError("no route"))
    kafka = LocalKafka(tmp_path / "node", port=0, jars=tmp_path / "jars")
    with pytest.raises(JarsUnavailable, match=r"no route.*network.*ROOMPULSE_KAFKA=host:port"):
        kafka.start()
    assert not kafka.status().running


@pytest.mark.parametrize("port", [-1, 80, 65_536])
def test_a_port_nobody_may_use_is_refused(port: int, tmp_path: Path) -> None:
    with pytest.raises(KafkaError, match=f"port {port} cannot be used"):
        LocalKafka(tmp_path, port=port)


def test_a_record_of_another_process_is_not_taken_for_the_broker(tmp_path: Path) -> None:
    folder = tmp_path / "node"
    folder.mkdir()
    bystander = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        (folder / "broker.json").write_text(f'{{"pid": {bystander.pid}, "port": 9}}')
        kafka = LocalKafka(folder, port=0)
        assert not kafka.status().running
        assert not kafka.stop()
        assert not kafka.kill()
        assert bystander.poll() is None
        assert "input()" in command_line(bystander.pid)
        assert resident_bytes(bystander.pid) > 0
        assert not wait_until_gone(bystander.pid, 0.0)
    finally:
        bystander.communicate(b"\n")
    assert command_line(bystander.pid) == ""
    assert resident_bytes(bystander.pid) == 0
    assert wait_until_gone(bystander.pid, 0.0)


@pytest.mark.parametrize("text", ["", "[]", "{", '{"pid": "x", "port": 1}', '{"pid": 1}', "null"])
def test_a_damaged_record_means_that_nothing_runs(text: str, tmp_path: Path) -> None:
    (tmp_path / "broker.json").write_text(text)
    assert LocalKafka(tmp_path, port=0).pid is None


@pytest.mark.parametrize(
    ("version", "verdict"),
    [((3, 10), Verdict.MISSING), ((3, 11), Verdict.FINE), ((3, 13), Verdict.MISSING)],
)
def test_the_doctor_knows_the_pythons_that_fit(
    version: tuple[int, int], verdict: Verdict, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "prefix", "/somewhere/else")
    assert doctor.check_python(version).verdict is verdict


def test_the_doctor_compares_packages_with_the_lock(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text("pytest==0.1 \\\n    --hash=sha256:00\nno-such-package==3 \\\n")
    finding = doctor.check_packages(lock)
    assert finding.verdict is Verdict.MISSING
    assert "no-such-package is absent, not 3" in finding.seen
    assert doctor.check_packages(tmp_path / "none.lock").verdict is Verdict.NOTE


def test_the_doctor_says_whether_jars_can_be_had(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable() -> None:
        raise JarsUnavailable("the jars cannot be had (jspecify: ConnectionError): check this")

    monkeypatch.setattr(doctor, "require_repository", unreachable)
    finding = doctor.check_jars(tmp_path)
    assert (finding.verdict, finding.seen) == (
        Verdict.MISSING,
        "the jars cannot be had (jspecify: ConnectionError)",
    )
    monkeypatch.setattr(doctor, "require_repository", lambda: None)
    assert doctor.check_jars(tmp_path).verdict is Verdict.FINE


def test_the_doctor_finds_missing_tools_and_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    assert doctor.check_make().verdict is Verdict.MISSING
    prometheus = doctor.check_prometheus()
    assert prometheus.verdict is Verdict.NOTE, "only tests need it"
    assert "no prometheus and no promtool" in prometheus.seen
    assert doctor.check_disk(1 << 62).verdict is Verdict.MISSING
    assert doctor.check_disk(1).verdict is Verdict.FINE
    assert doctor.check_memory(1 << 62).verdict is Verdict.NOTE


def test_the_doctor_sees_the_compiled_parts_and_java() -> None:
    for check in (doctor.check_compiled_faust, doctor.check_compiled_aiokafka, doctor.check_java):
        assert check().verdict is Verdict.FINE


def test_the_doctor_misses_a_kafka_only_where_one_was_named() -> None:
    bootstrap = f"127.0.0.1:{free_port()}"
    assert doctor.check_kafka(bootstrap, named=False).verdict is Verdict.NOTE
    named = doctor.check_kafka(bootstrap, named=True)
    assert named.verdict is Verdict.MISSING
    assert named.seen == f"no Kafka at {bootstrap} (connection refused)"


def test_the_doctor_tells_what_is_not_whole_in_the_way_to_kafka(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("ROOMPULSE_KAFKA_SECURITY", "SSL")
    monkeypatch.setenv("ROOMPULSE_KAFKA_CA_FILE", "/nowhere/ca.pem")
    finding = doctor.check_kafka("127.0.0.1:9092", named=True)
    assert finding.verdict is Verdict.MISSING
    assert finding.seen.startswith("ROOMPULSE_KAFKA_CA_FILE: /nowhere/ca.pem cannot be read")
    assert finding.advice == "name a file that can"


def test_the_doctor_tells_a_port_that_is_taken(serve: Callable[[Answer | None], int]) -> None:
    assert doctor.check_port("port", serve(None)).verdict is Verdict.NOTE
    assert doctor.check_port("port", free_port()).verdict is Verdict.FINE


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KafkaError, match="cannot hold a Kafka: Not a directory"):
        LocalKafka(tmp_path / "file" / "node", port=0).start()
    with pytest.raises(KafkaError, match="with a comma"):
        LocalKafka(tmp_path / "a,b")
    with pytest.raises(JarsUnavailable, match="Not a directory"):
        ensure_jars(tmp_path / "file" / "jars")


@pytest.mark.parametrize(
    ("text", "written"),
    [("/plain path", "/plain path"), ("a\\b", r"a\u005cb"), ("直😀", r"\u76f4\ud83d\ude00")],
)
def test_a_path_is_written_as_java_reads_properties(text: str, written: str) -> None:
    assert _as_property(text) == written
