"""Small YAML files that people write: what stands in them, read without running anything."""

from pathlib import Path
from typing import Any

import yaml

LARGEST_BYTES = 1 << 20  # some ten thousand festivals; any rule set


class YamlFileError(Exception):
    """A file that is no YAML; the text is one line that names the file and says why."""


class _Loader(yaml.SafeLoader):
    """Refuses a name that stands twice: YAML would drop the first without a word."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002 - as the library calls it
        names = [name.value for name, _ in node.value]
        for name, _ in node.value:
            if names.count(name.value) > 1:
                raise yaml.constructor.ConstructorError(
                    None, None, f"{name.value!r} stands twice", name.start_mark
                )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> object:
    """The content of a YAML file; JSON is YAML as well.

    Raises:
        YamlFileError: it is none, or larger than `LARGEST_BYTES`.
        OSError: the file cannot be read.
    """
    if path.stat().st_size > LARGEST_BYTES:
        raise YamlFileError(f"{path}: is larger than {LARGEST_BYTES} bytes")
    try:
        content: object = _Loader(path.read_text(encoding="utf-8")).get_single_data()
    except UnicodeDecodeError:
        raise YamlFileError(f"{path}: is no UTF-8 text") from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:  # 2026-02-30 is a ValueError
        reason = " ".join(str(error).split())
        raise YamlFileError(f"{path}: is no YAML ({reason})") from None
    return content


def yaml_text(content: object) -> str:
    """Plain values as YAML, in the order in which they stand."""
    text: str = yaml.safe_dump(content, sort_keys=False, allow_unicode=True)
    return text
