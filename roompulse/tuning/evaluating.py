"""Generated sessions with planted truth, folded under rule sets: how well does detection work?

Thresholds were chosen on seeds 0 to 9; report on others. One team wrote both the generator and the
detectors, so the figures are an upper bound.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any

from producers.generator import SCENARIOS, ScenarioError
from producers.generator.wanted import Wanted
from roompulse.tuning.backtesting import Candidate
from roompulse.tuning.chart import Bar, bar_chart
from roompulse.tuning.figures import Figures, Share, figures_of
from roompulse.tuning.folding import fold, generated
from roompulse.tuning.judging import Judged, judge
from schemas.rules import RuleSet

USUAL_SCENARIOS = ("brushing", "silence")

_NEVER = 1_000_000_000
# Rules under which a sign is set in no order, or only where money comes back within a minute; its
# cell stays empty then.
_OFF: dict[str, dict[str, Any]] = {
    "repeat_buyer": {"repeat_orders": _NEVER},
    "tiny_dwell": {"tiny_dwell_ms": 1},
    "shared_device": {"device_buyers": _NEVER},
    "shared_payment": {"payment_buyers": _NEVER},
    "shared_address": {"address_buyers": _NEVER},
    "quick_refund": {"quick_refund_minutes": 1},
}
# No rule turns these off. They are made to weigh as little as rules can: a sign is never taken to
# be less than four times likelier under attack than among normal orders.
_MUTED: dict[str, dict[str, Any]] = {
    "no_visit": {"no_visit": {"base": 0.03, "under_attack": 0.001}},
    "young_account": {
        "young_days": 1,
        "young_account": {"base": 0.04, "under_attack": 0.001},
    },
}


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
    """The rule set with each sign off in turn; `muted` where rules cannot turn it off wholly."""
    return [
        Candidate(f"{word} {sign}", _changed(rules, change))
        for word, changes in (("without", _OFF), ("muted", _MUTED))
        for sign, change in changes.items()
    ]


def _changed(rules: RuleSet, change: dict[str, Any]) -> RuleSet:
    plain = rules.model_dump()
    plain["brushing"] |= change
    return RuleSet.model_validate(plain)


def recall_chart(name: str, figures: Figures) -> str:
    """Recall and pages of each adversary with their intervals, as SVG."""
    bars = []
    for each in figures.adversaries:
        bars.append(_bar(f"{each.adversary} raised", each.alerted))
        bars.append(_bar(f"{each.adversary} paged", each.paged))
    return bar_chart(f"Planted incidents found, {name}: share of rooms, 95 % interval", bars)


def _bar(name: str, share: Share) -> Bar:
    return Bar(name, share.value, share.least, share.most)
