"""What is planted has the figures of its table, and the truth file says exactly where it is."""

import hashlib
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

import msgspec
import pytest
import typer
from typer.testing import CliRunner, Result

from producers.generator import (
    SCENARIOS,
    Incident,
    ScenarioError,
    Session,
    Wanted,
    World,
    generate,
    innocents,
    parameters,
    waves,
)
from producers.generator.adversaries import ADVERSARIES, accounts, attack
from producers.generator.crowds import Pool, block_start, crowd, natural_stay_ms, strangers
from producers.generator.dirt import Dirt
from producers.generator.draws import seeded
from producers.generator.planted import brushing
from producers.generator.rooms import MINUTE_MS
from producers.generator.script import ByRoom, Script
from producers.generator.viewbots import bots_of
from roompulse.cli.generate import generate as generate_command
from schemas import codec
from tests.oracle.recount import recount

PLANTED = tuple(name for name, scenario in SCENARIOS.items() if "rooms" in scenario.options)
HOUR_MS = 60 * MINUTE_MS
THIN = Wanted(audience=0.2)


class Played:
    """A generated session, decoded, with look-ups for its truth."""

    def __init__(self, session: Session) -> None:
        records = list(session)
        self.truth = session.truth
        self.sample = b"".join(records[::7]).decode()
        events = [codec.decode(record) for record in records]
        self.orders = {e.order_id: e for e in events if isinstance(e, codec.Order)}
        self.checkouts = {e.order_id for e in events if isinstance(e, codec.Checkout)}
        self.refunds = {e.order_id: e for e in events if isinstance(e, codec.Refund)}
        self.complaints = [e for e in events if isinstance(e, codec.Complaint)]
        self.products = [e for e in events if isinstance(e, codec.Product)]
        self.closed = {e.room_id: e.ts_ms for e in events if isinstance(e, codec.RoomClosed)}
        self.opened = {e.room_id: e for e in events if isinstance(e, codec.RoomOpened)}
        self.views: defaultdict[tuple[str, str], list[codec.View]] = defaultdict(list)
        for event in events:
            if isinstance(event, codec.View):
                self.views[event.room_id, event.viewer_id].append(event)

    def incidents(self, **wanted: str) -> list[Incident]:
        return [
            incident
            for incident in self.truth.incidents
            if all(incident.more.get(name) == value for name, value in wanted.items())
        ]

    def orders_of(self, incident: Incident) -> list[codec.Order]:
        return [self.orders[order_id] for order_id in incident.order_ids]

    def refunds_of(self, incident: Incident) -> list[codec.Refund]:
        return [self.refunds[o] for o in incident.order_ids if o in self.refunds]

    def dwells_ms(self, incident: Incident) -> list[int]:
        """From the last known enter to the order; orders without one are left out."""
        found = []
        for order in self.orders_of(incident):
            views = self.views[order.room_id, order.buyer_id]
            entered = [v.ts_ms for v in views if v.action == "enter" and v.ts_ms <= order.ts_ms]
            if entered:
                found.append(order.ts_ms - max(entered))
        return found


@cache
def played(name: str, seed: int, wanted: Wanted) -> Played:
    return Played(generate(name, seed, wanted=wanted))


@cache
def brushed(seed: int, intensity: float = 1.0) -> Played:
    return played("brushing", seed, Wanted(intensity=intensity, audience=0.15, hours=3.5))


def each_attack(name: str, seeds: int = 3) -> Iterator[tuple[Played, Incident]]:
    for seed in range(seeds):
        session = brushed(seed)
        (incident,) = session.incidents(adversary=name)
        yield session, incident


def distinct(orders: list[codec.Order], field: str) -> int:
    return len({getattr(order, field) for order in orders})


def young_share(orders: list[codec.Order]) -> float:
    ages = {order.buyer_id: order.account_age_days or 0 for order in orders}
    return sum(age < 7 for age in ages.values()) / len(ages)


# --- the brushing table --------------------------------------------------------------------------

# orders, minutes, devices, payments, addresses; None where the table says nothing
FIGURES: dict[str, tuple[int, float, int | None, int | None, int | None]] = {
    "A1": (30, 5, 6, 6, 8),
    "A2": (30, 67, 5, 5, 8),
    "A3": (30, 67, 8, 4, 10),
    "A4": (40, 67, 40, 6, 12),
    "A6": (25, 83, 25, 25, 25),
    "A8": (30, 67, 5, 5, 8),
    "A9": (30, 5, 6, 6, 8),
}


@pytest.mark.parametrize("name", FIGURES)
def test_an_attack_has_the_figures_of_the_table(name: str) -> None:
    count, minutes, devices, payments, addresses = FIGURES[name]
    for session, incident in each_attack(name):
        orders = session.orders_of(incident)
        assert len(orders) == count
        assert {order.room_id for order in orders} == {incident.room_id}
        assert distinct(orders, "device_id") == devices
        assert distinct(orders, "payment_id") == payments
        assert distinct(orders, "address_id") == addresses
        stamps = [order.ts_ms for order in orders]
        # who waits for the next product orders some minutes after coming in
        waiting = 13 if ADVERSARIES[name].dwell == "natural" else 0
        assert 0.5 * minutes < (max(stamps) - min(stamps)) / MINUTE_MS <= minutes + waiting
        assert incident.kind == "brushed_orders"
        assert {order.buyer_id for order in orders} == set(incident.more["buyers"])
        assert set(incident.order_ids) <= session.checkouts


