"""What the console shows of boards, rooms and alerts, held against a run and by hand."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from producers.generator import generate
from roompulse.console import alert_views, board_views, room_views
from roompulse.console.asking import AskError, verdict_asked
from roompulse.console.page import SECTIONS, Moment, Pages, changed_sections
from roompulse.console.wish import Wish, wish_of
from roompulse.known import MOST_VERSIONS, Alerts, Known, Minutes, apply_record
from roompulse.run_folder import known_of_folder
from roompulse.standing import RunFolderError
from roompulse.verdicts import LONGEST_NOTE
from schemas import topics
from schemas.details import AfterSalesFigures, ServiceFigures
from schemas.records import (
    Alert,
    Evidence,
    ProductMark,
    Verdict,
    Version,
    encode,
    verdict_key,
)
from streams.embedded import EmbeddedRun, Results
from streams.result_files import write_results
from tests.unit.making import MINUTE, figures, minute, progress

EVENTS = 20_000


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Results]:
    """A small evening with attacks in it, and its files."""
    folder = tmp_path_factory.mktemp("run")
    embedded = EmbeddedRun(2)
    embedded.feed(list(generate("brushing", 3, events=EVENTS)))
    results = embedded.finish()
    write_results(results, folder, elapsed_seconds=0)
    return folder, results


@pytest.fixture(scope="module")
def known(run: tuple[Path, Results]) -> Known:
    return known_of_folder(run[0])


def alert(alert_id: str = "a1", version: int = 1, **changed: Any) -> Alert:  # noqa: ANN401 - facts have no common type
    plain = Alert(
        alert_id=alert_id,
        version=version,
        status="firing",
        kind="brushed_orders",
        severity="page",
        room_id="r",
        host_id="h",
        mcn_id=None,
        product_id=None,
        started_ms=0,
        updated_ms=version * MINUTE,
        score=20.0,
        threshold=15.0,
        summary="Suspected brushed orders in room r.",
        money_minor=1234,
        currency="CNY",
        evidence=[Evidence("tiny_dwell", 0.9, 0.02, 12.0, ["o1", "o2"])],
        rooms=["r"],
        rules_version=None,
    )
    return msgspec.structs.replace(plain, **changed)


def tell(known: Known, told: Alert | Verdict) -> None:
    if isinstance(told, Verdict):
        apply_record(known, topics.ALERTS, verdict_key(told.alert_id), encode(told))
    else:
        key = encode([told.alert_id, told.version])
        apply_record(known, topics.ALERTS, key, encode(told))


def test_a_shown_board_has_the_figures_of_the_file(known: Known, run: tuple[Path, Results]) -> None:
    boards = json.loads((run[0] / "boards.json").read_bytes())
    shown = 0
    for board in boards:
        wish = Wish(board["scope"], board["window"], board["currency"])
        found = board_views.board(known, known.standing(), wish)
        assert found is not None
        assert found["as_of_ms"] == board["as_of_ms"]
        assert found["all_rows"] == len(board["rows"])
        for row, line in zip(found["rows"], board["rows"], strict=True):
            assert {**row, "spark": 0} == {
                **{name: line[name] for name in row if name != "spark"},
                "spark": 0,
            }
            shown += 1
    assert shown > 50


def test_the_platform_is_the_sum_of_its_rooms(known: Known, run: tuple[Path, Results]) -> None:
    (total,) = board_views.totals(known.standing())
    for name in ("gross_minor", "net_minor", "trusted_minor", "orders", "visits"):
        assert total[name] == sum(getattr(room, name) for room in run[1].rooms)


def test_headlines_name_who_leads_and_who_loses_places(
    known: Known, run: tuple[Path, Results]
) -> None:
    found = board_views.headlines(known.standing(), None)
    assert found is not None
    ranks = {}
    for name in ("gross_minor", "trusted_minor"):
        rooms = sorted(run[1].rooms, key=lambda room: (-getattr(room, name), room.room_id))
        ranks[name] = {room.room_id: place for place, room in enumerate(rooms, 1)}
        kind = name.removesuffix("_minor")
        assert found[f"by_{kind}"]["key"] == rooms[0].room_id
    lost = {
        room_id: ranks["trusted_minor"][room_id] - place
        for room_id, place in ranks["gross_minor"].items()
    }
    losers = sorted(
        (room_id for room_id in lost if lost[room_id] > 0),
        key=lambda room_id: (-lost[room_id], ranks["gross_minor"][room_id]),
    )
    assert losers, "the evening has attacks that cost places"
    assert [row["key"] for row in found["losers"]] == losers[:5]
    assert found["all_losers"] == len(losers)


def test_an_empty_kafka_shows_no_figures_and_no_error() -> None:
    sections = Pages(Known()).sections(Wish(room_id="r", alert_id="a"), Moment(now_ms=5))
    assert tuple(sections) == SECTIONS
    plain = {name: json.loads(text) for name, text in sections.items()}
    assert plain["status"]["watermark_ms"] is None
    assert plain["totals"]["sums"] == []
    for name in ("headlines", "board", "room", "card", "replay"):
        assert plain[name] is None
    assert plain["inbox"]["lines"] == []


def test_a_room_shows_its_summary_curve_and_funnel(known: Known, run: tuple[Path, Results]) -> None:
    summary = max(run[1].rooms, key=lambda room: room.orders)
    shown = room_views.room(known, summary.room_id)
    assert shown is not None
    assert shown["summary"] == msgspec.to_builtins(summary)
    lines = {one.minute_ms: one for one in run[1].minutes if one.room_id == summary.room_id}
    curve = shown["curve"]
    assert curve["minute_ms"] == list(range(min(lines), max(lines) + 1, MINUTE))
    for name in ("gross_minor", "refunded_minor", "online", "visits"):
        assert curve[name] == [
            getattr(lines[at], name) if at in lines else 0 for at in curve["minute_ms"]
        ]
    steps = {one["step"]: one for one in shown["funnel"]}
    assert steps["orders"]["count"] == summary.orders
    assert steps["visits"]["share"] == pytest.approx(summary.visits / summary.impressions, abs=5e-5)
    assert steps["impressions"]["share"] is None
    marks = [mark for mark in run[1].marks if mark.room_id == summary.room_id]
    assert len(shown["marks"]) == len(marks) > 0
    stays = {point["seconds"]: point["share"] for point in shown["retention"]["curve"]}
    assert stays[30] == summary.stayed_30s
    assert set(stays) == {30, 60, 300, 600, 1800}, "a run tells of long stays, too"


def test_a_curve_begins_at_most_a_day_before_its_end_and_fills_quiet_minutes() -> None:
    two_days = 2 * 24 * 60
    lines = [minute("r", 0, 7), minute("r", (two_days - 2) * MINUTE, 5)]
    lines.append(minute("r", two_days * MINUTE, 3))
    curve = room_views.curve(lines)
    assert len(curve["minute_ms"]) == room_views.MOST_MINUTES
    assert curve["gross_minor"][-3:] == [5, 0, 3]
    assert sum(curve["gross_minor"]) == 8
    assert room_views.curve([])["gross_minor"] == []


def test_after_sales_are_those_of_the_newest_details() -> None:
    known = Known()
    known.apply_room(figures("r", orders=4))

    def detail(offset: int, refunds: dict[str, int]) -> AfterSalesFigures:
        nothing = ServiceFigures(0, 0, {})
        return AfterSalesFigures(
            Version(0, offset), "r", "m", "merchant", {}, refunds, {"quality": 50}, nothing, nothing
        )

    for offset, refunds in ((2, 3), (1, 1)):
        record = encode(detail(offset, {"quality": refunds}))
        apply_record(known, topics.ROOM_DETAILS, b"", record)
    rows = known.after_sales("r")
    assert [(row["party"], row["refunds"]) for row in rows] == [(None, 3), ("merchant", 3)]
    assert known.after_sales("another") == []


def test_after_sales_of_a_run_are_those_of_its_file(
    known: Known, run: tuple[Path, Results]
) -> None:
    rows = json.loads((run[0] / "after-sales.json").read_bytes())["rooms"]
    rooms = {row["key"] for row in rows}
    assert rooms
    for room_id in rooms:
        assert known.after_sales(room_id) == [row for row in rows if row["key"] == room_id]


def test_views_of_a_lesser_version_change_nothing() -> None:
    known = Known()
    for offset, gross in ((5, 10), (3, 7)):
        record = encode(figures("r", offset=offset, gross_minor=gross))
        apply_record(known, topics.ROOM_SUMMARIES, b"r", record)
        progressed = progress(0, offset * MINUTE, offset)
        apply_record(known, topics.PARTITION_PROGRESS, b"0", encode(progressed))
    summary = known.summary("r")
    assert summary is not None
    assert summary.gross_minor == 10
    assert known.standing().watermark_ms == 5 * MINUTE


def test_a_board_that_nobody_is_on_any_more_goes() -> None:
    known = Known()
    board = encode(
        {"scope": "room", "window": "total", "currency": "CNY", "as_of_ms": 1, "rows": []}
    )
    key = encode(["room", "total", "CNY"])
    apply_record(known, topics.BOARDS, key, board)
    assert board_views.currencies(known.standing()) == ["CNY"]
    apply_record(known, topics.BOARDS, key, None)
    assert board_views.currencies(known.standing()) == []


def test_minutes_are_bounded_and_the_oldest_go() -> None:
    minutes = Minutes(most=5)
    for at in range(4):
        for room in ("a", "b"):
            minutes.apply(minute(room, at * MINUTE, at + 1))
    minutes.apply(minute("a", 3 * MINUTE, 9))
    assert len(minutes) <= 5
    assert [one.gross_minor for one in minutes.of_room("a")] == [3, 9]
    points = [range(at, at + MINUTE, MINUTE) for at in (2 * MINUTE, 3 * MINUTE, 4 * MINUTE)]
    assert minutes.gross_of(["a", "b", "c"], points) == [6, 13, 0]


def test_a_row_draws_the_last_half_hour_or_a_whole_run_in_as_many_points() -> None:
    known = Known()
    for at in range(90):
        known.minutes.apply(minute("r", at * MINUTE, at))
    known.apply_room(figures("r"))
    live = known.minutes.gross_of(["r"], board_views.spark_minutes(known))
    assert live == list(range(60, 90))
    known.is_live = False
    whole = known.minutes.gross_of(["r"], board_views.spark_minutes(known))
    assert whole == [3 * at * 3 + 3 for at in range(30)]


def test_marks_count_once_however_often_they_come() -> None:
    known = Known()
    mark = ProductMark(5, "r", "p", "listed", None, None)
    for _ in range(2):
        apply_record(known, topics.PRODUCT_MARKS, b"", encode(mark))
    assert list(known.marks["r"]) == [mark]


def test_the_inbox_puts_first_what_a_person_should_look_at_first() -> None:
    known = Known()
    tell(known, alert("old page", updated_ms=1))
    tell(known, alert("new page", updated_ms=9))
    tell(known, alert("review", severity="review", updated_ms=99))
    tell(known, alert("ended", status="resolved", updated_ms=999))
    tell(known, alert("judged", updated_ms=9_999))
    tell(known, Verdict("judged", "dismiss", 5, "a raid"))
    tell(known, Verdict("never told", "confirm", 5))
    inbox = alert_views.inbox(known)
    assert [line["alert_id"] for line in inbox["lines"]] == [
        "new page",
        "old page",
        "review",
        "judged",
        "ended",
    ]
    assert inbox["firing"] == {"page": 3, "review": 1, "info": 0}
    assert inbox["unjudged"] == {"page": 2, "review": 1, "info": 0}
    assert inbox["raised"] == {"page": 4, "review": 1, "info": 0}
    verdict = {"verdict": "dismiss", "given_ms": 5, "note": "a raid"}
    assert inbox["lines"][3]["verdict"] == verdict


def test_a_card_holds_the_evidence_and_how_it_came_to_that() -> None:
    known = Known()
    known.apply_room(figures("r", host_name="Lotus 5"))
    for version, severity in ((1, "review"), (2, "page"), (2, "page"), (1, "review")):
        tell(known, alert(version=version, severity=severity))
    card = alert_views.card(known, "a1")
    assert card is not None
    assert card["room_name"] == "Lotus 5"
    assert card["runbook"] == "docs/runbook.md#brushed_orders"
    assert card["version"] == 2
    assert [told["severity"] for told in card["history"]] == ["review", "page"]
    assert card["evidence"] == [
        {
            "signal": "tiny_dwell",
            "observed": 0.9,
            "expected": 0.02,
            "weight": 12.0,
            "orders": ["o1", "o2"],
        }
    ]
    assert alert_views.card(known, "none") is None


def test_alerts_are_bounded_and_the_longest_unchanged_go() -> None:
    alerts = Alerts(most=2)
    for number in range(4):
        alerts.apply(alert(f"a{number}", updated_ms=number))
    assert [one.alert.alert_id for one in alerts.all()] == ["a2", "a3"]
    for version in range(2, MOST_VERSIONS + 10):
        alerts.apply(alert("a3", version))
    held = alerts.get("a3")
    assert held is not None
    assert len(held.history) == MOST_VERSIONS


def test_no_id_of_a_person_or_a_device_is_shown_whole(
    known: Known, run: tuple[Path, Results]
) -> None:
    pages, people = Pages(known), set()
    for record in generate("brushing", 3, events=EVENTS):
        event = json.loads(record)
        for name in ("viewer_id", "buyer_id", "device_id", "payment_id", "address_id", "ip_id"):
            if event.get(name):
                people.add(event[name])
    wishes = [Wish(room_id=room.room_id) for room in run[1].rooms]
    wishes += [Wish(alert_id=one.alert_id) for one in run[1].alerts]
    texts = [text for wish in wishes for text in pages.sections(wish, Moment(1)).values()]
    words = set(b" ".join(texts).decode().replace(",", '"').split('"'))
    assert len(people) > 1_000
    assert not words & people


def test_a_verdict_is_taken_of_an_alert_that_is_known() -> None:
    known = Known()
    tell(known, alert())
    body = encode({"alert_id": "a1", "verdict": "confirm", "note": "seen it"})
    assert verdict_asked(body, known, 7) == Verdict("a1", "confirm", 7, "seen it")
    body = encode({"alert_id": "a1", "verdict": "ack"})
    assert verdict_asked(body, known, 8) == Verdict("a1", "ack", 8)


@pytest.mark.parametrize(
    ("asked", "why"),
    [
        ({"alert_id": "a2", "verdict": "ack"}, "no such alert"),
        ({"alert_id": "a" * 99, "verdict": "ack"}, "no such alert"),
        ({"alert_id": "a1", "verdict": "guilty"}, "cannot be asked"),
        ({"alert_id": "a1", "verdict": "ack", "given_ms": 1}, "cannot be asked"),
        ({"alert_id": "a1", "verdict": "ack", "note": "x" * (LONGEST_NOTE + 1)}, "at most"),
        ([], "cannot be asked"),
    ],
)
def test_a_verdict_that_cannot_be_given_is_refused_in_words(asked: Any, why: str) -> None:  # noqa: ANN401 - any JSON
    known = Known()
    tell(known, alert())
    with pytest.raises(AskError, match=why):
        verdict_asked(encode(asked), known, 7)


def test_pages_send_what_changed_and_a_sign_of_life() -> None:
    known = Known()
    pages, wish = Pages(known), Wish()
    first = pages.sections(wish, Moment(1))
    assert changed_sections({}, first) == first
    known.lag = 3
    second = pages.sections(wish, Moment(2, heard_ms=1))
    assert list(changed_sections(first, second)) == ["status"]
    tell(known, alert())
    known.version += 1
    third = pages.sections(wish, Moment(3))
    assert list(changed_sections(second, third)) == ["status", "inbox"]
    assert json.loads(second["status"])["lag"] == 3


@pytest.mark.parametrize(
    ("query", "wish"),
    [
        ({}, Wish()),
        ({"scope": "host", "window": "day", "currency": "CNY"}, Wish("host", "day", "CNY")),
        ({"scope": "product", "window": "day"}, Wish("product", "total")),
        ({"scope": "nonsense", "window": "?", "currency": ""}, Wish()),
        ({"room": "r1", "alert": "a1"}, Wish(room_id="r1", alert_id="a1")),
        ({"room": "r" * 65, "alert": ""}, Wish()),
    ],
)
def test_whatever_an_address_says_can_be_shown(query: dict[str, str], wish: Wish) -> None:
    assert wish_of(query) == wish


def test_a_folder_without_a_run_is_told_in_one_line(
    tmp_path: Path, run: tuple[Path, Results]
) -> None:
    with pytest.raises(RunFolderError, match="name the folder"):
        known_of_folder(tmp_path)
    for name in ("boards.json", "run.json"):
        (tmp_path / name).write_bytes((run[0] / name).read_bytes())
    assert known_of_folder(tmp_path).rooms == {}, "an older run has fewer files"
    (tmp_path / "alerts.ndjson").write_text("[]\n")
    with pytest.raises(RunFolderError, match=r"alerts\.ndjson: is no file of a run"):
        known_of_folder(tmp_path)
    (tmp_path / "alerts.ndjson").unlink()
    (tmp_path / "retention.json").write_text('{"rooms":[{}]}')
    with pytest.raises(RunFolderError, match=r"retention\.json"):
        known_of_folder(tmp_path)


def test_a_currency_that_is_not_there_gives_the_busiest(known: Known) -> None:
    standing = known.standing()
    assert board_views.board(known, standing, Wish(currency="XTS")) == board_views.board(
        known, standing, Wish(currency="CNY")
    )


def test_rooms_of_a_currency_without_opening_are_shown_last() -> None:
    known = Known()
    for currency in (None, "CNY"):
        plain = {"scope": "room", "window": "total", "as_of_ms": 1, "rows": []}
        key = encode(["room", "total", currency])
        apply_record(known, topics.BOARDS, key, encode({**plain, "currency": currency}))
    assert board_views.currencies(known.standing()) == ["CNY", None]
