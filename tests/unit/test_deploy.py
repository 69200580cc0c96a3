"""What deploys Roompulse names only what exists, pins what it brings, and opens nothing outside."""

import os
import re
import stat
import subprocess
import tomllib
from pathlib import Path
from string import Template
from typing import Any

import pytest
import typer
import yaml
from packaging.version import Version

from deploy.kafka.jars import ENVIRONMENT_FILE, LOCK_FILE, locked_jars
from roompulse.cli.app import app
from schemas.topics import TOPICS

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = re.compile(r"https?://|\bindex-url\b|\brepositor(?:y|ies)\s*=", re.IGNORECASE)
LOCKS = ("requirements.lock", "requirements-dev.lock", "deploy/kafka/jgo.lock.toml")


def compose() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((ROOT / "deploy/compose.yaml").read_text())
    return parsed


def properties() -> dict[str, str]:
    text = Template((ROOT / "deploy/kafka/server.properties").read_text()).substitute(
        port=19092, controller_port=19093, data_directory="/data", protocol="PLAINTEXT"
    )
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pairs = [line.split("=", 1) for line in lines]
    assert len({name for name, _ in pairs}) == len(pairs), "a setting stands twice"
    return dict(pairs)


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_names_no_address(name: str) -> None:
    assert ADDRESS.findall((ROOT / name).read_text()) == []


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock"])
def test_every_locked_package_has_an_exact_version_and_a_hash(name: str) -> None:
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    assert len(entries) > 40
    for entry in entries:
        head, *hashes = [line.strip(" \\") for line in entry.splitlines()]
        assert re.fullmatch(r"[a-z0-9][a-z0-9._-]*==[^\s]+( ; .+)?", head), head
        assert hashes, head
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), head


def test_the_developers_lock_contains_the_other_one_unchanged() -> None:
    runtime, developers = [
        set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    ]
    assert runtime < developers


def test_every_jar_has_an_exact_version_and_a_hash_and_none_stands_twice() -> None:
    jars = locked_jars()
    assert len({(jar.group_id, jar.artifact_id) for jar in jars}) == len(jars)
    for jar in jars:
        assert re.fullmatch(r"[0-9a-f]{64}", jar.sha256), jar
        assert Version(re.sub(r"[^0-9.].*", "", jar.version).strip(".")) > Version("0"), jar
    assert list(jars) == sorted(jars), "the order of the lock must not depend on the resolver"


def test_the_lock_of_the_jars_has_what_the_environment_asks_for() -> None:
    wanted = tomllib.loads(ENVIRONMENT_FILE.read_text())["dependencies"]["coordinates"]
    locked = {f"{jar.group_id}:{jar.artifact_id}:{jar.version}" for jar in locked_jars()}
    assert {one.rstrip("!") for one in wanted} <= locked, f"run `make lock` for {LOCK_FILE.name}"


def test_the_kafka_jars_are_all_of_one_version() -> None:
    kafka = {jar.version for jar in locked_jars() if jar.group_id == "org.apache.kafka"}
    assert len(kafka) == 1, "a neighbour's dependency management changed some of them"


def test_the_local_broker_listens_on_loopback_only() -> None:
    settings = properties()
    for name in ("listeners", "advertised.listeners"):
        for listener in settings[name].split(","):
            assert re.fullmatch(r"(PLAINTEXT|CONTROLLER)://127\.0\.0\.1:1909[23]", listener)
    assert settings["controller.quorum.voters"] == "1@127.0.0.1:19093"


def test_the_local_broker_is_set_for_one_node_and_short_sessions() -> None:
    settings = properties()
    replicas = [value for name, value in settings.items() if "replication.factor" in name]
    in_sync = [value for name, value in settings.items() if name.endswith(("min.isr", "replicas"))]
    assert (replicas, in_sync) == (["1"] * 4, ["1"] * 3)
    assert settings["auto.create.topics.enable"] == "false"
    assert int(settings["group.min.session.timeout.ms"]) <= 6000
    assert settings["group.initial.rebalance.delay.ms"] == "0"


def test_compose_runs_the_locked_version_of_kafka() -> None:
    (version,) = {jar.version for jar in locked_jars() if jar.artifact_id == "kafka_2.13"}
    assert compose()["services"]["kafka"]["image"] == f"apache/kafka:{version}"


def test_compose_sets_its_broker_as_the_local_one() -> None:
    environment = compose()["services"]["kafka"]["environment"]
    for name, value in properties().items():
        if re.search(r"replication\.factor|min\.isr|insync|auto\.create|rebalance|session", name):
            variable = "KAFKA_" + name.upper().replace(".", "_")
            if not name.startswith("broker."):  # those serve quick restarts after a kill
                assert environment[variable] == value, variable


def test_compose_publishes_ports_on_loopback_only() -> None:
    published = [
        port for service in compose()["services"].values() for port in service.get("ports", [])
    ]
    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_compose_refers_only_to_what_it_declares() -> None:
    document = compose()
    for name, service in document["services"].items():
        assert ("build" in service) or re.search(r":v?\d+\.\d+", service["image"]), name
        for needed in service.get("depends_on", {}):
            assert needed in document["services"], (name, needed)
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            declared = source in document["volumes"] or (ROOT / "deploy" / source).is_dir()
            assert declared, (name, volume)
    build = document["services"]["worker-1"]["build"]["context"]
    assert (ROOT / "deploy" / build / "Dockerfile").is_file()


