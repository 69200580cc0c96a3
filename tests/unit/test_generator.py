"""A generated session is what its truth says, for any seed, and the same bytes each time."""

import json
import os
import subprocess
import sys
from collections import Counter, defaultdict
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from producers.generator import SCENARIOS, ScenarioError, Session, generate, parameters
from producers.generator.dirt import PLANTS
from producers.generator.draws import LONGEST_DELAY_MS, poisson, seeded
from producers.generator.identities import Population
from producers.generator.malformed import MALFORMED
from producers.generator.ranking import AGENCIES, AGENCY_SCALE, HOSTS, slug
from producers.sessions import SUFFIXES, check_arrival_order, read_records
from roompulse.cli.generate import generate as generate_command
from schemas import codec
from schemas.clock import OUT_OF_ORDER_MS
from schemas.errors import REASONS, InputError
from schemas.events import EVENT_TYPES, Action, Mode, ProductAction
from tests.oracle.recount import recount

NATURAL = ("calm", "festival", "dirty", "table1", "season")
CLEAN = tuple(name for name in SCENARIOS if name != "dirty")
SMALL = {"calm": 4_000, "festival": 6_000, "dirty": 4_000, "table1": 20_000, "season": 40_000}
SMALL |= {name: 10_000 for name in SCENARIOS if name not in NATURAL}


@cache
def generated(name: str, seed: int, events: int) -> tuple[list[bytes], dict[str, Any]]:
    session = generate(name, seed, events=events)
    records = list(session)
    return records, session.truth.totals()


def plain_count(records: list[bytes]) -> dict[str, Any]:
    """Orders and refunds of a session, counted with the json module and a few dicts."""
    paid: dict[tuple[str, str], int] = {}
    left: dict[tuple[str, str], int] = {}
    refunds: dict[tuple[str, str], int] = {}
    for record in records:
        try:
            codec.decode(record)
        except InputError:
            continue
        event = json.loads(record)
        key = (event.get("room_id"), event.get("order_id"))
        if event["type"] == "order" and key not in paid:
            paid[key] = left[key] = event["amount_minor"]
        if event["type"] == "refund" and (key[0], event["refund_id"]) not in refunds:
            accepted = min(left[key], event["amount_minor"])
            left[key] -= accepted
            if accepted:
                refunds[key[0], event["refund_id"]] = accepted
    rooms: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for (room, _), amount in paid.items():
        rooms[room] += Counter(orders=1, gross_minor=amount)
    for (room, _), amount in refunds.items():
        rooms[room] += Counter(refunds=1, refunded_minor=amount)
    return rooms


# --- laws ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SCENARIOS)
def test_same_seed_same_bytes_and_another_seed_others(name: str) -> None:
    first, truth = generated(name, 3, SMALL[name])
    again = generate(name, 3, events=SMALL[name])
    assert list(again) == first
    assert next(again.truth.lines()) == truth
    assert generated(name, 4, SMALL[name])[0] != first


def test_bytes_do_not_depend_on_the_process() -> None:
    script = (
        "import hashlib; from producers.generator import generate;"
        "print(hashlib.sha256(b'\\n'.join(generate('dirty', 5, events=2000))).hexdigest())"
    )
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": salt},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for salt in ("0", "1")
    }
    assert len(digests) == 1


@settings(deadline=None, max_examples=6)
@given(seed=st.integers(0, 10**9), name=st.sampled_from(["calm", "festival", "dirty"]))
def test_the_truth_is_what_a_second_hand_counts(seed: int, name: str) -> None:
    session = generate(name, seed, events=1_000)
    records = list(session)
    totals = session.truth.totals()
    for partitions in (1, 4):
        counted = recount(records, partitions=partitions, top=1)
        assert counted.counts == totals["counts"]
        assert counted.rejected_by_reason == totals["rejected_by_reason"]
        rooms = {room["room_id"]: room for room in counted.rooms}
        assert set(rooms) == set(totals["rooms"])
        for room_id, figures in totals["rooms"].items():
            assert {field: rooms[room_id][field] for field in figures} == figures


