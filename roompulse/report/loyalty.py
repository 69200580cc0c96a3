"""Do viewers come back, do buyers buy again, and what did a festival borrow from later weeks?"""

from collections.abc import Sequence
from datetime import date

from roompulse.charts.bars import Bar, Bars, bar_chart
from roompulse.charts.lines import Panel, line_chart
from roompulse.report.files import Row
from roompulse.report.labels import definition_of
from roompulse.report.markup import Html, tag
from roompulse.report.tables import (
    NOTHING,
    Columns,
    Context,
    bounded,
    chart,
    figure,
    framed,
    section,
    short,
    shown,
    table,
)

_LOYALTY = ("rooms", "viewers", "buyers", "repeat_buyers", "repurchase_7d", "repurchase_30d")
_RETURNING = ("viewers", "returning_viewers", "returning_share")
_DAYS = ("active_viewers", "monthly_active_viewers", "stickiness")
_FESTIVAL = (
    "before_daily_net_minor",
    "during_daily_net_minor",
    "after_daily_net_minor",
    "lift",
    "overdraft",
    "payback_days",
)
_HEAT = 10  # steps of a cohort's colour
_MOST_WEEKS = 26


def loyalty(context: Context) -> Html:
    """Platform, days, cohorts, hosts, rooms; each figure also without suspected people."""
    report = context.files.sections.get("stickiness.json")
    if report is None:
        return section(context, "loyalty", tag("p", context.say("not_there")))
    title = context.say("loyalty_of")
    columns = Columns("stickiness", _LOYALTY, {"": context.say("platform")})
    parts = [table(context, title, columns, _both(context, [report["platform"]], ""))]
    if report["days"]:
        parts.append(_days(context, report["days"]))
    for kind in ("viewers", "buyers"):
        rows = [row for row in report["cohorts"] if row["kind"] == kind]
        if any(row["returned"] for row in rows):
            parts.append(_cohorts(context, kind, rows))
    hosts = sorted(report["hosts"], key=lambda row: (-row["viewers"], row["host_id"]))
    rooms = sorted(report["rooms"], key=lambda row: (-row["returning_viewers"], row["room_id"]))
    for name, rows, key, figures in (
        ("hosts_of", hosts, "host_id", _LOYALTY),
        ("returning", rooms, "room_id", _RETURNING),
    ):
        if rows:
            kept, bound = bounded(context, rows)
            of = Columns("stickiness", figures, {key: context.say("key"), "": ""})
            full = table(context, context.say(name), of, _both(context, kept, key))
            parts.append(tag("div", full, bound))
    return section(context, "loyalty", parts)


def _both(context: Context, rows: Sequence[Row], key: str) -> list[Row]:
    """Each row, and below it what differs without suspected people."""
    found: list[Row] = []
    for row in rows:
        honest = {name: row.get(f"{name}_trusted", value) for name, value in row.items()}
        is_same = all(honest[name] == row[name] for name in row if not name.endswith("_trusted"))
        found.append({**row, "": context.say("plain")})
        if not is_same:
            found.append({**honest, key: row.get(key), "": context.say("trusted")})
    return found


