"""Orders, refunds, checkouts, complaints, products of one room: each rule as a small example."""

import pytest

from schemas.records import Version
from streams.core import limits
from streams.core.funnel import Funnel
from streams.core.ledger import Ledger, Refunded
from streams.core.outcomes import REPEAT, Refusal
from streams.core.room import Room
from tests.unit.making import (
    DAY,
    HOUR,
    MINUTE,
    checkout,
    complaint,
    exposure,
    listed,
    moment,
    opened,
    order,
    refund,
    room,
    view,
)


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(limits.Evictions())


def test_an_order_counts_once_by_its_id(ledger: Ledger) -> None:
    assert ledger.order(order("o", 0, 100, quantity=3), 0)
    assert not ledger.order(order("o", 9, 777, quantity=5), 9)
    assert (ledger.orders, ledger.units, ledger.gross_minor) == (1, 3, 100)
    assert ledger.buyers.count() == 1


def test_an_order_is_remembered_until_the_watermark_is_24_h_past_its_stamp(ledger: Ledger) -> None:
    ledger.order(order("o", 0), 0)
    assert not ledger.order(order("o", DAY, 100), DAY - 1)
    assert ledger.order(order("o", DAY, 100), DAY)
    assert ledger.gross_minor == 200


def test_repeats_do_not_prolong_the_memory(ledger: Ledger) -> None:
    ledger.order(order("o", 0), 0)
    ledger.order(order("o", 23 * HOUR), 23 * HOUR)
    assert ledger.order(order("o", DAY), DAY)


def test_a_refund_counts_once_by_its_id(ledger: Ledger) -> None:
    ledger.order(order("o", 0, 100), 0)
    assert ledger.refund(refund("f", "o", 1, 40), 1) == Refunded(40, True, None, False)
    assert ledger.refund(refund("f", "o", 2, 40), 2) is None
    assert (ledger.refunds, ledger.refunded_minor, ledger.refunded_orders) == (1, 40, 1)


def test_a_second_refund_of_an_order_adds_money_and_no_refunded_order(ledger: Ledger) -> None:
    ledger.order(order("o", 0, 100), 0)
    ledger.refund(refund("f", "o", 1, 40), 1)
    assert ledger.refund(refund("g", "o", 2, 60), 2) == Refunded(60, False, None, False)
    assert (ledger.refunds, ledger.refunded_minor, ledger.refunded_orders) == (2, 100, 1)


def test_a_refund_above_its_order_is_accepted_up_to_what_was_paid(ledger: Ledger) -> None:
    ledger.order(order("o", 0, 100), 0)
    ledger.refund(refund("f", "o", 1, 70), 1)
    assert ledger.refund(refund("g", "o", 2, 70), 2) == Refunded(30, False, None, False)
    assert ledger.refund(refund("h", "o", 3, 70), 3) == Refunded(0, False, None, False)
    assert (ledger.refunds, ledger.refunded_minor) == (2, 100)


def test_a_refund_that_was_refused_whole_is_not_remembered(ledger: Ledger) -> None:
    ledger.order(order("o", 0, 0), 0)
    assert ledger.refund(refund("f", "o", 1, 5), 1) == Refunded(0, False, None, False)
    assert ledger.refund(refund("f", "o", 2, 5), 2) == Refunded(0, False, None, False)


def test_a_refund_before_its_order_is_accepted_whole(ledger: Ledger) -> None:
    assert ledger.refund(refund("f", "o", 0, 500), 0) == Refunded(500, True, None, False)
    ledger.order(order("o", 1, 100, merchant_id="m"), 1)
    assert ledger.refund(refund("g", "o", 2, 1), 2) == Refunded(0, False, "m", False)


def test_a_refund_of_an_order_no_longer_remembered_is_accepted_whole(ledger: Ledger) -> None:
    ledger.order(order("o", 0, 100), 0)
    assert ledger.refund(refund("f", "o", DAY, 500), DAY) == Refunded(500, True, None, False)


@pytest.mark.parametrize(
    ("reason", "counts"),
    [
        ("quality", 1),
        ("not_as_described", 1),
        ("wrong_item", 1),
        ("not_received", 0),
        ("changed_mind", 0),
        ("price", 0),
        ("cancelled", 0),
        ("other", 0),
    ],
)
def test_three_reasons_make_a_quality_refund(ledger: Ledger, reason: str, counts: int) -> None:
    ledger.refund(refund("f", "o", 0, 5, reason=reason), 0)
    assert ledger.quality_refunds == counts


