"""A rule set in a YAML file: `version: ...` and `rules: {brushing: {...}}`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from schemas.events import Rules
from schemas.rules import Fault, RuleSet, faults
from streams.yaml_files import YamlFileError, read_yaml

_HEAD = ("version", "rules")


class RuleFileError(Exception):
    """A file that holds no rule set.

    Attributes:
        faults: each wrong field and the reason, in the words of the file; at least one.
    """

    def __init__(self, path: Path, found: list[Fault]) -> None:
        self.faults = found
        told = "; ".join(f"{fault.field}: {fault.reason}" for fault in found)
        super().__init__(f"{path}: {told}")


@dataclass(frozen=True, slots=True)
class RuleFile:
    """A rule set and what it is called.

    Attributes:
        given: as it stands in the file, without defaults.
    """

    version: int | str
    rules: RuleSet
    given: dict[str, Any]


def read_rule_file(path: Path) -> RuleFile:
    """The rule set of a file.

    Raises:
        RuleFileError: something in it is wrong.
        YamlFileError: it is no YAML.
        OSError: it cannot be read.
    """
    content = read_yaml(path)
    if not isinstance(content, dict):
        raise YamlFileError(f"{path}: holds no `version: ...` and `rules: ...`")
    found = [
        Fault(str(name), "There is no such field; a rule file has `version` and `rules`")
        for name in content
        if name not in _HEAD
    ]
    try:
        event = event_of(content.get("version"), content.get("rules"), "file", 1_000_000_000_000)
    except ValidationError as error:
        found += [_fault(str(each["loc"][0]), each["msg"]) for each in error.errors()]
    found += [Fault(f"rules.{field}".rstrip("."), why) for field, why in _rule_faults(content)]
    if found:
        raise RuleFileError(path, list(dict.fromkeys(found)))
    return RuleFile(event.version, RuleSet.model_validate(event.rules), event.rules)


def event_of(version: object, rules: object, event_id: str, ts_ms: int) -> Rules:
    """The `rules` event that puts a set in force.

    Raises:
        ValidationError: the version is none, or the rules cannot stand in a log.
    """
    return Rules.model_validate(
        {"event_id": event_id, "ts_ms": ts_ms, "version": version, "rules": rules}
    )


def _rule_faults(content: dict[str, Any]) -> list[Fault]:
    rules = content.get("rules")
    return faults(rules) if isinstance(rules, dict) else []


def _fault(field: str, reason: str) -> Fault:
    return Fault(field, reason.removeprefix("Value error, "))
