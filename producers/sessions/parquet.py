"""How events become the typed columns of a Parquet session file, and come back as the same bytes.

The columns are the union of the fields of the event models, so the contract is written once. A
record that is no valid event goes untouched into the binary column `raw`; a valid one is read back
as its canonical bytes (`schemas.codec.encode`). Row order is arrival order.

Bounds: one row group (`ROW_GROUP` records) is held while writing, one batch while reading.
"""

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Annotated, Any, Literal, Self, Union, get_args, get_origin

import msgspec

from producers.arrow import ArrowTable, ArrowType, compute, parquet
from producers.arrow import arrow as pa
from producers.sessions.errors import SessionFileError
from schemas import codec, events
from schemas.errors import InputError

# Large enough for good compression, small enough that a writer holds some 50 MB at most.
ROW_GROUP = 65_536
RAW = "raw"


def _json_text(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _column_type(annotation: Any) -> ArrowType | None:  # noqa: ANN401 - annotations have no type
    """The Arrow type of a field; None where the value has no single type and is kept as JSON."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return _column_type(get_args(annotation)[0])
    if origin is Literal:
        return pa.dictionary(pa.int32(), pa.string())
    if origin is Union or type(annotation).__name__ == "UnionType":
        parts = [part for part in get_args(annotation) if part is not type(None)]
        return _column_type(parts[0]) if len(parts) == 1 else None
    return {int: pa.int64(), str: pa.string()}.get(annotation)


def _fields_by_type() -> dict[str, tuple[str, ...]]:
    return {
        model.model_fields["type"].default: tuple(
            name for name in model.model_fields if name != "type"
        )
        for model in events.MODELS
    }


def _columns() -> dict[str, ArrowType | None]:
    found: dict[str, ArrowType | None] = {"type": pa.dictionary(pa.int32(), pa.string())}
    for model in events.MODELS:
        for name, field in model.model_fields.items():
            found.setdefault(name, _column_type(field.annotation))
    return found


FIELDS_BY_TYPE = _fields_by_type()
_COLUMNS = _columns()
JSON_COLUMNS = frozenset(name for name, kind in _COLUMNS.items() if kind is None)
SCHEMA = pa.schema(
    [pa.field(name, kind or pa.string()) for name, kind in _COLUMNS.items()]
    + [pa.field(RAW, pa.binary())]
)
_STRUCTS: dict[str, Any] = {
    model.model_fields["type"].default: getattr(codec, model.__name__) for model in events.MODELS
}
_TYPE_OF: dict[type, str] = {struct: name for name, struct in _STRUCTS.items()}


class ParquetSink:
    """Writes records to a Parquet file, a row group at a time."""

    def __init__(self, path: Path) -> None:
        self._writer = parquet.ParquetWriter(path, SCHEMA, compression="zstd")
        self._events: list[codec.Event | bytes] = []

    def write(self, records: list[bytes]) -> None:
        for record, event in zip(records, codec.decode_all(records), strict=True):
            self._events.append(record if isinstance(event, InputError) else event)
            if len(self._events) >= ROW_GROUP:
                self._flush()

    def close(self) -> None:
        self._flush()
        self._writer.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self._writer.close()

    def _flush(self) -> None:
        if self._events:
            self._writer.write_table(_table(self._events))
            self._events = []


def _table(rows: list[codec.Event | bytes]) -> ArrowTable:
    columns: dict[str, list[Any]] = {name: [None] * len(rows) for name in SCHEMA.names}
    raw, types = columns[RAW], columns["type"]
    for index, row in enumerate(rows):
        if isinstance(row, bytes):
            raw[index] = row
            continue
        kind = types[index] = _TYPE_OF[type(row)]
        for name in FIELDS_BY_TYPE[kind]:
            columns[name][index] = getattr(row, name)
    for name in JSON_COLUMNS:
        columns[name] = [None if value is None else _json_text(value) for value in columns[name]]
    return pa.Table.from_pydict(columns, schema=SCHEMA)


def read_parquet(path: Path) -> Iterator[list[bytes]]:
    """The records of a Parquet session file in arrival order, in chunks.

    Raises:
        SessionFileError: no intact Parquet file, not one of events, or without rows.
    """
    try:
        with parquet.ParquetFile(path) as file:
            _require_event_columns(file.schema_arrow, path)
            if not file.metadata.num_rows:
                raise SessionFileError(path, "is empty; a session file has at least one event")
            for batch in file.iter_batches(batch_size=ROW_GROUP // 4):
                yield _records(batch, path)
    except (pa.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SessionFileError(
            path, f"is no intact Parquet file ({reason}); write or copy it again"
        ) from None


def _require_event_columns(schema: ArrowType, path: Path) -> None:
    for field in SCHEMA:
        position = schema.get_field_index(field.name)
        if position < 0:
            raise SessionFileError(
                path,
                f"is Parquet but no session: it has no column {field.name!r};"
                " other data is turned into a session with `roompulse convert`",
            )
        if schema.field(position).type != field.type:
            raise SessionFileError(
                path,
                f"is Parquet but no session: column {field.name!r} is"
                f" {schema.field(position).type}, not {field.type}",
            )


def _records(batch: ArrowTable, path: Path) -> list[bytes]:
    """The batch's records in row order; each type is read from its own columns only."""
    out: list[bytes] = batch.column(RAW).to_pylist()
    types = batch.column("type").to_pylist()
    for kind, names in FIELDS_BY_TYPE.items():
        rows = [index for index, found in enumerate(types) if found == kind]
        if not rows:
            continue
        part = batch.take(pa.array(rows))
        values = [_values(part, name) for name in names]
        struct, encode = _STRUCTS[kind], codec.encode
        for index, row in zip(rows, zip(*values, strict=True), strict=True):
            out[index] = encode(struct(**dict(zip(names, row, strict=True))))
    if None in out:
        raise SessionFileError(path, "has a row that is neither an event nor a raw record")
    return out


def _values(part: ArrowTable, name: str) -> list[Any]:
    column = part.column(name)
    if pa.types.is_dictionary(column.type):
        column = compute.cast(column, pa.string())
    values: list[Any] = column.to_pylist()
    if name in JSON_COLUMNS:
        return [None if value is None else msgspec.json.decode(value) for value in values]
    return values