def test_a_suspected_order_is_off_trusted_money_and_an_unknown_one_changes_nothing(
    ledger: Ledger,
) -> None:
    ledger.order(order("o", 0, 100), 0)
    ledger.order(order("q", 0, 30), 0)
    assert ledger.suspect("o", 0) is not None
    assert ledger.suspect("o", 0) is None
    assert ledger.suspect("unknown", 0) is None
    assert ledger.suspect("q", DAY) is None
    assert (ledger.suspected_orders, ledger.suspected_minor) == (1, 100)
    assert (ledger.net_minor, ledger.trusted_minor) == (130, 30)


@pytest.mark.parametrize("refunded_first", [True, False])
def test_an_order_both_refunded_and_suspected_is_taken_off_once(
    ledger: Ledger, *, refunded_first: bool
) -> None:
    ledger.order(order("o", 0, 100), 0)
    ledger.order(order("q", 0, 30), 0)
    if refunded_first:
        ledger.refund(refund("f", "o", 1, 40), 1)
        ledger.suspect("o", 1)
    else:
        ledger.suspect("o", 1)
        assert ledger.refund(refund("f", "o", 1, 40), 1) == Refunded(40, True, None, True)
    assert (ledger.gross_minor, ledger.net_minor, ledger.trusted_minor) == (130, 90, 30)
    again = Ledger(limits.Evictions())
    again.restore(ledger.snapshot())
    assert (again.net_minor, again.trusted_minor) == (90, 30)
    assert again.suspect("o", 2) is None


def test_products_take_suspected_orders_off_what_is_trusted() -> None:
    selling = room()
    selling.order(order("o", 0, 100, merchant_id="m"), moment())
    selling.refund(refund("f", "o", 1, 40), moment())
    known = selling.ledger.suspect("o", 1)
    assert known is not None
    selling.products.suspect(known, 1)
    selling.refund(refund("g", "o", 2, 10), moment())
    (figures,) = selling.product_figures(Version(0, 0))
    assert (figures.suspected_orders, figures.suspected_minor) == (1, 100)
    assert (figures.net_minor, figures.trusted_minor) == (50, 0)
    assert shown(selling, 0)["trusted_minor"] == 0


# --- the room: late, future, refused ------------------------------------------------------------


def shown(selling: Room, watermark_ms: int) -> dict[str, object]:
    summary = selling.figures(moment(watermark_ms), Version(0, 0)).summary
    return {name: getattr(summary, name) for name in summary.__struct_fields__}


def test_a_late_order_counts_in_the_room_and_in_no_minute() -> None:
    selling = room()
    assert selling.order(order("o", 59_999), moment(MINUTE)) is None
    assert selling.close_minutes(moment(2 * MINUTE), 2 * MINUTE) == []
    assert shown(selling, 0)["gross_minor"] == 100


def test_an_order_at_the_first_open_millisecond_is_in_its_minute() -> None:
    selling = room()
    selling.order(order("o", MINUTE), moment(MINUTE + 5_000))
    selling.refund(refund("f", "o", MINUTE, 30), moment(MINUTE + 5_000))
    (line,) = selling.close_minutes(moment(2 * MINUTE), 2 * MINUTE)
    assert (line.minute_ms, line.orders, line.gross_minor) == (MINUTE, 1, 100)
    assert line.refunded_minor == 30


def test_a_refuted_order_and_refund_count_in_the_room_and_in_no_minute() -> None:
    selling = room()
    refuted = moment(0, believed=False)
    assert selling.order(order("o", 30 * DAY), refuted) is None
    assert selling.refund(refund("f", "o", 30 * DAY, 40), refuted) is None
    assert selling.complaint(complaint("c", "opened", 30 * DAY), refuted) is None
    assert not selling.panes.open
    assert shown(selling, 0)["net_minor"] == 60


def test_refuted_views_exposures_and_checkouts_are_refused() -> None:
    selling, refuted = room(), moment(0, believed=False)
    for outcome in (
        selling.view(view("v", 30 * DAY), refuted),
        selling.exposure(exposure(5), refuted),
        selling.checkout(checkout("o", 30 * DAY), refuted),
    ):
        assert isinstance(outcome, Refusal)
        assert (outcome.reason, outcome.wholly) == ("future", True)


def test_a_refuted_checkout_that_is_a_repeat_stays_a_repeat() -> None:
    selling = room()
    assert selling.checkout(checkout("o", 0), moment(0)) is None
    assert selling.checkout(checkout("o", 30 * DAY), moment(0, believed=False)) is REPEAT


def test_a_refuted_closing_sets_the_time_and_ends_no_visit() -> None:
    selling = room()
    selling.view(view("v", 0), moment(0))
    closing = opened(ts_ms=30 * DAY)  # any event with a stamp
    selling.room_closed(closing, moment(0, believed=False))  # type: ignore[arg-type]
    assert selling.closed_ms == 30 * DAY
    assert selling.audience.online == 1


