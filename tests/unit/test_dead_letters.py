"""What is shown of a refused record, which letters are meant, and what a file of them gives."""

import base64
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from producers import dead_letters
from producers.dead_letters import DeadLettersError, Filter, count_by_reason, preview, read_file
from roompulse.cli.dead_letters import app
from schemas.errors import REASONS
from schemas.records import DeadLetter, encode

ORDER = (
    b'{"type":"order","room_id":"room-7","order_id":"order-1","buyer_id":"buyer-123456789",'
    b'"device_id":"d1","amount_minor":"3","phone":"13800138000","payment_id":[1],"ip_id":7654321}'
)
CUT_OFF = b'{"type":"order","buyer_id":"buyer-123456789","amount_minor":3'


def letter(value: bytes, reason: Any = "not_json", offset: int = 1) -> DeadLetter:  # noqa: ANN401
    encoded = base64.b64encode(value).decode()
    return DeadLetter(reason, "why", "live-events", 2, offset, encoded)


def write(path: Path, letters: list[DeadLetter]) -> Path:
    path.write_bytes(b"".join(encode(one) + b"\n" for one in letters))
    return path


def test_preview_shows_the_contracts_fields_with_personal_ids_masked() -> None:
    assert preview(letter(ORDER)) == (
        '{"type":"order","room_id":"room-7","order_id":"order-1","buyer_id":"***6789",'
        '"device_id":"***","amount_minor":"3","payment_id":"[...]","ip_id":"***4321"}'
    )


def test_preview_of_what_is_no_object_masks_every_word_with_a_digit() -> None:
    assert preview(letter(CUT_OFF)) == ('{"type":"order","buyer_id":"***6789","amount_minor":***')
    assert preview(letter(b'["buyer-123456789"]')) == '["***6789"]'
    assert preview(letter(b'{"viewer_id": "annabella", "x')) == '{"viewer_id": "***ella", "x'
    assert preview(letter(b"buyer_id=annabella;")) == "buyer_id=***lla;"


def test_preview_is_one_short_printable_line() -> None:
    shown = preview(letter(b"\xff\x1b[31m\n" + b"x" * 10_000))
    assert len(shown) == dead_letters.PREVIEW_CHARACTERS
    assert shown.isprintable()


@given(st.binary(max_size=400))
def test_any_bytes_have_a_preview_and_a_room_or_none(value: bytes) -> None:
    shown = preview(letter(value))
    assert shown.isprintable()
    assert len(shown) <= dead_letters.PREVIEW_CHARACTERS
    dead_letters.room_of(letter(value))


def test_filter_picks_by_reason_and_room() -> None:
    order = letter(ORDER, "invalid_field")
    assert Filter().picks(order)
    assert Filter(reasons=frozenset({"invalid_field"}), rooms=frozenset({"room-7"})).picks(order)
    assert not Filter(reasons=frozenset({"future"})).picks(order)
    assert not Filter(rooms=frozenset({"room-8"})).picks(order)
    assert not Filter(rooms=frozenset({"room-7"})).picks(letter(CUT_OFF))


def test_file_gives_the_newest_of_each_key_in_order(tmp_path: Path) -> None:
    letters = [letter(b"c", offset=9), letter(b"a", offset=3), letter(b"b", offset=9)]
    found = read_file(write(tmp_path / "dead-letters.ndjson", letters))
    assert [dead_letters.record_bytes(one) for one in found.letters] == [b"a", b"b"]


def test_counts_stand_in_the_order_of_the_closed_list() -> None:
    letters = [letter(b"a", reason) for reason in reversed(REASONS)] + [letter(b"a")]
    assert count_by_reason(letters)["not_json"] == 2
    assert list(count_by_reason(letters)) == list(REASONS)


@pytest.mark.parametrize("line", [b"x", b"{}", b'{"reason":"odd"}', encode(letter(b"a"))[:-9]])
def test_a_line_that_is_no_letter_is_named(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "dead-letters.ndjson"
    path.write_bytes(encode(letter(b"a")) + b"\n\n" + line + b"\n")
    with pytest.raises(DeadLettersError, match="line 3 is no dead letter"):
        read_file(path)


def test_command_lists_a_file_as_a_table_without_personal_ids(tmp_path: Path) -> None:
    letters = [
        letter(ORDER, "invalid_field"),
        letter(CUT_OFF, offset=5),
        letter(b"[/red]", offset=6),
    ]
    path = write(tmp_path / "dead-letters.ndjson", letters)
    run = CliRunner(env={"COLUMNS": "300"}).invoke
    listed = run(app, ["list", "--file", str(path)])
    assert listed.exit_code == 0
    assert "123456789" not in listed.output
    assert "[/red]" in listed.output
    assert listed.output.splitlines()[-1] == "3 dead letters (not_json: 2, invalid_field: 1)"
    limited = run(app, ["list", "--file", str(path), "--limit", "1", "--reason", "not_json"])
    assert "1 of 2 shown" in limited.output
    dry = run(app, ["resend", "--dry-run", "--file", str(path)])
    assert dry.output == "would send: 3 dead letters (not_json: 2, invalid_field: 1)\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--file", "nowhere.ndjson"], "No such file"),
        (["--file", "."], "Is a directory"),
        (["--reason", "odd"], "choose one of not_json"),
    ],
)
def test_wrong_arguments_give_one_line(arguments: list[str], said: str) -> None:
    done = CliRunner().invoke(app, ["list", *arguments])
    assert done.exit_code == 1
    assert done.output.count("\n") == 1
    assert said in done.output
