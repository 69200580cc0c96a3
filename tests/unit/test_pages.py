"""The documents are current and complete: what the code has, they name; what they name, exists."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
import yaml

from roompulse import pages
from roompulse.cli.app import app
from schemas.records import ALERT_KINDS, RoomSummary
from schemas.topics import TOPICS
from streams.core.dictionary import FIGURES, RATIOS
from streams.core.limits import CAPS
from streams.shell.runbook import runbook_section
from streams.shell.settings import WorkerSettings

ROOT = Path(__file__).parents[2]
GUIDES = (
    "docs/runbook.md",
    "docs/security.md",
    *(f"docs/guides/{path.name}" for path in sorted((ROOT / "docs/guides").glob("*.md"))),
)
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", *GUIDES)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _commands(group: object, path: tuple[str, ...] = ()) -> Iterator[str]:
    if subcommands := getattr(group, "commands", None):
        for name, command in subcommands.items():
            yield from _commands(command, (*path, name))
    else:
        yield " ".join(path)


COMMANDS = sorted(_commands(typer.main.get_command(app)))


def _options(command: str) -> set[str]:
    group: Any = typer.main.get_command(app)
    for word in command.split(" "):
        group = group.commands[word]
    return {option for parameter in group.params for option in parameter.opts}


def test_pages_made_from_code_are_current_byte_for_byte() -> None:
    assert pages.outdated(ROOT) == [], "write them with `python -m roompulse.pages`"


def test_pages_are_written_where_they_differ_and_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert pages.main([]) == 2, "this is no checkout"
    (tmp_path / "pyproject.toml").touch()
    assert pages.main(["--check"]) == 1
    assert "docs/metrics.md" in capsys.readouterr().out
    assert pages.main([]) == 0
    assert pages.main(["--check"]) == 0
    page = tmp_path / "docs/limits.md"
    page.write_text(page.read_text() + " ")
    assert pages.outdated(tmp_path) == [page]
    assert pages.write(tmp_path) == [page]


def test_every_figure_of_a_summary_is_explained_in_its_order() -> None:
    assert tuple(one.name for one in FIGURES) == RoomSummary.__struct_fields__


def test_every_figure_cap_topic_and_setting_has_its_row() -> None:
    metrics, limits = pages.metrics_page(), pages.limits_page()
    for name in (*RoomSummary.__struct_fields__, *(one.name for one in RATIOS), "momentum"):
        assert metrics.count(f"| `{name}` |") >= 1
    for name, (cap, _) in CAPS.items():
        assert f"| `{name}` | {cap:,} |" in limits
    for topic in TOPICS:
        assert f"| `{topic.name}` |" in pages.topics_page()
    for name in WorkerSettings.model_fields:
        assert f"`ROOMPULSE_{name.upper()}`" in pages.settings_page()


def test_every_metric_of_a_worker_has_its_row_and_its_labels() -> None:
    page = pages.metrics_page()
    assert "| `roompulse_events_accepted_total` | counter | `partition` |" in page
    assert "| `roompulse_board_gross_minor` | gauge | `scope`, `window`, `currency`" in page
    assert not re.search(r"`(viewer|buyer|order)_id` \|", page.partition("## Prometheus")[2])


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    assert f"`roompulse {command}" in _text("README.md")


@pytest.mark.parametrize("name", ["README.md", *GUIDES])
def test_a_document_names_no_command_that_is_not_there(name: str) -> None:
    named = re.findall(r"(?m)(?:`|^)roompulse ([a-z-]+(?: [a-z-]+)?)", _text(name))
    for words in (each.split(" ") for each in named):
        assert " ".join(words) in COMMANDS or words[0] in COMMANDS, words


@pytest.mark.parametrize("name", GUIDES)
def test_a_guide_names_no_option_that_its_command_does_not_have(name: str) -> None:
    for line in re.findall(r"(?m)(?:`|^)roompulse ([^`\n]*)", _text(name)):
        words = line.partition("#")[0].split()
        command = next(each for each in (" ".join(words[:2]), words[0]) if each in COMMANDS)
        for option in (word for word in words if word.startswith("--")):
            assert option in _options(command), f"roompulse {command} {option}"


def test_every_alert_has_its_section_in_the_runbook_and_leads_there() -> None:
    headings = set(re.findall(r"(?m)^### (\w+)$", _text("docs/runbook.md")))
    rules = yaml.safe_load(_text("deploy/prometheus/rules/alerts.yml"))
    of_pipeline = [rule for group in rules["groups"] for rule in group["rules"]]
    assert headings == {*ALERT_KINDS, *(rule["alert"] for rule in of_pipeline)}
    for rule in of_pipeline:
        assert rule["annotations"]["runbook_url"] == runbook_section(rule["alert"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_file_that_a_document_names_exists(name: str) -> None:
    text = _text(name)
    linked = [(ROOT / name).parent / path for path in re.findall(r"\]\(([^)#:]+)(?:#\w+)?\)", text)]
    quoted = re.findall(
        r"`((?:schemas|producers|streams|deploy|roompulse|tests|benchmarks|docs)/[^`\s*]*)`", text
    )
    for path in (*linked, *quoted):
        assert (ROOT / path).exists(), f"{name} names {path}"


def test_every_library_is_explained() -> None:
    project = tomllib.loads(_text("pyproject.toml"))["project"]
    architecture = _text("ARCHITECTURE.md")
    for requirement in project["dependencies"]:
        library = re.split(r"[<>=]", requirement)[0]
        assert f"| `{library}` |" in architecture


def test_every_module_of_a_folder_is_on_the_map() -> None:
    architecture = _text("ARCHITECTURE.md")
    for folder in ("schemas", "streams/core", "streams/shell"):
        for path in (ROOT / folder).glob("*.py"):
            if path.name != "__init__.py":
                assert f"`{path.stem}`" in architecture, path
