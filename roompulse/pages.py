"""The pages of `docs/` that are made from code: figures and metrics, limits, topics, settings.

They are checked in; a test holds them byte for byte against what this module makes.
`python -m roompulse.pages` writes them below the working directory, `--check` only looks. (The page
of the events and the machine-readable forms are `schemas.export`'s.)
"""

import sys
from pathlib import Path

from pydantic_core import PydanticUndefined

from schemas import topics
from schemas.kafka_access import VARIABLES
from schemas.rules import DEFAULT_RULES
from streams.core.dictionary import FIGURES, RATIOS, Ratio
from streams.core.file_dictionary import FILE_FIGURES
from streams.core.limits import CAPS
from streams.core.market import agencies, credit
from streams.core.market.dictionary import SECTIONS
from streams.shell.metrics import WorkerCollector, WorkerView
from streams.shell.settings import WorkerSettings

_ORIGIN = "Made from `{source}` by `python -m roompulse.pages`; do not edit.\n"
_HOUR_MS = 3_600_000


def documents() -> dict[str, str]:
    """The text of each page, by its path below the root of the checkout."""
    return {
        "docs/metrics.md": metrics_page(),
        "docs/limits.md": limits_page(),
        "docs/market.md": market_page(),
        "docs/topics.md": topics_page(),
        "docs/settings.md": settings_page(),
    }


def outdated(root: Path) -> list[Path]:
    """The pages below `root` that are absent or differ from what the code says now."""
    return [
        root / name
        for name, text in documents().items()
        if not (root / name).is_file() or (root / name).read_bytes() != text.encode()
    ]


def write(root: Path) -> list[Path]:
    """Write all pages below `root`; those that were not so before."""
    texts, changed = documents(), outdated(root)
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path.relative_to(root).as_posix()], encoding="utf-8")
    return changed


def metrics_page() -> str:
    """Every figure of a room, every derived figure, every Prometheus metric."""
    figures = [[f"`{one.name}`", one.unit, one.meaning, one.source] for one in FIGURES]
    ratios = [[f"`{one.name}`", _formula(one), one.meaning, one.source] for one in RATIOS]
    ratios.append(
        [
            "`momentum`",
            "`gross_minor` of 10 min / of the 10 before",
            "Gross GMV of the last ten closed minutes over that of the ten before.",
            "WeChat Channels",
        ]
    )
    return _page(
        "Figures and metrics",
        "streams/core/dictionary.py, streams/core/file_dictionary.py and streams/shell/metrics.py",
        "Money is in minor units of the room's currency and is never added across currencies; time"
        " is event time, epoch milliseconds UTC. A ratio is null where its base is 0, and has four"
        " decimals. `source` says whose definition a figure follows.\n",
        "## Figures of a room\n",
        "In `rooms.ndjson` and in the topic `room-summaries`; cumulative, at the watermark"
        " `as_of_ms`.\n",
        _table(["figure", "unit", "meaning", "source"], figures),
        "## Derived figures\n",
        "On the rows of the `total` boards. A key that holds several rooms has the ratio of the"
        " sums; `viewers` and `buyers` are added over rooms, so one who was in two counts twice."
        " Products and merchants have no visits, viewers, buyers or impressions of a room.\n",
        _table(["figure", "formula", "meaning", "source"], ratios),
        "## Figures of the other files\n",
        "By the group in which a figure stands: one name may be counted over different things. Each"
        " figure of `stickiness.json`, `retention.json` and `audience.json` has a second one,"
        " `*_trusted`, without suspected people; so have the rates over orders of"
        " `after-sales.json` and `agencies.json`, without suspected orders.\n",
        _table(["group", "figure", "unit", "meaning"], _file_rows()),
        "## Prometheus\n",
        "At `/metrics` of each worker. Boards and rooms are there for the first rows alone"
        " (`metric_rows` in [settings](settings.md)), on the worker that keeps the boards; ids of"
        " viewers, buyers and orders never are.\n",
        _table(["metric", "kind", "labels", "meaning"], _prometheus_rows()),
    )


