"""The manifests are what Kubernetes takes, close what they can, and name only what exists."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import pytest
import typer
import yaml

from roompulse.cli.app import app
from schemas.kafka_access import CA_FILE, PASSWORD, PASSWORD_FILE, SECURITY, VARIABLES
from schemas.topics import LIVE_EVENTS
from streams.shell.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.29", "1.37"
Manifest = dict[str, Any]


def _kustomization() -> Manifest:
    found: Manifest = yaml.safe_load((FOLDER / "kustomization.yaml").read_text())
    return found


def _manifests() -> list[Manifest]:
    return [
        manifest
        for name in _kustomization()["resources"]
        for manifest in yaml.safe_load_all((FOLDER / name).read_text())
    ]


MANIFESTS = _manifests()
WORKLOADS = [one for one in MANIFESTS if one["kind"] in ("Deployment", "Job")]


def _name(manifest: Manifest) -> str:
    return f"{manifest['kind']}/{manifest['metadata']['name']}"


def _named(kind: str, name: str) -> Manifest:
    (found,) = [one for one in MANIFESTS if _name(one) == f"{kind}/{name}"]
    return found


def _pod(workload: Manifest) -> Manifest:
    pod: Manifest = workload["spec"]["template"]["spec"]
    return pod


def _container(workload: Manifest) -> Manifest:
    (container,) = _pod(workload)["containers"]
    return dict(container)


def _settings() -> dict[str, str]:
    lines = (FOLDER / "settings.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def _bytes(quantity: str) -> int:
    units = {"Mi": 1 << 20, "Gi": 1 << 30}
    return int(quantity[:-2]) * units[quantity[-2:]]


def _command(words: list[str]) -> tuple[Any, list[str]]:
    """The command that arguments call, and what is left of them; Typer's classes have no name."""
    found: Any = typer.main.get_command(app)
    while hasattr(found, "commands"):
        found, words = found.commands[words[0]], words[1:]
    return found, words


@pytest.mark.parametrize("version", [OLDEST, NEWEST])
@pytest.mark.parametrize("manifest", MANIFESTS, ids=_name)
def test_a_manifest_is_what_kubernetes_takes_to_the_last_field(
    manifest: Manifest, version: str
) -> None:
    if manifest["kind"] in EXTENSIONS:
        jsonschema.validate(manifest, EXTENSIONS[manifest["kind"]])
    else:
        kubernetes_validate.validate(manifest, version, strict=True)


def _all_of(properties: Manifest, *optional: str) -> Manifest:
    return {
        "type": "object",
        "properties": properties,
        "required": sorted(set(properties) - set(optional)),
        "additionalProperties": False,
    }


TEXT, NUMBER = {"type": "string"}, {"type": "integer", "minimum": 0}
TEXTS = {"type": "object", "additionalProperties": TEXT}


def _extension(api_version: str, spec: Manifest) -> Manifest:
    return _all_of(
        {
            "apiVersion": {"const": api_version},
            "kind": TEXT,
            "metadata": _all_of({"name": TEXT, "labels": TEXTS}, "labels"),
            "spec": spec,
        }
    )


# The fields that we use of resources whose schemas come with no package, as their documents say.
EXTENSIONS = {
    "ScaledObject": _extension(
        "keda.sh/v1alpha1",
        _all_of(
            {
                "scaleTargetRef": _all_of({"name": TEXT}),
                "pollingInterval": NUMBER,
                "minReplicaCount": NUMBER,
                "maxReplicaCount": NUMBER,
                "advanced": _all_of(
                    {
                        "horizontalPodAutoscalerConfig": _all_of(
                            {"behavior": _all_of({"scaleUp": {}, "scaleDown": {}})}
                        )
                    }
                ),
                "triggers": {
                    "type": "array",
                    "items": _all_of(
                        {
                            "type": {"const": "kafka"},
                            "metadata": _all_of(
                                {
                                    "bootstrapServersFromEnv": TEXT,
                                    "consumerGroup": TEXT,
                                    "topic": TEXT,
                                    "lagThreshold": {"type": "string", "pattern": "^[0-9]+$"},
                                    "offsetResetPolicy": {"enum": ["earliest", "latest"]},
                                    "sasl": {"enum": ["scram_sha256", "scram_sha512"]},
                                    "tls": {"enum": ["enable", "disable"]},
                                }
                            ),
                            "authenticationRef": _all_of({"name": TEXT}),
                        }
                    ),
                },
            }
        ),
    ),
    "TriggerAuthentication": _extension(
        "keda.sh/v1alpha1",
        _all_of(
            {
                "secretTargetRef": {
                    "type": "array",
                    "items": _all_of(
                        {
                            "parameter": {"enum": ["username", "password", "ca"]},
                            "name": TEXT,
                            "key": TEXT,
                        }
                    ),
                }
            }
        ),
    ),
    "ServiceMonitor": _extension(
        "monitoring.coreos.com/v1",
        _all_of(
            {
                "jobLabel": TEXT,
                "selector": _all_of({"matchLabels": TEXTS}),
                "endpoints": {
                    "type": "array",
                    "items": _all_of(
                        {"port": TEXT, "path": TEXT, "interval": TEXT, "scrapeTimeout": TEXT}
                    ),
                },
            }
        ),
    ),
}


