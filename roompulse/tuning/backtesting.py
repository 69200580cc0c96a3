"""Recorded sessions under other rules: what each set would have raised, and how they differ."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from roompulse.charts.lines import Panel, line_chart
from roompulse.tuning.figures import Figures, figures_of
from roompulse.tuning.fired import Difference, Fired, difference, fired
from roompulse.tuning.folding import fold, planted_beside
from roompulse.tuning.judging import Judged, judge
from roompulse.tuning.sweeping import Setting
from schemas.rules import RuleSet

# The chunks of a session, watched by whoever shows how far it is: the session, what it is for.
Read = Callable[[Path, str], Iterable[list[bytes]]]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A rule set by the name that it is shown under; None for what the log puts in force."""

    name: str
    rules: RuleSet | None


@dataclass(frozen=True, slots=True)
class Backtest:
    """One session under each candidate."""

    session: Path
    fired: dict[str, list[Fired]]

    def differences(self) -> dict[tuple[str, str], Difference]:
        """The first candidate against each of the others."""
        first, *others = self.fired
        return {
            (first, other): difference(self.fired[first], self.fired[other]) for other in others
        }

    def plain(self) -> dict[str, Any]:
        """As plain values, for JSON."""
        return {
            "session": str(self.session),
            "fired": {
                name: [asdict(each) for each in incidents] for name, incidents in self.fired.items()
            },
            "differences": [
                {"first": first, "second": second, **asdict(found)}
                for (first, second), found in self.differences().items()
            ],
        }


def backtest(
    session: Path, candidates: Sequence[Candidate], partitions: int, read: Read
) -> Backtest:
    """Fold one session under each candidate.

    Raises:
        SessionFileError: it is no session file, or not in order of arrival.
    """
    return Backtest(
        session,
        {
            each.name: fired(fold(read(session, each.name), each.rules, partitions).results.alerts)
            for each in candidates
        },
    )


@dataclass(frozen=True, slots=True)
class Swept:
    """What one setting of a swept rule comes to over all sessions.

    Attributes:
        figures: against the truth beside the sessions; None where no session has one.
    """

    value: float
    pages: int
    reviews: int
    figures: Figures | None


def sweep(
    sessions: Sequence[Path], settings: Sequence[Setting], partitions: int, read: Read
) -> list[Swept]:
    """Fold all sessions under each setting.

    Raises:
        SessionFileError: one is no session file, or not in order of arrival.
        TruthError: the truth beside one cannot be read.
    """
    truths = {session: planted_beside(session) for session in sessions}
    found = []
    for number, setting in enumerate(settings, start=1):
        severities: list[str] = []
        judged: list[Judged] = []
        for session in sessions:
            name = f"{setting.value:g} ({number} of {len(settings)})"
            folded = fold(read(session, name), setting.rules, partitions)
            severities += [each.severity for each in fired(folded.results.alerts)]
            planted = truths[session]
            if planted is not None:
                judged.append(judge(folded, planted))
        figures = figures_of(judged) if judged else None
        pages, reviews = severities.count("page"), severities.count("review")
        found.append(Swept(setting.value, pages, reviews, figures))
    return found


def sweep_chart(name: str, swept: Sequence[Swept]) -> str:
    """The sweep as SVG: alerts, and against the truth recall and false alarms."""
    panels = [
        Panel(
            "incidents",
            {
                "pages": [(each.value, each.pages) for each in swept],
                "reviews": [(each.value, each.reviews) for each in swept],
            },
        )
    ]
    told = [(each.value, each.figures) for each in swept if each.figures is not None]
    recall = [(value, figures.recall.value) for value, figures in told if figures.recall]
    paged = [(value, figures.paged.value) for value, figures in told if figures.paged]
    if recall:
        panels.append(Panel("share of planted", {"raised": recall, "paged": paged}))
    if told:
        pages = [(value, float(figures.false_pages)) for value, figures in told]
        reviews = [(value, float(figures.false_reviews)) for value, figures in told]
        panels.append(Panel("false, clean rooms", {"pages": pages, "reviews": reviews}))
    return line_chart(f"Sweep of {name}", name, panels)
