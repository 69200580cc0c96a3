"""The exported contract is current, and says what the models say."""

import json
from pathlib import Path

import msgspec
import yaml
from typer.testing import CliRunner

from roompulse.cli.schema import app
from schemas import export
from schemas.events import MODELS
from schemas.topics import LIVE_EVENTS, TOPICS
from tests.unit.test_codec_parity import GOLDEN

ROOT = Path(__file__).parents[2]


def test_checked_in_files_are_current_byte_for_byte() -> None:
    assert export.outdated(ROOT) == [], "write them with `roompulse schema export`"


def test_export_writes_what_differs_and_nothing_else(tmp_path: Path) -> None:
    names = sorted(export.documents())
    assert (
        sorted(path.relative_to(tmp_path).as_posix() for path in export.export(tmp_path)) == names
    )
    assert export.export(tmp_path) == []
    page = tmp_path / "docs/events.md"
    page.write_text(page.read_text() + " ")
    assert export.outdated(tmp_path) == [page]
    assert export.export(tmp_path) == [page]


def test_schema_requires_the_type_and_names_every_field() -> None:
    definitions = json.loads(export.json_schema())["$defs"]
    for model in MODELS:
        found = definitions[model.__name__]
        assert list(found["properties"]) == list(model.model_fields)
        required = [name for name, field in model.model_fields.items() if field.is_required()]
        assert found["required"] == ["type", *required]


def test_asyncapi_has_every_topic_and_no_dangling_reference() -> None:
    document = yaml.safe_load(export.asyncapi())
    assert document["asyncapi"] == "3.0.0"
    assert list(document["channels"]) == [topic.name for topic in TOPICS]
    messages = document["channels"][LIVE_EVENTS]["messages"]
    assert list(messages) == [model.__name__ for model in MODELS]
    references = [
        line.split("'")[1] for line in export.asyncapi().splitlines() if "$ref: '" in line
    ]
    assert references
    for reference in references:
        at = document
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]


def test_page_has_a_table_of_every_event() -> None:
    page = export.markdown()
    for kind, value in GOLDEN.items():
        section = page.split(f"## `{kind}`\n")[1].split("\n## ")[0]
        for name in msgspec.json.decode(value):
            assert f"| `{name}` |" in section


def test_command_writes_and_checks(tmp_path: Path) -> None:
    run = CliRunner().invoke
    before = run(app, ["export", "--check", str(tmp_path)])
    assert before.exit_code == 1
    assert "roompulse schema export" in before.output
    assert run(app, ["export", str(tmp_path)]).exit_code == 0
    assert run(app, ["export", "--check", str(tmp_path)]).exit_code == 0
    nowhere = run(app, ["export", str(tmp_path / "nowhere")])
    assert nowhere.exit_code == 1
    assert nowhere.output.count("\n") == 1
