"""A session file gives back what was put in, and says in one line what is wrong with it."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producers.sessions import (
    SUFFIXES,
    SessionFileError,
    SessionWriter,
    check_arrival_order,
    ndjson,
    read_records,
    sort_by_stamp,
    sorting,
    truth_path,
)
from producers.sessions.arrival_order import SAMPLES, ArrivalOrder
from producers.sessions.parquet import FIELDS_BY_TYPE, SCHEMA
from schemas import codec, events
from schemas.errors import InputError
from tests.oracle.strategies import adversarial_logs

START_MS = 1_762_774_200_000
MINUTE_MS = 60_000
anywhere = settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def view(number: int, ts_ms: int = START_MS, room: str = "r1") -> bytes:
    return codec.encode(
        codec.View(
            event_id=f"e{number}", ts_ms=ts_ms, room_id=room, viewer_id="v1", action="heartbeat"
        )
    )


def write(path: Path, records: list[bytes]) -> Path:
    with SessionWriter(path) as writer:
        writer.write_all(records)
    return path


def read(path: Path) -> list[bytes]:
    return [record for chunk in read_records(path) for record in chunk]


def judged(record: bytes) -> codec.Event | str:
    """What a reader makes of a record: the event, or the reason against it."""
    try:
        return codec.decode(record)
    except InputError as error:
        return error.reason


# --- round trips ---------------------------------------------------------------------------------


@anywhere
@given(log=adversarial_logs(), suffix=st.sampled_from(SUFFIXES))
def test_every_format_gives_back_events_and_bad_records_alike(
    log: list[bytes], suffix: str, tmp_path: Path
) -> None:
    records = [view(0), *log]
    back = read(write(tmp_path / f"s{suffix}", records))
    assert [judged(record) for record in back] == [judged(record) for record in records]


@anywhere
@given(
    record=st.binary(max_size=40)
    | st.text('{}"\\\n\r ab:,1', max_size=30).map(str.encode)
    | st.builds(
        lambda blank, value: json.dumps({"a": value}).replace(" ", blank).encode(),
        st.sampled_from(["\n", "\r\n", " ", "\t"]),
        st.text(max_size=5),
    ),
    suffix=st.sampled_from(SUFFIXES),
    place=st.integers(0, 1),
)
def test_any_bytes_stay_one_record_that_is_judged_as_before(
    record: bytes, suffix: str, place: int, tmp_path: Path
) -> None:
    records = [view(1)]
    records.insert(place, record)
    back = read(write(tmp_path / f"s{suffix}", records))
    assert len(back) == 2
    assert [judged(r) for r in back] == [judged(r) for r in records]


@pytest.mark.parametrize("suffix", [".ndjson", ".ndjson.zst"])
def test_lines_are_handed_on_untouched(suffix: str, tmp_path: Path) -> None:
    records = [view(1), b'{"type": "view",  "x":1}', b"\xff\xfe\x00 no text", b"not json", b"\r"]
    assert read(write(tmp_path / f"s{suffix}", records)) == records


def test_parquet_gives_canonical_bytes_for_events_and_the_same_bytes_for_the_rest(
    tmp_path: Path,
) -> None:
    loose = b'{ "event_id":"t", "ts_ms":1762774200000, "type":"tick", "unknown":[1], "x":null}'
    records = [loose, b"\xff\x00\n", b"", view(2)]
    assert read(write(tmp_path / "s.parquet", records)) == [
        b'{"type":"tick","event_id":"t","ts_ms":1762774200000}',
        b"\xff\x00\n",
        b"",
        view(2),
    ]


def test_parquet_has_a_column_for_every_field_of_the_contract() -> None:
    fields = {name for model in events.MODELS for name in model.model_fields}
    assert set(SCHEMA.names) == fields | {"raw"}
    assert set(FIELDS_BY_TYPE) == set(events.EVENT_TYPES)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_long_files_come_in_order_in_many_chunks(suffix: str, tmp_path: Path) -> None:
    records = [view(number, START_MS + number) for number in range(70_000)]
    chunks = list(read_records(write(tmp_path / f"s{suffix}", records)))
    assert len(chunks) > 1
    assert [record for chunk in chunks for record in chunk] == records


def test_records_cross_block_borders(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    records = [view(number) for number in range(50)]
    path = write(tmp_path / "s.ndjson", records)
    for size in (16, 57, 1000):
        monkeypatch.setattr(ndjson, "BLOCK_BYTES", size)
        assert read(path) == records


def test_empty_lines_a_missing_last_newline_and_a_byte_order_mark_do_no_harm(
    tmp_path: Path,
) -> None:
    path = tmp_path / "s.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + view(1) + b"\n\n\n" + view(2))
    assert read(path) == [view(1), view(2)]


def test_zstd_frames_may_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "s.ndjson.zst"
    frames = [zstandard.compress(view(number) + b"\n") for number in range(3)]
    path.write_bytes(b"".join(frames))
    assert read(path) == [view(0), view(1), view(2)]


def test_the_truth_lies_beside_its_session() -> None:
    for suffix in SUFFIXES:
        assert truth_path(Path(f"out/night{suffix}")) == Path("out/night.truth.ndjson")


# --- what is refused -----------------------------------------------------------------------------


def refusal(path: Path) -> str:
    with pytest.raises(SessionFileError) as caught:
        read(path)
    text = str(caught.value)
    assert "\n" not in text
    assert text.startswith(f"{path}: ")
    return caught.value.problem


def test_what_is_no_session_file_gets_one_line(tmp_path: Path) -> None:
    compressed = zstandard.compress(b"\n".join(view(n) for n in range(100)) + b"\n")
    cases: list[tuple[str, bytes, str]] = [
        ("empty.ndjson", b"", "is empty"),
        ("empty.ndjson.zst", b"", "is empty"),
        ("empty.parquet", b"", "is empty"),
        ("blank.ndjson", b"\n\n", "is empty"),
        ("hollow.ndjson.zst", zstandard.compress(b""), "is empty"),
        ("cut.ndjson.zst", compressed[:-20], "cut off"),
        ("plain.ndjson.zst", view(1) + b"\n", "no intact zstd"),
        ("trailing.ndjson.zst", compressed + b"rubbish", "no intact zstd"),
        ("renamed.ndjson", compressed + b"\n", ".ndjson.zst"),
        ("binary.ndjson", bytes(range(128, 256)) * 50 + b"\n", "not UTF-8"),
        ("binary-end.ndjson", bytes(range(128, 256)), "not UTF-8"),
        ("utf16.ndjson", view(1).decode().encode("utf-16") + b"\n", "not UTF-8"),
        ("table.ndjson", b"user,item\n1,a b\n" * 9, "of its first"),
        ("corrupt.parquet", b"PAR1 nothing PAR1", "no intact Parquet"),
        ("events.csv", view(1), "must end in one of"),
        ("cut.ndjson", view(1) + b"\n\n" + view(2)[:30], "line 3, the last one, is cut off"),
        ("short.ndjson", view(1)[:30], "line 1, the last one, is cut off"),
    ]
    for name, content, wanted in cases:
        path = tmp_path / name
        path.write_bytes(content)
        assert wanted in refusal(path), name
    assert "does not exist" in refusal(tmp_path / "absent.ndjson")
    assert "is a directory" in refusal(tmp_path)
    assert "cannot be reached" in refusal(tmp_path / ("n" * 260 + ".ndjson"))


def test_a_cut_off_file_gives_what_was_whole_before_it_complains(tmp_path: Path) -> None:
    path = tmp_path / "s.ndjson"
    path.write_bytes(view(1) + b"\n" + view(2)[:-5])
    chunks = read_records(path)
    assert next(chunks) == [view(1)]
    with pytest.raises(SessionFileError, match="line 2"):
        next(chunks)


def test_a_parquet_file_of_other_data_says_what_is_missing(tmp_path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only here, to make a foreign file
    from pyarrow import parquet  # noqa: PLC0415

    path = tmp_path / "other.parquet"
    parquet.write_table(pa.table({"Invoice": ["1"]}), path)
    assert "no column 'type'" in refusal(path)
    foreign = pa.table({name: pa.array([1]) for name in SCHEMA.names})
    parquet.write_table(foreign, path)
    assert "column 'type' is int64" in refusal(path)
    parquet.write_table(SCHEMA.empty_table(), path)
    assert "is empty" in refusal(path)
    nothing = pa.Table.from_pylist([{}], schema=SCHEMA)
    parquet.write_table(nothing, path)
    assert "neither an event nor" in refusal(path)


def test_an_endless_line_is_no_record(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(ndjson, "LONGEST_LINE_BYTES", 1_000)
    monkeypatch.setattr(ndjson, "BLOCK_BYTES", 400)
    path = tmp_path / "s.ndjson"
    path.write_bytes(view(1) + b"\n" + b"x" * 5_000)
    assert "line 2 is longer" in refusal(path)


def test_a_writer_leaves_nothing_behind_when_its_work_fails(tmp_path: Path) -> None:
    for suffix in SUFFIXES:
        path = tmp_path / f"s{suffix}"
        with pytest.raises(ZeroDivisionError), SessionWriter(path) as writer:
            writer.write_all(view(1 // n) for n in (1, 0))
        assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_get_one_line(tmp_path: Path) -> None:
    (tmp_path / "folder.ndjson").mkdir()
    for path, wanted in (
        (tmp_path / "absent" / "s.ndjson", "folder does not exist"),
        (tmp_path / "folder.ndjson", "is a directory"),
        (tmp_path / "s.json", "must end in one of"),
        (tmp_path / ("n" * 260 + ".ndjson"), "cannot be reached"),
        (tmp_path / ("n" * 245 + ".ndjson"), "cannot be written"),
    ):
        with pytest.raises(SessionFileError, match=wanted):
            write(path, [view(1)])


# --- order of arrival ----------------------------------------------------------------------------


def chunked(records: list[bytes], size: int = 700) -> Iterator[list[bytes]]:
    for start in range(0, len(records), size):
        yield records[start : start + size]


def in_order(records: list[bytes]) -> bool:
    try:
        passed = [r for chunk in check_arrival_order(chunked(records), Path("s")) for r in chunk]
    except SessionFileError:
        return False
    return passed == records


def evening(rooms: int, minutes: int, by_minute: int) -> list[tuple[int, str]]:
    return [
        (START_MS + minute * MINUTE_MS + n * MINUTE_MS // by_minute, f"r{room}")
        for minute in range(minutes)
        for n in range(by_minute)
        for room in range(rooms)
    ]


def as_records(stamps: list[tuple[int, str]]) -> list[bytes]:
    return [view(n, ts_ms, room) for n, (ts_ms, room) in enumerate(stamps)]


def test_dirt_in_order_of_arrival_is_no_disorder() -> None:
    chance = random.Random(5)
    stamps = []
    for ts_ms, room in evening(3, 240, 10):
        luck = chance.random()
        late_ms = int(chance.random() * 120 * MINUTE_MS) if luck < 0.08 else 0
        ahead_ms = 86_400_000 if luck > 0.97 else 0
        stamps.append((ts_ms - late_ms + ahead_ms, room))
    assert in_order([b"rubbish", *as_records(stamps)])


@pytest.mark.parametrize("by_minute", [1, 40])
def test_files_sorted_by_room_by_nothing_or_backwards_are_refused(by_minute: int) -> None:
    stamps = evening(4, 180, by_minute)
    shuffled = stamps.copy()
    random.Random(2).shuffle(shuffled)
    assert in_order(as_records(stamps))
    assert not in_order(as_records(sorted(stamps, key=lambda stamp: stamp[1])))
    assert not in_order(as_records(shuffled))
    assert not in_order(as_records(stamps[::-1]))
    with pytest.raises(SessionFileError, match=r"--sort.* or use --force"):
        list(check_arrival_order(chunked(as_records(shuffled)), Path("s")))


def test_a_short_mess_may_be_dirt() -> None:
    assert in_order(as_records(evening(1, 100, 1)[:9][::-1]))


def test_looking_costs_a_bounded_number_of_samples() -> None:
    order = ArrivalOrder()
    record = [view(1)] * 50_000
    for _ in range(20):
        assert order.holds_after(record)
    assert len(order._looks) < SAMPLES
    assert order._stride == 256


@anywhere
@given(stamps=st.lists(st.integers(0, 30), max_size=60), run=st.integers(1, 25))
def test_sorting_is_by_stamp_and_stable(stamps: list[int], run: int) -> None:
    records = as_records([(START_MS + stamp, "r1") for stamp in stamps])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sorting, "RUN_RECORDS", run)
        got = list(sort_by_stamp(chunked(records, 7)))
    assert got == [records[n] for n in sorted(range(len(stamps)), key=stamps.__getitem__)]


def test_a_record_without_a_stamp_stays_with_the_one_before_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sorting, "RUN_RECORDS", 2)
    late, early = view(1, START_MS + 9), view(2, START_MS)
    assert list(sort_by_stamp([[late, b"rubbish", early]])) == [early, late, b"rubbish"]
