"""The programs of Prometheus that these tests run, and a Prometheus for a while."""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

NOTHING_SCRAPED = "scrape_configs: []\n"
_SECONDS = 60.0


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`; without it the test is skipped, in CI it fails."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not on the path (Debian: apt-get install prometheus)"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}; CI must not go without it")
        pytest.skip(reason)
    return path


@contextmanager
def prometheus(settings: str, data: Path, folder: Path) -> Iterator[str]:
    """A Prometheus with these settings that keeps the past; its address."""
    file, log = folder / "prometheus.yml", folder / "prometheus.log"
    file.write_text(settings, encoding="utf-8")
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with log.open("wb") as said:
        running = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={file}",
                f"--storage.tsdb.path={data}",
                "--storage.tsdb.retention.time=100y",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=said,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_until_ready(url, log)
        yield url
    finally:
        running.kill()
        running.wait()


def ask(url: str, path: str, **asked: object) -> Any:  # noqa: ANN401 - JSON
    """What Prometheus answers to a question of its API; fails the test where it refuses."""
    text = urllib.parse.urlencode(asked, doseq=True)
    try:
        with urllib.request.urlopen(f"{url}/api/v1/{path}?{text}", timeout=30) as answer:
            return json.loads(answer.read())["data"]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{path} {asked}: {error.read().decode()}") from error


def _wait_until_ready(url: str, log: Path) -> None:
    deadline = time.monotonic() + _SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(log.read_text(encoding="utf-8"))