def test_an_over_refund_says_what_is_above() -> None:
    selling = room()
    selling.order(order("o", 0, 100), moment(0))
    outcome = selling.refund(refund("f", "o", 1, 130), moment(0))
    assert outcome == Refusal(
        "over_refund", "30 minor units above what is left of the order", False
    )
    whole = selling.refund(refund("g", "o", 1, 5), moment(0))
    assert isinstance(whole, Refusal)
    assert whole.wholly


def test_the_first_opening_of_a_room_stands() -> None:
    selling = room()
    selling.order(order("o", 0), moment(0))
    assert shown(selling, 0)["host_id"] is None
    selling.room_opened(opened(host_id="first"), moment(0))
    selling.room_opened(opened(host_id="second"), moment(0))
    assert shown(selling, 0)["host_id"] == "first"


def test_rates_of_a_room_without_visits_are_null() -> None:
    figures = shown(room(), 0)
    nulls = ("avg_watch_ms", "median_watch_ms", "stayed_30s", "first_reply_median_ms", "as_of_ms")
    assert [figures[name] for name in nulls] == [None] * len(nulls)


def test_the_average_watch_time_is_rounded_down() -> None:
    selling = room()
    for viewer_id, stay_ms in (("a", 1), ("b", 2), ("c", 2)):
        selling.view(view(viewer_id, 0), moment(-5_000))
        selling.view(view(viewer_id, stay_ms, "leave"), moment(-5_000))
    assert shown(selling, 0)["avg_watch_ms"] == 1


# --- checkouts --------------------------------------------------------------------------------


@pytest.fixture
def funnel() -> Funnel:
    return Funnel(limits.Evictions())


def test_a_checkout_is_unpaid_when_the_watermark_is_30_minutes_past_it(funnel: Funnel) -> None:
    funnel.checkout(checkout("o", 0), 0, paid=False)
    funnel.settle(30 * MINUTE - 1)
    assert funnel.unpaid_orders == 0
    funnel.settle(30 * MINUTE)
    assert (funnel.checkouts, funnel.unpaid_orders) == (1, 1)


def test_a_payment_in_time_makes_it_paid_whether_figures_were_asked_or_not(funnel: Funnel) -> None:
    funnel.checkout(checkout("o", 0), 0, paid=False)
    funnel.paid("o", 30 * MINUTE - 1)
    funnel.settle(DAY)
    assert funnel.unpaid_orders == 0


def test_a_later_payment_takes_nothing_back(funnel: Funnel) -> None:
    funnel.checkout(checkout("o", 0), 0, paid=False)
    funnel.paid("o", 30 * MINUTE)
    assert funnel.unpaid_orders == 1
    funnel.checkout(checkout("q", 0), 0, paid=False)
    funnel.settle(30 * MINUTE)
    funnel.paid("q", 31 * MINUTE)
    assert funnel.unpaid_orders == 2


def test_a_checkout_of_an_order_that_is_paid_already_waits_for_nothing(funnel: Funnel) -> None:
    funnel.checkout(checkout("o", 0), 0, paid=True)
    funnel.settle(DAY)
    assert (funnel.checkouts, funnel.unpaid_orders) == (1, 0)


def test_an_id_that_comes_again_after_a_day_is_a_checkout_of_its_own(funnel: Funnel) -> None:
    funnel.checkout(checkout("o", 0), 0, paid=False)
    assert funnel.knows("o", DAY - 1)
    assert not funnel.knows("o", DAY)
    funnel.checkout(checkout("o", DAY), DAY, paid=False)
    assert (funnel.checkouts, funnel.unpaid_orders) == (2, 1)
    funnel.settle(DAY + 30 * MINUTE)
    assert funnel.unpaid_orders == 2


def test_the_earliest_of_many_checkouts_is_judged_first(funnel: Funnel) -> None:
    for order_id, ts_ms in (("a", 10_000), ("b", 0), ("c", 20_000)):
        funnel.checkout(checkout(order_id, ts_ms), 0, paid=False)
    funnel.settle(30 * MINUTE + 10_000)
    assert funnel.unpaid_orders == 2
    funnel.settle(30 * MINUTE + 20_000)
    assert funnel.unpaid_orders == 3


def test_impressions_of_the_room_and_of_products_are_apart(funnel: Funnel) -> None:
    funnel.exposure(exposure(5))
    funnel.exposure(exposure(7, "p"))
    assert (funnel.impressions, funnel.product_impressions) == (5, 7)


# --- complaints -------------------------------------------------------------------------------


