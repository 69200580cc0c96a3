"""A session without the people in it gives the same figures, and nobody is found in it."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from producers.generator import generate
from producers.pseudonyms import PERSONAL_FIELDS, PseudonymError, Pseudonyms, read_key
from roompulse.cli.app import app
from schemas import codec
from schemas.errors import InputError
from streams.embedded import EmbeddedRun, Results
from streams.result_files import write_results
from tests.oracle.contract import Event
from tests.oracle.strategies import adversarial_logs

KEY = read_key("a key of sixteen bytes or more", None)
EXAMPLES = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def run(log: list[bytes]) -> Results:
    whole = EmbeddedRun()
    whole.feed(log)
    return whole.finish()


def pseudonymised(log: list[bytes]) -> list[bytes]:
    return [record for chunk in Pseudonyms(KEY).of_chunks([log]) for record in chunk]


def people_in(log: list[bytes]) -> set[str]:
    """Every personal id of a session that is long enough not to be found by chance."""
    events = [msgspec.json.decode(record) for record in log]
    ids = {event[name] for event in events for name in PERSONAL_FIELDS if event.get(name)}
    return {id_ for id_ in ids if len(id_) >= 8}


@EXAMPLES
@given(adversarial_logs())
def test_what_is_refused_stays_refused_for_its_reason_and_the_rest_counts_as_before(
    log: list[bytes],
) -> None:
    pseudonyms = Pseudonyms(KEY)
    for record in log:
        other = pseudonyms.of_record(record)
        if other is None:
            continue
        before, after = codec.decode_all([record])[0], codec.decode_all([other])[0]
        assert type(before) is type(after)
        if isinstance(before, InputError) and isinstance(after, InputError):
            assert before.reason == after.reason


@pytest.fixture(scope="module")
def evening() -> list[bytes]:
    return list(generate("brushing", 3, events=20_000))


def test_every_figure_of_an_attacked_evening_is_the_same(evening: list[bytes]) -> None:
    before, after = run(evening), run(pseudonymised(evening))
    assert before.alerts, "there is something to find"
    assert after.rooms == before.rooms
    assert after.minutes == before.minutes
    assert after.boards == before.boards
    assert after.after_sales == before.after_sales
    assert [each.alert_id for each in after.alerts] == [each.alert_id for each in before.alerts]
    assert after.retention == before.retention


def test_nobody_is_found_in_what_leaves_the_house(evening: list[bytes]) -> None:
    people = people_in(evening)
    assert len(people) > 1_000
    sent = b"\n".join(pseudonymised(evening)).decode()
    words = {word for line in sent.splitlines() for word in line.split('"')}
    assert not people & words


def test_alerts_and_files_of_a_run_name_no_person_in_full(
    evening: list[bytes], tmp_path: Path
) -> None:
    """Alerts show orders whole and people masked; no other file but the refused bytes has any."""
    write_results(run(evening), tmp_path, elapsed_seconds=0)
    people = people_in(evening)
    for file in sorted(tmp_path.iterdir()):
        if file.name != "dead-letters.ndjson":
            words = set(file.read_text(encoding="utf-8").replace("'", '"').split('"'))
            assert not people & words, file.name


def test_another_key_gives_other_names_and_the_same_key_the_same() -> None:
    record = view(viewer_id="somebody")
    mine, again = (Pseudonyms(KEY).of_record(record) for _ in range(2))
    other = Pseudonyms(read_key("another key of many bytes", None)).of_record(record)
    assert mine == again != other


def test_a_viewer_who_buys_stays_one_person_and_is_no_device() -> None:
    pseudonyms = Pseudonyms(KEY)
    seen = json.loads(pseudonyms.of_record(view(viewer_id="x", device_id="x")) or b"")
    bought = json.loads(pseudonyms.of_record(msgspec.json.encode({"buyer_id": "x"})) or b"")
    assert seen["viewer_id"] == bought["buyer_id"] != seen["device_id"]


@pytest.mark.parametrize("record", [b"no json", b"[1]", b"", b"{" + b" " * 70_000 + b"}", b"\xff"])
def test_what_nobody_can_read_is_withheld_and_counted(record: bytes) -> None:
    pseudonyms = Pseudonyms(KEY)
    assert pseudonyms.of_record(record) is None
    assert pseudonyms.withheld == 1


def test_what_the_contract_does_not_know_is_left_out() -> None:
    made = Pseudonyms(KEY).of_record(view(phone="13800138000", product_id={"name": "somebody"}))
    assert b"138" not in (made or b"")
    assert b"somebody" not in (made or b"")


@given(st.binary(max_size=15))
def test_a_short_key_is_refused(text: bytes) -> None:
    with pytest.raises(PseudonymError):
        read_key(text.decode("latin-1")[:7], None)


def test_a_key_may_stand_in_a_file_and_its_line_end_is_no_part_of_it(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text("a key of sixteen bytes or more\n", encoding="utf-8")
    assert read_key(None, file) == KEY


def test_without_a_key_nothing_is_sent_and_the_command_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ROOMPULSE_PSEUDONYM_KEY", raising=False)
    session = tmp_path / "session.ndjson"
    session.write_bytes(view() + b"\n")
    done = CliRunner().invoke(app, ["replay", str(session), "--pseudonymise"])
    assert done.exit_code == 1
    assert "--pseudonym-key-file" in done.output


def view(**fields: Any) -> bytes:  # noqa: ANN401 - any field
    event: Event = {
        "type": "view",
        "event_id": "e",
        "ts_ms": 1_760_000_000_000,
        "room_id": "r",
        "viewer_id": "v",
        "action": "enter",
        **fields,
    }
    return msgspec.json.encode(event)
