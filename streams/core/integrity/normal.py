"""What is normal among orders: what the brushing detectors of a partition have in common."""

from typing import Any

from streams.core.integrity.common_signs import CommonSigns
from streams.core.integrity.signs import BaseRates


class Normal:
    """The base rates of the partition, and the signs that say nothing there."""

    __slots__ = ("common", "rates")

    def __init__(self) -> None:
        self.rates = BaseRates()
        self.common = CommonSigns()

    def snapshot(self) -> list[Any]:
        return [self.rates.snapshot(), self.common.snapshot()]

    def restore(self, state: list[Any]) -> None:
        rates, common = state
        self.rates.restore(rates)
        self.common.restore(common)
