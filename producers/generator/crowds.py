"""Who is planted: crowds with the identities that an adversary, or an innocent gathering, has.

Ids look like everybody's. Each crowd has a block of numbers of its own, so that two crowds, and
a crowd and the population, share nothing by chance; blocks follow from the room, so planting in one
room changes nobody elsewhere.
"""

from random import Random
from typing import NamedTuple

from producers.generator import parameters as p
from producers.generator.identities import OLDEST_DAYS, YOUNG_DAYS, Identity, Population

# Numbers that one crowd may use up; the largest has some thousands of people.
BLOCK = 30_000
# Crowds that one room may have.
BLOCKS_BY_ROOM = 200


class Pool(NamedTuple):
    """How many of each thing a crowd has; 0 for one a person."""

    people: int
    devices: int = 0
    payments: int = 0
    addresses: int = 0
    ips: int = 0
    young_share: float = p.YOUNG_ACCOUNT_SHARE


def block_start(population: Population, room_number: int, crowd_number: int) -> int:
    """The first number of a crowd's block, beyond all that the population shows."""
    assert crowd_number < BLOCKS_BY_ROOM
    return 4 * population.size + (room_number * BLOCKS_BY_ROOM + crowd_number) * BLOCK


def crowd(random: Random, first: int, pool: Pool) -> list[Identity]:
    """People who share what the pool says, evenly: every device of the pool is used.

    Exactly the pool's share of the accounts is young, rounded; the others are as old as anybody's.
    """
    young = round(pool.people * pool.young_share)
    ages = [int(random.random() * YOUNG_DAYS) for _ in range(young)]
    ages += [_grown_days(random) for _ in range(pool.people - young)]
    random.shuffle(ages)
    columns = [
        _shared(random, first, pool.people, count)
        for count in (pool.devices, pool.payments, pool.addresses, pool.ips)
    ]
    return [
        Identity(f"v{first + n}", f"d{device}", f"pay{payment}", f"addr{address}", f"ip{ip}", age)
        for n, (device, payment, address, ip, age) in enumerate(zip(*columns, ages, strict=True))
    ]


def strangers(random: Random, first: int, people: int) -> list[Identity]:
    """People from outside, who share no more and no less than everybody does."""
    population = Population(random, people, first)
    return [population.identity(person) for person in range(people)]


def natural_stay_ms(random: Random) -> int:
    """How long a viewer stays who came by themselves."""
    if random.random() < p.ENGAGED_SHARE:
        seconds = random.lognormvariate(p.ENGAGED_STAY_LOG_SECONDS, p.ENGAGED_STAY_SIGMA)
        return 1_000 + int(min(seconds, p.LONGEST_STAY_SECONDS) * 1000)
    seconds = random.lognormvariate(p.SHORT_STAY_LOG_SECONDS, p.SHORT_STAY_SIGMA)
    return 200 + int(seconds * 1000)


def _grown_days(random: Random) -> int:
    return max(YOUNG_DAYS, min(OLDEST_DAYS, int(random.lognormvariate(6.2, 1.0))))


def _shared(random: Random, first: int, people: int, count: int) -> list[int]:
    if not count:
        return list(range(first, first + people))
    numbers = [first + n % count for n in range(people)]
    random.shuffle(numbers)
    return numbers
