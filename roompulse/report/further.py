"""What else is in the folder, what is missing, what became of the events, and what figures mean?"""

from typing import Any

from roompulse.report.files import LINE_FILES, SECTION_FILES, Row
from roompulse.report.labels import Definition, definitions_of, label_of, meaning_of
from roompulse.report.markup import Html, tag
from roompulse.report.sameness import sameness
from roompulse.report.tables import Context, bounded, figure, framed, section

_MOST_COLUMNS = 40
_EARLIEST_MS = 946_684_800_000  # of an event: what is less is a duration


def missing(context: Context) -> Html:
    """What this page cannot say, and what it says with a reservation."""
    files = context.files
    told = [
        context.say("missing_file", name=name, what=context.words.lacks(name))
        for name in (*LINE_FILES, *SECTION_FILES)
        if name in files.missing
    ]
    festivals = files.sections.get("stickiness.json", {}).get("festivals", [])
    provisional = dict.fromkeys(row["festival"] for row in festivals if row["provisional"])
    if provisional:
        told.append(context.say("provisional", names=", ".join(provisional)))
    if "stickiness.json" in files.sections and not festivals:
        told.append(context.say("no_calendar"))
    counts = files.run.get("counts", {})
    if counts.get("rejected"):
        reasons = ", ".join(
            f"{reason} {count:,}" for reason, count in files.run["rejected_by_reason"].items()
        )
        told.append(context.say("rejected", count=f"{counts['rejected']:,}", reasons=reasons))
    if counts.get("late"):
        told.append(context.say("late", count=f"{counts['late']:,}"))
    items = [tag("li", sentence) for sentence in told]
    body = tag("ul", items) if items else tag("p", context.say("nothing_missing"))
    return section(context, "missing_title", body)


def further(context: Context) -> Html:
    """What other files hold, as it stands there; concentration as a chart."""
    tables = [
        _plain(context, file, name, rows)
        for file, sections in context.files.further.items()
        for name, rows in sections.items()
    ]
    intro = tag("p", context.say("further_intro"), class_="note")
    charts = tag("div", sameness(context), class_="grid")
    return section(context, "further", intro, charts, tables) if tables else Html("")


def _plain(context: Context, file: str, name: str, rows: list[Row]) -> Html:
    title = f"{file}: {name}" if name else file
    kept, bound = bounded(context, rows)
    names = list(dict.fromkeys(field for row in kept for field in row))[:_MOST_COLUMNS]
    known = definitions_of(file, name, names)
    heads = [_head(context, field, known.get(field)) for field in names]
    lines = [tag("tr", [tag("td", _cell(context, row, field)) for field in names]) for row in kept]
    return tag("div", framed(title, tag("tr", heads), lines), bound)


def _head(context: Context, name: str, meaning: Definition | None) -> Html:
    """The head of a column, which leads to the meaning of its figure where that is known."""
    label = label_of(name, context.words.language)
    if meaning is None:
        return tag("th", label, scope="col")
    context.shown[meaning] = None
    return tag("th", tag("a", label, href=f"#{meaning.anchor}"), scope="col")


def _cell(context: Context, row: Row, name: str) -> str:
    value: Any = row.get(name)
    if name.endswith("_ms") and isinstance(value, int) and value >= _EARLIEST_MS:
        return tag("data", context.time(value), value=value)
    if isinstance(value, dict | list):
        return _told(value)
    return figure(name, value, row.get("currency"))


def _told(value: Any) -> str:  # noqa: ANN401 - any JSON value
    """What lies deeper than a table, in one line."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {_told(each)}" for key, each in value.items())
    if isinstance(value, list):
        ends = "; " if any(isinstance(each, dict) for each in value) else ", "
        return ends.join(map(_told, value))
    return "–" if value is None else str(value)


def definitions(context: Context) -> Html:
    """The figures that the page showed, as the metric dictionary has them."""
    say, language = context.say, context.words.language
    lines = [
        tag(
            "tr",
            tag("th", label_of(each.figure.name, language), scope="row", class_="text"),
            tag("td", tag("code", f"{each.group}.{each.figure.name}"), class_="text"),
            tag("td", each.figure.unit, class_="text"),
            tag("td", meaning_of(each, language), class_="text meaning"),
            tag("td", each.figure.source, class_="text meaning"),
            id=each.anchor,
        )
        for each in sorted(context.shown, key=lambda each: (each.group, each.figure.name))
    ]
    heads = [say(name) for name in ("figure", "field", "unit", "meaning", "source")]
    head = tag("tr", [tag("th", title, scope="col", class_="text") for title in heads])
    return section(context, "definitions", framed(say("definitions"), head, lines))


def counted(context: Context) -> str:
    """How much the session holds."""
    counts = context.files.run.get("counts", {})
    return context.say(
        "made_of",
        events=f"{counts.get('events', 0):,}",
        rooms=f"{len(context.files.currency_of):,}",
        partitions=f"{context.files.run.get('partitions', 0):,}",
    )
