"""The contract in the forms other tools read: JSON Schema, AsyncAPI, a table for people.

All three are derived from `schemas.events`, `schemas.records` and `schemas.topics` and are checked
in; a test holds them byte for byte against what this module makes.
"""

import json
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from pydantic import TypeAdapter

from schemas import details, links, records, topics
from schemas.events import BROADCAST, LARGEST_INTEGER, MAX_RECORD_BYTES, MODELS, EventModel

VERSION = "1.0.0"
_REFERENCE = "#/components/schemas/{}"
# What stands in the topics that the computation writes; checkpoints are its own matter.
_RECORDS: dict[str, tuple[type[msgspec.Struct], ...]] = {
    topics.ROOM_SUMMARIES: (records.RoomFigures,),
    topics.ROOM_PRODUCTS: (records.ProductFigures,),
    topics.ROOM_DETAILS: (
        details.AfterSalesFigures,
        details.PitchMinute,
        details.SoldHour,
        details.TrialSale,
    ),
    topics.ROOM_MINUTES: (records.RoomMinute,),
    topics.PARTITION_PROGRESS: (records.Progress,),
    topics.BOARDS: (records.Board,),
    topics.DEAD_LETTERS: (records.DeadLetter,),
    topics.IDENTITY_LINKS: (links.Link, links.Passed, links.RulesTold),
    topics.SHARED_IDENTITIES: (
        links.Link,
        links.Crowded,
        links.Counted,
        links.Passed,
        links.RulesTold,
    ),
    topics.RING_MARKS: (links.RingMark,),
}
_BOARD_ROWS = (records.BoardRow, records.WindowRow)
_TABLE_HEAD = "| field | type | required | meaning |\n|---|---|---|---|\n"


def documents() -> dict[str, str]:
    """The text of each exported file, by its path below the root of the checkout."""
    return {
        "schemas/generated/events.schema.json": json_schema(),
        "schemas/generated/asyncapi.yaml": asyncapi(),
        "docs/events.md": markdown(),
    }


def export(root: Path) -> list[Path]:
    """Write all documents below `root`; the files that were not so before."""
    changed = outdated(root)
    texts = documents()
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path.relative_to(root).as_posix()], encoding="utf-8")
    return changed


def outdated(root: Path) -> list[Path]:
    """The documents below `root` that are absent or differ from what the contract says now."""
    return [
        root / name
        for name, text in documents().items()
        if not (root / name).is_file() or (root / name).read_bytes() != text.encode()
    ]


