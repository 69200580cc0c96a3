"""How did the session go, minute by minute: all rooms of a currency, then the leading ones?"""

from collections.abc import Mapping, Sequence

from roompulse.charts.lines import Panel, line_chart
from roompulse.report.axis import Points, TimeAxis
from roompulse.report.files import MinuteSums
from roompulse.report.labels import definition_of
from roompulse.report.markup import Html, tag
from roompulse.report.tables import Context, chart, figure, framed, section, short, shown
from schemas.records import RoomMinute

_FIGURES = ("gross_minor", "refunded_minor", "visits", "online")
_PITCH = ("gross_minor", "returned_minor", "refunded_minor")
Curves = Mapping[str, Points]


def curves(context: Context) -> Html:
    """Money and audience of all rooms, and of each leading room with what was put on sale."""
    files = context.files
    axis = axis_of(context)
    if axis is None:
        return section(context, "curves", tag("p", context.say("not_there")))
    parts = [
        _all_rooms(context, axis, currency, files.by_minute[currency])
        for currency in files.currencies
        if currency in files.by_minute
    ]
    parts += [_room(context, room_id) for room_id, lines in files.minutes.items() if lines]
    shown_rooms = sum(bool(lines) for lines in files.minutes.values())
    intro = context.say("curves_intro")
    bound = context.say("curves_bound", shown=f"{shown_rooms:,}", all=f"{len(files.currency_of):,}")
    return section(context, "curves", tag("p", intro, " ", bound), tag("div", parts, class_="grid"))


def pitch(context: Context) -> list[Html]:
    """What was sold when, what came back of that, and when it came, by currency."""
    axis = axis_of(context)
    found = []
    for currency in context.files.currencies:
        minutes = context.files.by_minute.get(currency, {})
        if axis is None or not any(sums.sold_minor for sums in minutes.values()):
            continue
        values = {
            "gross_minor": [(ms, sums.sold_minor) for ms, sums in minutes.items()],
            "returned_minor": [(ms, sums.returned_minor) for ms, sums in minutes.items()],
            "refunded_minor": [(ms, sums.came_back_minor) for ms, sums in minutes.items()],
        }
        drawn = {name: axis.added(values[name]) for name in _PITCH}
        title = context.say("pitch", currency=context.currency(currency))
        panels = [_panel(context, "pitch", name, {"": drawn[name]}, currency) for name in _PITCH]
        found.append(_chart(context, title, panels, axis, "pitch", drawn, currency))
    return found


def axis_of(context: Context) -> TimeAxis | None:
    """The axis over all minutes that are known; None if there are none."""
    known = [minutes for minutes in context.files.by_minute.values() if minutes]
    if not known:
        return None
    return TimeAxis(min(map(min, known)), max(map(max, known)), context.files.zone)


def _all_rooms(
    context: Context, axis: TimeAxis, currency: str, minutes: Mapping[int, MinuteSums]
) -> Html:
    ordered = sorted(minutes.items())
    drawn = {
        name: axis.added((ms, getattr(sums, name)) for ms, sums in ordered)
        for name in _FIGURES[:-1]
    }
    drawn["online"] = axis.greatest((ms, sums.online) for ms, sums in ordered)
    title = context.say("platform_in", currency=context.currency(currency))
    return _curve_chart(context, title, axis, drawn, currency, ())


def _room(context: Context, room_id: str) -> Html:
    room, lines = context.files.rooms[room_id], _while_on(context.files.minutes[room_id])
    own = TimeAxis(lines[0].minute_ms, lines[-1].minute_ms, context.files.zone)
    drawn = {
        name: own.added((line.minute_ms, getattr(line, name)) for line in lines)
        for name in _FIGURES[:-1]
    }
    drawn["online"] = own.greatest((line.minute_ms, line.online) for line in lines)
    title = context.say("a_room", name=short(room.host_name or room_id, 80), key=short(room_id, 64))
    first, last = drawn["online"][0][0], drawn["online"][-1][0]
    marks = [float(ms) for ms in context.files.marks[room_id] if first <= ms <= last]
    return _curve_chart(context, title, own, drawn, room.currency, marks)


def _while_on(lines: Sequence[RoomMinute]) -> Sequence[RoomMinute]:
    """Without the refunds that come days after anyone was there."""
    busy = [at for at, line in enumerate(lines) if line.visits or line.online or line.orders]
    return lines[busy[0] : busy[-1] + 1] if busy else lines


def _curve_chart(
    context: Context,
    title: str,
    axis: TimeAxis,
    drawn: Curves,
    currency: str | None,
    marks: Sequence[float],
) -> Html:
    money = {context.label("minutes", name): drawn[name] for name in _FIGURES[:2]}
    code = context.currency(currency)
    panels = [
        Panel(
            f"{context.label('minutes', 'gross_minor')}, {code}",
            money,
            lambda value: shown("gross_minor", value, currency),
            marks,
            is_whole=True,
        ),
        *(_panel(context, "minutes", name, {"": drawn[name]}, currency) for name in _FIGURES[2:]),
    ]
    return _chart(context, title, panels, axis, "minutes", drawn, currency)


def _panel(context: Context, group: str, name: str, lines: Curves, currency: str | None) -> Panel:
    label = context.label(group, name)
    if name.endswith("_minor"):
        label = f"{label}, {context.currency(currency)}"
    return Panel(
        label,
        lines,
        lambda value: shown(name, round(value), currency),
        is_whole=True,
    )


def _chart(
    context: Context,
    title: str,
    panels: Sequence[Panel],
    axis: TimeAxis,
    group: str,
    drawn: Curves,
    currency: str | None,
) -> Html:
    x_title = context.say("a_point", zone=context.files.zone, minutes=axis.minutes)
    drawing = line_chart(title, x_title, panels, ticks=axis.ticks, alone=False)
    heads = [tag("th", context.say("time"), scope="col", class_="text")]
    for name in drawn:
        anchor = definition_of(group, name).anchor
        label = context.label(group, name)
        heads.append(tag("th", tag("a", label, href=f"#{anchor}"), scope="col"))
    by_point = {name: dict(points) for name, points in drawn.items()}
    lines = []
    for ms in sorted({ms for points in by_point.values() for ms in points}):
        cells = []
        for name, points in by_point.items():
            value = points.get(ms)
            exact = None if value is None else int(value)
            cells.append(tag("td", figure(name, exact, currency)))
        when = tag("th", context.time(int(ms), "%m-%d %H:%M"), scope="row", class_="text")
        lines.append(tag("tr", when, cells))
    return chart(context, title, drawing, framed(title, tag("tr", heads), lines))
