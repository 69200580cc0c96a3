"""One real Kafka for all tests of this folder, in a temporary folder and on free ports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.kafka.broker import LocalKafka

_HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever stands in this folder needs the broker, whether its author said so or not."""
    for item in items:
        if item.path.is_relative_to(_HERE) and item.get_closest_marker("chaos") is None:
            item.add_marker(pytest.mark.broker)


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalKafka]:
    """A running Kafka shared by the session; use topics or groups of your own, do not stop it."""
    with LocalKafka(tmp_path_factory.mktemp("kafka"), port=0) as running:
        yield running
