"""A sign that most honest orders have, and signs that meet by chance, accuse nobody."""

from collections.abc import Iterator

import pytest

from schemas.rules import BrushingRules, RuleSet
from streams.core.integrity.common_signs import CommonSigns, RoomShares
from streams.core.integrity.meeting import meeting
from streams.core.integrity.signs import SIGNS
from tests.property.running import run_embedded
from tests.unit.attack import (
    MINUTE_MS,
    START_MS,
    Event,
    encoded,
    honest,
    in_order,
    opened,
    order,
    view,
)

COMMON_SHARE = BrushingRules().common_share


def told(of_rooms: list[float]) -> CommonSigns:
    """What is common where each room has so large a share of orders without a visit."""
    common = CommonSigns()
    for number, share in enumerate(of_rooms):
        shares = RoomShares()
        for at in range(10):
            shares.take({"no_visit": at < round(10 * share)})
            common.ordered(f"room {number}", shares, COMMON_SHARE)
    return common


def test_a_sign_of_nearly_every_room_is_common() -> None:
    assert told([0.7, 0.6, 0.8, 0.0, 0.7]).signs == {"no_visit"}


def test_a_sign_of_half_of_the_rooms_is_not() -> None:
    assert told([1.0, 1.0, 1.0, 0.0, 0.0, 0.0]).signs == frozenset()


def test_three_rooms_are_too_few_to_call_a_sign_common() -> None:
    assert told([1.0, 1.0, 1.0]).signs == frozenset()


def test_one_room_has_one_voice_however_much_it_sells() -> None:
    common = told([0.0, 0.0, 0.0, 0.0])
    shares = RoomShares()
    for _ in range(10_000):
        shares.take({"no_visit": True})
        common.ordered("room 0", shares, COMMON_SHARE)
    assert common.signs == frozenset()


def test_what_was_common_is_forgotten_when_rooms_no_longer_have_it() -> None:
    common = told([1.0] * 8)
    for number in range(8):
        shares = RoomShares()
        for _ in range(10):
            shares.take({"no_visit": False})
            common.ordered(f"room {number}", shares, COMMON_SHARE)
    assert common.signs == frozenset()


def test_a_restored_memory_of_common_signs_goes_on_as_before() -> None:
    common = told([0.7, 0.6, 0.8, 0.9])
    restored = CommonSigns()
    restored.restore(common.snapshot())
    assert restored.signs == common.signs == {"no_visit"}
    assert restored.snapshot() == common.snapshot()


def test_signs_that_meet_as_chance_has_it_are_told_as_such() -> None:
    orders = [{"shared_address": True, "young_account": n % 20 == 0} for n in range(200)]
    met = meeting(orders, {"shared_address": 0.1, "young_account": 0.05}).of_families
    assert met.orders == 10
    assert met.by_chance == pytest.approx(10.0)
    assert not met.counts(5, 3.0)


def test_signs_that_meet_far_more_often_than_by_chance_count() -> None:
    orders = [{"shared_device": n % 2 == 0, "no_visit": n % 2 == 0} for n in range(20)]
    met = meeting(orders, {"shared_device": 0.1, "no_visit": 0.05})
    assert met.of_signs.orders == met.of_families.orders == 10
    assert met.of_signs.by_chance == met.of_families.by_chance == pytest.approx(0.5)
    assert met.of_families.counts(5, 3.0)


def test_two_signs_of_one_family_meet_as_signs_only() -> None:
    met = meeting([{"no_visit": True, "tiny_dwell": True}], dict.fromkeys(SIGNS[:2], 0.01))
    assert (met.of_signs.orders, met.of_families.orders) == (1, 0)


def rarely_seen(room_id: str, count: int) -> Iterator[Event]:
    """Honest buyers, of whom the source tells the visits of three in ten only."""
    for number in range(count):
        ts_ms = START_MS + number * MINUTE_MS
        for passer_by in range(3):
            yield view(room_id, f"{room_id}-passer-by {number} {passer_by}", ts_ms)
        if number % 10 < 3:
            yield view(room_id, f"{room_id}-b{number}", ts_ms)
        yield order(room_id, number, ts_ms + 55_000, account_age_days=3 if number % 24 < 2 else 400)


def crowd(room_id: str) -> Iterator[Event]:
    """Young accounts that buy on few devices."""
    for number in range(30):
        ts_ms = START_MS + 100 * MINUTE_MS + number * 20_000
        yield order(
            room_id,
            1_000 + number,
            ts_ms,
            device_id=f"device {number % 5}",
            account_age_days=2,
        )


def test_a_source_that_tells_of_few_visits_raises_nothing_by_itself() -> None:
    rooms = [f"room {number}" for number in range(8)]
    log = in_order(map(opened, rooms), *(rarely_seen(room_id, 120) for room_id in rooms))
    assert run_embedded(encoded(log), partitions=1, rules=None).alerts == []
    unknowing = RuleSet(brushing=BrushingRules(common_share=0.999, times_chance=0.001))
    assert run_embedded(encoded(log), partitions=1, rules=unknowing).alerts


def test_and_what_is_brushed_there_is_found_by_other_signs() -> None:
    rooms = [f"room {number}" for number in range(8)]
    log = in_order(
        map(opened, rooms), *(rarely_seen(room_id, 120) for room_id in rooms), crowd("room 3")
    )
    alerts = run_embedded(encoded(log), partitions=1, rules=None).alerts
    assert {alert.room_id for alert in alerts if alert.severity == "page"} == {"room 3"}
    signals = {sign.signal for sign in alerts[0].evidence}
    assert {"shared_device", "young_account"} <= signals
    assert "no_visit" not in signals


def test_where_visits_are_told_orders_without_one_still_count() -> None:
    rooms = [f"room {number}" for number in range(8)]
    log = in_order(
        map(opened, rooms), *(honest(room_id, 120) for room_id in rooms), crowd("room 3")
    )
    alerts = run_embedded(encoded(log), partitions=1, rules=None).alerts
    assert "no_visit" in {sign.signal for alert in alerts for sign in alert.evidence}
