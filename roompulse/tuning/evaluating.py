"""Generated sessions with planted truth, folded under rule sets: how well does detection work?

Thresholds were chosen on seeds 0 to 9; report on others. One team wrote both the generator and the
detectors, so the figures are an upper bound.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from producers.generator import SCENARIOS, ScenarioError
from producers.generator.wanted import Wanted
from roompulse.charts.bars import Bar, Bars, bar_chart
from roompulse.tuning.backtesting import Candidate
from roompulse.tuning.figures import Figures, Share, figures_of
from roompulse.tuning.folding import fold, generated
from roompulse.tuning.judging import Judged, judge
from schemas.rules import RuleSet
from streams.core.integrity.signs import SIGNS

USUAL_SCENARIOS = ("brushing", "viewbots", "silence")


@dataclass(frozen=True, slots=True)
class Plan:
    """What is generated.

    Attributes:
        intensity, audience: for the scenarios that take them.
    """

    seeds: range
    scenarios: Sequence[str] = USUAL_SCENARIOS
    intensity: float | None = None
    audience: float | None = None

    def wanted(self, scenario: str) -> Wanted:
        """The options of a scenario.

        Raises:
            ScenarioError: there is no such scenario.
        """
        if scenario not in SCENARIOS:
            raise ScenarioError(
                f"no scenario is called {scenario!r}; there are {', '.join(SCENARIOS)}"
            )
        options = SCENARIOS[scenario].options
        return Wanted(
            intensity=self.intensity if "intensity" in options else None,
            audience=self.audience if "audience" in options else None,
        )


def evaluate(
    plan: Plan,
    candidates: Sequence[Candidate],
    kinds: Collection[str] = (),
    step: Callable[[str], None] = lambda _: None,
) -> dict[str, Figures]:
    """The figures of each candidate by its name.

    Args:
        plan: what is generated; once for all candidates.
        candidates: the rule sets.
        kinds: look at alerts of these kinds only; at all if empty.
        step: told after each session and candidate what was done.

    Raises:
        ScenarioError: there is no such scenario, or an option is out of range.
    """
    judged: dict[str, list[Judged]] = {each.name: [] for each in candidates}
    for scenario in plan.scenarios:
        wanted = plan.wanted(scenario)
        for seed in plan.seeds:
            chunks, planted = generated(scenario, seed, wanted)
            for each in candidates:
                judged[each.name].append(judge(fold(chunks, each.rules), planted, kinds))
                step(f"{scenario} {seed} {each.name}")
    return {name: figures_of(found) for name, found in judged.items()}


def ablations(rules: RuleSet) -> list[Candidate]:
    """The rule set with each sign of brushed orders off in turn."""
    return [Candidate(f"without {sign}", _without(rules, sign)) for sign in SIGNS]


def _without(rules: RuleSet, sign: str) -> RuleSet:
    plain = rules.model_dump()
    plain["brushing"][sign]["enabled"] = False
    return RuleSet.model_validate(plain)


def recall_chart(name: str, figures: Figures) -> str:
    """Recall and pages of each adversary with their intervals, as SVG."""
    rows = [
        Bars(each.adversary, [_bar(each.alerted), _bar(each.paged)]) for each in figures.adversaries
    ]
    title = f"Planted incidents found, {name}: share of rooms, 95 % interval"
    return bar_chart(title, rows, series=("raised", "paged"))


def _bar(share: Share) -> Bar:
    return Bar(share.value, share.least, share.most)