def market_page() -> str:
    """Every figure of the files that compare the rooms of a session."""
    parts = []
    for section in SECTIONS:
        rows = [[f"`{one.name}`", one.unit, one.meaning, one.source] for one in section.figures]
        parts += [
            f"## `{section.file}`: {', '.join(f'`{name}`' for name in section.names)}\n",
            f"{section.meaning}\n",
            _table(["figure", "unit", "meaning", "source"], rows),
        ]
    return _page(
        "Rooms beside each other",
        "streams/core/market/dictionary.py",
        "Files of `roompulse run` and `roompulse export` that compare the rooms of a session. Money"
        " is in minor units and never added across currencies: a row for each. Shares have four"
        " decimals and are null where their base is 0.\n",
        "Workers on Kafka show `agencies.json`, `credit.json`, `benchmark.json`, the trials of"
        " `supply.json` and the last hour of `sameness.json` live, in Prometheus and on Grafana's"
        " *Market*: the worker that keeps the boards looks at them every 7.5 s, or less often"
        " where that would take more than a twentieth of its time (1.2 s of a processor for 1,000"
        " rooms with 30 products each after five hours). They equal the files of the same log, but"
        " that scores lack the part of stickiness: it is `missing`, and the rest weigh more.\n",
        "Without suspected actors there are: of agencies the money, its rank, growth and the rates"
        " over orders (`*_trusted`), viewers and buyers; of `credit.json` viewers and buyers, while"
        " suspected orders are a measure of their own; of `sameness.json` the hours. The rest has"
        " no second figure. Of a suspected order it is kept what it paid and when, not how many"
        " pieces it was nor whether it was late, so units and the first hours of products cannot be"
        " told without it. Prices are told by rooms, not by buyers. `benchmark.json` is made of"
        " closed minutes, which stand before anyone is suspected; suspected orders of a room are on"
        " its board row.\n",
        *parts,
        "## The formula of the credit score\n",
        "Rules `credit`, and printed in the file. Shrunk rate: (count + usual x prior) / (base +"
        " prior), so that little follows from few. Points: 0 at `none`, 100 at `full`, a straight"
        " line between. A part has the mean of its measures. Weights of the parts:"
        f" {', '.join(f'`{part}` {weight:g}' for part, weight in DEFAULT_RULES.credit.weights)}."
        f" Weights of the development index (rules `development`): {_development_weights()}.\n",
        _table(["part", "measure", "per", "usual", "prior", "full", "none"], _measures()),
    )


def _development_weights() -> str:
    rules = DEFAULT_RULES.development
    return ", ".join(f"`{part}` {getattr(rules, part):g}" for part in agencies.PARTS)


def _measures() -> list[list[str]]:
    rows = []
    for part, name, _, base in credit.MEASURES:
        rule = getattr(DEFAULT_RULES.credit, name)
        numbers = (rule.usual, rule.prior, rule.full, rule.none)
        rows.append([part, f"`{name}`", base, *(f"{number:g}" for number in numbers)])
    return rows


def limits_page() -> str:
    """How much state may grow."""
    rows = [[f"`{name}`", f"{limit:,}", meaning] for name, (limit, meaning) in CAPS.items()]
    return _page(
        "Limits",
        "streams/core/limits.py",
        "Every map of the fold has a cap. One that is full gives up its entries with the oldest"
        " event time, a sixteenth of its cap at a time; what was given up is counted in"
        " `roompulse_state_evicted_total` and in the topic `partition-progress`.\n",
        _table(["map", "cap", "what it holds, and what giving up means"], rows),
    )


def topics_page() -> str:
    """Every topic as it is declared."""
    rows = [
        [
            f"`{topic.name}`",
            _partitions(topic),
            topic.key,
            topic.cleanup_policy,
            _settings_in_words(topic.config),
            topic.description,
        ]
        for topic in topics.TOPICS
    ]
    return _page(
        "Topics",
        "schemas/topics.py",
        "`roompulse topics create --partitions` makes more or fewer partitions of"
        f" `{topics.LIVE_EVENTS}`. `roompulse topics list` compares a Kafka with this table."
        " Records of all topics but `checkpoints` are JSON; their fields are in"
        " [asyncapi.yaml](../schemas/generated/asyncapi.yaml).\n",
        _table(["topic", "partitions", "key", "cleanup", "settings", "what it holds"], rows),
    )


