"""Everything that the shipped dashboards ask of a Prometheus, as Grafana asks it."""

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.prometheus.programs import ask

DASHBOARDS = Path(__file__).parents[2] / "deploy" / "grafana" / "json"
_LABEL_VALUES = re.compile(r"label_values\((?P<series>.+), (?P<label>\w+)\)")
_GRAPH_STEPS = 240  # about as many points as a graph has pixels for, so that a query is as dear


@dataclass(frozen=True, slots=True)
class Question:
    """One query of one panel."""

    page: str
    panel: str
    expr: str
    over_time: bool

    def __str__(self) -> str:
        return f"{self.page}, {self.panel}: {self.expr}"

    def asked(self, variables: Mapping[str, str]) -> str:
        """With the choices of a person in it, and the two that Grafana makes."""
        text = self.expr
        for name in sorted(variables, key=len, reverse=True):
            text = text.replace(f"${name}", variables[name])
        assert "$" not in text.replace('"$1"', ""), text
        return text

    def answer(
        self, url: str, variables: Mapping[str, str], begin: float, end: float
    ) -> list[dict[str, Any]]:
        """The series that have a value, of now or of a time."""
        query = self.asked(variables)
        if self.over_time:
            step = max(1.0, (end - begin) / _GRAPH_STEPS)
            found = ask(url, "query_range", query=query, start=begin, end=end, step=step)
        else:
            found = ask(url, "query", query=query, time=end)
        return [one for one in found["result"] if any(map(math.isfinite, _values(one)))]


def questions() -> list[Question]:
    """All of them, in the order of the pages."""
    return [
        Question(path.stem, panel["title"], target["expr"], bool(target.get("range")))
        for path, page in _pages()
        for panel in page["panels"]
        for target in panel.get("targets", ())
    ] + [
        Question(path.stem, f"marks of {one['name']}", one["expr"], over_time=True)
        for path, page in _pages()
        for one in page.get("annotations", {}).get("list", ())
    ]


def choices() -> set[str]:
    """The queries behind the choices at the top of the pages."""
    return {
        variable["query"]
        for _, page in _pages()
        for variable in page["templating"]["list"]
        if variable["type"] == "query"
    }


def chosen_from(url: str, query: str, variables: Mapping[str, str], end: float) -> list[str]:
    """What a person may choose from."""
    found = _LABEL_VALUES.fullmatch(query)
    assert found, query
    series = found["series"]
    for name, value in variables.items():
        series = series.replace(f"${name}", value)
    path = f"label/{found['label']}/values"
    values: list[str] = ask(url, path, **{"match[]": series, "start": end - 60, "end": end})
    return values


def _pages() -> Iterator[tuple[Path, dict[str, Any]]]:
    for path in sorted(DASHBOARDS.glob("*.json")):
        yield path, json.loads(path.read_text(encoding="utf-8"))


def _values(series: dict[str, Any]) -> list[float]:
    pairs = series["values"] if "values" in series else [series["value"]]
    return [float(value) for _, value in pairs]