def test_an_unknown_field_is_found_in_our_own_and_in_the_extensions() -> None:
    worker = _named("Deployment", "workers")
    with pytest.raises(jsonschema.ValidationError):
        kubernetes_validate.validate({**worker, "replicas": 2}, NEWEST, strict=True)
    scaled = _named("ScaledObject", "workers")
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**scaled, "triggers": []}, EXTENSIONS["ScaledObject"])


def test_the_kustomization_names_every_file_and_nothing_else() -> None:
    kustomization = _kustomization()
    files = {path.name for path in FOLDER.iterdir()} - {"kustomization.yaml"}
    (settings,) = kustomization["configMapGenerator"]
    assert files == {*kustomization["resources"], *settings["envs"]}
    assert _named("Namespace", kustomization["namespace"])
    assert len({_name(one) for one in MANIFESTS}) == len(MANIFESTS)


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not here")
def test_kustomize_builds_what_stands_in_the_files() -> None:
    done = subprocess.run(
        ["kubectl", "kustomize", FOLDER], capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done.stderr
    built = list(yaml.safe_load_all(done.stdout))
    assert len(built) == len(MANIFESTS) + 1, "and the settings"
    (settings,) = [one for one in built if one["kind"] == "ConfigMap"]
    assert settings["data"] == _settings()


@pytest.mark.parametrize("workload", WORKLOADS, ids=_name)
def test_a_pod_has_no_right_that_it_does_not_need(workload: Manifest) -> None:
    pod, container = _pod(workload), _container(workload)
    (user,) = re.findall(r"^USER (\d+)$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert pod["automountServiceAccountToken"] is False
    assert pod["enableServiceLinks"] is False, "a service would set ROOMPULSE_ variables"
    assert pod["securityContext"] == {
        "runAsNonRoot": True,
        "runAsUser": int(user),
        "runAsGroup": int(user),
        "fsGroup": int(user),
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
    written = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
    for mount in container["volumeMounts"]:
        assert mount.get("readOnly") is True or mount["name"] in written, mount


@pytest.mark.parametrize("workload", WORKLOADS, ids=_name)
def test_a_pod_has_bounds_and_an_image_that_the_kustomization_names(workload: Manifest) -> None:
    container = _container(workload)
    requests, limits = container["resources"]["requests"], container["resources"]["limits"]
    assert requests.keys() == limits.keys() == {"cpu", "memory"}
    assert _bytes(requests["memory"]) <= _bytes(limits["memory"])
    images = {image["name"]: image for image in _kustomization()["images"]}
    assert images[container["image"]]["newTag"]


@pytest.mark.parametrize("workload", WORKLOADS, ids=_name)
def test_a_pod_runs_a_command_that_exists_with_options_that_it_has(workload: Manifest) -> None:
    command, words = _command(_container(workload)["args"])
    options = {option for parameter in command.params for option in parameter.opts}
    for word in (word.partition("=")[0] for word in words if word.startswith("--")):
        assert word in options, word


def _known_variables() -> Iterator[str]:
    yield from VARIABLES
    yield from (f"ROOMPULSE_{name.upper()}" for name in WorkerSettings.model_fields)
    for workload in WORKLOADS:
        command, _ = _command(_container(workload)["args"])
        for parameter in command.params:
            variables = getattr(parameter, "envvar", None) or ()
            yield from [variables] if isinstance(variables, str) else variables


def test_every_variable_is_one_that_the_program_reads() -> None:
    known = set(_known_variables())
    named = {one["name"] for workload in WORKLOADS for one in _container(workload)["env"]}
    assert "ROOMPULSE_INSTANCE" in named
    assert named | _settings().keys() <= known
    settings: dict[str, Any] = {
        name.removeprefix("ROOMPULSE_").lower(): value for name, value in _settings().items()
    }
    WorkerSettings(**{key: settings[key] for key in settings if key in WorkerSettings.model_fields})


def test_secrets_are_referred_to_and_not_in_here() -> None:
    assert not [one for one in MANIFESTS if one["kind"] == "Secret"]
    settings = _settings()
    assert settings[SECURITY] == "SASL_SSL"
    assert PASSWORD not in settings
    for workload in WORKLOADS:
        pod, container = _pod(workload), _container(workload)
        mounts = {mount["name"]: mount["mountPath"] for mount in container["volumeMounts"]}
        places = {
            mounts[volume["name"]]: volume["secret"]["secretName"]
            for volume in pod["volumes"]
            if "secret" in volume
        }
        files = [settings[PASSWORD_FILE], settings[CA_FILE]]
        files += [word.partition("=")[2] for word in container["args"] if "file=" in word]
        for file in map(Path, files):
            assert str(file.parent) in places, f"{_name(workload)}: {file} is in no secret"
        page = (ROOT / "docs/guides/kubernetes.md").read_text()
        for name in places.values():
            assert f"create secret generic {name} " in page


def _guide_keys(secret: str) -> set[str]:
    page = (ROOT / "docs/guides/kubernetes.md").read_text().replace("\\\n", " ")
    (line,) = re.findall(rf"create secret generic {secret} (.*)", page)
    return set(re.findall(r"--from-(?:literal|file)=([\w.]+)=", line))


def test_the_guide_makes_secrets_with_the_keys_that_are_used() -> None:
    settings = _settings()
    used = {Path(settings[name]).name for name in (PASSWORD_FILE, CA_FILE)}
    for reference in _named("TriggerAuthentication", "roompulse-kafka")["spec"]["secretTargetRef"]:
        used.add(reference["key"])
    assert used == _guide_keys("roompulse-kafka")
    assert _guide_keys("roompulse-console") == {"token"}


def test_probes_ask_pages_that_are_served_where_they_are_served() -> None:
    pages = {
        "worker": (ROOT / "streams/shell/web.py").read_text(),
        "console": (ROOT / "roompulse/console/web.py").read_text(),
    }
    for workload in WORKLOADS:
        container = _container(workload)
        probes = [one for key, one in container.items() if key.endswith("Probe")]
        assert bool(probes) == (container["name"] in pages)
        ports = {port["name"]: port["containerPort"] for port in container.get("ports", ())}
        for probe in probes:
            path, port = probe["httpGet"]["path"], probe["httpGet"]["port"]
            assert f'add_get("{path}"' in pages[container["name"]]
            assert port in ports
    worker = _container(_named("Deployment", "workers"))
    assert worker["livenessProbe"]["httpGet"]["path"] == "/live"
    assert worker["readinessProbe"]["httpGet"]["path"] == "/ready"
    settings = _settings()
    assert settings["ROOMPULSE_METRICS_HOST"] == "0.0.0.0", "not loopback, as it is by default"
    (port,) = worker["ports"]
    assert str(port["containerPort"]) == settings["ROOMPULSE_METRICS_PORT"]
    console = _container(_named("Deployment", "console"))
    assert f"--port={console['ports'][0]['containerPort']}" in console["args"]


def test_workers_are_scaled_by_the_lag_of_their_group_within_the_partitions() -> None:
    spec = _named("ScaledObject", "workers")["spec"]
    workers = _named("Deployment", spec["scaleTargetRef"]["name"])
    assert "replicas" not in workers["spec"], "an apply would undo what was scaled"
    words = _container(_named("Job", "topics"))["args"]
    partitions = int(words[words.index("--partitions") + 1])
    assert 2 <= spec["minReplicaCount"] < spec["maxReplicaCount"] <= partitions
    (trigger,) = spec["triggers"]
    metadata = trigger["metadata"]
    assert metadata["topic"] == LIVE_EVENTS
    assert metadata["consumerGroup"] == WorkerSettings.model_fields["group"].default
    assert metadata["bootstrapServersFromEnv"] in _settings()
    assert _named("TriggerAuthentication", trigger["authenticationRef"]["name"])


def _sizing(pattern: str) -> float:
    (found,) = re.findall(pattern, (ROOT / "docs/guides/sizing.md").read_text())
    return float(found.replace(",", ""))


def test_bounds_and_scaling_follow_from_the_measured_figures() -> None:
    workers = _container(_named("Deployment", "workers"))
    full_house = _sizing(r"453 MB, (\d+) MB while a checkpoint is packed") * 1_000_000
    an_order = _sizing(r"(\d\.\d) kB for the 24 h in which it is remembered") * 1_000
    limit = _bytes(workers["resources"]["limits"]["memory"])
    assert full_house + 1_000_000 * an_order < limit
    assert full_house < _bytes(workers["resources"]["requests"]["memory"])
    rate = _sizing(r"([\d,]+) events/s with one worker")
    unsaved_seconds = WorkerSettings.model_fields["checkpoint_seconds"].default
    (trigger,) = _named("ScaledObject", "workers")["spec"]["triggers"]
    of_one = int(trigger["metadata"]["lagThreshold"]) / unsaved_seconds
    assert rate / 5 < of_one < rate / 2, "half of each worker stays free for catching up"


def test_a_worker_is_given_the_time_that_its_stop_may_take() -> None:
    pod = _pod(_named("Deployment", "workers"))
    stopping = (ROOT / "streams/shell/worker.py").read_text()
    (seconds,) = re.findall(r"^_STOP_SECONDS = ([\d.]+)$", stopping, re.MULTILINE)
    assert pod["terminationGracePeriodSeconds"] >= 2 * float(seconds)


def test_every_selector_finds_pods_of_its_own_kind() -> None:
    pods = [workload["spec"]["template"]["metadata"]["labels"] for workload in WORKLOADS]
    for manifest in MANIFESTS:
        spec = manifest.get("spec", {})
        if manifest["kind"] in ("Deployment", "PodDisruptionBudget"):
            wanted = spec["selector"]["matchLabels"]
        elif manifest["kind"] == "Service":
            wanted = spec["selector"]
        else:
            continue
        assert len([one for one in pods if wanted.items() <= one.items()]) == 1, _name(manifest)
    for constraint in _pod(_named("Deployment", "workers"))["topologySpreadConstraints"]:
        assert constraint["labelSelector"] == _named("Deployment", "workers")["spec"]["selector"]


def test_prometheus_finds_the_workers_under_the_job_and_interval_of_the_rules() -> None:
    monitor = _named("ServiceMonitor", "workers")["spec"]
    (service,) = [
        one
        for one in MANIFESTS
        if one["kind"] == "Service"
        and monitor["selector"]["matchLabels"].items() <= one["metadata"]["labels"].items()
    ]
    scraping = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())
    jobs = {job["job_name"] for job in scraping["scrape_configs"]}
    assert service["metadata"]["labels"][monitor["jobLabel"]] in jobs - {"prometheus"}
    (endpoint,) = monitor["endpoints"]
    assert endpoint["port"] in {port["name"] for port in service["spec"]["ports"]}
    assert endpoint["interval"] == scraping["global"]["scrape_interval"]
    assert service["spec"]["publishNotReadyAddresses"] is True


def test_the_network_is_closed_but_for_what_each_needs() -> None:
    policies = {one["metadata"]["name"]: one for one in MANIFESTS if one["kind"] == "NetworkPolicy"}
    closed = policies["all-closed-but-names-and-kafka"]["spec"]
    for workload in WORKLOADS:
        labels = workload["spec"]["template"]["metadata"]["labels"]
        assert closed["podSelector"]["matchLabels"].items() <= labels.items()
    assert set(closed["policyTypes"]) == {"Ingress", "Egress"}
    assert closed["ingress"] == []
    kafka = int(_settings()["ROOMPULSE_KAFKA"].rpartition(":")[2])
    open_to_all = [rule for rule in closed["egress"] if "to" not in rule]
    assert [port["port"] for rule in open_to_all for port in rule["ports"]] == [kafka]
    (rule,) = policies["alerts-to-alertmanager"]["spec"]["egress"]
    alertmanager = _settings()["ROOMPULSE_ALERTMANAGER"]
    assert alertmanager.endswith(f":{rule['ports'][0]['port']}")
    (peer,) = rule["to"]
    namespace = peer["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
    assert f".{namespace}.svc:" in alertmanager
    for policy in policies.values():
        for rule in policy["spec"].get("ingress", ()):
            assert rule["from"], "nobody may come from everywhere"


def test_a_disruption_takes_one_worker_at_a_time() -> None:
    assert _named("PodDisruptionBudget", "workers")["spec"]["maxUnavailable"] == 1
    strategy = _named("Deployment", "workers")["spec"]["strategy"]["rollingUpdate"]
    assert strategy == {"maxUnavailable": 1, "maxSurge": 0}
    assert _named("Deployment", "deliver")["spec"]["strategy"] == {"type": "Recreate"}
