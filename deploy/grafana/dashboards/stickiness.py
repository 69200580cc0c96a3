"""Do viewers stay and come back, and what do festivals borrow, as far as live sums can tell?"""

from deploy.grafana.spec import (
    CURRENCY,
    MINOR_PER_UNIT,
    MONEY,
    NUMBER,
    Page,
    Panel,
    Query,
    Row,
    graph,
    stat,
)

_STAYS = ((30, "30 s"), (60, "1 min"), (300, "5 min"), (600, "10 min"), (1_800, "30 min"))
_TOTAL = 'scope="room", window="total", currency="$currency"'
_UPPER = (
    "Added over partitions: who was in rooms of several counts once for each, so this is an upper"
    " bound. `roompulse export` and `roompulse report` count people once."
)
_LOWER = (
    "Exact with one worker. Of several, each knows the rooms of its own partitions: who watched"
    " rooms of two is missed, so this is a lower bound."
)
_WINDOWS = (
    "The 28 days before, the festival's days and the 28 after, as far as the log has whole days."
    " Payback, hosts and categories are in `roompulse report`."
)


def _visits(figure: str) -> str:
    """Over the workers."""
    return f"sum(roompulse_visits_{figure})"


def _people(figure: str) -> str:
    """Over partitions, each once although two workers may show it for a moment."""
    return f"sum(max by (partition) (roompulse_people_{figure}))"


def _stayed(seconds: int) -> str:
    stayed = f'sum(roompulse_visits_stayed{{seconds="{seconds}"}})'
    return f"{stayed} / ({_visits('ended')} > 0)"


def _room(figure: str) -> str:
    """A figure of the leading rooms of the currency, by the key of their board."""
    keyed = f'label_replace(roompulse_room_{figure}, "key", "$1", "room_id", "(.+)")'
    return f"max by (key) ({keyed}) and on (key) max by (key) (roompulse_board_orders{{{_TOTAL}}})"


def _days(window: str) -> str:
    return f'max by (festival) (roompulse_festival_days{{window="{window}"}})'


def _daily(window: str) -> str:
    labels = f'currency="$currency", window="{window}"'
    net = f"roompulse_festival_net_minor{{{labels}}}"
    return f"sum by (festival) ({net}) / ({_days(window)} > 0)"


def _change(window: str) -> str:
    return f"({_daily(window)}) / ({_daily('before')} > 0) - 1"


def _came_back(scope: str, figure: str) -> str:
    """Over the workers; of each host, room or kind."""
    by = {"host": "by (host_id) ", "room": "by (room_id) ", "cohort": "by (kind) "}
    return f"sum {by[scope] if scope else ''}(roompulse_people_{figure})"


def _returning(scope: str = "") -> str:
    name = f"{scope}_" if scope else ""
    viewers = _came_back(scope, f"{name}recent_viewers")
    return f"{_came_back(scope, f'{name}returning_viewers')} / ({viewers} > 0)"


def _returning_table(scope: str) -> Panel:
    return Panel(
        f"Returning viewers of {scope}s",
        "table",
        (
            Query(_came_back(scope, f"{scope}_recent_viewers"), "Viewers", NUMBER),
            Query(_returning(scope), "Returning"),
        ),
        "percentunit",
        about=f"The {scope}s of most viewers in seven days. {_LOWER}",
        decimals=1,
        width=12,
        height=8,
    )


_COHORT = f"{_came_back('cohort', 'cohort_back')} / ({_came_back('cohort', 'cohort')} > 0)"
_TODAY, _MONTH = _people("active_viewers"), _people("month_active_viewers")

