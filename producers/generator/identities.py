"""Who the viewers are, and what they share: devices, payment accounts, addresses, IPs.

Innocent sharing is part of the model: households, dormitories, offices and carrier gateways exist
so that a detector which calls them fraud can be seen to do so. Overlays that plant fraud make their
own `Identity` values.

Bounds: 5 numbers a person in compact arrays, about 25 bytes.
"""

from array import array
from random import Random
from typing import NamedTuple

from producers.generator import parameters as p

YOUNG_DAYS = 7
OLDEST_DAYS = 5_000
GATEWAY_PEOPLE = 400


class Identity(NamedTuple):
    """One person as the platform sees them."""

    viewer_id: str
    device_id: str
    payment_id: str
    address_id: str
    ip_id: str
    account_age_days: int


class Population:
    """A fixed set of people, drawn once; person i is the same throughout a session.

    `first` is the number that the first person shows: people of populations whose numbers lie
    at least `3 * size` apart share nothing.
    """

    def __init__(self, random: Random, size: int, first: int = 0) -> None:
        self.size = size
        self._first = first
        numbers = range(first, first + size)
        self._device = array("Q", numbers)
        self._payment = array("Q", numbers)
        self._address = array("Q", numbers)
        self._ip = array("Q", numbers)
        self._age_days = array("H")
        self.dormitory_addresses: list[str] = []
        self._settle(random)
        self._connect(random)
        for _ in range(size):
            young = random.random() < p.YOUNG_ACCOUNT_SHARE
            days = random.random() * YOUNG_DAYS if young else random.lognormvariate(6.2, 1.0)
            least = 0 if young else YOUNG_DAYS
            self._age_days.append(max(least, min(OLDEST_DAYS, int(days))))

    def identity(self, person: int) -> Identity:
        """What person number `person` shows."""
        return Identity(
            f"v{self._first + person}",
            f"d{self._device[person]}",
            f"pay{self._payment[person]}",
            f"addr{self._address[person]}",
            f"ip{self._ip[person]}",
            self._age_days[person],
        )

    def _settle(self, random: Random) -> None:
        """Put people into dormitories, households and homes of their own, in this order."""
        person = 0
        # group starts, so that the *people* in groups have the shares of the parameters
        dormitory_chance = p.DORMITORY_SHARE / 110
        household_chance = p.HOUSEHOLD_SHARE / 2.5
        device_chance = p.SHARED_DEVICE_SHARE / p.HOUSEHOLD_SHARE
        payment_chance = p.SHARED_PAYMENT_SHARE / p.HOUSEHOLD_SHARE
        while person < self.size:
            luck = random.random()
            if luck < dormitory_chance:
                people = random.randint(20, 200)
                self.dormitory_addresses.append(f"addr{self._first + person}")
                self._share(self._address, person, people)
                self._share(self._ip, person, people)
            elif luck < dormitory_chance + household_chance:
                people = random.choice((2, 2, 3, 3))
                self._share(self._address, person, people)
                self._share(self._ip, person, people)
                if random.random() < device_chance:
                    self._share(self._device, person, people)
                if random.random() < payment_chance:
                    self._share(self._payment, person, people)
            else:
                people = 1
            person += people

    def _connect(self, random: Random) -> None:
        """Move part of the people from their home IP to carrier gateways and offices."""
        office, office_left = 0, 0
        for person in range(self.size):
            luck = random.random()
            if luck < p.MOBILE_SHARE:
                self._ip[person] = self._first + self.size + person // GATEWAY_PEOPLE
            elif luck < p.MOBILE_SHARE + p.OFFICE_SHARE:
                if not office_left:
                    office, office_left = office + 1, random.randint(20, 500)
                office_left -= 1
                self._ip[person] = self._first + 2 * self.size + office

    def _share(self, numbers: "array[int]", first: int, people: int) -> None:
        for person in range(first, min(first + people, self.size)):
            numbers[person] = self._first + first
