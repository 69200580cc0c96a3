"""What must be true of the code itself: pure core, bounded files, documented commands and metrics.

Import rules between packages are contracts in `pyproject.toml`, checked by `lint-imports`.
"""

# ruff: noqa: ANN401 - JSON values and facts of events have no common type

import ast
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer

from roompulse.cli.app import app
from schemas.records import Counts
from streams.core.boards import BoardFold
from streams.core.limits import CAPS
from streams.shell.metrics import WorkerCollector, WorkerView
from streams.shell.room_stage import PartitionHealth
from tests.unit.making import figures, progress

ROOT = Path(__file__).parents[2]
PACKAGES = ("schemas", "streams", "producers", "roompulse", "deploy")
LONGEST_FILE = 450
NOT_OURS = {".git", ".venv", ".kafka", ".demo", "build", "dist", "out", "__pycache__"}
TEXTS = {".py", ".md", ".toml", ".yaml", ".yml", ".json", ".sh", ".lock", ".txt", ".cfg", ""}

# The core is a function of the log: nothing of these can be one.
IMPURE_MODULES = {
    "asyncio", "concurrent", "contextvars", "ctypes", "glob", "io", "locale", "logging",
    "multiprocessing", "os", "pathlib", "pickle", "platform", "random", "secrets", "shutil",
    "signal", "socket", "sqlite3", "subprocess", "sys", "tempfile", "threading", "time", "uuid",
    "warnings", "weakref",
}  # fmt: skip
IMPURE_NAMES = {"hash", "id", "open", "print", "input", "eval", "exec", "globals", "vars"}
IMPURE_ATTRIBUTES = {"now", "utcnow", "today", "popitem"}
CORE_LIBRARIES = {"datasketches"}


def files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (ROOT / folder).rglob("*.py"))


CORE = files("streams/core")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module or ""


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_imports_nothing_impure(path: Path) -> None:
    allowed = set(sys.stdlib_module_names) - IMPURE_MODULES | CORE_LIBRARIES
    for module in imports(path):
        if module.startswith(("schemas", "streams.core")):
            continue
        assert module.split(".")[0] in allowed, f"{name_of(path)} imports {module}"


@pytest.mark.parametrize("path", CORE, ids=name_of)
def test_the_core_uses_no_impure_name(path: Path) -> None:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Name):
            assert node.id not in IMPURE_NAMES, f"{name_of(path)}:{node.lineno} uses {node.id}"
        elif isinstance(node, ast.Attribute):
            where = f"{name_of(path)}:{node.lineno}"
            assert node.attr not in IMPURE_ATTRIBUTES, f"{where} uses .{node.attr}"
        elif isinstance(node, (ast.AsyncFunctionDef, ast.Await, ast.Global)):
            pytest.fail(f"{name_of(path)}:{node.lineno} is not a pure function's")


def test_the_core_catches_refused_input_alone_and_iterates_over_no_set() -> None:
    """Any other error in the fold is a bug and ends the process; a set promises no order."""
    for path in CORE:
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ExceptHandler):
                caught = "everything" if node.type is None else ast.unparse(node.type)
                assert caught == "InputError", f"{name_of(path)}:{node.lineno} catches {caught}"
            if isinstance(node, (ast.For, ast.comprehension)):
                assert not isinstance(node.iter, (ast.Set, ast.SetComp)), name_of(path)


def test_only_one_place_of_the_program_catches_every_exception() -> None:
    broad = [
        f"{name_of(path)}"
        for path in files("schemas", "streams", "producers")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler)
        and (node.type is None or ast.unparse(node.type) in ("Exception", "BaseException"))
    ]
    assert set(broad) <= {"streams/shell/worker.py"}


@pytest.mark.parametrize(
    ("library", "homes"),
    [
        (
            "faust",
            {f"streams/shell/{name}.py" for name in ("worker", "faust_app", "batch_transport")},
        ),
        (
            "prometheus_client",
            {
                f"streams/shell/{name}.py"
                for name in (
                    *("metrics", "alert_metrics", "after_sales_metrics", "people_metrics"),
                    *("mark_metrics", "market_metrics", "ring_metrics"),
                )
            },
        ),
        ("aiohttp", {"streams/shell/web.py", "roompulse/console/web.py"}),
        ("jgo", {"deploy/kafka/jars.py"}),
        ("apprise", {"streams/shell/notifying.py"}),
        ("textual", {f"roompulse/top/{name}.py" for name in ("app", "listing", "windows")}),
        ("grafana_foundation_sdk", {"deploy/grafana/drawing.py"}),
    ],
)
def test_a_library_stays_behind_its_adapter(library: str, homes: set[str]) -> None:
    found = {
        name_of(path)
        for path in files(*PACKAGES)
        if any(module.split(".")[0] == library for module in imports(path))
    }
    assert found == homes


