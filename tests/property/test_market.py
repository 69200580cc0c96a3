"""The files that compare rooms equal a naive count, and depend on the log alone."""

from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas import records
from streams.core.market.whole import market_files
from streams.embedded import Results
from tests.oracle.contract import Event
from tests.oracle.malformed import encode
from tests.oracle.market import sameness_of
from tests.oracle.retention import rooms_in
from tests.oracle.strategies import adversarial_logs, ordered_logs, shuffled_logs
from tests.property.running import run_embedded

EXAMPLES = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def files_of(results: Results) -> dict[str, Any]:
    return {
        name: msgspec.json.decode(records.encode(each))
        for name, each in market_files(results.newest).items()
    }


@EXAMPLES
@given(adversarial_logs(), st.integers(1, 5))
def test_sameness_is_a_count_over_all_orders(log: list[bytes], partitions: int) -> None:
    mine = files_of(run_embedded(log, partitions=partitions))["sameness.json"]
    assert mine == sameness_of(rooms_in(log, partitions))
    for row in mine["hours"]:
        assert row["room_hhi_orders"] <= 1
        assert row["product_hhi_orders"] * row["product_count"] >= 0.999


@EXAMPLES
@given(shuffled_logs(), st.integers(1, 4))
def test_arrival_order_inside_the_lateness_bound_changes_nothing(
    logs: tuple[list[Event], list[Event]], partitions: int
) -> None:
    ordered, shuffled = (
        files_of(run_embedded([encode(event) for event in log], partitions=partitions))
        for log in logs
    )
    assert shuffled == ordered


@EXAMPLES
@given(ordered_logs(), st.integers(2, 9))
def test_the_partition_count_changes_nothing(events: list[Event], partitions: int) -> None:
    log = [encode(event) for event in events]
    one, many = (files_of(run_embedded(log, partitions=count)) for count in (1, partitions))
    assert one == many