@pytest.mark.parametrize("name", ["A1", "A9"])
def test_bursts_come_without_a_visit(name: str) -> None:
    for session, incident in each_attack(name):
        for order in session.orders_of(incident):
            assert (order.room_id, order.buyer_id) not in session.views


@pytest.mark.parametrize("name", ["A2", "A8"])
def test_a_drip_enters_three_to_eight_seconds_before(name: str) -> None:
    for session, incident in each_attack(name):
        # an account that comes again, and whose second enter was lost, shows its first one
        dwells = [dwell for dwell in session.dwells_ms(incident) if dwell < MINUTE_MS]
        assert len(dwells) >= 0.8 * len(incident.order_ids)  # the others' enters were lost
        assert min(dwells) >= 3_000
        assert max(dwells) < 8_000


def test_mimicry_dwells_sixty_seconds_and_an_exponential() -> None:
    dwells = [d for session, incident in each_attack("A3", 6) for d in session.dwells_ms(incident)]
    assert min(dwells) >= 60_000
    assert fmean(dwells) / 1000 == pytest.approx(260, rel=0.25)


@pytest.mark.parametrize("name", ["A4", "A6"])
def test_natural_dwell_is_that_of_natural_buyers(name: str) -> None:
    natural, planted = [], []
    for session, incident in each_attack(name, 4):
        planted += session.dwells_ms(incident)
        known = {order_id for known in session.truth.incidents for order_id in known.order_ids}
        rest = Incident("", "", order_ids=[o for o in session.orders if o not in known])
        natural += session.dwells_ms(rest)
    assert median(planted) == pytest.approx(median(natural), rel=0.3)


@pytest.mark.parametrize(("name", "share"), [("A4", 0.4), ("A1", 0.05), ("A6", 0.04)])
def test_the_share_of_young_accounts(name: str, share: float) -> None:
    for session, incident in each_attack(name):
        assert young_share(session.orders_of(incident)) == pytest.approx(share)


@pytest.mark.parametrize(
    ("name", "share", "least", "most"),
    [("A3", 0.7, 4, 16), ("A5", 0.7, 3, 25), ("A1", 0, 0, 0), ("A4", 0, 0, 0), ("A6", 0, 0, 0)],
)
def test_the_money_goes_back_as_the_table_says(
    name: str, share: float, least: float, most: float
) -> None:
    for session, incident in each_attack(name):
        refunds = session.refunds_of(incident)
        assert len(refunds) == pytest.approx(share * len(incident.order_ids), abs=1)
        for refund in refunds:
            order = session.orders[refund.order_id]
            assert refund.amount_minor == order.amount_minor
            assert refund.ordered_ts_ms == order.ts_ms
            assert least <= (refund.ts_ms - order.ts_ms) / MINUTE_MS <= most


def test_the_crowd_is_the_same_real_accounts_in_three_rooms() -> None:
    for session, incident in each_attack("A5"):
        assert incident.kind == "identity_ring"
        rooms = incident.more["rooms"]
        assert len(rooms) == 3
        assert incident.room_id in rooms
        assert len({session.opened[room_id].host_id for room_id in rooms}) == 3
        by_room: defaultdict[str, list[str]] = defaultdict(list)
        for order in session.orders_of(incident):
            by_room[order.room_id].append(order.buyer_id)
        assert set(by_room) == set(rooms)
        for buyers in by_room.values():
            assert len(buyers) == 40
            assert set(buyers) == set(incident.more["buyers"])
        # real people do other things as well
        others = {o.buyer_id for o in session.orders.values()} | {v for _, v in session.views}
        elsewhere = {v for room, v in session.views if room not in rooms} & others
        assert elsewhere & set(incident.more["buyers"])


def test_timing_stays_inside_listing_peaks() -> None:
    for session, incident in each_attack("A8"):
        listed = [
            event.ts_ms
            for event in session.products
            if event.room_id == incident.room_id and event.action == "listed"
        ]
        for order in session.orders_of(incident):
            since_ms = min(order.ts_ms - ts_ms for ts_ms in listed if ts_ms <= order.ts_ms)
            assert 0 <= since_ms <= 60_000


def test_sabotage_names_another_host_as_the_planter_and_only_in_the_truth() -> None:
    for session, incident in each_attack("A9"):
        planter = incident.more["planted_by"]
        assert planter != session.opened[incident.room_id].host_id
        assert planter in {opened.host_id for opened in session.opened.values()}


