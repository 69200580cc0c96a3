"""The definition of a visit, clause by clause, and what a room's audience adds up to."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from streams.core import limits
from streams.core.audience import Audience
from streams.core.pane import Panes
from streams.core.stickiness.state import Stickiness
from tests.unit.making import MINUTE, view


class Watched:
    """An audience, at a watermark that closes minutes as the fold does."""

    def __init__(self) -> None:
        self._panes = Panes("r", {})
        self._open_from_ms = -MINUTE
        evictions = limits.Evictions()
        days = Stickiness(ZoneInfo("Asia/Shanghai"), evictions).of("r")
        self.audience = Audience(self._panes, evictions, days)
        self.lines: list[Any] = []

    def see(
        self, viewer_id: str, ts_ms: int, action: str = "enter", watermark_ms: int | None = None
    ) -> None:
        mark = ts_ms - 5_000 if watermark_ms is None else watermark_ms
        self._close_minutes(mark)
        self.audience.view(view(viewer_id, ts_ms, action), mark, self._open_from_ms)

    def pass_to(self, watermark_ms: int) -> None:
        self._close_minutes(watermark_ms)
        self.audience.expire(watermark_ms, self._open_from_ms)

    def close(self, ts_ms: int) -> None:
        self._close_minutes(ts_ms - 5_000)
        self.audience.close(ts_ms, ts_ms - 5_000, self._open_from_ms)

    def _close_minutes(self, watermark_ms: int) -> None:
        before_ms = watermark_ms - watermark_ms % MINUTE
        if before_ms > self._open_from_ms:
            self.audience.expire(watermark_ms, self._open_from_ms)
            self.lines += [
                self._panes.line(pane, online)
                for pane, online in self._panes.close(before_ms)
                if pane.has_a_line()
            ]
            self._open_from_ms = before_ms

    @property
    def visits(self) -> tuple[int, int, int]:
        """Visits, of them open ones, and the time watched."""
        return self.audience.visits, self.audience.online, self.audience.watch_ms


def test_an_enter_starts_a_visit_and_a_leave_ends_it_at_its_stamp() -> None:
    watched = Watched()
    watched.see("v", 1_000)
    assert watched.visits == (1, 1, 0)
    watched.see("v", 21_000, "leave")
    assert watched.visits == (1, 0, 20_000)


@pytest.mark.parametrize(
    "action", ["heartbeat", "click", "cart", "comment", "like", "share", "follow", "gift"]
)
def test_any_other_action_of_an_absent_viewer_starts_a_visit(action: str) -> None:
    watched = Watched()
    watched.see("v", 1_000, action)
    assert watched.visits == (1, 1, 0)


def test_a_leave_of_an_absent_viewer_does_nothing() -> None:
    watched = Watched()
    watched.see("v", 1_000, "leave")
    assert watched.visits == (0, 0, 0)
    assert watched.audience.viewers.count() == 0


def test_a_second_enter_without_leave_continues_the_visit() -> None:
    watched = Watched()
    watched.see("v", 1_000)
    watched.see("v", 31_000)
    assert watched.visits == (1, 1, 30_000)


def test_a_viewer_seen_again_within_90_s_is_still_there() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.see("v", 89_999, "like")
    assert watched.visits == (1, 1, 89_999)


def test_after_90_s_unseen_the_visit_ended_when_last_seen_and_another_begins() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.see("v", 10_000, "heartbeat")
    watched.see("v", 100_000, "like")
    assert watched.visits == (2, 1, 10_000)
    assert watched.audience.ended == 1


def test_a_leave_after_90_s_unseen_ends_the_visit_when_last_seen() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.see("v", 90_000, "leave")
    assert watched.visits == (1, 0, 0)


def test_the_watermark_ends_silent_visits_when_last_seen() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.see("v", 50_000, "heartbeat")
    watched.pass_to(139_999)
    assert watched.audience.online == 1
    watched.pass_to(140_000)
    assert watched.visits == (1, 0, 50_000)


def test_a_late_event_of_a_viewer_whom_the_watermark_ended_starts_a_new_visit() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.see("v", 30_000, "heartbeat", watermark_ms=90_000)
    assert watched.audience.visits == 2


def test_a_view_that_is_long_late_starts_a_visit_that_is_silent_already() -> None:
    watched = Watched()
    watched.see("w", 600_000)
    watched.see("v", 1_000, "like", watermark_ms=595_000)
    watched.see("x", 1_000, "like", watermark_ms=595_000)
    watched.pass_to(595_000)
    assert watched.visits == (3, 1, 0)
    assert watched.audience.peak_online == 2


def test_a_viewer_about_to_fall_silent_and_seen_late_stays_a_little_longer() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.see("w", 66_000)
    watched.see("v", 1_000, "heartbeat", watermark_ms=61_000)
    watched.pass_to(90_500)
    assert watched.audience.online == 2
    watched.pass_to(91_000)
    assert watched.visits == (2, 1, 1_000)


def test_an_event_out_of_order_does_not_take_time_back() -> None:
    watched = Watched()
    watched.see("v", 10_000)
    watched.see("v", 20_000, "heartbeat")
    watched.see("v", 15_000, "comment")
    watched.see("v", 30_000, "leave")
    assert watched.visits == (1, 0, 20_000)


def test_a_leave_stamped_before_its_enter_ends_a_visit_of_no_length() -> None:
    watched = Watched()
    watched.see("v", 10_000)
    watched.see("v", 8_000, "leave")
    assert watched.visits == (1, 0, 0)
    assert watched.audience.stays.median() == 0


def test_a_leave_stamped_before_the_last_sign_of_life_ends_the_visit_at_its_own_stamp() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.see("v", 20_000, "heartbeat")
    watched.see("v", 18_000, "leave")
    assert watched.visits == (1, 0, 18_000)


def test_the_end_of_the_room_ends_all_visits_and_what_comes_after_counts_as_before() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.see("w", 10_000)
    watched.close(40_000)
    assert watched.visits == (2, 0, 70_000)
    watched.see("v", 41_000, "like")
    assert watched.visits == (3, 1, 70_000)


def test_the_end_of_the_room_does_not_lengthen_a_visit_that_was_silent() -> None:
    watched = Watched()
    watched.see("v", 0)
    watched.close(200_000)
    assert watched.visits == (1, 0, 0)


def test_the_peak_is_of_visits_open_at_once() -> None:
    watched = Watched()
    watched.see("a", 0)
    watched.see("b", 1_000)
    watched.see("a", 2_000, "leave")
    watched.see("c", 3_000)
    assert watched.audience.peak_online == 2


def test_the_peak_leaves_out_visits_that_the_watermark_had_ended() -> None:
    watched = Watched()
    watched.see("a", 0)
    watched.see("b", 100_000)
    assert watched.audience.online == 1
    assert watched.audience.peak_online == 1


def test_shares_of_stays_and_their_median() -> None:
    watched = Watched()
    for viewer_id, stay_ms in (("a", 29_999), ("b", 30_000), ("c", 60_000)):
        watched.see(viewer_id, 0)
        watched.see(viewer_id, stay_ms, "leave")
    for ts_ms in range(0, 300_001, 60_000):
        watched.see("d", ts_ms)
    watched.see("d", 300_000, "leave")
    audience = watched.audience
    assert audience.ended == 4
    assert audience.stayed == [3, 2, 1, 0, 0]
    assert audience.stays.median() == pytest.approx(45_000, rel=0.05)


def test_each_action_is_counted_and_entering_is_none() -> None:
    watched = Watched()
    for action in ("enter", "heartbeat", "like", "like", "comment", "gift", "cart", "leave"):
        watched.see("v", 1_000, action)
    counted = {name: count for name, count in watched.audience.actions.items() if count}
    assert counted == {"like": 2, "comment": 1, "gift": 1, "cart": 1}


def lines(watched: Watched, before_ms: int) -> list[tuple[int, int, int]]:
    """Minute, visit starts and people online of each line."""
    watched.pass_to(before_ms)
    return [(line.minute_ms // MINUTE, line.visits, line.online) for line in watched.lines]


def test_online_of_a_minute_is_who_is_there_at_its_end() -> None:
    watched = Watched()
    watched.see("a", 10_000)
    watched.see("b", 20_000)
    watched.see("a", 30_000, "leave")
    watched.see("c", 70_000)
    watched.see("b", 75_000, "heartbeat")
    assert lines(watched, 2 * MINUTE) == [(0, 2, 1), (1, 1, 2)]


def test_a_silent_viewer_is_online_until_90_s_have_passed() -> None:
    watched = Watched()
    watched.see("a", 0)
    watched.see("b", 61_000)
    watched.see("c", 125_000)
    assert lines(watched, 3 * MINUTE) == [(0, 1, 1), (1, 1, 1), (2, 1, 1)]


def test_a_late_start_is_in_no_minute_but_online_from_the_first_open_one() -> None:
    watched = Watched()
    watched.see("a", 130_000)
    watched.see("b", 59_000, "enter", watermark_ms=125_000)
    watched.see("b", 131_000, "heartbeat")
    assert lines(watched, 3 * MINUTE) == [(2, 1, 2)]


def test_an_action_in_a_closed_minute_counts_in_the_room_alone() -> None:
    watched = Watched()
    watched.see("a", 130_000)
    watched.see("a", 59_000, "like", watermark_ms=125_000)
    watched.pass_to(3 * MINUTE)
    assert [line.likes for line in watched.lines] == [0]
    assert watched.audience.actions["like"] == 1


def test_an_audience_is_the_same_after_a_restart() -> None:
    watched, again = Watched(), Watched()
    for ts_ms, viewer_id, action in (
        (0, "a", "enter"),
        (1_000, "b", "like"),
        (2_000, "a", "leave"),
    ):
        watched.see(viewer_id, ts_ms, action)
    state: list[Any] = watched.audience.snapshot()
    again.audience.restore(state)
    assert again.audience.snapshot() == state
    again.pass_to(91_000)
    assert again.visits == (2, 0, 2_000)
