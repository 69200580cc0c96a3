"""What a scrape gets of the market: leading rows of a view, nothing where nothing is known."""

from schemas.details import SoldHour, TrialSale
from schemas.records import RoomMinute, Version
from schemas.rules import DEFAULT_RULES
from streams.core.market.live import LiveMarket, MarketView, market_view
from streams.core.market.sold_hours import HOUR_MS
from streams.shell.market_metrics import market_families
from tests.unit.making import figures

NOON_MS = 1_760_000_040_000 // HOUR_MS * HOUR_MS
MINUTE_MS = 60_000
NOW_MS = NOON_MS + 30 * MINUTE_MS
Lines = dict[tuple[str, tuple[str, ...]], float]


def shown(view: MarketView | None, rows: int = 10, currencies: tuple[str, ...] = ("CNY",)) -> Lines:
    return {
        (family.name.removeprefix("roompulse_"), tuple(sample.labels.values())): sample.value
        for family in market_families(view, ["r1", "r2"], currencies, rows)
        for sample in family.samples
    }


def night() -> MarketView:
    """Two agencies in one currency, one in another; two rooms of a kind sell one product."""
    market = LiveMarket()
    for number, (mcn_id, currency, gross_minor) in enumerate(
        (("m1", "CNY", 10_000), ("m2", "CNY", 4_000), ("m3", "JPY", 500)), start=1
    ):
        room_id = f"r{number}"
        market.newest.apply_room(
            figures(
                room_id,
                mcn_id=mcn_id,
                host_id=f"h{number}",
                currency=currency,
                category="c",
                mode="talent",
                opened_ms=NOON_MS,
                orders=10,
                gross_minor=gross_minor,
                net_minor=gross_minor,
                suspected_orders=number - 1,
                suspected_minor=(number - 1) * 100,
                trusted_minor=gross_minor - (number - 1) * 100,
            )
        )
        line = RoomMinute(room_id, NOW_MS - MINUTE_MS, 1, gross_minor, 0, 4, 4, 0, 0, 0)
        market.apply_minute(line)
        sale = (Version(0, 1), room_id, "p")
        market.newest.apply_detail(SoldHour(*sale, "s", NOON_MS, 10, 10, gross_minor))
        first_ms = NOON_MS + number * MINUTE_MS
        market.newest.apply_detail(TrialSale(*sale, first_ms, 90, 20, 5, 10, 10, 900, 1, 90))
    return market_view(market.stand(NOW_MS), (), DEFAULT_RULES)


def test_agencies_are_shown_by_index_in_the_shown_currencies() -> None:
    view = night()
    lines = shown(view)
    assert lines["agency_gross_minor", ("m1", "CNY")] == 10_000
    assert lines["agency_suspected_share", ("m2", "CNY")] == 100 / 4_000
    assert lines["agency_index", ("m1", "CNY")] == view.agencies[0]["index"]
    assert ("agency_hosts", ("m3", "JPY")) not in lines
    assert [labels for name, labels in shown(view, rows=1) if name == "agency_hosts"] == [
        ("m1", "CNY")
    ]


def test_those_of_least_credit_are_shown_with_their_parts() -> None:
    view = night()
    lines = shown(view, rows=2)
    hosts = [key for name, (scope, key, *_) in _labelled(lines, "credit_score") if scope == "hosts"]
    assert hosts == ["h3", "h2"]
    points = {labels[2] for _, labels in _labelled(lines, "credit_points") if labels[1] == "h3"}
    assert points == {"integrity", "after_sales", "price_honesty"}


def _labelled(lines: Lines, name: str) -> list[tuple[str, tuple[str, ...]]]:
    return [key for key in lines if key[0] == name]


def test_concentration_is_that_of_the_hour() -> None:
    lines = shown(night())
    assert lines["sameness_hhi", ("room", "CNY")] == round((10**2 + 4**2) / 14**2, 4)
    assert lines["sameness_hhi", ("product", "CNY")] == 1
    assert lines["sameness_shared_products", ("CNY",)] == 1
    assert lines["sameness_shared_share", ("CNY",)] == 1


def test_rooms_are_shown_by_their_worst_metric_and_products_by_their_first_hour() -> None:
    lines = shown(night())
    assert lines["benchmark_against_median", ("r2", "gross_minor")] == -0.6
    assert lines["trial_clicks", ("p", "r1")] == 20
    assert lines["market_as_of_seconds", ()] == NOW_MS / 1_000


def test_nothing_is_shown_where_nothing_is_known() -> None:
    assert shown(None) == {}
