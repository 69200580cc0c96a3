"""Charts are well-formed whatever they show, fit their place, and fall back on nothing."""

import re
from xml.etree import ElementTree as ET

import pytest

from roompulse.charts.bars import Bar, Bars, bar_chart
from roompulse.charts.lines import Panel, line_chart
from roompulse.charts.spans import Span, span_chart
from roompulse.charts.svg import COLOURS, round_step, time_step_minutes

ODD = '<&">'


def _bars(*, alone: bool = True) -> str:
    rows = [
        Bars(ODD, [Bar(0.5, 0.1, 0.9), None]),
        Bars("less", [Bar(-0.5, words=ODD), Bar(0)]),
    ]
    return bar_chart(ODD, rows, series=(ODD, "other"), alone=alone)


def _spans(*, alone: bool = True) -> str:
    spans = [Span(ODD, 0, 10, 0, [0, 5], ODD), Span("late", 9, 10, 7, [], "")]
    return span_chart(
        ODD,
        spans,
        kinds={ODD: 0, "b": 4},
        ticks=[(0, ODD), (10, "end")],
        bounds=(0, 10),
        alone=alone,
    )


def _lines(*, alone: bool = True) -> str:
    panel = Panel(ODD, {ODD: [(1, 0.2), (2, 7_654)], "b": [(1, 1)]}, lambda _: ODD, [1.5])
    return line_chart(ODD, ODD, [panel] * 3, ticks=[(1.0, ODD)], alone=alone)


@pytest.mark.parametrize("draw", [_bars, _spans, _lines])
@pytest.mark.parametrize("alone", [True, False])
def test_a_chart_is_well_formed_and_says_what_it_shows(draw: object, *, alone: bool) -> None:
    assert callable(draw)
    root = ET.fromstring(draw(alone=alone))
    assert root.get("role") == "img"
    assert root.get("aria-label") == ODD
    assert next(iter(root.iter())).tag.endswith("svg")
    assert alone == any(element.tag.endswith("style") for element in root.iter())


@pytest.mark.parametrize("draw", [_bars, _spans, _lines])
def test_horizontal_places_are_shares_of_the_width(draw: object) -> None:
    assert callable(draw)
    for share in re.findall(r' (?:x|x1|x2|cx|width)="([\d.-]+)%"', draw(alone=False)):
        assert 0 <= float(share) <= 100


def test_a_chart_of_one_point_and_one_of_nothing_but_zeros_are_drawn() -> None:
    ET.fromstring(line_chart("one", "x", [Panel("p", {"a": [(1, 0)]})]))
    root = ET.fromstring(bar_chart("none", [Bars("a", [Bar(0)])]))
    assert not [each for each in root.iter() if each.get("class") == "s0"], "nothing is no bar"


def test_the_axis_of_a_count_has_no_line_between_two_counts() -> None:
    panel = Panel("online", {"a": [(1, 0), (2, 1)]}, lambda value: f"at {value:g}", is_whole=True)
    assert re.findall(r"at [\d.]+", line_chart("t", "x", [panel])) == ["at 1"]


@pytest.mark.parametrize(("most", "step"), [(4, 1), (7, 2), (100, 50), (0.2, 0.05), (3_999, 1_000)])
def test_steps_are_round(most: float, step: float) -> None:
    assert round_step(most) == pytest.approx(step)


@pytest.mark.parametrize(
    ("minutes", "most", "step"), [(5, 6, 1), (181, 6, 60), (75 * 1_440, 120, 1_440), (10**7, 6, 1)]
)
def test_steps_of_time_fit_as_often_as_they_may(minutes: int, most: int, step: int) -> None:
    found = time_step_minutes(minutes, most)
    assert minutes <= found * most
    assert found == step or minutes == 10**7


def test_colours_begin_again_after_the_last() -> None:
    spans = [Span("a", 0, 1, COLOURS, [], "")]
    drawn = span_chart("t", spans, kinds={"k": 0}, ticks=[], bounds=(0, 1))
    assert 'class="s0"' in drawn