@pytest.mark.parametrize("name", SCENARIOS)
def test_the_money_of_the_truth_is_in_the_file(name: str) -> None:
    records, totals = generated(name, 3, SMALL[name])
    counted = plain_count(records)
    for room_id, figures in totals["rooms"].items():
        for field in ("orders", "gross_minor", "refunds", "refunded_minor"):
            assert counted[room_id][field] == figures[field], (room_id, field)
    assert (
        sum(room["gross_minor"] for room in counted.values())
        == (totals["currencies"]["CNY"]["gross_minor"])
    )
    assert totals["counts"]["events"] == len(records)


@pytest.mark.parametrize("name", CLEAN)
def test_clean_scenarios_hold_only_canonical_valid_events(name: str) -> None:
    records, totals = generated(name, 3, SMALL[name])
    for record in records:
        assert codec.encode(codec.decode(record)) == record
    ids = Counter(codec.decode(record).event_id for record in records)
    assert ids.most_common(1)[0][1] == 1
    assert totals["counts"]["accepted"] == len(records)


@pytest.mark.parametrize("name", CLEAN)
def test_clean_scenarios_stay_within_the_lateness_bound(name: str) -> None:
    assert LONGEST_DELAY_MS < OUT_OF_ORDER_MS
    greatest_ms = 0
    for record in generated(name, 3, SMALL[name])[0]:
        ts_ms = codec.decode(record).ts_ms
        assert ts_ms > greatest_ms - OUT_OF_ORDER_MS
        greatest_ms = max(greatest_ms, ts_ms)


@pytest.mark.parametrize("name", SCENARIOS)
def test_generated_sessions_pass_for_ordered_by_arrival(name: str) -> None:
    records = generated(name, 3, SMALL[name])[0]
    chunks = [records[start : start + 500] for start in range(0, len(records), 500)]
    passed = list(check_arrival_order(chunks, Path("generated")))
    assert passed == chunks


# --- what scenarios are like ---------------------------------------------------------------------


@pytest.mark.parametrize("name", NATURAL)
def test_the_size_is_about_what_was_asked_for(name: str) -> None:
    for events in (SMALL[name] * 2, 60_000):
        assert len(generated(name, 8, events)[0]) == pytest.approx(events, rel=0.25)


def test_the_usual_festival_has_every_type_mode_and_action() -> None:
    seen: Counter[str] = Counter()
    for record in generate("festival", 1):
        event = json.loads(record)
        seen[event["type"]] += 1
        for field in ("action", "mode", "status", "source"):
            seen[f"{field}={event.get(field)}"] += 1
    assert set(EVENT_TYPES) <= set(seen)
    assert seen.total() > 300_000
    for mode in get_args(Mode):
        assert seen[f"mode={mode}"]
    for action in (*get_args(Action), *get_args(ProductAction)):
        assert seen[f"action={action}"], action
    assert seen["status=replied"]
    assert seen["status=resolved"]
    assert seen["order"] > 1_500


