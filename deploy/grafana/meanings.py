"""What does a panel show? Its description, made from the dictionary of the figures.

Every metric that a query names is explained: a figure of rooms or boards by the dictionary, the
rest by what `/metrics` says of it, a recorded sum by the metrics that it is made from.
"""

import re
from functools import cache
from pathlib import Path
from typing import Any, Final

import yaml

from streams.core.dictionary import FIGURES, RATIOS
from streams.shell.metrics import WorkerCollector, WorkerView

RECORDING_RULES: Final = Path(__file__).parents[1] / "prometheus" / "rules" / "recording.yml"
NAME: Final = re.compile(r"\b(?:[a-z]+:)?roompulse[_:][a-z0-9_]+(?::[a-z0-9_]+)*")
_OF_FIGURES = re.compile(r"roompulse_(?:board|platform|room)_(?P<figure>[a-z0-9_]+)")
# Columns of boards that are not figures of one room.
_OF_BOARDS = {
    "momentum": "Gross GMV of the last ten closed minutes over that of the ten before.",
    "places_lost": "How many places lower the row stands by trusted than by gross GMV.",
}


def metrics_of(expr: str) -> list[str]:
    """The metrics that a query rests on, each once; those behind recorded sums instead of these."""
    found: dict[str, None] = {}
    for name in NAME.findall(expr):
        if ":" in name:
            for each in _recorded()[name]:
                found.update(dict.fromkeys(metrics_of(each)))
        else:
            found[name] = None
    return list(found)


def meaning(metric: str) -> str:
    """One sentence or two on a metric.

    Raises:
        KeyError: no worker shows it.
    """
    if found := _OF_FIGURES.fullmatch(metric):
        figure = found["figure"]
        if text := _figures().get(figure) or _OF_BOARDS.get(figure):
            return text
    return _exported()[metric]


def describe(about: str, exprs: list[str]) -> str:
    """The description of a panel: what to think of it, then its metrics."""
    metrics = dict.fromkeys(metric for expr in exprs for metric in metrics_of(expr))
    lines = dict.fromkeys(f"- `{_short(metric)}`: {meaning(metric)}" for metric in metrics)
    return "\n".join(filter(None, [about, "\n".join(lines)]))


def exported() -> frozenset[str]:
    """The names of all series that a worker shows."""
    return frozenset(_exported())


def _short(metric: str) -> str:
    found = _OF_FIGURES.fullmatch(metric)
    return found["figure"] if found and found["figure"] in _figures() else metric


@cache
def _figures() -> dict[str, str]:
    texts = {one.name: f"{one.meaning} In {one.unit}." for one in FIGURES}
    return texts | {one.name: one.meaning for one in RATIOS}


@cache
def _exported() -> dict[str, str]:
    nothing = WorkerView({}, {}, {}, [], {}, leads=False, now=0.0, epoch_ms=0)
    return {
        f"{family.name}_total" if family.type == "counter" else family.name: family.documentation
        for family in WorkerCollector(lambda: nothing, rows=0).collect()
    }


@cache
def _recorded() -> dict[str, list[str]]:
    """The expressions behind each recorded name."""
    rules: dict[str, Any] = yaml.safe_load(RECORDING_RULES.read_text(encoding="utf-8"))
    found: dict[str, list[str]] = {}
    for group in rules["groups"]:
        for rule in group["rules"]:
            found.setdefault(rule["record"], []).append(rule["expr"])
    return found