def test_compose_starts_workers_only_when_the_topics_are_there() -> None:
    services = compose()["services"]
    workers = [name for name in services if name.startswith("worker-")]
    assert len(workers) == 2
    assert len({services[name]["hostname"] for name in workers}) == 2
    for name in workers:
        assert services[name]["depends_on"] == {
            "topics": {"condition": "service_completed_successfully"}
        }
    assert services["topics"]["depends_on"]["kafka"]["condition"] == "service_healthy"
    assert services["topics"]["command"][:2] == ["topics", "create"]
    assert TOPICS


def test_compose_runs_commands_that_exist_with_options_that_they_have() -> None:
    found = 0
    for service in compose()["services"].values():
        if service["image"] != "roompulse":
            continue
        words = service["command"]
        if service.get("entrypoint") == ["sh", "-c"]:
            words = words[0].rpartition("exec roompulse ")[2].split()
        command: Any = typer.main.get_command(app)
        while hasattr(command, "commands"):
            command, words = command.commands[words[0]], words[1:]
        options = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options
        found += 1
    assert found == 5


def test_a_worker_of_compose_has_one_name_over_restarts() -> None:
    services = compose()["services"]
    names = [
        services[name]["environment"]["ROOMPULSE_INSTANCE"]
        for name in services
        if name.startswith("worker-")
    ]
    assert sorted(names) == ["worker-1", "worker-2"]


def test_prometheus_scrapes_every_worker_at_its_metrics_port() -> None:
    scrape = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    (job,) = [one for one in scrape["scrape_configs"] if one["job_name"] == "roompulse"]
    services = compose()["services"]
    expected = set()
    for name, service in services.items():
        if name.startswith("worker-"):
            command = service["command"]
            expected.add(f"{name}:{command[command.index('--metrics-port') + 1]}")
    assert set(job["static_configs"][0]["targets"]) == expected


def test_ci_installs_the_prometheus_and_the_browser_that_tests_run() -> None:
    script = (ROOT / ".ci" / "run").read_text()
    assert "has_prometheus || packages+=(prometheus prometheus-alertmanager)" in script
    assert "! has_prometheus ||\n    ! has_chromium; then" in script
    assert "has_chromium || apt-get install" in script


def test_the_container_runs_as_nobody_special_from_hashed_packages() -> None:
    text = (ROOT / "Dockerfile").read_text()
    final = text.rpartition("\nFROM ")[2]
    (user,) = re.findall(r"^USER (\S+)$", final, re.MULTILINE)
    assert int(user) >= 1000
    for line in text.replace("\\\n", " ").splitlines():
        for install in re.findall(r"pip install[^&]*", line):
            assert "--require-hashes" in install or "--no-deps" in install, install
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.MULTILINE)
    allowed = set(re.findall(r"^!(\S+)$", (ROOT / ".dockerignore").read_text(), re.MULTILINE))
    assert {name for line in copied for name in line.split()} == allowed


def test_the_makefile_explains_each_of_its_targets() -> None:
    text = (ROOT / "Makefile").read_text()
    (phony,) = re.findall(r"^\.PHONY: (.+)$", text, re.MULTILINE)
    explained = re.findall(r"^([a-z]+):.*## \S", text, re.MULTILINE)
    assert sorted(explained) == sorted(phony.split())
    listed = subprocess.run(["make", "-C", ROOT], capture_output=True, text=True, check=True)
    for target in explained:
        assert f"make {target} " in listed.stdout


def test_each_test_is_in_exactly_one_of_the_groups_that_make_runs() -> None:
    text = (ROOT / "Makefile").read_text()
    groups = re.findall(r"\$\(BIN\)/pytest -m (\"[^\"]+\"|\w+)", text)
    assert groups == ['"not broker and not chaos"', '"broker and not chaos"', "chaos", "chaos"]
    (test,) = re.findall(r"^test: ([a-z ]+) ##", text, re.MULTILINE)
    assert test.split() == ["check", "unit", "broker", "chaos"]


def test_the_audit_asks_about_every_locked_package_and_passes_none_unasked() -> None:
    text = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    (command,) = re.findall(r"build/audit/bin/pip-audit (.*)", text)
    words = command.split()
    assert words[words.index("--requirement") + 1] == "requirements-dev.lock", "has the other one"
    assert {"--strict", "--require-hashes", "--disable-pip"} <= set(words)
    assert re.search(r"^PIP_AUDIT_VERSION := \d+\.\d+\.\d+$", text, re.MULTILINE)


def test_ci_is_a_script_that_runs_as_make_test() -> None:
    script = ROOT / ".ci" / "run"
    assert stat.S_IXUSR & script.stat().st_mode
    subprocess.run(["bash", "-n", script], check=True)
    assert script.read_text().splitlines()[-1] == 'exec make PYTHON="$python" test'
    assert os.access(script, os.X_OK)
