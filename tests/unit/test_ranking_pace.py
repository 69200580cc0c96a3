"""Boards are ranked soon after views came, not before the others did, and not too often."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streams.shell.ranking_pace import RankingPace

SECONDS = 1.0
STEP = 0.001


def ranked_at(arrivals: list[float], until: float, cost: float = 0.0) -> list[float]:
    """When it ranks, if it is asked again and again while things come at some times."""
    pace, waiting, moments = RankingPace(SECONDS, 0.0), sorted(arrivals), []
    for at in range(round(until / STEP)):
        now = at * STEP
        while waiting and waiting[0] <= now:
            waiting.pop(0)
            pace.came(now)
        if pace.is_due(now):
            pace.ranked(now, cost, is_done=True)
            moments.append(now)
    return moments


def test_what_is_there_at_the_start_is_ranked_at_once_and_only_once() -> None:
    assert ranked_at([], 5.0) == [0.0]


def test_views_of_eight_partitions_that_come_together_are_ranked_together() -> None:
    views = [1.0 + number * 0.012 for number in range(8)]
    (first, after) = ranked_at(views, 3.0)
    assert first == 0.0
    assert views[-1] < after < views[-1] + 0.05


@given(st.lists(st.floats(0.0, 4.0), max_size=30), st.floats(0.0, 0.1))
def test_nothing_waits_longer_than_the_pace_and_ranking_costs_a_twentieth(
    arrivals: list[float], cost: float
) -> None:
    pause = max(SECONDS / 4, cost * 20)
    moments = ranked_at(arrivals, 4.0 + 2 * pause + 0.2, cost)
    for one, other in pairwise(moments):
        assert other - one >= pause - STEP
    for arrival in arrivals:
        assert any(arrival <= at <= arrival + pause + 0.15 + 2 * STEP for at in moments)


def test_what_could_not_be_published_is_ranked_again() -> None:
    pace = RankingPace(SECONDS, 0.0)
    pace.ranked(0.0, 0.0, is_done=False)
    assert pace.wait_seconds(0.1) is not None
    assert not pace.is_due(0.1)
    assert pace.is_due(0.25)
    pace.ranked(0.25, 0.0, is_done=True)
    assert pace.wait_seconds(0.3) is None
    assert not pace.is_due(9.0)
