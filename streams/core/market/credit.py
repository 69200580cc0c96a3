"""How far can a host, an agency or a merchant be trusted? A score of 0 to 100, its parts shown.

`credit.json`: `{formula, hosts, mcns, merchants}`. Each measure is a count over a base. Where the
base is small, little follows: the rate is drawn to what is usual, as if `prior` more of the base
had been seen at the usual rate, so one order decides nothing. The shrunk rate becomes points along
a straight line; a part has the mean of its measures, the score the mean of the parts by weight. A
measure without a base is null; so is a part without a measure, and the rest weigh more. All numbers
of the formula are rules (`credit`).
"""

from collections.abc import Iterable, Mapping
from typing import Final

from schemas.score_rules import CreditRules, MeasureRule
from streams.core.dictionary import rate
from streams.core.market.measures import SCOPES, Known, Place, Sections
from streams.core.stickiness.facts import Row

# Part, measure, and the fields of `Known` that are the count and its base.
MEASURES: Final = (
    ("integrity", "suspected_orders", "suspected_orders", "orders"),
    ("integrity", "integrity_alerts", "integrity_alerts", "shows"),
    ("after_sales", "complaints", "complaints", "orders"),
    ("after_sales", "quality_refunds", "quality_refunds", "orders"),
    ("after_sales", "breaches", "breaches", "judged"),
    ("stickiness", "returning_viewers", "returning_viewers", "viewers"),
    ("stickiness", "repeat_buyers", "repeat_buyers", "buyers"),
    ("price_honesty", "price_alerts", "price_alerts", "shows"),
    ("price_honesty", "price_complaints", "price_complaints", "orders"),
)
PARTS: Final = ("integrity", "after_sales", "stickiness", "price_honesty")
_FULL: Final = 100


def credit(known: Mapping[Place, Known], rules: CreditRules) -> Sections:
    """What `credit.json` holds.

    Args:
        known: what is known of each key, sorted.
        rules: the formula.
    """
    sections: Sections = {"formula": formula(rules)}
    for scope in SCOPES:
        sections[scope] = [
            {"key": key} | score_of(each, rules) for (of, key), each in known.items() if of == scope
        ]
    return sections


def formula(rules: CreditRules) -> Row:
    """The formula in words and in numbers, as it stands beside what it made."""
    return {
        "formula": rules.formula,
        "score": "sum of weight x points over the parts that are known / sum of their weights",
        "part": "mean of the points of its measures that are known",
        "points": "100 x (shrunk - none) / (full - none), kept within 0 and 100",
        "shrunk": "(count + usual x prior) / (base + prior)",
        "weights": rules.weights.model_dump(),
        "measures": {name: getattr(rules, name).model_dump() for _, name, _, _ in MEASURES},
    }


def score_of(known: Known, rules: CreditRules) -> Row:
    """The score of one key, with every part and every measure."""
    parts = []
    for part in PARTS:
        measures = [
            _measured(name, getattr(rules, name), getattr(known, count), getattr(known, base))
            for of, name, count, base in MEASURES
            if of == part
        ]
        weight = getattr(rules.weights, part)
        points = mean((each["points"], 1.0) for each in measures)
        parts.append({"part": part, "weight": weight, "points": points, "measures": measures})
    return {
        "score": mean((part["points"], part["weight"]) for part in parts),
        "missing": [part["part"] for part in parts if part["points"] is None],
        "parts": parts,
    }


def _measured(name: str, rule: MeasureRule, count: int, base: int | None) -> Row:
    if not base:
        count_shown = None if base is None else count
        row: Row = {"measure": name, "count": count_shown, "base": base}
        return row | {"rate": None, "shrunk": None, "points": None}
    shrunk = (count + rule.usual * rule.prior) / (base + rule.prior)
    return {
        "measure": name,
        "count": count,
        "base": base,
        "rate": rate(count, base),
        "shrunk": round(shrunk, 4),
        "points": points_between(shrunk, rule.none, rule.full),
    }


def points_between(value: float, none: float, full: float) -> float:
    """Points from 0 at `none` to 100 at `full`, along a straight line."""
    share = (value - none) / (full - none)
    return round(_FULL * min(1.0, max(0.0, share)), 1)


def mean(weighed: Iterable[tuple[object, float]]) -> float | None:
    """The weighed mean of the points that are known, one decimal; null where none is."""
    known = [(points, weight) for points, weight in weighed if isinstance(points, float)]
    whole = sum(weight for _, weight in known)
    return round(sum(points * weight for points, weight in known) / whole, 1) if whole else None