STICKINESS = Page(
    uid="roompulse-stickiness",
    title="Stickiness and festivals",
    description="How long viewers stay, who is active, and what near festivals lift and borrow.",
    variables=(CURRENCY, MINOR_PER_UNIT),
    rows=(
        Row(
            "How long they stay, all rooms with state",
            (
                Panel(
                    "Share of ended visits still there after",
                    "bars",
                    tuple(Query(_stayed(seconds), name) for seconds, name in _STAYS),
                    "percentunit",
                    about="The retention curve of the platform: visits of all partitions add up.",
                    decimals=1,
                ),
                graph(
                    "Retention over time",
                    (_stayed(60), "1 min"),
                    (_stayed(300), "5 min"),
                    unit="percentunit",
                    decimals=1,
                ),
                stat("Visits", _visits("started"), width=6),
                stat(
                    "Average stay",
                    f"{_visits('watch_ms')} / ({_visits('started')} > 0)",
                    "ms",
                    width=6,
                    about="Open visits count up to when they were last seen.",
                ),
                stat(
                    "Visits per viewer today",
                    f"{_visits('started')} / ({_people('active_viewers')} > 0)",
                    decimals=2,
                    width=6,
                    about="Visits of all rooms with state, over today's viewers.",
                ),
                stat("Ended visits", _visits("ended"), width=6, about="The base of the curve."),
            ),
        ),
        Row(
            "The leading rooms",
            (
                Panel(
                    "Retention of rooms",
                    "table",
                    (
                        Query(_room("visits"), "Visits", NUMBER),
                        Query(_room("stayed_30s"), "30 s"),
                        Query(_room("stayed_60s"), "1 min"),
                        Query(_room("stayed_300s"), "5 min"),
                        Query(_room("median_watch_ms"), "Median stay", "ms"),
                    ),
                    "percentunit",
                    about="The first rooms by gross GMV. A click on a key leads to the room.",
                    decimals=1,
                    width=24,
                    height=10,
                    rooms=True,
                ),
            ),
        ),
        Row(
            "Who is active",
            (
                stat("Viewers today", _people("active_viewers"), width=5, about=_UPPER),
                stat("Viewers of 30 days", _people("month_active_viewers"), width=5, about=_UPPER),
                stat(
                    "Stickiness",
                    f"{_TODAY} / ({_MONTH} > 0)",
                    "percentunit",
                    decimals=1,
                    about=f"Viewers of the day over those of 30 days. {_UPPER}",
                ),
                stat("Buyers today", _people("active_buyers"), about=_UPPER),
                stat(
                    "Buyers of 30 days who came again",
                    f"{_people('repeat_buyers')} / ({_people('month_buyers')} > 0)",
                    "percentunit",
                    decimals=1,
                    width=6,
                    about="Ordered on two or more of the days, over all who ordered. Who bought in"
                    " rooms of two partitions is missed here.",
                ),
                graph(
                    "Active people over time",
                    (_people("active_viewers"), "viewers today"),
                    (_people("month_active_viewers"), "viewers of 30 days"),
                    (_people("active_buyers"), "buyers today"),
                    about=_UPPER,
                    decimals=0,
                    width=24,
                ),
            ),
        ),
        Row(
            "Who comes back",
            (
                stat(
                    "Returning viewers",
                    _returning(),
                    "percentunit",
                    decimals=1,
                    width=6,
                    about="Of the viewers of rooms opened in the last seven days, those who had"
                    f" watched another room of the host in the 30 days before. {_LOWER}",
                ),
                Panel(
                    "Weekly cohorts back in the week after",
                    "bars",
                    (Query(_COHORT, "{{kind}}"),),
                    "percentunit",
                    about="Who watched or bought for the first time in the newest week whose"
                    f" following week is over. {_LOWER}",
                    decimals=1,
                    width=6,
                    height=6,
                ),
                graph(
                    "Returning viewers over time",
                    (_returning(), "returning viewers"),
                    unit="percentunit",
                    about=_LOWER,
                    decimals=1,
                    width=12,
                ),
                *(_returning_table(scope) for scope in ("host", "room")),
            ),
        ),
        Row(
            "Festivals near this day",
            (
                Panel(
                    "Mean daily net GMV around festivals, $currency",
                    "table",
                    (
                        Query(f"{_daily('before')} / $minor_per_unit", "Before"),
                        Query(f"{_daily('during')} / $minor_per_unit", "During"),
                        Query(f"{_daily('after')} / $minor_per_unit", "After"),
                        Query(_days("after"), "Days after, of 28", NUMBER),
                    ),
                    MONEY,
                    about=_WINDOWS,
                    decimals=2,
                    height=6,
                ),
                Panel(
                    "Lift and overdraft",
                    "bars",
                    (
                        Query(_change("during"), "{{festival}} lift"),
                        Query(_change("after"), "{{festival}} overdraft"),
                    ),
                    "percentunit",
                    about=f"Provisional until there are 28 days after. {_WINDOWS}",
                    decimals=1,
                    height=6,
                ),
            ),
        ),
    ),
)
