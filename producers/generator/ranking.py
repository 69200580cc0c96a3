"""The hosts and MCN agencies of the Douyin rankings of August 2021, as a scenario's sellers.

Source: the two tables of Pan, Xu and Zhao (2021, figures by iiMedia). They count different things
and do not agree with each other (the first host alone outsells his agency), so each table is kept
in proportion to itself: the ten hosts stand without an agency, and the agencies' gross is scaled by
`AGENCY_SCALE` more than the hosts', so that no agency host enters the published top ten of hosts.
The number of hosts of an agency is divided by `HOSTS_DIVISOR`, and is never less than two.
"""

from typing import NamedTuple

from producers.generator import parameters as p
from producers.generator.rooms import Host
from schemas.events import Mode

# Sales of August 2021 in units of 10,000 yuan.
HOSTS: tuple[tuple[str, int], ...] = (
    ("Luo Yonghao", 58_700),
    ("Mr. Dong Jewellery", 37_200),
    ("Zhu Zixiao", 32_000),
    ("Great Wolf Dog (Zheng Jianpeng & Yanzhen)", 30_800),
    ("Jia Nailiang", 24_200),
    ("Rainbow couple", 23_600),
    ("Zi'an", 19_700),
    ("Qi Wei", 17_400),
    ("Lovemimus", 17_200),
    ("Liu Yuanyuan", 16_800),
)
# Name, number of hosts, gross of August 2021 in units of 10,000 yuan.
AGENCIES: tuple[tuple[str, int, int], ...] = (
    ("To make friends", 2, 58_000),
    ("Worry-free Media", 228, 33_000),
    ("Intmart", 8, 35_000),
    ("You Liang Media", 54, 19_000),
    ("Chengdu Hoshino Partners", 2, 17_000),
    ("Lanyan Culture", 11, 14_000),
    ("Master said", 61, 12_000),
    ("Hunan Entertainment", 426, 1_054),
    ("Ganpai culture", 154, 5_130),
    ("Dayu Network", 166, 6_074),
)
AGENCY_SCALE = 0.4
HOSTS_DIVISOR = 20
# The ranked sellers' share of orders among events, so that the scenario looks like the others.
_ORDERS_BY_EVENT = 0.012
_TYPICAL_ORDER_MINOR = 15_000
_TEN_THOUSAND_YUAN_MINOR = 1_000_000
_MODES: tuple[Mode, ...] = (
    "talent",
    "store",
    "origin",
    "base_walk",
    "seckill",
    "overseas",
    "bargain",
)


class RankedShow(NamedTuple):
    """A host and exactly what the host will sell."""

    host: Host
    gross_minor: int


def _divisor(events: int) -> int:
    """By how much published sales are divided to give about the usual number of orders."""
    hosts = sum(sales for _, sales in HOSTS)
    published = hosts + AGENCY_SCALE * sum(sales for _, _, sales in AGENCIES)
    wanted_minor = events * _ORDERS_BY_EVENT * _TYPICAL_ORDER_MINOR
    return max(1, round(published * _TEN_THOUSAND_YUAN_MINOR / wanted_minor))


def hosts_of(published_hosts: int) -> int:
    """How many hosts an agency has in the scenario."""
    return max(2, round(published_hosts / HOSTS_DIVISOR))


def slug(name: str) -> str:
    """A name as part of an id."""
    words = "".join(c if c.isalnum() and c.isascii() else " " for c in name.lower())
    return "-".join(words.split())


def ranked_shows(events: int) -> list[RankedShow]:
    """The sellers in the order of the tables, each with its gross to the minor unit."""
    divisor = _divisor(events)
    shows = []
    for number, (name, sales) in enumerate(HOSTS):
        host = Host(f"host-{slug(name)}", name, None, *_kind(number))
        shows.append(RankedShow(host, round(sales * _TEN_THOUSAND_YUAN_MINOR / divisor)))
    for name, published_hosts, sales in AGENCIES:
        gross_minor = round(sales * _TEN_THOUSAND_YUAN_MINOR * AGENCY_SCALE / divisor)
        for number, part_minor in enumerate(_split(gross_minor, hosts_of(published_hosts))):
            host = Host(
                f"host-{slug(name)}-{number + 1}",
                f"{name} {number + 1}",
                f"mcn-{slug(name)}",
                *_kind(len(shows)),
            )
            shows.append(RankedShow(host, part_minor))
    return shows


def ranking_notes(events: int) -> dict[str, object]:
    """What the truth file says about the proportions."""
    return {
        "ranking": {
            "published_yuan_by_session_yuan": _divisor(events),
            "agency_scale": AGENCY_SCALE,
            "agency_hosts": {
                f"mcn-{slug(name)}": {"published": hosts, "session": hosts_of(hosts)}
                for name, hosts, _ in AGENCIES
            },
        }
    }


def _kind(number: int) -> tuple[Mode, str]:
    categories = tuple(p.CATEGORIES)
    return _MODES[number % len(_MODES)], categories[number % len(categories)]


def _split(total_minor: int, parts: int) -> list[int]:
    """A total over the hosts of an agency: the first sell most, and nothing is lost."""
    weights = [1 / (n + 1) ** 0.5 for n in range(parts)]
    shares = [int(total_minor * weight / sum(weights)) for weight in weights]
    shares[0] += total_minor - sum(shares)
    return shares
