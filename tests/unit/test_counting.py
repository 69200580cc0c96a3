"""Distinct ids, medians, memories, wide numbers: what the figures are counted with."""

from random import Random
from statistics import median

import msgspec
import pytest

from schemas import codec, records, topics
from schemas.records import ProductFigures, RoomFigures, Version
from streams.core import limits
from streams.core.boards import BoardFold
from streams.core.distinct import EXACT, DistinctCount
from streams.core.histogram import DurationHistogram
from streams.core.remembered import MEMORY_MS, Remembered
from streams.core.snapshots import wide
from tests.unit.making import HOUR, figures, minute, product_figures, progress


def counted(ids: list[str]) -> DistinctCount:
    count = DistinctCount()
    for id_ in ids:
        count.add(id_)
    return count


@pytest.mark.parametrize("size", [0, 1, 999, EXACT])
def test_distinct_ids_are_exact_to_a_thousand(size: int) -> None:
    ids = [f"viewer-{number}" for number in range(size)]
    assert counted(ids + ids).count() == size


@pytest.mark.parametrize("size", [1_001, 2_000, 5_000, 20_000, 100_000])
@pytest.mark.parametrize("prefix", ["viewer-", "用户"])
def test_distinct_ids_beyond_err_by_less_than_two_percent(size: int, prefix: str) -> None:
    count = counted([f"{prefix}{number}" for number in range(size)])
    assert count.count() == pytest.approx(size, rel=0.02)


@pytest.mark.parametrize("size", [1_001, 3_000, 30_000])
def test_the_estimate_depends_on_the_ids_and_not_on_their_order(size: int) -> None:
    ids = [f"v{number}" for number in range(size)]
    other = [*ids, *ids[:500]]
    Random(1).shuffle(other)
    assert counted(ids).count() == counted(other).count()


@pytest.mark.parametrize("size", [0, 10, 1_000, 1_001, 4_000, 30_000])
@pytest.mark.parametrize("cut", [0, 5, 1_000, 2_500])
def test_a_count_that_was_saved_and_loaded_goes_on_alike(size: int, cut: int) -> None:
    ids = [f"v{number}" for number in range(size)]
    loaded = DistinctCount()
    loaded.restore(msgspec.msgpack.decode(msgspec.msgpack.encode(counted(ids[:cut]).snapshot())))
    for id_ in ids[cut:]:
        loaded.add(id_)
    assert loaded.count() == counted(ids).count()


def test_an_estimate_is_taken_again_after_a_new_id() -> None:
    count = counted([f"v{number}" for number in range(2_000)])
    before = count.count()
    for number in range(2_000, 4_000):
        count.add(f"v{number}")
    assert count.count() > before


def test_an_estimate_that_nothing_changed_is_the_same() -> None:
    count = counted([f"v{number}" for number in range(2_000)])
    assert count.count() == count.count()


def histogram_of(values: list[int]) -> DurationHistogram:
    histogram = DurationHistogram()
    for value in values:
        histogram.add(value)
    return histogram


def test_a_median_of_nothing_is_null() -> None:
    assert DurationHistogram().median() is None


@pytest.mark.parametrize("value", [0, 1, 63])
def test_a_short_duration_is_its_own_median(value: int) -> None:
    assert histogram_of([value] * 3).median() == value


def test_the_median_of_an_even_number_is_the_mean_of_the_middle_two() -> None:
    assert histogram_of([10, 20, 30, 60]).median() == 25


@pytest.mark.parametrize("value", [64, 65, 1_000, 30_000, 89_999, 3_600_000, 2**40 + 1, 2**62])
def test_any_duration_errs_by_less_than_the_stated_five_percent(value: int) -> None:
    assert histogram_of([value]).median() == pytest.approx(value, rel=0.016)


@pytest.mark.parametrize("seed", range(5))
def test_the_median_of_many_errs_by_less_than_five_percent(seed: int) -> None:
    random = Random(seed)
    values = [int(random.lognormvariate(9, 2)) for _ in range(1_001)]
    histogram = histogram_of(values)
    assert histogram.median() == pytest.approx(median(values), rel=0.05)
    assert len(histogram.bins) < 1_900


def test_a_histogram_goes_on_after_a_restart() -> None:
    histogram, again = histogram_of([1, 2, 3_000]), DurationHistogram()
    again.restore(histogram.snapshot())
    again.add(4_000)
    assert (again.median(), again.count) == (histogram_of([1, 2, 3_000, 4_000]).median(), 4)


def test_a_histogram_whose_bins_hold_less_than_its_count_is_a_bug() -> None:
    histogram = histogram_of([1])
    histogram.count = 9
    with pytest.raises(AssertionError, match="rank"):
        histogram.median()


