"""Who answers for what came back, how soon people were answered, and which minutes sold it?"""

from collections.abc import Mapping, Sequence

from roompulse.charts.bars import Bar, Bars, bar_chart
from roompulse.report.curves import pitch
from roompulse.report.files import Row
from roompulse.report.markup import Html, tag
from roompulse.report.tables import (
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

_FIGURES = (
    "orders",
    "complaints",
    "complaint_rate",
    "refunds",
    "refunded_minor",
    "quality_refunds",
    "quality_refund_rate",
    "first_reply_median_ms",
    "first_reply_breaches",
    "first_reply_attainment",
    "resolution_median_ms",
    "resolution_breaches",
    "resolution_attainment",
)
_SECTIONS = ("merchants", "hosts", "mcns", "rooms")
_CASES = ("complaints", "refunds")


def after_sales(context: Context) -> Html:
    """By party for the platform, by key for the rest, and what was sold when."""
    report = context.files.sections.get("after-sales.json")
    if report is None:
        return section(context, "after_sales", tag("p", context.say("not_there")), pitch(context))
    parts: list[Html] = []
    for currency in dict.fromkeys(row["currency"] for row in report["platform"]):
        rows = [row for row in report["platform"] if row["currency"] == currency]
        parts += _platform(context, rows, currency)
    parts += pitch(context)
    for name in _SECTIONS:
        whole = [row for row in report.get(name, ()) if row["party"] is None]
        if whole:
            parts.append(_loads(context, name, sorted(whole, key=_most_first)))
    empty = tag("p", context.say("none"))
    return section(context, "after_sales", tag("div", parts or empty, class_="grid"))


def _platform(context: Context, rows: Sequence[Row], currency: str | None) -> list[Html]:
    code = context.currency(currency)
    told = [{**row, "party": _party(context, row)} for row in rows]
    columns = Columns("after_sales", _FIGURES, {"party": context.say("party")})
    full = table(context, context.say("by_party", currency=code), columns, told, currency)
    parties = [row for row in told if row["party"] != context.say("all_parties")]
    money_title = context.say("party_money", currency=code)
    money = [
        Bars(
            row["party"],
            [
                Bar(
                    row["refunded_minor"],
                    words=shown("refunded_minor", row["refunded_minor"], currency),
                )
            ],
        )
        for row in parties
    ]
    cases_title = context.say("party_cases", currency=code)
    cases = [
        Bars(row["party"], [Bar(row[name], words=f"{row[name]:,}") for name in _CASES])
        for row in parties
    ]
    series = [context.label("after_sales", name) for name in _CASES]
    return [
        chart(context, money_title, bar_chart(money_title, money, alone=False), full),
        chart(
            context,
            cases_title,
            bar_chart(cases_title, cases, series=series, alone=False),
            _causes(context, rows[0], currency),
        ),
    ]


def _party(context: Context, row: Row) -> str:
    party = row["party"]
    return context.say("all_parties") if party is None else context.words.name(party)


def _causes(context: Context, row: Row, currency: str | None) -> Html:
    """What the complaints and refunds of everybody were about."""
    counts: Mapping[str, Mapping[str, int]] = {
        "complaints": row["complaints_by_kind"],
        "refunds": row["refunds_by_reason"],
        "refunded_minor": row["refunded_minor_by_reason"],
    }
    heads = [tag("th", context.say("cause"), scope="col", class_="text")]
    heads += [tag("th", context.label("after_sales", name), scope="col") for name in counts]
    lines = [
        tag(
            "tr",
            tag("th", context.words.name(cause), scope="row", class_="text"),
            [tag("td", figure(name, of.get(cause), currency)) for name, of in counts.items()],
        )
        for cause in sorted({cause for of in counts.values() for cause in of})
    ]
    title = context.say("causes", currency=context.currency(currency))
    return framed(title, tag("tr", heads), lines)


def _most_first(row: Row) -> tuple[int, int, str, str]:
    return -row["refunded_minor"], -row["complaints"], row["key"], row["currency"] or ""


def _loads(context: Context, name: str, rows: Sequence[Row]) -> Html:
    title = context.say("load_of", scope=context.words.scope(name))
    kept, bound = bounded(context, rows)
    texts = {"key": context.say("key"), "currency": context.say("currency")}
    full = table(context, title, Columns("after_sales", _FIGURES, texts), kept)
    bars = [
        Bars(
            f"{short(row['key'])} ({context.currency(row['currency'])})",
            [_rate(row["quality_refund_rate"]), _rate(row["complaint_rate"])],
        )
        for row in kept[:10]
    ]
    series = [
        context.label("after_sales", each) for each in ("quality_refund_rate", "complaint_rate")
    ]
    return chart(context, title, bar_chart(title, bars, series=series, alone=False), full, bound)


def _rate(value: float | None) -> Bar | None:
    return None if value is None else Bar(value, words=shown("complaint_rate", value))
