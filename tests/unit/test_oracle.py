"""Literal examples of the oracle itself: every figure here was worked out by hand."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.oracle.clock import Clock, Decision, closing_stamp_ms
from tests.oracle.contract import classify
from tests.oracle.malformed import BASE_MS, MALFORMED, encode
from tests.oracle.partitions import murmur2, partition_of, route
from tests.oracle.recount import Recount, recount
from tests.oracle.strategies import adversarial_logs, shuffle_within_lateness, shuffled_logs

Row = dict[str, Any]
MINUTE = 60_000
HOUR = 60 * MINUTE
OTHER = "r2"  # shares its partition with r1, for 2 and for 4 partitions


def event(kind: str, at_ms: int, /, **fields: object) -> bytes:
    """An event `at_ms` after a whole minute, in room r1 unless told otherwise."""
    made = {"type": kind, "event_id": "e", "ts_ms": BASE_MS + at_ms, "room_id": "r1"}
    return encode(made | fields)


def view(at_ms: int, viewer: str, action: str = "enter", **fields: object) -> bytes:
    return event("view", at_ms, viewer_id=viewer, action=action, **fields)


def order(at_ms: int, order_id: str, amount: int, **fields: object) -> bytes:
    bought: Row = {"order_id": order_id, "buyer_id": "b1", "product_id": "p1", "quantity": 1}
    return event("order", at_ms, amount_minor=amount, **(bought | fields))


def checkout(at_ms: int, order_id: str, **fields: object) -> bytes:
    placed: Row = {"order_id": order_id, "buyer_id": "b1", "product_id": "p1", "quantity": 1}
    return event("checkout", at_ms, amount_minor=100, **(placed | fields))


def refund(at_ms: int, refund_id: str, order_id: str, amount: int, **fields: object) -> bytes:
    returned: Row = {
        "refund_id": refund_id,
        "order_id": order_id,
        "buyer_id": "b1",
        "product_id": "p1",
        "ordered_ts_ms": BASE_MS,
        "reason": "price",
    }
    return event("refund", at_ms, amount_minor=amount, **(returned | fields))


def opened(at_ms: int, **fields: object) -> bytes:
    room: Row = {"host_id": "h1", "mode": "talent", "category": "food", "currency": "CNY"}
    return event("room_opened", at_ms, **(room | fields))


def complaint(at_ms: int, complaint_id: str, status: str, **fields: object) -> bytes:
    said: Row = {"complaint_id": complaint_id, "buyer_id": "b1", "kind": "quality"}
    return event("complaint", at_ms, status=status, **(said | fields))


def tick(at_ms: int) -> bytes:
    return encode({"type": "tick", "event_id": "e", "ts_ms": BASE_MS + at_ms})


def room(result: Recount, room_id: str = "r1") -> Row:
    return next(row for row in result.rooms if row["room_id"] == room_id)


def board(result: Recount, scope: str, window: str = "total", currency: str | None = None) -> Row:
    wanted = (scope, window, currency)
    return next(b for b in result.boards if (b["scope"], b["window"], b["currency"]) == wanted)


class TestContract:
    def test_null_is_absent_and_unknown_fields_are_dropped(self) -> None:
        record = view(0, "v", product_id=None, colour="red")
        assert classify(record) == {
            "type": "view",
            "event_id": "e",
            "ts_ms": BASE_MS,
            "room_id": "r1",
            "viewer_id": "v",
            "action": "enter",
        }

    def test_ids_count_code_points_not_bytes(self) -> None:
        assert isinstance(classify(view(0, "播" * 64)), dict)
        assert classify(view(0, "播" * 65)) == "invalid_field"

    @pytest.mark.parametrize(
        ("record", "reason"),
        [
            (b"", "not_json"),
            (b"[1]", "not_json"),
            (b'{"type":"view","note":NaN}', "not_json"),
            (view(0, "v").replace(b'"v"', b'"\xc3\x28"'), "not_json"),
            (b'{"type":"gift"}', "unknown_type"),
            (b'{"room_id":"r1"}', "unknown_type"),
            (view(0, "v").replace(str(BASE_MS).encode(), b"1.0"), "invalid_field"),
            (view(0, "v", event_id=""), "invalid_field"),
            (order(0, "o", 1, quantity=True), "invalid_field"),
            (order(0, "o", 2**63), "invalid_field"),
            (refund(0, "f", "o", 0), "invalid_field"),
            (opened(0, currency="CNY\n"), "invalid_field"),
            (b" " * 65_537, "too_large"),
            (b" " * 65_536, "not_json"),
        ],
    )
    def test_bad_records_get_the_first_reason_that_applies(
        self, record: bytes, reason: str
    ) -> None:
        assert classify(record) == reason

    def test_the_first_stamp_is_the_year_2000_and_2100_is_out(self) -> None:
        def stamped(ts_ms: int) -> bytes:
            return encode({"type": "tick", "event_id": "e", "ts_ms": ts_ms})

        assert isinstance(classify(stamped(946_684_800_000)), dict)
        assert isinstance(classify(stamped(4_102_444_799_999)), dict)
        assert classify(stamped(946_684_799_999)) == "invalid_field"
        assert classify(stamped(4_102_444_800_000)) == "invalid_field"

    @pytest.mark.parametrize("record", MALFORMED)
    def test_no_malformed_example_is_an_event(self, record: bytes) -> None:
        assert isinstance(classify(record), str)


class TestPartitions:
    @pytest.mark.parametrize(
        ("text", "signed"),
        [
            ("21", -973932308),
            ("foobar", -790332482),
            ("a-little-bit-long-string", -985981536),
            ("a-little-bit-longer-string", -1486304829),
            ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
            ("abc", 479470107),
        ],
    )
    def test_the_hash_is_that_of_kafka(self, text: str, signed: int) -> None:
        assert murmur2(text.encode()) == signed % 2**32

    def test_a_record_goes_to_the_partition_of_its_room(self) -> None:
        assert route(view(0, "v", room_id="r3"), 4) == partition_of("r3", 4) == 3

    def test_a_refused_record_follows_its_room_when_that_can_be_read(self) -> None:
        assert route(view(0, "v", room_id="r3", action="wave"), 4) == 3
        assert route(view(0, "v", room_id=3), 4) == 0
        assert route(b"{", 4) == 0

    def test_only_a_valid_tick_or_rule_set_goes_everywhere(self) -> None:
        assert route(tick(0), 4) is None
        assert route(b'{"type":"tick","event_id":"e","ts_ms":1}', 4) == 0


def fed(*stamps: tuple[int, str]) -> tuple[Clock, list[Decision]]:
    clock = Clock()
    decisions = []
    for arrival, (ts_ms, room_id) in enumerate(stamps):
        decisions += clock.record(arrival, BASE_MS + ts_ms, room_id)
    return clock, decisions


def short(decisions: list[Decision]) -> list[tuple[int, bool]]:
    return [(d.arrival, d.believed) for d in decisions]


class TestClock:
    def test_the_first_stamp_waits_for_three_more_then_all_are_folded_in_order(self) -> None:
        clock, decisions = fed((0, "r1"), (10, "r1"), (20, "r1"))
        assert decisions == []
        decisions = clock.record(3, BASE_MS + 30, "r1")
        assert short(decisions) == [(0, True), (1, True), (2, True), (3, True)]
        assert [d.watermark_ms for d in decisions] == [
            BASE_MS - 5_000,
            BASE_MS - 4_990,
            BASE_MS - 4_980,
            BASE_MS - 4_970,
        ]

    def test_a_far_stamp_is_refuted_by_one_that_is_more_than_five_seconds_earlier(self) -> None:
        clock, _ = fed(*[(0, "r1")] * 4, (HOUR, "r1"))
        assert clock.record(5, BASE_MS + HOUR - 5_000, "r1") == []
        decisions = clock.record(6, BASE_MS + 1, "r1")
        assert short(decisions) == [(4, False), (5, False), (6, True)]
        assert decisions[0].watermark_ms == BASE_MS - 5_000

    def test_exactly_ten_minutes_ahead_is_believed_at_once(self) -> None:
        clock, _ = fed(*[(0, "r1")] * 4)
        assert clock.record(4, BASE_MS + 600_001, "r1") == []
        assert short(clock.record(5, BASE_MS + 600_000, "r1")) == [(4, True), (5, True)]

    def test_one_room_alone_cannot_move_time_where_another_was_believed(self) -> None:
        believed = [(0, "r2"), (0, "r1"), (0, "r1"), (0, "r1")]
        clock, decisions = fed(*believed, *[(HOUR, "r1")] * 20)
        assert len(decisions) == 4
        assert len(clock.record(24, BASE_MS + HOUR, "r1")) == 21

    def test_three_with_another_room_among_them_move_time(self) -> None:
        believed = [(0, "r2"), (0, "r1"), (0, "r1"), (0, "r1")]
        clock, _ = fed(*believed, *[(HOUR, "r1")] * 3)
        assert short(clock.record(7, BASE_MS + HOUR, "r2")) == [(i, True) for i in range(4, 8)]

    def test_a_tick_refutes_what_is_more_than_ten_minutes_ahead_and_confirms_the_rest(
        self,
    ) -> None:
        clock, _ = fed((600_000, "r1"), (600_001, "r1"))
        decisions = clock.tick(2, BASE_MS)
        assert short(decisions) == [(0, True), (1, False), (2, True)]
        assert clock.watermark_ms == BASE_MS + 595_000

    def test_the_closing_stamp_drops_what_waits_unless_nothing_was_believed(self) -> None:
        clock, _ = fed(*[(0, "r1")] * 4, (HOUR, "r1"))
        assert closing_stamp_ms(clock) == BASE_MS + 120_000
        clock, _ = fed((0, "r1"), (HOUR, "r1"))
        assert closing_stamp_ms(clock) == BASE_MS + HOUR + 120_000
        assert closing_stamp_ms(Clock()) is None


class TestMoney:
    def test_a_repeated_order_counts_once_and_is_a_duplicate(self) -> None:
        result = recount([order(0, "o1", 500), order(1, "o1", 500), order(2, "o2", 70)])
        assert (room(result)["orders"], room(result)["gross_minor"]) == (2, 570)
        assert (result.counts["accepted"], result.counts["duplicate"]) == (2, 1)

    def test_an_order_id_counts_again_when_the_watermark_is_a_day_past_it(self) -> None:
        day = 24 * HOUR
        before = [order(0, "o1", 500), tick(day + 4_999), order(day, "o1", 500)]
        assert room(recount(before))["orders"] == 1
        after = [order(0, "o1", 500), tick(day + 5_000), order(day, "o1", 500)]
        assert room(recount(after))["orders"] == 2

    def test_a_refund_above_its_order_is_accepted_up_to_what_was_paid(self) -> None:
        excess = refund(2, "f2", "o1", 400)
        result = recount([order(0, "o1", 500), refund(1, "f1", "o1", 200), excess])
        line = room(result)
        assert (line["refunds"], line["refunded_minor"], line["net_minor"]) == (2, 500, 0)
        assert result.counts["rejected"] == 0
        assert [(d.reason, d.record) for d in result.dead_letters] == [("over_refund", excess)]

    def test_a_refund_with_nothing_left_is_refused_and_its_id_forgotten(self) -> None:
        records = [
            order(0, "o1", 100),
            refund(1, "f1", "o1", 100),
            refund(2, "f2", "o1", 1),
            refund(3, "f2", "o9", 5),
        ]
        result = recount(records)
        assert room(result)["refunded_minor"] == 105
        assert result.rejected_by_reason == {"over_refund": 1}
        assert result.counts["duplicate"] == 0

    def test_refunds_before_their_order_use_up_what_it_can_give_back(self) -> None:
        records = [refund(0, "f1", "o1", 80), order(1, "o1", 100), refund(2, "f2", "o1", 30)]
        assert room(recount(records))["refunded_minor"] == 100

    def test_a_late_order_counts_in_the_room_and_in_no_minute(self) -> None:
        records = [tick(65_000), order(59_999, "o1", 100), order(60_000, "o2", 20)]
        result = recount(records)
        assert room(result)["gross_minor"] == 120
        assert [(m["minute_ms"], m["gross_minor"]) for m in result.minutes] == [
            (BASE_MS + MINUTE, 20)
        ]
        assert result.counts["late"] == 1

    def test_a_refuted_order_counts_as_future_and_a_refuted_view_is_a_dead_letter(self) -> None:
        records = [tick(0), order(HOUR, "o1", 100), view(HOUR, "v1"), view(0, "v2")]
        result = recount(records)
        assert room(result)["gross_minor"] == 100
        assert room(result)["viewers"] == 1
        assert (result.counts["future"], result.rejected_by_reason) == (1, {"future": 1})
        assert [(m["orders"], m["visits"]) for m in result.minutes] == [(0, 1)]


class TestVisits:
    def test_a_stay_from_enter_to_leave_and_one_that_falls_silent(self) -> None:
        records = [
            view(0, "v1"),
            view(0, "v2", "like"),
            view(40_000, "v1", "heartbeat"),
            view(70_000, "v1", "leave"),
            tick(70_000),
        ]
        line = room(recount(records))
        assert (line["visits"], line["viewers"], line["online"]) == (2, 2, 0)
        assert (line["peak_online"], line["watch_ms"], line["avg_watch_ms"]) == (2, 70_000, 35_000)
        assert (line["stayed_30s"], line["stayed_60s"], line["stayed_300s"]) == (0.5, 0.5, 0.0)
        assert recount(records).medians["r1"]["median_watch_ms"] == (0, 70_000)

    @pytest.mark.parametrize(("gap_ms", "visits"), [(89_999, 1), (90_000, 2)])
    def test_ninety_seconds_unseen_end_a_visit(self, gap_ms: int, visits: int) -> None:
        line = room(recount([view(0, "v1"), view(gap_ms, "v1", "like")]))
        assert line["visits"] == visits
        assert line["watch_ms"] == (gap_ms if visits == 1 else 0)

    def test_the_watermark_ends_a_silent_visit_before_a_late_sign_of_life(self) -> None:
        records = [view(0, "v1"), tick(95_000), view(89_000, "v1", "like")]
        assert room(recount(records))["visits"] == 2

    def test_a_leave_of_an_absent_viewer_does_nothing(self) -> None:
        line = room(recount([view(0, "v1", "leave"), view(1, "v2")]))
        assert (line["visits"], line["viewers"]) == (1, 1)

    def test_closing_ends_visits_and_events_after_it_count_as_before(self) -> None:
        records = [view(0, "v1"), event("room_closed", 30_000), view(31_000, "v2")]
        line = room(recount(records))
        assert (line["visits"], line["peak_online"], line["watch_ms"]) == (2, 1, 30_000)
        assert line["closed_ms"] == BASE_MS + 30_000

    def test_minutes_count_who_is_in_the_room_at_their_end(self) -> None:
        records = [
            view(0, "v1"),
            view(1_000, "v2"),
            view(30_000, "v2", "leave"),
            view(59_999, "v1", "like"),
            view(61_000, "v3"),
            view(120_000, "v3", "comment"),
        ]
        lines = recount(records).minutes
        assert [(m["visits"], m["online"], m["likes"], m["comments"]) for m in lines] == [
            (2, 1, 1, 0),  # v2 left, v1 stays
            (1, 2, 0, 0),  # v1 was seen 60,001 ms before the end
            (0, 1, 0, 1),  # v1 is gone, v3 was seen
        ]

    def test_a_late_start_and_a_late_leave_take_effect_in_the_first_open_minute(self) -> None:
        records = [
            tick(MINUTE + 5_000),
            view(50_000, "v1"),  # in the closed first minute
            order(MINUTE, "o1", 1),
            tick(2 * MINUTE + 5_000),
            view(MINUTE + 30_000, "v1", "leave"),  # in the closed second minute
            order(2 * MINUTE, "o2", 1),
        ]
        lines = recount(records).minutes
        # At 120 s v1 was seen 70 s ago; by 180 s it would be silent too.
        assert [(m["minute_ms"] - BASE_MS, m["visits"], m["online"]) for m in lines] == [
            (MINUTE, 0, 1),
            (2 * MINUTE, 0, 0),
        ]

    def test_who_is_unseen_for_ninety_seconds_at_the_end_of_a_minute_is_not_online(self) -> None:
        def online(last_seen_ms: int) -> int:
            records = [view(last_seen_ms, "v1"), order(2 * MINUTE - 1, "o1", 1)]
            return int(recount(records).minutes[-1]["online"])

        assert online(30_000) == 0
        assert online(30_001) == 1

    def test_a_partition_that_believes_more_than_the_file_keeps_its_minute_open(self) -> None:
        # Alone in its partition, r3 confirms its own stamps; the file's clock wants another room.
        records = [order(0, f"o{n}", 1) for n in range(4)]
        records += [view(HOUR, f"v{n}", room_id="r3") for n in range(4)]
        result = recount(records, partitions=4)
        assert [m["room_id"] for m in result.minutes] == ["r1"]
        line = room(result, "r3")
        assert (line["online"], line["as_of_ms"]) == (4, BASE_MS + HOUR - 5_000)
        assert (line["avg_watch_ms"], line["stayed_30s"]) == (0, None)
        assert result.watermark_ms == BASE_MS + 115_000


class TestCounts:
    def test_a_checkout_paid_in_time_is_no_unpaid_order(self) -> None:
        half_hour = 30 * MINUTE
        records = [
            checkout(0, "o1"),
            checkout(1_000, "o2"),
            order(MINUTE, "o1", 100),
            tick(half_hour + 6_000),
            order(half_hour, "o2", 100),
        ]
        line = room(recount(records))
        assert (line["checkouts"], line["orders"], line["unpaid_orders"]) == (2, 2, 1)

    def test_the_record_that_moves_the_watermark_pays_too_late(self) -> None:
        paid_at = 30 * MINUTE + 5_000
        late = [tick(0), checkout(0, "o1"), tick(25 * MINUTE), order(paid_at, "o1", 1)]
        assert room(recount(late))["unpaid_orders"] == 1
        in_time = [tick(0), checkout(0, "o1"), tick(25 * MINUTE), order(paid_at - 1, "o1", 1)]
        assert room(recount(in_time))["unpaid_orders"] == 0

    def test_replies_are_timed_from_an_opening_that_was_known(self) -> None:
        records = [
            complaint(0, "c1", "opened"),
            complaint(HOUR // 12, "c1", "replied"),
            complaint(HOUR // 6 - 1, "c1", "resolved"),
            complaint(HOUR // 6, "c2", "replied"),
            complaint(HOUR // 6, "c2", "opened"),
            complaint(HOUR // 6, "c2", "opened"),
        ]
        result = recount(records)
        line = room(result)
        assert (line["complaints_opened"], line["complaints_replied"]) == (2, 2)
        assert line["first_reply_median_ms"] == HOUR // 12
        assert line["resolution_median_ms"] == HOUR // 6 - 1
        assert result.counts["duplicate"] == 1

    def test_ticks_and_rule_sets_count_once_whatever_the_partitions(self) -> None:
        rules = encode(
            {"type": "rules", "event_id": "e", "ts_ms": BASE_MS, "version": 1} | {"rules": {}}
        )
        result = recount([tick(0), rules, view(0, "v1"), b"{"], partitions=4)
        assert result.counts == {
            "events": 4,
            "accepted": 3,
            "duplicate": 0,
            "rejected": 1,
            "late": 0,
            "future": 0,
            "broadcast": 2,
        }
        assert result.by_type == {"tick": 1, "rules": 1, "view": 1}
        assert result.watermark_ms == BASE_MS + 115_000

    def test_a_dead_letter_names_its_place_in_its_partition(self) -> None:
        bad = view(0, "v1", room_id="r3", action="wave")
        result = recount([tick(0), view(0, "v1", room_id="r3"), b"{", bad], partitions=4)
        assert [(d.reason, d.partition, d.offset, d.record) for d in result.dead_letters] == [
            ("not_json", 0, 1, b"{"),
            ("invalid_field", 3, 2, bad),
        ]

    def test_nothing_in_gives_nothing_out(self) -> None:
        result = recount([])
        assert (result.rooms, result.minutes, result.boards) == ([], [], [])
        assert result.watermark_ms is None
        assert result.counts["events"] == 0


class TestBoards:
    def test_net_rank_falls_behind_gross_rank_by_refunds(self) -> None:
        records = [
            opened(0, host_name="一"),
            opened(0, room_id=OTHER, host_id="h2", mcn_id="a1"),
            order(1_000, "o1", 900, merchant_id="m1"),
            order(1_000, "o2", 500, room_id=OTHER, product_id="p2"),
            refund(2_000, "f1", "o1", 600),
            event("exposure", 2_000, impressions=9),
            view(2_000, "v1"),
            view(2_000, "v2"),
            view(2_000, "v2", "click", product_id="p2"),
        ]
        result = recount(records)
        first, second = board(result, "host", currency="CNY")["rows"]
        assert (first["key"], first["rank_gross"], first["rank_net"]) == ("h1", 1, 2)
        assert (first["places_lost"], second["places_lost"]) == (1, -1)
        assert (first["gpm_minor"], second["gpm_minor"]) == (450_000.0, None)
        assert first["show_gpm_minor"] == 100_000.0
        assert first["entry_rate"] == 0.2222
        assert (first["conversion"], first["refund_value_rate"]) == (0.5, 0.6667)
        assert [r["key"] for r in board(result, "mcn", currency="CNY")["rows"]] == ["a1"]
        merchants = board(result, "merchant", currency="CNY")["rows"]
        assert [(r["key"], r["gross_minor"], r["net_minor"]) for r in merchants] == [
            ("m1", 900, 300)
        ]
        products = board(result, "product", currency="CNY")["rows"]
        assert [(r["key"], r["gross_minor"], r["clicks"]) for r in products] == [
            ("p1", 900, 0),
            ("p2", 500, 1),
        ]
        assert products[0]["gpm_minor"] is None

    def test_windows_hold_the_minutes_before_that_of_the_board(self) -> None:
        # The closing tick puts the board at 22 min 55 s: last_10m is minutes 12 to 21.
        records = [
            order(MINUTE, "o1", 1),
            order(2 * MINUTE, "o2", 40),
            order(11 * MINUTE, "o3", 50),
            order(12 * MINUTE, "o4", 60),
            order(21 * MINUTE, "o5", 30),
            tick(21 * MINUTE),
        ]
        result = recount(records)
        assert result.watermark_ms == BASE_MS + 22 * MINUTE + 55_000
        assert board(result, "room", "last_10m")["rows"][0]["gross_minor"] == 90
        assert board(result, "room", "last_60m")["rows"][0]["gross_minor"] == 181
        assert board(result, "room")["rows"][0]["momentum"] == 1.0

    def test_the_day_is_that_of_shanghai(self) -> None:
        # The base is 23:50 there.
        records = [
            order(9 * MINUTE, "o1", 1),
            order(10 * MINUTE, "o2", 40),
            tick(11 * MINUTE),
        ]
        assert board(recount(records), "room", "day")["rows"][0]["gross_minor"] == 40

    def test_currencies_have_boards_of_their_own_with_all_scopes(self) -> None:
        records = [opened(0), order(0, "o1", 5), order(0, "o2", 7, room_id=OTHER)]
        result = recount(records)
        assert len(result.boards) == 44
        unopened = board(result, "room")["rows"]
        assert [(r["key"], r["gross_minor"]) for r in unopened] == [(OTHER, 7)]
        assert board(result, "mode")["rows"] == []

    def test_ties_go_by_key_and_top_cuts_after_ranking(self) -> None:
        records = [order(0, "o1", 5, room_id="r2"), order(0, "o1", 5), order(0, "o3", 9)]
        rows = board(recount(records, top=0), "product")["rows"]
        assert [r["gross_minor"] for r in rows] == [19]
        rows = board(recount(records[:2], top=1), "room")["rows"]
        assert [(r["rank"], r["key"]) for r in rows] == [(1, "r1")]


class TestLaws:
    def test_a_shuffle_keeps_people_in_order_and_openings_in_place(self) -> None:
        records = [view(0, "v1"), view(1, "v2"), view(2, "v1", "leave"), opened(3), view(4, "v3")]
        log = [json.loads(record) for record in records]
        shuffled = shuffle_within_lateness(log, [5_000, 0, 0, 0, 0])
        assert [log.index(e) for e in shuffled] == [1, 0, 2, 3, 4]

    @settings(
        max_examples=40,
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(adversarial_logs())
    def test_the_recount_adds_up(self, records: list[bytes]) -> None:
        result = recount(records, partitions=2)
        assert result.counts["rejected"] == sum(result.rejected_by_reason.values())
        assert result.counts["accepted"] == sum(result.by_type.values())
        assert result.counts["late"] + result.counts["future"] <= result.counts["accepted"]
        in_minutes = sum(line["gross_minor"] for line in result.minutes)
        assert in_minutes <= sum(line["gross_minor"] for line in result.rooms)
        for line in result.rooms:
            assert line["net_minor"] == line["gross_minor"] - line["refunded_minor"]
            assert line["online"] <= line["peak_online"] <= line["visits"]

    @settings(
        max_examples=40,
        database=None,
        derandomize=True,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(shuffled_logs())
    def test_arrival_order_inside_the_bound_changes_no_figure_but_the_peak(
        self, logs: tuple[list[Row], list[Row]]
    ) -> None:
        ordered, shuffled = (recount([encode(e) for e in log], partitions=2) for log in logs)
        for line in (*ordered.rooms, *shuffled.rooms):
            del line["peak_online"]
        assert shuffled.rooms == ordered.rooms
        assert shuffled.minutes == ordered.minutes
        assert shuffled.boards == ordered.boards
        assert shuffled.counts == ordered.counts
