"""What was suspected, when, and on which evidence?"""

from collections import Counter

from roompulse.charts.bars import Bar, Bars, bar_chart
from roompulse.charts.spans import Span, span_chart
from roompulse.cli.board_view import money_of
from roompulse.report.axis import TimeAxis
from roompulse.report.files import SEVERITIES, Incident
from roompulse.report.labels import definition_of
from roompulse.report.markup import Html, drawn, tag
from roompulse.report.tables import Context, chart, figure, framed, section, short
from streams.shell.runbook import runbook_section

_COLOURS = {"page": 4, "review": 1, "info": 0}  # red, orange, blue
_ORDERS = 6  # order ids of a sign that are told


def alerts(context: Context) -> Html:
    """All incidents: how many, when the gravest were, and a card for each of these."""
    incidents = context.files.incidents
    if not incidents:
        missing = "alerts.ndjson" in context.files.missing
        words = context.say("not_there" if missing else "none")
        return section(context, "alerts", tag("p", words))
    counts = Counter((each.severity, each.alert.kind) for each in incidents)
    severities = ", ".join(
        f"{count:,} {context.words.name(kind)} ({context.words.name(severity)})"
        for (severity, kind), count in sorted(counts.items(), key=lambda item: -item[1])
    )
    intro = context.say("alerts_intro", count=f"{len(incidents):,}", severities=severities)
    kept = incidents[: context.top]
    cards = [_card(context, each) for each in kept]
    parts = [tag("p", intro), _time_line(context, kept)]
    if len(kept) < len(incidents):
        bound = context.say("rows_bound", shown=f"{len(kept):,}", all=f"{len(incidents):,}")
        parts.append(tag("p", bound, class_="note"))
    return section(context, "alerts", parts, tag("div", cards, class_="grid"))


def _time_line(context: Context, incidents: list[Incident]) -> Html:
    ordered = sorted(incidents, key=lambda each: (each.alert.started_ms, each.alert.alert_id))
    end_ms = context.files.run.get("watermark_ms") or 0
    spans = [_span(context, each, end_ms) for each in ordered]
    bounds = min(each.start for each in spans), max(each.end for each in spans)
    title = context.say("alerts_chart")
    drawing = span_chart(
        title,
        spans,
        kinds={context.words.name(severity): _COLOURS[severity] for severity in SEVERITIES},
        ticks=TimeAxis(int(bounds[0]), int(bounds[1]), context.files.zone).ticks,
        bounds=bounds,
        alone=False,
    )
    return chart(context, title, drawing, _list(context, ordered))


def _span(context: Context, incident: Incident, end_ms: int) -> Span:
    alert = incident.alert
    is_over = alert.status == "resolved"
    place = alert.room_id or ", ".join(alert.rooms) or alert.product_id or alert.host_id or ""
    name = f"{context.words.name(alert.kind)}: {short(place)}"
    return Span(
        name=name,
        start=alert.started_ms,
        end=max(incident.told_ms) if is_over else max(end_ms, *incident.told_ms),
        colour=_COLOURS.get(incident.severity, _COLOURS["info"]),
        moments=incident.told_ms,
        hint=f"{name}, {context.time(alert.started_ms)}",
    )


def _list(context: Context, incidents: list[Incident]) -> Html:
    heads = [
        context.say("started", time=""),
        context.say("ended", time=""),
        context.say("alerts"),
        context.say("room"),
    ]
    lines = [
        tag(
            "tr",
            tag("th", context.time(each.alert.started_ms), scope="row", class_="text"),
            tag("td", _end_of(context, each), class_="text"),
            tag("td", context.words.name(each.alert.kind), class_="text"),
            tag("td", each.alert.room_id or ", ".join(each.alert.rooms), class_="text"),
        )
        for each in incidents
    ]
    head = tag("tr", [tag("th", title, scope="col", class_="text") for title in heads])
    return framed(context.say("alerts_chart"), head, lines)


def _end_of(context: Context, incident: Incident) -> str:
    is_over = incident.alert.status == "resolved"
    return context.time(max(incident.told_ms)) if is_over else context.say("still_open")


def _card(context: Context, incident: Incident) -> Html:
    alert, words = incident.alert, context.words
    title = f"{words.name(alert.kind)} · {words.name(incident.severity)}"
    end = (
        context.say("ended", time=_end_of(context, incident))
        if alert.status == "resolved"
        else context.say("still_open")
    )
    money = money_of(alert.money_minor, alert.currency) if alert.currency else alert.money_minor
    facts = [
        f"{context.say('started', time=context.time(alert.started_ms))}, {end}",
        context.say("score_of", score=f"{alert.score:g}", threshold=f"{alert.threshold:g}"),
        context.say("money_at_stake", money=money),
    ]
    for name in ("score", "threshold", "money_minor"):
        context.label("alerts", name)
    if len(alert.rooms) > 1:
        facts.append(context.say("rooms_of", rooms=_some(context, alert.rooms)))
    return tag(
        "article",
        tag("h3", title),
        tag("p", alert.summary),
        tag("ul", [tag("li", fact) for fact in facts], class_="facts"),
        *(_evidence(context, incident) if alert.evidence else ()),
        tag("p", context.say("runbook", section=runbook_section(alert.kind)), class_="note"),
        tag("p", f"{alert.alert_id} v{alert.version}", class_="note"),
        class_=f"card {incident.severity}",
        id=f"alert-{alert.alert_id}",
    )


def _evidence(context: Context, incident: Incident) -> tuple[Html, Html]:
    """The signs, drawn and as a table."""
    signs = incident.alert.evidence
    series = [context.label("alerts", "observed"), context.label("alerts", "expected")]
    bars = [
        Bars(
            short(sign.signal),
            [
                Bar(sign.observed, words=f"{sign.observed:g}"),
                Bar(sign.expected, words=f"{sign.expected:g}"),
            ],
        )
        for sign in signs
    ]
    title = f"{context.say('evidence')}: {short(incident.alert.room_id or incident.alert.alert_id)}"
    heads = [
        tag(
            "th",
            tag(
                "a",
                context.label("alerts", name),
                href=f"#{definition_of('alerts', name).anchor}",
            ),
            scope="col",
        )
        for name in ("observed", "expected", "weight")
    ]
    lines = [
        tag(
            "tr",
            tag("th", sign.signal, scope="row", class_="text"),
            tag("td", figure("observed", sign.observed)),
            tag("td", figure("expected", sign.expected)),
            tag("td", figure("weight", sign.weight)),
            tag("td", _some(context, sign.orders), class_="text ids"),
        )
        for sign in signs
    ]
    head = tag(
        "tr",
        tag("th", context.say("sign"), scope="col", class_="text"),
        heads,
        tag("th", context.say("of_orders", orders=""), scope="col", class_="text"),
    )
    return drawn(bar_chart(title, bars, series=series, alone=False)), tag(
        "details",
        tag("summary", context.say("evidence")),
        framed(title, head, lines),
    )


def _some(context: Context, ids: list[str]) -> str:
    """The first ids, and how many there are besides."""
    told = ", ".join(ids[:_ORDERS])
    rest = len(ids) - _ORDERS
    return f"{told}, {context.say('more', count=f'{rest:,}')}" if rest > 0 else told