def settings_page() -> str:
    """Everything that a worker can be told."""
    rows = []
    for name, field in WorkerSettings.model_fields.items():
        default = "" if field.default in (None, PydanticUndefined) else f"`{field.default}`"
        rows.append([f"`{name}`", f"`ROOMPULSE_{name.upper()}`", default, field.description or ""])
    access = [
        [f"`{name}`", f"`{default}`" if default else "", meaning]
        for name, (default, meaning) in VARIABLES.items()
    ]
    return _page(
        "Settings of a worker",
        "streams/shell/settings.py",
        "Each is an environment variable; those that `roompulse worker --help` lists are options,"
        " too, and an option wins.\n",
        _table(["setting", "variable", "default", "meaning"], rows),
        "## The way to Kafka\n",
        "Of every command that connects; environment variables alone, so that nothing secret stands"
        " on a command line. How to use them: [security.md](security.md). Made from"
        " `schemas/kafka_access.py`.\n",
        _table(["variable", "default", "meaning"], access),
    )


def _file_rows() -> list[list[str]]:
    return [
        [group, f"`{one.name}`", one.unit, one.meaning]
        for group, figures in FILE_FIGURES.items()
        for one in figures
    ]


def _prometheus_rows() -> list[list[str]]:
    nothing = WorkerView(
        progress={}, health={}, lag={}, boards=[], rooms={}, leads=False, now=0.0, epoch_ms=0
    )
    rows = []
    for family in WorkerCollector(lambda: nothing, rows=0).collect():
        name = f"{family.name}_total" if family.type == "counter" else family.name
        # families keep the names of their labels to themselves
        labels = ", ".join(f"`{label}`" for label in vars(family).get("_labelnames", ()))
        rows.append([f"`{name}`", family.type, labels, family.documentation])
    return rows


def _formula(ratio: Ratio) -> str:
    parts = " + ".join(f"`{part}`" for part in ratio.parts)
    top = f"({parts})" if len(ratio.parts) > 1 else parts
    scale = f" x {ratio.scale:,}" if ratio.scale != 1 else ""
    return f"{top}{scale} / `{ratio.base}`"


def _partitions(topic: topics.Topic) -> str:
    if topic.partitions is not None:
        return str(topic.partitions)
    name = topics.LIVE_EVENTS
    return str(topics.DEFAULT_PARTITIONS) if topic.name == name else f"those of `{name}`"


def _settings_in_words(config: dict[str, str]) -> str:
    parts = []
    for name, value in config.items():
        if name == "retention.ms":
            hours = int(value) // _HOUR_MS
            parts.append("kept for ever" if int(value) < 0 else f"kept {hours} h")
        elif name == "max.message.bytes":
            parts.append(f"records to {int(value) // 1024:,} KiB")
        else:
            parts.append(f"{name}={value}")
    return ", ".join(parts)


def _page(title: str, source: str, *parts: str) -> str:
    return "\n".join([f"# {title}\n", _ORIGIN.format(source=source), *parts])


def _table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |\n" for line in lines)


def main(arguments: list[str]) -> int:
    """Write the pages, or with `--check` say which are not current; the exit code."""
    root = Path.cwd()
    if not (root / "pyproject.toml").is_file() or arguments not in ([], ["--check"]):
        sys.stderr.write(
            "usage, in the root of the checkout: python -m roompulse.pages [--check]\n"
        )
        return 2
    paths = outdated(root) if arguments else write(root)
    word = "not current" if arguments else "written"
    sys.stdout.writelines(f"{word}  {path.relative_to(root)}\n" for path in paths)
    return int(bool(arguments and paths))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
