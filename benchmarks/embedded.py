"""What does the whole computation cost without a broker? From lines in memory to all results.

And what of it do the detectors cost: the same with all of them off, measured in the same round.
"""

from collections.abc import Sequence

from benchmarks.context import Context, Figures
from benchmarks.timing import rates
from schemas.detector_rules import DetectorRules
from schemas.rules import DEFAULT_RULES, RuleSet, rule_set
from streams.embedded import EmbeddedRun, Results

WITHOUT_DETECTORS = rule_set(
    {
        section: {"enabled": False}
        for section, rules in DEFAULT_RULES
        if isinstance(rules, DetectorRules)
    }
)


def measure(context: Context) -> Figures:
    """Fold the festival session as `roompulse run` does, its end and its boards included."""
    chunks = context.session()
    return rates(sum(map(len, chunks)), lambda: folded(chunks))


def measure_without_detectors(context: Context) -> Figures:
    """The same with every detector off, and nobody who looks for rings or price wars."""
    chunks = context.session()
    return rates(sum(map(len, chunks)), lambda: folded(chunks, WITHOUT_DETECTORS))


def folded(chunks: Sequence[Sequence[bytes]], rules: RuleSet | None = None) -> Results:
    """The results of a session, by rules instead of those that it holds."""
    run = EmbeddedRun(rules=rules)
    for chunk in chunks:
        run.feed(chunk)
    return run.finish()