def _days(context: Context, rows: Sequence[Row]) -> Html:
    title = context.say("days_chart")
    places = [float(date.fromisoformat(row["day"]).toordinal()) for row in rows]
    lines = {
        context.label("days", name): [
            (place, float(row[name])) for place, row in zip(places, rows, strict=True)
        ]
        for name in _DAYS[:2]
    }
    ratio = [
        (place, float(row["stickiness"]))
        for place, row in zip(places, rows, strict=True)
        if row["stickiness"] is not None
    ]
    panels = [Panel(context.say("platform"), lines, lambda value: f"{value:,.0f}")]
    if ratio:
        panels.append(Panel(context.say("daily_ratio"), {"": ratio}, lambda value: f"{value:.0%}"))
    every = max(1, -(-len(rows) // 6))
    ticks = [(places[at], rows[at]["day"][5:]) for at in range(0, len(rows), every)]
    columns = Columns("days", _DAYS, {"day": context.say("day")})
    full = table(context, title, columns, rows)
    drawing = line_chart(title, context.files.zone, panels, ticks=ticks, alone=False)
    return chart(context, title, drawing, full)


def _cohorts(context: Context, kind: str, rows: Sequence[Row]) -> Html:
    """A table whose cells are the darker the more came back."""
    weeks = min(_MOST_WEEKS, max(len(row["returned"]) for row in rows))
    for name in ("size", "returned"):
        context.label("cohorts", name)
    size = tag("a", context.label("cohorts", "size"), href=f"#{_anchor('size')}")
    heads = [tag("th", context.say("week"), scope="col", class_="text"), tag("th", size)]
    for since in range(1, weeks + 1):
        later = context.say("weeks_later", weeks=since)
        heads.append(tag("th", tag("a", later, href=f"#{_anchor('returned')}"), scope="col"))
    lines = []
    for row in rows:
        cells = [
            tag(
                "td",
                figure("returned", value),
                class_=f"heat{min(_HEAT - 1, int(value * _HEAT))}",
            )
            for value in row["returned"][:weeks]
        ]
        cells += [tag("td", NOTHING)] * (weeks - len(cells))
        week = tag("th", row["week"], scope="row", class_="text")
        lines.append(tag("tr", week, tag("td", figure("size", row["size"])), cells))
    title = context.say("cohorts_of", kind=context.words.name(kind))
    intro = tag("p", context.say("cohorts_intro"), class_="note")
    return tag("div", framed(title, tag("tr", heads), lines), intro, class_="cohorts")


def _anchor(name: str) -> str:
    return definition_of("cohorts", name).anchor


def festivals(context: Context) -> Html:
    """Lift, overdraft and payback of each festival, by platform, category and host."""
    report = context.files.sections.get("stickiness.json")
    if report is None:
        return section(context, "festivals", tag("p", context.say("not_there")))
    rows = report["festivals"]
    if not rows:
        return section(context, "festivals", tag("p", context.say("no_calendar")))
    parts = []
    for festival in dict.fromkeys(row["festival"] for row in rows):
        for currency in dict.fromkeys(row["currency"] for row in rows):
            own = [
                row for row in rows if (row["festival"], row["currency"]) == (festival, currency)
            ]
            if own:
                parts.append(_festival(context, festival, currency, sorted(own, key=_widest_first)))
    return section(context, "festivals", tag("div", parts, class_="grid"))


def _widest_first(row: Row) -> tuple[int, float, str]:
    """The platform, then what had most before."""
    scopes = ("platform", "category", "host")
    return scopes.index(row["scope"]), -(row["before_daily_net_minor"] or 0), row["key"] or ""


def _festival(context: Context, festival: str, currency: str | None, rows: Sequence[Row]) -> Html:
    title = context.say(
        "festival_chart", festival=short(festival), currency=context.currency(currency)
    )
    kept, bound = bounded(context, rows)
    state = context.say("is_provisional" if rows[0]["provisional"] else "is_final")
    bars = [
        Bars(_named(context, row), [_share(row, "lift"), _share(row, "overdraft")]) for row in kept
    ]
    told = []
    for row in kept:
        place = {"of": _named(context, row), "which": context.say("plain"), "state": state}
        honest = {name: row.get(f"{name}_trusted") for name in _FESTIVAL}
        told.append({**row, **place})
        if any(honest[name] != row[name] for name in _FESTIVAL):
            told.append({**row, **honest, **place, "which": context.say("trusted")})
    texts = {"of": context.say("scope"), "which": "", "state": context.say("state")}
    full = table(context, title, Columns("festivals", _FESTIVAL, texts), told, currency)
    series = [context.label("festivals", name) for name in ("lift", "overdraft")]
    drawing = bar_chart(title, bars, series=series, alone=False)
    return tag("div", chart(context, f"{title} ({state})", drawing), full, bound, class_="wider")


def _named(context: Context, row: Row) -> str:
    scope = context.words.name(row["scope"])
    return scope if row["key"] is None else f"{scope} {short(row['key'])}"


def _share(row: Row, name: str) -> Bar | None:
    value = row[name]
    return None if value is None else Bar(value, words=shown(name, value))
