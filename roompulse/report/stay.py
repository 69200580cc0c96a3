"""Do viewers stay, and when do they go?"""

from collections.abc import Mapping, Sequence
from typing import Any

from roompulse.charts.bars import Bar, Bars, bar_chart
from roompulse.charts.lines import Panel, line_chart
from roompulse.report.files import Row
from roompulse.report.markup import Html, tag
from roompulse.report.tables import (
    Columns,
    Context,
    bounded,
    chart,
    section,
    short,
    shown,
    table,
)

# After so many seconds it is asked who is still there.
_STAYS = (30, 60, 300, 600, 1_800)
_RETENTION = (
    "visits",
    "viewers",
    "visits_per_viewer",
    "ended_visits",
    *(f"stayed_{seconds}s" for seconds in _STAYS),
    "avg_watch_ms",
    "median_watch_ms",
    "interaction_rate",
    "follow_rate",
)
# Section, the field of its key.
_SECTIONS = {
    "modes": "mode",
    "categories": "category",
    "hosts": "host_id",
    "mcns": "mcn_id",
    "rooms": "room_id",
}
_LOSSES = ("minutes", "present", "lost", "loss_rate")
_WORST = ("present", "lost", "loss_rate", "excess", "price_minor", "unchanged_minutes")


def retention(context: Context) -> Html:
    """The curve of all rooms, and of the modes and the rest as tables."""
    report = context.files.sections.get("retention.json")
    if report is None:
        return section(context, "stay", tag("p", context.say("not_there")))
    parts = [_curve(context, report["platform"])]
    for name, key in _SECTIONS.items():
        rows = sorted(report.get(name, ()), key=lambda row: (-row["visits"], str(row[key])))
        if rows:
            parts.append(_by_key(context, name, key, rows))
    return section(context, "stay", tag("div", parts, class_="grid"))


def _curve(context: Context, row: Row) -> Html:
    title = context.say("retention_chart")
    lines = {context.say("plain"): _points(row, "")}
    if "stayed_30s_trusted" in row:
        lines[context.say("trusted")] = _points(row, "_trusted")
    ticks = [
        (float(at), context.label("retention", f"stayed_{seconds}s"))
        for at, seconds in enumerate(_STAYS, 1)
    ]
    panel = Panel(context.say("platform"), lines, lambda value: f"{value:.0%}")
    drawing = line_chart(title, "", [panel], ticks=[(0.0, "0"), *ticks], alone=False)
    columns = Columns("retention", _RETENTION, {"": context.say("platform")})
    return chart(context, title, drawing, table(context, title, columns, _both(context, row)))


def _points(row: Row, ending: str) -> list[tuple[float, float]]:
    """The curve begins with everyone; its steps are drawn at equal distances."""
    points = [(0.0, 1.0)]
    for at, seconds in enumerate(_STAYS, 1):
        value = row[f"stayed_{seconds}s{ending}"]
        if value is not None:
            points.append((float(at), value))
    return points


def _both(context: Context, row: Row) -> list[Row]:
    """The row, and below it what it is without suspected people."""
    rows = [{**row, "": context.say("plain")}]
    if any(name.endswith("_trusted") for name in row):
        honest = {name: row.get(f"{name}_trusted", row[name]) for name in row}
        rows.append({**honest, "": context.say("trusted")})
    return rows


def _by_key(context: Context, name: str, key: str, rows: Sequence[Row]) -> Html:
    title = context.say("retention_by", scope=context.words.scope(name))
    kept, bound = bounded(context, rows)
    bars = [
        Bars(
            short(context.words.name(row[key]) if key == "mode" else row[key]),
            [_share(row["stayed_60s"]), _share(row["stayed_300s"])],
        )
        for row in kept[:10]
    ]
    series = [context.label("retention", each) for each in ("stayed_60s", "stayed_300s")]
    columns = Columns("retention", _RETENTION, {key: context.words.scope(name)}, _coded(key))
    full = table(context, title, columns, kept)
    return chart(context, title, bar_chart(title, bars, series=series, alone=False), full, bound)


def _coded(key: str) -> frozenset[str]:
    return frozenset({key}) if key == "mode" else frozenset()


def _share(value: float | None) -> Bar | None:
    return None if value is None else Bar(value, words=shown("loss_rate", value))


def drop_off(context: Context) -> Html:
    """How fast people leave while something is on, and the minutes that lost most."""
    report = context.files.sections.get("drop-off.json")
    if report is None:
        return section(context, "drop_off", tag("p", context.say("not_there")))
    rows = [row for row in report["what_was_on"] if row["scope"] == "platform"]
    parts = []
    if rows:
        title = context.say("drop_off_chart")
        bars = [Bars(context.words.name(row["on"]), [_share(row["loss_rate"])]) for row in rows]
        texts = {"on": context.say("what_was_on")}
        columns = Columns("drop_off", _LOSSES, texts, frozenset({"on"}))
        full = table(context, title, columns, rows)
        parts.append(chart(context, title, bar_chart(title, bars, alone=False), full))
    worst = sorted(report["minutes"], key=_worst_first)
    if worst:
        parts.append(_worst_minutes(context, worst))
    return section(context, "drop_off", parts or tag("p", context.say("none")))


def _worst_first(row: Row) -> tuple[float, str, int]:
    return -(row["excess"] or 0), row["room_id"], row["minute_ms"]


def _worst_minutes(context: Context, rows: Sequence[Row]) -> Html:
    title = context.say("worst_minutes")
    kept, bound = bounded(context, rows)
    told: list[Mapping[str, Any]] = [
        {
            **row,
            "when": context.time(row["minute_ms"], "%m-%d %H:%M"),
            "currency": context.files.currency_of.get(row["room_id"]),
        }
        for row in kept
    ]
    texts = {
        "when": context.say("time"),
        "room_id": context.say("room"),
        "on": context.say("what_was_on"),
        "product_id": context.say("product"),
    }
    columns = Columns("drop_off", _WORST, texts, frozenset({"on"}))
    return tag("div", table(context, title, columns, told), bound)
