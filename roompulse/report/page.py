"""The whole page: one HTML file that needs no script and fetches nothing."""

from typing import Final

from roompulse.report.after_sales import after_sales
from roompulse.report.alerts import alerts
from roompulse.report.boards import boards, overview
from roompulse.report.curves import curves
from roompulse.report.files import RunFiles
from roompulse.report.further import counted, definitions, further, missing
from roompulse.report.loyalty import festivals, loyalty
from roompulse.report.markup import Html, join, tag
from roompulse.report.stay import drop_off, retention
from roompulse.report.style import STYLE
from roompulse.report.tables import Context
from roompulse.report.words import Language, Words

# Even a name that got through could load nothing and run nothing.
_POLICY: Final = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
)
_SECTIONS: Final = (
    ("overview", overview),
    ("missing_title", missing),
    ("boards", boards),
    ("alerts", alerts),
    ("curves", curves),
    ("stay", retention),
    ("drop_off", drop_off),
    ("after_sales", after_sales),
    ("loyalty", loyalty),
    ("festivals", festivals),
    ("further", further),
)


def page(files: RunFiles, language: Language, *, top: int) -> str:
    """The report of a run.

    Args:
        files: what the folder of the run holds.
        language: of everything but names and the sentences of alerts, which are the log's.
        top: rows of a table, at most.
    """
    context = Context(files, Words(language), top)
    say = context.say
    sections = {name: make(context) for name, make in _SECTIONS}
    sections["definitions"] = definitions(context)
    links = [
        tag("li", tag("a", say(name), href=f"#{name}")) for name, found in sections.items() if found
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("title", f"{say('title')} · {_period(context)}"),
        tag("style", Html(STYLE)),
    )
    body = tag(
        "body",
        _header(context),
        tag("nav", tag("ul", links), aria_label=say("contents")),
        tag("main", join(found for found in sections.values() if found)),
    )
    document = tag("html", head, body, lang="zh-Hans" if language is Language.ZH else "en")
    return f"<!DOCTYPE html>\n{document}\n"


def _header(context: Context) -> Html:
    say = context.say
    watermark = context.time(context.files.run.get("watermark_ms"))
    complete = say("complete_to", time=watermark)
    return tag(
        "header",
        tag("h1", say("title")),
        tag("p", f"{_period(context)} · {complete} · {counted(context)}", class_="soft"),
        tag("p", say("units", zone=context.files.zone), class_="soft"),
    )


def _period(context: Context) -> str:
    """From the first to the last minute with anything in it."""
    known = [minutes for minutes in context.files.by_minute.values() if minutes]
    start = context.time(min(map(min, known), default=None), "%Y-%m-%d %H:%M")
    end = context.time(max(map(max, known), default=None), "%Y-%m-%d %H:%M")
    return context.say("from_to", start=start, end=end, zone=context.files.zone)
