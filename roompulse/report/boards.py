"""Who sold most, by money three ways, and whom does suspicion cost places?"""

import msgspec

from roompulse.charts.bars import Bar, Bars, bar_chart
from roompulse.report.markup import Html, tag
from roompulse.report.tables import (
    Columns,
    Context,
    bounded,
    chart,
    figure,
    section,
    short,
    shown,
    table,
)
from schemas.records import AnyBoard, BoardRow

_WAYS = ("gross_minor", "net_minor", "trusted_minor")
_LONGEST = 44  # letters of a name that fit a phone
_CHARTED = 10  # rows of a board that are drawn
_FIGURES = (
    *_WAYS,
    "rank_net",
    "rank_trusted",
    "places_lost",
    "suspected_minor",
    "orders",
    "viewers",
    "conversion",
    "gpm_minor",
    "average_order_minor",
    "refund_rate",
)
_OVERVIEW = (
    *_WAYS,
    "suspected_minor",
    "refunded_minor",
    "orders",
    "visits",
    "complaints_opened",
)


def overview(context: Context) -> Html:
    """The sums of all rooms, a card for each currency, and what was raised."""
    cards = []
    for currency, sums in context.files.currencies.items():
        items = [
            tag(
                "div",
                tag("dt", tag("a", context.label("rooms", name), href=f"#means-rooms-{name}")),
                tag("dd", figure(name, getattr(sums, name), currency)),
                class_="big" if name in _WAYS else None,
            )
            for name in _OVERVIEW
        ]
        title = tag("h3", context.say("platform_in", currency=context.currency(currency)))
        cards.append(tag("div", title, tag("dl", items, class_="tiles")))
    if not cards:
        cards = [tag("p", context.say("none"))]
    return section(context, "overview", cards)


def boards(context: Context) -> Html:
    """The boards over the whole session."""
    found = [
        _board(context, board)
        for board in context.files.boards
        if board.window == "total" and board.rows
    ]
    intro = tag("p", context.say("boards_intro"))
    return section(
        context, "boards", intro, tag("div", found or context.say("none"), class_="grid")
    )


def _board(context: Context, board: AnyBoard) -> Html:
    currency = context.currency(board.currency)
    if board.rates_date:
        currency = context.say("all_in", currency=currency, date=board.rates_date)
    scope = context.words.scope(board.scope)
    title = context.say("three_ways", scope=scope, currency=currency)
    rows = [row for row in board.rows if isinstance(row, BoardRow)]
    kept, bound = bounded(context, rows)
    bars = [_bars(context, board, row) for row in rows[:_CHARTED]]
    ways = [context.label("boards", name) for name in _WAYS]
    columns = Columns(
        "boards", _FIGURES, {"rank": "#", "shown": context.say("name"), "key": context.say("key")}
    )
    plain = [{**msgspec.structs.asdict(row), "shown": _name(context, board, row)} for row in kept]
    full = table(context, title, columns, plain, board.currency)
    return chart(context, title, bar_chart(title, bars, series=ways, alone=False), full, bound)


def _name(context: Context, board: AnyBoard, row: BoardRow) -> str:
    if board.scope == "mode":
        return context.words.name(row.key)
    return f"{row.name} · {row.key}" if board.scope == "room" and row.name else row.name or row.key


def _bars(context: Context, board: AnyBoard, row: BoardRow) -> Bars:
    places = row.places_lost
    moved = f" {'▼' if places > 0 else '▲'}{abs(places)}" if places else ""
    bars = [
        Bar(getattr(row, name), words=shown(name, getattr(row, name), board.currency))
        for name in _WAYS
    ]
    return Bars(short(_name(context, board, row), _LONGEST) + moved, bars)