def test_the_festival_peaks_at_midnight() -> None:
    records, _ = generated("festival", 2, 60_000)
    by_minute: Counter[int] = Counter()
    for record in records:
        event = codec.decode(record)
        if isinstance(event, codec.Order):
            by_minute[event.ts_ms // 60_000] += 1
    midnight = 1_762_790_400_000 // 60_000  # 2025-11-11T00:00 in Shanghai
    assert midnight - 1 <= by_minute.most_common(1)[0][0] <= midnight + 3


def test_goods_are_only_sold_while_they_are_listed() -> None:
    """By event time: the network may hold an order up while its product is taken off."""
    events = [codec.decode(record) for record in generated("festival", 3, 20_000)[0]]
    changes: defaultdict[tuple[str, str], list[tuple[int, str]]] = defaultdict(list)
    for event in events:
        if isinstance(event, codec.Product) and event.action in ("listed", "delisted"):
            changes[event.room_id, event.product_id].append((event.ts_ms, event.action))
    orders = [event for event in events if isinstance(event, codec.Order)]
    assert len(orders) > 50
    for order in orders:
        before = [c for c in changes[order.room_id, order.product_id] if c[0] <= order.ts_ms]
        assert max(before)[1] == "listed"


def test_dirt_has_every_kind_even_in_a_small_session() -> None:
    for seed in range(5):
        _, totals = generated("dirty", seed, 1_000)
        assert set(totals["rejected_by_reason"]) == set(REASONS)
        assert set(totals["duplicate_by_type"]) == {"order", "checkout", "refund", "complaint"}
        assert set(totals["late_by_type"]) == {
            *("view", "exposure", "checkout", "order", "refund", "complaint", "product")
        }
        assert set(totals["future_by_type"]) == {
            *("order", "refund", "complaint", "product", "room_opened", "room_closed")
        }
        assert totals["over_refund"]["partial"]
        assert totals["over_refund"]["excess_minor"]
    assert len(PLANTS) > len(MALFORMED)


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_each_malformed_record_is_refused_for_its_reason(number: int) -> None:
    reason, maker = MALFORMED[number]
    chance = seeded("malformed")
    for turn in range(20):
        record = maker(chance, "r1", 1_762_774_200_000, f"e{turn}")
        assert b"\n" not in record
        with pytest.raises(InputError) as caught:
            codec.decode(record)
        assert caught.value.reason == reason


def test_the_ranking_is_sold_at_its_published_proportions() -> None:
    records, totals = generated("table1", 3, SMALL["table1"])
    opened = {
        event.room_id: event
        for event in (codec.decode(record) for record in records)
        if isinstance(event, codec.RoomOpened)
    }
    by_host: Counter[str] = Counter()
    by_agency: Counter[str] = Counter()
    hosts_of: Counter[str] = Counter()
    for room_id, figures in totals["rooms"].items():
        by_host[opened[room_id].host_id] += figures["gross_minor"]
        if opened[room_id].mcn_id:
            by_agency[str(opened[room_id].mcn_id)] += figures["gross_minor"]
            hosts_of[str(opened[room_id].mcn_id)] += 1
    yuan = by_host[f"host-{slug(HOSTS[0][0])}"] / HOSTS[0][1]
    assert [host for host, _ in by_host.most_common(10)] == [f"host-{slug(n)}" for n, _ in HOSTS]
    for name, sales in HOSTS:
        assert by_host[f"host-{slug(name)}"] == pytest.approx(sales * yuan, rel=0.01)
    for name, published_hosts, sales in AGENCIES:
        agency = f"mcn-{slug(name)}"
        assert by_agency[agency] == pytest.approx(sales * yuan * AGENCY_SCALE, rel=0.01)
        stated = totals["ranking"]["agency_hosts"][agency]
        assert stated == {"published": published_hosts, "session": hosts_of[agency]}


def test_stays_have_the_published_quantiles() -> None:
    """KuaiLive: half of the stays under 4.9 s, one in ten over 1,026 s; ours end at 45 min."""
    entered: dict[tuple[str, str], int] = {}
    stays = []
    for record in generated("calm", 5, 60_000)[0]:
        event = codec.decode(record)
        if isinstance(event, codec.View):
            key = (event.room_id, event.viewer_id)
            if event.action == "enter":
                entered[key] = event.ts_ms
            if event.action == "leave" and key in entered:
                stays.append((event.ts_ms - entered.pop(key)) / 1000)
    stays.sort()
    assert 3 < stays[len(stays) // 2] < 8
    assert 600 < stays[len(stays) * 9 // 10] < 1_500


def test_identities_are_shared_as_often_as_the_parameters_say() -> None:
    people = Population(seeded("people"), 60_000)
    everyone = [people.identity(person) for person in range(people.size)]

    def shared(field: str) -> float:
        uses = Counter(getattr(who, field) for who in everyone)
        return sum(count for count in uses.values() if count > 1) / people.size

    addresses = parameters.HOUSEHOLD_SHARE + parameters.DORMITORY_SHARE
    assert shared("address_id") == pytest.approx(addresses, rel=0.15)
    assert shared("device_id") == pytest.approx(parameters.SHARED_DEVICE_SHARE, rel=0.2)
    assert shared("payment_id") == pytest.approx(parameters.SHARED_PAYMENT_SHARE, rel=0.25)
    young = sum(who.account_age_days < 7 for who in everyone) / people.size
    assert young == pytest.approx(parameters.YOUNG_ACCOUNT_SHARE, rel=0.15)
    largest = Counter(who.address_id for who in everyone).most_common(1)[0]
    assert largest[0] in people.dormitory_addresses
    assert largest[1] <= 200


@pytest.mark.parametrize("mean", [0.3, 4.0, 80.0])
def test_poisson_counts_have_mean_and_variance_alike(mean: float) -> None:
    chance = seeded("poisson")
    counts = [poisson(chance, mean) for _ in range(20_000)]
    average = sum(counts) / len(counts)
    assert average == pytest.approx(mean, rel=0.05)
    variance = sum((count - average) ** 2 for count in counts) / len(counts)
    assert variance == pytest.approx(mean, rel=0.06)
    assert poisson(chance, 0) == 0


def test_every_figure_of_the_model_has_a_name_of_its_own_and_a_mark() -> None:
    names = [figure.name for figure in parameters.FIGURES]
    assert len(set(names)) == len(names) > 30
    assert {figure.mark for figure in parameters.FIGURES} == {"measured", "published", "chosen"}
    for figure in parameters.FIGURES:
        assert figure.source or figure.mark == "chosen"


def test_what_cannot_be_generated_is_said_in_one_line() -> None:
    with pytest.raises(ScenarioError, match="there are calm, festival"):
        generate("nope", 1)
    for name, scenario in SCENARIOS.items():
        with pytest.raises(ScenarioError, match="has at least"):
            generate(name, 1, events=scenario.fewest_events - 1)


def test_a_session_is_generated_once() -> None:
    session: Session = generate("calm", 1, events=1_000)
    assert list(session)
    assert session.done == 1.0
    with pytest.raises(ValueError, match="once"):
        list(session)


def run(*arguments: str | Path) -> Result:
    app = typer.Typer()
    app.command()(generate_command)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_the_command_writes_the_session_and_its_truth(suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"night{suffix}"
    result = run("calm", "--seed", "3", "--events", "4000", "-o", path)
    assert result.exit_code == 0, result.output
    truth = tmp_path / "night.truth.ndjson"
    assert str(truth) in result.output
    records, totals = generated("calm", 3, SMALL["calm"])
    assert [record for chunk in read_records(path) for record in chunk] == records
    assert json.loads(truth.read_bytes().splitlines()[0]) == totals


def test_the_command_lists_the_scenarios_and_says_what_is_wrong(tmp_path: Path) -> None:
    listed = run()
    assert listed.exit_code == 0
    for name in SCENARIOS:
        assert name in listed.output
    out = tmp_path / "s.ndjson"
    for arguments, wanted in (
        (("nope", "-o", out), "no scenario is called 'nope'"),
        (("calm", "--events", "10", "-o", out), "at least 1,000 events"),
        (("calm", "--events", "2000", "--scale", "2", "-o", out), "not both"),
        (("calm", "-o", tmp_path / "s.csv"), "must end in one of"),
    ):
        result = run(*arguments)
        assert result.exit_code == 1
        assert wanted in result.stderr
        assert len(result.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_scale_is_times_the_usual_size(tmp_path: Path) -> None:
    result = run("calm", "--scale", "0.1", "-o", tmp_path / "s.ndjson")
    assert result.exit_code == 0
    lines = (tmp_path / "s.ndjson").read_bytes().splitlines()
    assert len(lines) == pytest.approx(SCENARIOS["calm"].events / 10, rel=0.25)
