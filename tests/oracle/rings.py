"""Who is tied, which crowds are there, and when: a recount from all orders that shares no code.

It looks at every order of the last 24 h again at each moment, and knows neither levels nor
partitions nor what was handed on. Only orders with visits and grown accounts: their signs, but for
money that went back, are not looked at here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from math import fsum, log
from typing import Final, NamedTuple

DAY_MS: Final = 24 * 3_600_000
QUICK_MS: Final = 30 * 60_000
KINDS: Final = ("device_id", "payment_id", "address_id")


class Sold(NamedTuple):
    """An order; `back_ms` is when its money went back, None if it did not."""

    ts_ms: int
    room: str
    order_id: str
    buyer: str
    identities: tuple[tuple[str, str], ...]
    back_ms: int | None


def sold(events: Sequence[dict[str, object]]) -> list[Sold]:
    """The orders among events, each with its first refund."""
    back: dict[object, object] = {}
    for event in events:
        if event["type"] == "refund":
            back.setdefault(event["order_id"], event["ts_ms"])
    return [
        Sold(
            int(str(event["ts_ms"])),
            str(event["room_id"]),
            str(event["order_id"]),
            str(event["buyer_id"]),
            tuple((kind, str(event[kind])) for kind in KINDS if event.get(kind)),
            int(str(back[event["order_id"]])) if event["order_id"] in back else None,
        )
        for event in events
        if event["type"] == "order"
    ]


def of_the_day(orders: Iterable[Sold], now_ms: int) -> list[Sold]:
    return [each for each in orders if now_ms - DAY_MS < each.ts_ms <= now_ms]


def groups(orders: Iterable[Sold], without: object = None) -> list[set[str]]:
    """Who is tied to whom: by whatever two or more use, directly or through others."""
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in orders:
        for identity in each.identities:
            users[identity].add(each.buyer)
    found: list[set[str]] = []
    for identity, buyers in users.items():
        if len(buyers) < 2 or identity == without:
            continue
        touched = [group for group in found if group & buyers]
        found = [group for group in found if group not in touched]
        found.append(buyers.union(*touched))
    return found


def most_shared(orders: Iterable[Sold], group: set[str]) -> object:
    """What most of a group use; of several the first by kind and id, as the contract names them."""
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in orders:
        for kind, id_ in each.identities:
            users[kind.removesuffix("_id"), id_].add(each.buyer)
    shared = {key: buyers for key, buyers in users.items() if buyers & group and len(buyers) > 1}
    kind, id_ = min(shared, key=lambda key: (-len(shared[key]), key))
    return f"{kind}_id", id_


def all_share_one(orders: Iterable[Sold], group: set[str], without: object) -> bool:
    """Whether there is one thing that each of a group uses."""
    users: dict[tuple[str, str], set[str]] = defaultdict(set)
    for each in orders:
        for identity in each.identities:
            users[identity].add(each.buyer)
    return any(buyers >= group for identity, buyers in users.items() if identity != without)


def rings(
    orders: Sequence[Sold], now_ms: int, *, buyers: int, least: int, rooms: int
) -> Iterator[tuple[frozenset[str], tuple[str, ...]]]:
    """The order ids and rooms of each group that is a ring at a moment."""
    today = of_the_day(orders, now_ms)
    for group in groups(today):
        without = most_shared(today, group)
        left = groups((each for each in today if each.buyer in group), without)
        if len(group) < buyers or not any(
            len(rest) >= buyers and not all_share_one(today, rest, without) for rest in left
        ):
            continue
        users: dict[tuple[str, str], set[str]] = defaultdict(set)
        for each in today:
            for identity in each.identities:
                users[identity].add(each.buyer)
        own = [
            each
            for each in today
            if each.buyer in group and any(len(users[of]) > 1 for of in each.identities)
        ]
        count = {room: sum(each.room == room for each in own) for room in {o.room for o in own}}
        busiest = sorted(count, key=lambda room: (-count[room], room))[:rooms]
        inside = [each for each in own if each.room in busiest]
        if len(inside) >= least and len({each.buyer for each in inside}) >= buyers:
            yield frozenset(each.order_id for each in inside), tuple(sorted(busiest))


def crowd_score(
    orders: Sequence[Sold],
    rooms: Sequence[str],
    now_ms: int,
    base: float,
    attack: float,
    share: float,
) -> tuple[float, set[str]]:
    """How much evidence of money that went straight back there is in a set of rooms, and of whom.

    Args:
        orders: all.
        rooms: the set.
        now_ms: the moment.
        base, attack: share of orders with a quick refund usually, and in an attack.
        share: what share of the orders of these buyers there went back at least.
    """
    weights: dict[str, list[float]] = defaultdict(list)
    bought: dict[str, list[bool]] = defaultdict(list)
    been: dict[str, set[str]] = defaultdict(set)
    for each in of_the_day(orders, now_ms):
        if each.room not in rooms:
            continue
        been[each.buyer].add(each.room)
        is_back = each.back_ms is not None and each.back_ms <= now_ms and _quick(each)
        bought[each.buyer].append(is_back)
        if is_back:
            weights[each.buyer].append(log(attack / base))
        elif now_ms >= each.ts_ms + QUICK_MS:
            weights[each.buyer].append(log((1 - attack) / (1 - base)))
    of = [buyer for buyer, where in been.items() if len(where) == len(rooms)]
    having = {buyer: fsum(weights[buyer]) for buyer in of if fsum(weights[buyer]) > 0}
    all_orders = [is_back for buyer in of for is_back in bought[buyer]]
    if len(having) < 3 or sum(all_orders) < share * len(all_orders):
        return float("-inf"), set(of)
    return fsum(having.values()) - len(having) * (1 + log(len(of) / len(having))), set(of)


def crowds(
    orders: Sequence[Sold],
    now_ms: int,
    *,
    size: int,
    buyers: int,
    base: float,
    attack: float,
    share: float,
) -> Iterator[tuple[float, tuple[str, ...]]]:
    """The score of each set of rooms that so many buyers have in common at a moment."""
    for rooms in combinations(sorted({each.room for each in orders}), size):
        score, of = crowd_score(orders, rooms, now_ms, base, attack, share)
        if len(of) >= buyers:
            yield score, rooms


def _quick(each: Sold) -> bool:
    return each.back_ms is not None and each.back_ms - each.ts_ms < QUICK_MS