def json_schema() -> str:
    """JSON Schema (draft 2020-12) of a record of `live-events`."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Roompulse live-room event",
        "description": (
            f"One UTF-8 JSON object of at most {MAX_RECORD_BYTES} bytes. Unknown fields are"
            " ignored; null is the same as absent."
        ),
        **_event_schema("#/$defs/{model}"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def asyncapi() -> str:
    """AsyncAPI 3 document of all topics."""
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Roompulse",
            "version": VERSION,
            "description": "Topics and records of Roompulse, derived from its schemas.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {topic.name: _channel(topic) for topic in topics.TOPICS},
        "operations": _operations(),
        "components": {"messages": _messages(), "schemas": _schemas()},
    }
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def markdown() -> str:
    """The fields of every event, as a page for people."""
    preface = (
        f"One UTF-8 JSON object a record of the topic `{topics.LIVE_EVENTS}`, at most"
        f" {MAX_RECORD_BYTES // 1024} KiB. Unknown fields are ignored, null is the same as absent,"
        " types are strict, integers lie within 2^63. Money is an integer in minor units of the"
        " room's currency, time is epoch milliseconds UTC.\n"
    )
    origin = "Made from `schemas/events.py` by `roompulse schema export`; do not edit.\n"
    parts = ["# Events\n", origin, preface]
    for model in MODELS:
        schema = model.model_json_schema()
        notes = [model.__doc__ or ""]
        if model in BROADCAST:
            notes.append("It stands in every partition and is counted once.")
        parts.append(f"## `{schema['properties']['type']['const']}`\n")
        parts.append(" ".join(notes) + "\n")
        parts.append(_TABLE_HEAD + "".join(_rows(schema)))
    return "\n".join(parts)


def _rows(schema: dict[str, Any]) -> list[str]:
    required = {"type", *schema["required"]}
    names = ["type", *(name for name in schema["properties"] if name != "type")]
    rows = []
    for name in names:
        field = schema["properties"][name]
        needed = "yes" if name in required else "no"
        rows.append(f"| `{name}` | {_kind(field)} | {needed} | {field.get('description', '')} |\n")
    return rows


def _kind(field: dict[str, Any]) -> str:
    """The type of a field in words."""
    if "anyOf" in field:
        parts = [_kind(part) for part in field["anyOf"] if part.get("type") != "null"]
        return " or ".join(parts)
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return "one of " + " ".join(f"`{value}`" for value in field["enum"])
    if "pattern" in field:
        return f"string like `{field['pattern']}`"
    return _scalar(field)


def _scalar(field: dict[str, Any]) -> str:
    if field["type"] == "string":
        return f"string of {field.get('minLength', 0)} to {field['maxLength']} characters"
    if field["type"] != "integer":
        return str(field["type"])
    least = "" if field["minimum"] == -LARGEST_INTEGER else f" from {field['minimum']}"
    most = "" if field["maximum"] == LARGEST_INTEGER else f" to {field['maximum']}"
    return f"integer{least}{most}"


def _channel(topic: topics.Topic) -> dict[str, Any]:
    bindings: dict[str, Any] = {"bindingVersion": "0.5.0"}
    if topic.partitions is not None:
        bindings["partitions"] = topic.partitions
    bindings["topicConfiguration"] = {
        name: _typed_setting(name, value) for name, value in topic.settings().items()
    }
    return {
        "address": topic.name,
        "description": f"{topic.description} Key: {topic.key}.",
        "messages": {
            name: {"$ref": f"#/components/messages/{name}"} for name in _messages_of(topic.name)
        },
        "bindings": {"kafka": bindings},
    }


def _typed_setting(name: str, value: str) -> object:
    """The Kafka binding wants a list of policies, and numbers as numbers."""
    if name == "cleanup.policy":
        return value.split(",")
    return int(value) if value.isdigit() else value


def _messages_of(topic: str) -> list[str]:
    if topic == topics.LIVE_EVENTS:
        return [model.__name__ for model in MODELS]
    return [record.__name__ for record in _RECORDS.get(topic, ())]


def _operations() -> dict[str, Any]:
    """Roompulse receives live events and sends the rest."""
    operations = {}
    for topic in topics.TOPICS:
        action: Literal["receive", "send"] = (
            "receive" if topic.name == topics.LIVE_EVENTS else "send"
        )
        operations[f"{action}-{topic.name}"] = {
            "action": action,
            "channel": {"$ref": f"#/channels/{topic.name}"},
        }
    return operations


def _messages() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for topic in topics.TOPICS:
        for name in _messages_of(topic.name):
            found[name] = {
                "name": name,
                "contentType": "application/json",
                "payload": {"$ref": _REFERENCE.format(name)},
            }
    return found


def _schemas() -> dict[str, Any]:
    events = _event_schema(_REFERENCE.format("{model}"))
    written = [struct for structs in _RECORDS.values() for struct in structs]
    structs = [struct for struct in written if struct is not records.Board]
    _, components = msgspec.json.schema_components(
        [*structs, *_BOARD_ROWS, _board()], ref_template=_REFERENCE.format("{name}")
    )
    components["Board"]["properties"]["rows"]["items"] = {
        "anyOf": [{"$ref": _REFERENCE.format(row.__name__)} for row in _BOARD_ROWS]
    }
    components["Board"]["description"] = records.Board.__doc__
    return {**events["$defs"], **components}


def _event_schema(reference: str) -> dict[str, Any]:
    """Pydantic's schema; a record without `type` is refused, though the classes have a default."""
    schema = TypeAdapter(EventModel).json_schema(ref_template=reference)
    for model in MODELS:
        definition = schema["$defs"][model.__name__]
        definition["required"] = ["type", *definition["required"]]
    return schema


def _board() -> type[msgspec.Struct]:
    """A board whose rows may be anything; msgspec cannot describe a choice of two lists."""
    fields = [
        (field.name, list[Any] if field.name == "rows" else field.type, field.default)
        for field in msgspec.structs.fields(records.Board)
    ]
    return msgspec.defstruct("Board", fields)