@pytest.mark.parametrize("name", sorted(CAPS))
def test_every_cap_is_used_by_the_core(name: str) -> None:
    users = [
        path
        for path in CORE
        if path.name != "limits.py"
        and any(isinstance(n, ast.Constant) and n.value == name for n in ast.walk(tree(path)))
    ]
    assert users, f"no map has the cap {name!r}"


def test_import_contracts_cover_every_package() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    linter = settings["tool"]["importlinter"]
    assert tuple(linter["root_packages"]) == PACKAGES
    assert settings["tool"]["mypy"]["packages"] == list(PACKAGES)
    found = settings["tool"]["setuptools"]["packages"]["find"]["include"]
    assert found == [f"{package}*" for package in PACKAGES]


def test_import_contracts_are_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", files(*PACKAGES), ids=name_of)
def test_a_file_is_about_one_question(path: Path) -> None:
    lines = len(path.read_text(encoding="utf-8").splitlines())
    assert lines <= LONGEST_FILE, f"{name_of(path)} has {lines} lines"
    if lines and path.name != "__init__.py":
        assert ast.get_docstring(tree(path)), f"{name_of(path)} does not say what it answers"


def texts() -> Iterator[tuple[Path, str]]:
    for path in sorted(ROOT.rglob("*")):
        parts = set(path.relative_to(ROOT).parts)
        if not path.is_file() or parts & NOT_OURS or any(part.startswith(".") for part in parts):
            continue
        if path.suffix in TEXTS:
            yield path, path.read_text(encoding="utf-8", errors="replace")


def test_no_unfinished_work_is_left_in_the_code() -> None:
    marks = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b")
    found = [
        f"{name_of(path)}: {match.group()}"
        for path, text in texts()
        if path.suffix == ".py" and (match := marks.search(text))
    ]
    assert not found


def test_no_file_holds_the_marks_of_a_merge_left_undone() -> None:
    marks = tuple(sign * 7 + " " for sign in "<>")
    for path, text in texts():
        assert not any(line.startswith(marks) for line in text.splitlines()), name_of(path)


def test_no_file_names_the_host_of_a_package_registry() -> None:
    hosts = [
        left + "." + right
        for left, right in (
            ("pypi", "org"), ("pythonhosted", "org"), ("maven", "org"), ("npmjs", "org"),
            ("npmjs", "com"), ("crates", "io"), ("docker", "io"), ("ghcr", "io"), ("quay", "io"),
            ("rubygems", "org"), ("golang", "org"), ("conda", "anaconda.org"),
        )
    ]  # fmt: skip
    found = [f"{name_of(path)}: {host}" for path, text in texts() for host in hosts if host in text]
    assert not found


def commands(group: Any, path: str = "roompulse") -> Iterator[tuple[str, Any]]:
    """Every command of a group by its full name; the classes are Typer's own, without a name."""
    yield path, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, f"{path} {name}")


COMMANDS = dict(commands(typer.main.get_command(app)))


def test_the_commands_are_found() -> None:
    assert {"roompulse run", "roompulse topics", "roompulse worker"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_each_of_its_parameters_has_help(name: str) -> None:
    command = COMMANDS[name]
    assert command.help, f"{name} has no help"
    assert len(command.help.split()) > 2
    for parameter in command.params:
        if parameter.name in ("install_completion", "show_completion"):
            continue
        assert getattr(parameter, "help", None), f"{name}: {parameter.name} has no help"


def test_every_metric_family_has_the_prefix_and_says_what_it_is() -> None:
    fold = BoardFold()
    fold.apply_room(figures("r", gross_minor=1))
    view = WorkerView(
        progress={0: progress(0, 1)},
        health={0: PartitionHealth(saved_at=1.0)},
        lag={},
        boards=fold.boards(),
        rooms=fold.rooms,
        leads=True,
        now=2.0,
        epoch_ms=3,
    )
    families = list(WorkerCollector(lambda: view, 1).collect())
    assert len({family.name for family in families}) == len(families)
    for family in families:
        assert re.fullmatch(r"roompulse_[a-z]+(_[a-z0-9]+)*", family.name), family.name
        assert len(family.documentation.split()) > 1, family.name
    names = {family.name for family in families}
    outcomes = set(Counts.__struct_fields__) - {"events"}  # the sum of three others
    assert {f"roompulse_events_{outcome}" for outcome in outcomes} <= names