def after_sales(*events: tuple[str, str, int]) -> dict[str, object]:
    selling = room()
    for complaint_id, status, ts_ms in events:
        selling.complaint(complaint(complaint_id, status, ts_ms), moment(ts_ms))
    figures = shown(selling, DAY)
    names = ("opened", "replied", "resolved")
    return {
        **{name: figures[f"complaints_{name}"] for name in names},
        "reply": figures["first_reply_median_ms"],
        "solution": figures["resolution_median_ms"],
    }


def test_a_complaint_counts_once_in_each_state() -> None:
    twice = [("c", state, 0) for state in ("opened", "replied", "resolved") for _ in range(2)]
    found = after_sales(*twice)
    assert (found["opened"], found["replied"], found["resolved"]) == (1, 1, 1)


def test_the_first_reply_and_the_first_solution_are_measured_from_the_opening() -> None:
    found = after_sales(("c", "opened", 10), ("c", "replied", 40), ("c", "resolved", 60))
    assert (found["reply"], found["solution"]) == (30, 50)


def test_a_solution_days_later_is_still_measured() -> None:
    found = after_sales(("c", "opened", 0), ("c", "resolved", 3 * DAY))
    assert found["solution"] == pytest.approx(3 * DAY, rel=0.05)


def test_a_repeated_reply_after_a_day_counts_again_and_is_not_measured_again() -> None:
    found = after_sales(("c", "opened", 0), ("c", "replied", 40), ("c", "replied", 2 * DAY))
    assert (found["replied"], found["reply"]) == (2, 40)


def test_without_a_known_opening_nothing_is_measured() -> None:
    found = after_sales(("c", "replied", 40), ("c", "resolved", 50), ("c", "opened", 60))
    assert (found["opened"], found["reply"], found["solution"]) == (1, None, None)


def test_a_reply_stamped_before_its_opening_took_no_time() -> None:
    assert after_sales(("c", "opened", 100), ("c", "replied", 60))["reply"] == 0


# --- products ---------------------------------------------------------------------------------


def products_of(selling: Room) -> dict[tuple[str, str | None], tuple[int, int, int]]:
    """Gross, refunded money and clicks of each product and merchant."""
    return {
        (each.product_id, each.merchant_id): (
            each.gross_minor,
            each.refunded_minor,
            each.clicks,
        )
        for each in selling.product_figures(Version(0, 0))
    }


def test_an_order_belongs_to_its_own_merchant_and_names_the_product_s() -> None:
    selling = room()
    selling.product(listed("p", "old"), moment())
    selling.order(order("o", 0, 100, merchant_id="new"), moment())
    selling.order(order("q", 0, 50), moment())
    selling.view(view("v", 0, "click", product_id="p"), moment())
    found = products_of(selling)
    assert found == {("p", "new"): (100, 0, 1), ("p", None): (50, 0, 0)}


def test_a_refund_goes_to_its_order_s_merchant() -> None:
    selling = room()
    selling.order(order("o", 0, 100, merchant_id="m"), moment())
    selling.product(listed("p", "other"), moment())
    selling.refund(refund("f", "o", 1, 40), moment())
    assert products_of(selling)["p", "m"] == (100, 40, 0)


def test_a_refund_of_an_unknown_order_goes_to_the_product_s_merchant_if_known() -> None:
    selling = room()
    selling.refund(refund("f", "o", 1, 40), moment())
    selling.product(listed("p", "m"), moment())
    selling.refund(refund("g", "q", 1, 2), moment())
    assert products_of(selling) == {("p", None): (0, 40, 0), ("p", "m"): (0, 2, 0)}


def test_what_viewers_and_buyers_do_with_a_product_is_counted_with_it() -> None:
    selling = room()
    selling.exposure(exposure(9, "p"), moment())
    for action in ("click", "cart", "like"):
        selling.view(view("v", 0, action, product_id="p"), moment())
    selling.checkout(checkout("o", 0), moment())
    selling.complaint(complaint("c", "opened", 0, product_id="p"), moment())
    selling.complaint(complaint("c", "replied", 0, product_id="p"), moment())
    (figures,) = selling.product_figures(Version(0, 0))
    assert (figures.product_impressions, figures.clicks, figures.carts) == (9, 1, 1)
    assert (figures.checkouts, figures.complaints_opened) == (1, 1)


def test_only_products_that_changed_are_shown_again() -> None:
    selling = room()
    selling.order(order("o", 0), moment())
    assert len(selling.product_figures(Version(0, 1))) == 1
    assert selling.product_figures(Version(0, 2)) == []
    selling.product(listed("p", None), moment())
    assert selling.product_figures(Version(0, 3)) == []