def memory() -> Remembered[int]:
    return Remembered("orders", limits.Evictions())


def test_an_id_is_forgotten_when_the_watermark_is_24_h_past_its_stamp() -> None:
    remembered = memory()
    remembered.put("a", 1_000, 7, 0)
    assert remembered.get("a", 1_000 + MEMORY_MS - 1) == (1_000, 7)
    assert remembered.get("a", 1_000 + MEMORY_MS) is None
    assert remembered.get("b", 0) is None


def test_what_is_forgotten_is_freed_by_a_later_id() -> None:
    remembered = memory()
    remembered.put("a", 0, 1, 0)
    remembered.put("b", MEMORY_MS - HOUR, 2, MEMORY_MS - HOUR)
    assert len(remembered) == 2
    remembered.put("c", MEMORY_MS, 3, MEMORY_MS)
    assert len(remembered) == 2
    assert remembered.get("b", MEMORY_MS) == (MEMORY_MS - HOUR, 2)


def test_a_memory_goes_on_after_a_restart() -> None:
    remembered, again = memory(), memory()
    remembered.put("a", 5, 1, 0)
    again.restore(remembered.snapshot())
    assert again.get("a", 10) == (5, 1)
    assert again.snapshot() == remembered.snapshot()


@pytest.mark.parametrize("number", [0, -5, 2**63 - 1, 2**63, 2**64, -(2**63), -(2**63) - 1, 10**30])
def test_a_number_of_any_width_passes_through_message_pack(number: int) -> None:
    packed = msgspec.msgpack.encode(wide(number))
    assert int(msgspec.msgpack.decode(packed)) == number


def test_sums_above_64_bits_are_written_and_read_as_json() -> None:
    large = 3 * (2**63 - 1)
    room = figures("房间", gross_minor=large, net_minor=-large)
    text = records.encode(room)
    assert f'"gross_minor":{large}'.encode() in text
    assert "房间".encode() in text
    assert text.startswith(b'{"version":[0,1,0],"refunded_orders":0,"summary":{"room_id":')
    assert msgspec.json.decode(text, type=RoomFigures) == room
    goods = product_figures("r", "p", None, gross_minor=large)
    assert msgspec.json.decode(records.encode(goods), type=ProductFigures) == goods


def test_wide_and_narrow_records_have_the_same_form() -> None:
    narrow = records.encode(figures("r", gross_minor=1))
    wide_one = records.encode(figures("r", gross_minor=2**64))
    assert wide_one == narrow.replace(
        b'"gross_minor":1,', f'"gross_minor":{2**64},'.encode()
    ).replace(b'"net_minor":1,', f'"net_minor":{2**64},'.encode()).replace(
        b'"trusted_minor":1,', f'"trusted_minor":{2**64},'.encode()
    )
    assert records.encode(["a", 2**70, None]) == b'["a",%d,null]' % 2**70
    assert records.encode({"a": Version(1, 2, 3)}) == b'{"a":[1,2,3]}'


class _NoWideNumbers:
    """The fast encoder of a version that refuses what does not fit in 64 bits."""

    @staticmethod
    def encode(_record: object) -> bytes:
        raise OverflowError


def test_without_wide_numbers_in_the_fast_encoder_the_bytes_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    room = figures("房间", gross_minor=2**80, refunded_orders=3)
    plain: dict[str, list[int | None]] = {"a": [1, None, 2**70]}
    fast = [records.encode(room), records.encode(plain)]
    monkeypatch.setattr(records, "_encoder", _NoWideNumbers)
    assert [records.encode(room), records.encode(plain)] == fast


def test_the_key_of_a_board_tells_what_its_rows_are() -> None:
    fold = BoardFold()
    fold.apply_room(figures("r", gross_minor=1))
    fold.apply_progress(progress(0, 20 * 60_000))
    fold.apply_minute(minute("r", 19 * 60_000, 1))
    boards = fold.boards()
    for board in boards:
        assert records.decode_board(records.board_key(board), records.encode(board)) == board
    kinds = {type(row) for board in boards for row in board.rows}
    assert kinds == {records.BoardRow, records.WindowRow}


def test_a_topic_has_its_own_partitions_or_those_of_the_events() -> None:
    assert topics.BY_NAME[topics.CHECKPOINTS].partition_count(7) == 7
    assert topics.BY_NAME[topics.BOARDS].partition_count(7) == 1


def test_a_constraint_that_the_fast_decoder_does_not_know_stops_the_import() -> None:
    with pytest.raises(TypeError, match="no msgspec constraint is known"):
        codec._constraint([object()])