def test_poisoning_lasts_three_days_and_grows_to_the_rate_of_a_ring() -> None:
    session = played("poisoning", 1, Wanted(audience=0.2))
    (incident,) = session.incidents(adversary="A7")
    orders = sorted(session.orders_of(incident), key=lambda order: order.ts_ms)
    stamps = [order.ts_ms for order in orders]
    assert stamps[-1] - stamps[0] > 65 * HOUR_MS
    third_ms = 24 * HOUR_MS
    by_third = Counter(min(2, (ts_ms - stamps[0]) // third_ms) for ts_ms in stamps)
    # a rate that grows linearly sells in thirds as 1 to 3 to 5
    assert by_third[1] / by_third[0] == pytest.approx(3, rel=0.35)
    assert by_third[2] / by_third[0] == pytest.approx(5, rel=0.35)
    last_ms = stamps[-1] - 5 * 67 * MINUTE_MS
    at_the_end = sum(ts_ms > last_ms for ts_ms in stamps) / 5
    assert at_the_end == pytest.approx(40, rel=0.15)
    crowd_orders = orders[:40]
    assert distinct(crowd_orders, "device_id") == 40
    assert distinct(crowd_orders, "payment_id") <= 12
    assert young_share(orders) == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize("intensity", [0.5, 2.0, 4.0])
def test_intensity_multiplies_orders_and_what_the_adversary_owns(intensity: float) -> None:
    session = brushed(0, intensity)
    for name, (count, _, devices, payments, addresses) in FIGURES.items():
        (incident,) = session.incidents(adversary=name)
        orders = session.orders_of(incident)
        assert len(orders) == pytest.approx(count * intensity, abs=0.5)
        for field, figure in (
            ("device_id", devices),
            ("payment_id", payments),
            ("address_id", addresses),
        ):
            assert figure is not None
            assert distinct(orders, field) == pytest.approx(figure * intensity, abs=0.51)


def test_at_intensity_one_thirty_orders_are_once_the_rooms_own_rate() -> None:
    rates = []
    for seed in range(12):
        for plan in brushing(seed, Wanted()).rooms:
            buyers = plan.visits * parameters.ENGAGED_SHARE * plan.conversion
            orders = buyers * (1 - parameters.NO_PAYMENT_SHARE) / (1 - parameters.NEXT_ORDER_SHARE)
            rates.append(orders / 4 * 67 / 60)
    assert fmean(rates) == pytest.approx(30, rel=0.2)


def test_one_attack_a_room_with_clean_rooms_beside() -> None:
    for seed in range(3):
        session = brushed(seed)
        attacked = [i for i in session.truth.incidents if i.kind != "innocent"]
        assert {i.more["adversary"] for i in attacked} == set(ADVERSARIES)
        rooms = [room for i in attacked for room in i.more.get("rooms", [i.room_id])]
        assert len(rooms) == len(set(rooms)) == 11
        assert len(session.opened) - len(rooms) == 13
        for incident in session.incidents(innocent="flash_peak"):
            assert incident.room_id not in rooms


# --- viewers -------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", [0, 1])
def test_bots_have_the_shape_of_their_kind(seed: int) -> None:
    session = played(
        "viewbots", seed, Wanted(attacks=("V-A", "V-B", "V-C"), rooms=6, hours=3, audience=0.3)
    )
    for name in ("V-A", "V-B", "V-C"):
        (incident,) = session.incidents(adversary=name)
        assert incident.kind == "fake_viewers"
        bots = incident.more["viewers"]
        views = [session.views[incident.room_id, bot] for bot in bots]
        enters = [view[0] for view in views]
        assert {view.action for seen in views for view in seen} <= {"enter", "heartbeat", "leave"}
        entered = [view.ts_ms for view in enters]
        assert incident.started_ms == min(entered)
        assert not set(bots) & {order.buyer_id for order in session.orders.values()}
        stays = [(seen[-1].ts_ms - seen[0].ts_ms) / 1000 for seen in views]
        if name == "V-A":
            assert len({view.ip_id for view in enters}) == 1
            assert len({view.device_id for view in enters}) < 0.3 * len(bots)
            assert max(entered) - min(entered) <= 10 * MINUTE_MS
            leaves = [seen[-1].ts_ms for seen in views]
            assert max(leaves) - min(leaves) <= MINUTE_MS
        else:
            assert len({view.ip_id for view in enters}) == len(bots)
            assert len({view.device_id for view in enters}) == len(bots)
        if name == "V-B":
            close_ms = session.closed[incident.room_id]
            assert all(close_ms - seen[-1].ts_ms < 80_000 for seen in views)
            assert incident.ended_ms == close_ms
        if name == "V-C":
            assert 2 < median(stays) < 12  # KuaiLive: 4.9 s


def test_bots_are_counted_by_the_rooms_own_visits() -> None:
    world = brushing(0, Wanted())
    for plan in world.rooms:
        hourly = plan.visits / 4
        assert bots_of(plan, 1) == pytest.approx(max(50, hourly / 2), abs=0.51)
        assert bots_of(plan, 2) == pytest.approx(2 * max(50, hourly / 2), abs=0.51)


# --- waves and wars ------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_a_faulty_batch_comes_back_three_times_as_often(seed: int) -> None:
    session = played("refund_wave", seed, THIN)
    (incident,) = session.incidents(adversary="R-A")
    assert incident.kind == "refund_surge"
    product_id = incident.more["product_id"]
    sold = [
        order
        for order in session.orders.values()
        if order.room_id == incident.room_id
        and order.product_id == product_id
        and incident.more["sold_from_ms"] <= order.ts_ms < incident.more["sold_to_ms"]
    ]
    refunds = session.refunds_of(incident)
    assert {refund.order_id for refund in refunds} <= {order.order_id for order in sold}
    category = session.opened[incident.room_id].category
    wanted = 3 * parameters.CATEGORIES[category].refund_rate
    assert len(refunds) >= 6
    assert len(refunds) / len(sold) == pytest.approx(min(0.95, wanted), abs=0.17)
    quality = {"quality", "not_as_described", "wrong_item"}
    assert {refund.reason for refund in refunds} <= quality
    assert incident.started_ms == min(refund.ts_ms for refund in refunds)
    assert incident.ended_ms == max(refund.ts_ms for refund in refunds)
    assert all(refund.ts_ms - refund.ordered_ts_ms < HOUR_MS for refund in refunds)


@pytest.mark.parametrize(("intensity", "wanted"), [(1.0, 10), (2.0, 20)])
def test_a_complaint_wave_is_ten_people_in_twenty_minutes(intensity: float, wanted: int) -> None:
    session = played("complaint_wave", 2, Wanted(intensity=intensity, audience=0.2))
    (incident,) = session.incidents(adversary="C-A")
    assert incident.kind == "complaint_surge"
    ids = set(incident.more["complaint_ids"])
    opened = [c for c in session.complaints if c.status == "opened" and c.complaint_id in ids]
    assert len(opened) == wanted
    assert len({complaint.buyer_id for complaint in opened}) == wanted
    stamps = [complaint.ts_ms for complaint in opened]
    assert max(stamps) - min(stamps) <= 20 * MINUTE_MS
    for complaint in opened:
        assert complaint.order_id is not None
        assert session.orders[complaint.order_id].ts_ms < complaint.ts_ms
    # at least five times what comes by itself
    rest = [c for c in session.complaints if c.status == "opened" and c.complaint_id not in ids]
    by_itself = len(rest) / session.truth.notes["planted"]["room_hours"] / 3
    assert wanted >= 5 * by_itself


@pytest.mark.parametrize("seed", range(3))
def test_after_the_hint_buyers_cancel_stay_and_complain(seed: int) -> None:
    session = played("off_platform", seed, THIN)
    (incident,) = session.incidents(adversary="O-A")
    assert incident.kind == "off_platform_payment"
    hint_ms = incident.more["hint_ms"]
    refunds = session.refunds_of(incident)
    assert len(refunds) == waves.HINT_REFUNDS == 15
    assert {refund.reason for refund in refunds} == {"cancelled"}
    for refund in refunds:
        assert hint_ms < refund.ts_ms < hint_ms + 16 * MINUTE_MS
        assert refund.ts_ms - refund.ordered_ts_ms < 45 * MINUTE_MS
        views = session.views[refund.room_id, refund.buyer_id]
        assert max(view.ts_ms for view in views) > refund.ts_ms  # who cancels stays
    complaints = [c for c in session.complaints if c.kind == "off_platform_payment"]
    assert len(complaints) == 5
    assert {complaint.buyer_id for complaint in complaints} <= set(incident.more["buyers"])
    assert all(complaint.ts_ms > hint_ms for complaint in complaints)


def test_fewer_buy_after_the_hint() -> None:
    before = after = 0
    for seed in range(3):
        session = played("off_platform", seed, THIN)
        (incident,) = session.incidents(adversary="O-A")
        hint_ms = incident.more["hint_ms"]
        for order in session.orders.values():
            if order.room_id == incident.room_id and order.order_id not in incident.order_ids:
                before += hint_ms - 60 * MINUTE_MS < order.ts_ms <= hint_ms
                # who came before the hint may still buy for a while
                after += hint_ms < order.ts_ms - 10 * MINUTE_MS <= hint_ms + 50 * MINUTE_MS
    assert after < 0.75 * before


@pytest.mark.parametrize(("intensity", "share"), [(1.0, 0.7), (0.5, 0.35), (2.0, 0.95)])
def test_when_the_picture_freezes_people_leave_and_few_come(intensity: float, share: float) -> None:
    session = played("traffic_drop", 1, Wanted(rooms=2, hours=3, intensity=intensity))
    (incident,) = session.incidents(adversary="T-A")
    assert (incident.kind, incident.order_ids) == ("traffic_drop", [])
    assert incident.more["lost_share"] == pytest.approx(share)
    from_ms, to_ms = incident.started_ms, incident.ended_ms
    assert to_ms - from_ms == 20 * MINUTE_MS
    visits = [views for (room, _), views in session.views.items() if room == incident.room_id]
    there = [each for each in visits if _is_there(each, from_ms)]
    stay = sum(_is_there(each, from_ms + 3 * MINUTE_MS) for each in there)
    # natural visits end as well
    assert (1 - share) * 0.5 < stay / len(there) < (1 - share) * 1.2

    def came(since_ms: int, until_ms: int) -> int:
        return sum(
            view.action == "enter" and since_ms <= view.ts_ms < until_ms
            for each in visits
            for view in each
        )

    usual = came(from_ms - 20 * MINUTE_MS, from_ms)
    assert came(from_ms, to_ms) / usual == pytest.approx(1 - share, abs=0.25)
    assert came(to_ms, to_ms + 20 * MINUTE_MS) > came(from_ms, to_ms)


def _is_there(views: list[codec.View], ts_ms: int) -> bool:
    """Whether the last thing told of somebody is a sign of life of the last 90 seconds."""
    before = [view for view in views if ts_ms - 90_000 < view.ts_ms <= ts_ms]
    return bool(before) and before[-1].action != "leave"


@pytest.mark.parametrize(("intensity", "turns"), [(1.0, 4), (0.5, 2), (2.0, 8)])
def test_two_rooms_undercut_each_other_turn_by_turn(intensity: float, turns: int) -> None:
    session = played("price_war", 1, Wanted(intensity=intensity, audience=0.2))
    (incident,) = session.incidents(adversary="W-A")
    assert incident.kind == "price_war"
    rooms, product_id = incident.more["rooms"], incident.more["product_id"]
    of_war = [event for event in session.products if event.product_id == product_id]
    priced = [event for event in of_war if event.action == "priced"]
    assert [event.room_id for event in priced] == [rooms[n % 2] for n in range(turns)]
    assert (priced[0].ts_ms, priced[-1].ts_ms) == (incident.started_ms, incident.ended_ms)
    assert incident.ended_ms - incident.started_ms < HOUR_MS
    prices = [of_war[0].price_minor, *(event.price_minor for event in priced)]
    assert prices[1:] == incident.more["prices_minor"]
    for last, price in pairwise(prices):
        assert last is not None
        assert price is not None
        assert 0.93 < price / last <= 0.94
    # what is sold costs what was announced last, less a coupon
    for order in session.orders_of(incident):
        own = [e for e in of_war if e.room_id == order.room_id and e.ts_ms <= order.ts_ms]
        announced = [e.price_minor for e in own if e.price_minor is not None][-1]
        assert 0.79 * announced * order.quantity <= order.amount_minor
        assert order.amount_minor <= announced * order.quantity


# --- innocents -----------------------------------------------------------------------------------


@cache
def quiet(seed: int = 0) -> Played:
    return played("silence", seed, Wanted(rooms=12, hours=10, audience=0.5))


def test_silence_has_innocents_of_every_kind_and_nothing_else() -> None:
    session = quiet()
    assert {incident.kind for incident in session.truth.incidents} == {"innocent"}
    kinds = Counter(incident.more["innocent"] for incident in session.truth.incidents)
    assert set(kinds) == {*innocents.GATHERINGS, "returns_60_percent", "direct_orders"}
    assert all(kinds[kind] >= 5 for kind in innocents.ANY_TIME)
    assert session.truth.notes["planted"]["room_hours"] == 120
    for room_id, opened in session.opened.items():
        assert session.closed[room_id] - opened.ts_ms == 10 * HOUR_MS
    assert not session.refunds.keys() - session.orders.keys()


def test_flash_peaks_follow_a_listing() -> None:
    session = quiet()
    for incident in session.incidents(innocent="flash_peak"):
        orders = session.orders_of(incident)
        assert len(orders) == innocents.FLASH_BUYERS
        listed_ms = max(
            event.ts_ms
            for event in session.products
            if event.room_id == incident.room_id
            and event.action == "listed"
            and event.ts_ms <= incident.started_ms
        )
        assert sum(order.ts_ms < listed_ms + 3 * MINUTE_MS for order in orders) > 0.85 * len(orders)


def test_coupons_bring_young_accounts_and_a_cheap_burst() -> None:
    session = quiet()
    shares = []
    for incident in session.incidents(innocent="coupon_rain"):
        orders = session.orders_of(incident)
        assert len(orders) == innocents.COUPON_BUYERS
        assert max(o.ts_ms for o in orders) - min(o.ts_ms for o in orders) < 13 * MINUTE_MS
        assert all((o.amount_minor / (o.list_minor or 1)) < 0.6 for o in orders)
        shares.append(young_share(orders))
    assert fmean(shares) == pytest.approx(innocents.COUPON_YOUNG, abs=0.08)


def test_dormitories_share_an_address_and_nothing_else() -> None:
    sizes = []
    for incident in quiet().incidents(innocent="dormitory"):
        orders = quiet().orders_of(incident)
        sizes.append(len(orders))
        assert distinct(orders, "address_id") == distinct(orders, "ip_id") == 1
        assert distinct(orders, "device_id") == distinct(orders, "payment_id") == len(orders)
    assert min(sizes) >= 20
    assert 100 < max(sizes) <= 200


@pytest.mark.parametrize(
    ("kind", "least", "most", "buyers"),
    [("company_network", 60, 200, 0.1), ("carrier_gateway", 200, 500, 0.04)],
)
def test_networks_share_an_ip(kind: str, least: int, most: int, buyers: float) -> None:
    session = quiet()
    for incident in session.incidents(innocent=kind):
        orders = session.orders_of(incident)
        assert least <= incident.more["visitors"] <= most
        assert len(orders) == pytest.approx(buyers * incident.more["visitors"], abs=1)
        assert distinct(orders, "ip_id") == 1
        assert distinct(orders, "device_id") == len(orders)
        (ip_id,) = {order.ip_id for order in orders}
        seen = [
            views[0]
            for (room_id, _), views in session.views.items()
            if room_id == incident.room_id and views[0].ip_id == ip_id
        ]
        assert len(seen) > 0.9 * incident.more["visitors"]


def test_families_share_a_device_and_an_address() -> None:
    session = quiet()
    for incident in session.incidents(innocent="family_devices"):
        orders = session.orders_of(incident)
        by_device = Counter(order.device_id for order in orders)
        assert len(by_device) == innocents.FAMILIES
        assert set(by_device.values()) <= {3, 4}
        assert distinct(orders, "address_id") == innocents.FAMILIES
        assert innocents.FAMILIES < distinct(orders, "payment_id") < len(orders)


def test_a_raid_comes_at_once_from_one_source_and_leaves() -> None:
    session = quiet()
    for incident in session.incidents(innocent="viral_raid"):
        assert 300 <= incident.more["visitors"] <= 600
        assert len(incident.order_ids) <= 0.04 * incident.more["visitors"]
        enters, stays = 0, []
        for (room_id, _), views in session.views.items():
            first = views[0]
            raiding = incident.started_ms <= first.ts_ms <= incident.started_ms + 4 * MINUTE_MS
            if room_id == incident.room_id and raiding and first.source == "share":
                enters += 1
                if views[-1].action == "leave":
                    stays.append((views[-1].ts_ms - first.ts_ms) / 1000)
        assert enters > 0.9 * incident.more["visitors"]
        assert median(stays) < 5


def test_owls_buy_in_the_small_hours() -> None:
    session = quiet()
    owls = session.incidents(innocent="night_owls")
    assert len(owls) == 4
    for incident in owls:
        orders = session.orders_of(incident)
        assert len(orders) == innocents.OWL_BUYERS
        hours = Counter((order.ts_ms // HOUR_MS + 8) % 24 for order in orders)
        assert set(hours) <= {2, 3, 4, 5, 6}
    evening = played("silence", 0, Wanted(rooms=8, hours=3))
    assert not evening.incidents(innocent="night_owls")


def test_sixty_percent_comes_back_where_it_is_so() -> None:
    world = SCENARIOS["silence"].build(0, Wanted(rooms=30, hours=4))
    marked = [plan for plan in world.rooms if {g.refund_rate for _, g in plan.listings} == {0.6}]
    assert len(marked) == 3
    found = quiet().incidents(innocent="returns_60_percent")
    assert all(incident.ended_ms - incident.started_ms == 10 * HOUR_MS for incident in found)
    usual, many = [0, 0], [0, 0]
    rooms = {incident.room_id for incident in found}
    for order_id, order in quiet().orders.items():
        counts = many if order.room_id in rooms else usual
        counts[0] += 1
        counts[1] += order_id in quiet().refunds
    assert many[1] / many[0] > 1.5 * usual[1] / usual[0]


def test_links_bring_a_few_orders_without_a_visit_in_every_scenario() -> None:
    for session in (quiet(), brushed(0)):
        direct = session.incidents(innocent="direct_orders")
        orders = [order for incident in direct for order in session.orders_of(incident)]
        share = len(orders) / len(session.orders)
        assert 0.01 < share < 0.04
        assert len({order.room_id for order in orders}) > 0.3 * len(session.opened)


def test_enters_are_lost_as_often_as_the_model_says() -> None:
    lost = total = 0
    for views in quiet().views.values():
        total += 1
        lost += views[0].action != "enter"
    assert lost / total == pytest.approx(0.03, abs=0.015)


def test_every_order_carries_an_identity_with_the_usual_noise() -> None:
    session = quiet()
    planted = {
        order_id
        for incident in session.truth.incidents
        for order_id in incident.order_ids
        if incident.more["innocent"] != "direct_orders"
    }
    for order in session.orders.values():
        assert None not in (
            *(order.device_id, order.payment_id, order.address_id, order.ip_id),
            order.account_age_days,
        )
    people = {o.buyer_id: o for o in session.orders.values() if o.order_id not in planted}
    young = sum((o.account_age_days or 0) < 7 for o in people.values()) / len(people)
    assert young == pytest.approx(0.04, abs=0.02)


# --- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PLANTED)
def test_the_figures_of_the_truth_are_in_the_file(name: str) -> None:
    session = played(name, 3, Wanted(events=10_000))
    counted: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for order in session.orders.values():
        counted[order.room_id] += Counter(
            orders=1, units=order.quantity, gross_minor=order.amount_minor
        )
    for refund in session.refunds.values():
        counted[refund.room_id] += Counter(refunds=1, refunded_minor=refund.amount_minor)
    for complaint in session.complaints:
        counted[complaint.room_id]["complaints_opened"] += complaint.status == "opened"
    for room_id, figures in session.truth.totals()["rooms"].items():
        for field in ("orders", "units", "gross_minor", "refunds", "refunded_minor"):
            assert counted[room_id][field] == figures[field], (room_id, field)
        assert counted[room_id]["complaints_opened"] == figures["complaints_opened"]


def agrees_with_the_recount(session: Session) -> None:
    records = list(session)
    totals = session.truth.totals()
    counted = recount(records, partitions=4, top=1)
    assert counted.counts == totals["counts"]
    assert counted.rejected_by_reason == totals["rejected_by_reason"]
    rooms = {room["room_id"]: room for room in counted.rooms}
    assert set(rooms) == set(totals["rooms"])
    for room_id, figures in totals["rooms"].items():
        assert {field: rooms[room_id][field] for field in figures} == figures


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("silence", Wanted(rooms=1, hours=2, audience=0.1)),
        ("brushing", Wanted(rooms=2, hours=3, audience=0.1, attacks=("A3",))),
        ("refund_wave", Wanted(rooms=1, hours=3, audience=0.1)),
        ("complaint_wave", Wanted(rooms=1, hours=3, audience=0.1)),
        ("off_platform", Wanted(rooms=1, hours=3, audience=0.1)),
    ],
)
def test_the_truth_is_what_a_second_hand_counts(name: str, wanted: Wanted) -> None:
    agrees_with_the_recount(generate(name, 5, wanted=wanted))


@pytest.mark.parametrize("name", PLANTED)
def test_incidents_point_at_real_orders_in_their_rooms_and_times(name: str) -> None:
    session = played(name, 3, Wanted(events=10_000))
    owner: dict[str, int] = {}
    assert session.truth.incidents
    for number, incident in enumerate(session.truth.incidents):
        rooms = incident.more.get("rooms", [incident.room_id])
        assert incident.started_ms < incident.ended_ms
        for order in session.orders_of(incident):
            assert order.room_id in rooms
            assert order.ts_ms <= incident.ended_ms + 15 * MINUTE_MS
        if incident.more.get("adversary") not in ("C-A", "R-A", "W-A"):  # natural orders
            for order_id in incident.order_ids:
                assert owner.setdefault(order_id, number) == number
        assert len(set(incident.order_ids)) == len(incident.order_ids)


def by_room(records: list[bytes]) -> dict[str, list[bytes]]:
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    for record in records:
        found[msgspec.json.decode(record).get("room_id", "")].append(record)
    return found


def test_planting_in_one_room_changes_no_other() -> None:
    def world() -> World:
        return brushing(4, Wanted(events=20_000, attacks=("A1",)))

    before = list(Session(world()))
    more = world()
    room = more.rooms[5]
    chance, extra = seeded("extra"), ByRoom()
    adversary = ADVERSARIES["A4"]
    people = accounts(chance, adversary, block_start(more.population, 5, 150), 1)
    acts = attack(chance, adversary, room, people, room.open_ms + HOUR_MS, 1)
    incident = Incident("brushed_orders", room.room_id)
    extra.add(room.room_id, Script(chance, incident, acts, claims=True))
    more.overlays = (*more.overlays, extra)
    after = list(Session(more))
    assert len(incident.order_ids) == 40
    was, now = by_room(before), by_room(after)
    changed = {room_id for room_id in was if was[room_id] != now[room_id]}
    assert changed == {room.room_id}


def test_attacks_and_dirt_can_lie_on_each_other() -> None:
    world = brushing(2, Wanted(rooms=1, hours=3, audience=0.1, attacks=("A1",)))
    world.overlays = (*world.overlays, Dirt(2, 1_000, world.rooms, world.end_ms))
    session = Session(world)
    agrees_with_the_recount(session)
    (burst,) = [i for i in session.truth.incidents if i.more.get("adversary") == "A1"]
    assert len(burst.order_ids) == 30


def test_choosing_attacks_leaves_the_rooms_of_the_others_natural() -> None:
    every = brushing(6, Wanted(events=20_000))
    one = brushing(6, Wanted(events=20_000, attacks=("A2",)))
    assert every.rooms == one.rooms


def test_nothing_in_an_event_tells_who_is_planted() -> None:
    session = brushed(0)
    shapes = re.compile(r"v\d+|d\d+|pay\d+|addr\d+|ip\d+")
    for order in session.orders.values():
        for value in (order.buyer_id, order.device_id, order.payment_id, order.address_id):
            assert shapes.fullmatch(str(value))
        assert re.fullmatch(r"brushing-\d+-\d{4}-o\d+", order.order_id)
    assert not re.search(r"A\d|innocent|planted|adversar", session.sample)


# Of the first 20 hex digits of SHA-256 over the records, each with a line feed.
NATURAL_DIGESTS = {
    ("calm", 60_000, 3): "68ec0f3135e7410f4be7",
    ("festival", 6_000, 3): "4105b7ed78e80d3d95aa",
    ("dirty", 1_000, 3): "cf3d6aa945cc0db02c4d",
    ("table1", 20_000, 3): "f31232fcfffff6989bfe",
}


@pytest.mark.parametrize(("name", "events", "seed"), NATURAL_DIGESTS)
def test_natural_sessions_are_what_they_were_before_attacks_existed(
    name: str, events: int, seed: int
) -> None:
    digest = hashlib.sha256()
    for record in generate(name, seed, events=events):
        digest.update(record + b"\n")
    assert digest.hexdigest()[:20] == NATURAL_DIGESTS[name, events, seed]


def test_a_thin_audience_has_fewer_visits_for_as_many_orders() -> None:
    usual = generate("silence", 1, wanted=Wanted(rooms=12, hours=4))
    thin = generate("silence", 1, wanted=Wanted(rooms=12, hours=4, audience=0.4))
    orders, events = [], []
    for session in (usual, thin):
        events.append(sum(1 for _ in session))
        rooms = session.truth.totals()["rooms"].values()
        orders.append(sum(room["orders"] for room in rooms))
    assert events[1] < 0.8 * events[0]
    assert orders[1] == pytest.approx(orders[0], rel=0.15)


def test_crowds_share_what_their_pool_says_and_nothing_with_others() -> None:
    chance = seeded("crowds")
    people = crowd(chance, 1_000, Pool(50, devices=7, payments=3, young_share=0.4))
    assert len({who.device_id for who in people}) == 7
    assert len({who.payment_id for who in people}) == 3
    assert len({who.address_id for who in people}) == 50
    assert sum(who.account_age_days < 7 for who in people) == 20
    others = strangers(chance, 40_000, 300)
    for field in ("viewer_id", "device_id", "payment_id", "address_id", "ip_id"):
        mine = {getattr(who, field) for who in people}
        assert not mine & {getattr(who, field) for who in others}
    stays = sorted(natural_stay_ms(chance) for _ in range(4_000))
    assert 3_500 < stays[2_000] < 7_500


# --- what a user meets ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "wanted", "says"),
    [
        ("calm", Wanted(rooms=3), "calm has no --rooms; it has --events"),
        ("silence", Wanted(intensity=2), "silence has no --intensity"),
        ("brushing", Wanted(attacks=("A1", "A77")), "no attack is called 'A77' here"),
        ("brushing", Wanted(attacks=()), "names at least one"),
        ("brushing", Wanted(rooms=5), "needs more rooms"),
        ("brushing", Wanted(hours=2), "at least 3 hours"),
        ("brushing", Wanted(intensity=9), "--intensity is from 0.1 to 4"),
        ("brushing", Wanted(intensity=float("nan")), "--intensity is from"),
        ("brushing", Wanted(events=500), "at least 10,000 events"),
        ("silence", Wanted(rooms=0), "--rooms is from 1 to 2,000"),
        ("viewbots", Wanted(audience=0.0), "--audience is from"),
        ("poisoning", Wanted(hours=1_000), "--hours is from 1 to 168"),
    ],
)
def test_what_cannot_be_planted_is_said_in_one_line(name: str, wanted: Wanted, says: str) -> None:
    with pytest.raises(ScenarioError, match=re.escape(says)) as caught:
        generate(name, 1, wanted=wanted)
    assert "\n" not in str(caught.value)


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(generate_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_the_command_plants_what_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "night.ndjson"
    options = ("--rooms", "4", "--hours", "3", "--attacks", "A1, A6", "--intensity", "2")
    result = run("brushing", "--seed", "3", *options, "--audience", "0.3", "-o", path)
    assert result.exit_code == 0, result.output
    assert "2 planted incidents, " in result.output
    truth = (tmp_path / "night.truth.ndjson").read_bytes()
    lines = [msgspec.json.decode(line) for line in truth.splitlines()]
    assert lines[0]["planted"] == {"room_hours": 12.0, "intensity": 2.0}
    counts = {line["adversary"]: len(line["order_ids"]) for line in lines if "adversary" in line}
    assert counts == {"A1": 60, "A6": 50}
    for arguments in (("brushing", "--attacks", "B1"), ("silence", "--scale", "2", "--rooms", "3")):
        refused = run(*arguments, "-o", tmp_path / "x.ndjson")
        assert refused.exit_code == 1
        assert len(refused.stderr.splitlines()) == 1
