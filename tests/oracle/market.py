"""How do the rooms of a session stand beside each other? Counted naively, order by order."""

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from tests.oracle.outcomes import MINUTE_MS, Step
from tests.oracle.rooms import Room, Row, of_kind, ratio

HOUR_MS: Final = 3_600_000
SHOWN: Final = 20


def sameness_of(rooms: list[Room]) -> dict[str, list[Row]]:
    """The sections of `sameness.json`."""
    sold = [(room, step) for room in rooms for step in of_kind(room.steps, "order")]
    sold = [(room, step) for room, step in sold if step.believed]
    keys = sorted({(step.ts_ms // HOUR_MS, _currency(room)) for room, step in sold})
    found: dict[str, list[Row]] = {"hours": [], "shared": []}
    for hour, currency in keys:
        own = [
            (room, step)
            for room, step in sold
            if (step.ts_ms // HOUR_MS, _currency(room)) == (hour, currency)
        ]
        head = {"hour_ms": hour * HOUR_MS, "currency": currency or None}
        shared = _shared(own)
        row = _hour_row(own, shared)
        trusted = {f"{name}_trusted": value for name, value in row.items()}  # nobody is suspected
        found["hours"].append(head | row | trusted)
        by_rooms = sorted(shared, key=lambda p: (-len(shared[p]), -shared[p].total(), p))
        for product_id in by_rooms[:SHOWN]:
            of_rooms = shared[product_id]
            row = {
                "product_id": product_id,
                "orders": of_rooms.total(),
                "gross_minor": sum(_paid(s) for _, s in own if s.event["product_id"] == product_id),
                "room_count": len(of_rooms),
                "rooms": sorted(of_rooms, key=lambda r: (-of_rooms[r], r))[:SHOWN],
            }
            found["shared"].append(head | row)
    return found


def _currency(room: Room) -> str:
    return str(room.opening.get("currency", ""))


def _paid(step: Step) -> int:
    return int(step.event["amount_minor"])


def _shared(own: list[tuple[Room, Step]]) -> dict[str, Counter[str]]:
    """Orders of each product by room, of those that two rooms or more sold."""
    found: dict[str, Counter[str]] = {}
    for room, step in own:
        found.setdefault(step.event["product_id"], Counter())[room.room_id] += 1
    return {product_id: of_rooms for product_id, of_rooms in found.items() if len(of_rooms) > 1}


def _hour_row(own: list[tuple[Room, Step]], shared: dict[str, Counter[str]]) -> dict[str, Any]:
    keys_of: dict[str, Callable[[Room, Step], str | None]] = {
        "category": lambda room, _: room.opening.get("category"),
        "product": lambda _, step: step.event["product_id"],
        "merchant": lambda _, step: step.event.get("merchant_id"),
        "room": lambda room, _: room.room_id,
    }
    row: Row = {"orders": len(own), "gross_minor": sum(_paid(step) for _, step in own)}
    for scope, key_of in keys_of.items():
        keyed = [(key_of(room, step), step) for room, step in own]
        keys = {key for key, _ in keyed if key is not None}
        money = [sum(_paid(step) for each, step in keyed if each == key) for key in keys]
        counts = [sum(each == key for each, _ in keyed) for key in keys]
        row[f"{scope}_count"] = len(keys)
        row[f"{scope}_hhi"] = _hhi(money)
        row[f"{scope}_hhi_orders"] = _hhi(counts)
    orders = sum(of_rooms.total() for of_rooms in shared.values())
    row |= {"shared_products": len(shared), "shared_orders": orders}
    return row | {"shared_share": ratio(orders, len(own))}


def _hhi(amounts: list[int]) -> float | None:
    return ratio(sum(amount * amount for amount in amounts), sum(amounts) ** 2)


def trials_of(rooms: list[Room]) -> list[Row]:
    """The rows of `trials` in `supply.json`."""
    found: dict[str, Row] = {}
    for room in rooms:
        steps = [(step, _what(step)) for step in room.steps if step.believed and not step.is_late]
        own = [(step, what) for step, what in steps if what is not None]
        for product_id in sorted({step.event["product_id"] for step, _ in own}):
            mine = [(step, what) for step, what in own if step.event["product_id"] == product_id]
            row = _trial(product_id, room, mine)
            known = found.get(product_id)
            if known is None or _first(row) < _first(known):
                found[product_id] = row
    return [found[product_id] for product_id in sorted(found)]


def _first(row: Row) -> tuple[int, str]:
    return row["first_ms"], row["room_id"]


def _what(step: Step) -> str | None:
    """What of the product a step is; None where it counts nowhere."""
    if "product_id" not in step.event or step.kind in ("checkout", "complaint"):
        return None
    if step.kind == "view":
        return str(step.event["action"]) if step.event["action"] in ("click", "cart") else None
    return None if step.kind == "refund" and not step.money_minor else step.kind


def _trial(product_id: str, room: Room, own: list[tuple[Step, str]]) -> Row:
    first_ms = min(step.ts_ms for step, _ in own) // MINUTE_MS * MINUTE_MS
    hour = [(step, what) for step, what in own if step.ts_ms < first_ms + HOUR_MS]

    def of(wanted: str) -> list[Step]:
        return [step for step, what in hour if what == wanted]

    impressions = sum(step.event["impressions"] for step in of("exposure"))
    clicks, orders, refunds = len(of("click")), len(of("order")), len(of("refund"))
    watermark_ms = room.log.watermark_ms
    return {
        "product_id": product_id,
        "room_id": room.room_id,
        "currency": room.opening.get("currency"),
        "first_ms": first_ms,
        "impressions": impressions,
        "clicks": clicks,
        "click_rate": ratio(clicks, impressions),
        "carts": len(of("cart")),
        "orders": orders,
        "order_rate": ratio(orders, clicks),
        "units": sum(step.event["quantity"] for step in of("order")),
        "gross_minor": sum(_paid(step) for step in of("order")),
        "refunds": refunds,
        "refunded_minor": sum(step.money_minor for step in of("refund")),
        "refunds_per_order": ratio(refunds, orders),
        "provisional": watermark_ms is None or watermark_ms < first_ms + HOUR_MS,
    }


def stock_of(rooms: list[Room], marks: list[Row]) -> list[Row]:
    """The rows of `stock` in `supply.json`, of a log in which nothing is told to have run out."""
    rows = []
    for room in rooms:
        sold = [step for step in of_kind(room.steps, "order") if step.believed]
        closings = of_kind(room.steps, "room_closed")
        end_ms = closings[-1].ts_ms if closings else room.log.watermark_ms
        own = [mark for mark in marks if mark["room_id"] == room.room_id]
        for product_id in sorted({mark["product_id"] for mark in own}):
            mine = [mark for mark in own if mark["product_id"] == product_id]
            units = [
                (step.ts_ms // HOUR_MS, step.event["quantity"])
                for step in sold
                if step.event["product_id"] == product_id
            ]
            told = [
                m["stock"] for m in mine if m["action"] != "delisted" and m["stock"] is not None
            ]
            on_sale_ms = _listed_ms(mine, end_ms or 0)
            by_hour = [sum(n for at, n in units if at == hour) for hour, _ in units]
            whole = sum(n for _, n in units)
            rows.append(
                {
                    "room_id": room.room_id,
                    "product_id": product_id,
                    "stock": max(told) if told else None,
                    "units": whole,
                    "sell_through": ratio(whole, max(told) if told else 0),
                    "on_sale_ms": on_sale_ms,
                    "units_per_minute": ratio(whole * MINUTE_MS, on_sale_ms),
                    "best_hour_units_per_minute": ratio(max(by_hour, default=0), 60),
                    "stock_out_ms": None,
                    "stock_lasted_ms": None,
                }
            )
    return rows


def _listed_ms(marks: list[Row], end_ms: int) -> int:
    """Between each mark and the next, whether the product was on sale; summed."""
    ends = [mark["ts_ms"] for mark in marks[1:]] + [max(end_ms, marks[-1]["ts_ms"])]
    total_ms = 0
    for at, until_ms in enumerate(ends):
        actions = [m["action"] for m in marks[: at + 1] if m["action"] in ("listed", "delisted")]
        if actions and actions[-1] == "listed":
            from_ms = marks[at]["ts_ms"]
            total_ms += max(0, min(until_ms, end_ms) - from_ms)
    return total_ms


def exchanges_of(marks: list[Row], closed_ms: dict[str, int]) -> list[list[tuple[int, str, int]]]:
    """All exchanges of two turns or more over one product: (stamp, room, price) of each turn."""
    found: list[list[tuple[int, str, int]]] = []
    for at, mark in enumerate(marks):
        if mark["price_minor"] is None or mark["action"] not in ("listed", "priced"):
            continue
        own = _price_of(marks[:at], mark["room_id"], forget=False)
        rivals = {m["room_id"] for m in marks[:at]} - {mark["room_id"]}
        open_ = [r for r in rivals if mark["ts_ms"] < closed_ms.get(r, mark["ts_ms"] + 1)]
        standing = [_price_of(marks[:at], room_id, forget=True) for room_id in open_]
        prices = [price for price in standing if price is not None]
        is_cut = own is None or mark["price_minor"] < own
        if not (prices and is_cut and mark["price_minor"] <= min(prices) * 95 / 100):
            continue
        turn = (mark["ts_ms"], mark["room_id"], mark["price_minor"])
        if not found or turn[0] - found[-1][-1][0] > HOUR_MS:
            found.append([turn])
        elif turn[1] != found[-1][-1][1]:
            found[-1].append(turn)
    return found


def _price_of(marks: list[Row], room_id: str, *, forget: bool) -> int | None:
    """What a product cost last in a room; nothing after it was taken off, if that is to count."""
    for mark in reversed(marks):
        if mark["room_id"] == room_id:
            if forget and mark["action"] == "delisted":
                return None
            if mark["price_minor"] is not None and mark["action"] in ("listed", "priced"):
                return int(mark["price_minor"])
    return None


METRICS: Final = (
    "gross_minor",
    "orders",
    "visits",
    "gpm_minor",
    "orders_per_visit",
    "clicks_per_visit",
    "interactions_per_visit",
)


def benchmark_of(rooms: list[Row], minutes: list[Row], as_of_ms: int | None) -> list[Row]:
    """The rows of `benchmark.json`, from the lines of `rooms.ndjson` and `minutes.ndjson`."""
    figures: dict[str, tuple[Row, int, Row, Row]] = {}
    for room in rooms:
        ends = [ms for ms in (as_of_ms, room["closed_ms"]) if ms is not None]
        if as_of_ms is None or room["opened_ms"] is None or min(ends) <= as_of_ms - 24 * HOUR_MS:
            continue
        until_ms = min(ends) // MINUTE_MS * MINUTE_MS
        own = [line for line in minutes if line["room_id"] == room["room_id"]]
        windows = [
            [
                line
                for line in own
                if until_ms - start * MINUTE_MS
                <= line["minute_ms"]
                < until_ms - (start - 10) * MINUTE_MS
            ]
            for start in (10, 20)
        ]
        if windows[0] or windows[1]:
            last, before = map(_ten_minutes, windows)
            figures[room["room_id"]] = (room, until_ms, last, before)
    return [_bench(room_id, figures) for room_id in sorted(figures)]


def _ten_minutes(lines: list[Row]) -> Row:
    def total(*names: str) -> int:
        return sum(line[name] for line in lines for name in names)

    visits = total("visits")
    return {
        "gross_minor": total("gross_minor"),
        "orders": total("orders"),
        "visits": visits,
        "gpm_minor": ratio(1_000 * total("gross_minor"), visits),
        "orders_per_visit": ratio(total("orders"), visits),
        "clicks_per_visit": ratio(total("clicks"), visits),
        "interactions_per_visit": ratio(total("comments", "likes"), visits),
    }


def _bench(room_id: str, figures: dict[str, tuple[Row, int, Row, Row]]) -> Row:
    room, until_ms, last, before = figures[room_id]
    kind = ("category", "mode", "currency")
    peers = [
        other[2]
        for key, other in figures.items()
        if key != room_id and all(other[0][name] == room[name] for name in kind)
    ]
    metrics = []
    for name in METRICS:
        mine, was = last[name], before[name]
        others = sorted(peer[name] for peer in peers if peer[name] is not None)
        known = mine is not None and others
        lower = sum(1.0 for each in others if known and each < mine)
        equal = sum(0.5 for each in others if known and each == mine)
        median = others[(len(others) - 1) // 2] if known else None
        metrics.append(
            {
                "metric": name,
                "last": mine,
                "before": was,
                "change": None if None in (mine, was) or not was else round((mine - was) / was, 4),
                "percentile": round((lower + equal) / len(others), 4) if known else None,
                "median_of_kind": median,
                "against_median": round((mine - median) / median, 4) if median else None,
            }
        )
    ranked = sorted(
        (m for m in metrics if m["percentile"] is not None),
        key=lambda m: (m["percentile"], m["against_median"] or 0),
    )
    return {
        "room_id": room_id,
        **{name: room[name] for name in kind},
        "until_ms": until_ms,
        "rooms_of_kind": len(peers) + 1,
        "worst_metric": ranked[0]["metric"] if ranked else None,
        "metrics": metrics,
    }
